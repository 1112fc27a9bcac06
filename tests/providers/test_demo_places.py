"""Where the demo's machines should run: each planted question has its answer in prices and data."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from costopt.frame.cost import resource_key
from costopt.frame.traffic import COLUMNS, Sent, Traffic, traffic
from costopt.model import Window
from costopt.optimize.own import yearly_saving
from costopt.pricing.catalogue import Catalogue
from costopt.pricing.onprem import load
from costopt.providers.demo import DemoProvider, Label, Placement
from costopt.providers.demo.machines import Machine
from costopt.providers.demo.samples import samples
from costopt.rules.own_machines import of_class
from tests.conftest import ROOT

FLEET = DemoProvider()
CATALOGUE = Catalogue.load()
MONTH = 730 * 3600
"""Seconds."""
ACROSS = 0.02
"""USD that a GiB from one American region of AWS to another costs, by AWS's price list."""


def planted(placement: Placement) -> list[Machine]:
    truth = FLEET.truth()
    return [m for m in FLEET.machines if truth[m.resource_id].placement is placement]


def hourly(machine: Machine, region: str, category: str = "Standard") -> Decimal:
    kind = machine.role.instance_type
    price = CATALOGUE.price("AWS", region, kind, pricing_category=category)
    assert price is not None
    return price.list_unit_price


def monthly(machines: list[Machine], region: str) -> float:
    return sum(730 * float(hourly(m, region)) for m in machines)


def pays_off(machines: list[Machine], here: str, there: str) -> bool:
    """Within two years of 21 months' present worth, though prices be 7 % higher by now: people's
    time is a day a week for a month at 90 USD an hour, and half a month runs twice."""
    once = 32 * 90 + monthly(machines, here) / 2
    return 21 * (monthly(machines, here) - 1.07 * monthly(machines, there)) > once


@cache
def measured(resource_id: str, metric: str) -> npt.NDArray[np.float32]:
    """The six weeks of that metric of the whole machine."""
    machine = next(m for m in FLEET.machines if m.resource_id == resource_id)
    end = FLEET.window.end
    table = pa.concat_tables(samples([machine], FLEET.window, end, FLEET.seed))
    whole = pc.and_(pc.equal(table["MetricName"], metric), pc.is_null(table["x_Device"]))
    values: npt.NDArray[np.float32] = table.filter(whole)["Value"].to_numpy()
    return values


@cache
def billed() -> Sent:
    charges = pa.concat_tables(t.select(COLUMNS) for t in FLEET.charges(None))
    span = Window(FLEET.window.start, FLEET.window.end)
    return traffic(charges, dict.fromkeys(("aws", "azure", "gcp", "onprem"), span))


def of_bill(machine: Machine) -> Traffic:
    return billed().of_each.get(resource_key(machine.resource_id), Traffic())


def sent_gib(machine: Machine) -> float:
    return float(measured(machine.resource_id, "network_out").mean()) * MONTH / 2**30


def test_each_question_is_asked_once() -> None:
    apps: dict[Placement, list[str]] = defaultdict(list)
    for machine in FLEET.machines:
        apps[machine.role.placement].append(machine.role.app)
    assert len(apps.pop(Placement.STAY)) == 120
    assert dict(apps) == {
        Placement.MOVE: ["tile-render"] * 3,
        Placement.STAY_EGRESS: ["feature-store"] * 2,
        Placement.STAY_RESIDENCY: ["kyc-archive"] * 2,
        Placement.SPOT: ["genome-batch"] * 4,
        Placement.REPATRIATE: ["batch-infer"] * 2,
    }
    assert {m.role.placement for m in FLEET.machines[:120]} == {Placement.STAY}


def test_no_commitment_covers_them() -> None:
    ids = {m.resource_id for m in FLEET.machines[120:]}
    rows = pa.concat_tables(FLEET.charges(None)).select(["ResourceId", "CommitmentDiscountId"])
    theirs = rows.filter(pc.is_in(rows["ResourceId"], pa.array(sorted(ids))))
    assert set(theirs["ResourceId"].to_pylist()) == ids
    assert theirs["CommitmentDiscountId"].null_count == theirs.num_rows


def test_what_must_move_is_cheaper_in_oregon_and_sends_little() -> None:
    machines = planted(Placement.MOVE)
    here, there = (monthly(machines, region) for region in ("us-west-1", "us-west-2"))
    saving = here - there
    assert saving > 0.15 * here
    assert pays_off(machines, "us-west-1", "us-west-2")
    # Were all it sends, to wherever, to cross to California: still next to nothing.
    assert ACROSS * sum(sent_gib(m) for m in machines) < 0.15 * saving


def test_what_stays_for_its_traffic_would_pay_more_for_it_than_it_saves() -> None:
    """Even if all that one of the two receives came from the other."""
    machines = planted(Placement.STAY_EGRESS)
    saving = monthly(machines, "us-west-1") - monthly(machines, "us-west-2")
    assert pays_off(machines, "us-west-1", "us-west-2")  # but for its traffic
    free = among = 0.0
    for machine in machines:
        free += sent_gib(machine) - of_bill(machine).total
        among += float(measured(machine.resource_id, "network_in").mean()) * MONTH / 2**30
        assert of_bill(machine).internet < 0.01 * sent_gib(machine)
        assert of_bill(machine).zones > 0
    assert ACROSS * (free - among) > 2 * saving


def test_what_stays_for_residency_is_cheaper_abroad_and_tagged() -> None:
    machines = planted(Placement.STAY_RESIDENCY)
    assert pays_off(machines, "eu-central-2", "eu-west-1")  # but for the tag
    rows = {r["ResourceId"]: r for r in FLEET.resources().to_pylist(maps_as_pydicts="strict")}
    assert {rows[m.resource_id]["Tags"]["residency"] for m in machines} == {"CH"}
    tagged = [row for row in rows.values() if "residency" in (row["Tags"] or {})]
    assert len(tagged) == 2 * len(machines)  # and their disks


def test_the_batch_is_full_for_hours_then_does_nothing_and_serves_nobody() -> None:
    machines = planted(Placement.SPOT)
    for machine in machines:
        assert hourly(machine, "us-west-2", "Dynamic") < hourly(machine, "us-west-2") / 2
        busy = measured(machine.resource_id, "cpu_utilization") > 30
        begins = np.flatnonzero(np.diff(busy.astype(int), prepend=0) == 1)
        ends = np.flatnonzero(np.diff(busy.astype(int), append=0) == -1)
        hours = (ends - begins + 1) / 12
        assert 0.2 < busy.mean() < 0.4
        assert np.median(hours) > 4
        assert len({begin // 12 % 24 for begin in begins}) > 12  # at any hour of the day
        assert np.percentile(measured(machine.resource_id, "network_out"), 99) < 10_000
    together = [measured(m.resource_id, "cpu_utilization") > 30 for m in machines]
    assert np.mean(together[0] == together[-1]) > 0.99
    groups = {r["ResourceId"]: r["x_ScalingGroup"] for r in FLEET.resources().to_pylist()}
    assert {groups[m.resource_id] for m in machines} == {"asg-genome-batch"}


def test_the_gpu_pool_is_full_round_the_clock_and_own_machines_cost_half() -> None:
    own = of_class(load(ROOT / "docs" / "examples" / "onprem.toml"), "l40s-4")
    for machine in planted(Placement.REPATRIATE):
        watts = machine.role.gpu_watts
        assert watts is not None
        power = measured(machine.resource_id, "gpu_power")
        assert np.percentile(measured(machine.resource_id, "gpu_sm_active"), 1) > 65
        assert np.percentile(power, 1) > 0.6 * watts[1]
        assert machine.role.label is Label.GPU_BUSY
        assert machine.shape.gpu_count == 4
        cloud = float(hourly(machine, "us-east-1"))
        assert yearly_saving(own, cloud, 1.0) > 0.5 * 8760 * cloud


def test_the_tile_machines_alone_have_a_network_of_their_own() -> None:
    rows = {r["ResourceId"]: r for r in FLEET.resources().to_pylist(maps_as_pydicts="strict")}
    networks: dict[str, set[str]] = defaultdict(set)
    for machine in FLEET.machines:
        attributes = rows[machine.resource_id]["x_Attributes"]
        names = {
            "AWS": ("availability_zone", "subnet_id", "vpc_id"),
            "GCP": ("network", "subnetwork", "zone"),
            "Azure": ("subnet", "virtual_network", "zones"),
            "OnPrem": ("network", "zone"),
        }[machine.site.provider]
        assert set(attributes) == set(names)
        assert not any(" " in value for value in attributes.values())
        name = "network" if "network" in names else names[-1]
        if machine.site.provider == "AWS":
            networks[attributes[name]].add(machine.role.app)
    tiles = [apps for apps in networks.values() if "tile-render" in apps]
    assert tiles == [{"tile-render"}]
    assert any(len(apps) > 10 for apps in networks.values())


@pytest.mark.parametrize("way", ["internet", "regions", "zones", "received"])
def test_traffic_of_every_way_is_billed(way: str) -> None:
    assert any(getattr(one, way) > 0 for one in billed().of_each.values())
    assert not billed().nameless


def test_no_machine_is_billed_for_more_traffic_than_it_sends() -> None:
    """What it sends beside stays in its zone."""
    with_bill = [m for m in FLEET.machines if of_bill(m).total]
    assert len(with_bill) > 10
    for machine in with_bill:
        assert of_bill(machine).total < sent_gib(machine), machine.key


def test_what_comes_in_from_the_internet_is_billed_at_nothing() -> None:
    rows = pa.concat_tables(FLEET.charges(None)).select(["SkuMeter", "BilledCost", "ListCost"])
    inward = rows.filter(pc.equal(rows["SkuMeter"], "Data Transfer In"))
    assert inward.num_rows > 100
    assert pc.sum(inward["BilledCost"]).as_py() == pc.sum(inward["ListCost"]).as_py() == 0
    with_bill = [m for m in FLEET.machines if of_bill(m).received]
    assert {"tile-render"} < {m.role.app for m in with_bill}
    for machine in with_bill:
        came = float(measured(machine.resource_id, "network_in").mean()) * MONTH / 2**30
        assert of_bill(machine).received < came, machine.key
