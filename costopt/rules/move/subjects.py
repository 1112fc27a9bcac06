"""Which machines could run elsewhere, and the least that a machine there must have.

The need is what the demand asks for, not today's shape: the vCPUs of the machine that the plan
leaves it with, or fewer where P99.5 with its headroom asks for fewer; the memory that rightsizing
provides for; today's cards, local disk and measured traffic, as far as today's network is known to
carry it: bursts go beyond what a type sustains, and what carries them here does so elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np

from costopt.frame.cost import resource_key
from costopt.frame.traffic import Sent, Traffic
from costopt.model import (
    ActionType,
    Cost,
    Offer,
    Recommendation,
    Resource,
    Shape,
    is_machine,
    is_stopped,
)
from costopt.pricing.equivalence import Facts
from costopt.pricing.fits import ANY, X86, Need
from costopt.pricing.layer import system_key
from costopt.pricing.scenario import Change
from costopt.rules import roles
from costopt.rules.base import Case
from costopt.rules.demand import cpu_demand, memory_demand, network_demand
from costopt.rules.move.disks import Disks
from costopt.rules.move.settings import MoveSettings
from costopt.rules.scope import Refusal
from costopt.units import HOURS_PER_MONTH, counted

_HEADROOM: Final = 70.0
"""Percent of a machine's CPU that P99.5 may fill: rightsizing's limit."""
_FINE: Final = 900
"""Seconds: coarser samples hide peaks, and do not make a need smaller."""
_LEAST_GBPS: Final = 0.032
"""What the smallest of all machines sustains whose network is told (AWS's t3.nano): nobody need ask
whether there is so much."""
_GIB: Final = 2.0**30
_ACROSS: Final = 3600 * HOURS_PER_MONTH / _GIB
"""GiB a month of a byte a second."""


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """One machine that could run elsewhere. Money a month, in the currency of its cost."""

    case: Case
    shape: Shape  # today's
    need: Need
    hours: float  # that it runs in a month, once the plan is done
    run: float  # what its computing costs then
    stranded: float  # of it, what commitments pay for
    sent: Traffic  # billed, GiB a month
    internal: float  # measured and not billed as leaving: to its neighbours, GiB a month
    inward: float  # measured and not billed as from outside: from its neighbours, GiB a month
    stored_gib: float

    @property
    def resource(self) -> Resource:
        """Which it is."""
        return self.case.resource


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What is known of the fleet beside each machine's case."""

    facts: Facts
    sent: Sent
    disks: Disks
    changes: Mapping[str, Change]  # by `resource_key`: what the plan does first
    advised: Mapping[str, Offer]  # resource id -> the machine that the plan leaves it with

    @classmethod
    def of(
        cls,
        resources: Mapping[str, Resource],
        sent: Sent,
        changes: Mapping[str, Mapping[str, Change]],
        done: list[Recommendation],
        facts: Facts,
    ) -> Known:
        """From the inventory and a plan.

        Args:
            changes: by provider (changes.changes_of).
            done: what the plan does (changes.of_plan).
        """
        return cls(
            facts,
            sent,
            Disks.of(resources, ended(done)),
            {key: one for of_it in changes.values() for key, one in of_it.items()},
            {
                one.resource_id: one.recommended
                for one in done
                if one.recommended and not one.schedule
            },
        )


def ended(done: Iterable[Recommendation]) -> set[str]:
    """Resource ids of what is no more once that is done."""
    ends = ActionType.STOP, ActionType.DELETE
    return {one.resource_id for one in done if one.action_type in ends}


def subject(case: Case, known: Known, settings: MoveSettings) -> Subject | Refusal:
    """The machine as something that could run elsewhere, or why it stays where it is."""
    resource, shape, cost = case.resource, case.shape, case.cost
    if refused := _bound(case, settings):
        return refused
    assert shape is not None
    assert cost is not None
    key = resource_key(resource.resource_id)
    change = known.changes.get(key, Change())
    keep = float(np.mean(change.keep))
    spent = max(Decimal(0), min(cost.compute, cost.monthly))
    run = float(spent) * keep * change.price * change.dearer
    sent = known.sent.of_each.get(key, Traffic())
    out, into = _measured(case, "network_out"), _measured(case, "network_in")
    total = sent.total if out is None else out * cost.running_share
    return Subject(
        case=case,
        shape=shape,
        need=_need(case, shape, known, settings),
        hours=HOURS_PER_MONTH * cost.running_share * keep,
        run=run,
        stranded=run * cost.committed_share,
        sent=sent,
        internal=max(0.0, total - sent.internet - sent.regions),
        inward=0.0 if into is None else max(0.0, into * cost.running_share - sent.received),
        stored_gib=known.disks.stored.get(key, 0.0),
    )


def _measured(case: Case, metric: str) -> float | None:
    """GiB a month, did it run all of it."""
    profile = case.profile(metric)
    return None if profile is None else profile.mean * _ACROSS


def _bound(case: Case, settings: MoveSettings) -> Refusal | None:
    """Why it cannot be judged as a machine that could run elsewhere."""
    resource = case.resource
    if service := roles.managed_service(resource):
        return "managed-service", f"{service} is not moved as a machine"
    system = resource.operating_system
    if system and system_key(system) != "linux":
        return "licensed-system", f"prices of {system} elsewhere are not known"
    if case.shape is None:
        return "size-unknown", "how large it is, is not known"
    if refused := _unbilled(case.cost):
        return refused
    texts = {resource.resource_id, resource.resource_name or "", *resource.tags.values()}
    if word := next((one for one in settings.stay if one in texts), None):
        return "excluded", f"it is to stay: {word!r} (stay)"
    return None


def _unbilled(cost: Cost | None) -> Refusal | None:
    """Why what it costs today cannot be compared."""
    if cost is None:
        return "no-price", "neither a bill nor a price names it"
    if min(cost.compute, cost.monthly) < 0:
        return "no-price", "refunds leave its bill below zero: what it costs is not known"
    if not cost.running_share:
        return "hours-unknown", "no row of the bill says for how long it ran"
    return None


def concerns(case: Case) -> bool:
    """Whether it is a machine that runs now."""
    return case.replicas is None and is_machine(case.resource) and not is_stopped(case.resource)


def _need(case: Case, shape: Shape, known: Known, settings: MoveSettings) -> Need:
    advised = known.advised.get(case.resource.resource_id)
    vcpus = advised.vcpus if advised and advised.vcpus else shape.vcpus
    memory = advised.memory_gib if advised and advised.memory_gib else shape.memory_gib or 0.0
    cpu = case.profile("cpu_utilization")
    if cpu and cpu.period_seconds <= _FINE:
        vcpus = min(vcpus, shape.vcpus * max(cpu_demand(cpu).p99_5, 1.0) / _HEADROOM)
    provided = memory_demand(case, trusted=True)
    if provided.measured and provided.needed_gib is not None:
        memory = min(memory, provided.needed_gib)
    card = known.facts.gpu_of(shape) if shape.gpu_count else None
    return Need(
        # The processor beside cards is seldom known, and the cards' work is what is bought.
        vcpus=0.0 if shape.gpu_count else vcpus,
        speed=known.facts.speed(shape),
        memory_gib=memory,
        gpu_count=case.gpu_count,
        gpu_memory_gib=shape.gpu_memory_gib or 0.0,
        gpu_bandwidth_gb_s=(card.bandwidth_gb_s or 0.0) if card else 0.0,
        gpu_tflops=(card.tensor_tflops or 0.0) if card else 0.0,
        local_disk_gib=shape.local_disk_gib,
        network_gbps=min(network_demand(case).gbps or 0.0, shape.network_gbps or np.inf),
        architectures=ANY if settings.allow_architecture_change else _same(shape),
    )


def _same(shape: Shape) -> frozenset[str]:
    return frozenset({shape.architecture}) if shape.architecture else X86


def network_untold(taken: Iterable[tuple[Subject, Shape]]) -> str:
    """That nobody says how much network there is, in words; "" = it is known, or none is needed.

    Args:
        taken: machines, and what each would run on; its own type carries what it carries today.
    """
    needs: dict[str, float] = {}
    for one, there in taken:
        asked, kind = one.need.network_gbps, there.instance_type
        own = kind == one.shape.instance_type and there.provider_name == one.shape.provider_name
        if asked > _LEAST_GBPS and there.network_gbps is None and not own:
            needs[kind] = max(asked, needs.get(kind, 0.0))
    if not needs:
        return ""
    most = f"{max(needs.values()):.2g} Gbit/s"
    needed = f"it needs {most}" if len(needs) == 1 else f"they need up to {most}"
    return f"how much network {', '.join(sorted(needs))} has is not known; {needed}"


def in_words(one: Subject) -> str:
    """What a machine elsewhere must have, for people."""
    need, parts = one.need, []
    if need.vcpus:
        parts.append(f"{need.vcpus:.3g} vCPUs like today's")
    if need.gpu_count:
        model = one.shape.gpu_model or "GPU"
        parts.append(f"{counted(need.gpu_count, 'card')} like {model}")
    if need.memory_gib:
        parts.append(f"{need.memory_gib:.3g} GiB")
    return ", ".join(parts)
