"""rightsize under a fleet's risk budget: what the fleet's own past can show."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from costopt.model import Recommendation, Skip
from costopt.rules.base import Case
from costopt.rules.judgement import shown_budget
from costopt.rules.rightsize_settings import RightsizeSettings
from tests.rules.builders import Recorded, fleet, recorded, samples
from tests.rules.judging import advised, fits, judge, skipped, target

MACHINES = 40
BUSIER = 4


@cache
def machines() -> tuple[Recorded, ...]:
    """At 10 % of 16 vCPUs, now and then at 40 %; 4 of them five times as often in the last
    fortnight, which nothing that smaller sizes are chosen by could have told."""
    made = []
    for number in range(MACHINES):
        cpu = np.full(28 * 288, 10.0)
        cpu[number % 7 :: 300] = 40.0
        if number < BUSIER:
            cpu[14 * 288 + number % 7 :: 60] = 40.0
        made.append(recorded("g16", cpu, resource_id=f"m-{number:03d}"))
    return tuple(made)


@cache
def judged_by(budget_percent: float) -> tuple[Case, ...]:
    return tuple(fleet(machines(), RightsizeSettings(risk_budget_percent=budget_percent)))


def calm(budget_percent: float) -> Case:
    return judged_by(budget_percent)[-1]


def test_without_a_budget_the_rollback_cost_alone_decides() -> None:
    assert target(calm(100)) == "g2"
    assert "risk_budget_percent" not in advised(calm(100)).evidence["rollback_cost"]
    assert advised(calm(100)).evidence["rollback_cost"]["windows"] == 0.5
    undone = [advised(case).backtest for case in judged_by(100)]
    assert sum(told["rolled_back"] for told in undone if told) == BUSIER


def test_a_budget_that_the_past_kept_changes_nothing() -> None:
    # 4 of 40: (4 + 1) / 41 is 12.2 %
    found = advised(calm(12.5), risk_budget_percent=12.5)
    assert found.evidence["rollback_cost"]["windows"] == 0.5
    assert found.recommended == advised(calm(100)).recommended


@pytest.mark.parametrize("budget_percent", [12.0, 2.5])
def test_a_tighter_budget_makes_rollbacks_dearer_and_machines_larger(
    budget_percent: float,
) -> None:
    found = advised(calm(budget_percent), risk_budget_percent=budget_percent)
    assert found.recommended is not None
    assert found.recommended.instance_type == "g8"  # holds 40 %
    told = found.evidence["rollback_cost"]
    assert told["risk_budget_percent"] == budget_percent
    assert told["windows"] > 0.5
    assert found.backtest is not None
    assert found.backtest["decisions"][0]["instance_type"] == "g8"


def test_what_no_rollback_cost_can_show_leaves_every_machine_as_it_is() -> None:
    # not one of 40 rolled back shows 1 / 41 = 2.44 %, and no less
    assert skipped(calm(2.4), risk_budget_percent=2.4) == "risk-budget"
    outcome = judge(calm(2.4), risk_budget_percent=2.4)
    assert isinstance(outcome, Skip)
    assert outcome.detail == (
        "CPU P99.5 is 10 % of 16 vCPUs over 28 days; the fleet's past cannot show that the risk "
        "budget of 2.4 % would be kept, so nothing is made smaller; without the budget g2 would "
        "do, for 511.00 USD a month less at list"  # 730 x (0.80 - 0.10)
    )


def test_a_note_says_what_the_past_can_show() -> None:
    assert shown_budget(judged_by(100)) == ()
    # not one of 40: 1 / 41; 4 of them: 5 / 41
    assert shown_budget(judged_by(2.4)) == (
        "risk budget 2.4 %: the past of 40 machines can show 2.44 % at best, so nothing is made "
        "smaller",
    )
    assert shown_budget(judged_by(12.5)) == (
        "risk budget 12.5 %: the past of 40 machines shows 12.2 % with a rollback as dear as 0.5 "
        "windows",
    )


def test_a_machine_that_fits_anyway_is_not_the_budget_s_matter() -> None:
    busy = fleet([recorded("g16", samples(level=60))], RightsizeSettings(risk_budget_percent=1))
    found = fits(busy[0], risk_budget_percent=1)
    assert found.detail.endswith("; nothing smaller is cheaper once its risk is counted")
    assert found.evidence["rollback_cost"]["windows"] is None


def test_a_dearer_rollback_that_keeps_a_machine_is_the_budget_s_matter_too() -> None:
    """Half of it would be too small now and then; every tenth machine was undone at it."""
    asked = RightsizeSettings(risk_budget_percent=5, rollback_cost=0.2)
    made = []
    for number in range(MACHINES):
        cpu = np.full(28 * 288, 38.0)
        cpu[number % 7 :: 450] = 50.0
        if number < BUSIER:
            cpu[14 * 288 + number :: 60] = 50.0
        made.append(recorded("g16", cpu, resource_id=f"m-{number:03d}"))
    free = fleet(made, RightsizeSettings(rollback_cost=0.2))[-1]
    assert target(free, rollback_cost=0.2) == "g8"
    outcome = judge(fleet(made, asked)[-1], **asked.model_dump())
    assert isinstance(outcome, Skip)
    assert outcome.reason == "risk-budget"
    assert "the risk budget of 5 % makes a rollback as dear as " in outcome.detail
    assert outcome.detail.endswith(
        "without the budget g8 would do, for 292.00 USD a month less at list"
    )


def test_a_budget_that_cannot_be_shown_does_not_keep_a_machine_too_small() -> None:
    alone = fleet([recorded("g8", samples(level=97))], RightsizeSettings(risk_budget_percent=0.1))
    assert target(alone[0], risk_budget_percent=0.1) == "g16"  # warnings are errors here


def test_few_machines_cannot_show_a_tight_budget() -> None:
    ten = fleet(machines()[-10:], RightsizeSettings(risk_budget_percent=5))
    assert skipped(ten[0], risk_budget_percent=5) == "risk-budget"
    alone = fleet(machines()[-1:], RightsizeSettings(risk_budget_percent=50))
    # 1 / (1 + 1) is no more than a half
    assert target(alone[0], risk_budget_percent=50) == target(fleet(machines()[-1:])[0])


def test_who_else_is_judged_does_not_depend_on_order() -> None:
    some = machines()[:12]
    for settings in (RightsizeSettings(), RightsizeSettings(risk_budget_percent=20)):
        one = {case.resource.resource_id: case for case in fleet(some, settings)}
        other = {case.resource.resource_id: case for case in fleet(some[::-1], settings)}
        for resource_id, case in one.items():
            ours, theirs = (advised(c, **settings.model_dump()) for c in (case, other[resource_id]))
            assert isinstance(ours, Recommendation)
            assert ours == theirs
