"""Which families are ordinary, by real names of the three clouds."""

from __future__ import annotations

import math

import pytest

from costopt.model import Shape
from costopt.rules.families import family, generation, hardware, is_plain

PLAIN = [
    ("AWS", "m6i.large", None),
    ("AWS", "c5a.4xlarge", "c5a"),
    ("AWS", "r7g.medium", "r7g"),
    ("AWS", "t3a.small", "t3a"),
    ("AWS", "g4", None),  # one's own ladder, sold under the cloud's name
    ("GCP", "n2-standard-4", "n2-standard"),
    ("GCP", "n1-highmem-2", "n1-highmem"),
    ("GCP", "c4a-highcpu-8", "c4a-highcpu"),
    ("Azure", "Standard_D4s_v5", "Dsv5"),
    ("Azure", "Standard_E8as_v6", "Easv6"),
    ("Azure", "Standard_F2s_v2", "Fsv2"),
    ("Azure", "Standard_B2ms", "Bms"),
    ("Azure", "Standard_DS2_v2", "DSv2"),
    ("OnPrem", "std.8c32g", None),
    ("OnPrem", "", None),
]
EXTRAORDINARY = [
    ("AWS", "m6i.metal", "m6i"),
    ("AWS", "m7i-flex.large", "m7i-flex"),
    ("AWS", "m8azn.large", "m8azn"),
    ("AWS", "mac2.metal", "mac2"),
    ("AWS", "u-6tb1.56xlarge", "u-6tb1"),
    ("AWS", "hpc7a.12xlarge", "hpc7a"),
    ("AWS", "x2idn.16xlarge", "x2idn"),
    ("AWS", "i4i.large", "i4i"),
    ("AWS", "trn1.2xlarge", "trn1"),
    ("GCP", "m1-ultramem-40", "m1-ultramem"),
    ("GCP", "a2-highgpu-1g", "a2-highgpu"),
    ("GCP", "h3-standard-88", "h3-standard"),
    ("GCP", "f1-micro", "f1-shared"),
    ("GCP", "e2-standard-4", "e2-standard"),
    ("Azure", "Standard_DC2s_v3", "DCsv3"),
    ("Azure", "Standard_EC4as_v5", "ECasv5"),
    ("Azure", "Standard_M64s", "Ms"),
    ("Azure", "Standard_E4-2s_v5", "Esv5"),
    ("Azure", "Standard_L8s_v3", "Lsv3"),
    ("Azure", "Standard_NC24ads_A100_v4", "NCadsA100v4"),
    ("Azure", "Standard_D4s_v5", None),  # of unknown family: not taken for ordinary
]


@pytest.mark.parametrize(("provider", "name", "kin"), PLAIN)
def test_ordinary_machines(provider: str, name: str, kin: str | None) -> None:
    assert is_plain(Shape(provider, name, 4, family=kin))


@pytest.mark.parametrize(("provider", "name", "kin"), EXTRAORDINARY)
def test_extraordinary_machines(provider: str, name: str, kin: str | None) -> None:
    assert not is_plain(Shape(provider, name, 4, family=kin))


def test_accelerators_are_extraordinary() -> None:
    assert not is_plain(Shape("OnPrem", "gpu-box", 32, gpu_count=4))
    assert not is_plain(Shape("OnPrem", "gpu-box", 32, gpu_model="A100"))


def test_the_family_is_read_from_the_name_where_the_shape_does_not_tell() -> None:
    assert family(Shape("AWS", "m9x.large", 2)) == "m9x"
    assert family(Shape("GCP", "n9-standard-4", 4)) == "n9-standard"
    assert family(Shape("OnPrem", "g4", 4)) == ""
    constrained = Shape("Azure", "Standard_E4-2s_v5", 2, family="Esv5")
    assert family(constrained) == "Esv5-constrained"


def test_generations_are_counted_as_the_clouds_do() -> None:
    assert generation(Shape("AWS", "m6i.large", 2)) == 6
    assert generation(Shape("GCP", "n2d-standard-4", 4)) == 2
    assert generation(Shape("Azure", "Standard_D4s_v5", 4, family="Dsv5")) == 5
    assert math.isnan(generation(Shape("Azure", "Standard_D4", 4, family="D")))
    assert math.isnan(generation(Shape("AWS", "t3.large", 2, burstable_baseline_percent=30)))
    assert math.isnan(generation(Shape("OnPrem", "g4", 4)))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (Shape("AWS", "m6i.large", 2), Shape("AWS", "r6i.large", 2), True),
        (Shape("AWS", "m6i.large", 2), Shape("AWS", "r6a.large", 2), False),
        (Shape("AWS", "m6i.large", 2), Shape("AWS", "i6i.large", 2), False),
        (Shape("AWS", "m6i.large", 2), Shape("AWS", "m6i.metal", 2, family="m6i-metal"), False),
        (Shape("GCP", "e2-standard-4", 4), Shape("GCP", "e2-highmem-4", 4), True),
        (Shape("GCP", "n2-standard-4", 4), Shape("GCP", "n2d-highmem-4", 4), False),
        (
            Shape("GCP", "c3-standard-4", 4),
            Shape("GCP", "c3-standard-4-metal", 4, family="c3-standard-metal"),
            False,
        ),
        (
            Shape("Azure", "Standard_D4s_v5", 4, family="Dsv5"),
            Shape("Azure", "Standard_E4s_v5", 4, family="Esv5"),
            True,
        ),
        (
            Shape("Azure", "Standard_D4s_v5", 4, family="Dsv5"),
            Shape("Azure", "Standard_E4as_v5", 4, family="Easv5"),
            False,
        ),
        (
            Shape("Azure", "Standard_E4s_v5", 4, family="Esv5"),
            Shape("Azure", "Standard_L4s_v5", 4, family="Lsv5"),
            False,
        ),
    ],
)
def test_hardware_is_shared_by_families_of_other_memory(
    one: Shape, other: Shape, same: bool
) -> None:
    assert (hardware(one) == hardware(other)) is same
