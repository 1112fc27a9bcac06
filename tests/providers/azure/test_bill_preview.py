"""What a dry run says of a bill's exports, without reading any of them."""

from __future__ import annotations

import math
from pathlib import Path

from costopt import pipeline
from costopt.lake.store import Lake
from costopt.providers.azure import AzureProvider
from costopt.providers.azure.settings import AzureSettings
from tests.fakes.azure_arm import BLOBS
from tests.fakes.azure_cloud import Tenant
from tests.fakes.azure_export import cost_csv, delivered, row
from tests.fakes.blobs import Blobs

SKIPPED = ("metrics", "prices", "advice")


def collect(azure: Tenant, lake: Lake, *exports: str, **more: object) -> pipeline.Collected:
    asked = {"endpoint": azure.url, "export": exports, "skip": SKIPPED, "max_attempts": 1}
    return pipeline.collect(AzureProvider(AzureSettings(**(asked | more))), lake)


def told(azure: Tenant, lake: Lake, *exports: str) -> list[str]:
    """The lines about bills of a dry run."""
    found: list[str] = []
    settings = AzureSettings(endpoint=azure.url, export=exports, skip=SKIPPED, dry_run=True)
    done = pipeline.collect(
        AzureProvider(settings), lake, announce=lambda made: found.extend(made.lines)
    )
    assert done.rows == {}
    assert found[-1].startswith("dry run: ")
    return [line for line in found if line.startswith("bill ")]


def put(bills: Blobs, month: str, files: int = 1, *, name: str = "daily", cost: str = "1") -> str:
    """A month of an export, in so many files; how large these are."""
    day = f"{month[5:]}/01/{month[:4]}"
    end = f"{month[5:]}/30/{month[:4]}"
    dates = {"BillingPeriodStartDate": day, "BillingPeriodEndDate": end, "Date": day}
    parts = [cost_csv([row(cost, **dates)])] * files
    delivered(bills.put, f"exports/{name}", month, parts, kind="ActualCost", run=f"run-{cost}")
    return size(parts)


def size(files: list[bytes]) -> str:
    count = "1 file" if len(files) == 1 else f"{len(files)} files"
    return f"{count}, {math.ceil(sum(map(len, files)) / 1000)} kB"


def test_months_and_files_are_told_with_their_sizes_and_none_is_read(
    azure: Tenant, tmp_path: Path
) -> None:
    azure.subscription("shop")
    bills, lake = Blobs.of(azure.door), Lake(tmp_path)
    two, one = put(bills, "2026-09", 2), put(bills, "2026-11")
    place = bills.address("exports")
    daily = f"bill {place}/daily"
    before = [
        f"{daily}: 2 months to read: 2026-09 ({two}), 2026-11 ({one})",
    ]
    assert told(azure, lake, place) == before
    read = {
        call.path.rpartition("/")[2]
        for call in azure.door.calls
        if call.action == BLOBS and call.query.get("comp") != "list"
    }
    assert read == {"manifest.json"}

    collect(azure, lake, place)
    assert told(azure, lake, place) == [f"{daily}: nothing to read; 2 months unchanged"]
    one = put(bills, "2026-11", cost="2")
    assert told(azure, lake, place) == [
        f"{daily}: 1 month to read: 2026-11 ({one}); 1 month unchanged"
    ]


def test_a_month_is_read_whole_whichever_of_its_exports_is_new(
    azure: Tenant, tmp_path: Path
) -> None:
    azure.subscription("shop")
    bills, lake = Blobs.of(azure.door), Lake(tmp_path)
    put(bills, "2026-09", name="one")
    place = bills.address("exports")
    collect(azure, lake, place)
    one = put(bills, "2026-09", name="two")
    assert told(azure, lake, place) == [
        f"bill {place}/{name}: 1 month to read: 2026-09 ({one})" for name in ("one", "two")
    ]


def test_files_that_do_not_say_their_month(azure: Tenant, tmp_path: Path) -> None:
    azure.subscription("shop")
    folder, lake = tmp_path / "downloads", Lake(tmp_path / "lake")
    folder.mkdir()
    content = cost_csv([row()])
    (folder / "a.csv").write_bytes(content)
    assert told(azure, lake, str(folder)) == [
        f"bill {folder}: {size([content])} to read, of months that only their rows tell"
    ]
    collect(azure, lake, str(folder))
    assert told(azure, lake, str(folder)) == [f"bill {folder}: nothing to read; 1 file unchanged"]


def test_an_export_that_cannot_be_listed_is_told(azure: Tenant, tmp_path: Path) -> None:
    azure.subscription("shop")
    bills = Blobs.of(azure.door)
    place = bills.address("empty")
    done = collect(azure, Lake(tmp_path), place, dry_run=True)
    (problem,) = done.problems
    assert problem.where == place
    assert problem.fatal
