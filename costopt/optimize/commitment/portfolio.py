"""What to buy of many offers that cover the same usage, and how far from the best that can be.

The saving of quantities x is what they replace on demand less what they cost. Replacing is a
programme of every hour of its own: thousands of hours of dozens of classes are a linear programme
of a million columns. Instead, hours are applied as providers do it (application.py), which also
gives planes that bound what any application could replace; a small master programme finds the
quantities that look best under the planes, and so on until nothing better can exist, or near that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from costopt.optimize.commitment.application import Applied, Offer, Usage, apply, known_hours
from costopt.optimize.commitment.history import Floats, Outcome, outcome
from costopt.optimize.commitment.newsvendor import YEAR_HOURS
from costopt.optimize.commitment.planes import Hours, Planes

TOLERANCE: Final = 1e-4
"""Of what on demand costs: far below what next year's demand will differ by."""

ROUNDS: Final = 150
WHOLE_ROUNDS: Final = 12
STALLED: Final = 25
"""Rounds in which neither bound nor saving moves by a tenth of the tolerance: what is left of the
gap is that offers overlap with differing discounts, where the planes are not exact."""

STEPS: Final = (1 / 32, 1 / 64, 1 / 128, 1 / 256, 1 / 512)
"""Of what could be used of an offer at most: how far quantities are moved in the end."""

INWARD: Final = 0.5
"""New planes are cut half-way from the best quantities so far to those that look best: this halves
the rounds of a fleet of 50 classes. Source: Ben-Ameur, Neto: Acceleration of cutting-plane and
column generation algorithms, Networks 49 (2007)."""


@dataclass(frozen=True, slots=True)
class Purchase:
    """So much of one offer."""

    offer: str
    quantity: float  # units, without those held
    cost: float  # per hour
    utilisation: float  # of all units of the offer, held ones included
    worth: float  # per hour: what would be saved less if just this were not bought


@dataclass(frozen=True, slots=True, eq=False)
class Portfolio:
    """What to buy; amounts per hour, in money, on the history given."""

    purchases: tuple[Purchase, ...]  # by offer's name; only what is bought
    before: float  # on demand, beside what is held, and what is held
    after: float  # with the purchases, applied in the real order
    at_least: float  # no purchases of these offers, applied in any order, cost less
    outcome: Outcome  # of the purchases alone

    @property
    def gap(self) -> float:
        """How much of the cost before a better portfolio could save at most, as a share."""
        return (self.after - self.at_least) / self.before if self.before else 0.0


class _Found(NamedTuple):
    quantities: Floats
    bound: float  # of the saving per hour


def portfolio(
    usage: Usage, offers: Sequence[Offer], *, tolerance: float = TOLERANCE, term_hours: int = 0
) -> Portfolio:
    """The purchases of least cost on that history, within the gap that is told.

    Hours that lack a class are left out: they are not known to be cheap or dear. Like the
    newsvendor's, it is the best for a future distributed as the history is; of offers for one and
    three years it takes the cheaper, which is for `ladder` to split.

    Args:
        usage: demand by class; (H, U), the longest history there is.
        offers: names differ; the result does not depend on their order.
        tolerance: share of the on-demand cost at which to stop.
        term_hours: the term over which the worst case is looked for; 0 = a year.
    Raises:
        ValueError: names twice, or a class that usage has not.
        InsufficientData: no hour is known in all classes.
    """
    ordered = sorted(offers, key=lambda offer: offer.name)
    _check(usage, ordered)
    amounts = known_hours(usage)
    quantities = np.array([offer.held for offer in ordered])
    possible = 0.0
    spent = float((amounts @ usage.prices).mean())
    for part in _separate(ordered):
        some = [ordered[o] for o in part]
        classes = sorted({u for offer in some for u in offer.classes})
        found = _solve(amounts, usage.prices, classes, some, tolerance * spent)
        quantities[part] = found.quantities
        possible += found.bound
    return _told(usage, ordered, quantities, possible, term_hours or YEAR_HOURS)


class Open(NamedTuple):
    """The demand that one offer of a portfolio finds, as `newsvendor` and `ladder` take it."""

    units: Floats  # (H,) of the offer, per hour; NaN = missing
    price: float  # of a unit on demand, on the mean; NaN: it finds none


def open_to(usage: Usage, offers: Sequence[Offer], bought: Portfolio, name: str) -> Open:
    """What the offers that apply before it leave to one offer, to spread it over terms and months.

    Raises:
        KeyError: there is no offer of that name.
    """
    extra = {one.offer: one.quantity for one in bought.purchases}
    quantities = [offer.held + extra.get(offer.name, 0.0) for offer in offers]
    place = {offer.name: o for o, offer in enumerate(offers)}[name]
    applied = apply(usage, offers, quantities)
    units = applied.reached[:, place]
    total = float(np.nansum(units))
    cost = float(np.nansum(applied.reached_cost[:, place]))
    return Open(units, cost / total if total else float("nan"))


def _check(usage: Usage, offers: Sequence[Offer]) -> None:
    if len({offer.name for offer in offers}) < len(offers):
        raise ValueError("each offer needs a name of its own")
    count = len(usage.prices)
    for offer in offers:
        if not all(0 <= u < count for u in offer.classes):
            raise ValueError(f"{offer.name} covers a class that usage has not")


def _separate(offers: Sequence[Offer]) -> list[list[int]]:
    """Offers that share no class, even through others, are problems of their own."""
    parts: list[tuple[set[int], list[int]]] = []
    for o, offer in enumerate(offers):
        classes, members = set(offer.classes), [o]
        apart = []
        for part in parts:
            if classes.isdisjoint(part[0]):
                apart.append(part)
            else:
                classes |= part[0]
                members = part[1] + members
        parts = [*apart, (classes, members)]
    return [sorted(members) for classes, members in parts if classes]


def _solve(
    amounts: Floats,
    prices: Floats,
    classes: Sequence[int],
    offers: Sequence[Offer],
    tolerance: float,
) -> _Found:
    """Quantities of offers that share classes, and what none could save more than."""
    place = {u: n for n, u in enumerate(classes)}
    local = [_renumbered(offer, place) for offer in offers]
    kept = np.ascontiguousarray(amounts[:, classes])
    planes = Planes(Hours.of(kept, prices[list(classes)], local))
    best = _continuous(planes, tolerance)
    chosen = planes.sold(best.quantities)
    saved = planes.cut(chosen)
    possible = best.bound
    if planes.branch(tolerance / 2):
        for _ in range(WHOLE_ROUNDS):
            looks = planes.best()
            possible = min(possible, looks.saving)
            if possible - saved <= tolerance:
                break
            tried = planes.sold(looks.quantities)
            if (value := planes.cut(tried)) > saved:
                chosen, saved = tried, value
    if possible - saved > tolerance:
        chosen, saved = _climbed(planes, chosen, saved, tolerance)
    return _better(planes, chosen, saved, possible)


def _climbed(
    planes: Planes, chosen: Floats, saved: float, tolerance: float
) -> tuple[Floats, float]:
    """Better quantities nearby: one offer more or less at a time, by ever smaller steps.

    Where offers overlap with differing discounts, the planes lie above the real order, and what
    looks best under them need not be best applied.
    """
    spans = planes.limits * planes.steps
    for part in STEPS:
        moves = np.where(planes.stepped, np.maximum(planes.steps, spans * part), spans * part)
        before = -np.inf
        while saved - before > tolerance / 10:
            before = saved
            for o, move in np.ndindex(len(moves), 2):
                tried = chosen.copy()
                tried[o] += moves[o] * (1 - 2 * move)
                tried = planes.sold(tried)
                if (value := planes.saving(tried)) > saved:
                    chosen, saved = tried, value
    return chosen, saved


def _better(planes: Planes, chosen: Floats, saved: float, possible: float) -> _Found:
    """Nothing rather than something that does not pay."""
    nothing = planes.cut(planes.held)
    return _Found(chosen if saved > nothing else planes.held, possible - nothing)


def _continuous(planes: Planes, tolerance: float) -> _Found:
    """The best quantities if any fraction could be bought."""
    centre = planes.held
    saved, possible = planes.cut(centre), float("inf")
    since, moved = 0, (saved, possible)
    for _ in range(ROUNDS):
        looks = planes.best()
        possible = min(possible, looks.saving)
        if possible - saved <= tolerance or since == STALLED:
            break
        tried = INWARD * centre + (1 - INWARD) * looks.quantities
        if (value := planes.cut(tried)) > saved:
            centre, saved = tried, value
        if saved - moved[0] > tolerance / 10 or moved[1] - possible > tolerance / 10:
            since, moved = 0, (saved, possible)
        since += 1
    return _Found(centre, possible)


def _renumbered(offer: Offer, place: dict[int, int]) -> Offer:
    classes = tuple(place[u] for u in offer.classes)
    return Offer(
        offer.name, offer.rate, classes, offer.units, offer.rank, offer.step, offer.most, offer.held
    )


def _told(
    usage: Usage, offers: Sequence[Offer], quantities: Floats, possible: float, term_hours: int
) -> Portfolio:
    """The purchases and what comes of them, applied in the real order to every hour."""
    held = np.array([offer.held for offer in offers])
    rates = np.array([offer.rate for offer in offers])
    bought = quantities - held
    with_all = apply(usage, offers, quantities)
    with_held = apply(usage, offers, held)
    left = usage.amounts @ usage.prices - with_held.replaced
    replaced = with_all.replaced - with_held.replaced
    used = (with_all.used - with_held.used) @ rates
    told = outcome(left, replaced, float(rates @ bought), used, term_hours)
    before = told.on_demand + float(rates @ held)
    return Portfolio(
        purchases=_purchases(usage, offers, quantities, with_all),
        before=before,
        after=before - told.saving,
        at_least=before - possible,
        outcome=told,
    )


def _purchases(
    usage: Usage, offers: Sequence[Offer], quantities: Floats, applied: Applied
) -> tuple[Purchase, ...]:
    found = []
    total = float(np.nanmean(applied.replaced))
    for o, offer in enumerate(offers):
        bought = float(quantities[o] - offer.held)
        if bought <= 0:
            continue
        without = quantities.copy()
        without[o] = offer.held
        lost = total - float(np.nanmean(apply(usage, offers, without).replaced))
        cost = bought * offer.rate
        used = float(np.nanmean(applied.used[:, o])) / float(quantities[o])
        found.append(Purchase(offer.name, bought, cost, used, lost - cost))
    return tuple(found)
