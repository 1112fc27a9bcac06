"""What the chosen definition of idle says of one machine: its checks, and what they still lack."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from costopt.frame.corroboration import refused_is_busy
from costopt.model import Profile
from costopt.rules.base import Case
from costopt.rules.checks import Check, GpuSignals, Signals, gpu_checks
from costopt.rules.definitions import GPU_APPROXIMATIONS, GPU_DAYS, GPU_SOURCE, Definition


@dataclass(frozen=True, slots=True)
class Verdict:
    """A definition applied to a machine."""

    definition: Definition
    signals: Signals
    checks: tuple[Check, ...]
    source: str
    days: int  # of history at least
    approximations: tuple[str, ...]
    unmeasured: str = ""  # reason code: what the definition still needs to be sure

    @property
    def idle(self) -> bool:
        """Whether nothing that is measured speaks against it."""
        return all(check.passed for check in self.checks)


def verdict(case: Case, cpu: Profile, definition: Definition) -> Verdict:
    """The definition applied to a machine with that CPU profile; GPU machines have tests of their
    own, as CPU alone says nothing of them."""
    signals = Signals(
        vcpus=case.shape.vcpus if case.shape else case.resource.vcpus,
        network_gbps=case.shape.network_gbps if case.shape else None,
        cpu=cpu,
        cpu_max=case.profile("cpu_utilization", "max"),
        network_in=case.profile("network_in"),
        network_out=case.profile("network_out"),
    )
    told = _of_gpu_machine if case.gpu_count else _of_machine
    found = told(case, signals, definition)
    return replace(found, checks=(*found.checks, *_beyond_capacity(cpu)))


def _beyond_capacity(cpu: Profile) -> tuple[Check, ...]:
    """Samples refused as too high that are demand: whatever a definition asks for, such a machine
    is in use, for averages and shares of time forgive some of them."""
    if not cpu.refused_high or not refused_is_busy(cpu):
        return ()
    return (Check("samples of work above 105 % CPU", cpu.refused_high, "<=", 0),)


def _of_machine(case: Case, signals: Signals, definition: Definition) -> Verdict:
    return Verdict(
        definition=definition,
        signals=signals,
        checks=definition.checks(signals),
        source=definition.source,
        days=definition.days,
        approximations=definition.approximations,
        unmeasured=_network_lacks(signals, definition),
    )


def _network_lacks(signals: Signals, definition: Definition) -> str:
    known = signals.network_measured and not (
        definition.needs_bandwidth and signals.network_gbps is None
    )
    return "network-unmeasured" if definition.needs_network and not known else ""


def _of_gpu_machine(case: Case, signals: Signals, definition: Definition) -> Verdict:
    """Utilization and memory of every card must be measured."""
    gpu = GpuSignals(
        utilization=_cards(case, "gpu_utilization"),
        memory=_cards(case, "gpu_memory_utilization"),
        sm_active=_cards(case, "gpu_sm_active"),
        power=_cards(case, "gpu_power"),
    )
    measured = bool(gpu.utilization and gpu.memory)
    checks = gpu_checks(signals, gpu, aws_network=definition.name != "costopt")
    return Verdict(
        definition=definition,
        signals=signals,
        checks=checks if measured else tuple(c for c in checks if not math.isnan(c.value)),
        source=GPU_SOURCE,
        days=GPU_DAYS,
        approximations=(*GPU_APPROXIMATIONS, *definition.approximations),
        unmeasured=_network_lacks(signals, definition) if measured else "gpu-unmeasured",
    )


def _cards(case: Case, metric_name: str) -> tuple[Profile, ...]:
    """The metric's profiles that tell of all cards: one a card, or one of the whole machine."""
    if case.gate(metric_name):
        return ()
    means = [p for p in case.profiles if p.metric_name == metric_name and p.statistic == "mean"]
    cards = tuple(p for p in means if p.device)
    whole = tuple(p for p in means if not p.device)
    return cards if len({p.device for p in cards}) >= case.gpu_count else whole
