"""The other places that a group could be at: what each would cost, and what speaks against it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from costopt.pricing.places import latency_ms
from costopt.rules.move.bounds import may_reside, providers_to, wishes
from costopt.rules.move.grounds import Ground
from costopt.rules.move.stays import shared
from costopt.rules.move.ties import too_far
from costopt.units import provider_key

_OPEN: Final = 3
_BARRED: Final = 6


@dataclass(frozen=True, slots=True)
class Other:
    """One place, over the horizon, in the bill's currency."""

    place: str
    monthly: float  # once all has settled
    saving: float  # net present
    low: float  # with every price at its unfavourable end
    against: tuple[str, ...]  # what speaks against it; none = it is where the group goes


def others(ground: Ground, wide: Ground) -> list[Other]:
    """The next best places that it may be at, and those that would save more and are barred; the
    largest saving first.

    Args:
        wide: the same group with every provider and place open.
    """
    worth, number = wide.worth, wide.number
    least = min(float(worth.stay[number]), wide.here)
    saving, low = least - worth.move[number], least - worth.move_high[number]
    possible = np.isfinite(saving) & (np.arange(len(saving)) != wide.home)
    order = [at for at in np.argsort(-saving, kind="stable").tolist() if possible[at]]
    bars = {at: tuple(_bars(ground, wide, at)) for at in order}
    going = [at for at in order if ground.moves and wide.board.places[at] == ground.target]
    reached = max((float(saving[at]) for at in going), default=0.0)
    open_ = [at for at in order if not bars[at] and at not in going][:_OPEN]
    barred = [at for at in order if bars[at] and saving[at] > reached]
    # Of a provider's regions that the same keeps it from, the best says it for all.
    alike = {(wide.board.places[at].provider_name, bars[at]): at for at in reversed(barred)}
    barred = sorted(alike.values(), key=order.index)[:_BARRED]
    told = {at: bars[at] for at in barred} | dict.fromkeys(going, ())
    told |= {at: (_less(ground, wide, at, float(saving[at]), float(low[at])),) for at in open_}
    return [
        Other(wide.called(at), wide.monthly(at), float(saving[at]), float(low[at]), told[at])
        for at in order
        if at in told
    ]


def _less(ground: Ground, wide: Ground, at: int, saving: float, low: float) -> str:
    """What keeps it from a place that it may be at."""
    if saving <= 0:
        return "costs more than it saves"
    if low <= 0:
        return "loses if prices are off the wrong way"
    reached = ground.net_present_low if ground.moves else 0.0
    if low <= reached:
        return "saves less"
    known = ground.board.places
    place = wide.board.places[at]
    return shared(ground, known.index(place)) if place in known else "what it shares with others"


def _bars(ground: Ground, wide: Ground, at: int) -> Iterator[str]:
    """What forbids the place."""
    place, board = wide.board.places[at], ground.board
    settings, group, known = board.settings, ground.group, board.world.places
    if provider_key(place.provider_name) not in providers_to(board.groups, board.world, settings):
        yield "provider not asked for (--to)"
    if settings.places and not any(known.matches(place, one) for one in settings.places):
        yield "not asked for (--place)"
    if not may_reside(group, place, known, settings):
        said = " and ".join(", ".join(one) for one in wishes(group, settings))
        yield f"must stay within {said}" if said else "too far unasked (--place)"
    apart = latency_ms(group.home, place)
    if apart > settings.most_ms:
        yield f"{apart:.0f} ms away (most_ms {settings.most_ms:g})"
    yield from too_far(ground.peers, place)
    if group.name in ground.bound:
        keeper, _ = ground.bound[group.name]
        yield f"{keeper.resource_name or keeper.resource_id} cannot be moved"
