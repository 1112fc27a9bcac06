"""Foreign times into UTC: ISO text, clocks' local text, and counts since 1970 in any unit."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from costopt.frame.values import Read, either, marked, numbers, plain, present, texts
from costopt.schema import TIMESTAMP

UNITS: Final = {"s": 1_000_000.0, "ms": 1_000.0, "us": 1.0, "ns": 0.001}
"""Microseconds in one step of a count since 1970."""

# A bare count names its unit by its size: 1e8 s is 1973, 1e11 ms is 1973, and so on. Below 1e8 it
# is no time but a row number or a date without dashes, and is refused.
_FROM: Final = (("s", 1e8), ("ms", 1e11), ("us", 1e14), ("ns", 1e17))
_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
_ISO: Final = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}(:?\d{2})?)?)?$"
_ZONED: Final = r":\d{2}(\.\d+)?(Z|[+-]\d{2}(:?\d{2})?)$"


def times(
    array: pa.Array, *, unit: str | None = None, zone: str = "UTC", form: str | None = None
) -> Read:
    """UTC timestamps; a time outside 1970..2199 is misread.

    Args:
        unit: of counts since 1970: s, ms, us or ns; None = told by their size.
        zone: IANA clock of times that name no offset. An hour that a clock change skips moves
            forward, one that it repeats is taken as the first.
        form: strptime pattern of text in another notation than ISO 8601.
    """
    values, misread, _ = plain(array)
    if pa.types.is_date(values.type):
        values = values.cast(pa.timestamp("s" if values.type == pa.date32() else "ms"))
    kind = values.type
    if pa.types.is_timestamp(kind):
        found = _microseconds(values)
        found = Read(_utc(found.values, "UTC" if kind.tz else zone), found.misread)
    elif form is not None:
        found = _patterned(texts(values).values, form, zone)
    elif pa.types.is_string(kind):
        found = _written(values, unit, zone)
    else:
        counts = numbers(values)
        found = _counted(counts.values, unit)
        found = Read(found.values, either(found.misread, counts.misread))
    return _plausible(found.values, either(misread, found.misread))


def _plausible(values: pa.Array, misread: pa.Array | None) -> Read:
    within = pc.and_(
        pc.greater_equal(values, pa.scalar(_EARLIEST, TIMESTAMP)),
        pc.less(values, pa.scalar(_LATEST, TIMESTAMP)),
    )
    outside = marked(pc.invert(within))
    if outside is not None:
        values = pc.if_else(within, values, None)
    return Read(values, either(misread, outside))


def _microseconds(values: pa.Array) -> Read:
    """Naive microseconds of timestamps in any unit; a count beyond `_LATEST` is misread."""
    unit = values.type.unit
    counts = values.cast(pa.timestamp(unit)).cast(pa.int64())
    near = pc.less(pc.abs(counts), int(_LATEST.timestamp() * 1_000_000 / UNITS[unit]))
    counts = pc.if_else(near, counts, None)
    whole = pc.divide(counts, 1_000) if unit == "ns" else pc.multiply(counts, int(UNITS[unit]))
    return Read(whole.cast(pa.timestamp("us")), marked(pc.invert(near)))


def _utc(naive: pa.Array, zone: str) -> pa.Array:
    local = pc.assume_timezone(naive, zone, ambiguous="earliest", nonexistent="latest")
    return local.cast(TIMESTAMP)


def _counted(values: pa.Array, unit: str | None) -> Read:
    if unit is not None:
        steps = pc.multiply(values, UNITS[unit])
        return _from_microseconds(steps, pc.is_valid(values))
    size = pc.abs(values)
    steps = pa.nulls(len(values), pa.float64())
    for name, least in _FROM:
        steps = pc.if_else(pc.greater_equal(size, least), pc.multiply(values, UNITS[name]), steps)
    return _from_microseconds(steps, pc.is_valid(values))


def _from_microseconds(steps: pa.Array, wanted: pa.Array) -> Read:
    fits = pc.fill_null(pc.less(pc.abs(steps), 2.0**62), False)
    whole = pc.round(pc.if_else(fits, steps, None)).cast(pa.int64()).cast(TIMESTAMP)
    return Read(whole, marked(pc.and_(wanted, pc.invert(fits))))


def _patterned(text: pa.Array, form: str, zone: str) -> Read:
    parsed = pc.strptime(text, format=form, unit="us", error_is_null=True)
    misread = marked(pc.and_(pc.is_valid(text), pc.is_null(parsed)))
    return Read(_utc(parsed, "UTC" if "%z" in form else zone), misread)


def _written(text: pa.Array, unit: str | None, zone: str) -> Read:
    text = present(text)
    count = pc.fill_null(pc.match_substring_regex(text, r"^[+-]?\d+(\.\d*)?([eE]\+?\d+)?$"), False)
    if not count.true_count:
        return _iso(text, zone)
    if unit is None and count.true_count == len(text) - text.null_count:
        return _counted(text.cast(pa.float64()), None)
    counted = _counted(pc.if_else(count, text, None).cast(pa.float64()), unit)
    written = _iso(pc.if_else(count, None, text), zone)
    return Read(
        pc.coalesce(counted.values, written.values), either(counted.misread, written.misread)
    )


def _iso(text: pa.Array, zone: str) -> Read:
    text = pc.replace_substring_regex(text, r"\s*(UTC|GMT|z)$", "Z")
    text = pc.replace_substring_regex(text, r"\s+([+-]\d{2}(:?\d{2})?)$", r"\1")
    text = pc.replace_substring_regex(text, r"(\.\d{9})\d+", r"\1")
    shaped = pc.match_substring_regex(text, _ISO)
    text = pc.if_else(shaped, text, None)
    zoned = pc.match_substring_regex(text, _ZONED)
    with_offset = _cast(pc.if_else(zoned, text, None), pa.timestamp("ns", tz="UTC"))
    without = _cast(pc.if_else(zoned, None, text), pa.timestamp("ns"))
    values = pc.coalesce(
        _utc(_microseconds(with_offset).values, "UTC"), _utc(_microseconds(without).values, zone)
    )
    impossible = marked(pc.and_(pc.is_valid(text), pc.is_null(values)))
    return Read(values, either(marked(pc.invert(shaped)), impossible))


def _cast(text: pa.Array, kind: pa.DataType) -> pa.Array:
    """The text as times; an impossible date costs only its own row."""
    try:
        return text.cast(kind)
    except pa.ArrowInvalid:
        coded = text.dictionary_encode()
        known = [_one(value, kind) for value in coded.dictionary]
        return pa.array(known, kind).take(coded.indices)


def _one(value: pa.Scalar, kind: pa.DataType) -> pa.Scalar | None:
    try:
        return value.cast(kind)
    except pa.ArrowInvalid:
        return None
