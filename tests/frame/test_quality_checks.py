"""Every check of a series: what passes, what does not, and at which level."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from costopt.config import QualitySettings
from costopt.frame.checks import CHECKS
from costopt.frame.quality import assess
from costopt.frame.subject import duration, percent
from costopt.model import Finding, Profile, Resource
from tests.frame.packs import END, T0, codes, profile, resource

SETTINGS = QualitySettings()
GATE, NOTE = "gate", "note"


def seen(*profiles: Profile, of: Resource | None = None) -> tuple[Finding, ...]:
    return assess({"m-1": of or resource()}, {"m-1": profiles}, END, SETTINGS)["m-1"]


def level(check: str, **changes: Any) -> str | None:
    """How the gate takes a CPU with these columns, beside a healthy memory."""
    memory = profile(metric_name="memory_utilization")
    return codes(seen(profile(**changes), memory)).get((check, "cpu_utilization"))


def bins(**counts: int) -> dict[str, Any]:
    """A histogram from `at_<percent>=samples`."""
    histogram = [0] * 106
    for name, count in counts.items():
        histogram[int(name.removeprefix("at_"))] = count
    return {"histogram": tuple(histogram), "count": sum(counts.values())}


def test_healthy_data_have_no_findings() -> None:
    assert seen(profile()) == ()


@pytest.mark.parametrize(
    ("check", "changes", "expected"),
    [
        ("stale", {"last": END - timedelta(days=3)}, None),
        ("stale", {"last": END - timedelta(days=3, minutes=10)}, GATE),
        ("short-history", {"first": END - timedelta(days=7)}, None),
        ("short-history", {"first": END - timedelta(days=6, hours=23)}, GATE),
        ("hourly-only", {"period_seconds": 900}, None),
        ("hourly-only", {"period_seconds": 3600}, GATE),
        ("coverage", {"coverage": 0.5}, None),
        ("coverage", {"coverage": 0.499}, GATE),
        ("week-coverage", {"week_count": (0,) * 8 + (48,) * 160}, None),
        ("week-coverage", {"week_count": (0,) * 9 + (48,) * 159}, GATE),
        ("gap", {"longest_gap_seconds": 86_399}, None),
        ("gap", {"longest_gap_seconds": 86_400}, NOTE),
        ("duplicates", {"duplicates": 1}, NOTE),
        ("conflicts", {"conflicts": 8064}, NOTE),
        ("not-finite", {"not_finite": 3}, NOTE),
        ("off-grid", {"off_grid": 8064}, NOTE),
        ("unit", {"max": 1.01}, None),
        ("unit", {"max": 1.0}, NOTE),
        ("unit", {"max": 0.0}, None),
    ],
)
def test_thresholds(check: str, changes: dict[str, Any], expected: str | None) -> None:
    assert level(check, **changes) == expected


NEAR_FULL = bins(at_20=7664, at_90=400)


class TestRefused:
    """8,064 samples are kept."""

    @pytest.mark.parametrize("metric_name", ["cpu_utilization", "memory_utilization"])
    @pytest.mark.parametrize(
        ("refused", "expected"),
        [
            ({"refused_low": 424}, NOTE),  # of 8,488: 4.995 %
            ({"refused_low": 425}, GATE),
            ({"refused_high": 81}, NOTE),  # unconfirmed, of 8,145: 0.994 %
            ({"refused_high": 82}, GATE),
            ({"refused_high": 81, "refused_low": 343}, NOTE),
            ({"refused_high": 81, "refused_low": 344}, GATE),
            ({"refused_high": 424} | NEAR_FULL, NOTE),
            ({"refused_high": 425} | NEAR_FULL, GATE),
        ],
    )
    def test_of_what_sizes_are_chosen_by(
        self, metric_name: str, refused: dict[str, Any], expected: str
    ) -> None:
        others = {"cpu_utilization", "memory_utilization"} - {metric_name}
        beside = [profile(metric_name=name) for name in others]
        found = codes(seen(profile(metric_name=metric_name, **refused), *beside))
        assert found == {("out-of-range", metric_name): expected}

    @pytest.mark.parametrize(
        ("metric_name", "refused", "expected"),
        [
            ("gpu_utilization", {"refused_high": 81}, NOTE),
            ("gpu_utilization", {"refused_high": 82} | NEAR_FULL, GATE),
            ("network_in", {"refused_low": 82, "histogram": None}, GATE),
        ],
    )
    def test_of_other_metrics(
        self, metric_name: str, refused: dict[str, Any], expected: str
    ) -> None:
        found = codes(seen(profile(), profile(metric_name=metric_name, **refused)))
        assert found == {("out-of-range", metric_name): expected}

    @pytest.mark.parametrize(
        ("changes", "done"),
        [
            ({"refused_low": 9}, "9 below 0, 0 above 105 %; they count as missing"),
            (
                {"refused_high": 9},
                "; they count as missing: so few others come near full that a counter was broken",
            ),
            (
                {"refused_high": 9} | NEAR_FULL,
                "; those above count as full, for others come near it",
            ),
            ({"refused_high": 9, "refused_low": 1} | NEAR_FULL, "; those below 0 count as missing"),
            ({"refused_high": 9, "metric_name": "gpu_utilization"}, "; they count as missing"),
        ],
    )
    def test_a_note_says_what_was_done(self, changes: dict[str, Any], done: str) -> None:
        (found,) = seen(profile(**changes))
        assert done in found.detail

    def test_a_gate_does_not(self) -> None:
        found = seen(profile(refused_low=800), profile(metric_name="memory_utilization"))
        assert found[0].detail.endswith("800 below 0, 0 above 105 %")


class TestStuck:
    def test_days_of_one_value_are_told(self) -> None:
        assert level("stuck", longest_flat_seconds=72 * 3600) == NOTE
        assert level("stuck", longest_flat_seconds=72 * 3600 - 300) is None

    def test_more_than_a_quarter_of_the_samples_is_too_much(self) -> None:
        assert level("stuck", longest_flat_seconds=8 * 86_400) == GATE

    def test_whole_numbers_repeat_themselves(self) -> None:
        rounded = dict.fromkeys(("min", "p50", "p90", "p95", "p99", "max"), 7.0)
        assert level("stuck", longest_flat_seconds=8 * 86_400, **rounded) == NOTE

    def test_idle_machines_and_machines_at_their_limit_stand_still(self) -> None:
        long_ = {"longest_flat_seconds": 8 * 86_400}
        assert level("stuck", **long_, **bins(at_0=8064)) is None
        assert level("stuck", **long_, **bins(at_40=4000, at_100=4064)) is None
        assert level("stuck", **long_, **bins(at_40=8064)) == GATE

    def test_a_rate_that_never_changes_is_stuck(self) -> None:
        rate = profile(
            metric_name="network_in", histogram=None, longest_flat_seconds=8 * 86_400, max=1e6
        )
        found = codes(seen(profile(), rate))
        assert found == {("stuck", "network_in"): GATE}


class TestUnits:
    def test_memory_below_one_percent_is_a_fraction(self) -> None:
        found = codes(seen(profile(), profile(metric_name="memory_utilization", max=0.83)))
        assert found == {("unit", "memory_utilization"): GATE}

    def test_cpu_that_goes_with_such_memory_is_one_too(self) -> None:
        memory = profile(metric_name="memory_utilization", max=0.83)
        found = codes(seen(profile(max=0.9), memory))
        assert found["unit", ""] == GATE

    def test_a_fleet_that_never_exceeds_one_percent_sends_fractions(self) -> None:
        def fleet(highest: float) -> dict[str, tuple[Profile, ...]]:
            return {
                f"m-{n}": (profile(resource_id=f"m-{n}", max=highest if n else 0.2),)
                for n in range(6)
            }

        names = {f"m-{n}": resource(f"m-{n}") for n in range(6)}
        assert all(
            codes(f)["unit", ""] == GATE for f in assess(names, fleet(0.97), END, SETTINGS).values()
        )
        idle = assess(names, fleet(0.4), END, SETTINGS)
        assert all(codes(f) == {("unit", "cpu_utilization"): NOTE} for f in idle.values())
        others = names | {f"m-{n}": resource(f"m-{n}", provider_name="GCP") for n in (1, 2)}
        split = assess(others, fleet(0.97), END, SETTINGS)
        assert codes(split["m-3"]) == {("unit", "cpu_utilization"): NOTE}

    def test_dcgm_fields_beside_a_busy_gpu_are_fractions(self) -> None:
        active = profile(metric_name="gpu_sm_active", max=0.4)
        busy = profile(metric_name="gpu_utilization", max=80.0)
        still = profile(metric_name="gpu_utilization", max=0.0)
        assert codes(seen(profile(), active, busy)) == {("unit", "gpu_sm_active"): GATE}
        assert codes(seen(profile(), active, still)) == {("unit", "gpu_sm_active"): NOTE}

    @pytest.mark.parametrize(
        ("way", "traffic", "expected"),
        [
            ("network_in", {"p95": 1999.0, "p99_5": 99_999.0}, "unit"),
            ("network_in", {"p95": 2000.0, "p99_5": 3000.0}, "unit-doubtful"),
            ("network_out", {"p95": 1999.0, "p99_5": 3000.0}, "unit-doubtful"),
            ("network_out", {"p95": 20.0, "p99_5": 100_000.0}, "unit-doubtful"),
            ("disk_read", {"p95": 1e6, "p99_5": 1e6}, "unit"),
        ],
    )
    def test_cpu_below_one_percent_beside_traffic(
        self, way: str, traffic: dict[str, float], expected: str
    ) -> None:
        memory = profile(metric_name="memory_utilization")
        beside = profile(metric_name=way, histogram=None, **traffic)
        for lowest, highest in ((0.1, 1.0), (0.0, 0.7)):
            found = codes(seen(profile(min=lowest, max=highest), memory, beside))
            gated = GATE if expected == "unit-doubtful" else NOTE
            assert found == {(expected, "cpu_utilization"): gated}
        assert seen(profile(min=0.1, max=1.01), memory, beside) == ()
        assert codes(seen(profile(min=0.7, max=0.7), memory, beside)) == {
            ("unit", "cpu_utilization"): NOTE
        }

    def test_a_rate_beyond_any_machine_is_a_total(self) -> None:
        rate = {"metric_name": "network_out", "histogram": None}
        assert codes(seen(profile(), profile(**rate, max=2.0**64 / 300))) == {
            ("unit", "network_out"): GATE
        }
        assert seen(profile(), profile(**rate, max=4e11)) == ()

    def test_percent_of_one_core_is_named(self) -> None:
        for one in (profile(refused_high=82), profile(refused_high=2000, **NEAR_FULL)):
            findings = seen(one, profile(metric_name="memory_utilization"))
            assert findings[0].level == GATE
            assert "percent of one core" in findings[0].detail


class TestZeros:
    def test_zeros_apart_from_the_rest_are_told(self) -> None:
        apart = bins(at_0=80, at_20=4000, at_30=3984)
        assert level("zeros", **apart, min=0.0) == NOTE
        assert level("zeros", **apart, min=0.4) is None

    def test_values_that_reach_down_to_zero_are_demand(self) -> None:
        assert level("zeros", **bins(at_0=80, at_1=60, at_2=200, at_20=7000), min=0.0) is None

    def test_few_are_a_reboot_and_most_are_what_the_machine_does(self) -> None:
        assert level("zeros", **bins(at_0=39, at_20=8025), min=0.0) is None
        assert level("zeros", **bins(at_0=7000, at_60=1064), min=0.0) is None


class TestWhole:
    """What keeps a resource as a whole from every rule."""

    def test_all_metrics_stale_is_one_finding(self) -> None:
        old = END - timedelta(days=9)
        found = seen(profile(last=old), profile(metric_name="memory_utilization", last=old))
        assert codes(found) == {("stale", ""): GATE}

    def test_different_reasons_are_all_told(self) -> None:
        memory = profile(metric_name="memory_utilization", last=END - timedelta(days=9))
        found = seen(profile(coverage=0.1), memory)
        assert codes(found) == {
            ("stale", ""): GATE,
            ("coverage", "cpu_utilization"): GATE,
            ("stale", "memory_utilization"): GATE,
        }
        assert found[0].detail == (
            "no utilization is usable: cpu_utilization (coverage), memory_utilization (stale)"
        )

    def test_one_usable_utilization_is_enough(self) -> None:
        memory = profile(metric_name="memory_utilization")
        assert codes(seen(profile(coverage=0.1), memory)) == {("coverage", "cpu_utilization"): GATE}

    def test_a_rate_alone_is_no_demand(self) -> None:
        rate = profile(metric_name="network_in", histogram=None)
        assert codes(seen(profile(coverage=0.1), rate))["coverage", ""] == GATE
        assert seen(rate) == ()

    def test_a_machine_without_samples(self) -> None:
        found = seen()
        assert codes(found) == {("no-metrics", ""): GATE}
        stopped = seen(of=resource(state="stopped"))
        assert stopped[0].detail.endswith("it is stopped")

    def test_a_disk_needs_none(self) -> None:
        assert seen(of=Resource("m-1", "AWS", resource_type="disk")) == ()

    def test_samples_of_something_unknown(self) -> None:
        found = assess({}, {"ghost": (profile(resource_id="ghost"),)}, END, SETTINGS)
        assert codes(found["ghost"]) == {("unknown-resource", ""): GATE}
        assert found["ghost"][0].count == 8064


class TestSpeakers:
    """Which series decide whether their metric can be used."""

    def test_bad_maxima_beside_good_means_are_only_told(self) -> None:
        maxima = profile(statistic="max", coverage=0.1)
        found = seen(profile(), maxima)
        assert codes(found) == {("coverage", "cpu_utilization"): NOTE}
        assert found[0].example.startswith("maxima: ")

    def test_maxima_alone_decide(self) -> None:
        assert codes(seen(profile(statistic="max", coverage=0.1)))["coverage", ""] == GATE

    def test_a_device_counts_where_the_whole_is_unmeasured(self) -> None:
        whole = profile(metric_name="gpu_utilization")
        card = profile(metric_name="gpu_utilization", device="1", coverage=0.1)
        assert codes(seen(profile(), card)) == {("coverage", "gpu_utilization"): GATE}
        assert codes(seen(profile(), whole, card)) == {("coverage", "gpu_utilization"): NOTE}
        assert seen(profile(), card)[0].example.startswith("device 1: ")


def test_details_tell_what_and_how_much() -> None:
    resized = resource(resized_at=END - timedelta(days=2))
    short = seen(profile(first=END - timedelta(days=2)), of=resized)[0]
    assert short.detail == (
        "48 hours of history since its resize on 2026-10-03; advice needs 7 days"
    )
    thin = seen(profile(coverage=0.25, count=2016, expected=8064))[0]
    assert (thin.count, thin.example) == (6048, "2,016 of 8,064 samples")
    biased = seen(profile(week_count=(48,) * 120 + (0,) * 48))[0]
    assert (biased.count, biased.example) == (48, "Saturday 00:00 (UTC)")


class TestMemoryHours:
    def memory(self, **changes: Any) -> Profile:
        return profile(metric_name="memory_utilization", **changes)

    @pytest.mark.parametrize(
        ("week", "expected"),
        [
            ((48,) * 168, None),
            ((0,) + (48,) * 167, None),
            ((0,) * 2 + (48,) * 166, GATE),
            ((12,) * 2 + (48,) * 166, None),
            ((11,) * 2 + (48,) * 166, GATE),
            ((24,) * 168, None),  # half of the time, at all hours
            ((24,) * 160 + (0,) * 8, GATE),
        ],
    )
    def test_memory_is_there_whenever_cpu_is(
        self, week: tuple[int, ...], expected: str | None
    ) -> None:
        found = codes(seen(profile(), self.memory(week_count=week)))
        assert found.get(("memory-hours", "memory_utilization")) == expected

    def test_of_other_periods_the_time_counts(self) -> None:
        coarse = self.memory(week_count=(16,) * 168, period_seconds=900)
        assert seen(profile(), coarse) == ()

    def test_hours_that_cpu_lacks_too_are_not_held_against_it(self) -> None:
        off = (48,) * 160 + (0,) * 8
        assert seen(profile(week_count=off), self.memory(week_count=off)) == ()
        assert seen(profile(week_count=off), self.memory()) == ()

    def test_without_cpu_there_is_nothing_to_compare(self) -> None:
        assert seen(self.memory(week_count=(0,) * 8 + (48,) * 160)) == ()

    def test_it_says_when(self) -> None:
        office = tuple(
            0 if day < 5 and 10 <= hour < 16 else 48 for day in range(7) for hour in range(24)
        )
        found = next(
            f for f in seen(profile(), self.memory(week_count=office)) if f.check == "memory-hours"
        )
        assert (found.count, found.example) == (30, "Monday 10:00 (UTC)")
        assert "30 of the week's 168 hours in which CPU is" in found.detail


def test_hours_no_sample_fell_in_are_no_bias_while_the_history_is_short() -> None:
    young = {"first": T0 + timedelta(days=25), "week_count": (0,) * 96 + (12,) * 72}
    assert level("week-coverage", **young) is None
    assert level("short-history", **young) == GATE


def test_a_counter_that_was_reset_is_named() -> None:
    rate = profile(metric_name="disk_read", histogram=None, refused_low=4)
    (finding,) = seen(profile(), rate)
    assert (finding.check, finding.example) == ("out-of-range", "below 0")
    assert finding.detail.endswith("a rate below 0 is a counter that was reset")


def test_settings_move_the_thresholds() -> None:
    strict = QualitySettings(min_days=30, min_coverage=0.999, max_age_days=0.001)
    series = {"m-1": (replace(profile(), coverage=0.998),)}
    found = assess({"m-1": resource()}, series, END + timedelta(hours=1), strict)["m-1"]
    assert {f.check for f in found} == {"stale", "short-history", "coverage"}


def test_every_check_has_a_docstring() -> None:
    assert all(check.__doc__ for check in CHECKS.values())


def test_figures_for_people() -> None:
    assert [percent(x) for x in (0, 1e-9, 0.25, 0.4991, 0.99999, 1)] == [
        "0 %",
        "0.1 %",
        "25 %",
        "49.9 %",
        "99.9 %",
        "100 %",
    ]
    assert [duration(s) for s in (300, 3600, 86_400, 4 * 86_400)] == [
        "5 minutes",
        "60 minutes",
        "24 hours",
        "4.0 days",
    ]
