"""What covers demand before anything more is bought: what is held, its spare parts too, and what is
bought for an earlier day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np

from costopt.model.bill import Held, Metered, Usage
from costopt.pricing.commitments import Applied, in_order
from costopt.rules.commit.demand import Floats, Grid, Left, lasting, unit_cost
from costopt.rules.commit.kinds import Kind, Names
from costopt.rules.commit.outcome import Bought
from costopt.rules.commit.outlook import Cover, take
from costopt.rules.commit.settings import CommitSettings

_TINY: Final = 1e-9


class Spared(NamedTuple):
    """What is left once unused parts of commitments cover what they could."""

    left: Left
    scopes: Mapping[str, Mapping[int, float]]
    """Commitment -> kinds of `left` that its spare part could cover, each with its price there as a
    share of that on demand (shown.spare_for)."""
    taken: Mapping[str, Mapping[int, Floats]]  # the same -> (H,) money as on demand


def spared(
    bill: Metered, applied: Applied, left: Left, scopes: Mapping[str, Mapping[int, float]]
) -> Spared:
    """Unused parts over what they could cover.

    Args:
        scopes: as of `Spared`.
    """
    if not left.kinds:
        return Spared(left, scopes, {})
    grid, amounts, taken = Grid.of(bill), left.amounts.copy(), {}
    for one in sorted(bill.held, key=lambda each: each.commitment_id):
        unused = applied.unused[one.commitment_id] * unit_cost(one) / bill.hours
        scope = sorted(scopes.get(one.commitment_id, {}).items())
        taken[one.commitment_id] = take(amounts, _hourly(grid, unused), scope)
    return Spared(replace(left, amounts=amounts), scopes, taken)


class Holds(NamedTuple):
    """A bill with what is held on it, and how long each lasts."""

    bill: Metered
    applied: Applied
    names: Names
    months: Mapping[str, float]  # commitment -> until it ends; without those that nobody tells


def held(holds: Holds, rest: Spared, settings: CommitSettings) -> tuple[Cover, ...]:
    """What is held, over the kinds of what it leaves, in the order in which it is applied."""
    places = {kind: place for place, kind in enumerate(rest.left.kinds)}
    stays = lasting(holds.bill, holds.names, settings)
    rows = [
        _Row(usage, places.get(holds.names.kind(usage)), usage.key in stays)
        for usage in holds.bill.usages
    ]
    ranked = sorted(holds.bill.held, key=lambda one: (in_order(one), one.commitment_id))
    return tuple(_cover(one, holds, rest, rows) for one in ranked if one.cost.any())


class _Row(NamedTuple):
    usage: Usage
    place: int | None  # among the kinds of what is left
    stays: bool


def _cover(one: Held, holds: Holds, rest: Spared, rows: Sequence[_Row]) -> Cover:
    bill, cost, name = holds.bill, unit_cost(one), one.commitment_id
    grid, used = Grid.of(bill), np.zeros(len(bill.starts))
    leaves = dict(rest.taken.get(name, {}))
    for usage, place, stays in rows:
        units = holds.applied.covered.get((usage.key, name))
        if units is None:
            continue
        used += units * usage.uses[name] * cost / bill.hours
        if place is not None and stays:
            money = grid.placed(grid.hourly(units, usage) * grid.spread(usage.rate))
            leaves[place] = leaves.get(place, 0.0) + np.nan_to_num(money)
    shares = {**rest.scopes.get(name, {}), **_shares(one, rows)}
    hourly = _hourly(grid, used)
    for place, amount in rest.taken.get(name, {}).items():
        hourly = hourly + amount * shares[place]
    return Cover(
        until=holds.months.get(name, float("inf")),
        has=hourly,
        used=hourly,
        shares=tuple(sorted(shares.items(), key=lambda each: (round(each[1], 9), each[0]))),
        leaves=leaves,
    )


def _shares(one: Held, rows: Sequence[_Row]) -> dict[int, float]:
    """What it costs of what the same costs on demand, by the kinds that it may cover."""
    paid: dict[int, float] = {}
    money: dict[int, float] = {}
    cost = unit_cost(one)
    for usage, place, _ in rows:
        takes, spent = usage.uses.get(one.commitment_id, 0.0), float(usage.quantity @ usage.rate)
        if place is not None and takes > 0 and spent > _TINY:
            paid[place] = paid.get(place, 0.0) + takes * cost * float(usage.quantity.sum())
            money[place] = money.get(place, 0.0) + spent
    return {place: share for place in paid if (share := paid[place] / money[place]) > _TINY}


class Earlier(NamedTuple):
    """What is bought for an earlier day."""

    bought: tuple[Bought, ...]
    since: float  # months from now until that day
    left: Left  # for what


def earlier(all_: Iterable[Earlier], kinds: Sequence[Kind]) -> tuple[Cover, ...]:
    """What is bought for earlier days, over these kinds."""
    places = {kind: place for place, kind in enumerate(kinds)}
    return tuple(
        Cover(
            until=of.since + part.ends,
            has=np.full(of.left.hours, part.quantity),
            used=np.zeros(of.left.hours),
            shares=tuple(
                (places[of.left.kinds[kind]], one.deal.first.shares[kind])
                for kind in one.deal.in_order()
                if of.left.kinds[kind] in places
            ),
        )
        for of in all_
        for one in of.bought
        for part in one.planned.tranches
    )


def _hourly(grid: Grid, periods: Floats) -> Floats:
    """Of each period in each of its hours; nothing where there is no bill."""
    return np.nan_to_num(grid.placed(grid.spread(periods)))
