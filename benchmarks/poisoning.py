"""How many answers change when samples are spoiled on their way, and how many turn bad.

    python benchmarks/poisoning.py [--fleet bitbrains|shapes|demo]... [--instances 200]

The whole way, from samples through a lake to advice: clean once, then with each of
benchmarks/poisons.py in all of the past. An answer is the machine type advised, or "stays"; it is
bad where the new machine would use up its budget of violations in the fourteen clean days that
follow. Machines count whose size could be judged. Three fleets:

- `bitbrains`: every machine as if it had 16 vCPUs, with a half, a quarter ... a sixteenth on offer;
  memory is the only witness of a spike;
- `shapes`: the same machines with the vCPUs they have, and types of 1, 2, 4 ... 32;
- `demo`: the built-in fleet, with the clouds' own types; network and disk are collected.

Prints a table a fleet, and lines `check FLEET POISON NAME: VALUE (TARGET) ok|MISSED`.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from answers import STAYS, TEST_DAYS, Answers, Fleet, Future, answers, bad, changed, filled, future
from poisons import POISONS, Poison
from traces import BITBRAINS_START, DATA, bitbrains, bitbrains_samples

from costopt import schema
from costopt.lake.store import Lake
from costopt.providers.demo import DemoProvider

DAYS = 48  # of past: what Bitbrains' two months leave before the test
LADDER = (1, 2, 4, 8, 16, 32)


def on_ladder(data: Path, *, relative: bool) -> Fleet:
    """Bitbrains on a ladder of generic types that cost by the vCPU; memory stays as it is."""
    own = bitbrains(data).vcpus
    resources = [
        {"ResourceId": key, "x_InstanceType": f"g{n}", "x_vCPUs": n, "x_MemoryGiB": 64}
        for key, vcpus in own.items()
        for n in [16 if relative else vcpus]
    ]
    types = [{"x_InstanceType": f"g{n}", "x_vCPUs": n, "x_MemoryGiB": 64} for n in LADDER]
    prices = [
        {"x_InstanceType": f"g{n}", "PricingCategory": "Standard", "PricingCurrency": "USD"}
        | {"ListUnitPrice": Decimal("0.05") * n}
        for n in LADDER
        if not (relative and n > 16)
    ]

    def found(lake: Lake) -> None:
        for name, rows in (("resources", resources), ("shapes", types), ("prices", prices)):
            given = [{"ProviderName": "Generic"} | row for row in rows]
            lake.append(name, pa.Table.from_pylist(given, schema=schema.SCHEMAS[name]))

    title = "Bitbrains, as if of 16 vCPUs each" if relative else "Bitbrains, at sizes that exist"
    return Fleet(
        title, BITBRAINS_START + timedelta(days=DAYS), list(bitbrains_samples(data)), found
    )


def demo(instances: int) -> Fleet:
    """The built-in fleet."""
    provider = DemoProvider(instances=instances, days=DAYS + TEST_DAYS)

    def found(lake: Lake) -> None:
        lake.append("resources", provider.resources())
        lake.append("shapes", provider.shapes())
        lake.append("prices", provider.prices())
        lake.append_charges(provider.charges(None))

    title = f"The demo fleet, {instances} machines"
    as_of = provider.window.end - timedelta(days=TEST_DAYS)
    return Fleet(title, as_of, list(provider.metrics(None)), found)


def poisoned(place: Path, fleet: Fleet, poison: Poison) -> Answers:
    """What is answered on the spoiled samples."""
    rng = np.random.default_rng(0)
    spoiled = (poison.change(table, rng) for table in fleet.past())
    sent = (fleet.past(), spoiled) if poison.resent else (spoiled,)
    return answers(filled(place, fleet, *sent), fleet.as_of)


def report(fleet: Fleet, name: str, place: Path) -> None:
    """A fleet's table and checks."""
    then = future(filled(place, fleet, fleet.samples), fleet.as_of)
    clean = answers(filled(place, fleet, fleet.past()), fleet.as_of)
    smaller = sum(answer.capacity < 1 for answer in clean.sizes.values())
    print(
        f"\n{fleet.title}: {len(clean.sizes)} judged, {smaller} to be made smaller, "
        f"{len(clean.stops)} to be stopped; spikes of {clean.disputed} disputed\n"
        f"  {'poison':13}{'changed':>9}{'smaller':>9}{'bad':>8}{'clean':>8}"
        f"{'disputed':>10}{'stops':>10}"
    )
    lines = []
    for key, poison in POISONS.items():
        found = compare(clean, poisoned(place, fleet, poison), then)
        print(f"  {key:13}{found.words}")
        lines += found.checks(f"{name} {key}", abstains=poison.abstains)
    print(*lines, sep="\n")


class Comparison(NamedTuple):
    """Spoiled answers beside clean ones; percent of the machines judged in either."""

    changed: float
    smaller: float  # of them, to a smaller machine
    shrunk: float  # of these, to one smaller than today's
    bad: float
    bad_clean: float
    disputed: int  # machines
    stops: str

    @property
    def words(self) -> str:
        """The end of a table's line."""
        shares = f"{self.changed:8.1f}%{self.smaller:8.1f}%{self.bad:7.1f}%{self.bad_clean:7.1f}%"
        return f"{shares}{self.disputed:10}{self.stops:>10}"

    def checks(self, name: str, *, abstains: bool) -> list[str]:
        """Against the targets; where advice is to be withheld, that none turns to a smaller one."""
        share, more = self.changed, self.bad - self.bad_clean
        moved = check(f"{name} changed", f"{share:.1f} %", "<= 10", share <= 10)
        less = check(f"{name} shrunk", f"{self.shrunk:.1f} %", "<= 1", self.shrunk <= 1)
        return [
            less if abstains else moved,
            check(f"{name} more_bad", f"{more:+.1f} points", "<= 1", more <= 1),
        ]


def compare(clean: Answers, said: Answers, then: Future) -> Comparison:
    """How the answers differ, and what the clean future says of both."""
    other = changed(clean, said).values()
    among = clean.sizes.keys() | said.sizes.keys()
    judged = sorted(among & then.keys())
    return Comparison(
        changed=100 * len(other) / len(among),
        smaller=100 * sum(now.capacity < before.capacity for before, now in other) / len(among),
        shrunk=100
        * sum(now.capacity < min(before.capacity, STAYS.capacity) for before, now in other)
        / len(among),
        bad=100 * bad(said, judged, then),
        bad_clean=100 * bad(clean, judged, then),
        disputed=said.disputed,
        stops=f"+{len(said.stops - clean.stops)} -{len(clean.stops - said.stops)}",
    )


def check(name: str, value: str, target: str, holds: bool) -> str:
    """One line."""
    return f"check {name}: {value} ({target}) {'ok' if holds else 'MISSED'}"


def main() -> None:
    """Spoil, answer, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--fleet", action="append", choices=("bitbrains", "shapes", "demo"))
    parser.add_argument("--instances", type=int, default=200, help="machines of the demo fleet")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the traces")
    options = parser.parse_args()
    makers = {
        "bitbrains": lambda: on_ladder(options.data, relative=True),
        "shapes": lambda: on_ladder(options.data, relative=False),
        "demo": lambda: demo(options.instances),
    }
    print("changed: answers another than clean; smaller: of them, to a smaller machine than clean;")
    print("bad, clean: machines over budget in the next 14 days, by the spoiled and clean answers")
    for name in options.fleet or makers:
        start = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            report(makers[name](), name, Path(folder) / "lake")
        print(f"({time.perf_counter() - start:.0f} s)")


if __name__ == "__main__":
    main()
