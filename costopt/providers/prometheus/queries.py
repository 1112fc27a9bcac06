"""Questions in the forms of the API, and answers as labels and arrays."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isfinite, nan
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from costopt.errors import ProviderError
from costopt.providers.prometheus.client import Client
from costopt.providers.prometheus.slots import Span
from costopt.providers.prometheus.wire import Parameters

Labels = Mapping[str, str]

_LATEST: Final = 253_402_300_799
"""The last second of the year 9999: no clock's."""


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One series of an answer."""

    labels: Labels  # without __name__
    times: NDArray[np.int64]  # seconds at which it was asked, ascending
    values: NDArray[np.float64]  # as Prometheus gives them: NaN and infinities too


def ranged(client: Client, query: str, span: Span, period: int) -> list[Line]:
    """A value for the end of each period of the span, of each series, by labels.

    Raises:
        ProviderError: see Client.ask.
    """
    given = {
        "query": query,
        "start": str(span.start + period),
        "end": str(span.stop),
        "step": str(period),
    }
    return _lines(client.ask("query_range", given), "values")


def instant(client: Client, query: str, at: int) -> list[Line]:
    """The query's value at that moment (seconds), of each series, by labels."""
    found = client.ask("query", {"query": query, "time": str(at)})
    return _lines(found, "value")


def number(client: Client, query: str, at: int) -> float | None:
    """The one value of a query that has one; None = it has none there."""
    found = instant(client, query, at)
    value = float(found[0].values[0]) if found and len(found[0].values) else nan
    return value if isfinite(value) else None


def series(client: Client, selector: str, span: Span) -> list[Labels]:
    """The labels of every series that had a sample within the span, in their order."""
    given: Parameters = {"match[]": [selector], "start": str(span.start), "end": str(span.stop)}
    found = client.ask("series", given) or []
    try:
        return sorted((_bare(one) for one in found), key=by_labels)
    except (AttributeError, TypeError):
        raise _another_form() from None


def names(client: Client, wanted: Iterable[str], also: str, span: Span) -> frozenset[str]:
    """Which of these metrics there are at all within the span."""
    selector = f'{{__name__=~"{"|".join(sorted(wanted))}"{also}}}'
    given: Parameters = {"match[]": [selector], "start": str(span.start), "end": str(span.stop)}
    found = client.ask("label/__name__/values", given, method="GET") or []
    if not isinstance(found, list):
        raise _another_form()
    return frozenset(map(str, found))


def one_of(label: str, values: Iterable[str]) -> str:
    """A matcher of exactly these values."""
    pattern = "|".join(re.escape(value) for value in sorted(set(values)))
    return f"{label}=~{json.dumps(pattern, ensure_ascii=False)}"  # PromQL escapes as JSON does


def by_labels(labels: Labels) -> list[tuple[str, str]]:
    """What orders series, whatever order the server gives them in."""
    return sorted(labels.items())


def _lines(data: Any, key: str) -> list[Line]:
    try:
        found = [_line(one["metric"], one[key]) for one in data["result"]]
    except (AttributeError, KeyError, TypeError, ValueError, IndexError, OverflowError):
        raise _another_form() from None
    return sorted(found, key=lambda line: by_labels(line.labels))


def _another_form() -> ProviderError:
    return ProviderError(
        "an answer is not in the form of Prometheus's API",
        hint="is there something between that changes answers?",
    )


def _line(labels: Any, points: Any) -> Line:
    pairs = [points] if points and not isinstance(points[0], list) else points
    times = np.array([round(pair[0]) for pair in pairs], np.int64)
    if ((times < 0) | (times > _LATEST)).any():
        raise ValueError("a time that is none")
    return Line(_bare(labels), times, np.array([pair[1] for pair in pairs], np.float64))


def _bare(labels: Any) -> Labels:
    return {str(k): str(v) for k, v in labels.items() if k != "__name__"}
