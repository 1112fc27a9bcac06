"""rightsize, case by case: what is chosen, what is kept, what is left alone."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from costopt.model import (
    ActionType,
    Effort,
    Finding,
    FindingLevel,
    Recommendation,
    Skip,
)
from costopt.rules.base import Case, Fit
from costopt.rules.rightsize import Rightsize
from costopt.rules.rightsize_settings import RightsizeSettings
from tests.rules.builders import (
    END,
    Type,
    billed,
    case,
    kind,
    ladder,
    m6i,
    profile,
    samples,
    without,
)


def judge(given: Case, **settings: Any) -> Any:
    return Rightsize(RightsizeSettings(**settings)).judge(given)


def advised(given: Case, **settings: Any) -> Recommendation:
    outcome = judge(given, **settings)
    assert isinstance(outcome, Recommendation), outcome
    json.dumps(outcome.evidence, allow_nan=False)
    return outcome


def target(given: Case, **settings: Any) -> str | None:
    recommended = advised(given, **settings).recommended
    assert recommended is not None
    return recommended.instance_type


def skipped(given: Case, **settings: Any) -> str:
    outcome = judge(given, **settings)
    assert isinstance(outcome, Skip), outcome
    assert outcome.detail
    return outcome.reason


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
        "CPU P99.5 is 17.2 % of 16 vCPUs over 28 days; with 20 % headroom it needs 3.44 vCPUs; "
        "g4 (4 vCPUs, 64 GiB) costs 0.2 instead of 0.8 USD an hour; memory is not measured and "
        "stays as it is, as it does not depend on the type here; "
        "the network is not measured"
    )
    assert found.lookback.end == END
    assert found.restart_needed
    assert found.rollback_possible


def test_the_next_size_up_is_the_first_alternative() -> None:
    found = advised(case("g16", samples(level=17.2)))
    assert [offer.instance_type for offer in found.alternatives] == ["g8"]
    assert [o.instance_type for o in advised(case("g64", samples(level=0.5))).alternatives] == [
        "g2",
        "g4",
        "g8",
    ]


def test_a_well_used_machine_fits() -> None:
    outcome = judge(case("g16", samples(level=55)))
    assert isinstance(outcome, Fit)
    assert "P99.5 is 55 %" in outcome.detail


def test_rare_bursts_within_the_budget_do_not_size_but_frequent_ones_do() -> None:
    rare = samples(level=10, burst=95, burst_share=0.004)
    often = samples(level=10, burst=95, burst_share=0.02)
    assert target(case("g16", rare)) == "g2"
    assert not isinstance(judge(case("g16", often)), Recommendation)


def test_maxima_are_shown_and_do_not_size() -> None:
    peaks = profile(samples(level=80), statistic="max")
    found = advised(case("g16", samples(level=17.2), profiles=[peaks]))
    assert found.recommended is not None
    assert found.recommended.instance_type == "g4"
    assert found.evidence["cpu"]["largest_maximum_percent"] == 80


def test_a_lower_percentile_still_keeps_the_limit() -> None:
    values = samples(level=10, burst=40, burst_share=0.02)  # P95 10 %, P99.5 40 %
    assert target(case("g16", values)) == "g8"
    assert target(case("g16", values), cpu_percentile="P95", cpu_headroom_percent=0) == "g8"
    assert target(case("g16", values), limit_percent=100, cpu_percentile="P95") == "g8"
    low = samples(level=10, burst=24, burst_share=0.02)  # 3.84 vCPUs over 4: 96 %, over the limit
    assert target(case("g16", low), cpu_percentile="P95") == "g8"
    assert target(case("g16", low), cpu_percentile="P95", limit_percent=97) == "g4"


def test_samples_refused_as_too_high_are_demand_and_not_missing() -> None:
    quiet = samples(level=10)
    some = profile(quiet, refused_high=len(quiet) // 50)
    assert not isinstance(judge(case("g16", profiles=[some])), Recommendation)
    many = profile(quiet, refused_high=len(quiet) // 10)
    assert skipped(case("g16", profiles=[many])) == "undersized"
    few = profile(quiet, refused_high=2)
    assert target(case("g16", profiles=[few])) == "g4"  # a bin's upper edge: 11 %, 2.2 vCPUs
    assert target(case("g16", quiet)) == "g2"


def test_an_undersized_machine_is_told_what_would_hold_it() -> None:
    outcome = judge(case("g4", samples(level=96)))
    assert isinstance(outcome, Skip)
    assert outcome.reason == "undersized"
    assert "g8 (8 vCPUs) would hold what is seen, for 146.00 USD a month more" in outcome.detail
    top = judge(case("g64", samples(level=99)))
    assert isinstance(top, Skip)
    assert "no larger type" in top.detail


# -- memory ----------------------------------------------------------------------------------


def test_unmeasured_memory_is_kept() -> None:
    types = (*m6i(), kind("r6i.xlarge", 4, "0.252", 32.0))
    found = advised(case("m6i.2xlarge", samples(level=20), provider="AWS", types=types))
    assert found.recommended is not None
    assert found.recommended.instance_type == "r6i.xlarge"
    assert "memory is not measured, so at least 32 GiB are kept" in found.reason
    alone = case("m6i.2xlarge", samples(level=20), provider="AWS", types=m6i())
    assert isinstance(judge(alone), Fit)


@pytest.mark.parametrize(
    ("peak", "expected"), [(20.0, "m6i.large"), (42.0, "m6i.xlarge"), (43.0, None), (60.0, None)]
)
def test_measured_memory_keeps_its_headroom_at_its_peak(peak: float, expected: str | None) -> None:
    memory = samples(level=5, burst=peak, burst_share=0.001)
    given = case(
        "m6i.2xlarge",
        samples(level=20),
        provider="AWS",
        types=m6i(),
        metrics={"memory_utilization": memory},
    )
    outcome = judge(given)
    if expected is None:
        assert isinstance(outcome, Fit)
    else:
        assert target(given) == expected
        assert f"memory peaks at {peak:g} % of 32 GiB" in outcome.reason


def test_memory_maxima_count_and_zero_is_no_measurement() -> None:
    cpu, low = samples(level=5), samples(level=5)
    peaks = profile(samples(level=90), "memory_utilization", statistic="max")
    sold: dict[str, Any] = {"provider": "AWS", "types": m6i()}
    given = case("m6i.2xlarge", cpu, metrics={"memory_utilization": low}, profiles=[peaks], **sold)
    assert isinstance(judge(given), Fit)
    zero = case("m6i.2xlarge", cpu, metrics={"memory_utilization": samples(level=0)}, **sold)
    assert isinstance(judge(zero), Fit)
    measured = case("m6i.2xlarge", cpu, metrics={"memory_utilization": low}, **sold)
    assert target(measured) == "m6i.large"
    assert isinstance(judge(measured, size_memory=False), Fit)


def test_a_gated_memory_metric_is_unmeasured() -> None:
    gate = Finding("m-1", "memory_utilization", "stuck", FindingLevel.GATE, 1, "", "it is stuck")
    given = case(
        "m6i.2xlarge",
        samples(level=5),
        provider="AWS",
        types=m6i(),
        metrics={"memory_utilization": samples(level=5)},
        findings=(gate,),
    )
    assert isinstance(judge(given), Fit)


@pytest.mark.parametrize("listed", [64.0, 16.0, None])
@pytest.mark.parametrize("own", [64.0, 256.0, None])
def test_a_ladder_with_one_memory_figure_works(listed: float | None, own: float | None) -> None:
    given = case(
        "g16", samples(level=17.2), types=ladder(listed), shape={"memory_gib": own or listed}
    )
    found = advised(given)
    assert found.recommended is not None
    assert found.recommended.instance_type == "g4"
    assert found.recommended.memory_gib == (own or listed)


def test_memory_of_unknown_size_cannot_be_kept() -> None:
    types = m6i()
    given = case("m6i.2xlarge", samples(level=5), provider="AWS", types=types)
    assert given.shape is not None
    unknown = replace(given, shape=replace(given.shape, memory_gib=None))
    assert skipped(unknown) == "memory-unknown"


def test_a_target_of_unknown_memory_is_no_candidate_beside_known_ones() -> None:
    types = (*m6i(), kind("m6i.mystery", 1, "0.01", None))
    given = case("m6i.4xlarge", samples(level=2), provider="AWS", types=types)
    assert isinstance(judge(given), Fit)


# -- what may stand in -----------------------------------------------------------------------

LOW_MEMORY = {"memory_utilization": samples(level=5)}


def aws(instance_type: str, *types: Type, level: float = 5, **more: Any) -> Case:
    return case(
        instance_type,
        samples(level=level),
        provider="AWS",
        types=(*m6i(), *types),
        metrics=LOW_MEMORY | more.pop("metrics", {}),
        **more,
    )


GRAVITON = kind("m7g.large", 2, "0.0408", 8.0, Architecture="arm64")


def test_the_architecture_changes_only_when_allowed() -> None:
    assert target(aws("m6i.2xlarge", GRAVITON)) == "m6i.large"
    small = kind("m7g.medium", 1, "0.0204", 4.0, Architecture="arm64")
    assert target(aws("m6i.2xlarge", small)) == "m6i.large"
    found = advised(aws("m6i.2xlarge", small), allow_architecture_change=True)
    assert found.recommended is not None
    assert found.recommended.instance_type == "m7g.medium"
    assert found.action_type is ActionType.MIGRATE_TO_GRAVITON
    assert found.implementation_effort is Effort.HIGH
    assert "software must be built for arm64" in found.reason


def test_an_unknown_architecture_is_not_taken_for_arm() -> None:
    small = kind("m7g.medium", 1, "0.0204", 4.0, Architecture="arm64")
    given = aws("m6i.2xlarge", small, shape={"architecture": None})
    assert target(given) == "m6i.large"


BURSTABLE = kind("t3.small", 2, "0.0208", 2.0, BurstableBaselinePercent=20.0)


def test_burstable_types_are_for_burstable_machines_or_when_allowed() -> None:
    assert target(aws("m6i.2xlarge", BURSTABLE)) == "m6i.large"
    # 5 % of 8 vCPUs is 0.4, its baseline: mean must be below it
    assert target(aws("m6i.2xlarge", BURSTABLE), allow_burstable=True) == "m6i.large"
    assert target(aws("m6i.2xlarge", BURSTABLE, level=4), allow_burstable=True) == "t3.small"
    tiny = kind("t3.micro", 1, "0.0104", 4.0, BurstableBaselinePercent=40.0)
    assert target(aws("m6i.2xlarge", tiny, level=4), allow_burstable=True) == "t3.micro"
    assert target(aws("m6i.2xlarge", tiny, level=5.5), allow_burstable=True) == "m6i.large"


def t3(level: float, **more: Any) -> Case:
    types = (
        kind("t3.large", 2, "0.0832", 8.0, BurstableBaselinePercent=30.0),
        kind("t3.medium", 1, "0.0416", 8.0, BurstableBaselinePercent=20.0),
    )
    values = more.pop("cpu", samples(level=level))
    return case("t3.large", values, provider="AWS", types=types, **more)


def test_a_burstable_machine_may_become_a_smaller_one() -> None:
    assert target(t3(9)) == "t3.medium"
    assert isinstance(judge(t3(10)), Fit)  # 0.2 vCPU is the whole of the medium's baseline


def test_a_burstable_machine_out_of_credits_is_not_judged() -> None:
    assert skipped(t3(29.5)) == "burstable-throttled"
    chance = np.random.default_rng(3)
    part = np.where(chance.random(8064) < 0.2, 30.0, np.round(chance.uniform(0, 8, 8064), 2))
    assert skipped(t3(0, cpu=part)) == "burstable-throttled"
    free = np.round(chance.uniform(0, 40, 8064), 2)
    assert not isinstance(judge(t3(0, cpu=free)), Skip)


def test_local_disks_are_kept() -> None:
    disks = [
        kind("m6id.2xlarge", 8, "0.47", 32.0, LocalDiskGiB=474.0),
        kind("m6id.large", 2, "0.12", 8.0, LocalDiskGiB=118.0),
        kind("m7id.large", 2, "0.13", 8.0, LocalDiskGiB=600.0),
    ]
    found = advised(aws("m6id.2xlarge", *disks))
    assert found.recommended is not None
    assert found.recommended.instance_type == "m7id.large"
    assert any("local disk" in w for w in found.evidence["warnings"])
    assert target(aws("m6id.2xlarge", *disks), allow_local_disk_loss=True) == "m6id.large"


def test_measured_traffic_must_fit_the_target() -> None:
    slow = [
        replace(t, more=(*t.more, ("x_NetworkGbps", g)))
        for t, g in zip(m6i(2, 4, 8), (1.0, 4.0, 12.0), strict=True)
    ]
    traffic = {"network_in": samples(level=1e8), "network_out": samples(level=1e8)}  # 1.6 Gbit/s
    given = case(
        "m6i.2xlarge",
        samples(level=5),
        provider="AWS",
        types=slow,
        metrics=LOW_MEMORY | traffic,
    )
    found = advised(given)
    assert found.recommended is not None
    assert found.recommended.instance_type == "m6i.xlarge"
    assert "not measured" not in found.reason
    assert found.evidence["network"]["p99_5_gbps"] == pytest.approx(1.6)


@pytest.mark.parametrize(
    "exotic",
    [
        kind("g4dn.medium", 1, "0.01", 8.0, GPUCount=1, GPUModel="T4"),
        kind("hpc6a.medium", 1, "0.01", 8.0),
        kind("mac2.medium", 1, "0.01", 8.0),
        kind("u-3tb1.medium", 1, "0.01", 8.0),
        kind("i4i.medium", 1, "0.01", 8.0),
        kind("m6i.metal-1xl", 1, "0.01", 8.0),
        kind("m7i.medium", 1, "0.01", 8.0, CurrentGeneration=False),
        kind("m5.medium", 1, "0.01", 8.0),
        kind("m7i-flex.medium", 1, "0.01", 8.0),
    ],
    ids=lambda t: t.name,
)
def test_extraordinary_and_old_families_are_not_offered(exotic: Type) -> None:
    if exotic.name.startswith("m6i"):
        exotic = replace(exotic, more=(("x_Family", "m6i-metal"),))
    assert target(aws("m6i.2xlarge", exotic)) == "m6i.large"


def test_the_same_hardware_is_preferred() -> None:
    given = {"provider": "AWS", "cpu": samples(level=20)}
    kin = [kind("r6i.xlarge", 4, "0.252", 32.0), kind("r6a.xlarge", 4, "0.2268", 32.0)]
    assert target(case("m6i.2xlarge", types=(*m6i(), *kin), **given)) == "r6i.xlarge"
    assert target(case("m6i.2xlarge", types=(*m6i(), kin[1]), **given)) == "r6a.xlarge"


def test_the_same_generation_is_preferred_to_a_newer_one() -> None:
    given = {"provider": "AWS", "cpu": samples(level=20)}
    kin = [kind("r6i.xlarge", 4, "0.252", 32.0), kind("r7a.xlarge", 4, "0.20", 32.0)]
    assert target(case("m6i.2xlarge", types=(*m6i(), *kin), **given)) == "r6i.xlarge"
    smaller = kind("r7a.large", 3, "0.20", 32.0)
    assert target(case("m6i.2xlarge", types=(*m6i(), *kin, smaller), **given)) == "r7a.large"


def test_an_extraordinary_machine_stays_in_its_family() -> None:
    storage = [kind("i4i.2xlarge", 8, "0.686", 64.0), kind("i4i.xlarge", 4, "0.343", 32.0)]
    assert target(aws("i4i.2xlarge", *storage)) == "i4i.xlarge"


def test_an_old_machine_may_stay_in_its_family() -> None:
    old = [
        kind("m4.2xlarge", 8, "0.4", 32.0, CurrentGeneration=False),
        kind("m4.large", 2, "0.1", 8.0, CurrentGeneration=False),
    ]
    assert target(aws("m4.2xlarge", *old)) == "m4.large"


def test_a_mere_change_of_vendor_is_no_rightsizing() -> None:
    amd = kind("m6a.2xlarge", 8, "0.30", 32.0)
    busy = aws("m6i.2xlarge", amd, level=70)
    assert isinstance(judge(busy), Fit)


def test_spot_is_compared_with_spot() -> None:
    types = tuple(replace(t, spot=str(Decimal(t.hourly) * Decimal("0.3"))) for t in ladder())
    given = case("g16", samples(level=17.2), types=types, pricing_category="Dynamic")
    found = advised(given)
    assert found.recommended is not None
    assert found.recommended.hourly_price == Decimal("0.06")
    assert found.recommended.pricing_category == "Dynamic"
    assert found.estimated_monthly_savings.target == Decimal("131.400000")


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
    member = case("g16", samples(level=17.2), scaling_group="web")
    assert target(member, allow_scaling_groups=True) == "g4"


def test_what_is_no_machine_is_none_of_its_business() -> None:
    assert judge(case(None)) is None


# -- what it tells ---------------------------------------------------------------------------


def test_the_risk_is_bounded_from_the_past() -> None:
    values = samples(level=10, burst=95, burst_share=0.004)
    risk = advised(case("g16", values)).risk
    assert risk is not None
    assert risk.limit_percent == 90
    assert (values > 90 * 2 / 16).mean() <= risk.expected_share <= 0.005
    assert risk.expected_share < risk.upper_bound < 0.02
    calm = advised(case("g16", samples(level=10))).risk
    assert calm is not None
    assert calm.expected_share == 0
    assert 0 < calm.upper_bound < 0.01


def test_disputed_spikes_size_the_machine_and_the_other_size_is_shown() -> None:
    values = samples(level=10)
    spikes = list(range(0, 8064, 100))
    values[spikes] = 60.0
    found = judge(case("g16", values, disputed=without(values, spikes)))
    assert isinstance(found, Fit)
    told = found.evidence["disputed"]
    assert told["samples"] == len(spikes)
    assert told["instance_type_without"] == "g2"
    assert told["p99_5_without_percent"] == 10
    json.dumps(told)


def test_hyperthreads_are_warned_of() -> None:
    hot = advised(aws("m6i.2xlarge", level=35))
    assert any("hyperthreads" in w for w in hot.evidence["warnings"])
    cool = advised(aws("m6i.2xlarge", level=9))
    assert "p99_5_on_target_smt_percent" in cool.evidence["cpu"]
    assert not any("hyperthreads" in w for w in cool.evidence.get("warnings", []))
