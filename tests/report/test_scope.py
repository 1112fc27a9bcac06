"""A part of a report is a whole report: its own totals, and a word on what is left out."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from costopt.model import Skip
from costopt.report.scope import first, narrow
from costopt.rules.base import Fit
from tests.report import builders, cases

ADVICE = builders.recommendation("i-1", estimated_monthly_savings=builders.savings("100"))
OTHER = builders.recommendation("i-9", estimated_monthly_savings=builders.savings("300"))
SKIPS = (Skip("i-2", "idle", "no-price", ""), Skip("i-9", "idle", "stale", ""))


def _case(resource_id: str) -> cases.Case:
    return cases.case(resource=replace(cases.MACHINE, resource_id=resource_id))


def test_totals_are_of_the_chosen_alone() -> None:
    report = builders.report((ADVICE, OTHER), SKIPS)
    fit = Fit("i-3", "idle", "in use", {})
    chosen = {name: _case(name) for name in ("i-1", "i-2", "i-3")}
    outcomes = {"i-1": (ADVICE,), "i-2": (SKIPS[0],), "i-3": (fit, None), "i-9": (OTHER,)}
    part = narrow(report, chosen, outcomes, "tag team=web")
    assert part.recommendations == (ADVICE,)
    assert part.skips == SKIPS[:1]
    summary = part.summary
    assert summary.monthly_spend == 3 * cases.COST.monthly
    assert summary.monthly_savings == 100
    assert summary.monthly_spend_after == summary.monthly_spend - 100
    assert (summary.resources, summary.well_sized, summary.recommendations) == (3, 1, 1)
    assert summary.skips == {"no-price": 1}
    assert summary.reconciled_percent is None
    assert part.notes[-1] == "3 of 412 resources, chosen by tag team=web"


def test_a_group_costs_what_its_members_do_and_no_more() -> None:
    members = {
        name: cases.case(resource=replace(cases.MACHINE, resource_id=name, scaling_group="asg-web"))
        for name in ("i-1", "i-2")
    }
    of_both = replace(cases.COST, monthly=2 * cases.COST.monthly)
    group = cases.case(
        resource=replace(cases.MACHINE, resource_id="asg-web", instance_type=None), cost=of_both
    )
    report = builders.report()
    for chosen in ({"asg-web": group}, members, {**members, "asg-web": group}):
        own = {
            name: replace(one, replicas=2) if one is group else one for name, one in chosen.items()
        }
        part = narrow(report, own, dict.fromkeys(own, ()), "tag team=web")
        assert part.summary.monthly_spend == of_both.monthly


def test_what_is_added_is_told_apart_and_taken_off() -> None:
    both = builders.report((OTHER, builders.larger("i-1")))
    part = narrow(both, {"i-1": _case("i-1")}, {"i-1": ()}, "tag team=web").summary
    assert part.monthly_extra_cost == -part.monthly_savings == Decimal("156.22")
    assert part.monthly_spend_after == part.monthly_spend + Decimal("156.22")


def test_other_currencies_are_not_added_up() -> None:
    euro = replace(_case("i-1"), cost=replace(cases.COST, currency="EUR"))
    part = narrow(builders.report(), {"i-1": euro}, {"i-1": ()}, "provider AWS")
    assert part.summary.monthly_spend == 0


def test_a_head_keeps_the_totals() -> None:
    report = builders.report((ADVICE, OTHER))
    assert first(report, 0) == report
    assert first(report, 2) == report
    assert first(report, 1).recommendations == (OTHER,)
    assert first(report, 1).summary == report.summary
    assert first(report, 1).notes == (
        "not shown, by --limit 1: 1 recommendation worth 100.00 USD a month",
    )


def test_no_saving_pushes_larger_machines_off_the_list() -> None:
    larger = tuple(builders.larger(name) for name in ("i-2", "i-3", "i-4"))
    head = first(builders.report((ADVICE, OTHER, *larger), notes=("stale",)), 1)
    assert head.recommendations == (OTHER, larger[0])
    assert head.notes == (
        "stale",
        "not shown, by --limit 1: 1 recommendation worth 100.00 USD a month, and 2 larger machines "
        "for 312.44 USD a month",
    )
