"""The grid: every period once, no query over the limit, nothing before its end."""

from hypothesis import given
from hypothesis import strategies as st

from costopt.providers.prometheus.slots import (
    PERIODS,
    SCRAPES,
    Span,
    ceil,
    floor,
    halves,
    period_for,
    spans,
)

periods = st.sampled_from([10, 60, 300, 900, 3600])


@given(periods, st.integers(0, 6_000_000), st.integers(0, 40_000), st.integers(1, 11_000))
def test_each_period_is_in_exactly_one_span(period: int, first: int, slots: int, most: int) -> None:
    start, stop = first * period, (first + slots) * period
    found = spans(start, stop, period, most)
    covered = [at for span in found for at in range(span.start, span.stop, period)]
    assert covered == list(range(start, stop, period))
    assert all(0 < (span.stop - span.start) // period <= most for span in found)
    assert len(found) == -(-slots // most)  # the fewest


@given(periods, st.integers(0, 6_000_000), st.integers(1, 40_000))
def test_halves_are_the_whole(period: int, first: int, slots: int) -> None:
    span = Span(first * period, (first + slots) * period)
    parts = halves(span, period)
    if slots == 1:
        assert parts is None
    else:
        assert parts is not None
        assert parts[0].start == span.start
        assert parts[0].stop == parts[1].start
        assert parts[1].stop == span.stop
        assert all(part.stop > part.start for part in parts)


@given(st.floats(0, 4e9), periods)
def test_floor_and_ceil_are_on_the_grid(seconds: float, period: int) -> None:
    below, above = floor(seconds, period), ceil(seconds, period)
    assert below <= seconds <= above
    assert below % period == above % period == 0
    assert above - below in (0, period)


def test_a_window_that_ended_before_it_began_asks_nothing() -> None:
    assert spans(600, 300, 300, 10) == []


def test_periods_hold_three_scrapes() -> None:
    assert [period_for(s) for s in (1, 15, 60, 100, 101, 300, 301, 5000)] == [
        300, 300, 300, 300, 600, 900, 1800, 3600,
    ]  # fmt: skip
    for scrape in range(1, 1200):
        assert period_for(scrape) >= SCRAPES * scrape
    assert all(86_400 % period == 0 for period in PERIODS)
