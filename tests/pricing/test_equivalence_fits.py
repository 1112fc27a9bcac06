"""Floors: what may stand in for a need, by hand and by properties."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.model import Shape
from costopt.optimize import placement
from costopt.pricing.catalogue import Catalogue
from costopt.pricing.equivalence import Facts, Speed
from costopt.pricing.fits import ANY, MEASURES, Equivalents, Need, fits

FACTS = Facts.load()
CATALOGUE = Catalogue.load()
SHAPES = [s for n, s in enumerate(CATALOGUE.shapes()) if n % 7 == 0]
MANY = Equivalents.of(SHAPES, FACTS)


def shape(provider: str, kind: str) -> Shape:
    found = CATALOGUE.shape(provider, kind)
    assert found is not None, kind
    return found


def speed(provider: str, kind: str) -> Speed:
    found = FACTS.speed(shape(provider, kind))
    assert found is not None, kind
    return found


M5, M6I, M7G = (speed("aws", kind) for kind in ("m5.xlarge", "m6i.xlarge", "m7g.xlarge"))


def test_measures_are_those_of_placement() -> None:
    assert placement.MEASURES == MEASURES


@pytest.mark.parametrize(
    ("vcpus", "of", "kind", "answer"),
    [
        (4.0, M5, "m5.xlarge", True),  # the very same processors: as many vCPUs
        (4.1, M5, "m5.xlarge", False),
        (4.0, M5, "m6i.large", False),  # 4 x 0.74 = 2.96 > 2 x 1
        (2.7, M5, "m6i.large", True),  # 2.7 x 0.74 = 1.998
        (2.71, M5, "m6i.large", False),
        (4.0, M6I, "m5.xlarge", False),  # 4 > 4 x 0.64
        (2.56, M6I, "m5.xlarge", True),
        (2.57, M6I, "m5.xlarge", False),
        (2.4, M6I, "m7g.large", True),  # 2 x 1.22 = 2.44
        (2.5, M6I, "m7g.large", False),
    ],
)
def test_vcpus_are_compared_against_the_move(
    vcpus: float, of: Speed, kind: str, answer: bool
) -> None:
    need = Need(vcpus, of, architectures=ANY)
    assert fits(need, shape("aws", kind), FACTS) is answer


def test_arm_only_where_it_is_allowed() -> None:
    need = Need(1, M6I, memory_gib=4)
    assert not fits(need, shape("aws", "m7g.large"), FACTS)
    assert fits(replace(need, architectures=ANY), shape("aws", "m7g.large"), FACTS)
    arm = Need(1, M7G, architectures=frozenset({"arm64"}))
    assert not fits(arm, shape("aws", "m6i.4xlarge"), FACTS)


def test_an_unknown_speed_shows_nothing_to_be_enough() -> None:
    racks = Shape("Own racks", "r640", 400, 4000, architecture="x86_64")
    assert not fits(Need(1, M6I), racks, FACTS)
    assert not fits(Need(1, None), shape("aws", "m6i.24xlarge"), FACTS)
    assert fits(Need(0, None, memory_gib=64), racks, FACTS)


@pytest.mark.parametrize(
    ("floor", "kind", "answer"),
    [
        ({"memory_gib": 16.0}, "m6i.xlarge", True),
        ({"memory_gib": 16.1}, "m6i.xlarge", False),
        ({"local_disk_gib": 1.0}, "m6i.xlarge", False),
        ({"local_disk_gib": 100.0}, "m6id.xlarge", True),
        ({"network_gbps": 1.5}, "m6i.xlarge", True),  # sustains 1.5625
        ({"network_gbps": 2.0}, "m6i.xlarge", False),
        ({"gpu_count": 1}, "m6i.xlarge", False),
        ({"gpu_count": 1, "gpu_memory_gib": 24.0}, "g5.xlarge", True),  # shows 22.4
        ({"gpu_count": 1, "gpu_memory_gib": 24.0}, "g4dn.xlarge", False),
        ({"gpu_count": 1, "gpu_bandwidth_gb_s": 400.0}, "g5.xlarge", True),
        ({"gpu_count": 1, "gpu_bandwidth_gb_s": 400.0}, "g6.xlarge", False),  # an L4 has 300
        ({"gpu_count": 1, "gpu_tflops": 121.0}, "g6.xlarge", True),
        ({"gpu_count": 1, "gpu_tflops": 121.0}, "g5.xlarge", False),  # an A10G has 70
        ({"gpu_count": 2}, "g5.xlarge", False),
        ({"gpu_count": 8, "gpu_memory_gib": 80.0, "gpu_tflops": 900.0}, "p5.48xlarge", True),
        ({"gpu_count": 1, "gpu_tflops": 1.0}, "g7e.2xlarge", False),  # its maker does not say
    ],
)
def test_floors(floor: dict[str, float], kind: str, answer: bool) -> None:
    need = Need(**floor)  # type: ignore[arg-type]
    assert fits(need, shape("aws", kind), FACTS) is answer


def test_an_unknown_figure_fulfils_no_floor() -> None:
    bare = Shape("Own", "x", 4, architecture="x86_64")
    for floor in ({"memory_gib": 1.0}, {"local_disk_gib": 1.0}):
        assert not fits(Need(**floor), bare, FACTS)
    assert fits(Need(), bare, FACTS)


def test_an_unknown_network_is_no_bar() -> None:
    """No size of Azure tells its own; where one is told, it counts."""
    silent = Shape("Own", "x", 4, 16, architecture="x86_64")
    assert fits(Need(network_gbps=5.0), silent, FACTS)
    assert not fits(Need(network_gbps=5.0, memory_gib=17), silent, FACTS)
    assert fits(Need(network_gbps=5.0), replace(silent, network_gbps=5.0), FACTS)
    assert not fits(Need(network_gbps=5.0), replace(silent, network_gbps=4.9), FACTS)


def test_an_architecture_that_is_not_told_is_no_reason() -> None:
    assert fits(Need(), Shape("Own", "x", 4), FACTS)


def test_least_is_the_high_end_for_placement() -> None:
    need = Need(2, M5, 8, 1, 24, 100, 50, 10, 5)
    np.testing.assert_allclose(need.least, [2 * 0.74, 8, 1, 21.6, 100, 50, 10, 5])
    assert np.isinf(Need(2, None).least[0])
    assert Need(0, None).least[0] == 0


def test_of_nothing_nothing_fits() -> None:
    nothing = Equivalents.of([], FACTS)
    assert nothing.has.shape == (0, len(MEASURES))
    assert nothing.fits(Need(1, M6I)).tolist() == []


def test_worth_in_vcpus_of_another_machine() -> None:
    two = Equivalents.of([shape("aws", "m5.xlarge"), shape("aws", "m6i.xlarge")], FACTS)
    np.testing.assert_allclose(two.worth(M5), [4, 4 / 0.74])
    np.testing.assert_allclose(two.worth(M6I), [4 * 0.64, 4])
    assert np.isnan(two.worth(None)).all()


needs = st.builds(
    Need,
    vcpus=st.floats(0, 64),
    speed=st.sampled_from([M5, M6I, M7G, None]),
    memory_gib=st.floats(0, 256),
    gpu_count=st.integers(0, 4),
    gpu_memory_gib=st.floats(0, 80),
    local_disk_gib=st.sampled_from([0.0, 100.0]),
    network_gbps=st.floats(0, 20),
    architectures=st.sampled_from([ANY, frozenset({"x86_64"}), frozenset({"arm64"})]),
)


@given(needs, st.integers(0, len(SHAPES) - 1))
def test_many_at_once_are_judged_as_each_alone(need: Need, at: int) -> None:
    assert bool(MANY.fits(need)[at]) is fits(need, SHAPES[at], FACTS)


@given(needs, st.floats(1, 3))
def test_a_greater_need_fits_nowhere_new(need: Need, more: float) -> None:
    greater = replace(need, vcpus=need.vcpus * more, memory_gib=need.memory_gib * more)
    assert not (MANY.fits(greater) & ~MANY.fits(need)).any()


@given(needs, st.integers(0, len(SHAPES) - 1))
def test_a_larger_machine_fits_wherever_the_smaller_does(need: Need, at: int) -> None:
    small = SHAPES[at]
    large = replace(
        small,
        vcpus=small.vcpus * 2,
        physical_cores=small.physical_cores and small.physical_cores * 2,
        memory_gib=small.memory_gib and small.memory_gib * 2,
    )
    assert fits(need, large, FACTS) >= fits(need, small, FACTS)


@given(needs)
def test_placement_is_never_bolder(need: Need) -> None:
    """Its columns compare against the move even between the same processors."""
    has = np.nan_to_num(MANY.has)
    by_columns = (has >= need.least).all(axis=1)
    architecture = np.isin(MANY.architecture, [*need.architectures, ""])
    assert not (by_columns & architecture & ~MANY.fits(need)).any()
