"""A backtest as CSV, one row a method, for spreadsheets: RFC 4180, shares 0 to 1."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict
from typing import Any, Final

from costopt.backtest.result import Backtest, Interval, MethodScore
from costopt.report.document import plain
from costopt.report.safe import csv_cell

_INTERVALS: Final = ("saved", "net", "rolled_back", "net_minus_ours")
_PARTS: Final = ("", "_low", "_high")
_GUARDED: Final = ("net", "net_low", "net_high", "violation", "worst")


def as_csv(result: Backtest) -> bytes:
    """UTF-8 CSV with CRLF line ends; text is quoted, numbers are not, unknown is empty.

    A lead's columns are named by its minutes: `guarded_10_net`.
    """
    rows = [_row(score) for score in result.scores]
    columns = dict.fromkeys(column for row in rows for column in row)
    text = io.StringIO()
    csv.writer(text).writerow(columns)
    writer = csv.DictWriter(text, list(columns), restval="", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerows(rows)
    return text.getvalue().encode()


def _row(score: MethodScore) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name, value in asdict(score).items():
        if name in _INTERVALS:
            row |= _interval(name, getattr(score, name))
        elif name != "guarded":
            row[name] = _cell(value)
    for guarded in score.guarded:
        head = f"guarded_{guarded.lead_minutes:g}"
        figures = asdict(guarded) | _interval("net", guarded.net)
        row |= {f"{head}_{name}": _cell(figures[name]) for name in _GUARDED}
    return row


def _interval(name: str, of: Interval | None) -> dict[str, Any]:
    values = (of.value, of.low, of.high) if of else (None,) * 3
    return {f"{name}{part}": _cell(v) for part, v in zip(_PARTS, values, strict=True)}


def _cell(value: Any) -> Any:
    known = plain(value)
    if known is None:
        return ""
    return csv_cell(known) if isinstance(known, str) else known
