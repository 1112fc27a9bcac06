"""schedule: a machine that is used at fixed hours, to be off at the others; a scaling group that is
as large at night as at noon, to follow its week.

Anti-pattern: what nobody uses at night and at weekends runs, and is billed, for 168 hours a week.
Better: a weekly plan on the wall clock, the cheapest that bears what the past weeks needed, and a
way to start it on demand for the day that differs.

What a week needs: backtest/weekly.py. The plan: optimize/timetable.py. Whether it may be relied on:
rules/timetables.py. Settings: rules/schedule_settings.py. In words and figures:
rules/schedule_grounds.py. See docs/rules/schedule.md.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from costopt.model import ActionType, Effort, Recommendation, Skip, is_machine, is_stopped
from costopt.pricing.sustained import discount
from costopt.profile.special import holidays_of
from costopt.rules import roles, schedule_grounds
from costopt.rules.asleep import already_scheduled
from costopt.rules.base import Case, Fit, Outcome, span
from costopt.rules.groups import group_of
from costopt.rules.prices import sustained_month
from costopt.rules.savings import Estimate, estimate
from costopt.rules.schedule_settings import ScheduleSettings
from costopt.rules.timetables import Planned, Refusal, already_scales, planned, unreliable
from costopt.units import cents

_ODD_PERIOD: Final = (
    "odd-period",
    "its samples' period does not fit the schedule's grid (slot_minutes)",
)


class Schedule:
    """Finds machines that are used at fixed hours, and groups whose demand has a week."""

    code = "schedule"
    Settings = ScheduleSettings

    def __init__(self, settings: ScheduleSettings) -> None:
        self.settings = settings
        for place in settings.calendars:
            holidays_of(place, (2026,))  # that there are any is known before judging

    def judge(self, case: Case) -> Outcome:
        """When it should run, or why it has no schedule; None for what is neither."""
        if case.replicas is None and not is_machine(case.resource):
            return None
        refused = _out_of_scope(case) or _unmeasured(case)
        if refused or case.weekly is None:
            return self._skip(case, *(refused or _ODD_PERIOD))
        found = planned(case, case.weekly, self.settings)
        if already_scales(found):
            refused = "already-scales", "its count goes up and down with its demand already"
        elif not found.is_worth(self.settings):
            told = schedule_grounds.evidence(found)
            return Fit(case.resource.resource_id, self.code, schedule_grounds.fit(found), told)
        else:
            refused = unreliable(found, self.settings) or _left_alone(case, self.settings)
        return self._skip(case, *refused) if refused else self._weigh(found)

    def _weigh(self, found: Planned) -> Outcome:
        """The schedule, if the saving is worth it."""
        case, cost = found.case, found.case.cost
        if cost is None:
            detail = f"{schedule_grounds.fit(found)}; but neither a bill nor a price names it"
            return self._skip(case, "no-price", detail)
        share = _share(found)
        at_list = cost.compute_list * Decimal(repr(1 - found.kept))
        estimated = estimate(cost, share, at_list if at_list > 0 else None)
        saving = estimated.savings.high
        if not case.worth_it(saving):
            detail = f"a schedule would do, and saves {cents(saving)} {cost.currency} a month"
            return self._skip(case, "small-saving", detail)
        return self._recommend(found, estimated, cost.currency)

    def _recommend(self, found: Planned, estimated: Estimate, currency: str) -> Recommendation:
        case = found.case
        offer, cpu = case.replica or case.current, case.profile("cpu_utilization")
        return Recommendation(
            rule=self.code,
            action_type=ActionType.SCHEDULE,
            resource_id=case.resource.resource_id,
            resource_name=case.resource.resource_name,
            sub_account_id=case.resource.sub_account_id,
            current=offer,
            recommended=offer,
            estimated_monthly_cost=estimated.cost_after,
            estimated_monthly_savings=estimated.savings,
            currency=currency,
            lookback=span(cpu) if cpu else case.window,  # a group has no profile of its own
            reason=schedule_grounds.reason(found, estimated),
            implementation_effort=Effort.MEDIUM,
            restart_needed=case.replicas is None,
            rollback_possible=True,
            evidence=schedule_grounds.evidence(found),
            risk=schedule_grounds.risk(found, self.settings),
            backtest=schedule_grounds.backtest(found, self.settings),
            stranded_commitment=estimated.stranded_commitment,
            schedule=found.plan,
            replicas=case.replicas,
            tags=case.resource.tags,
        )

    def _skip(self, case: Case, reason: str, detail: str) -> Skip:
        return Skip(case.resource.resource_id, self.code, reason, detail)


def _out_of_scope(case: Case) -> Refusal | None:
    """Why this machine is not planned by itself, or again."""
    resource = case.resource
    if case.replicas is not None:
        return None
    if is_stopped(resource):
        return "not-running", f"its state is {resource.state}"
    if group_of(resource):
        return "scaling-group", f"scaling group {resource.scaling_group} is planned as a whole"
    return already_scheduled(case)


def _unmeasured(case: Case) -> Refusal | None:
    """What of its past weeks is missing."""
    if case.replicas is not None:
        return _unmeasured_group(case)
    if case.profile("cpu_utilization") is None:
        return case.unmeasured("cpu_utilization", "cpu-unmeasured")
    if case.weekly is not None:
        return None
    if case.gpu_count:
        return (
            "gpu-unmeasured",
            "without the use and the memory of its GPUs its hours are not known",
        )
    return _ODD_PERIOD


def _unmeasured_group(case: Case) -> Refusal | None:
    if gate := case.gate("cpu_utilization"):
        return gate.check, f"of a member: {gate.detail}"
    if case.shape is None:
        return "size-unknown", "how many vCPUs its members have is not known"
    if case.weekly is None:
        return "cpu-unmeasured", "its members have no CPU samples of one period"
    return None


def _left_alone(case: Case, settings: ScheduleSettings) -> Refusal | None:
    """Who would bring it back, miss it, or lose by it."""
    resource = case.resource
    if resource.pricing_category == "Dynamic":
        return "spot-machine", "used at fixed hours, but a spot machine may not come back in time"
    if service := roles.managed_service(resource):
        return "managed-service", f"used at fixed hours, but {service} is not left stopped for long"
    if case.replicas is None and (kept := _singly(case)):
        return kept
    if word := roles.standby_word(resource):
        why = f"its name or tags say {word!r}: others may need it to stand there"
        return "standby-role", f"used at fixed hours, but {why}"
    texts = [resource.resource_name or "", *resource.tags.values()]
    if named := next((w for w in settings.exclude if _names(w, texts)), None):
        return "excluded", f"used at fixed hours, but its name or a tag says {named!r} (exclude)"
    return None


def _singly(case: Case) -> Refusal | None:
    """The same of a machine that is stopped by itself."""
    if group := roles.controller(case.resource):
        return "scaling-group", f"used at fixed hours, but {group} would replace it once stopped"
    if case.shape and case.shape.local_disk_gib:
        disk = f"{case.shape.local_disk_gib:g} GiB"
        return "local-disk", f"used at fixed hours, but each stop empties its local disk ({disk})"
    return None


def _names(word: str, texts: list[str]) -> bool:
    plain = word.casefold()
    return any(plain == text.casefold() for text in texts[1:]) or plain in texts[0].casefold()


def _share(found: Planned) -> Decimal:
    """Of the compute cost, what ends: hours that no longer run; less the sustained use discount
    that Google gives only to what runs on."""
    case, kept = found.case, Decimal(repr(found.kept))
    kind = case.price.instance_type if case.price else None
    if case.cost is None or kind is None:
        return 1 - kept
    month = sustained_month(case.resource, case.cost)
    before, after = (1 - discount(kind, part) for part in (month, month * kept))
    return 1 - kept * after / before
