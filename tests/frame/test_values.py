"""Foreign values: read rightly, or missing and told; never guessed, never zero."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt import schema
from costopt.frame.moments import times
from costopt.frame.tags import attributes, tags
from costopt.frame.values import Read, amounts, booleans, integers, numbers, texts


def seen(read: Read) -> list[Any]:
    """Each value, None where missing, "?" where something could not be understood."""
    values = read.values.to_pylist()
    marks = [False] * len(values) if read.misread is None else read.misread.to_pylist()
    assert all(value is None for value, mark in zip(values, marks, strict=True) if mark)
    return ["?" if mark else value for value, mark in zip(values, marks, strict=True)]


ABSENT = ["", "  ", "-", "NULL", "null", "NaN", "nan", "N/A", None]


def test_what_says_nothing_is_missing_and_never_zero() -> None:
    nothing = pa.array(ABSENT)
    for reader in (numbers, integers, texts, booleans, times, tags):
        assert seen(reader(nothing)) == [None] * len(ABSENT), reader.__name__
    assert seen(amounts(nothing, schema.COST)) == [None] * len(ABSENT)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1.0),
        (" 2.5 ", 2.5),
        ("+1", 1.0),
        ("-.5", -0.5),
        ("5.", 5.0),
        ("4.2e-7", 4.2e-7),
        ("1E3", 1000.0),
        ("1,234", "?"),
        ("1.234,5", "?"),
        ("1 000", "?"),
        ("1_000", "?"),
        ("0x10", "?"),
        ("inf", "?"),
        ("-Infinity", "?"),
        ("1e400", "?"),
        ("12%", "?"),
        ("x", "?"),
        ("\u0661", "?"),
    ],
)
def test_numbers_in_text(text: str, value: object) -> None:
    assert seen(numbers(pa.array([text]))) == [value]
    assert seen(numbers(pa.array([text, "no"]))) == [value, "?"]  # by the slow way, too


@pytest.mark.parametrize(
    ("text", "decimal", "thousands", "value"),
    [
        ("1,5", ",", "", 1.5),
        ("1.5", ",", "", "?"),  # a point is no decimal mark there
        ("1.234,5", ",", ".", 1234.5),
        ("12.34,5", ",", ".", "?"),  # no group of three
        ("1,234", ".", ",", 1234.0),
        ("1,5", ".", ",", "?"),
        ("1 234 567,25", ",", " ", 1234567.25),
        ("1'000.5", ".", "'", 1000.5),
        ("7", ",", ".", 7.0),
    ],
)
def test_decimal_commas_and_groups_only_where_they_are_named(
    text: str, decimal: str, thousands: str, value: object
) -> None:
    assert seen(numbers(pa.array([text]), decimal, thousands)) == [value]


@pytest.mark.parametrize(
    "array",
    [
        pa.array([1, None], pa.int8()),
        pa.array([1, None], pa.uint64()),
        pa.array([1.0, float("nan")], pa.float32()),
        pa.array([Decimal("1.00"), None], pa.decimal128(5, 2)),
        pa.array(["1", None], pa.large_string()),
        pa.array(["1", None], pa.string_view()),
        pa.array([b"1", None], pa.large_binary()),
        pa.array(["1", None]).dictionary_encode(),
        pa.array([1, None]).dictionary_encode(),
        pa.RunEndEncodedArray.from_arrays([1, 2], pa.array([1.0, None])),
    ],
    ids=lambda array: str(array.type),
)
def test_numbers_of_any_flat_type(array: pa.Array) -> None:
    assert seen(numbers(array)) == [1.0, None]


@pytest.mark.parametrize(
    "array",
    [
        pa.array([[1], None]),
        pa.array([{"a": 1}, None]),
        pa.array([True, None]),
        pa.array([datetime(2024, 1, 1), None]),  # noqa: DTZ001
    ],
    ids=lambda array: str(array.type),
)
def test_what_is_no_number_is_told(array: pa.Array) -> None:
    assert seen(numbers(array)) == ["?", None]
    assert seen(amounts(array, schema.COST)) == ["?", None]


def test_text_keeps_ids_that_other_programs_made_floats() -> None:
    assert seen(texts(pa.array([6.0, 1.5, None]))) == ["6", "1.5", None]
    assert seen(texts(pa.array([7, None], pa.int16()))) == ["7", None]
    assert seen(texts(pa.array([b"a", b"\xff"]))) == ["a", "?"]
    assert seen(texts(pa.array([["é"], None]))) == ['["é"]', None]


def test_amounts_are_exact_and_rounded_once_half_to_even() -> None:
    given_amounts = pa.array(["0.1234567890125", "0.1234567890135", "4.2e-7", "-0", "12345678"])
    assert seen(amounts(given_amounts, schema.COST)) == [
        Decimal("0.123456789012"),
        Decimal("0.123456789014"),
        Decimal("0.00000042"),
        Decimal(0),
        Decimal(12345678),
    ]
    assert seen(amounts(pa.array([0.1, 1e-7]), schema.COST)) == [Decimal("0.1"), Decimal("1e-7")]


@pytest.mark.parametrize("text", ["1e400", "1e16", "12345678901234567", "$3", "1,5", "NaN()"])
def test_amounts_beyond_the_type_cost_only_themselves(text: str) -> None:
    assert seen(amounts(pa.array([text, "1.5"]), schema.COST)) == ["?", Decimal("1.5")]


def test_an_amount_smaller_than_the_last_digit_is_nothing_lost_to_its_neighbours() -> None:
    assert seen(amounts(pa.array(["1e-40", "2"]), schema.COST)) == [Decimal(0), Decimal(2)]


@given(st.lists(st.decimals("-1e15", "1e15", places=12)))
def test_amounts_come_back_as_they_were_written(exact: list[Decimal]) -> None:
    for written in ([str(d) for d in exact], [f"{d:f}" for d in exact]):
        assert amounts(pa.array(written, pa.string()), schema.COST).values.to_pylist() == exact


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False)))
def test_floats_come_back_as_they_were_written(exact: list[float]) -> None:
    assert numbers(pa.array([repr(f) for f in exact], pa.string())).values.to_pylist() == exact


def test_whole_numbers_and_truth() -> None:
    assert seen(integers(pa.array(["1", "1.5", "3e9", "2.0"]))) == [1, "?", "?", 2]
    assert seen(booleans(pa.array(["true", "No", "1", "maybe"]))) == [True, False, True, "?"]


NOON = datetime(2024, 7, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2024-07-01T12:00:00Z",
        "2024-07-01 12:00:00",
        "2024-07-01 12:00:00 UTC",
        "2024-07-01T12:00",
        "2024-07-01T14:00:00+02:00",
        "2024-07-01 14:00:00 +0200",
        "2024-07-01T14:00:00+02",
        "2024-07-01T12:00:00.0000000Z",
        "2024-07-01T12:00:00.0000000001Z",
        "1719835200",
        "1719835200000",
        "1719835200000000",
        "1719835200000000000",
        "1719835200.0",
        "1.7198352E9",
    ],
)
def test_one_noon_in_many_notations(text: str) -> None:
    assert seen(times(pa.array([text]))) == [NOON]
    assert seen(times(pa.array(["nonsense", text, None]))) == ["?", NOON, None]


@pytest.mark.parametrize(
    "text",
    ["31/12/2024", "12/31/2024", "2024-02-30", "2024-07-01T25:00:00Z", "9999-12-31", "1969-01-01",
     "20240701", "42", "-1719835200", "soon", "2024-13-01", "1e300", "2024-07-01T12:00:60Z"],
)  # fmt: skip
def test_what_is_no_plausible_time(text: str) -> None:
    assert seen(times(pa.array([text]))) == ["?"]


@pytest.mark.parametrize(
    "array",
    [
        pa.array([NOON], pa.timestamp("s", "UTC")),
        pa.array([NOON], pa.timestamp("ns", "Asia/Tokyo")),
        pa.array([1719835200], pa.int64()),
        pa.array([1719835200], pa.int32()),
        pa.array([1719835200000], pa.int64()),
        pa.array([1719835200.0]),
        pa.array([Decimal(1719835200)]),
        pa.array(["2024-07-01T12:00:00Z"]).dictionary_encode(),
    ],
    ids=lambda array: str(array.type),
)
def test_times_of_any_type(array: pa.Array) -> None:
    assert seen(times(array)) == [NOON]


def test_days_and_impossible_timestamps() -> None:
    assert seen(times(pa.array([date(2024, 7, 1), date(9000, 1, 1)]))) == [
        datetime(2024, 7, 1, tzinfo=UTC),
        "?",
    ]
    for unit in ("s", "ms", "us", "ns"):
        far = pa.array([2**62, None], pa.int64()).cast(pa.timestamp(unit))
        assert seen(times(far)) == ["?", None] or unit == "ns"


def test_local_clocks_units_and_patterns_as_named() -> None:
    local = pa.array(["2024-07-01 14:00", "2024-03-31 02:30", "2024-10-27 02:30"])
    assert seen(times(local, zone="Europe/Amsterdam")) == [
        NOON,
        datetime(2024, 3, 31, 1, tzinfo=UTC),  # skipped by the clock: moved forward
        datetime(2024, 10, 27, 0, 30, tzinfo=UTC),  # repeated by the clock: the first
    ]
    assert seen(times(pa.array([20240701, 20241301]), form="%Y%m%d")) == [
        datetime(2024, 7, 1, tzinfo=UTC),
        "?",
    ]
    assert seen(times(pa.array(["600", "-1"]), unit="s")) == [
        datetime(1970, 1, 1, 0, 10, tzinfo=UTC),
        "?",
    ]
    # An offset in the text wins over the clock that is named for those without one.
    assert seen(times(pa.array(["2024-07-01T12:00:00Z"]), zone="Asia/Tokyo")) == [NOON]


@given(st.lists(st.datetimes(datetime(1970, 1, 2), datetime(2199, 1, 1))))  # noqa: DTZ001
def test_iso_times_come_back(moments: list[datetime]) -> None:
    aware = [m.replace(tzinfo=UTC) for m in moments]
    for written in ([m.isoformat() for m in aware], [m.isoformat(" ") for m in moments]):
        assert times(pa.array(written, pa.string())).values.to_pylist() == aware


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ('{"team": "web", "cost": 1, "hot": true, "none": null}', "team=web cost=1 hot=true"),
        ("team=web;env=prod", "team=web env=prod"),
        ("team = web, env=", "team=web env="),
        ('"team": "web","env": "prod"', "team=web env=prod"),  # Azure's exports
        ('[{"Key": "team", "Value": "web"}]', "team=web"),  # AWS's
        ("{}", ""),
        ("team", "?"),
        ("{team: web}", "?"),
        ("[1]", "?"),
        ("7", "?"),
        ("[" * 5000, "?"),
    ],
)
def test_tags_in_text(text: str, pairs: str) -> None:
    found = seen(tags(pa.array([text])))[0]
    assert found == "?" if pairs == "?" else " ".join(f"{k}={v}" for k, v in found) == pairs


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        (r'{"a": "x\ud800y", "b": "c"}', [("a", "x\ufffdy"), ("b", "c")]),
        (r'{"\udfff": "b", "\ud800": "c"}', [("\ufffd", "c")]),  # two that no longer differ
        (r'[{"Key": "a", "Value": ["\ud800"]}]', [("a", '["\ufffd"]')]),
        (r'{"a": "\ud83d\ude00"}', [("a", "\U0001f600")]),  # both halves are a character
    ],
)
def test_half_a_character_in_tags_is_replaced(text: str, pairs: list[tuple[str, str]]) -> None:
    assert seen(tags(pa.array([text, "team=web"]))) == [pairs, [("team", "web")]]


@pytest.mark.parametrize(
    "value",
    [
        pa.array([[("a", "b")], None], pa.map_(pa.string(), pa.string())),
        pa.array([{"a": "b", "c": None}, None]),
        pa.array([[{"key": "a", "value": "b"}], None]),
        pa.array(['{"a": "b"}', None]).dictionary_encode(),
    ],
    ids=["map", "struct", "list of structs", "dictionary"],
)
def test_tags_of_nested_columns(value: pa.Array) -> None:
    assert seen(tags(value)) == [[("a", "b")], None]


def test_attributes_leave_out_what_is_missing() -> None:
    columns = {"p": pa.array(["1", None, "NULL"]), "q": pa.array([2.0, 3.5, None])}
    assert attributes(columns, 3).to_pylist() == [
        [("p", "1"), ("q", "2")],
        [("q", "3.5")],
        [],
    ]
    own = pa.array([[("p", "0"), ("r", "x")], None, None], schema.STRING_MAP)
    assert attributes(columns, 3, own).to_pylist()[0] == [("p", "1"), ("r", "x"), ("q", "2")]
    assert attributes({}, 2).to_pylist() == [None, None]
