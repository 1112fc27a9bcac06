"""Days as one file of costs writes them: 9/21/2023, mostly month first, or as ISO has them.

Cost Management writes the month first. What was saved by a spreadsheet of another country has the
day first; a value that only one order makes a day of says so, and the ends of billing periods
(30/09/2026) always do.
"""

from __future__ import annotations

import re
from datetime import date
from functools import partial
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from costopt.errors import InputError
from costopt.frame.moments import times
from costopt.frame.values import Read

_MONTH_FIRST: Final = "month"
_DAY_FIRST: Final = "day"
_EITHER: Final = "either"
_SLASHED: Final = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?: .*)?")


class Days:
    """The days of one file, batch by batch."""

    def __init__(self) -> None:
        self._order = ""
        self._example = ""  # of a day in that order
        self._assumed = ""  # a day that was read month first, though it may be either

    def see(self, *columns: pa.Array | None) -> None:
        """Find out which order these columns are in.

        Raises:
            InputError: another one than those before.
        """
        there = [one for one in columns if one is not None and pa.types.is_string(one.type)]
        texts = [text for one in there for text in pc.unique(one).drop_null().to_pylist()]
        orders = {text: _order(text) for text in texts}
        for text, order in orders.items():
            if order not in ("", _EITHER):
                self._settle(order, text)
        if not self._order and not self._assumed:
            self._assumed = next((one for one in texts if orders[one] == _EITHER), "")

    def read(self, column: pa.Array) -> Read:
        """The days (UTC), and which values are none."""
        if not pa.types.is_string(column.type):
            return times(column)
        coded = column.dictionary_encode()
        iso = partial(_iso, day_first=self._order == _DAY_FIRST)
        return times(
            pa.array(map(iso, coded.dictionary.to_pylist()), pa.string()).take(coded.indices)
        )

    def _settle(self, order: str, text: str) -> None:
        if self._order not in ("", order):
            raise InputError(f"days are written in two orders ({self._example} and {text})")
        if order == _DAY_FIRST and self._assumed:
            what = f"that days come before months shows too late ({self._assumed}, then {text})"
            raise InputError(what)
        self._order, self._example = order, text


def _order(text: str) -> str:
    """The order that makes a day of it; "" = none does."""
    found = _SLASHED.fullmatch(text.strip())
    if found is None:
        return ""
    first, second = int(found[1]), int(found[2])
    if first <= 12:
        return _EITHER if second <= 12 else _MONTH_FIRST
    return _DAY_FIRST if second <= 12 else ""


def _iso(text: str, *, day_first: bool) -> str:
    found = _SLASHED.fullmatch(text.strip())
    if found is None:
        return text
    month, day = (found[2], found[1]) if day_first else (found[1], found[2])
    try:
        return date(int(found[3]), int(month), int(day)).isoformat()
    except ValueError:
        return text
