"""Totals of moves, what is too small, and what a reader must know; amounts by tests/report/move."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.model import ActionType
from tests.report.move.moved import COSTS, moved, report
from tests.rules.move.world import FREE, each, placed, tagged, world

GONE = Decimal("233.60")  # two machines, 116.80 each


def test_totals_add_up() -> None:
    """3,000 less the 100 that the plan saves without purchases and moves of its own."""
    found = report()
    spot = sum(
        one.estimated_monthly_savings.target
        for one in found.recommendations
        if one.action_type is ActionType.SPOT
    )
    summary = found.summary
    assert summary.monthly_spend == 2900
    assert summary.monthly_savings == GONE + spot
    assert summary.monthly_spend_after == 2900 - GONE - spot
    assert (summary.resources, summary.recommendations, summary.well_sized) == (4, 3, 0)
    assert summary.skips == {"residency": 1}


def test_the_larger_group_comes_first_and_stays_together() -> None:
    assert [one.resource_id for one in report().recommendations] == ["batch-1", "s1", "s2"]


def test_a_group_counts_as_a_whole_against_the_smallest_saving() -> None:
    """Each machine saves 116.80: less than 200, and together more."""
    found = report(min_monthly_savings=200.0)
    assert {one.resource_id for one in found.recommendations} == {"batch-1", "s1", "s2"}
    small = report(min_monthly_savings=233.61)
    assert {one.resource_id for one in small.recommendations} == {"batch-1"}
    told = {skip.resource_id: skip for skip in small.skips}
    assert told["s1"].reason == told["s2"].reason == "small-saving"
    assert "search would save 233.60 USD a month" in told["s1"].detail


def test_a_part_of_the_fleet() -> None:
    found = report(chosen={"papers-1", "s1"})
    assert [one.resource_id for one in found.recommendations] == ["s1"]
    assert [skip.resource_id for skip in found.skips] == ["papers-1"]
    assert found.summary.resources == 2


def test_notes() -> None:
    """Net present: 24 months of 233.60, less 320 for people's time; prices are exact."""
    notes = " / ".join(report().notes)
    assert "takes 100.00 off the 3,000.00 USD that are spent a month" in notes
    assert "1 group moves: over 24 months that saves 5,286 USD in today's money, 5,286 if" in notes
    assert "move first and buy ahead then" in notes
    assert "a note" in notes
    assert "search for the best" not in notes


def test_a_gap_and_limits_that_cannot_be_kept_are_told() -> None:
    found = moved()
    assert found.assignment is not None
    loose = replace(
        found.assignment,
        at_least=found.assignment.cost - found.assignment.staying / 100,
        over=("acme/alba: 5 vCPUs",),
    )
    notes = " / ".join(report(replace(found, assignment=loose)).notes)
    assert "another answer could cost 1 % less of what staying costs, at most" in notes
    assert "acme/alba: 5 vCPUs: more than that is used today" in notes


def test_nothing_to_place() -> None:
    none = placed(world({}), settings=FREE)
    found = report(none)
    assert found.recommendations == ()
    assert found.summary.monthly_spend == found.summary.monthly_spend_after == 2900


@settings(max_examples=20)
@given(
    st.lists(st.sampled_from(list("xyz")), min_size=1, max_size=6),
    st.floats(0, 400),
)
def test_no_machine_is_lost_and_the_sums_hold(apps: list[str], least: float) -> None:
    here = world({("Acme", "alba"): "0.05", ("Acme", "brno"): "0.04"})
    fleet = each([f"m{n}" for n in range(len(apps))], here)
    fleet = [tagged(one, app=app) for one, app in zip(fleet, apps, strict=True)]
    found = report(placed(here, *fleet, settings=COSTS), min_monthly_savings=least)
    told = [one.resource_id for one in found.recommendations]
    told += [skip.resource_id for skip in found.skips]
    assert sorted(told) == sorted(f"m{n}" for n in range(len(apps)))
    summary = found.summary
    assert summary.monthly_spend - summary.monthly_savings == summary.monthly_spend_after
    for one in found.recommendations:
        group = [r for r in found.recommendations if r.tags == one.tags]
        assert sum(r.estimated_monthly_savings.target for r in group) >= Decimal(repr(least))
