"""The gate as a whole: from packed rows to findings, skips and the refusal to go on."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from costopt.config import QualitySettings
from costopt.errors import InsufficientData
from costopt.frame.examination import CODES
from costopt.frame.quality import REMEDIES, assess, gate_skips, require_usable
from costopt.frame.series import chosen
from costopt.model import FindingLevel, Resource
from tests.conftest import ROOT
from tests.frame.packs import (
    A_DAY,
    DAYS,
    END,
    T0,
    WINDOW,
    Gated,
    gate,
    noise,
    pack,
    profile,
    resource,
    shard,
)

SETTINGS = QualitySettings()


def busy(**witnesses: np.ndarray) -> Gated:
    """A machine around 20 % CPU beside these other metrics."""
    cpu = witnesses.pop("cpu", noise(20))
    rows = [pack("m-1", name, values) for name, values in witnesses.items()]
    return gate(shard(pack("m-1", "cpu_utilization", cpu), *rows))


class TestPoisoning:
    """The attacks and accidents of decisions.md: each leaves its finding."""

    @pytest.mark.parametrize("share", [0.01, 0.05])
    def test_injected_spikes_are_disputed_and_the_demand_comes_back(self, share: float) -> None:
        clean = noise(20)
        rng = np.random.default_rng(7)
        hit = rng.random(len(clean)) < share
        cpu = np.where(hit, np.round(rng.uniform(85, 100, len(clean)), 2), clean)
        network = np.round(noise(50, seed=2) * 1e4)
        seen = busy(cpu=cpu, network_in=network)
        assert seen.codes() == {("disputed-spikes", "cpu_utilization"): "note"}
        found = seen.signals.disputed["m-1"]
        assert found.samples > 0.8 * hit.sum()
        honest = np.percentile(clean, 99.5, method="inverted_cdf")
        assert seen.profiles["m-1"][0].p99_5 > 85
        assert found.p99_5 == pytest.approx(honest, rel=0.1)
        text = seen.findings["m-1"][0].detail
        assert f"P99.5 is {found.p99_5:g} % instead of {seen.profiles['m-1'][0].p99_5:g} %" in text

    def test_zeros_in_place_of_nothing(self) -> None:
        cpu = noise(20)
        cpu[np.random.default_rng(1).random(len(cpu)) < 0.05] = 0.0
        assert busy(cpu=cpu).codes() == {("zeros", "cpu_utilization"): "note"}

    def test_quiet_samples_sent_again(self) -> None:
        rows = pack("m-1", "cpu_utilization", noise(20), Conflicts=A_DAY)
        seen = gate(shard(rows))
        assert seen.codes() == {("conflicts", "cpu_utilization"): "note"}
        assert seen.findings["m-1"][0].count == DAYS * A_DAY

    def test_a_clock_that_was_set(self) -> None:
        day = np.repeat(np.where((np.arange(24) >= 8) & (np.arange(24) < 18), 40.0, 6.0), 12)
        level = np.concatenate([np.tile(day, 14), np.tile(np.roll(day, 60), 14)])
        wobble = np.random.default_rng(3).normal(1, 0.1, len(level))
        seen = busy(cpu=np.round(np.clip(level * wobble, 0, 100), 2))
        assert seen.codes() == {("clock-shift", "cpu_utilization"): "note"}
        assert seen.findings["m-1"][0].example == "+5 hours around 2026-09-21"

    def test_a_clock_that_is_fast(self) -> None:
        names = [f"m-{n}" for n in range(4)]
        end = END - timedelta(hours=12)
        on_time = noise(20)[: -A_DAY // 2]
        rows = [pack(name, "cpu_utilization", on_time) for name in names[1:]]
        fast = pack(names[0], "cpu_utilization", noise(20)[: -A_DAY // 2 + 24])
        fleet = {name: resource(name) for name in names}
        seen = gate(shard(fast, *rows), resources=fleet, window=replace(WINDOW, end=end))
        assert seen.codes("m-0") == {("future", ""): "note"}
        assert seen.findings["m-0"][0].count == 24
        assert seen.codes("m-1") == {}

    def test_a_look_back_in_time_finds_nobody_fast(self) -> None:
        names = [f"m-{n}" for n in range(4)]
        rows = [pack(name, "cpu_utilization", noise(20)) for name in names]
        fleet = {name: resource(name) for name in names}
        past = replace(WINDOW, end=END - timedelta(hours=12))
        seen = gate(shard(*rows), resources=fleet, window=past)
        assert not any(seen.findings.values())

    def test_a_counter_that_was_reset(self) -> None:
        below = busy(network_in=noise(50) * 1e4)
        assert below.codes() == {}
        rows = pack("m-1", "network_in", noise(50) * 1e4)
        rows[3] |= {"RefusedLow": 1}
        cpu = pack("m-1", "cpu_utilization", noise(20))
        assert gate(shard(cpu, rows)).codes() == {("out-of-range", "network_in"): "note"}
        wrapped = noise(50) * 1e4
        wrapped[1000] = 2.0**64 / 300
        assert busy(network_in=wrapped).codes() == {("unit", "network_in"): "gate"}


class TestBrokenSources:
    def test_a_sensor_stuck_up_to_now(self) -> None:
        cpu = noise(20)
        cpu[-3 * A_DAY :] = 17.31
        seen = busy(cpu=cpu, memory_utilization=noise(40, seed=4))
        assert seen.codes() == {("stuck", "cpu_utilization"): "gate"}
        cpu[-1] = 18.0
        mended = busy(cpu=np.append(cpu[1:], 18.0), memory_utilization=noise(40, seed=4))
        assert mended.codes() == {}

    def test_a_sensor_that_was_stuck_for_a_while(self) -> None:
        cpu = noise(20)
        cpu[A_DAY : 5 * A_DAY] = 17.31
        assert busy(cpu=cpu).codes() == {("stuck", "cpu_utilization"): "note"}

    def test_an_idle_machine_is_not_stuck(self) -> None:
        assert busy(cpu=np.zeros(DAYS * A_DAY)).codes() == {}

    def test_fractions_of_one(self) -> None:
        seen = busy(cpu=noise(20) / 100, memory_utilization=noise(40) / 100)
        assert seen.codes()["unit", ""] == "gate"

    def test_nothing_but_refused_samples(self) -> None:
        gone = pack("m-1", "cpu_utilization", np.full(A_DAY, np.nan), RefusedHigh=A_DAY)
        seen = gate(shard(gone))
        assert seen.codes() == {
            ("no-metrics", ""): "gate",
            ("out-of-range", "cpu_utilization"): "gate",
        }
        memory = pack("m-1", "memory_utilization", noise(40))
        assert gate(shard(gone, memory)).codes() == {("out-of-range", "cpu_utilization"): "gate"}

    def test_office_hours_only(self) -> None:
        cpu = noise(20).reshape(DAYS, A_DAY)
        cpu[:, : 8 * 12] = np.nan
        cpu[:, 18 * 12 :] = np.nan
        cpu[5::7] = cpu[6::7] = np.nan
        found = busy(cpu=cpu.ravel()).codes()
        assert found["coverage", ""] == "gate"
        assert found["week-coverage", "cpu_utilization"] == "gate"

    def test_random_gaps_are_harmless(self) -> None:
        cpu = noise(20)
        cpu[np.random.default_rng(5).random(len(cpu)) < 0.45] = np.nan
        assert busy(cpu=cpu).codes() == {}


class TestSizesAndPeriods:
    def test_only_samples_since_the_resize_are_history(self) -> None:
        resized = {"m-1": resource(resized_at=END - timedelta(days=5))}
        seen = gate(shard(pack("m-1", "cpu_utilization", noise(20))), resources=resized)
        assert seen.codes() == {("short-history", ""): "gate"}
        assert "since its resize on 2026-09-30" in seen.findings["m-1"][0].detail

    def test_five_minutes_for_two_weeks_outvote_hours_for_four(self) -> None:
        fine = pack(
            "m-1", "cpu_utilization", noise(20)[14 * A_DAY :], start=T0 + timedelta(days=14)
        )
        hourly = pack(
            "m-1", "cpu_utilization", noise(20).reshape(-1, 12).mean(axis=1), period_seconds=3600
        )
        assert gate(shard(fine, hourly)).codes() == {}
        assert gate(shard(hourly)).codes() == {("hourly-only", ""): "gate"}

    def test_of_fine_ones_the_longer_history_speaks(self) -> None:
        minute = profile(period_seconds=60, count=1000)
        usual = profile()
        quarter = profile(period_seconds=900, count=3000)
        assert chosen([minute, usual, quarter], SETTINGS) == (quarter,)
        assert chosen([quarter, usual, minute], SETTINGS) == (quarter,)
        same = profile(period_seconds=600, count=usual.count // 2)
        assert chosen([same, usual], SETTINGS) == (usual,)

    def test_of_several_periods_one_that_goes_on_where_the_longest_has_ended(self) -> None:
        long = profile(count=10_000, last=END - timedelta(days=9))
        short = profile(period_seconds=60, count=9 * 1440, last=END - timedelta(minutes=1))
        assert chosen([long, short], SETTINGS) == (short,)
        late = profile(count=10_000, last=END - timedelta(days=2))
        assert chosen([late, short], SETTINGS) == (late,)
        hourly = profile(period_seconds=3600, count=10_000)
        assert chosen([long, hourly], SETTINGS) == (long,)  # too coarse to judge by


def test_gated_resources_become_skips() -> None:
    fleet = {name: resource(name) for name in ("m-1", "m-2", "m-3")}
    fleet["disk"] = Resource("disk", "AWS", resource_type="disk")
    old = {"last": END - timedelta(days=9)}
    series = {
        "m-1": (profile(),),
        "m-2": (profile(resource_id="m-2", **old),),
        "ghost": (profile(resource_id="ghost"),),
    }
    findings = assess(fleet, series, END, SETTINGS)
    skips = gate_skips(findings)
    assert [(s.resource_id, s.rule, s.reason) for s in skips] == [
        ("ghost", "", "unknown-resource"),
        ("m-2", "", "stale"),
        ("m-3", "", "no-metrics"),
    ]
    assert all(s.detail for s in skips)
    require_usable(fleet, findings)


def test_nothing_usable_says_why_and_what_to_do() -> None:
    old = {"last": END - timedelta(days=9)}
    fleet = {name: resource(name) for name in ("m-1", "m-2", "m-3")}
    series = {name: (profile(resource_id=name, **old),) for name in ("m-1", "m-2")}
    findings = assess(fleet, series, END, SETTINGS)
    with pytest.raises(InsufficientData) as error:
        require_usable(fleet, findings)
    assert error.value.exit_code == 3
    assert str(error.value) == (
        "quality gate: none of 3 machines has usable data: 2 stale, 1 no-metrics\n"
        "  next: collect newer data, or judge with --as-of the day the data end; "
        "costopt doctor shows every finding"
    )
    with pytest.raises(InsufficientData, match="no machine"):
        require_usable({"disk": Resource("disk", "AWS")}, {})


def test_every_check_that_can_bar_a_resource_has_a_remedy() -> None:
    told_only = {"zeros", "conflicts", "gap", "not-finite", "duplicates", "off-grid"}
    signals_only = {"disputed-spikes", "clock-shift", "future"}
    assert REMEDIES.keys() == set(CODES) - told_only - signals_only


def test_the_gravest_finding_comes_first() -> None:
    series = (profile(duplicates=3, off_grid=2, last=END - timedelta(days=9)),)
    found = assess({"m-1": resource()}, {"m-1": series}, END, SETTINGS)["m-1"]
    assert [f.check for f in found] == ["stale", "duplicates", "off-grid"]
    assert found[0].level is FindingLevel.GATE


def test_the_manual_tells_every_check_in_the_same_order() -> None:
    manual = (ROOT / "docs" / "quality.md").read_text()
    assert tuple(re.findall(r"^### (\S+)$", manual, re.MULTILINE)) == CODES
    for name, field in QualitySettings.model_fields.items():
        assert f"`quality.{name}` ({field.default:g})" in manual
