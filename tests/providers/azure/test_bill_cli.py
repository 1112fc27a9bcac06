"""Cost Management exports, by the command line into the lake."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from click.testing import CliRunner

from costopt.cli import costopt
from costopt.lake.store import Lake
from tests.fakes.azure_cloud import Tenant, usual_sizes
from tests.fakes.azure_export import RESERVED, cost_csv, delivered, row
from tests.fakes.blobs import Blobs

MONTH = "2026-09"


def run(azure: Tenant, bills: Blobs, home: Path) -> str:
    skipped = [word for part in ("metrics", "prices", "advice") for word in ("--skip", part)]
    words = ["--endpoint", azure.url, "--export", bills.address("exports"), "--max-attempts", "2"]
    given = ["collect", "azure", *words, *skipped, "--home", str(home)]
    done = CliRunner().invoke(costopt, given, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_both_exports_are_one_bill_that_joins_the_inventory_and_is_restated(
    azure: Tenant, tmp_path: Path
) -> None:
    bills = Blobs.of(azure.door)
    subscription = azure.subscription("shop")
    azure.sizes["westeurope"] = usual_sizes()
    machine = azure.machine(subscription, "Web-1", "Standard_D4s_v5")
    mine = {"ResourceId": machine, "SubscriptionId": subscription}
    bought = row("30", ChargeType="Purchase", ResourceId="", **RESERVED)
    exports = {
        "ActualCost": [row("0", **mine, **RESERVED), row("5", **mine), bought],
        "AmortizedCost": [row("20", **mine, **RESERVED), row("5", **mine)],
    }
    for kind, rows in exports.items():
        delivered(bills.put, f"exports/{kind}", MONTH, [cost_csv(rows)], kind=kind)
    run(azure, bills, tmp_path)
    assert _lake(tmp_path) == {machine.lower(): (Decimal(5), Decimal(25)), None: (30, 0)}
    assert "nothing new" in run(azure, bills, tmp_path)
    restated = [cost_csv([row("18", **mine, **RESERVED), row("5", **mine)])]
    delivered(
        bills.put, "exports/AmortizedCost", MONTH, restated, kind="AmortizedCost", run="run-2"
    )
    run(azure, bills, tmp_path)
    assert _lake(tmp_path) == {machine.lower(): (Decimal(5), Decimal(23)), None: (30, 0)}


def _lake(home: Path) -> dict[str | None, tuple[Decimal, Decimal]]:
    found: dict[str | None, tuple[Decimal, Decimal]] = {}
    for one in Lake(home / "lake").read_charges().to_pylist():
        billed, effective = found.get(one["ResourceId"], (Decimal(0), Decimal(0)))
        found[one["ResourceId"]] = (billed + one["BilledCost"], effective + one["EffectiveCost"])
    return found
