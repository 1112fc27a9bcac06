"""Composed prices against a real list: Google's prices of August 2026 in 43 regions.

The list has prices of machines, the catalogue has prices of parts. From just enough machines of a
region follow the prices of all parts (linear equations, solved here without the code under test);
the catalogue is fed with these, and the composed prices of all *other* machines must be the list's.
"""

from __future__ import annotations

import csv
import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from costopt import schema
from costopt.pricing import builtin
from costopt.providers.gcp.prices import refresh
from costopt.providers.held import Held
from costopt.providers.listed import ALL
from tests.fakes.gcp_catalogue import Catalogue
from tests.fakes.gcp_cloud import Cloud
from tests.providers.gcp.conftest import Opened

REGIONS = ("us-central1", "asia-southeast1", "asia-southeast3")
PURCHASES = {"on_demand": "Standard", "spot": "Dynamic"}
# The catalogue's prices are in billionths and the list's in millionths: of a part's price a
# billionth may be missing, and there are up to 11,776 GiB in a machine.
NEAR = 1e-6

# Series as SKUs write them, where it is not just the series in capitals.
NAMES = {
    "c2": "Compute optimized", "m1": "Memory-optimized Instance", "m2": "Memory-optimized Instance",
    "n1": "N1 Predefined Instance", "m3": "M3 Memory-optimized Instance",
    "n2d": "N2D AMD Instance", "c2d": "C2D AMD Instance", "t2d": "T2D AMD Instance",
    "t2a": "T2A Arm Instance", "c4a": "C4A Arm Instance",
}  # fmt: skip
CARDS = {
    "a2-highgpu": "Nvidia Tesla A100 GPU", "a2-megagpu": "Nvidia Tesla A100 GPU",
    "a2-ultragpu": "Nvidia Tesla A100 80GB GPU", "a3-highgpu": "Nvidia H100 80GB GPU",
    "a3-megagpu": "Nvidia H100 80GB Mega GPU", "g2-standard": "Nvidia L4 GPU",
    "g4-standard": "RTX 6000 96GB",
}  # fmt: skip
WHOLE = {
    "f1-micro": "Micro Instance with burstable CPU", "g1-small": "Small Instance with 1 VCPU",
}  # fmt: skip
SHARED = {"e2-micro": 0.25, "e2-small": 0.5, "e2-medium": 1.0}
UPGRADE = "Memory Optimized Upgrade Premium for Memory-optimized Instance"
OWN_DISKS = ("c4", "c4a", "c4d")

# What the list says otherwise than Google sells it:
# - it prices an eighth of a card at an eighth of the card's price; it is sold by an SKU of its own;
# - M2 is not sold on the spot market: the list repeats the on-demand price.
OTHERWISE = re.compile(r"g4-standard-(6|12|24) .*|m2-.* spot")

# Roughly, an hour of one in dollars.
USUAL = {
    "Core": 0.03, "Ram": 0.004, "SSD": 0.0001, "Storage": 0.0001, "L4": 0.5, "96GB": 1.0,
    "A100": 3.0, "H100": 9.0, "CPU": 0.01, "VCPU": 0.03, "core": 0.03, "ram": 0.004,
}  # fmt: skip

Parts = dict[str, float]  # how many of them, by the SKU's description


def parts(name: str, row: dict[str, Any]) -> Parts:
    """What the machine is made of."""
    if name in WHOLE:
        return {WHOLE[name]: 1}
    series = name.split("-", maxsplit=1)[0]
    sold = NAMES.get(series, f"{series.upper()} Instance")
    if name == "m4-ultramem-224":
        sold = "M4Ultramem224 Instance"
    vcpus, memory = SHARED.get(name, row["x_vCPUs"]), row["x_MemoryGiB"]
    made = {f"{sold} Core": vcpus, f"{sold} Ram": memory}
    if series == "m2":
        made |= {f"{UPGRADE} Core": vcpus, f"{UPGRADE} Ram": memory}
    if row["x_GPUCount"]:
        made[CARDS[re.sub(r"-\d+g?$", "", name)]] = row["x_GPUCount"]
    if row["x_LocalDiskGiB"]:
        own = f"{series.upper()} Instance Local SSD"
        made[own if series in OWN_DISKS else "SSD backed Local Storage"] = row["x_LocalDiskGiB"]
    return made


@dataclass
class Solved:
    """A region's prices of parts, the machines they follow from, and those left to be checked."""

    hourly: Parts
    basis: list[str]
    others: list[str] = field(default_factory=list)


def solved(machines: dict[str, tuple[Parts, float]], level: float = 1.0) -> Solved:
    """The parts' prices by as few machines as determine all that can be determined. Of parts that
    always come in the same proportion any split will do: the one nearest to what is usual.

    Args:
        level: how much of the usual prices is usual.
    """
    names = sorted({part for made, _ in machines.values() for part in made})
    found = Solved({}, [])
    independent: list[np.ndarray] = []  # orthonormal
    for name, (made, _) in sorted(machines.items(), key=lambda item: item[1][1]):
        row = np.array([made.get(part, 0.0) for part in names])
        left = row / np.linalg.norm(row)
        for _ in range(2):
            for other in independent:
                left = left - (left @ other) * other
        if np.linalg.norm(left) > 1e-9:
            independent.append(left / np.linalg.norm(left))
            found.basis.append(name)
        else:
            found.others.append(name)
    matrix = np.array([[machines[n][0].get(part, 0.0) for part in names] for n in found.basis])
    prices = np.array([machines[n][1] for n in found.basis])
    usual = level * np.array([_usual(part) for part in names])
    of_usual = 1 + np.linalg.lstsq(matrix * usual, prices - matrix @ usual, rcond=None)[0]
    solution = usual * of_usual
    found.hourly = dict(zip(names, solution.tolist(), strict=True))
    return found


def _usual(part: str) -> float:
    return max(USUAL[word] for word in part.split() if word in USUAL)


def test_solving_two_types_gives_the_prices_of_their_parts() -> None:
    """By hand: 2 c + 8 r = 0.14 and 2 c + 16 r = 0.2 give r = 0.0075, c = 0.04."""
    made = {"core": 2.0, "ram": 8.0}
    found = solved(
        {
            "standard-2": (made, 0.14),
            "highmem-2": (made | {"ram": 16.0}, 0.2),
            "standard-4": ({"core": 4.0, "ram": 16.0}, 0.28),
        }
    )
    assert found.hourly == {"core": pytest.approx(0.04), "ram": pytest.approx(0.0075)}
    assert found.basis == ["standard-2", "highmem-2"]
    assert found.others == ["standard-4"]


def listed(folder: Path) -> dict[tuple[str, str], dict[str, float]]:
    """The real list: by region and purchase, the hourly price of each type."""
    found: dict[tuple[str, str], dict[str, float]] = {}
    with gzip.open(folder / "prices" / "karpenter_vm_prices_2026.csv.gz", "rt") as file:
        for row in csv.DictReader(file):
            if row["provider"] == "gcp":
                place = found.setdefault((row["region"], row["purchase"]), {})
                place[row["instance_type"]] = float(row["usd_hour"])
    return found


@dataclass
class Compared:
    """The real list, what follows from it, and what is composed of that."""

    real: dict[tuple[str, str], dict[str, float]]
    implied: dict[tuple[str, str], Solved]
    made_of: dict[str, Parts]
    composed: dict[tuple[str, str, str], Decimal]

    def rows(self) -> Iterator[tuple[str, float, Decimal | None]]:
        """Of each machine that no price of a part follows from: what it is, and both its prices."""
        for (region, purchase), found in self.implied.items():
            for name in found.others:
                price = self.composed.get((region, PURCHASES[purchase], name))
                yield f"{region} {purchase} {name}", self.real[region, purchase][name], price


@pytest.fixture
def compared(gcp: Cloud, opened: Opened, real_data: Path) -> Compared:
    """Of some regions."""
    table = builtin.read("gcp", "shapes")
    assert table is not None
    made_of = {
        row["x_InstanceType"]: parts(row["x_InstanceType"], row) for row in table.to_pylist()
    }
    real = {key: types for key, types in listed(real_data).items() if key[0] in REGIONS}
    implied = {}
    for (region, purchase), types in real.items():
        machines = {
            name: (made_of[name], price)
            for name, price in types.items()
            if not OTHERWISE.fullmatch(f"{name} {purchase}")
        }
        spot = purchase == "spot"
        implied[region, purchase] = solved(machines, 0.25 if spot else 1.0)
        for part, price in implied[region, purchase].hourly.items():
            sell(gcp.catalogue, part, price, region, spot=spot)
    held = Held("GCP", schema.empty(schema.PRICES), schema.empty(schema.SHAPES))
    composed = {
        (row["RegionId"], row["PricingCategory"], row["x_InstanceType"]): row["ListUnitPrice"]
        for part in refresh.updated(opened(), [ALL], held, lambda *_: None)
        for row in part.prices.to_pylist()
    }
    return Compared(real, implied, made_of, composed)


def sell(catalogue: Catalogue, part: str, hourly: float, region: str, *, spot: bool) -> None:
    """The part in the catalogue, by the month where it is a disk; not one that costs nothing."""
    price = round(Decimal(hourly) * (730 if "Local S" in part else 1), 9)
    if not price:
        return
    if spot and (part == "SSD backed Local Storage" or part in CARDS.values()):
        part += " attached to Spot Preemptible VMs"
    elif spot:
        part = f"Spot Preemptible {part}"
    catalogue.add(f"{part} running in {region}", price, region)


def test_composed_prices_are_those_of_the_real_list(compared: Compared) -> None:
    wrong = [
        (what, real, price)
        for what, real, price in compared.rows()
        if price is not None and abs(float(price) - real) > NEAR * max(1.0, real)
    ]
    assert wrong == []
    assert sum(price is not None for *_, price in compared.rows()) > 1_500
    # In Bangkok there is no SKU for C4's disks: the list has them for nothing, and nothing is
    # composed.
    free = {
        (region, part)
        for (region, _), found in compared.implied.items()
        for part, hourly in found.hourly.items()
        if abs(hourly) < 1e-9
    }
    assert free == {("asia-southeast3", "C4 Instance Local SSD")}
    without = {what for what, _, price in compared.rows() if price is None}
    assert without
    assert all(re.fullmatch(r"asia-southeast3 \w+ c4-.*-lssd", what) for what in without)
