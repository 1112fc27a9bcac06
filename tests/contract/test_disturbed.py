"""Whatever comes between, a lake ends up as if nothing had: every registered provider's promise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from costopt import pipeline
from costopt.lake.store import Lake
from costopt.model import Series, Window
from costopt.pipeline import collecting
from costopt.providers.base import Known, Provider, Resuming
from costopt.providers.gone import GONE
from tests.contract.collected import Alone, Held, collect, same
from tests.contract.conftest import Told
from tests.contract.fleets import Fleet
from tests.contract.truth import NOW

Build = Callable[..., Provider]


def _beginning(told: Told) -> Window:
    """Three fifths of the time that there are samples of."""
    times = pa.concat_tables(told.metrics).column("Timestamp").to_pylist()
    first, last = min(times), max(times)
    return Window(first, first + (last - first) * 0.6)


def test_bit_by_bit_is_as_good_as_all_at_once(
    alone: Alone, told: Told, build: Build, tmp_path: Path
) -> None:
    _, first = collect(build(), tmp_path / "bits", _beginning(told))
    held, second = collect(build(), tmp_path / "bits")
    same(alone.held, held)
    rows = [done.rows["metrics"] for done in (first, second, alone.told)]
    assert 0 < rows[0] < rows[2]
    if isinstance(build(), Resuming):
        assert sum(rows[:2]) == rows[2]  # nothing was asked for twice


class _KilledError(BaseException):
    pass


@pytest.mark.parametrize("tables", [1])
def test_a_killed_collect_is_taken_up(
    alone: Alone,
    build: Build,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    tables: int,
) -> None:
    monkeypatch.setattr(collecting, "_PORTION_ROWS", 1)  # each table is committed by itself
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
    same(alone.held, collect(build(), lake)[0])


def test_throttling_loses_and_doubles_nothing(
    alone: Alone, fleet: Fleet, build: Build, tmp_path: Path
) -> None:
    if fleet.throttle is None:
        pytest.skip("it makes no calls")
    provider = build(max_attempts=fleet.attempts)
    fleet.throttle()
    held, done = collect(provider, tmp_path / "throttled")
    assert not done.problems
    same(alone.held, held)


def test_a_part_that_is_refused_stops_no_other_is_not_gone_and_is_made_up_for(
    alone: Alone, told: Told, fleet: Fleet, build: Build, tmp_path: Path
) -> None:
    if fleet.refuse is None:
        pytest.skip("it has no parts")
    lake = tmp_path / "refused"
    before, _ = collect(build(), lake, _beginning(told))
    refusal = fleet.refuse()
    partial, done = collect(build(), lake)
    fatal = [problem for problem in done.problems if problem.fatal]
    assert any(refusal.named in f"{problem.where} {problem.what}" for problem in fatal), fatal
    ids = [one["resources"]["ResourceId"].to_pylist() for one in (partial, alone.held)]
    assert sorted(ids[0]) == sorted(ids[1])
    assert GONE not in partial["resources"]["x_State"].to_pylist()  # it may well be there
    assert _rows(partial, refusal.lost) == _rows(before, refusal.lost) != []
    assert _rows(partial, refusal.kept) == _rows(alone.held, refusal.kept) != []
    assert not partial["samples"].equals(alone.held["samples"])
    assert partial["bill"].equals(alone.held["bill"])
    fleet.mend()
    same(alone.held, collect(build(), lake)[0])


def _rows(held: Held, concerned: Callable[[Mapping[str, Any]], bool]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = held["samples"].to_pylist()
    return [row for row in rows if concerned(row)]


Samples = dict[tuple[Series, int, datetime], float]
"""Values by series, period and start."""


def _samples(provider: Provider, window: Window, known: Samples | None = None) -> Samples:
    """What is told of a window to one who knows some of it."""
    if isinstance(provider, Resuming):
        ends: dict[Series, datetime] = {}
        for series, period, start in known or ():
            ends[series] = max(ends.get(series, start), start + timedelta(seconds=period))
        provider.resume(Known(ends))
    found: Samples = {}
    for table in provider.metrics(window):
        for row in table.to_pylist():
            names = (row["ResourceId"], row["MetricName"], row["Statistic"], row["x_Device"] or "")
            found[Series(*names), row["PeriodSeconds"], row["Timestamp"]] = row["Value"]
    return found


def test_after_a_failed_call_nothing_later_of_a_series_is_given(fleet: Fleet, build: Build) -> None:
    """Else its end would be taken for all that there is, and the hole would stay."""
    if fleet.stumble is None:
        pytest.skip("all its samples come in one go")
    window = fleet.stumble()
    provider = build()
    partial = _samples(provider, window)
    assert [problem for problem in provider.problems if problem.fatal]
    fleet.mend()
    whole = _samples(build(), window)
    assert len(partial) < len(whole)
    assert partial | _samples(build(), window, partial) == whole


def test_what_may_still_change_is_not_given(fleet: Fleet, build: Build) -> None:
    if fleet.ahead is None:
        pytest.skip("what it has does not change")
    final = fleet.ahead()
    found = _samples(build(until=None), Window(NOW - timedelta(hours=2), NOW + timedelta(hours=2)))
    newest = max(start + timedelta(seconds=period) for _, period, start in found)
    assert final - timedelta(hours=1) < newest <= final
