"""Which calls bring what is wanted: periods by age, and packing to CloudWatch's limits."""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.providers.aws.metrics import retention
from costopt.providers.aws.metrics.catalogue import AGENT_ENTRIES, ENTRIES
from costopt.providers.aws.metrics.packing import Ask, Packed, packed, slots
from costopt.providers.aws.metrics.retention import DAY, HOUR, Span, spans

NOW = 1_800_000_000 // HOUR * HOUR + 754  # twelve minutes past an hour
WHOLE_HOUR = NOW // HOUR * HOUR


def test_recent_history_is_one_range_of_five_minutes() -> None:
    end = retention.settled(NOW, NOW)
    assert spans(NOW - 30 * DAY, end, NOW) == [Span(300, WHOLE_HOUR - 30 * DAY + 900, end)]


def test_each_age_is_asked_in_the_period_still_kept() -> None:
    end = retention.settled(NOW, NOW)
    first, second = spans(NOW - 100 * DAY, end, NOW)
    assert [first.period, second.period] == [3600, 300]
    assert first.start == WHOLE_HOUR - 100 * DAY + HOUR  # the hour that began before is left out
    assert (first.end, second.end) == (second.start, end)
    # An hour or more from being folded into coarser samples, and less than three.
    assert NOW - 63 * DAY + HOUR <= second.start < NOW - 63 * DAY + 3 * HOUR


def test_what_is_gone_is_not_asked_for() -> None:
    assert spans(NOW - 500 * DAY, NOW - 456 * DAY, NOW) == []
    assert spans(NOW - 2 * DAY, NOW - 2 * DAY, NOW) == []


def test_the_last_half_hour_waits_for_the_next_collect() -> None:
    assert retention.settled(NOW, NOW) == (NOW - 1800) // 300 * 300
    assert retention.settled(NOW - DAY, NOW) == (NOW - DAY) // 300 * 300 + 300  # starts before


@given(
    age=st.integers(0, 500 * DAY),
    length=st.integers(0, 500 * DAY),
)
def test_spans_follow_one_another_on_their_grids(age: int, length: int) -> None:
    start = NOW - age
    found = spans(start, start + length, NOW)
    for span in found:
        assert span.start % span.period == span.end % span.period == 0
        assert start <= span.start < span.end < start + length + span.period
        assert span.end <= NOW - retention.SETTLE
        kept = dict(retention.KEPT)[span.period]
        assert span.start >= NOW - kept + retention.EDGE
    for earlier, later in pairwise(found):
        assert earlier.end <= later.start < earlier.end + later.period + HOUR
        assert earlier.period > later.period


def _within_limits(call: Packed) -> None:
    queries = sum(ask.queries for ask in call.asks)
    points = sum(ask.queries * -(-(call.end - call.start) // ask.period) for ask in call.asks)
    assert 0 < queries <= 500
    assert points <= 100_800


_END = 1_800_000_000 // HOUR * HOUR
_LONGEST = {60: 30_000, 300: 18_200}
"""Slots by period: three queries of so many fit into a call."""


@st.composite
def _asks(draw: st.DrawFn) -> list[Ask]:
    many = draw(st.integers(1, 120))
    starts = draw(st.lists(st.integers(1, 18_000), min_size=1, max_size=6))
    ends = [_END, _END - 15 * DAY]
    asks = []
    for key in range(many):
        period = draw(st.sampled_from([60, 300]))
        end = draw(st.sampled_from(ends))
        length = draw(st.sampled_from(starts)) * draw(st.sampled_from([60, 300]))
        start = end - min(length, _LONGEST[period] * period)
        asks.append(Ask(start // period * period, end, period, draw(st.integers(1, 3)), key))
    return asks


@given(_asks())
@settings(max_examples=150)
def test_no_call_is_over_the_limits_and_each_metric_is_asked_once(asks: list[Ask]) -> None:
    calls = packed(asks)
    for call in calls:
        _within_limits(call)
        for ask in call.asks:
            assert call.start <= ask.start < ask.end == call.end
            assert (ask.start - call.start) % ask.period == 0  # on the call's own grid
    assert sorted(ask for call in calls for ask in call.asks) == sorted(asks)


@given(_asks())
@settings(max_examples=30)
def test_packing_does_not_depend_on_the_order_given(asks: list[Ask]) -> None:
    assert packed(asks) == packed(asks[::-1])


def test_whatever_is_asked_fits_into_a_call() -> None:
    every = [entry for of_kind in ENTRIES.values() for entry in of_kind]
    most = max(len(entry.raws) for entry in (*every, *AGENT_ENTRIES))
    for span in spans(NOW - 455 * DAY, NOW, NOW):
        assert most * slots(span.start - span.period, span.end, span.period) <= 100_800


_KINDS = (2, 2, 3, 3, 3, 3, 1)
"""CPU and memory in two statistics, network and EBS in three, burst credits in one."""


def _fleet(machines: int, span: tuple[int, int], period: int = 300) -> list[Ask]:
    return [
        Ask(*span, period, queries, 10 * machine + number)
        for machine in range(machines)
        for number, queries in enumerate(_KINDS)
    ]


def _fewest(machines: int, room: int) -> int:
    """The fewest calls with room for so many queries, by trying: no metric in two of them."""

    @cache
    def calls(ones: int, twos: int, threes: int) -> int:
        if not ones + twos + threes:
            return 0
        found = []
        for c in range(min(threes, room // 3) + 1):
            for b in range(min(twos, (room - 3 * c) // 2) + 1):
                a = min(ones, room - 3 * c - 2 * b)
                if a + b + c and _is_full(room - a - 2 * b - 3 * c, ones - a, twos - b, threes - c):
                    found.append(1 + calls(ones - a, twos - b, threes - c))
        return min(found)

    counts = Counter(_KINDS)
    return calls(machines * counts[1], machines * counts[2], machines * counts[3])


def _is_full(room: int, *left: int) -> bool:
    """Whether nothing that is left fits: other calls are never part of the best."""
    return all(not many or size > room for size, many in enumerate(left, start=1))


@pytest.mark.parametrize(
    ("days", "period"),
    [
        (63, 300),
        (60, 300),
        (58, 300),
        (45, 300),
        (30, 300),
        (20, 300),
        (14, 60),
        (390, 3600),
        (150, 3600),
    ],
)
def test_calls_are_within_five_percent_of_the_fewest_that_ask_a_metric_once(
    days: int, period: int
) -> None:
    calls = packed(_fleet(12, (_END - days * DAY, _END), period))
    assert len(calls) <= 1.05 * _fewest(12, 100_800 // (days * DAY // period))


@pytest.mark.parametrize(("days", "period"), [(14, 300), (7, 300), (1, 300), (0.25, 300), (1, 60)])
def test_calls_of_short_ranges_are_within_five_percent_of_the_fewest_of_all(
    days: float, period: int
) -> None:
    asks = _fleet(200, (_END - int(days * DAY), _END), period)
    queries = sum(ask.queries for ask in asks)
    points = queries * int(days * DAY) // period
    fewest = max(-(-points // 100_800), -(-queries // 500))
    assert len(packed(asks)) <= 1.05 * fewest + 1


def test_machines_held_to_different_moments_share_calls() -> None:
    """Off at night: last samples are spread over a day."""
    asks = [
        ask._replace(start=ask.start + (ask.key // 10 * 37) % 144 * 300)
        for ask in _fleet(200, (_END - DAY, _END))
    ]
    points = sum(ask.queries * (ask.end - ask.start) // 300 for ask in asks)
    assert len(packed(asks)) <= 1.1 * -(-points // 100_800) + 1


def test_a_new_machine_is_not_read_with_the_short_ranges_of_the_others() -> None:
    new = Ask(_END - 60 * DAY, _END, 300, 2, 0)
    old = [Ask(_END - HOUR, _END, 300, 2, key) for key in range(1, 50)]
    first, second = packed([new, *old])
    assert first.asks == (new,)
    assert set(second.asks) == set(old)
