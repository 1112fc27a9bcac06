"""rightsize, case by case: how large, the money, what is left alone.

What may stand in: test_rightsize_candidates.py; memory: test_rightsize_memory.py; what goes with
the advice (risk, guard, backtest, warnings): test_rightsize_evidence.py; by a fleet's past:
test_rightsize_fleet.py.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from costopt.model import ActionType, Finding, FindingLevel, Risk, Skip
from costopt.rules.base import Case
from tests.rules.builders import END, Type, billed, case, kind, ladder, m6i, profile, samples
from tests.rules.judging import advised, fits, judge, set_so, skipped, target

# -- the size --------------------------------------------------------------------------------


def test_a_quiet_machine_moves_to_what_its_demand_needs() -> None:
    found = advised(case("g16", samples(level=17.2)))
    assert found.action_type is ActionType.RIGHTSIZE
    assert found.recommended is not None
    assert found.recommended.instance_type == "g4"
    assert found.recommended.vcpus == 4
    assert found.current.hourly_price == Decimal("0.80")
    assert found.estimated_monthly_savings.target == Decimal("438.000000")  # 0.60 * 730
    assert found.estimated_monthly_savings.at_list == Decimal("438.000000")
    assert found.estimated_monthly_cost == Decimal("146.000000")
    assert found.estimated_monthly_savings.basis == "list"
    assert found.reason == (
        "CPU P99.5 is 17.2 % of 16 vCPUs over 28 days; g4 (4 vCPUs, 64 GiB) costs 0.2 instead of "
        "0.8 USD an hour; memory is not measured and stays as it is, as it does not depend on the "
        "type here; the network is not measured"
    )
    assert found.lookback.end == END
    assert found.restart_needed
    assert found.rollback_possible


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        *[(5.0, "g1"), (5.7, "g2"), (11.0, "g2"), (11.3, "g4"), (22.4, "g4"), (22.6, "g8")],
        *[(44.0, "g8"), (45.1, None), (60.0, None)],
    ],
)
def test_a_steady_demand_gets_the_least_size_that_holds_it(level: float, expected: str) -> None:
    # limits: 90 % of 1/16, 1/8, 1/4, 1/2 of today's machine are 5.625, 11.25, 22.5 and 45 %
    assert set_so("g16", samples(level=level), {}) == expected


def test_a_well_used_machine_fits() -> None:
    found = fits(case("g16", samples(level=55)))
    assert found.detail == (
        "CPU P99.5 is 55 % of 16 vCPUs over 28 days; nothing smaller is cheaper once its risk is "
        "counted"
    )


def test_the_next_size_up_is_the_first_alternative_then_by_expected_cost() -> None:
    found = advised(case("g16", samples(level=17.2)))
    assert [offer.instance_type for offer in found.alternatives][:1] == ["g8"]
    others = [o.instance_type for o in advised(case("g64", samples(level=0.5))).alternatives]
    assert others == ["g2", "g4", "g8"]


def bursts(share: float, height: float = 60.0) -> Any:
    return samples(level=10, burst=height, burst_share=share)


@pytest.mark.parametrize(
    ("share", "cautious", "default", "bold"),
    [
        (0.02, None, None, None),  # every fiftieth sample: four times the budget
        (0.004, None, "g8", "g8"),
        (0.002, "g8", "g8", "g4"),
        (0.0002, "g4", "g4", "g2"),  # one sample in 17 hours
    ],
)
def test_the_dearer_a_rollback_the_larger_the_machine(
    share: float, cautious: str | None, default: str | None, bold: str | None
) -> None:
    for cost, expected in (("cautious", cautious), ("default", default), ("bold", bold)):
        assert set_so("g16", bursts(share), {"rollback_cost": cost}) == expected
    given = case("g16", bursts(share))
    assert judge(given, rollback_cost=0.5) == judge(given)


def test_today_s_size_does_not_enter_the_price_of_a_rollback() -> None:
    assert set_so("g16", bursts(0.004), {}) == "g8"
    twice = np.round(bursts(0.004) / 2, 2)
    assert set_so("g32", twice, {}) == "g8"


def test_the_limit_is_of_the_new_machine() -> None:
    level = samples(level=24)  # 96 % of g4
    assert set_so("g16", level, {}) == "g8"
    assert set_so("g16", level, {"limit_percent": 97}) == "g4"
    assert set_so("g16", samples(level=17), {"limit_percent": 60}) == "g8"


def test_maxima_are_shown_and_do_not_size() -> None:
    peaks = profile(samples(level=80), statistic="max")
    found = advised(case("g16", samples(level=17.2), profiles=[peaks]))
    assert found.recommended is not None
    assert found.recommended.instance_type == "g4"
    assert found.evidence["cpu"]["largest_maximum_percent"] == 80


def test_refused_samples_are_demand_where_kept_ones_say_that_it_was_busy() -> None:
    calm, refused = samples(level=10), list(range(50, 8064, 160))
    busy = calm.copy()
    busy[[place + 1 for place in refused]] = 95.0  # as many kept over 90 %
    assert target(case("g16", calm)) == "g2"
    assert target(case("g16", calm, refused=refused)) == "g2"  # of a broken counter
    without, with_them = case("g16", busy), case("g16", busy, refused=refused)
    assert without.outlook is not None
    assert with_them.outlook is not None
    assert (with_them.outlook.now.risk >= without.outlook.now.risk).all()
    assert with_them.outlook.now.peak_percent == 105  # full, whatever they said
    assert with_them.outlook.over[0] == pytest.approx(2 * without.outlook.over[0], rel=0.05)


# -- larger ----------------------------------------------------------------------------------


def test_a_machine_that_cuts_its_demand_off_gets_the_next_larger_one() -> None:
    found = advised(case("g4", samples(level=96)))
    assert found.recommended is not None
    assert found.recommended.instance_type == "g8"
    saving = found.estimated_monthly_savings
    assert (saving.low, saving.target, saving.high) == (-146, -146, -146)  # 0.20 * 730
    assert saving.at_list == -146
    assert found.estimated_monthly_cost == 292
    assert found.reason == (
        "CPU is over 90 % for 100.0 % of the time, so it wants more than it gets; g8 (8 vCPUs) "
        "would hold what is seen, for 146.00 USD a month more at list"
    )
    assert (found.guards, found.backtest) == ((), None)  # nothing to undo
    assert found.risk is not None
    assert found.risk == Risk(
        90.0, 0.0, found.risk.upper_bound, found.risk.method,
        rollback_probability=None, rollback_probability_upper=None, horizon_days=None,
        confidence="not applicable: a larger machine",
    )  # fmt: skip
    assert "cut off" in found.risk.method
    assert "flips_at" not in found.evidence["rollback_cost"]
    assert "warnings" not in found.evidence


def test_what_more_costs_is_billed_whether_or_not_today_s_is_committed() -> None:
    given = case("g4", samples(level=96), cost=billed("100.001", committed_share=0.75))
    found = advised(given)
    assert found.estimated_monthly_savings.target == Decimal("-100.01")  # never told too low
    assert found.stranded_commitment == 0


def test_the_next_larger_is_of_the_same_family_where_it_can_be() -> None:
    cheap = kind("c6i.4xlarge", 16, "0.40", 32.0, Architecture="x86_64")
    given: dict[str, Any] = {"provider": "AWS", "types": (*m6i(), cheap)}
    assert target(case("m6i.2xlarge", samples(level=96), **given)) == "m6i.4xlarge"
    given["types"] = (*m6i(2, 4, 8), cheap)
    assert target(case("m6i.2xlarge", samples(level=96), **given)) == "c6i.4xlarge"


def test_the_next_larger_holds_what_is_seen() -> None:
    types = (*ladder(), Type("g17", 17, "0.85"))  # 90 % of 17 vCPUs are 95.6 % of 16
    assert target(case("g16", samples(level=95), types=types)) == "g17"
    assert target(case("g16", samples(level=99), types=types)) == "g32"


def test_over_the_limit_for_a_twentieth_of_the_time_is_the_edge() -> None:
    over = samples(level=60)
    over[: round(0.05 * len(over))] = 95.0
    assert not isinstance(judge(case("g4", over)), Skip)
    over[: round(0.051 * len(over))] = 95.0
    assert target(case("g4", over)) == "g8"


def test_where_nothing_larger_may_be_had_it_says_so() -> None:
    top = judge(case("g64", samples(level=99)))
    assert isinstance(top, Skip)
    assert top.reason == "undersized"
    assert "no larger type" in top.detail
    asked_not = judge(case("g4", samples(level=96)), upsize=False)
    assert isinstance(asked_not, Skip)
    assert asked_not.reason == "undersized"
    assert "g8 (8 vCPUs) would hold what is seen, for 146.00 USD" in asked_not.detail


def test_the_smallest_type_of_all_is_judged_too() -> None:
    fits(case("g1", samples(level=20)))
    assert target(case("g1", samples(level=97))) == "g2"


# -- money -----------------------------------------------------------------------------------


def test_savings_come_from_the_effective_cost() -> None:
    cost = billed("400", monthly="450", listed="584")
    found = advised(case("g16", samples(level=17.2), cost=cost))
    saving = found.estimated_monthly_savings
    assert saving.target == saving.low == saving.high == Decimal(300)
    assert saving.at_list == Decimal(438)
    assert saving.basis == "charges"
    assert found.estimated_monthly_cost == Decimal(150)  # the 50 of the disk stay
    assert found.stranded_commitment == 0


def test_a_commitment_that_is_left_unused_is_told() -> None:
    cost = billed("400", listed="584", committed_share=0.75)
    found = advised(case("g16", samples(level=17.2), cost=cost))
    saving = found.estimated_monthly_savings
    assert (saving.low, saving.target, saving.high) == (75, 75, 300)
    assert found.stranded_commitment == 225


def test_a_bill_in_another_currency_is_compared_by_the_ratio_of_list_prices() -> None:
    found = advised(case("g16", samples(level=17.2), cost=billed("400", currency="EUR")))
    assert found.currency == "EUR"
    assert found.estimated_monthly_savings.target == 300
    assert found.estimated_monthly_savings.at_list is None
    assert "USD an hour" in found.reason


def test_credits_do_not_make_a_saving_larger_than_the_bill() -> None:
    found = advised(case("g16", samples(level=17.2), cost=billed("400", monthly="100")))
    assert found.estimated_monthly_savings.target == 75
    assert found.estimated_monthly_cost == 25


def test_list_savings_count_the_hours_that_ran() -> None:
    found = advised(case("g16", samples(level=17.2), cost=billed("300", running_share=0.5)))
    assert found.estimated_monthly_savings.at_list == Decimal(219)


def test_without_a_list_price_the_billed_hour_is_compared() -> None:
    given = case("odd", samples(level=17.2), cost=billed("584"), vcpus=16.0, memory_gib=64.0)
    found = advised(given)
    assert found.recommended is not None
    assert found.recommended.instance_type == "g4"
    assert found.estimated_monthly_savings.target == Decimal(438)
    assert found.estimated_monthly_savings.at_list is None
    assert found.current.hourly_price is None
    assert "today's price is the billed one" in found.reason


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (case("g16", samples(), free=True), "no-price"),
        (case("odd", samples(), vcpus=16.0), "no-price"),
        (case("odd", samples()), "unknown-size"),
        (case("g16"), "cpu-unmeasured"),
        (case("g16", samples(), gpu_count=1), "gpu-machine"),
        (case("g16", samples(), gpu_model="T4"), "gpu-machine"),
        (case("g16", samples(), state="stopped"), "not-running"),
        (case("g16", samples(), state="PowerState/deallocated"), "not-running"),
        (case("g16", samples(), scaling_group="web"), "scaling-group"),
        (case("g16", samples(), tags={"eks:nodegroup-name": "a"}), "scaling-group"),
        (case("g16", samples(), resized_at=END - timedelta(days=13)), "recently-resized"),
        (case("g2", samples(level=20), min_monthly_savings=40.0), "small-saving"),
        (case("g16", samples(level=2), cost=billed("0")), "small-saving"),
    ],
)
def test_what_cannot_be_judged_says_why(given: Case, reason: str) -> None:
    assert skipped(given) == reason


def test_an_empty_market_says_so() -> None:
    types = (Type("g16", 16, "0.8", spot="0.2"),)
    given = case("g16", samples(), types=types, cost=billed("584", currency="EUR"))
    assert skipped(replace(given, price=None)) == "no-market"


def test_a_gate_of_the_quality_check_is_passed_on() -> None:
    gate = Finding("m-1", "", "stale", FindingLevel.GATE, 1, "", "the last sample is 9 days old")
    outcome = judge(case("g16", samples(), findings=(gate,)))
    assert outcome == Skip("m-1", "rightsize", "stale", "the last sample is 9 days old")


def test_a_small_share_is_not_worth_a_change() -> None:
    types = (Type("g16", 16, "0.80"), Type("g15", 15, "0.73"))
    given = case("g16", samples(level=60), types=types)
    assert skipped(given) == "small-saving"
    assert target(given, min_savings_percent=8) == "g15"


def test_old_resizes_and_groups_on_request_are_judged() -> None:
    old = case("g16", samples(level=17.2), resized_at=END - timedelta(days=14))
    assert target(old) == "g4"
    member: dict[str, Any] = {"allow_scaling_groups": True}
    assert set_so("g16", samples(level=17.2), member, scaling_group="web") == "g4"


def test_what_is_no_machine_is_none_of_its_business() -> None:
    assert judge(case(None)) is None


def test_a_machine_measured_too_little_lately_is_left_alone() -> None:
    values = samples(level=10)
    values[-4032:][::2] = np.nan  # half of the last fortnight
    assert target(case("g16", values)) == "g2"
    values[-4031] = np.nan
    assert skipped(case("g16", values)) == "thin-recently"


def test_since_a_resize_only_the_samples_after_it_count() -> None:
    values = samples(level=10)
    values[:4032] = 80.0  # of the machine it was before
    given = case("g16", values, resized_at=END - timedelta(days=14))
    assert given.outlook is not None
    assert given.outlook.now.peak_percent == 10
    assert given.outlook.record.windows_before == 0
    assert target(given) == "g2"


def test_the_same_samples_get_the_same_answer() -> None:
    one, other = (case("g16", bursts(0.002)) for _ in range(2))
    assert judge(one) == judge(other)
