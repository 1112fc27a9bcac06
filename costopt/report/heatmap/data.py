"""Heatmaps as figures for other programs: JSON, and CSV with one line an hour of week."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import numpy as np

from costopt.profile.heatmap import Overview, WeekMap
from costopt.profile.week import LOCAL, Array
from costopt.report.heatmap.words import DAYS
from costopt.report.safe import csv_cell

SCHEMA_VERSION: Final = 1
COLUMNS: Final = ("group", "day", "hour", "value", "coverage")
_DIGITS: Final = 4
"""Samples are hundredths of a percent; more digits would only show how sums are rounded."""


def weeks_json(weeks: Sequence[WeekMap]) -> bytes:
    """One object: `maps`, each with 7 x 24 values, Monday first; null = no data.

    Everything that is not ASCII is escaped: no name in it can fool a screen.
    """
    return _json({"schema_version": SCHEMA_VERSION, "maps": [_week(week) for week in weeks]})


def overview_json(picture: Overview) -> bytes:
    """One object: `rows` in the picture's order, each with 168 values, and their `clusters`."""
    rows = [
        {
            "resource_ids": list(ids),
            "label": label,
            "groups": {strip.name: strip.values[row] for strip in picture.strips},
            "mean": _figure(picture.means[row]),
            "values": _figures(picture.values[row]),
            "coverage": _figures(picture.coverage[row]),
        }
        for row, (ids, label) in enumerate(zip(picture.ids, picture.labels, strict=True))
    ]
    clusters = [
        {
            "first_row": cluster.start,
            "rows": cluster.stop - cluster.start,
            "machines": cluster.machines,
            "rhythm": cluster.rhythm,
            "mean": _figure(cluster.mean),
        }
        for cluster in picture.clusters
    ]
    about = {"schema_version": SCHEMA_VERSION, **_about(picture), "machines": picture.machines}
    return _json({**about, "rows": rows, "clusters": clusters})


def weeks_csv(weeks: Sequence[WeekMap]) -> bytes:
    """`COLUMNS`, a line for every hour of week of every map; day 1 is Monday, no data is empty."""
    return _csv((week.label, week.values.ravel(), week.coverage.ravel()) for week in weeks)


def overview_csv(picture: Overview) -> bytes:
    """`COLUMNS`, a line for every hour of week of every row, named by its resource ids."""
    names = (" ".join(ids) for ids in picture.ids)
    return _csv(zip(names, picture.values, picture.coverage, strict=True))


def _week(week: WeekMap) -> dict[str, Any]:
    day, hour, peak = week.peak
    return {
        "label": week.label,
        "grouped_by": week.grouped_by or None,
        **_about(week),
        "machines": week.machines,
        "weight": week.weight,
        "capacity": _figure(week.capacity),
        "left_out": week.left_out,
        "mean": _figure(week.mean),
        "peak": {"day": DAYS[day], "hour": hour, "value": _figure(peak)},
        "days": list(DAYS),
        "values": [_figures(row) for row in week.values],
        "coverage": [_figures(row) for row in week.coverage],
    }


def _about(picture: WeekMap | Overview) -> dict[str, Any]:
    """What every picture says of itself; time zone null = the local time of each machine."""
    return {
        "metric_name": picture.metric_name,
        "statistic": picture.statistic,
        "unit": picture.unit,
        "time_zone": None if picture.time_zone == LOCAL else picture.time_zone,
        "moved_from_local_clocks": picture.moved,
        "first": picture.first.isoformat(),
        "end": picture.end.isoformat(),
        "thin_below_coverage": picture.thin_below,
    }


def _figures(row: Array) -> list[float | None]:
    return [_figure(value) for value in row]


def _figure(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), _DIGITS)


def _json(document: dict[str, Any]) -> bytes:
    return (json.dumps(document, allow_nan=False) + "\n").encode()


def _csv(maps: Iterable[tuple[str, Array, Array]]) -> bytes:
    """UTF-8 CSV with CRLF line ends; text is quoted, numbers are not."""
    text = io.StringIO()
    csv.writer(text).writerow(COLUMNS)
    csv.writer(text, quoting=csv.QUOTE_NONNUMERIC).writerows(_lines(maps))
    return text.getvalue().encode()


def _lines(maps: Iterable[tuple[str, Array, Array]]) -> Iterator[tuple[str | float | None, ...]]:
    for name, values, coverage in maps:
        for slot, (value, share) in enumerate(zip(values, coverage, strict=True)):
            day, hour = divmod(slot, 24)
            yield csv_cell(name), day + 1, hour, _figure(value), _figure(share)
