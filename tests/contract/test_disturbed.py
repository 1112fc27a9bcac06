"""Whatever comes between, a lake ends up as if nothing had: every registered provider's promise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from costopt import pipeline
from costopt.lake import packed
from costopt.lake.store import Lake
from costopt.model import Window
from costopt.providers.base import Provider, Resuming
from tests.contract.fleets import Fleet

Build = Callable[..., Provider]
Held = dict[str, pa.Table]

_SERIES = ("ResourceId", "MetricName", "Statistic", "x_Device", "PeriodSeconds", "Day")


def _collect(
    provider: Provider, folder: Path, window: Window | None = None
) -> tuple[Held, pipeline.Collected]:
    """What the lake of that folder holds after one more collect, and what that told.

    The samples are as packed, so what came twice is counted in them.
    """
    lake = Lake(folder)
    told = pipeline.collect(provider, lake, window)
    held: Held = {name: _sorted(lake.read(name)) for name in ("resources", "prices", "shapes")}
    held["bill"] = _sorted(lake.read_charges())
    held["samples"] = pa.concat_tables(packed.scan(lake)).sort_by(
        [(name, "ascending") for name in _SERIES]
    )
    return held, told


def _sorted(table: pa.Table) -> pa.Table:
    """In an order that only its rows decide."""
    rows = sorted(table.to_pylist(), key=lambda row: repr(sorted(row.items())))
    return pa.Table.from_pylist(rows, schema=table.schema)


def _same(one: Held, other: Held) -> None:
    for name, table in one.items():
        assert table.num_rows == other[name].num_rows, name
        assert table.equals(other[name]), name


@pytest.fixture(scope="package")
def alone(
    opened: Fleet, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Held, pipeline.Collected]:
    """One collect of everything."""
    folder = tmp_path_factory.mktemp("alone")
    held, told = _collect(opened.build(folder), folder / "lake")
    assert not [problem for problem in told.problems if problem.fatal]
    return held, told


@pytest.fixture
def undisturbed(fleet: Fleet, alone: tuple[Held, pipeline.Collected]) -> Held:
    """What a lake should hold."""
    return alone[0]


def _span(provider: Provider) -> Window:
    times = pa.concat_tables(provider.metrics(None)).column("Timestamp").to_pylist()
    return Window(min(times), max(times))


def test_bit_by_bit_is_as_good_as_all_at_once(
    alone: tuple[Held, pipeline.Collected], build: Build, tmp_path: Path
) -> None:
    whole = _span(build())
    middle = whole.start + (whole.end - whole.start) * 0.6
    _, first = _collect(build(), tmp_path / "bits", Window(whole.start, middle))
    held, second = _collect(build(), tmp_path / "bits")
    _same(alone[0], held)
    rows = [told.rows["metrics"] for told in (first, second, alone[1])]
    assert 0 < rows[0] < rows[2]
    if isinstance(build(), Resuming):
        assert sum(rows[:2]) == rows[2]  # nothing was asked for twice


class _KilledError(BaseException):
    pass


@pytest.mark.parametrize("tables", [1])
def test_a_killed_collect_is_taken_up(
    undisturbed: Held,
    build: Build,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    tables: int,
) -> None:
    monkeypatch.setattr(pipeline, "_PORTION_ROWS", 1)  # each table is committed by itself
    provider = build()
    samples = provider.metrics

    def killed(window: Window | None) -> Iterator[pa.Table]:
        for number, table in enumerate(samples(window)):
            if number == tables:
                break
            yield table
        raise _KilledError

    provider.metrics = killed  # type: ignore[method-assign]
    lake = tmp_path / "killed"
    with pytest.raises(_KilledError):
        pipeline.collect(provider, Lake(lake))
    _same(undisturbed, _collect(build(), lake)[0])


def test_throttling_loses_and_doubles_nothing(
    undisturbed: Held, fleet: Fleet, build: Build, tmp_path: Path
) -> None:
    if fleet.throttle is None:
        pytest.skip("it makes no calls")
    provider = build(max_attempts=8)
    fleet.throttle()
    held, told = _collect(provider, tmp_path / "throttled")
    assert not told.problems
    _same(undisturbed, held)


def test_a_part_that_is_refused_stops_no_other_and_is_made_up_for(
    undisturbed: Held, fleet: Fleet, build: Build, tmp_path: Path
) -> None:
    if fleet.refuse is None:
        pytest.skip("it has no parts")
    refusal = fleet.refuse()
    lake = tmp_path / "refused"
    partial, told = _collect(build(), lake)
    fatal = [problem for problem in told.problems if problem.fatal]
    assert any(refusal.named in f"{problem.where} {problem.what}" for problem in fatal), fatal
    kept: list[dict[str, Any]] = [
        row for row in undisturbed["samples"].to_pylist() if not refusal.lost(row)
    ]
    assert 0 < len(kept) < undisturbed["samples"].num_rows
    assert partial["samples"].to_pylist() == kept
    assert partial["bill"].equals(undisturbed["bill"])
    fleet.mend()
    _same(undisturbed, _collect(build(), lake)[0])
