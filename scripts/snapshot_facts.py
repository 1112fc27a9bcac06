"""Rebuild the figures of the table of processors (costopt/pricing/facts/cpus.csv).

    git clone https://github.com/SpareCores/sc-inspector-data
    python scripts/snapshot_facts.py --data sc-inspector-data

Which families are on which processor, of which generation it is, and whether a vCPU is a thread, a
core, or one that is shared: that is kept by hand in the table, with its source. per_vcpu, low,
high, machines and measured come from the measurements of Spare Cores (CC BY-SA 4.0);
docs/equivalence.md says how. The same input gives the same file.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp, log
from pathlib import Path
from statistics import fmean, median
from typing import Any, Final

import numpy as np

from costopt.pricing import facts
from costopt.pricing.equivalence import SMT_BUSY

Row = dict[str, str]
Scores = Mapping[str, float]

_PASSMARK: Final = (
    "CPU_INTEGER_MATH", "CPU_FLOATINGPOINT_MATH", "CPU_PRIME", "CPU_SORTING", "CPU_PHYSICS",
)  # fmt: skip
"""Not encryption, compression and matrices: its Arm build has no code for their instructions."""
_GEEKBENCH: Final = (
    "File Compression", "Navigation", "HTML5 Browser", "PDF Renderer", "Photo Library", "Clang",
    "Text Processing", "Asset Compression", "Ray Tracer", "Structure from Motion",
)  # fmt: skip
_REFERENCE: Final = ("m6i", "r6i")  # families of AWS
_MOST_VCPUS: Final = 16  # of machines that are measured by; larger ones where there are no others
_PARTS: Final = ("e2-micro", "e2-small", "e2-medium", "f1-micro", "g1-small")  # of a vCPU
_NOISE: Final = re.compile(
    r"\(R\)|CPU|Processor|\d+-Core|INTEL|XEON|Intel|Xeon|AMD|PLATINUM|Platinum"
)
_ALONE: Final = 0.87  # Geekbench's figures of whole cores are lower than PassMark's by that
_ELSEWHERE: Final = (0.8, 1.25)  # how far another provider's machine of a generation may be off
_PAIRLESS: Final = ("vultr",)
"""Where a guest is told of two threads a core, and its figures are those of cores."""
_MEASURED: Final = ("aws", "azure", "gcp", "hetzner")  # whose figures stand for a generation


@dataclass(frozen=True)
class Machine:
    """One machine type that was measured."""

    provider: str
    name: str
    processor: str
    threads: int  # of a core, as the guest sees it
    vcpus: float
    scores: Scores  # by load, a vCPU; later relative to the reference
    month: str  # 2026-07; "" = not told


@dataclass(frozen=True)
class Figures:
    """Of one processor at one provider."""

    middle: float
    low: float
    high: float
    machines: int
    suites: int
    months: tuple[str, ...]


def main() -> None:
    """Read, measure, write, report."""
    parser = argparse.ArgumentParser(description="Rebuild the figures of cpus.csv.")
    parser.add_argument("--data", type=Path, required=True, help="a copy of sc-inspector-data")
    parser.add_argument("--table", type=Path, default=facts.FOLDER / "cpus.csv", help="in place")
    options = parser.parse_args()
    with options.table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = rebuilt(rows, measured(options.data / "data"))
    with options.table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(found[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(found)
    changed = sum(one != other for one, other in zip(rows, found, strict=True))
    print(f"wrote {options.table.name}: {len(found)} rows, {changed} of them changed")


def rebuilt(rows: Sequence[Row], machines: Iterable[Machine]) -> list[Row]:
    """The rows with their figures, in their own order.

    Raises:
        SystemExit: a row of a processor that was not measured.
    """
    every = relative(list(machines))
    told = [row if _is_borrowed(row) else _told(row, _figures(row, every)) for row in rows]
    return [_borrowed(row, told) if _is_borrowed(row) else row for row in told]


# -- what was measured ---------------------------------------------------------------------------


def measured(folder: Path) -> Iterator[Machine]:
    """Every machine of folder/PROVIDER/TYPE/ whose number of vCPUs is known."""
    for place in sorted(folder.glob("*/*/")):
        passmark = _passmark(_text(place / "passmark" / "stdout"))
        seen = _lscpu(_text(place / "lscpu" / "stdout"))
        vcpus = float(seen.get("CPU(s):") or passmark.get("NumLogicals") or 0)
        if not vcpus:
            continue
        loads = {name: float(passmark.get(name, 0)) for name in _PASSMARK}
        scores = {f"pm {name}": score / vcpus for name, score in loads.items() if score > 0}
        for name, score in _geekbench(_text(place / "geekbench" / "results.json")):
            scores[f"gm {name}"] = score / vcpus
        day = passmark.get("TimeStamp", "")
        yield Machine(
            {"hcloud": "hetzner", "hetzner": "hetzner robot"}.get(
                place.parent.name, place.parent.name
            ),
            place.name,
            _processor(seen.get("Model name:") or passmark.get("Processor") or ""),
            int(seen.get("Thread(s) per core:") or 0),
            vcpus,
            scores,
            f"{day[:4]}-{day[4:6]}" if len(day) > 6 else "",
        )


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def _passmark(text: str) -> dict[str, str]:
    return {name: value.strip() for name, value in re.findall(r"^\s+(\w+): (.*)$", text, re.M)}


def _lscpu(text: str) -> dict[str, str]:
    """Its fields, those within others too; the first of a name counts."""
    found: dict[str, str] = {}

    def walk(fields: list[dict[str, Any]]) -> None:
        for one in fields:
            found.setdefault(one["field"], one.get("data") or "")
            walk(one.get("children", []))

    try:
        walk(json.loads(text)["lscpu"])
    except (ValueError, KeyError):
        return {}
    return found


def _geekbench(text: str) -> Iterator[tuple[str, float]]:
    try:
        scores = json.loads(text).get("Multi-Core Performance", {})
    except ValueError:
        return
    yield from ((name, float(scores[name]["score"])) for name in _GEEKBENCH if name in scores)


def _processor(model: str) -> str:
    """As the table spells it; Google's Intel processors tell no more than their frequency."""
    plain = re.sub(r"\s+", " ", _NOISE.sub("", model)).strip()
    if "GENUINE" in plain:
        return "Intel Xeon, unnamed"
    return plain.replace("@ ", "Intel Xeon ") if plain.startswith("@ ") else plain


def relative(machines: Sequence[Machine]) -> list[Machine]:
    """The machines with scores relative to the reference's of as many vCPUs; without those that
    have none to compare with, or share a vCPU."""
    found: dict[float, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for one in machines:
        if one.provider == "aws" and one.name.split(".")[0] in _REFERENCE:
            for load, score in one.scores.items():
                found[one.vcpus][load].append(score)
    unit = {size: {n: median(s) for n, s in loads.items()} for size, loads in found.items()}
    each = (
        replace(one, scores={n: s / unit[one.vcpus][n] for n, s in one.scores.items()
                             if n in unit[one.vcpus]})
        for one in machines if one.vcpus >= 2 and one.vcpus in unit and one.name not in _PARTS
    )  # fmt: skip
    return [one for one in each if one.scores]


# -- figures -------------------------------------------------------------------------------------


def _figures(row: Row, machines: Sequence[Machine]) -> Figures:
    here = [one for one in machines if _is_of(one, row)]
    if not here:
        raise SystemExit(f"nothing measured of {row['cpu']} ({row['provider']}, {row['vcpu']})")
    some = [one for one in here if one.vcpus <= _MOST_VCPUS] or here
    loads = sorted({load for one in some for load in one.scores})
    logs = {
        load: log(median(one.scores[load] for one in some if load in one.scores)) for load in loads
    }
    suites = [[logs[n] for n in loads if n.startswith(suite)] for suite in ("pm ", "gm ")]
    middle = exp(fmean(fmean(suite) for suite in suites if suite))
    low, high = np.exp(np.quantile(list(logs.values()), [0.2, 0.8]))
    months = sorted({one.month for one in here if one.month})
    return Figures(
        middle, min(low, middle), max(high, middle), len(some), sum(map(bool, suites)),
        tuple(dict.fromkeys([*months[:1], *months[-1:]])),
    )  # fmt: skip


def _is_of(one: Machine, row: Row) -> bool:
    threads = 2 if row["vcpu"] == "thread" or row["provider"] in _PAIRLESS else 1
    if (one.provider, one.processor, one.threads) != (row["provider"], row["cpu"], threads):
        return False
    if not re.match(r"Intel Xeon \d", one.processor):
        return True
    return one.name.split("-")[0] in {name.split("-")[0] for name in row["families"].split()}


def _told(row: Row, found: Figures) -> Row:
    middle, low, high = found.middle, found.low, found.high
    if row["families"].split()[0] == "c6i":  # the unit
        middle = low = high = 1.0
    if row["vcpu"] == "core" and found.suites == 1:
        low *= _ALONE
    if row["vcpu"] == "shared":
        low *= SMT_BUSY[0]
    return row | _three(middle, low, high) | {
        "machines": str(found.machines), "measured": "/".join(found.months),
    }  # fmt: skip


def _is_borrowed(row: Row) -> bool:
    return row["vcpu"].startswith("borrowed")


def _borrowed(row: Row, rows: Sequence[Row]) -> Row:
    """From the same processor there, seen the other way (threads as cores, cores as threads); else
    from the generation's vCPUs elsewhere."""
    kinds = ("core", "thread") if row["vcpu"] == "borrowed core" else ("thread", "core")
    there = [one for one in rows if one["provider"] == row["provider"] and one["cpu"] == row["cpu"]]
    alike = [one for one in rows if one["generation"] == row["generation"]]
    alike = [one for one in alike if one["provider"] in _MEASURED]
    for kind, among, far in (
        (kinds[1], there, (1.0, 1.0)), (kinds[0], alike, _ELSEWHERE), (kinds[1], alike, _ELSEWHERE),
    ):  # fmt: skip
        found = {_identity(one): one for one in among if one["vcpu"] == kind}
        if found:
            middle = exp(fmean(log(float(one["per_vcpu"])) for one in found.values()))
            low = min(float(one["low"]) for one in found.values()) * far[0]
            high = max(float(one["high"]) for one in found.values()) * far[1]
            return row | _three(*_as(kinds[0], kind, middle, low, high)) | {"machines": "0"}
    raise SystemExit(f"nothing measured of {row['generation']}")


def _identity(row: Row) -> tuple[str, ...]:
    """Several rows may be of one measurement: each family with its own source."""
    return tuple(row[name] for name in ("provider", "cpu", "per_vcpu", "low", "high"))


def _as(
    wanted: str, kind: str, middle: float, low: float, high: float
) -> tuple[float, float, float]:
    """Threads as whole cores, or cores as threads, by what a busy sibling takes."""
    worst, best = SMT_BUSY
    mean = (worst * best) ** 0.5
    if wanted == kind:
        return middle, low, high
    if wanted == "core":
        return middle / mean, low / best, high / worst
    return middle * mean, low * worst, high * best


def _three(middle: float, low: float, high: float) -> Row:
    return {"per_vcpu": f"{middle:.2f}", "low": f"{low:.2f}", "high": f"{high:.2f}"}


if __name__ == "__main__":
    main()
