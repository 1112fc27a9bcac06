"""idle, case by case, under our own definition and the published ones."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from costopt.model import ActionType, Finding, FindingLevel, Recommendation, Skip
from costopt.rules.base import Case, Fit
from costopt.rules.definitions import DEFINITIONS
from costopt.rules.idle import Idle, IdleSettings
from tests.rules.builders import END, Values, billed, case, profile, samples, without

QUIET = {"network_in": samples(level=20), "network_out": samples(level=20)}


def judge(given: Case, definition: str = "costopt", **settings: Any) -> Any:
    outcome = Idle(IdleSettings(definition=definition, **settings)).judge(given)  # type: ignore[arg-type]
    if isinstance(outcome, Recommendation | Fit):
        json.dumps(dict(outcome.evidence), allow_nan=False)
    return outcome


def verdict(given: Case, definition: str = "costopt", **settings: Any) -> str:
    """stop, in use, or the reason of the skip."""
    outcome = judge(given, definition, **settings)
    if isinstance(outcome, Skip):
        assert outcome.detail
        return outcome.reason
    if isinstance(outcome, Fit):
        return "in use"
    assert isinstance(outcome, Recommendation)
    assert outcome.action_type is ActionType.STOP
    assert outcome.recommended is None
    return "stop"


def machine(level: float = 0.5, size: str = "g4", **more: Any) -> Case:
    return case(size, samples(level=level), metrics=QUIET | more.pop("metrics", {}), **more)


def test_a_forgotten_machine_is_to_be_stopped() -> None:
    found = judge(machine(cost=billed("140", monthly="152.40")))
    assert isinstance(found, Recommendation)
    assert found.estimated_monthly_savings.target == 140
    assert found.estimated_monthly_cost == Decimal("12.40")
    assert found.reason == (
        "over 28 days CPU peak 0.5 % (idle < 5 %); CPU P99.5 0.02 vCPU (idle < 0.5 vCPU); "
        "network in P95 20 B/s (idle < 2000 B/s); network out P95 20 B/s (idle < 1000 B/s); "
        "stopping it ends 140.00 USD a month of compute; "
        "what stays (disks, addresses) bills on at 12.40 USD a month"
    )
    assert not found.restart_needed
    assert found.rollback_possible
    assert found.risk is None


def test_a_weekly_burst_is_use() -> None:
    values = samples(level=0.5)
    values[:: 7 * 288] = 60  # five minutes a week
    assert verdict(case("g4", values, metrics=QUIET)) == "in use"
    assert verdict(case("g4", values)) == "in use"


def test_traffic_is_use() -> None:
    assert verdict(machine(metrics={"network_out": samples(level=5000)})) == "in use"
    nightly = samples(level=20, burst=2e6, burst_share=0.02)
    assert verdict(machine(metrics={"network_in": nightly})) == "in use"


@pytest.mark.parametrize("metric", ["network_in", "network_out"])
def test_traffic_that_contradicts_itself_is_never_quiet(metric: str) -> None:
    barred = Finding(
        "m-1", metric, "contradiction", FindingLevel.GATE, 9, "20 and 5,000 B/s", "no one knows"
    )
    found = judge(machine(findings=(barred,)))
    assert isinstance(found, Skip)
    assert found.reason == "contradiction"
    assert found.detail == f"idle by its CPU, but of {metric} no one knows"
    assert verdict(machine(30, findings=(barred,))) == "in use"


def test_cpu_that_may_be_a_fraction_needs_quiet_traffic_to_be_stopped() -> None:
    moving = samples(level=0.6, spread=0.2)  # or 40 to 80 %
    assert verdict(case("g2", moving, metrics=QUIET)) == "stop"
    assert verdict(case("g2", moving)) == "unit-doubtful"
    assert verdict(case("g2", moving, metrics={"network_in": QUIET["network_in"]})) == (
        "unit-doubtful"
    )
    assert verdict(case("g2", moving), definition="aws-ce") == "unit-doubtful"
    above = np.append(moving, 1.01)
    assert verdict(case("g2", above)) == "stop"
    assert verdict(case("g2", samples(level=0.6))) == "stop"  # it never moves


def test_a_large_machine_is_idle_by_its_vcpus_too() -> None:
    assert verdict(machine(1.0, "g32")) == "stop"
    assert verdict(machine(2.0, "g32")) == "in use"  # 0.64 vCPU


def test_a_sample_refused_as_too_high_that_nothing_confirms_is_for_a_person_to_look_at() -> None:
    broken = profile(samples(level=0.5), refused_high=3)
    found = judge(case("g4", metrics=QUIET, profiles=[broken]))
    assert isinstance(found, Skip)
    assert found.reason == "unconfirmed-cpu"
    assert found.detail == (
        "idle but for 3 CPU samples refused as above 105 %, of 8,067; a broken counter does that, "
        "and so does percent of one core: see which it is; stopping it would save 146.00 USD a "
        "month"
    )
    busy_without = profile(samples(level=30), refused_high=3)
    assert verdict(case("g4", metrics=QUIET, profiles=[busy_without])) == "in use"


@pytest.mark.parametrize("definition", sorted(DEFINITIONS))
def test_samples_above_capacity_that_others_confirm_are_use_by_every_definition(
    definition: str,
) -> None:
    values = samples(level=0.5)
    values[100] = 95
    network = {"network_in": samples(level=1), "network_out": samples(level=1)}
    confirmed = profile(values, refused_high=10)  # 95 % is a tenth of them
    given = case("g1", metrics=network, profiles=[confirmed], shape={"network_gbps": 10.0})
    assert verdict(given, definition) == "in use"


def test_without_network_cpu_decides_by_a_stricter_test_and_says_so() -> None:
    found = judge(case("g1", samples(level=1)))
    assert isinstance(found, Recommendation)
    assert "the network is not measured, so CPU alone decided, by a stricter test" in found.reason
    assert found.evidence["network_measured"] is False
    assert verdict(case("g1", samples(level=2.1))) == "in use"
    assert verdict(case("g4", samples(level=1))) == "in use"  # 0.04 vCPU
    one_way = {"network_in": samples(level=20)}
    assert verdict(case("g4", samples(level=1), metrics=one_way)) == "in use"


def test_who_serves_by_standing_there_is_not_stopped_on_cpu_alone() -> None:
    assert verdict(case("g1", samples(level=1), resource_name="vpn-gateway")) == "standby-role"
    assert verdict(case("g1", samples(level=1), tags={"role": "Orders DB"})) == "standby-role"
    assert verdict(case("g1", samples(level=1), resource_name="dbadmin-test")) == "stop"
    found = judge(machine(resource_name="orders-db"))
    assert isinstance(found, Recommendation)
    assert found.evidence["warnings"] == ["its name or tags say 'db': ask its owner"]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (machine(scaling_group="web"), "scaling-group"),
        (machine(tags={"kubernetes.io/cluster/prod": "owned"}), "scaling-group"),
        (machine(service_name="Amazon RDS"), "managed-service"),
        (machine(state="stopped"), "not-running"),
        (machine(state="Terminated"), "not-running"),
        (machine(launched_at=END - timedelta(days=10)), "recently-launched"),
        (case("g4", samples(9, 0.5), metrics=QUIET), "short-history"),
        (case("g4"), "cpu-unmeasured"),
        (machine(free=True), "no-price"),
        (machine(cost=billed("0", monthly="12")), "small-saving"),
        (machine(min_monthly_savings=1000.0), "small-saving"),
        (machine(gpu_count=1), "gpu-unmeasured"),
    ],
)
def test_what_looks_idle_and_is_not_to_be_stopped(given: Case, reason: str) -> None:
    assert verdict(given) == reason


KEPT = {"power_state": "stopped"}
"""What Azure says of a machine that is shut down and not deallocated."""


def test_a_machine_that_is_shut_down_and_keeps_its_place_is_to_be_deallocated() -> None:
    """Though it has no samples any more."""
    off = case("g4", state="stopped", attributes=KEPT, cost=billed("140", monthly="152.40"))
    found = judge(off)
    assert isinstance(found, Recommendation)
    assert found.action_type is ActionType.STOP
    assert found.estimated_monthly_savings.target == 140
    assert found.estimated_monthly_cost == Decimal("12.40")
    assert found.reason == (
        "it is shut down but not deallocated, so its compute bills on as if it ran: deallocating "
        "it (az vm deallocate) ends 140.00 USD a month"
    )
    deallocated = case("g4", state="stopped", attributes={"power_state": "deallocated"})
    assert verdict(deallocated) == "not-running"


@pytest.mark.parametrize(
    ("more", "reason"),
    [({"cost": billed("0", monthly="12")}, "small-saving"), ({"free": True}, "no-price")],
)
def test_a_machine_that_is_shut_down_and_costs_nothing_is_left(
    more: dict[str, Any], reason: str
) -> None:
    assert verdict(case("g4", state="stopped", attributes=KEPT, **more)) == reason


def test_a_busy_member_of_a_group_is_simply_in_use() -> None:
    assert verdict(machine(40, scaling_group="web", launched_at=END)) == "in use"


def test_a_gate_of_the_quality_check_is_passed_on() -> None:
    gate = Finding("m-1", "cpu_utilization", "stuck", FindingLevel.GATE, 1, "", "stuck for days")
    assert verdict(machine(findings=(gate,))) == "stuck"


def test_what_is_no_machine_is_none_of_its_business() -> None:
    assert judge(case(None)) is None


def test_a_commitment_that_stopping_strands_is_told() -> None:
    found = judge(machine(cost=billed("100", committed_share=0.6)))
    assert isinstance(found, Recommendation)
    saving = found.estimated_monthly_savings
    assert (saving.low, saving.target, saving.high) == (40, 40, 100)
    assert found.stranded_commitment == 60


def test_a_stop_that_empties_a_local_disk_cannot_be_undone() -> None:
    found = judge(machine(shape={"local_disk_gib": 75.0}))
    assert isinstance(found, Recommendation)
    assert not found.rollback_possible
    assert "emptied by a stop" in found.evidence["warnings"][0]


SPIKES = [100, 2000, 7000]


def spiky(level: float = 0.5, spikes: list[int] | None = None, **more: Any) -> Case:
    """A machine whose three spikes of 60 % are disputed, or of those the given ones."""
    values = samples(level=level)
    values[SPIKES] = 60
    doubtful = without(values, SPIKES if spikes is None else spikes)
    return case("g4", values, disputed=doubtful, **({"metrics": QUIET} | more))


def test_a_stop_that_only_disputed_spikes_speak_against_is_less_sure_and_says_so() -> None:
    found, plain = judge(spiky()), judge(machine())
    assert isinstance(found, Recommendation)
    assert found.reason == (
        f"{plain.reason}; less sure than other stops, as 3 CPU samples up to 60 % in brief spikes "
        "that no other metric confirms, of 8,064 were left out"
    )
    evidence = found.evidence
    assert evidence["confidence"] == "less sure: idle only without its disputed CPU spikes"
    assert evidence["disputed_samples"] == 3
    assert evidence["samples"] == 8061
    assert evidence["cpu_peak_with_disputed_percent"] == 60
    assert evidence["checks"] == plain.evidence["checks"]
    (warning,) = evidence["warnings"]
    assert "(the first at 2026-09-07 08:20 UTC): find out what ran then before you stop it" in (
        warning
    )
    assert "confidence" not in plain.evidence
    assert found.estimated_monthly_savings == plain.estimated_monthly_savings


def test_a_spike_that_is_not_disputed_is_use() -> None:
    assert verdict(spiky(spikes=SPIKES[:2])) == "in use"
    assert verdict(spiky(level=6)) == "in use"
    busy = judge(spiky(metrics={**QUIET, "network_out": samples(level=5000)}))
    assert isinstance(busy, Fit)
    assert busy.evidence["disputed_samples"] == 3


def test_without_network_disputed_spikes_are_for_a_person_to_look_at() -> None:
    found = judge(spiky(metrics={"disk_read": samples(level=20)}))
    assert isinstance(found, Skip)
    assert found.reason == "unconfirmed-cpu"
    assert "idle but for 3 CPU samples up to 60 %" in found.detail
    assert "without the network nothing else says that nobody uses it" in found.detail
    assert "would save 146.00 USD a month" in found.detail
    one_way = {"network_in": QUIET["network_in"]}
    assert verdict(spiky(metrics=one_way)) == "unconfirmed-cpu"


def test_what_keeps_a_machine_running_comes_before_doubt() -> None:
    assert verdict(spiky(scaling_group="web")) == "scaling-group"
    assert verdict(spiky(min_monthly_savings=1000.0)) == "small-saving"


def test_disputed_and_refused_samples_together_are_for_a_person_to_look_at() -> None:
    found = judge(spiky(refused=[50]))
    assert isinstance(found, Skip)
    assert "in brief spikes that no other metric confirms and 1 CPU sample refused" in found.detail


def test_maxima_count_as_they_are() -> None:
    peaks = [profile(samples(level=30), statistic="max")]
    assert verdict(spiky(profiles=peaks), "aws-ce") == "in use"
    assert verdict(spiky(), "aws-ce") == "stop"


def test_a_definition_that_forgives_spikes_is_as_sure_with_them() -> None:
    found = judge(spiky(level=0.2), "gcp-idle")
    assert isinstance(found, Recommendation)
    assert "confidence" not in found.evidence
    assert found.evidence["disputed_samples"] == 3


# -- GPU machines ----------------------------------------------------------------------------


def cards(metric: str, *levels: float) -> list[Any]:
    return [profile(samples(level=v), metric, device=str(i)) for i, v in enumerate(levels)]


def gpu(*profiles: Any, level: float = 1.0, count: int = 2, **more: Any) -> Case:
    return case("g32", samples(level=level), profiles=profiles, gpu_count=count, **more)


UNUSED = (*cards("gpu_utilization", 0, 0), *cards("gpu_memory_utilization", 1, 2))


def test_an_unused_gpu_machine_is_to_be_stopped() -> None:
    found = judge(gpu(*UNUSED))
    assert isinstance(found, Recommendation)
    assert found.reason.startswith("over 28 days GPU inactive time 100 % (idle > 99 %)")
    assert "GPU and CPU alone decided" in found.reason


@pytest.mark.parametrize(
    ("profiles", "expected"),
    [
        (cards("gpu_utilization", 0, 0), "gpu-unmeasured"),  # memory may hold a model
        ([*cards("gpu_utilization", 0), *cards("gpu_memory_utilization", 1)], "gpu-unmeasured"),
        (
            [*cards("gpu_utilization", 0, 0), *cards("gpu_memory_utilization", 1, 60)],
            "in use",
        ),
        (
            [*cards("gpu_utilization", 0, 7), *cards("gpu_memory_utilization", 1, 1)],
            "in use",
        ),
        ([*UNUSED, *cards("gpu_sm_active", 0, 3)], "in use"),
        ([*UNUSED, profile(samples(level=50, burst=200, burst_share=0.05), "gpu_power")], "in use"),
        ([*UNUSED, profile(samples(level=50, spread=3), "gpu_power")], "stop"),
    ],
)
def test_every_card_must_be_measured_and_unused(profiles: list[Any], expected: str) -> None:
    assert verdict(gpu(*profiles)) == expected


def test_one_figure_of_the_whole_machine_tells_of_all_cards() -> None:
    whole = {"gpu_utilization": samples(level=0), "gpu_memory_utilization": samples(level=1)}
    assert verdict(gpu(metrics=whole)) == "stop"


def test_a_card_s_samples_refused_as_too_high_are_use() -> None:
    """Of 8,064 samples and 81 refused ones 99.0 % are inactive, with 82 no longer."""
    quiet = profile(samples(level=0), "gpu_utilization", refused_high=81)
    busy = profile(samples(level=0), "gpu_utilization", refused_high=82)
    empty = profile(samples(level=1), "gpu_memory_utilization")
    full = profile(samples(level=1), "gpu_memory_utilization", refused_high=1)
    assert verdict(gpu(quiet, empty)) == "stop"
    assert verdict(gpu(busy, empty)) == "in use"
    assert verdict(gpu(quiet, full)) == "in use"


def test_a_gpu_machine_with_a_busy_host_is_in_use() -> None:
    assert verdict(gpu(*UNUSED, level=30)) == "in use"


@pytest.mark.parametrize("definition", sorted(DEFINITIONS))
def test_no_definition_judges_a_gpu_machine_by_its_cpu(definition: str) -> None:
    traffic = {"network_in": samples(level=1), "network_out": samples(level=1)}
    shape = {"network_gbps": 10.0}
    assert verdict(gpu(level=0.5, metrics=traffic, shape=shape), definition) == "gpu-unmeasured"
    full = gpu(*UNUSED, level=0.5, metrics=traffic, shape=shape)
    expected = "definition-excludes" if definition == "gcp-idle" else "stop"
    assert verdict(full, definition) == expected


# -- the published definitions ---------------------------------------------------------------


def traffic(megabytes_a_day: float) -> dict[str, Values]:
    each = megabytes_a_day * 1e6 / 86_400 / 2
    return {"network_in": samples(level=each), "network_out": samples(level=each)}


def published(definition: str, cpu: Values | float, network: dict[str, Values], **more: Any) -> str:
    values = samples(level=cpu) if isinstance(cpu, float) else cpu
    return verdict(case("g2", values, metrics=network, **more), definition)


@pytest.mark.parametrize(
    "definition", ["aws-co-idle", "aws-ta-low", "azure-shutdown", "gcp-idle", "optscale-abandoned"]
)
def test_a_definition_that_needs_the_network_skips_without_it(definition: str) -> None:
    quiet = case("g2", samples(level=0.5), shape={"network_gbps": 10.0})
    assert verdict(quiet, definition) == "network-unmeasured"
    assert verdict(case("g2", samples(level=60)), definition) == "in use"


def test_aws_compute_optimizer() -> None:
    assert published("aws-co-idle", 4.9, traffic(4.9)) == "stop"
    assert published("aws-co-idle", 5.0, traffic(1)) == "in use"
    assert published("aws-co-idle", 1.0, traffic(5.1)) == "in use"
    spiky = profile(samples(level=30), statistic="max")
    assert published("aws-co-idle", 1.0, traffic(1), profiles=[spiky]) == "in use"
    busy_monday = samples(level=1.0)
    hours = (np.arange(len(busy_monday)) // 12 + 24 * (END - timedelta(days=28)).weekday()) % 168
    monday = np.where(hours < 24, 400.0, 1.0)
    way = {"network_in": monday, "network_out": samples(level=1)}
    assert published("aws-co-idle", 1.0, way) == "in use"


def test_aws_trusted_advisor() -> None:
    start = (END - timedelta(days=28)).weekday()
    weekday = (np.arange(28 * 288) // 288 + start) % 7
    weekend = np.where(weekday >= 5, 5.0, 60.0)
    sunday = np.where(weekday >= 6, 5.0, 60.0)
    assert published("aws-ta-low", weekend, traffic(4)) == "stop"
    assert published("aws-ta-low", sunday, traffic(4)) == "in use"
    assert published("aws-ta-low", weekend, traffic(6)) == "in use"


def test_aws_cost_explorer() -> None:
    assert published("aws-ce", 1.0, {}) == "stop"
    assert published("aws-ce", 1.01, {}) == "in use"
    peaks = profile(samples(level=3), statistic="max")
    assert published("aws-ce", 0.5, {}, profiles=[peaks]) == "in use"


def test_azure_advisor() -> None:
    shape = {"network_gbps": 1.0}
    assert published("azure-shutdown", 2.0, traffic(100), shape=shape) == "stop"
    assert published("azure-shutdown", 2.1, traffic(100), shape=shape) == "in use"
    out = {"network_in": samples(level=1), "network_out": samples(level=3e6)}  # 2.4 % of 1 Gbit/s
    assert published("azure-shutdown", 1.0, out, shape=shape) == "in use"
    assert published("azure-shutdown", 1.0, traffic(1)) == "network-unmeasured"
    week = case("g2", samples(6.5, 1.0), metrics=traffic(1), shape=shape)
    assert verdict(week, "azure-shutdown") == "stop"


def test_gcp() -> None:
    assert published("gcp-idle", 1.49, traffic(10)) == "stop"  # of 2 vCPUs: 0.0298
    assert published("gcp-idle", 1.51, traffic(10)) == "in use"
    mostly = samples(level=0.5, burst=80, burst_share=0.009)
    assert published("gcp-idle", mostly, traffic(10)) == "stop"
    too_often = samples(level=0.5, burst=80, burst_share=0.04)
    assert published("gcp-idle", too_often, traffic(10)) == "in use"
    one = case("g1", samples(level=2.5, burst=80, burst_share=0.025), metrics=traffic(10))
    assert verdict(one, "gcp-idle") == "stop"  # bins below 3 % tell what percentiles cannot
    assert published("gcp-idle", 0.5, {"network_in": samples(level=2100)}) == "in use"
    disk = {"local_disk_gib": 375.0}
    assert published("gcp-idle", 0.5, traffic(10), shape=disk) == "definition-excludes"


def test_optscale() -> None:
    assert published("optscale-abandoned", 5.0, traffic(100)) == "stop"
    assert published("optscale-abandoned", 5.1, traffic(100)) == "in use"
    spiky = samples(level=1, burst=90, burst_share=0.02)
    assert published("optscale-abandoned", spiky, traffic(100)) == "stop"
    assert published("optscale-abandoned", 1.0, traffic(200)) == "in use"


@pytest.mark.parametrize(
    ("definition", "cpu", "most"),
    [
        ("gcp-idle", 0.5, 249),  # of 8,064 samples and these 97.004 % stay below 0.03 vCPU
        ("optscale-abandoned", 4.0, 80),  # a mean of 4.992 %
        ("aws-ta-low", 5.0, 60),  # a weekday, 1,152 samples, with a mean of 9.95 % if all are its
    ],
)
def test_samples_refused_as_too_high_count_against_idleness(
    definition: str, cpu: float, most: int
) -> None:
    for refused, expected in ((most, "stop"), (most + 1, "unconfirmed-cpu")):
        one = profile(samples(level=cpu), refused_high=refused)
        given = case("g2", metrics=traffic(1), profiles=[one])
        assert verdict(given, definition) == expected


def test_every_definition_names_its_source_and_stand_ins() -> None:
    for name, definition in DEFINITIONS.items():
        assert definition.name == name
        assert definition.source
        found = judge(machine(0.5, "g1", shape={"network_gbps": 10.0}), name)
        assert isinstance(found, Recommendation), name
        assert found.evidence["definition"] == name
        assert found.evidence.get("approximations", []) == list(definition.approximations)
