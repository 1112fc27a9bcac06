"""Samples of the size that a machine had before: known by the memory they tell, and left out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from costopt.providers.azure.metrics.catalogue import FREE_BYTES, FREE_PERCENT
from costopt.providers.azure.metrics.resized import before
from costopt.units import GIB
from tests.fakes import azure_monitor
from tests.providers.azure.monitored import NOW, SHOP, cpu, machine, watched, window

RESIZED = NOW - timedelta(hours=7)
_POINT = azure_monitor.point


@pytest.fixture
def was_larger(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until then every machine had four times the memory."""

    def point(resource_id: str, metric: str, minute: Any, device: str = "") -> Any:
        value = _POINT(resource_id, metric, minute, device)
        if metric != "Available Memory Bytes":
            return value
        return value * np.where(minute * 60 < RESIZED.timestamp(), 4, 1)

    monkeypatch.setattr(azure_monitor, "point", point)


def test_what_was_measured_of_another_size_is_left_out_and_told(was_larger: None) -> None:
    one = machine(1)
    with watched([one]) as fleet:
        collected = fleet.collect()
    begin = int(RESIZED.timestamp()) // 300 * 300 + 300
    slots = [slot for slot in window(2) if slot >= begin]
    wanted = cpu([one], slots)
    found = {k: v for k, v in collected.samples.items() if k[1] == "cpu_utilization"}
    assert {key[3] for key in found} == {key[3] for key in wanted}
    assert {key[1] for key in collected.samples if key[3] < begin} == set()
    (problem,) = collected.problems
    assert problem.where == f"{SHOP} Microsoft.Insights/metrics/read"
    assert "of 64 GiB instead of 16" in problem.what
    assert not problem.fatal


def test_a_machine_resized_just_now_has_no_samples_yet(was_larger: None) -> None:
    with watched([machine(1)], until=RESIZED) as fleet:
        collected = fleet.collect()
    assert collected.samples == {}
    assert len(collected.problems) == 1


def test_where_the_memory_of_the_size_is_not_known_nothing_is_left_out(was_larger: None) -> None:
    with watched([machine(1, memory=None)]) as fleet:
        collected = fleet.collect()
    assert min(key[3] for key in collected.samples) < RESIZED.timestamp() - 86_400
    assert collected.problems == []


SIXTEEN = 16.0 * GIB


def cells(*wholes: float, percent: float = 50.0) -> dict[Any, Any]:
    """Slots of machines with so many GiB, of which so much is available; NaN = not measured."""
    whole = np.array(wholes)
    share = np.where(np.isnan(whole), np.nan, percent)
    return {FREE_PERCENT: share, FREE_BYTES: whole * GIB * percent / 100}


@pytest.mark.parametrize(
    ("wholes", "slots"),
    [
        ([16.0] * 40, None),
        ([15.2] * 40, None),  # what firmware and the kernel keep
        ([64.0] * 20 + [16.0] * 20, 20),
        ([8.0] * 20 + [16.0] * 3, 20),
        ([64.0] * 40, 40),
        ([64.0] * 10 + [float("nan")] * 10 + [16.0] * 20, 10),
        ([16.0] * 20 + [64.0] + [16.0] * 20, None),  # one odd measurement
        ([float("nan")] * 5, None),
    ],
)
def test_until_which_slot_it_was_another_size(wholes: list[float], slots: int | None) -> None:
    found = before(SIXTEEN, cells(*wholes))
    assert (found and found.slots) == slots


def test_a_rest_of_few_percent_tells_nothing() -> None:
    assert before(SIXTEEN, cells(*[64.0] * 40, percent=4.0)) is None


def test_without_the_percentage_more_than_there_is_tells() -> None:
    more = {FREE_BYTES: np.array([30.0 * GIB] * 20 + [10.0 * GIB] * 20)}
    assert before(SIXTEEN, more) == (20, 30.0 * GIB)
    assert before(SIXTEEN, {FREE_BYTES: np.full(40, 15.0 * GIB)}) is None
    assert before(float("nan"), more) is None
    assert before(SIXTEEN, {}) is None
