"""Collect: a provider's tables into the lake."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import pyarrow as pa

from costopt import units
from costopt.errors import CostoptError, InputError, ProviderError
from costopt.frame.inventory import newest
from costopt.lake import packed
from costopt.lake.held import held
from costopt.lake.store import Lake
from costopt.lake.turns import turn
from costopt.model import Window
from costopt.pipeline.exchanging import exchanged
from costopt.pipeline.progress import Progress
from costopt.providers.base import (
    Advised,
    Estimate,
    Known,
    Paid,
    Problem,
    Provider,
    Rehearsing,
    Resuming,
    Tariffed,
)

_PORTION_ROWS = 1_000_000
"""A portion of samples that is kept whatever becomes of the rest: a few minutes of collecting."""


@dataclass(frozen=True, slots=True)
class Collected:
    """What a collect added to the lake, and what it could not."""

    rows: Mapping[str, int]  # table -> rows new to the lake
    problems: tuple[Problem, ...]
    compacted_days: int


def collect(
    provider: Provider,
    lake: Lake,
    window: Window | None = None,
    progress: Progress = lambda step: None,
    *,
    announce: Callable[[Estimate], None] = lambda estimate: None,
    waits: Callable[[datetime | None], None] = lambda since: None,
) -> Collected:
    """Bring a provider's tables into the lake; what one of them lacks does not stop the others.

    Two collects of one provider into one lake take turns: the second asks only for what the first
    did not bring. A dry run announces its estimate and brings nothing.

    Args:
        announce: told what the paid calls will cost, once it is known and before the first of them.
        waits: told before waiting for another collect, and since when that is at work (UTC).
    Raises:
        InputError, ProviderError: the first failure, where no table could be had at all.
    """
    with turn(lake.root, provider.name, waits):
        return _collect(provider, lake, window, progress, announce)


def _collect(
    provider: Provider,
    lake: Lake,
    window: Window | None,
    progress: Progress,
    announce: Callable[[Estimate], None],
) -> Collected:
    resuming = provider if isinstance(provider, Resuming) else None
    if resuming:
        packed.compact(lake)  # what a killed collect left is known, too
        resuming.resume(
            Known(
                held(lake),
                tuple(newest(lake.read("resources"))),
                lake.notes(provider.name),
                lake.read("prices"),
                lake.read("shapes"),
            )
        )
    rows: dict[str, int] = {}
    failures: list[CostoptError] = []
    if isinstance(provider, Paid):
        progress("what there is")
        try:
            announce(provider.estimate())
        except (InputError, ProviderError) as error:
            failures.append(error)
    if isinstance(provider, Rehearsing) and provider.dry_run:
        if failures:
            raise failures[0]
        return Collected({}, tuple(provider.problems), 0)
    for name, step in _steps(provider, lake, window, progress).items():
        progress(name)
        try:
            rows[name] = step()
        except (InputError, ProviderError) as error:
            failures.append(error)
    progress("compaction")
    compacted = packed.compact(lake)
    if failures and not any(rows.values()):
        raise failures[0]
    lost = [Problem(e.where or provider.name, _told(e), fatal=True) for e in failures]
    return Collected(rows, (*provider.problems, *lost), compacted.days)


def _told(error: CostoptError) -> str:
    return f"{error.what} ({error.hint})" if error.hint else error.what


def _steps(
    provider: Provider,
    lake: Lake,
    window: Window | None,
    progress: Progress,
) -> dict[str, Callable[[], int]]:
    """What a collect does, in order; each gives the rows that are new to the lake."""
    resuming = provider if isinstance(provider, Resuming) else None

    def counted(what: str, tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
        rows = 0
        for table in tables:
            rows += table.num_rows
            progress(f"{what}: {units.counted(rows, 'row')}")
            yield table

    def charges() -> int:
        tables = counted("charges", provider.charges(window))
        committed = lake.append_charges(tables, whole_periods=resuming is not None)
        if resuming:
            lake.note(provider.name, resuming.notes)
        return committed.rows

    def metrics() -> int:
        samples = counted("metrics", provider.metrics(window))
        if resuming is None:
            return lake.append_metrics(provider.name, samples).rows
        before = dict(resuming.notes)  # those of charges may be of a bill that was not committed
        committed = lake.append_metrics(provider.name, samples, portion_rows=_PORTION_ROWS)
        new = {name: text for name, text in resuming.notes.items() if before.get(name) != text}
        lake.note(provider.name, new)
        return committed.rows

    steps = {
        "resources": lambda: lake.append("resources", provider.resources()).rows,
        "shapes": lambda: lake.append("shapes", provider.shapes()).rows,
        "prices": lambda: lake.append("prices", provider.prices()).rows,
        "charges": charges,
        "metrics": metrics,
    }
    if isinstance(provider, Tariffed):
        steps["rates"] = lambda: lake.append("rates", provider.rates()).rows
        steps["exchange"] = partial(exchanged, provider, provider.problems, lake)
    if isinstance(provider, Advised):
        steps["advice"] = partial(_advice, provider, provider.problems, lake)
    return steps


def _advice(provider: Advised, problems: list[Problem], lake: Lake) -> int:
    """The vendor's own recommendations: a collect without them lacks no data."""
    try:
        return lake.append_listings(provider.advice()).rows
    except (InputError, ProviderError) as error:
        problems.append(Problem(error.where or "advice", _told(error)))
        return 0
