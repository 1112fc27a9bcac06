"""Which families are ordinary, by real names of the three clouds."""

from __future__ import annotations

import pytest

from costopt.model import Shape
from costopt.rules.families import family, is_plain

PLAIN = [
    ("AWS", "m6i.large", None),
    ("AWS", "c5a.4xlarge", "c5a"),
    ("AWS", "r7g.medium", "r7g"),
    ("AWS", "t3a.small", "t3a"),
    ("AWS", "g4", None),  # one's own ladder, sold under the cloud's name
    ("GCP", "n2-standard-4", "n2-standard"),
    ("GCP", "e2-highmem-2", "e2-highmem"),
    ("GCP", "c4a-highcpu-8", "c4a-highcpu"),
    ("GCP", "e2-medium", "e2"),
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
    ("AWS", "m5zn.large", "m5zn"),
    ("AWS", "mac2.metal", "mac2"),
    ("AWS", "u-6tb1.56xlarge", "u-6tb1"),
    ("AWS", "hpc7a.12xlarge", "hpc7a"),
    ("AWS", "x2idn.16xlarge", "x2idn"),
    ("AWS", "i4i.large", "i4i"),
    ("AWS", "trn1.2xlarge", "trn1"),
    ("GCP", "m1-ultramem-40", "m1-ultramem"),
    ("GCP", "a2-highgpu-1g", "a2-highgpu"),
    ("GCP", "h3-standard-88", "h3-standard"),
    ("GCP", "f1-micro", "f1"),
    ("Azure", "Standard_DC2s_v3", "DCsv3"),
    ("Azure", "Standard_EC4as_v5", "ECasv5"),
    ("Azure", "Standard_M64s", "Ms"),
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
