"""What Azure's sizes are."""

from __future__ import annotations

import pyarrow as pa
import pytest

from costopt import schema
from costopt.pricing import builtin
from costopt.pricing.catalogue import Catalogue
from costopt.providers.azure import shapes
from tests.fakes.azure_arm import Answer, forbidding, refusal, said
from tests.fakes.azure_cloud import REGION, closed, sku, usual_sizes

CALL = "Microsoft.Compute/skus/read"


@pytest.fixture
def shop(azure) -> str:
    """A subscription with a machine of the Dsv5 family."""
    name = azure.subscription("shop")
    azure.machine(name, "vm", "standard_d4s_v5")
    azure.sizes[REGION] = usual_sizes()
    return name


@pytest.fixture
def shaped(look):
    """Rows of the shapes of what runs, by size, and the problems met."""

    def collected(**more: object):
        found = look(**more)
        table = found.sizes.shapes(found.table, found.problems)
        assert table.schema.equals(schema.SHAPES)
        return {row["x_InstanceType"]: row for row in table.to_pylist()}, found.problems

    return collected


def family(rows: dict[str, dict[str, object]]) -> set[str]:
    """The sizes that can be had wherever one asked."""
    return {name for name, row in rows.items() if row["x_NotOfferedIn"] is None}


def test_families_in_use_are_described_in_one_call(azure, shop, shaped) -> None:
    rows, problems = shaped()
    assert family(rows) == {f"Standard_D{n}s_v5" for n in (2, 4, 8, 16)}
    assert problems == []
    (call,) = [call for call in azure.door.calls if call.action == CALL]
    assert call.query["$filter"] == f"location eq '{REGION}'"


def test_a_shape(shop, shaped) -> None:
    rows, _ = shaped()
    assert rows["Standard_D4s_v5"] == {
        "ProviderName": "Azure",
        "x_InstanceType": "Standard_D4s_v5",
        "x_vCPUs": 4.0,
        "x_PhysicalCores": 2.0,
        "x_MemoryGiB": 16.0,
        "x_Architecture": "x86_64",
        "x_GPUModel": None,
        "x_GPUCount": None,
        "x_GPUMemoryGiB": None,
        "x_BurstableBaselinePercent": None,
        "x_SharedCPU": None,
        "x_NetworkGbps": None,
        "x_LocalDiskGiB": 0.0,
        "x_Family": "Dsv5",
        "x_CurrentGeneration": True,
        "x_NotOfferedIn": None,
        "x_ValidFrom": None,
        "x_Source": schema.AZURE_SIZES,
    }


def test_a_row_that_takes_the_built_in_ones_place_loses_nothing(shop, look) -> None:
    found = look()
    table = found.sizes.shapes(found.table, [])
    before, after = Catalogue.load(), Catalogue.load(extra_shapes=table)
    for name in family({row["x_InstanceType"]: row for row in table.to_pylist()}):
        assert after.shape("Azure", name) == before.shape("Azure", name)


def offered(rows: dict[str, dict[str, object]], region: str) -> set[str]:
    """The sizes that are priced there by the snapshot, and can be had."""
    table = pa.Table.from_pylist(list(rows.values()), schema=schema.SHAPES)
    market = Catalogue.load(extra_shapes=table).market("Azure", region)
    return {one.instance_type for one in market.shapes}


def test_a_size_that_a_subscription_may_not_use_or_a_region_lacks_is_not_offered(
    azure, shop, shaped
) -> None:
    other = azure.subscription("other")
    azure.machine(other, "vm", "Standard_E2s_v5", location="eastus")
    azure.sizes[REGION][0]["restrictions"] = [closed()]  # D2s
    azure.sizes[REGION][2]["restrictions"] = [closed("Northeurope")]  # elsewhere
    azure.sizes["eastus"] = usual_sizes("eastus")
    azure.sizes["eastus"][4]["restrictions"] = [closed("EastUS", "QuotaId")]  # E2s
    rows, _ = shaped()
    assert rows["Standard_D2s_v5"]["x_vCPUs"] == 2.0  # it is known all the same
    assert offered(rows, REGION) == {
        *("Standard_D4s_v5", "Standard_D8s_v5", "Standard_D16s_v5"),
        *("Standard_E2s_v5", "Standard_E4s_v5", "Standard_E8s_v5"),
    }
    assert offered(rows, "East US") == {
        *("Standard_D2s_v5", "Standard_D4s_v5", "Standard_D8s_v5", "Standard_D16s_v5"),
        *("Standard_E4s_v5", "Standard_E8s_v5"),
    }
    assert len(offered(rows, "northeurope")) > 100  # nobody asked
    assert rows["Standard_F2s_v2"]["x_NotOfferedIn"] == f"eastus {REGION}"


def test_what_one_of_two_subscriptions_may_not_use_is_not_offered(azure, shop, shaped) -> None:
    azure.machine(azure.subscription("other"), "vm", "Standard_D4s_v5")
    lists = [usual_sizes(), [one for one in usual_sizes() if one["name"] != "Standard_D2s_v5"]]
    azure.door.rules.append(
        lambda call: said({"value": lists.pop()}) if call.action == CALL else None
    )
    rows, _ = shaped()
    assert rows["Standard_D2s_v5"]["x_NotOfferedIn"] == REGION


def test_what_can_be_had_again_is_offered_again_and_what_nobody_asks_stands(
    azure, shop, look
) -> None:
    azure.machine(shop, "east", "Standard_E2s_v5", location="eastus")
    azure.sizes["eastus"] = usual_sizes("eastus")
    found = look()
    held = found.sizes.shapes(found.table, [])
    azure.sizes[REGION].append(sku("Standard_F2s_v2", "standardFSv2Family", 2, 4))
    found = look(region=(REGION,))
    after = found.sizes.shapes(found.table, [], held).to_pylist()
    where = {row["x_InstanceType"]: row["x_NotOfferedIn"] for row in after}
    assert where["Standard_F2s_v2"] == "eastus"
    assert where["Standard_F4s_v2"] == f"eastus {REGION}"


def test_a_list_of_no_sizes_says_nothing(azure, shop, shaped) -> None:
    azure.sizes[REGION].clear()
    assert shaped() == ({}, [])


@pytest.mark.parametrize(("zones", "shut"), [(["1", "2"], False), (["1", "2", "3"], True)])
def test_a_size_is_closed_where_all_its_zones_are(zones: list[str], shut: bool) -> None:
    restriction = {"type": "Zone", "restrictionInfo": {"locations": [REGION], "zones": zones}}
    one = sku("Standard_D2s_v5", "f", 2, 8, restrictions=[restriction])
    assert shapes.is_closed(one, REGION) is shut


def test_constrained_vcpus_are_those_that_are_left() -> None:
    one = sku("Standard_E8-4s_v5", "standardESv5Family", 8, 64, vCPUsAvailable=4)
    row = shapes.shape(one)
    assert row is not None
    assert (row["x_vCPUs"], row["x_PhysicalCores"], row["x_MemoryGiB"]) == (4.0, 2.0, 64.0)


def test_arm_without_threads() -> None:
    """As Azure answers for koreacentral (2026-10)."""
    one = sku(
        "Standard_D2ps_v6", "StandardDpsv6Family", 2, 8, CpuArchitectureType="Arm64", vCPUsPerCore=1
    )
    row = shapes.shape(one)
    assert row is not None
    assert (row["x_Architecture"], row["x_PhysicalCores"]) == ("arm64", 2.0)


def test_local_disks_of_both_kinds() -> None:
    old = shapes.shape(sku("Standard_D4ds_v5", "f", 4, 16, MaxResourceVolumeMB=153600))
    new = shapes.shape(sku("Standard_D4ds_v6", "f", 4, 16, NvmeDiskSizeInMiB=225280))
    assert old is not None
    assert new is not None
    assert (old["x_LocalDiskGiB"], new["x_LocalDiskGiB"]) == (150.0, 220.0)


def test_the_card_of_a_gpu_size_is_known_by_the_name() -> None:
    known = shapes.shape(sku("Standard_NC8as_T4_v3", "f", 8, 56, GPUs=1))
    assert known is not None
    assert (known["x_GPUModel"], known["x_GPUCount"], known["x_GPUMemoryGiB"]) == ("T4", 1, 16.0)
    new = shapes.shape(sku("Standard_ND96isr_X900_v9", "f", 96, 2000, GPUs=8))
    assert new is not None
    assert (new["x_GPUModel"], new["x_GPUCount"], new["x_GPUMemoryGiB"]) == ("X900", 8, None)


def test_what_a_burstable_size_sustains_is_known_by_the_name(azure, shaped) -> None:
    name = azure.subscription("shop")
    azure.machine(name, "vm", "Standard_B2s")
    azure.sizes[REGION] = [
        sku("Standard_B2s", "standardBSFamily", 2, 4),
        sku("Standard_B3xs", "standardBSFamily", 3, 4),  # nobody knows what it sustains
    ]
    rows, problems = shaped()
    # Microsoft, "B-series burstable": Standard_B2s has a base CPU performance of 40 % of 200 %
    assert {one: rows[one]["x_BurstableBaselinePercent"] for one in family(rows)} == {
        "Standard_B2s": 20.0
    }
    (problem,) = problems
    assert problem.where == f"{CALL} Standard_B3xs"
    assert not problem.fatal


def test_who_refuses_leaves_what_the_names_say(azure, shop, look) -> None:
    azure.door.rules.append(forbidding(action=CALL))
    found = look()
    assert found.sizes.shapes(found.table, found.problems).num_rows == 0
    assert [(one.where, one.fatal) for one in found.problems] == [
        (f"{shop} {REGION} {CALL}", False)
    ]
    assert azure.door.counted()[CALL] == 1
    (row,) = found.rows.values()
    assert row["x_InstanceType"] == "Standard_D4s_v5"
    assert (row["x_vCPUs"], row["x_MemoryGiB"]) == (4.0, 16.0)


def test_a_machine_of_an_unknown_size_stays_as_it_is(azure, look) -> None:
    one = azure.machine(azure.subscription("shop"), "vm", "Standard_Z9")
    found = look()
    row = found.rows[one.lower()]
    assert row["x_InstanceType"] == "Standard_Z9"
    assert row["x_vCPUs"] is None


def test_every_built_in_shape_comes_back_from_a_list_that_implies_it() -> None:
    table = builtin.read("azure", "shapes")
    assert table is not None
    said_otherwise = {}
    for known in table.to_pylist():
        cores = known["x_PhysicalCores"]
        one = sku(
            known["x_InstanceType"],
            "family",
            known["x_vCPUs"],
            known["x_MemoryGiB"],
            vCPUsPerCore=known["x_vCPUs"] / cores if cores else "",
            CpuArchitectureType={"x86_64": "x64", "arm64": "Arm64"}[known["x_Architecture"]],
            MaxResourceVolumeMB=(known["x_LocalDiskGiB"] or 0) * 1024,
            GPUs=known["x_GPUCount"] or 0,
        )
        row = shapes.shape(one)
        assert row is not None
        for column in set(schema.SHAPES.names) - {"x_ValidFrom", "x_Source"}:
            if row[column] != pytest.approx(known[column], abs=0.06):
                said_otherwise[known["x_InstanceType"], column] = row[column], known[column]
    assert table.num_rows > 1_500
    assert said_otherwise == {}


def test_a_page_of_sizes_that_expired_is_asked_for_anew(azure, shop, shaped) -> None:
    """The list is one page today, and says by a link if it is not."""
    pages = [
        said({"value": usual_sizes()[:1], "nextLink": f"{azure.url}/subscriptions/{shop}/more"}),
        refusal(400, "InvalidSkipToken", "The skip token has expired."),
    ]
    azure.door.rules.append(
        lambda call: (
            pages.pop(0) if pages and (call.action == CALL or "/more" in call.path) else None
        )
    )
    rows, problems = shaped()
    assert family(rows) == {f"Standard_D{n}s_v5" for n in (2, 4, 8, 16)}
    assert problems == []


def test_a_size_without_a_name_is_passed_over(azure, shop, shaped) -> None:
    azure.sizes[REGION].append({"resourceType": "virtualMachines", "name": None, "family": None})
    azure.sizes[REGION][0]["capabilities"].append({"value": "3"})
    rows, problems = shaped()
    assert family(rows) == {f"Standard_D{n}s_v5" for n in (2, 4, 8, 16)}
    assert problems == []


def test_a_list_that_is_none_leaves_what_the_names_say(azure, shop, look) -> None:
    azure.door.rules.append(
        lambda call: (
            Answer(200, b"<html/>", {"Content-Type": "text/html"}) if call.action == CALL else None
        )
    )
    found = look()
    (problem,) = found.problems
    assert problem.what.startswith("Unreadable: ")
    (row,) = found.rows.values()
    assert row["x_vCPUs"] == 4.0
