"""Committed prices by the price lists, and what of the lists could not be taken.

Nothing is taken silently that cannot be so: no commitment of the large clouds is more than about
80 % off the price on demand, so what costs less than `LEAST` of it is a slip, and told.

Sources (read 2026-11): AWS, "Savings Plans" (up to 72 %) and "EC2 Reserved Instances pricing" (up
to 75 %); Azure, "Reserved VM Instances" (up to 72 %, 80 % with licences of one's own); Google
Cloud, "Committed use discounts" (up to 70 %).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final, NamedTuple

from costopt.model import Price
from costopt.pricing.age import age
from costopt.pricing.catalogue import Catalogue
from costopt.pricing.committed_terms import CommittedTerm, read_term
from costopt.pricing.layer import region_key, system_key
from costopt.rules.commit.demand import Left
from costopt.rules.commit.kinds import Kind
from costopt.rules.commit.sorts import Priced, Sort, scope_of, sort_named

LEAST: Final = 0.15
_SAVED: Final = 1 - 1e-9
"""Of the price on demand: what costs as much saves nothing."""


class Way(NamedTuple):
    """One way to buy one sort of commitment in one scope."""

    scope: str
    sort: Sort
    priced: Priced


@dataclass(slots=True, eq=False)
class Listed:
    """What the lists offer for what is left, and why not more."""

    ways: list[Way] = field(default_factory=list)
    misses: dict[int, tuple[int, str]] = field(default_factory=dict)
    """Kind -> how near the nearest price comes that is not taken, and why it is not."""
    unread: set[str] = field(default_factory=set)  # x_Term that is not understood
    refused: list[str] = field(default_factory=list)  # prices that cannot be so, in words
    oldest: dict[str, date] = field(default_factory=dict)  # list -> of a day too long ago

    def miss(self, place: int, near: int, why: str) -> None:
        """A price of that kind is not taken; what comes nearest is told."""
        self.misses[place] = max(self.misses.get(place, (0, "")), (near, why))

    @property
    def why(self) -> dict[int, str]:
        """Kind -> why no price of a list is taken, where there is one."""
        return {place: why for place, (_, why) in self.misses.items()}

    def notes(self) -> list[str]:
        """What a reader must know of the lists."""
        found = []
        if self.unread:
            terms = ", ".join(repr(term) for term in sorted(self.unread))
            found.append(
                f"committed prices whose x_Term is not understood are left out: {terms} "
                "(write 1yr no-upfront, 3yr all-upfront compute-savings-plan)"
            )
        found += sorted(set(self.refused))
        for name, day in sorted(self.oldest.items()):
            found.append(f"committed prices of {name} are of {day}: look them up before buying")
        return found


def listed(provider: str, currency: str, left: Left, catalogue: Catalogue, as_of: date) -> Listed:
    """What the price lists name, by scope, term and payment.

    Args:
        as_of: prices are too old or not by then.
    """
    made = Listed()
    found: dict[tuple[str, Sort, CommittedTerm], dict[int, tuple[float, Price]]] = {}
    for place, kind in enumerate(left.kinds):
        for price, sort, term in _named(provider, kind, catalogue, made):
            if miss := _not_here(price, kind, currency):
                made.miss(place, *miss)
                continue
            share = _share(price, place, left, catalogue, provider)
            if share is None or share >= _SAVED:
                made.miss(place, 4, "what a list names is not below what is paid on demand")
            elif share < LEAST:
                made.refused.append(_slip(price, kind, share))
                made.miss(place, 5, "what a list names cannot be right")
            else:
                mine = found.setdefault((scope_of(provider, sort, kind), sort, term), {})
                if place not in mine or share < mine[place][0]:
                    mine[place] = share, price
    for (scope, sort, term), of_kinds in sorted(found.items(), key=_order):
        prices = [price for _, price in of_kinds.values()]
        _tell_age(prices, as_of, made)
        shares = {place: share for place, (share, _) in of_kinds.items()}
        made.ways.append(Way(scope, sort, Priced(term, shares, _source(prices))))
    return made


def _order(found: tuple[tuple[str, Sort, CommittedTerm], object]) -> tuple[str, str]:
    return found[0][0], found[0][2].name


def _named(
    provider: str, kind: Kind, catalogue: Catalogue, made: Listed
) -> list[tuple[Price, Sort, CommittedTerm]]:
    """The committed prices of a type that name something to be bought here."""
    found = []
    for price in catalogue.prices(provider, kind.instance_type) if kind.instance_type else ():
        if price.pricing_category != "Committed":
            continue
        term = read_term(price.term)
        if term is None:
            made.unread.add(price.term or "")
        elif sort := sort_named(provider, term.what):
            found.append((price, sort, term))
    return found


def _not_here(price: Price, kind: Kind, currency: str) -> tuple[int, str] | None:
    """How near a price comes to what runs, and what is wrong; None = nothing is."""
    if price.region_id is not None and region_key(price.region_id) != kind.region:
        return 1, "lists name one in other regions only"
    system = price.operating_system
    if system is not None and system_key(system) != kind.system:
        return 2, "lists name one for other systems only"
    if price.currency != currency:
        return 3, f"no list names one in {currency}, but in {price.currency}"
    return None


def _share(
    price: Price, place: int, left: Left, catalogue: Catalogue, provider: str
) -> float | None:
    """The committed price of what this customer pays on demand; None = nothing to compare."""
    kind = left.kinds[place]
    if kind.by_machine:
        return float(price.list_unit_price) / float(left.rates[place])
    whole = catalogue.price(
        provider, kind.region, kind.instance_type, operating_system=kind.system,
        currency=price.currency,
    )  # fmt: skip
    if whole is None:
        return None
    # What is off the price for sustained use ends with a commitment, which is off the list.
    paid = float(whole.list_unit_price) * (1 - float(left.reduced[place]))
    return float(price.list_unit_price) / paid if paid > 0 else None


def _slip(price: Price, kind: Kind, share: float) -> str:
    return (
        f"a committed price of {price.list_unit_price.normalize():f} {price.currency} an hour for "
        f"{kind.name} ({price.term or 'no x_Term'}) is {100 * (1 - share):.0f} % below what it "
        "costs on demand, which cannot be: it is left out"
    )


def _tell_age(prices: Iterable[Price], as_of: date, made: Listed) -> None:
    for price in prices:
        if price.valid_from and age(price.valid_from, as_of).stale:
            name = price.source or "a price list"
            made.oldest[name] = min(made.oldest.get(name, price.valid_from), price.valid_from)


def _source(prices: Iterable[Price]) -> str:
    """Whose list, and of when: the oldest."""
    all_ = list(prices)
    names = sorted({one.source or "a price list" for one in all_})
    days = sorted(one.valid_from for one in all_ if one.valid_from)
    return ", ".join(names) + (f", of {days[0]}" if days else ", of a day not told")


def merged(ways: Iterable[Way]) -> list[Way]:
    """Ways of one scope and name as one; where two price the same kind, the dearer counts."""
    found: dict[tuple[str, CommittedTerm], list[Way]] = {}
    for way in ways:
        found.setdefault((way.scope, way.priced.term), []).append(way)
    return [_together(alike) for _, alike in sorted(found.items(), key=lambda one: one[0][0])]


def _together(alike: list[Way]) -> Way:
    shares: dict[int, float] = {}
    for way in alike:
        for place, share in way.priced.shares.items():
            shares[place] = max(share, shares.get(place, 0.0))
    sources = "; ".join(sorted({way.priced.source for way in alike}))
    one = alike[0].priced
    by_bill = all(way.priced.by_bill for way in alike)
    return Way(alike[0].scope, alike[0].sort, Priced(one.term, shares, sources, by_bill))


def only(way: Way, kinds: Mapping[int, object] | set[int] | frozenset[int]) -> Way:
    """The way for these kinds alone."""
    shares = {place: share for place, share in sorted(way.priced.shares.items()) if place in kinds}
    one = way.priced
    return way._replace(priced=Priced(one.term, shares, one.source, one.by_bill))
