"""Foreign values into Arrow's types: text, numbers and amounts as people and exporters write them.

Every reader takes an array of any type and answers with a `Read`: the values, null where nothing
stood, and a mask of where something stood that could not be understood. Nothing is guessed: an
unreadable value is missing and told, never zero.
"""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation, localcontext
from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

_ABSENT: Final = ("", "-", "--", "NULL", "Null", "null", "NaN", "nan", "N/A", "n/a", "#N/A", "\\N")
_ABSENT_TEXT: Final = pa.array(_ABSENT)
# "NA" may be a region and "None" a name, but neither is a number or a time.
_ABSENT_NUMBER: Final = pa.array((*_ABSENT, "NA", "na", "None", "none"))
_NUMBER: Final = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?$"


class Read(NamedTuple):
    """What a column of foreign values came to."""

    values: pa.Array  # typed; null where nothing stood or nothing could be understood
    misread: pa.Array | None = None  # boolean; true where something was not understood
    origin: pa.Array | None = None  # what stood there, where `values` are computed from it


def values_of(given: pa.Array | Read) -> pa.Array:
    """The array itself, where it may already have been read."""
    return given.values if isinstance(given, Read) else given


def either(one: pa.Array | None, other: pa.Array | None) -> pa.Array | None:
    """Rows marked in either mask; None = no row."""
    if one is None or other is None:
        return one if other is None else other
    return pc.or_(one, other)


def marked(mask: pa.Array) -> pa.Array | None:
    """The mask without nulls, or None where it marks no row."""
    filled = pc.fill_null(mask, False)
    return filled if filled.true_count else None


def plain(array: pa.Array) -> Read:
    """The array without dictionaries, run ends, views, 64-bit offsets or undecoded bytes."""
    kind = array.type
    if isinstance(array, pa.ExtensionArray):
        return plain(array.storage)
    if pa.types.is_dictionary(kind):
        return plain(array.dictionary_decode())
    if pa.types.is_run_end_encoded(kind):
        return plain(pc.run_end_decode(array))
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return Read(array.cast(pa.string()))
    if _is_bytes(kind):
        return _decoded(array.cast(pa.binary()))
    return Read(array)


def texts(array: pa.Array) -> Read:
    """Text without surrounding blanks; "", "NULL", "-" and their like are missing.

    Whole floats lose their ".0" (an id that pandas made a float), nested values become JSON.
    """
    values, misread, _ = plain(array)
    kind = values.type
    if pa.types.is_string(kind):
        return Read(present(values, _ABSENT_TEXT), misread)
    if pa.types.is_floating(kind):
        finite = pc.if_else(pc.is_nan(values), None, values).cast(pa.float64())
        return Read(pc.replace_substring_regex(finite.cast(pa.string()), r"\.0$", ""))
    try:
        return Read(values.cast(pa.string()))
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        return _as_json(values)


def numbers(array: pa.Array, decimal: str = ".", thousands: str = "") -> Read:
    """Float64. Infinities, and numbers too large for a float, are misread: no measurement is.

    Args:
        decimal: the decimal mark in text, "." or ",".
        thousands: the mark between groups of three digits, "" = there is none and one is refused.
    """
    values, misread, _ = plain(array)
    kind = values.type
    if pa.types.is_string(kind):
        values, unparsed, _ = _parsed(values, decimal, thousands)
        misread = either(misread, unparsed)
    elif pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        values = values.cast(pa.float64(), safe=False)
    else:
        return Read(pa.nulls(len(values), pa.float64()), marked(pc.is_valid(values)))
    endless = marked(pc.is_inf(values))
    if endless is not None or _holds_nan(values):
        values = pc.if_else(pc.is_finite(values), values, None)
    return Read(values, either(misread, endless))


def amounts(array: pa.Array, kind: pa.DataType, decimal: str = ".", thousands: str = "") -> Read:
    """Exact decimals of type `kind`, rounded half to even where more digits stand than it keeps.

    Floats pass through their shortest text (0.1 is 0.1). An amount beyond the type is misread.
    """
    values, misread, _ = plain(array)
    if pa.types.is_floating(values.type):
        endless = marked(pc.is_inf(values))
        values = pc.if_else(pc.is_finite(values), values, None).cast(pa.string())
        misread = either(misread, endless)
    elif pa.types.is_integer(values.type) or pa.types.is_decimal(values.type):
        values = values.cast(pa.string())
    elif not pa.types.is_string(values.type):
        return Read(pa.nulls(len(values), kind), marked(pc.is_valid(values)))
    text = _dotted(present(values, _ABSENT_NUMBER), decimal, thousands)
    good = pc.match_substring_regex(text, _NUMBER)
    misread = either(misread, marked(pc.invert(good)))
    exact = _exact(pc.if_else(good, text, None), kind)
    beyond = marked(pc.and_(pc.fill_null(good, False), pc.is_null(exact)))
    return Read(exact, either(misread, beyond))


def integers(array: pa.Array, decimal: str = ".", thousands: str = "") -> Read:
    """Int32 of whole numbers; a fraction is misread."""
    values, misread, _ = numbers(array, decimal, thousands)
    fits = pc.and_(pc.equal(values, pc.floor(values)), pc.less(pc.abs(values), 2.0**31))
    unfit = marked(pc.invert(fits))
    return Read(pc.if_else(fits, values, None).cast(pa.int32()), either(misread, unfit))


def booleans(array: pa.Array) -> Read:
    """True and false, as words, letters or 1 and 0."""
    values, misread, _ = texts(array)
    word = pc.utf8_lower(values)
    yes = pc.is_in(word, pa.array(["true", "t", "yes", "y", "1"]))
    known = pc.or_(yes, pc.is_in(word, pa.array(["false", "f", "no", "n", "0"])))
    unknown = marked(pc.and_(pc.is_valid(word), pc.invert(known)))
    return Read(pc.if_else(known, yes, None), either(misread, unknown))


def present(text: pa.Array, absent: pa.Array | None = None) -> pa.Array:
    """Trimmed text, null where it only says that nothing is there (default: as for numbers)."""
    trimmed = pc.ascii_trim_whitespace(text)
    gone = pc.is_in(trimmed, _ABSENT_NUMBER if absent is None else absent)
    return pc.if_else(gone, None, trimmed) if gone.true_count else trimmed


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_binary_view(kind)
        or pa.types.is_fixed_size_binary(kind)
    )


def _decoded(raw: pa.Array) -> Read:
    try:
        return Read(raw.cast(pa.string()))
    except pa.ArrowInvalid:  # somewhere it is not UTF-8
        decoded = [None if b is None else _utf8(b) for b in raw.to_pylist()]
        values = pa.array(decoded, pa.string())
        return Read(values, marked(pc.and_(pc.is_valid(raw), pc.is_null(values))))


def _utf8(raw: bytes) -> str | None:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None


def _as_json(values: pa.Array) -> Read:
    try:
        found = values.to_pylist()
    except (ValueError, OverflowError, pa.ArrowException):  # a time beyond Python's years, say
        return Read(pa.nulls(len(values), pa.string()), marked(pc.is_valid(values)))
    return Read(
        pa.array(
            [None if v is None else json.dumps(v, default=str, ensure_ascii=False) for v in found],
            pa.string(),
        )
    )


def _parsed(text: pa.Array, decimal: str, thousands: str) -> Read:
    if decimal == "." and not thousands:
        try:  # nearly every column of a sound file
            return Read(pc.ascii_trim_whitespace(text).cast(pa.float64()))
        except pa.ArrowInvalid:
            pass
    text = _dotted(present(text), decimal, thousands)
    good = pc.match_substring_regex(text, _NUMBER)
    return Read(pc.if_else(good, text, None).cast(pa.float64()), marked(pc.invert(good)))


def _dotted(text: pa.Array, decimal: str, thousands: str) -> pa.Array:
    """Numbers with a point and no groups. What is grouped wrongly stays, and is misread later."""
    if thousands:
        mark = "" if thousands == " " else "\\"
        grouped = pc.match_substring_regex(
            text, rf"^[+-]?\d{{1,3}}({mark}{thousands}\d{{3}})+($|{mark}{decimal})"
        )
        text = pc.if_else(grouped, pc.replace_substring(text, thousands, ""), text)
    if decimal == ".":
        return text
    ambiguous = pc.match_substring(text, ".")
    return pc.if_else(ambiguous, "?", pc.replace_substring(text, decimal, "."))


def _holds_nan(values: pa.Array) -> bool:
    return bool(pc.any(pc.is_nan(values)).as_py())


def _exact(text: pa.Array, kind: pa.DataType) -> pa.Array:
    """Plain numbers as decimals, null where they do not fit; only what must be rounded is slow.

    Rounded by Python: pyarrow 26 rounds some decimal256 wrongly (18446744.072319669588 becomes
    18446744.065673529610).
    """
    try:
        return text.cast(kind)
    except pa.ArrowInvalid:
        whole = kind.precision - kind.scale
        simple = pc.match_substring_regex(
            text, rf"^[+-]?\d{{1,{whole - 1}}}(\.\d{{0,{kind.scale}}}0*)?$"
        )
        others = pc.if_else(simple, None, text).to_pylist()
        rounded = pa.array([_amount(value, kind) for value in others], kind)
        return pc.coalesce(pc.if_else(simple, text, None).cast(kind), rounded)


def _amount(text: str | None, kind: pa.DataType) -> Decimal | None:
    if text is None:
        return None
    with localcontext(prec=76) as context:
        context.Emin, context.Emax = -9999, 9999
        try:
            exact = Decimal(text).quantize(Decimal(1).scaleb(-kind.scale))
        except InvalidOperation:
            return None
    return exact if exact.adjusted() < kind.precision - kind.scale else None
