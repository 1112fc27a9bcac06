"""rightsize and memory: kept where it is not measured, else by its own rule."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from costopt.model import Finding, FindingLevel, Skip
from costopt.rules.base import Case
from costopt.rules.rightsize_settings import RightsizeSettings
from tests.rules.builders import (
    Recorded,
    Values,
    case,
    fleet,
    kind,
    ladder,
    m6i,
    recorded,
    samples,
)
from tests.rules.judging import advised, fits, judge, set_so, skipped, target

MIDDLE = kind("m6i.3xlarge", 12, "0.576", 48.0, Architecture="x86_64", PhysicalCores=6)


def measured(memory: Values, *, today: str = "m6i.4xlarge", **more: Any) -> Case:
    """64 GiB and a CPU that would do with an eighth of its vCPUs."""
    given: dict[str, Any] = {"provider": "AWS", "types": (*m6i(), MIDDLE)}
    given["metrics"] = {"memory_utilization": memory} | more.pop("metrics", {})
    return case(today, samples(level=5), **given, **more)


def by_days(*levels: float) -> Values:
    """A level a day, of five-minute samples."""
    return np.repeat(np.array(levels, float), 288)


def test_unmeasured_memory_is_kept() -> None:
    types = (*m6i(), kind("r6i.xlarge", 4, "0.252", 32.0))
    found = advised(case("m6i.2xlarge", samples(level=20), provider="AWS", types=types))
    assert found.recommended is not None
    assert found.recommended.instance_type == "r6i.xlarge"
    assert "memory is not measured, so at least 32 GiB are kept" in found.reason
    alone = case("m6i.2xlarge", samples(level=20), provider="AWS", types=m6i())
    assert skipped(alone) == "memory-unmeasured"


@pytest.mark.parametrize(
    ("peak", "expected"), [(20.0, "m6i.large"), (42.0, "m6i.xlarge"), (43.0, None), (60.0, None)]
)
def test_a_peak_keeps_its_headroom(peak: float, expected: str | None) -> None:
    # in every day, so that neither growth nor trend asks for more; 42.5 % is 0.85 of half
    memory = samples(level=5, burst=peak, burst_share=0.005)
    given: dict[str, Any] = {"provider": "AWS", "types": m6i()}
    given["metrics"] = {"memory_utilization": memory}
    assert set_so("m6i.2xlarge", samples(level=5), {}, **given) == expected
    found = judge(case("m6i.2xlarge", samples(level=5), **given))
    assert found.evidence["memory"]["decided_by"] == "headroom"
    if expected:
        needs = f"needs {peak / 100 * 32 / 0.85:.3g} GiB with 15 % headroom"
        assert f"memory peaks at {peak:g} % of 32 GiB and {needs}" in found.reason


def test_more_headroom_on_request() -> None:
    steady = {"metrics": {"memory_utilization": samples(level=42)}, "provider": "AWS"}
    given: dict[str, Any] = steady | {"types": m6i()}
    assert set_so("m6i.2xlarge", samples(level=5), {}, **given) == "m6i.xlarge"
    more = {"memory_headroom_percent": 17}
    assert set_so("m6i.2xlarge", samples(level=5), more, **given) is None


def test_what_grew_before_may_grow_again() -> None:
    found = advised(measured(by_days(*[20] * 14, *[30] * 14)))
    assert found.evidence["memory"]["decided_by"] == "growth"
    assert found.evidence["memory"]["needed_gib"] == pytest.approx(0.3 * 64 * 1.5)
    assert "needs 28.8 GiB as its peak has grown by 50 % in a fortnight before" in found.reason
    steady = advised(measured(by_days(*[30] * 28)))
    assert steady.evidence["memory"]["needed_gib"] == pytest.approx(0.3 * 64 / 0.85, abs=1e-3)


def test_a_steady_rise_is_carried_on_to_the_end_of_the_horizon() -> None:
    found = advised(measured(by_days(*[30] * 14, *range(31, 45))))
    assert found.recommended is not None
    assert found.recommended.instance_type == "m6i.3xlarge"
    # 44 % and a point a day for 14 days more is 58 %, of 64 GiB, with 15 % free
    assert found.evidence["memory"]["needed_gib"] == pytest.approx(0.58 * 64 / 0.85, abs=1e-3)
    assert "GiB as its peaks rise by 1 point a day" in found.reason


def test_memory_maxima_count_and_zero_is_no_measurement() -> None:
    low = samples(level=5)
    peaks = {("memory_utilization", "max"): samples(level=90)}
    fits(measured(low, metrics=peaks, today="m6i.2xlarge"))
    assert skipped(measured(samples(level=0), today="m6i.2xlarge")) == "memory-unmeasured"
    assert target(measured(low, today="m6i.2xlarge")) == "m6i.large"
    fits(measured(low, today="m6i.2xlarge"), size_memory=False)


def test_memory_measured_for_less_than_a_week_is_kept() -> None:
    memory = samples(level=5)
    memory[: -6 * 288] = np.nan
    assert skipped(measured(memory)) == "memory-unmeasured"


def test_a_gated_memory_metric_is_unmeasured() -> None:
    gate = Finding("m-1", "memory_utilization", "stuck", FindingLevel.GATE, 1, "", "it is stuck")
    outcome = judge(measured(samples(level=5), findings=(gate,)))
    assert isinstance(outcome, Skip)
    assert outcome.reason == "memory-unmeasured"
    assert "memory is not usable (stuck), so at least 64 GiB are kept" in outcome.detail


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
    given = case("m6i.2xlarge", samples(level=5), provider="AWS", types=m6i())
    assert given.shape is not None
    unknown = replace(given, shape=replace(given.shape, memory_gib=None))
    assert skipped(unknown) == "memory-unknown"


def test_a_target_of_unknown_memory_is_no_candidate_beside_known_ones() -> None:
    types = (*m6i(), kind("m6i.mystery", 1, "0.01", None))
    unmeasured = case("m6i.4xlarge", samples(level=2), provider="AWS", types=types)
    assert skipped(unmeasured) == "memory-unmeasured"
    full = {"memory_utilization": samples(level=90)}
    fits(case("m6i.4xlarge", samples(level=2), provider="AWS", types=types, metrics=full))


# -- by the fleet's past ---------------------------------------------------------------------


def burst_out(count: int, failing: int) -> list[Recorded]:
    """So many machines at 20 % of their memory, of which some go to 90 % in the last fortnight."""
    flat, out = samples(level=20), by_days(*[20] * 14, *[90] * 14)
    sold: dict[str, Any] = {"provider": "AWS", "types": m6i(), "cpu": samples(level=5)}
    return [
        recorded(
            "m6i.2xlarge",
            resource_id=f"m-{number:03d}",
            metrics={"memory_utilization": out if number < failing else flat},
            **sold,
        )
        for number in range(count)
    ]


def test_memory_stays_where_no_headroom_was_enough_for_the_fleet() -> None:
    quiet = fleet(burst_out(120, 6))[-1]
    memory = fits(quiet).evidence["memory"]
    assert memory["headroom_percent"] is None
    assert memory["headroom_basis"] == (
        "even with 50 % headroom 6 of 120 machines would have run out of memory: memory stays as "
        "it is"
    )
    assert memory["needed_gib"] == 32


def test_a_fleet_that_never_ran_out_keeps_the_configured_headroom() -> None:
    found = advised(fleet(burst_out(120, 0))[-1])
    assert found.recommended is not None
    assert found.recommended.instance_type == "m6i.large"
    assert found.evidence["memory"]["headroom_basis"] == (
        "with 15 % headroom 0 of 120 machines would have run out of memory"
    )
    assert found.backtest is not None
    assert found.backtest["memory"] == {"origins": 1, "out_of_memory": 0}


def test_a_larger_budget_is_kept_by_less_headroom() -> None:
    allowed = RightsizeSettings(memory_budget_percent=10)  # (6 + 1) / 121 is 5.8 %
    found = advised(fleet(burst_out(120, 6), allowed)[-1], memory_budget_percent=10)
    assert found.evidence["memory"]["headroom_percent"] == 15


def test_a_small_fleet_shows_nothing_and_keeps_the_configured_headroom() -> None:
    found = advised(fleet(burst_out(20, 2))[-1])
    assert "too little to show" in found.evidence["memory"]["headroom_basis"]
    assert found.evidence["memory"]["headroom_percent"] == 15
