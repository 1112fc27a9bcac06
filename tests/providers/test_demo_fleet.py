"""The demo company: its mix, its inventory, its truth."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from costopt import registry, schema
from costopt.errors import ConfigError
from costopt.lake.store import Lake
from costopt.model import is_machine
from costopt.pricing.catalogue import Catalogue
from costopt.providers.demo import DemoProvider, Label, Wart
from costopt.providers.demo.provider import DEFAULT_END

GPU = {Label.GPU_TRAINING, Label.GPU_SERVING, Label.GPU_BUSY, Label.GPU_IDLE}
DISKS_AND_ADDRESSES = {Label.ATTACHED, Label.UNATTACHED}


@pytest.fixture(scope="module")
def fleet() -> DemoProvider:
    return DemoProvider()


def shares(provider: DemoProvider) -> dict[str, float]:
    labels = Counter(machine.role.label for machine in provider.machines)
    total = sum(labels.values())
    gpu = sum(labels[label] for label in GPU)
    return {
        "idle": (labels[Label.IDLE] + labels[Label.GPU_IDLE]) / total,
        "oversized": labels[Label.OVERSIZED] / total,
        "rhythmic": labels[Label.RHYTHMIC] / total,
        "gpu": gpu / total,
    }


def test_the_registry_knows_it() -> None:
    assert registry.find("provider", "demo") is DemoProvider


def test_the_default_fleet_has_the_promised_mix(fleet: DemoProvider) -> None:
    assert len(fleet.machines) == 133
    found = shares(DemoProvider(instances=120))
    assert found["idle"] == pytest.approx(0.15, abs=0.01)
    assert found["oversized"] == pytest.approx(0.30, abs=0.01)
    assert found["rhythmic"] == pytest.approx(0.25, abs=0.01)
    assert found["gpu"] == pytest.approx(0.08, abs=0.01)


@pytest.mark.parametrize("instances", [30, 60, 200, 1000])
def test_the_mix_does_not_depend_on_the_number(instances: int, fleet: DemoProvider) -> None:
    mix = DemoProvider(instances=120) if instances < 120 else fleet
    other, expected = shares(DemoProvider(instances=instances)), shares(mix)
    for name, share in expected.items():
        assert other[name] == pytest.approx(share, abs=2.5 / instances**0.5 / 5), name


def test_a_machine_is_the_same_in_every_fleet(fleet: DemoProvider) -> None:
    assert DemoProvider(instances=17).machines == fleet.machines[:17]
    assert DemoProvider(instances=300).machines[:133] == fleet.machines


def test_another_seed_is_another_company(fleet: DemoProvider) -> None:
    other = DemoProvider(seed=8)
    assert {m.resource_id for m in other.machines} != {m.resource_id for m in fleet.machines}
    assert [m.role for m in other.machines] == [m.role for m in fleet.machines]


def test_every_wart_and_every_label_occurs(fleet: DemoProvider) -> None:
    truth = fleet.truth().values()
    assert {wart for one in truth for wart in one.warts} == set(Wart)
    assert {one.label for one in truth} == set(Label)


def test_resources_are_in_the_schema_and_the_truth_knows_each(fleet: DemoProvider) -> None:
    table = fleet.resources()
    assert table.equals(schema.conform(table, schema.RESOURCES))
    ids = Counter(table.column("ResourceId").to_pylist())
    truth = fleet.truth()
    assert set(ids) - commitments(fleet).keys() == set(truth)
    assert {i for i, n in ids.items() if n > 1} == {
        i for i, one in truth.items() if Wart.RESIZED in one.warts
    }


def commitments(fleet: DemoProvider) -> dict[str, dict[str, str]]:
    """What the inventory says of what is committed to, by id."""
    rows = fleet.resources().to_pylist(maps_as_pydicts="strict")
    return {r["ResourceId"]: r["x_Attributes"] for r in rows if r["x_State"] == "active"}


def test_commitments_tell_their_term_payment_and_end(fleet: DemoProvider) -> None:
    told = commitments(fleet)
    assert len(told) == 6
    assert {one["term"] for one in told.values()} == {"1yr"}
    assert {one["payment_option"] for one in told.values()} == {"No Upfront"}
    ends = {datetime.fromisoformat(one["end"]) for one in told.values()}
    assert ends == {fleet.window.end + timedelta(days=215)}


def test_machines_have_types_and_disks_and_addresses_have_none(fleet: DemoProvider) -> None:
    truth = fleet.truth()
    for row in fleet.resources().to_pylist():
        if row["ResourceId"] in commitments(fleet):
            continue
        machine = truth[row["ResourceId"]].label not in DISKS_AND_ADDRESSES
        assert (row["x_InstanceType"] is not None) == machine
        assert (row["x_vCPUs"] is not None) == machine
        assert (row["x_TimeZone"] is not None) == machine


def test_the_fleet_is_multi_cloud_and_lives_by_several_clocks(fleet: DemoProvider) -> None:
    rows = fleet.resources().to_pylist(maps_as_pydicts="strict")
    rows = [r for r in rows if r["ResourceId"] not in commitments(fleet)]
    assert {r["ProviderName"] for r in rows} == {"AWS", "GCP", "Azure", "OnPrem"}
    assert {r["RegionId"] for r in rows} == {
        "us-east-1",
        "us-west-1",
        "us-west-2",
        "eu-west-1",
        "eu-central-2",
        "europe-west4",
        "us-central1",
        "westeurope",
        "eastus",
        "ams-dc1",
    }
    zones = {r["x_TimeZone"] for r in rows} - {None}
    assert zones == {
        "Europe/Amsterdam",
        "Europe/Zurich",
        "America/New_York",
        "America/Los_Angeles",
        "Asia/Kolkata",
    }
    assert {r["x_Architecture"] for r in rows} == {"x86_64", "arm64", None}
    assert {r["x_PricingCategory"] for r in rows} == {"Standard", "Dynamic", None}
    assert {r["x_OperatingSystem"] for r in rows} == {"Linux", "Windows", None}
    assert {r["x_State"] for r in rows} >= {"running", "stopped", "in-use", "available"}
    assert any(r["x_ScalingGroup"] for r in rows)
    assert sum(1 for r in rows if r["x_InstanceType"] and not r["Tags"]) >= 3


def test_one_resource_has_hostile_names_and_tags(fleet: DemoProvider) -> None:
    hostile = {i for i, one in fleet.truth().items() if Wart.HOSTILE in one.warts}
    row = next(
        r
        for r in fleet.resources().to_pylist(maps_as_pydicts="strict")
        if r["ResourceId"] in hostile
    )
    for part in ("<img", "\x1b[", "=cmd", ",", '"', "\n"):
        assert part in row["ResourceName"]
    assert row["Tags"]["team"].startswith("=")


def test_the_resized_machine_has_its_history(fleet: DemoProvider) -> None:
    machine = next(m for m in fleet.machines if m.old_shape)
    rows = [r for r in fleet.resources().to_pylist() if r["ResourceId"] == machine.resource_id]
    assert [r["x_InstanceType"] for r in rows] == ["m6i.4xlarge", "m6i.2xlarge"]
    assert [r["x_ObservedAt"] for r in rows] == [machine.launched_at, machine.resized_at]


def test_collecting_the_inventory_twice_adds_nothing(tmp_path: Path, fleet: DemoProvider) -> None:
    lake = Lake(tmp_path / "lake")
    assert lake.append("resources", fleet.resources()).rows == fleet.resources().num_rows
    assert lake.append("resources", fleet.resources()).rows == 0


def test_prices_and_shapes_are_what_the_catalogue_cannot_know(fleet: DemoProvider) -> None:
    prices, shapes = fleet.prices(), fleet.shapes()
    assert set(prices.column("ProviderName").to_pylist()) == {"OnPrem"}
    assert set(shapes.column("x_InstanceType").to_pylist()) == set(
        prices.column("x_InstanceType").to_pylist()
    )
    catalogue = Catalogue.load(prices, shapes)
    for row in fleet.resources().to_pylist():
        if row["x_InstanceType"] is None:
            continue
        shape = catalogue.shape(row["ProviderName"], row["x_InstanceType"])
        price = catalogue.price(
            row["ProviderName"],
            row["RegionId"],
            row["x_InstanceType"],
            pricing_category=row["x_PricingCategory"],
        )
        assert shape is not None
        assert price is not None
        assert (shape.vcpus, shape.memory_gib) == (row["x_vCPUs"], row["x_MemoryGiB"])


def test_truth_says_what_fits(fleet: DemoProvider) -> None:
    resources = {r["ResourceId"]: r for r in fleet.resources().to_pylist()}
    for one in fleet.truth().values():
        machine = one.vcpus is not None
        assert machine == (resources[one.resource_id]["x_InstanceType"] is not None)
        if one.label is Label.OVERSIZED:
            assert one.needs_vcpus <= one.vcpus / 2
            assert one.needs_memory_gib <= one.memory_gib
        if one.label is Label.UNDERSIZED:
            assert one.needs_vcpus > one.vcpus


def test_memory_is_measured_on_about_half_of_the_machines(fleet: DemoProvider) -> None:
    measured = [one.memory_measured for one in fleet.truth().values() if one.vcpus]
    assert 0.4 < sum(measured) / len(measured) < 0.75


@pytest.mark.parametrize(
    "arguments",
    [
        {"instances": 0},
        {"days": 0},
        {"seed": -1},
        {"end": datetime(2026, 11, 2, 5, tzinfo=UTC)},
        {"end": datetime(2026, 11, 2)},  # noqa: DTZ001
    ],
)
def test_impossible_fleets_are_refused(arguments: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        DemoProvider(**arguments)  # type: ignore[arg-type]


def test_the_default_end_is_a_fixed_monday_midnight() -> None:
    assert DEFAULT_END.weekday() == 0
    assert DemoProvider().window.end == DEFAULT_END
    assert DemoProvider().window.start == DEFAULT_END - timedelta(days=42)


def test_is_machine_tells_machines(fleet: DemoProvider) -> None:
    from costopt.frame.inventory import present

    known = present(fleet.resources(), fleet.window.end, "UTC")
    assert sum(is_machine(r) for r in known.values()) == len(fleet.machines)
