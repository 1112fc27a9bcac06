"""When a machine is in use, sample by sample: by hand."""

from __future__ import annotations

import numpy as np
import pytest

from costopt.frame.use import Spans, in_use

_QUIET = np.full((1, 3), 20.0)  # B/s


def _used(cpu: list[float], vcpus: float | None = 4.0, **more: list[float]) -> list[float]:
    ways = {name: np.array([values]) for name, values in more.items()}
    quiet = {"network_in": _QUIET, "network_out": _QUIET}
    return in_use(Spans(np.array([cpu]), **{**quiet, **ways}), vcpus)[0].tolist()


def test_a_sample_counts_by_its_own_cpu() -> None:
    assert _used([0.4, 5.0, 4.9]) == [0, 1, 0]
    assert _used([0.4, 4.9, 0.4], vcpus=16) == [0, 1, 0]  # 0.78 vCPU


def test_without_network_the_test_is_stricter() -> None:
    cpu = np.array([[1.0, 2.0, 0.2], [0.7, 0.9, 0.8], [0.3, 0.3, 0.3]])
    used = in_use(Spans(cpu), 4.0)
    assert used.tolist() == [[1, 1, 1], [1, 1, 1], [0, 0, 0]]  # means of 1.07, 0.8 and 0.3 %
    one_way = in_use(Spans(cpu, network_in=np.full((3, 3), 20.0)), 4.0)
    assert one_way.tolist() == used.tolist()


def test_traffic_is_use_and_a_single_sample_of_chatter_is_none() -> None:
    assert _used([0.4] * 3, network_out=[100.0, 2500.0, 100.0]) == [0, 0, 0]  # 900 on average
    assert _used([0.4] * 3, network_out=[900.0, 2500.0, 900.0]) == [0, 1, 0]
    assert _used([0.4] * 3, network_in=[0.0, 1e5, 0.0]) == [0, 1, 0]


def test_what_is_missing_is_not_known_and_what_has_no_size_is_in_use() -> None:
    assert np.isnan(_used([np.nan, 0.4, 50.0])).tolist() == [True, False, False]
    assert _used([0.4] * 3, vcpus=None) == [1, 1, 1]


@pytest.mark.parametrize(("card", "used"), [((0.0, 4.0), 0), ((1.0, 0.0), 1), ((0.0, 5.0), 1)])
def test_a_model_that_waits_in_gpu_memory_is_in_use(card: tuple[float, float], used: int) -> None:
    gpu, memory = ([value] * 3 for value in card)
    assert _used([0.4] * 3, gpu=gpu, gpu_memory=memory) == [used] * 3
