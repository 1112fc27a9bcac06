"""The compiled programme behind schedule.py: the cheapest circle through the slots of a week.

A state is (level, wait). Wait 0 is free to go either way; waits 1..U were raised so many slots ago
and must not go down yet; U+1..U+D were lowered 1..D slots ago and must not go up yet: U and D are
the minimum times less the slot of the change itself. States are also counted flat, level by level.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Any, NamedTuple

import numpy as np

from costopt.compiled import compiled


class Rules(NamedTuple):
    """What a change costs, and how long it holds."""

    up_cost: float
    down_cost: float
    waits_up: int  # U
    waits_down: int  # D


@compiled
def cheapest_circle(cost: Any, rules: Rules) -> Any:
    """Branch and bound over the state that the circle begins and ends in.

    Of a range of states the cheapest week that begins and ends anywhere in it bounds the circles
    through it from below, and is one itself where it ends as it began; else the range is cut
    between the two, and the half with the lower bound goes first.

    Args:
        cost: float64 (slots, levels).
    Returns:
        int16 (slots,), and its cost: inf where there is no circle.
    """
    slots, levels = cost.shape
    waits = 1 + rules.waits_up + rules.waits_down
    values = np.empty((2 * slots + 1, levels, waits))
    sources = np.empty((2 * slots + 1, levels, waits), np.int32)
    first = _where_to_begin(cost, rules, values, sources)
    one = values[: slots + 1]
    turned = np.concatenate((cost[first:], cost[:first]))
    bound, end, begin = _weeks(turned, rules, (0, levels * waits), one, sources)
    ranges = [(bound, 0, levels * waits, end, begin)]
    while True:
        bound, low, high, end, begin = heappop(ranges)
        if end == begin or bound == np.inf:
            break
        cut = max(end, begin)
        for start, stop in ((low, cut), (cut, high)):
            least, ended, began = _weeks(turned, rules, (start, stop), one, sources)
            heappush(ranges, (least, start, stop, ended, began))
    plan = np.full(slots, -1, np.int16)
    if bound < np.inf:
        _weeks(turned, rules, (low, high), one, sources)
        state = end
        for t in range(slots, 0, -1):
            plan[(first + t) % slots] = state // waits
            state = sources[t, state // waits, state % waits]
    return plan, bound


@compiled
def _where_to_begin(cost: Any, rules: Rules, values: Any, sources: Any) -> int:
    """The slot to cut the circle at: there the bounds are close, so that few ranges are tried.

    Two weeks that may begin and end anywhere cheat at their ends, not in their middle: where they
    do the same twice, a week apart, the best circle is likely to do so, too.
    """
    slots, levels = cost.shape
    waits = values.shape[2]
    least, state, _ = _weeks(cost, rules, (0, levels * waits), values, sources)
    best = 0
    if least < np.inf:
        path = np.empty(2 * slots + 1, np.int64)
        for t in range(2 * slots, -1, -1):
            path[t] = state
            if t:
                state = sources[t, state // waits, state % waits]
        for t in range(slots):
            if path[t] == path[t + slots] and abs(2 * t - slots) < abs(2 * best - slots):
                best = t
    return best


@compiled
def _weeks(cost: Any, rules: Rules, states: Any, values: Any, sources: Any) -> Any:
    """The cheapest weeks, one or several, that begin and end in states of a range, any of them.

    Args:
        states: the range, (first, stop), flat.
        values, sources: room for the least cost of every state, (slots of these weeks + 1, levels,
            waits), and for the state it came from.
    Returns:
        Its cost (inf: there is none), the state it ends in, and the one it began in.
    """
    slots, waits = cost.shape[0], values.shape[2]
    last = len(values) - 1
    low, high = states
    values[0, :, :] = np.inf
    for state in range(low, high):
        values[0, state // waits, state % waits] = 0.0
    for t in range(1, last + 1):
        before, after, prices = values[t - 1], values[t], cost[t % slots]
        _stay_or_rise(before, after, prices, rules, sources[t])
        _fall(before, after, prices, rules, sources[t])
    least, end = np.inf, low
    for state in range(low, high):
        if values[last, state // waits, state % waits] < least:
            least, end = values[last, state // waits, state % waits], state
    begin = end
    if least < np.inf:
        for t in range(last, 0, -1):
            begin = sources[t, begin // waits, begin % waits]
    return least, end, begin


@compiled
def _stay_or_rise(before: Any, after: Any, prices: Any, rules: Rules, source: Any) -> None:
    """One slot on at the same level, or at any higher one."""
    levels, waits = before.shape
    raised_to = 1 if rules.waits_up else 0
    over_after = rules.waits_up, rules.waits_up + rules.waits_down
    best, best_at = np.inf, -1  # of the lower levels, less what rising from 0 to there costs
    for n in range(levels):
        for w in range(waits):
            after[n, w] = np.inf
        after[n, 0] = before[n, 0] + prices[n]
        source[n, 0] = n * waits
        for w in range(1, waits):
            value = before[n, w] + prices[n]
            to = 0 if w in over_after else w + 1
            if value < after[n, to]:
                after[n, to] = value
                source[n, to] = n * waits + w
        raised = best + rules.up_cost * n + prices[n]
        if raised < after[n, raised_to]:
            after[n, raised_to] = raised
            source[n, raised_to] = best_at
        for w in range(rules.waits_up + 1):
            value = before[n, w] - rules.up_cost * n
            if value < best:
                best, best_at = value, n * waits + w


@compiled
def _fall(before: Any, after: Any, prices: Any, rules: Rules, source: Any) -> None:
    """One slot on at any lower level, where that is cheaper than what `after` has."""
    levels, waits = before.shape
    lowered_to = rules.waits_up + 1 if rules.waits_down else 0
    best, best_at = np.inf, -1  # of the higher levels, with what falling from there to 0 costs
    for n in range(levels - 1, -1, -1):
        lowered = best - rules.down_cost * n + prices[n]
        if lowered < after[n, lowered_to]:
            after[n, lowered_to] = lowered
            source[n, lowered_to] = best_at
        for w in range(waits):
            if w == 0 or w > rules.waits_up:
                value = before[n, w] + rules.down_cost * n
                if value < best:
                    best, best_at = value, n * waits + w
