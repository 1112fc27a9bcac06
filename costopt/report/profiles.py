"""The profiles table for people, one line a series or one page a machine, and as data."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from costopt.frame.subject import duration
from costopt.model import Profile, Resource
from costopt.report import words
from costopt.report.safe import csv_cell
from costopt.report.screen import GAP, HEAD, MARGIN, PLAIN, QUIET, STRONG, Column, Screen, cells_of
from costopt.schema import metric_unit

WIDTH: Final = 120
_WITH_STRIP: Final = 112  # columns; a narrower page leaves the week out
_NAME: Final = 16  # columns; where a machine's name has fewer, it has a line of its own
_SERIES: Final = 24  # columns; longer ones wrap
_SHORTEST: Final = 12  # columns for a series on a page too narrow for all figures
_LEAST: Final = ("P95", "mean")  # left out there, in this order
_INDENT: Final = 2
_BARS: Final = "▁▂▃▄▅▆▇█"
_NOTHING: Final = "·"
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_STRIP_HOURS: Final = 8  # a night, a day and an evening
_STRIP_HEAD: Final = "".join(day[:2].ljust(24 // _STRIP_HOURS) for day in _DAYS)


def fleet_text(
    profiles: Sequence[Profile], names: Mapping[str, str], *, width: int, colour: bool
) -> str:
    """A line a series: its figures, and the shape of its week, Monday to Sunday.

    Columns are as wide as what they hold, so no figure loses its unit. Where names and series do
    not fit beside the figures, a machine's name has a line of its own above its series, which wrap.
    """
    screen = Screen(width, colour=colour)
    rows = [(_short_series(profile), _figures(profile)) for profile in profiles]
    told = _told(screen, [figures for _, figures in rows])
    room = screen.width - 2 * MARGIN - sum(GAP + column.width for column in told.values())
    series = min(max((cells_of(name) for name, _ in rows), default=0), _SERIES)
    series = max(series, len("metric"))
    beside = room - GAP - series >= _NAME
    first = [Column(room - GAP - series), Column(series)] if beside else [Column(room - _INDENT)]
    columns, indent = [*first, *told.values()], MARGIN if beside else MARGIN + _INDENT
    heads = ["machine", "metric"] if beside else ["metric"]
    if not beside:
        screen.line(("machine", HEAD))
    screen.grid(columns, [((head, HEAD),) for head in (*heads, *told)], indent=indent)
    before = None
    for profile, (name, figures) in zip(profiles, rows, strict=True):
        machine = names.get(profile.resource_id) or profile.resource_id
        named = machine if profile.resource_id != before else ""
        if named and not beside:
            screen.line((named, STRONG))
        cells = [
            *([((named, STRONG),)] if beside else []),
            [(line, PLAIN) for line in screen.wrapped(name, first[-1].width)],
            *([(figures[head], QUIET if head == _STRIP_HEAD else PLAIN)] for head in told),
        ]
        screen.grid(columns, cells, indent=indent)
        before = profile.resource_id
    return screen.text()


def machine_text(
    resource: Resource, profiles: Sequence[Profile], *, width: int, colour: bool
) -> str:
    """Everything the profiles table says of one machine."""
    screen = Screen(width, colour=colour)
    place = [resource.provider_name, resource.region_id, resource.instance_type]
    screen.title(resource.resource_name or resource.resource_id)
    screen.line(("  ".join([resource.resource_id, *(part for part in place if part)]), QUIET))
    for profile in profiles:
        screen.blank()
        _one(screen, profile)
    return screen.text()


def week_strip(values: Sequence[float]) -> str:
    """The week as 21 bars of eight hours, each as high as their mean beside the highest of them."""
    hours = np.array(values).reshape(-1, _STRIP_HOURS)
    sampled = ~np.isnan(hours)
    sums = np.where(sampled, hours, 0).sum(axis=1)
    count = sampled.sum(axis=1)
    return bars(np.where(count > 0, sums / np.maximum(count, 1), np.nan))


def bars(values: Any) -> str:
    """A bar a value, from zero to the largest; a dot where there is none."""
    known = np.asarray(values, np.float64)
    largest = np.nanmax(known) if not np.isnan(known).all() else 0.0
    return "".join(_NOTHING if np.isnan(value) else _bar(value, largest) for value in known)


def data(table: pa.Table, kind: str) -> bytes:
    """The table itself (schema.PROFILES): json, csv or parquet.

    JSON is one object, `profiles` in it a list, null for NaN. CSV leaves the three week columns and
    the histogram out, which a cell cannot hold.
    """
    if kind == "parquet":
        sink = io.BytesIO()
        pq.write_table(table, sink, compression="zstd")
        return sink.getvalue()
    return _json(table) if kind == "json" else _csv(table)


def _short_series(profile: Profile) -> str:
    return _series(profile).replace(" utilization", "")


def _figures(profile: Profile) -> dict[str, str]:
    """What a line tells of a series, by the head of its column."""
    unit = metric_unit(profile.metric_name)
    return {
        "mean": words.measure(profile.mean, unit),
        "P95": words.measure(profile.p95, unit),
        "P99.5": words.measure(profile.p99_5, unit),
        "max": words.measure(profile.max, unit),
        "coverage": words.percent(profile.coverage),
        _STRIP_HEAD: week_strip(profile.week_mean),
    }


def _told(screen: Screen, rows: Sequence[Mapping[str, str]]) -> dict[str, Column]:
    """The columns of figures that the page has room for, by their heads."""
    heads = ["mean", "P95", "P99.5", "max", "coverage"]
    if screen.width >= _WITH_STRIP:
        heads.append(_STRIP_HEAD)
    widths = {
        head: max(cells_of(text) for text in (head, *(r[head] for r in rows))) for head in heads
    }
    room = screen.width - 2 * MARGIN - _INDENT - _SHORTEST
    for least in _LEAST:
        if sum(GAP + width for width in widths.values()) > room:
            widths.pop(least, None)
    return {head: Column(width, right=head != _STRIP_HEAD) for head, width in widths.items()}


def _one(screen: Screen, profile: Profile) -> None:
    unit = metric_unit(profile.metric_name)

    def said(**figures: float) -> str:
        return "   ".join(
            f"{words.spoken(name)} {words.measure(value, unit)}" for name, value in figures.items()
        )

    period = duration(profile.period_seconds)
    screen.line((_series(profile), STRONG), (f"  {profile.statistic} of every {period}", QUIET))
    screen.labelled(
        "samples",
        f"{profile.count:,} of {profile.expected:,} ({words.percent(profile.coverage)}), from "
        f"{profile.first:%Y-%m-%d %H:%M} to {profile.last:%Y-%m-%d %H:%M} UTC",
    )
    screen.labelled(
        "level", said(min=profile.min, mean=profile.mean, max=profile.max, deviation=profile.std)
    )
    screen.labelled(
        "percentiles",
        said(
            p50=profile.p50,
            p90=profile.p90,
            p95=profile.p95,
            p99=profile.p99,
            p99_5=profile.p99_5,
        ),
    )
    screen.labelled("longest", _longest(profile))
    if profile.share_under_1 is not None and profile.share_under_5 is not None:
        under = f"{words.percent(profile.share_under_1)} of samples under 1 %, "
        screen.labelled("idle", under + f"{words.percent(profile.share_under_5)} under 5 %")
    screen.labelled("week", f"hourly means, 00 to 23 o'clock of {profile.time_zone}")
    drawn = bars(profile.week_mean)
    for number, name in enumerate(_DAYS):
        screen.labelled("", f"{drawn[24 * number : 24 * number + 24]}  {name}")


def _longest(profile: Profile) -> str:
    flat = profile.longest_flat_seconds
    runs = {
        "idle": profile.longest_idle_seconds,
        "gap": profile.longest_gap_seconds,
        "one same value": flat if flat > profile.period_seconds else 0,
    }
    said = [f"{name} {duration(seconds)}" for name, seconds in runs.items() if seconds]
    return "   ".join(said) or "nothing: never idle, no gap, no value twice in a row"


def _series(profile: Profile) -> str:
    parts = [words.metric(profile.metric_name), profile.device]
    if profile.statistic != "mean":
        parts.append(f"({profile.statistic})")
    return " ".join(part for part in parts if part)


def _bar(value: float, largest: float) -> str:
    share = value / largest if largest else 0.0
    return _BARS[max(0, ceil(share * len(_BARS)) - 1)]


def _json(table: pa.Table) -> bytes:
    rows = table.to_pylist()
    for row in rows:
        for name, value in row.items():
            if name.startswith("week_"):
                row[name] = [None if np.isnan(v) else v for v in value]
    text = json.dumps({"schema_version": 1, "profiles": rows}, default=lambda t: t.isoformat())
    return text.encode() + b"\n"


def _csv(table: pa.Table) -> bytes:
    plain = table.select([f.name for f in table.schema if not pa.types.is_list(f.type)])
    page = io.StringIO()
    writer = csv.writer(page, lineterminator="\n")
    writer.writerow(plain.column_names)
    for row in zip(*(column.to_pylist() for column in plain.columns), strict=True):
        writer.writerow([_cell(value) for value in row])
    return page.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return csv_cell(value)
    return value.isoformat() if hasattr(value, "isoformat") else value
