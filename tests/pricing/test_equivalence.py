"""Speeds of vCPUs: the shipped table, families on several processors, and one's own rows."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest

from costopt.errors import InputError
from costopt.model import Shape
from costopt.pricing import facts
from costopt.pricing.catalogue import Catalogue
from costopt.pricing.equivalence import Facts, Speed

FACTS = Facts.load()
CATALOGUE = Catalogue.load()


def speed(provider: str, instance_type: str) -> Speed:
    shape = CATALOGUE.shape(provider, instance_type)
    assert shape is not None, instance_type
    found = FACTS.speed(shape)
    assert found is not None, instance_type
    return found


def test_every_row_has_figures_in_order_a_source_and_a_day() -> None:
    for row in facts.rows("cpus"):
        assert 0 < float(row["low"]) <= float(row["per_vcpu"]) <= float(row["high"]) < 6, row
        assert all(row[name] for name in ("provider", "families", "generation", "source")), row
        assert row["vcpu"] in {"thread", "core", "shared", "borrowed", "borrowed core"}, row
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", row["read"]), row
        assert (int(row["machines"]) > 0) is (not row["vcpu"].startswith("borrowed")), row


def test_the_reference_is_one() -> None:
    for kind in ("m6i.large", "c6i.8xlarge", "r6i.metal"):
        assert speed("aws", kind).per_vcpu == 1.0
        assert (speed("aws", kind).low, speed("aws", kind).high) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("m4.large", "m5.large"),
        ("m5.large", "m6i.large"),
        ("m6i.large", "m7i.large"),
        ("m7i.large", "m8i.large"),
        ("m5a.large", "m6a.large"),
        ("m6g.large", "m7g.large"),
        ("m7g.large", "m8g.large"),
        ("m6a.large", "m7a.large"),  # threads of Zen 3 against whole cores of Zen 4
    ],
)
def test_generations_are_in_order(older: str, newer: str) -> None:
    assert speed("aws", newer).low > speed("aws", older).low
    assert speed("aws", newer).per_vcpu > 1.05 * speed("aws", older).per_vcpu


@pytest.mark.parametrize(
    ("kind", "coremark"),
    [  # Microsoft's CoreMark of sizes of 4 vCPUs against D4ds_v5's 68,673 (2020 to 2022)
        ("Standard_D4ads_v5", 72_644 / 68_673),
        ("Standard_D4d_v5", 68_696 / 68_673),
        ("Standard_F4s_v2", 65_683 / 68_673),
    ],
)
def test_another_benchmark_agrees_within_a_third(kind: str, coremark: float) -> None:
    """CoreMark fits in the first cache, and is kind to old processors: the worst of disagreements
    (F4s_v2) is a quarter, and docs/equivalence.md says so."""
    ours = speed("azure", kind).per_vcpu / speed("azure", "Standard_D4ds_v5").per_vcpu
    assert ours == pytest.approx(coremark, rel=0.33)
    assert speed("azure", kind).low < coremark


def test_whole_cores_are_not_divided_again() -> None:
    """CoreMark of one Cascade Lake, with SMT off (B4ms) and on (F4s_v2): 85,894 / 65,683 = 1.31."""
    smt_off = next(
        float(row["per_vcpu"])
        for row in facts.rows("cpus")
        if row["cpu"].startswith("8272CL") and row["vcpu"] == "core"
    )
    smt_on = next(
        float(row["per_vcpu"])
        for row in facts.rows("cpus")
        if row["cpu"].startswith("8272CL") and row["vcpu"] == "thread"
    )
    assert smt_off / smt_on == pytest.approx(85_894 / 65_683, rel=0.1)


def test_smt_switched_off_makes_a_threads_figure_a_cores() -> None:
    threads = Shape("AWS", "m6i.4xlarge", 16, 64, physical_cores=8, family="m6i")
    cores = Shape("AWS", "m6i.4xlarge", 8, 64, physical_cores=8, family="m6i")
    one, other = FACTS.speed(threads), FACTS.speed(cores)
    assert one is not None
    assert other is not None
    assert one.per_vcpu == 1.0
    assert other.low == pytest.approx(1 / 0.86)
    assert other.high == pytest.approx(1 / 0.63)
    # A Graviton's vCPU was measured as a core: its cores do not count twice.
    graviton = Shape("AWS", "m7g.xlarge", 4, 16, physical_cores=4, family="m7g")
    unknown = Shape("AWS", "m7g.xlarge", 4, 16, family="m7g")
    assert FACTS.speed(graviton) == FACTS.speed(unknown)


def test_a_family_on_several_processors_spans_them() -> None:
    lottery, newest = speed("azure", "Standard_D4s_v3"), speed("azure", "Standard_D4s_v5")
    assert lottery.low == 0.44  # the slowest's: Haswell
    assert lottery.high == newest.high == 1.46  # it may be an Emerald Rapids, too
    assert lottery.low < lottery.per_vcpu < lottery.high
    assert speed("gcp", "n1-standard-4").low == 0.25  # Sandy Bridge
    assert speed("gcp", "e2-standard-4").high > 1.8 * speed("gcp", "e2-standard-4").low


V5 = "Ice Lake, Sapphire Rapids, Emerald Rapids"
V4 = f"Cascade Lake, {V5}"
OLD = "Haswell, Broadwell, Skylake, Cascade Lake, Ice Lake"


@pytest.mark.parametrize(
    ("provider", "kind", "processors"),
    [  # by Microsoft's page of each series (azure-compute-docs, *-specs.md), AWS's and Google's
        ("azure", "Standard_D4_v5", V5),
        ("azure", "Standard_D4s_v5", V5),
        ("azure", "Standard_D4ls_v5", V5),
        ("azure", "Standard_E4s_v5", V5),
        ("azure", "Standard_D4ds_v5", "Ice Lake, Emerald Rapids"),
        ("azure", "Standard_E4ds_v5", "Ice Lake, Emerald Rapids"),
        ("azure", "Standard_E4bds_v5", "Ice Lake, Emerald Rapids"),
        ("azure", "Standard_B4s_v2", "Ice Lake, Sapphire Rapids"),
        ("azure", "Standard_D4s_v4", V4),
        ("azure", "Standard_E4ds_v4", "Cascade Lake, Ice Lake, Emerald Rapids"),
        ("azure", "Standard_F4s_v2", "Skylake, Cascade Lake, Ice Lake, Emerald Rapids"),
        ("azure", "Standard_D4s_v3", f"{OLD}, Emerald Rapids"),
        ("azure", "Standard_DS2_v2", f"{OLD}, Emerald Rapids"),
        ("azure", "Standard_B2s", OLD),
        ("azure", "Standard_D4as_v5", "Zen 3, Zen 4"),
        ("azure", "Standard_E4ads_v5", "Zen 3, Zen 4"),
        ("azure", "Standard_D4as_v4", "Zen 2, Zen 3"),
        ("azure", "Standard_D4s_v6", "Emerald Rapids"),
        ("azure", "Standard_L8s_v3", "Ice Lake"),
        ("aws", "m4.large", "Haswell, Broadwell"),
        ("aws", "m5.large", "Skylake, Cascade Lake"),
        ("gcp", "n1-standard-4", "Sandy Bridge, Ivy Bridge, Haswell, Broadwell, Skylake"),
        ("gcp", "n2-standard-4", "Cascade Lake, Ice Lake"),
        ("gcp", "n2d-standard-4", "Zen 2, Zen 3"),
        ("gcp", "c4-standard-4", "Emerald Rapids, Granite Rapids"),
    ],
)
def test_every_processor_that_the_provider_names_counts(
    provider: str, kind: str, processors: str
) -> None:
    """A need is today's high: one that leaves a processor out is too small to move on."""
    assert set(speed(provider, kind).generation.split(" / ")) == set(processors.split(", "))


def test_what_has_no_source_has_no_speed() -> None:
    for provider, kind in (("gcp", "e2-micro"), ("gcp", "f1-micro"), ("aws", "t1.micro")):
        shape = CATALOGUE.shape(provider, kind)
        assert shape is not None
        assert FACTS.speed(shape) is None
    assert FACTS.speed(Shape("Own racks", "r640", 40, family="r640")) is None
    assert FACTS.speed(Shape("AWS", "zz9.large", 2)) is None


def test_nine_of_ten_types_of_the_snapshot_have_a_speed() -> None:
    snapshot = [s for s in CATALOGUE.shapes() if s.provider_name in {"AWS", "Azure", "GCP"}]
    known = sum(FACTS.speed(shape) is not None for shape in snapshot)
    assert known / len(snapshot) > 0.9
    for name, least in (("AWS", 0.98), ("GCP", 0.95), ("Azure", 0.8)):
        of_it = [shape for shape in snapshot if shape.provider_name == name]
        assert sum(FACTS.speed(s) is not None for s in of_it) / len(of_it) > least, name


def test_providers_without_shapes_here_are_known_by_their_types_names() -> None:
    for provider, kind, generation in (
        ("hetzner", "CCX23", "Zen 3"),
        ("hetzner", "cax11", "Ampere Altra"),
        ("ovh", "b3-16", "Zen 3"),
        ("upcloud", "PREMIUM-4xCPU-8GB", "Zen 5"),
        ("scaleway", "POP2-4C-16G", "Zen 3"),
        ("vultr", "vx1-g-4c-16g", "Zen 5"),
        ("vultr", "voc-c-4c-8gb-150s-amd", "Zen 2 / Zen 3 / Zen 4"),
    ):
        found = FACTS.speed(Shape(provider, kind, 4))
        assert found is not None, kind
        assert found.generation == generation


def test_a_shared_vcpu_may_have_a_busy_sibling() -> None:
    """Measured on quiet hosts; the low end takes the sibling for busy (0.63 of the speed)."""
    dedicated = FACTS.speed(Shape("hetzner", "ccx23", 4))
    shared = FACTS.speed(Shape("hetzner", "cpx32", 4))
    assert dedicated is not None
    assert shared is not None
    assert shared.high / shared.low > 1.9 > dedicated.high / dedicated.low


def own(*rows: dict[str, object]) -> pa.Table:
    return pa.Table.from_pylist(list(rows))


def test_own_rows_stand_above_the_tables() -> None:
    mine = Facts.load(
        own(
            {"provider": "AWS", "name": "m7i", "per_vcpu": 1.5, "source": "our build farm"},
            {"provider": "AWS", "name": "m7i.large", "per_vcpu": 1.6, "source": "our build farm"},
            {"provider": "Own racks", "name": "r6*", "per_vcpu": 0.9, "source": "lab"},
        )
    )
    large, xlarge = (CATALOGUE.shape("aws", kind) for kind in ("m7i.large", "m7i.xlarge"))
    assert large is not None
    assert xlarge is not None
    assert mine.speed(xlarge) == Speed(1.5, 1.5, 1.5, "own", "our build farm")
    assert mine.speed(large) == Speed(1.6, 1.6, 1.6, "own", "our build farm")
    assert mine.speed(Shape("own racks", "R640", 40)) == Speed(0.9, 0.9, 0.9, "own", "lab")
    assert FACTS.speed(xlarge) != mine.speed(xlarge)


def test_own_rows_may_tell_their_range() -> None:
    row = {"provider": "Own", "name": "x", "per_vcpu": 1.0, "low": 0.8, "high": 1.3, "source": "s"}
    assert Facts.load(own(row)).speed(Shape("own", "X", 1)) == Speed(1.0, 0.8, 1.3, "own", "s")


@pytest.mark.parametrize(
    "bad",
    [
        {"per_vcpu": 0.0},
        {"per_vcpu": -1.0},
        {"per_vcpu": float("nan")},
        {"per_vcpu": float("inf")},
        {"low": 1.2},
        {"high": 0.9},
        {"name": ""},
        {"source": None},
    ],
)
def test_bad_own_rows_are_refused(bad: dict[str, object]) -> None:
    row = {"provider": "AWS", "name": "m7i", "per_vcpu": 1.0, "source": "s"}
    with pytest.raises(InputError, match="speeds, row 1"):
        Facts.load(own({**row, **bad}))


def test_a_missing_column_is_named() -> None:
    with pytest.raises(InputError, match="per_vcpu"):
        Facts.load(own({"provider": "AWS", "name": "m7i", "source": "s"}))
