"""What every registered provider tells of machines is what they are, do and cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from costopt import schema
from costopt.providers.base import Known, Provider, Resuming
from tests.contract import truth
from tests.contract.conftest import Told
from tests.contract.fleets import Fleet
from tests.contract.truth import Machine

MADE_UP = "it makes its fleet up"


def _are(machines: Mapping[str, Machine], table: pa.Table) -> None:
    """Fails where the rows do not say what the machines are."""
    rows = {row["ResourceId"]: row for row in table.to_pylist() if row["ResourceId"] in machines}
    assert rows.keys() == machines.keys()
    for name, machine in machines.items():
        row = rows[name]
        found = (row["RegionId"], row["x_vCPUs"], row["x_MemoryGiB"], row["x_State"])
        assert found == (machine.region, machine.vcpus, machine.memory_gib, machine.state), name
        assert dict(row["Tags"] or {}) == machine.tags, name


def test_machines_are_what_they_are(fleet: Fleet, told: Told) -> None:
    if not fleet.machines:
        pytest.skip(MADE_UP)
    _are(fleet.machines, told.resources)


def test_a_machine_that_changes_keeps_its_id(
    fleet: Fleet, told: Told, build: Callable[[], Provider]
) -> None:
    if fleet.change is None:
        pytest.skip("it never changes")
    machines = fleet.change()
    assert machines != fleet.machines
    provider = build()
    if isinstance(provider, Resuming):
        provider.resume(Known(resources=told.resources.to_pylist()))
    table = provider.resources()
    ids = [sorted(one.column("ResourceId").to_pylist()) for one in (told.resources, table)]
    assert ids[0] == ids[1]
    _are(machines, table)


def test_samples_are_what_the_machines_did(fleet: Fleet, told: Told) -> None:
    """In our units: percent of the whole and bytes a second, each period by its start."""
    if not fleet.machines:
        pytest.skip(MADE_UP)
    table = pa.concat_tables(told.metrics)
    table = table.filter(pc.is_in(table["ResourceId"], pa.array(list(fleet.machines))))
    series = {(r, m, s) for r in fleet.machines for m, s in fleet.told}
    assert _series(table) == series
    for name, metric, statistic in series:
        keys = {"ResourceId": name, "MetricName": metric, "Statistic": statistic}
        rows = table
        for column, value in keys.items():
            rows = rows.filter(pc.equal(rows[column], value))
        rows = rows.sort_by("Timestamp")
        assert pc.unique(rows["PeriodSeconds"]).to_pylist() == [truth.PERIOD], keys
        starts, values = truth.samples(fleet.machines[name].number, metric, statistic)
        seconds = pc.divide(rows["Timestamp"].cast(pa.timestamp("us")).cast("int64"), 10**6)
        assert seconds.to_pylist() == starts.tolist(), keys
        np.testing.assert_allclose(rows["Value"].to_numpy(), values, rtol=1e-4, err_msg=str(keys))


def _series(table: pa.Table) -> set[tuple[str, ...]]:
    names = ["ResourceId", "MetricName", "Statistic"]
    rows = table.select(names).group_by(names).aggregate([]).to_pylist()
    return {tuple(row[name] for name in names) for row in rows}


def test_the_bill_comes_to_what_was_billed(fleet: Fleet, told: Told) -> None:
    """By day, account, region and tags, to a millionth."""
    if fleet.bill is None:
        pytest.skip("it has no bill but what it works out")
    charges = [row for table in told.charges for row in table.to_pylist()]
    ours, theirs = _costs(charges), _costs(fleet.bill.to_pylist())
    assert ours.keys() == theirs.keys()
    for key, cost in theirs.items():
        assert abs(ours[key] - cost) <= Decimal("0.000001"), key


def _costs(charges: Iterable[Mapping[str, Any]]) -> dict[tuple[Any, ...], Decimal]:
    """What was paid in the end; not where it comes to nothing."""
    found: dict[tuple[Any, ...], Decimal] = {}
    for row in charges:
        tags = tuple(sorted(dict(row["Tags"] or {}).items()))
        key = (row["ChargePeriodStart"].date(), row["SubAccountId"], row["RegionId"], tags)
        found[key] = found.get(key, Decimal(0)) + row["EffectiveCost"]
    return {key: cost for key, cost in found.items() if abs(cost) > Decimal("0.000001")}


def test_prices_and_costs_have_a_currency(told: Told) -> None:
    for table in told.charges:
        for name in ("EffectiveCost", "BillingCurrency", "ChargePeriodStart", "ChargePeriodEnd"):
            assert table.column(name).null_count == 0, name
    for price in told.prices.to_pylist():
        assert price["ListUnitPrice"] > 0
        assert len(price["PricingCurrency"]) == 3
    assert told.prices.schema.equals(schema.PRICES)
