"""How `scripts/snapshot_facts.py` makes figures of processors out of measurements, by hand."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from costopt.pricing import facts

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def script() -> Iterator[ModuleType]:
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        import snapshot_facts  # type: ignore[import-not-found]

        yield snapshot_facts
    finally:
        sys.path.remove(str(ROOT / "scripts"))


def machine(folder: Path, name: str, model: str, integer: float, prime: float, **more: Any) -> None:
    """A machine's results as the inspector keeps them: PassMark's, lscpu's, and Geekbench's."""
    vcpus, threads = more.get("vcpus", 2), more.get("threads", 2)
    place = folder / "data" / more.get("provider", "aws") / name
    fields = [("CPU(s):", vcpus), ("Model name:", model)]
    inner = [{"field": "Thread(s) per core:", "data": str(threads)}]
    lscpu = [{"field": f, "data": str(v), "children": inner} for f, v in fields]
    tests = {"Clang": {"score": more["clang"]}} if "clang" in more else {}
    for part, content in (
        ("passmark/stdout", f"BaselineInfo:\n  TimeStamp: 20241107054646\nResults:\n"
                            f"  CPU_INTEGER_MATH: {integer}\n  CPU_PRIME: {prime}\n"),
        ("lscpu/stdout", json.dumps({"lscpu": lscpu})),
        ("geekbench/results.json", json.dumps({"Multi-Core Performance": tests})),
    ):  # fmt: skip
        (place / part).parent.mkdir(parents=True, exist_ok=True)
        (place / part).write_text(content)


def row(
    families: str, cpu: str, vcpu: str, provider: str = "aws", gen: str = "G"
) -> dict[str, str]:
    return {
        "provider": provider, "families": families, "generation": gen, "cpu": cpu, "vcpu": vcpu,
        "per_vcpu": "9", "low": "9", "high": "9", "machines": "9", "measured": "", "read": "a day",
        "source": "a page",
    }  # fmt: skip


def figures(told: dict[str, str]) -> list[str]:
    return [told[name] for name in ("per_vcpu", "low", "high", "machines", "measured")]


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """The unit: 200 integers and 20 primes of two vCPUs. A Zen: 1.2 and 1.5 of that, and 1.1 in
    Geekbench; as cores of another family 2 and 2."""
    machine(tmp_path, "m6i.large", "Intel(R) Xeon(R) 8375C CPU @ 2.90GHz", 200, 20, clang=1000)
    machine(tmp_path, "z1.large", "AMD EPYC 7R13 Processor", 240, 30, clang=1100)
    machine(tmp_path, "z1.48xlarge", "AMD EPYC 7R13 Processor", 1, 1, vcpus=192)
    machine(tmp_path, "y1.large", "AMD EPYC 7R13 Processor", 400, 40, threads=1)
    machine(tmp_path, "y1.medium", "AMD EPYC 7R13 Processor", 1, 1, vcpus=1, threads=1)
    return tmp_path


def rebuilt(script: ModuleType, folder: Path, *rows: dict[str, str]) -> list[dict[str, str]]:
    told: list[dict[str, str]] = script.rebuilt(rows, script.measured(folder / "data"))
    return told


def test_the_mean_of_suites_and_the_quantiles_of_loads(script: ModuleType, lab: Path) -> None:
    """PassMark (1.2 x 1.5) ** 0.5 = 1.342, Geekbench 1.1: 1.2148 of both. Of the loads 1.1, 1.2 and
    1.5 a fifth is at 1.1 (1.2 / 1.1) ** 0.4 = 1.139, four fifths at 1.2 (1.5 / 1.2) ** 0.6."""
    (told,) = rebuilt(script, lab, row("z1", "EPYC 7R13", "thread"))
    assert figures(told) == ["1.21", "1.14", "1.37", "1", "2024-11"]
    assert told["source"] == "a page"


def test_the_unit_is_one_by_definition(script: ModuleType, lab: Path) -> None:
    (told,) = rebuilt(script, lab, row("c6i m6i", "8375C @ 2.90GHz", "thread"))
    assert figures(told)[:3] == ["1.00", "1.00", "1.00"]


def test_cores_by_passmark_only_and_shared_ones_are_careful(script: ModuleType, lab: Path) -> None:
    """All loads are 2: 2 x 0.87 where Geekbench is missing, 2 x 0.63 for a busy sibling."""
    core, shared = rebuilt(
        script, lab, row("y1", "EPYC 7R13", "core"), row("y1", "EPYC 7R13", "shared")
    )
    assert figures(core)[:3] == ["2.00", "1.74", "2.00"]
    assert figures(shared)[:3] == ["2.00", "1.26", "2.00"]


def test_what_was_not_measured_is_borrowed(script: ModuleType, lab: Path) -> None:
    """The same processor there as the other kind: 2 (0.63 x 0.86) ** 0.5 = 1.47, 1.74 x 0.63 =
    1.10, 2 x 0.86. Elsewhere the generation's, a fifth less, a quarter more: 1.21, 0.91, 1.71."""
    told = rebuilt(
        script, lab,
        row("y1", "EPYC 7R13", "core"),
        row("x1", "EPYC 7R13", "borrowed"),
        row("z1", "EPYC 7R13", "thread", gen="Zen"),
        row("w1", "EPYC 7543", "borrowed", provider="other", gen="Zen"),
    )  # fmt: skip
    assert figures(told[1])[:4] == ["1.47", "1.10", "1.72", "0"]
    assert figures(told[3])[:4] == ["1.21", "0.91", "1.71", "0"]


def test_a_processor_that_nobody_measured_is_an_error(script: ModuleType, lab: Path) -> None:
    with pytest.raises(SystemExit, match="nothing measured of EPYC 1"):
        rebuilt(script, lab, row("z1", "EPYC 1", "thread"))


def test_googles_processors_are_told_apart_by_family(script: ModuleType, lab: Path) -> None:
    for name, integer in (("n1-standard-2", 100), ("g2-standard-2", 300)):
        machine(lab, name, "Intel(R) Xeon(R) CPU @ 2.20GHz", integer, 20, provider="gcp")
    first, second = rebuilt(
        script, lab,
        row("n1-*", "Intel Xeon 2.20GHz", "thread", "gcp"),
        row("g2-*", "Intel Xeon 2.20GHz", "thread", "gcp"),
    )  # fmt: skip
    assert figures(first)[3] == figures(second)[3] == "1"
    assert float(first["high"]) <= 1 < float(second["high"])


def test_rows_of_one_measurement_have_one_figure() -> None:
    """The shipped table: families beside those measured have what was measured."""
    found: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    for one in facts.rows("cpus"):
        if not one["cpu"].startswith("Intel Xeon") and not one["vcpu"].startswith("borrowed"):
            key = (one["provider"], one["cpu"], one["vcpu"])
            figure = (one["per_vcpu"], one["low"], one["high"], one["machines"])
            found.setdefault(key, set()).add(figure)
    assert max(map(len, found.values())) == 1
