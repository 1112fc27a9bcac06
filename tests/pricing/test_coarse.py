"""Bills by the day: what is freed covers only what cannot but run at the same hours. By hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pytest

from costopt.model.bill import Held, Metered, Usage
from costopt.pricing.scenario import Change, State, difference

DAYS = 2
GONE = Change(keep=0.0)


def usage(name: str, hours: float, rate: float = 1.0, **uses: float) -> Usage:
    quantity, rates = np.full(DAYS, float(hours)), np.full(DAYS, rate)
    return Usage(name, name, "aws", "1", "r", quantity, rates, uses)


def held(name: str, amount: float, *, order: int = 2) -> Held:
    """So much of it a day."""
    day = np.full(DAYS, float(amount))
    return Held(name, name, "aws", "", order, order > 0, "1", day, 0.7 * day)


def state(
    usages: list[Usage], commitments: list[Held], covered: Mapping[tuple[str, str], float]
) -> State:
    starts = np.arange(DAYS) * 86_400
    told = {key: np.full(DAYS, float(hours)) for key, hours in covered.items()}
    bill = Metered(
        "aws", "USD", starts, 24.0, tuple(usages), tuple(commitments), np.zeros(DAYS), Decimal(0),
        covered=told,
    )  # fmt: skip
    return State.of(bill)


def test_a_machine_that_ran_all_day_frees_something_at_every_hour() -> None:
    """b runs four hours a day at 8: of the plan's 0.7 an hour it gets these four."""
    one = state(
        [usage("a", 24, plan=0.7), usage("b", 4, 8.0, plan=5.6)],
        [held("plan", 16.8)],
        {("a", "plan"): 24},
    )
    saved = difference(one, {"a": GONE})
    assert saved.total == pytest.approx(DAYS * 4 * 0.7 / 5.6 * 8)


def test_part_of_the_day_need_not_be_the_same() -> None:
    """Ten hours and ten may be apart; ten and sixteen have two in common."""
    for hours, common in ((10, 0), (16, 2)):
        one = state(
            [usage("a", 10, plan=0.7), usage("b", hours, plan=0.7)],
            [held("plan", 7)],
            {("a", "plan"): 10},
        )
        assert difference(one, {"a": GONE}).total == pytest.approx(DAYS * common)


def test_where_all_runs_all_day_all_hours_are_alike() -> None:
    """Each is covered by half in each hour: what a leaves covers the other half of b."""
    one = state(
        [usage("a", 24, ri=1.0), usage("b", 24, ri=1.0)],
        [held("ri", 24, order=0)],
        {("a", "ri"): 12, ("b", "ri"): 12},
    )
    assert difference(one, {"a": GONE}).total == pytest.approx(DAYS * 24)
    # With a third that does not, b's twelve hours may be those that were covered.
    mixed = state(
        [usage("a", 24, ri=1.0), usage("b", 24, ri=1.0), usage("c", 5, ri=1.0)],
        [held("ri", 24, order=0)],
        {("a", "ri"): 12, ("b", "ri"): 12},
    )
    assert difference(mixed, {"a": GONE}).total == pytest.approx(DAYS * 12)


def test_hours_that_end_are_those_that_were_covered() -> None:
    """Of a's 24 hours twelve are covered: those may be the nights."""
    one = state(
        [usage("a", 24, plan=0.7), usage("b", 6, plan=0.7)],
        [held("plan", 8.4)],
        {("a", "plan"): 12},
    )
    assert difference(one, {"a": Change(keep=0.5)}).total == 0
    assert difference(one, {"a": Change(keep=0.25)}).total == pytest.approx(DAYS * 6)


def test_a_reservation_that_takes_over_frees_the_plan_at_those_hours() -> None:
    """a's reservation covers b, which left the plan, which covers c: all day long."""
    one = state(
        [usage("a", 24, ri=1.0), usage("b", 24, ri=1.0, plan=0.7), usage("c", 3, plan=0.7)],
        [held("ri", 24, order=0), held("plan", 16.8)],
        {("a", "ri"): 24, ("b", "plan"): 24},
    )
    found = difference(one, {"a": GONE})
    assert found.total == pytest.approx(DAYS * 3)
    assert found.after.applied.covered["b", "plan"].tolist() == pytest.approx([0] * DAYS)


def test_changes_one_after_the_other_come_to_what_they_do_together() -> None:
    one = state(
        [usage("a", 24, plan=0.7), usage("b", 10, plan=0.7), usage("c", 24, 2.0, plan=1.4)],
        [held("plan", 16.8)],
        {("a", "plan"): 24},
    )
    both = difference(one, {"a": GONE, "b": Change(keep=0.5)})
    first = difference(one, {"a": GONE})
    then = difference(first.after, {"b": Change(keep=0.5)})
    assert first.total + then.total == pytest.approx(both.total)


def test_one_that_takes_more_is_covered_by_what_it_had() -> None:
    """Twice the price: the plan covers half of it, and the rest costs 2."""
    one = state([usage("a", 24, plan=0.7)], [held("plan", 16.8)], {("a", "plan"): 24})
    assert difference(one, {"a": Change(price=2.0)}).total == pytest.approx(-DAYS * 12 * 2)


def test_parts_of_machines_run_as_long_as_on_their_longest_day() -> None:
    """Four vCPUs for six hours of the second day, as they ran all of the first."""
    cores = replace(usage("b", 0, plan=0.7), unit="vCPU-Hours", quantity=np.array([96.0, 24.0]))
    one = state([usage("a", 24, plan=2.8), cores], [held("plan", 67.2)], {("a", "plan"): 24})
    assert difference(one, {"a": GONE}).total == pytest.approx(96 + 24)


@pytest.mark.parametrize(
    ("of_each", "hours"),
    [(730.0, 720), (730.0, 744), (730.0, 672), (336.0, 336), (24.0, 23), (24.0, 25)],
)
def test_what_ran_all_of_a_period_was_always_on_whatever_its_length(
    of_each: float, hours: int
) -> None:
    """A plan covers two of three that ran all the time: one that ends leaves it to the third. So in
    months of any length, in half months, on days on which clocks change."""
    one = state(
        [usage(name, hours, plan=0.7) for name in "abc"],
        [held("plan", 1.4 * hours)],
        {("a", "plan"): hours, ("b", "plan"): hours},
    )
    starts = int(datetime(2026, 8, 31, 22, tzinfo=UTC).timestamp()) + np.arange(DAYS) * hours * 3600
    bill = replace(one.bill, hours=of_each, starts=starts, ends=starts + hours * 3600)
    assert difference(State.of(bill), {"a": GONE}).total == pytest.approx(DAYS * hours)


def test_hours_stay_alike_where_what_was_never_covered_sleeps() -> None:
    """The plan covers a and half of b, all day long; n sleeps, and only might be covered."""
    asleep = replace(usage("n", 24, plan=0.7), assumed=frozenset({"plan"}))
    one = state(
        [usage("a", 24, plan=0.7), usage("b", 24, plan=0.7), asleep],
        [held("plan", 0.7 * 36)],
        {("a", "plan"): 24, ("b", "plan"): 12},
    )
    assert difference(one, {"n": Change(keep=0.5)}).total == pytest.approx(DAYS * 12)
    both = difference(one, {"a": GONE, "n": Change(keep=0.5)})
    # Of a's 24 hours b takes 12, and n the other half of each of its 12.
    assert both.total == pytest.approx(DAYS * (12 + 12 + 6))


def test_what_a_commitment_covers_of_all_hours_it_covers_of_those_that_stay() -> None:
    """Half of a in every hour: twelve hours less are six on demand, and six of the plan for b."""
    one = state(
        [usage("a", 24, plan=0.7), usage("b", 24, plan=0.7)],
        [held("plan", 0.7 * 24)],
        {("a", "plan"): 12, ("b", "plan"): 12},
    )
    assert difference(one, {"a": Change(keep=0.5)}).total == pytest.approx(DAYS * 12)


def test_a_chain_of_commitments_is_shared_by_who_frees_it() -> None:
    """a leaves its reservation to b, and that the plan to c; d is on demand."""
    one = state(
        [usage("a", 24, ri=1.0), usage("b", 24, ri=1.0, plan=0.7), usage("c", 24, plan=0.7),
         usage("d", 24, 0.1)],
        [held("ri", 24, order=0), held("plan", 16.8)],
        {("a", "ri"): 24, ("b", "plan"): 24},
    )  # fmt: skip
    found = difference(one, {"a": GONE, "d": GONE})
    assert found.of_each == {
        "a": pytest.approx(DAYS * 24),
        "d": pytest.approx(DAYS * 2.4),
    }
