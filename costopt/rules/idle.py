"""idle: a machine that nobody uses, to be stopped.

Anti-pattern: a machine runs on after its purpose is gone; its compute is billed every hour.
Better: stop it (its disks stay, and bill on), and delete it once nobody has missed it.

What idle means is chosen by name (rules/definitions.py). A machine that only CPU samples keep from
being idle that nothing confirms (rules/unconfirmed.py) is to be stopped where all else that could
tell of its use is quiet, and less surely, in words; else somebody has to look.

What is saved is only what ends with the machine; disks and addresses bill on, and the reason says
how much. A machine that is idle by its figures but that something would bring back (a scaling
group), or that may serve by standing there (a gateway with unmeasured network), is a skip. See
docs/rules/idle.md.
"""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from pydantic import Field

from costopt.config import LONGEST_DAYS
from costopt.frame.scales import like_fractions
from costopt.model import (
    ActionType,
    Effort,
    Profile,
    Recommendation,
    Skip,
    is_billed,
    is_machine,
    is_stopped,
)
from costopt.rules import roles
from costopt.rules.base import Case, Fit, Outcome, RuleSettings, span
from costopt.rules.checks import Check
from costopt.rules.definitions import DEFINITIONS, DefinitionName
from costopt.rules.savings import UNTIL, Estimate, estimate
from costopt.rules.shut_down import deallocate
from costopt.rules.unconfirmed import Unconfirmed, unconfirmed
from costopt.rules.verdict import Verdict, verdict
from costopt.units import cents, counted

_TOLD: Final = 4
"""Checks told in the reason; all are in the evidence."""


class IdleSettings(RuleSettings):
    """Settings of the idle rule."""

    definition: DefinitionName = Field(
        "costopt", description="which definition of idle decides; see docs/rules/idle.md"
    )
    min_age_days: float = Field(
        14.0,
        ge=0,
        le=LONGEST_DAYS,
        description="a machine launched less than this ago is not judged",
    )


class Idle:
    """Finds machines that nobody uses."""

    code = "idle"
    Settings = IdleSettings

    def __init__(self, settings: IdleSettings) -> None:
        self.settings = settings
        self._definition = DEFINITIONS[settings.definition]

    def judge(self, case: Case) -> Outcome:
        """Stop it, or why not; None for what is no machine."""
        if not is_machine(case.resource):
            return None
        if is_stopped(case.resource):
            if is_billed(case.resource):
                return deallocate(case, self.code)
            return self._skip(case, "not-running", f"its state is {case.resource.state}")
        cpu = case.profile("cpu_utilization")
        if cpu is None:
            return self._skip(case, *case.unmeasured("cpu_utilization", "cpu-unmeasured"))
        found, left_out = self._looked_at(case, cpu)
        if not found.idle:
            failed = "; ".join(str(check) for check in found.checks if not check.passed)
            evidence = _evidence(case, found)
            return Fit(case.resource.resource_id, self.code, f"in use: {failed}", evidence)
        doubt = (
            _contradicted(case)
            or _of_doubtful_unit(case, found)
            or self._thin(case, found)
            or _excluded(case, found)
            or _kept_alive(case, found)
        )
        return self._skip(case, *doubt) if doubt else self._weigh(case, found, left_out)

    def _looked_at(self, case: Case, cpu: Profile) -> tuple[Verdict, Unconfirmed | None]:
        """Whether it is idle, by all samples; or else, without those that nothing confirms."""
        found, doubtful = verdict(case, cpu, self._definition), unconfirmed(case, cpu)
        if found.idle or doubtful is None:
            return found, None
        rest = verdict(case, doubtful.rest, self._definition)
        return (rest, doubtful) if rest.idle else (found, None)

    def _thin(self, case: Case, found: Verdict) -> tuple[str, str] | None:
        """What is missing to be sure."""
        if found.unmeasured:
            return found.unmeasured, f"{found.definition.name} needs it: {found.source}"
        launched, least = case.resource.launched_at, self.settings.min_age_days
        if launched and case.as_of - launched < timedelta(days=least):
            age = f"less than {counted(least, 'day', 'g')} ago"
            return "recently-launched", f"launched {launched:%Y-%m-%d}, {age}"
        seen = found.signals.cpu.days
        if seen < found.days:
            return "short-history", f"{counted(seen, 'day')} of CPU samples, less than {found.days}"
        return None

    def _weigh(self, case: Case, found: Verdict, left_out: Unconfirmed | None) -> Outcome:
        """The advice, if the saving is worth it."""
        cost = case.cost
        if cost is None:
            return self._skip(case, "no-price", "idle, but neither a bill nor a price names it")
        estimated = estimate(cost, Decimal(1), cost.compute_list if cost.compute_list > 0 else None)
        saving = estimated.savings.high
        if not case.worth_it(saving):
            detail = f"idle, but stopping it saves {cents(saving)} {cost.currency} a month"
            return self._skip(case, "small-saving", detail)
        stop = self._recommend(case, found, estimated, cost.currency)
        if left_out is None:
            return stop
        others = found.signals.network_measured or case.gpu_count > 0
        if why := left_out.forbids_a_stop(others):
            detail = f"idle but for {left_out}; {why}; stopping it would save {cents(saving)} "
            return self._skip(case, "unconfirmed-cpu", f"{detail}{cost.currency} a month")
        return replace(
            stop,
            reason=f"{stop.reason}; less sure than other stops, as {left_out} were left out",
            evidence={**stop.evidence, **left_out.evidence(stop.evidence.get("warnings", ()))},
        )

    def _recommend(
        self, case: Case, found: Verdict, estimated: Estimate, currency: str
    ) -> Recommendation:
        resource = case.resource
        return Recommendation(
            rule=self.code,
            action_type=ActionType.STOP,
            resource_id=resource.resource_id,
            resource_name=resource.resource_name,
            sub_account_id=resource.sub_account_id,
            current=case.current,
            recommended=None,
            estimated_monthly_cost=estimated.cost_after,
            estimated_monthly_savings=estimated.savings,
            currency=currency,
            lookback=span(found.signals.cpu),
            reason=_reason(case, found, estimated, currency),
            implementation_effort=Effort.LOW,
            restart_needed=False,
            rollback_possible=not _local_disk_gib(case),  # a stop empties local disks
            evidence=_evidence(case, found),
            stranded_commitment=estimated.stranded_commitment,
            tags=resource.tags,
        )

    def _skip(self, case: Case, reason: str, detail: str) -> Skip:
        return Skip(case.resource.resource_id, self.code, reason, detail)


def _contradicted(case: Case) -> tuple[str, str] | None:
    """Traffic of which one series says something else than another: it may be busy."""
    for metric_name in ("network_in", "network_out"):
        gate = case.gate(metric_name)
        if gate and gate.check == "contradiction":
            return gate.check, f"idle by its CPU, but of {metric_name} {gate.detail}"
    return None


def _of_doubtful_unit(case: Case, found: Verdict) -> tuple[str, str] | None:
    """CPU that may be a fraction of 1 where no traffic says otherwise; where traffic is busy, the
    quality gate bars it."""
    cpu = case.profile("cpu_utilization")
    if cpu is None or found.signals.network_measured or not like_fractions(cpu):
        return None
    return (
        "unit-doubtful",
        f"CPU never exceeds 1 % (at most {cpu.max:g} %): a fraction sent as percent looks the "
        "same; check the unit (scale), or collect its network",
    )


def _excluded(case: Case, found: Verdict) -> tuple[str, str] | None:
    """What the definition's own author leaves out."""
    definition = found.definition
    if definition.excludes_gpu and case.gpu_count:
        return "definition-excludes", f"{definition.name} leaves GPU machines out"
    if definition.excludes_local_disk and _local_disk_gib(case):
        return "definition-excludes", f"{definition.name} leaves machines with local disks out"
    return None


def _kept_alive(case: Case, found: Verdict) -> tuple[str, str] | None:
    """Who would bring it back, or miss it although it hardly computes."""
    if group := roles.controller(case.resource):
        return "scaling-group", f"idle, but {group} would replace it once stopped"
    if service := roles.managed_service(case.resource):
        return "managed-service", f"idle, but {service} is not left stopped for long"
    word = roles.standby_word(case.resource)
    if word and not found.signals.network_measured and not case.gpu_count:
        return (
            "standby-role",
            f"its CPU is idle, but its name or tags say {word!r}: it may serve by standing there, "
            "and its network is not measured",
        )
    return None


def _local_disk_gib(case: Case) -> float:
    return case.shape.local_disk_gib if case.shape else 0.0


def _reason(case: Case, found: Verdict, estimated: Estimate, currency: str) -> str:
    saving, waits = estimated.savings.high, estimated.stranded_commitment
    stays = cents(case.cost.monthly - case.cost.compute) if case.cost else 0
    parts = [
        f"over {counted(span(found.signals.cpu).days, 'day', '.0f')} "
        + "; ".join(map(str, found.checks[:_TOLD])),
        f"stopping it ends {saving} {currency} a month of compute",
    ]
    if waits:
        parts.append(f"{waits} of it only once the commitment that covers it {UNTIL}")
    if stays > 0:
        parts.append(f"what stays (disks, addresses) bills on at {stays} {currency} a month")
    if not found.signals.network_measured:
        parts.append(f"the network is not measured, so {_deciding(case, found)}")
    return "; ".join(parts)


def _deciding(case: Case, found: Verdict) -> str:
    if case.gpu_count:
        return "GPU and CPU alone decided"
    stricter = ", by a stricter test" if found.definition.name == "costopt" else ""
    return f"CPU alone decided{stricter}"


def _evidence(case: Case, found: Verdict) -> dict[str, Any]:
    cpu = found.signals.cpu
    evidence: dict[str, Any] = {
        "definition": found.definition.name,
        "source": found.source,
        "checks": [_check(check) for check in found.checks],
        "days": cpu.days,
        "samples": cpu.count,
        "coverage": round(cpu.coverage, 4),
        "network_measured": found.signals.network_measured,
    }
    if found.approximations:
        evidence["approximations"] = list(found.approximations)
    if case.disputed:
        evidence["disputed_samples"] = case.disputed.samples
    if cpu.refused_high:
        evidence["refused_above_105_percent"] = cpu.refused_high
    if told := _warnings(case):
        evidence["warnings"] = told
    return evidence


def _check(check: Check) -> dict[str, Any]:
    return {
        "what": check.what,
        "value": round(check.value, 4) if math.isfinite(check.value) else None,
        "idle": f"{check.sign} {check.limit:g}",
        "unit": check.unit,
        "passed": check.passed,
    }


def _warnings(case: Case) -> list[str]:
    told = []
    if disk := _local_disk_gib(case):
        told.append(f"its local disk ({disk:g} GiB) is emptied by a stop")
    if word := roles.standby_word(case.resource):
        told.append(f"its name or tags say {word!r}: ask its owner")
    return told
