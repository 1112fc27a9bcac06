"""Which calls bring what is wanted: periods by age, and packing to CloudWatch's limits."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.providers.aws.metrics import retention
from costopt.providers.aws.metrics.packing import Ask, Packed, packed
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


def _points(ask: Ask) -> int:
    return ask.queries * -(-(ask.end - ask.start) // ask.period)


def _needed(asks: list[Ask]) -> int:
    """The fewest calls that the limits leave: each slot once, each query once."""
    points, queries = sum(map(_points, asks)), sum(ask.queries for ask in asks)
    return max(-(-points // 100_800), -(-queries // 500))


def _within_limits(call: Packed) -> None:
    queries = sum(ask.queries for ask in call.asks)
    points = sum(ask.queries * -(-(call.end - call.start) // ask.period) for ask in call.asks)
    assert 0 < queries <= 500
    assert points <= 100_800


_GRID = 300
_END = 1_800_000_000 // HOUR * HOUR


@st.composite
def _asks(draw: st.DrawFn) -> list[Ask]:
    many = draw(st.integers(1, 120))
    starts = draw(st.lists(st.integers(1, 18_000), min_size=1, max_size=6))
    ends = [_END, _END - 15 * DAY]
    asks = []
    for key in range(many):
        period = draw(st.sampled_from([60, 300]))
        end = draw(st.sampled_from(ends))
        start = end - draw(st.sampled_from(starts)) * draw(st.sampled_from([60, 300]))
        asks.append(Ask(start // period * period, end, period, draw(st.integers(1, 3)), key))
    return asks


@given(_asks())
@settings(max_examples=150, deadline=None)
def test_no_call_is_over_the_limits_and_every_slot_is_wanted_once(asks: list[Ask]) -> None:
    calls = packed(asks)
    pieces: dict[int, list[Ask]] = defaultdict(list)
    for call in calls:
        _within_limits(call)
        for ask in call.asks:
            assert call.start <= ask.start < ask.end <= call.end
            assert (ask.start - call.start) % ask.period == 0  # on the call's own grid
            pieces[ask.key].append(ask)
    for ask in asks:
        parts = pieces.pop(ask.key)
        assert (parts[0].start, parts[-1].end) == (ask.start, ask.end)
        assert all(a.end == b.start for a, b in pairwise(parts))
        assert {(p.queries, p.period) for p in parts} == {(ask.queries, ask.period)}
    assert not pieces


@given(_asks())
@settings(max_examples=30, deadline=None)
def test_packing_does_not_depend_on_the_order_given(asks: list[Ask]) -> None:
    assert packed(asks) == packed(asks[::-1])


def _fleet(machines: int, span: tuple[int, int], period: int = 300) -> list[Ask]:
    """CPU and memory in two statistics, network and EBS in three, burst credits in one."""
    kinds = [2, 2, 3, 3, 3, 3, 1]
    return [
        Ask(*span, period, queries, 10 * machine + number)
        for machine in range(machines)
        for number, queries in enumerate(kinds)
    ]


@pytest.mark.parametrize(
    ("days", "period"),
    [
        (60, 300),
        (63, 300),
        (30, 300),
        (14, 60),
        (7, 300),
        (1, 300),
        (0.25, 300),
        (1, 60),
        (390, 3600),
    ],
)
def test_calls_are_within_five_percent_of_the_fewest(days: float, period: int) -> None:
    asks = _fleet(200, (_END - int(days * DAY), _END), period)
    calls = packed(asks)
    assert len(calls) <= 1.05 * _needed(asks) + 1


def test_machines_held_to_different_moments_share_calls() -> None:
    """Off at night: last samples are spread over a day."""
    asks = [
        ask._replace(start=ask.start + (ask.key // 10 * 37) % 144 * 300)
        for ask in _fleet(200, (_END - DAY, _END))
    ]
    assert len(packed(asks)) <= 1.1 * _needed(asks) + 1


def test_a_small_fleet_is_not_cut_to_save_nothing() -> None:
    """Ten queries of sixty days: two calls, each metric billed once."""
    calls = packed(
        [Ask(_END - 60 * DAY, _END, 300, queries, key) for key, queries in enumerate([2, 3, 3, 2])]
    )
    assert len(calls) == 2
    assert Counter(ask.key for call in calls for ask in call.asks) == dict.fromkeys(range(4), 1)


def test_a_new_machine_is_not_read_with_the_short_ranges_of_the_others() -> None:
    new = Ask(_END - 60 * DAY, _END, 300, 2, 0)
    old = [Ask(_END - HOUR, _END, 300, 2, key) for key in range(1, 50)]
    first, second = packed([new, *old])
    assert first.asks == (new,)
    assert set(second.asks) == set(old)
