"""What could be bought ahead, and at which price: by the catalogue, else as the bill's own show.

A price is never made up. Where no list has a committed price of a kind of machine, the discount
that a commitment of the bill gives is taken to hold for more of the same. Kinds that are not sold
on the same terms are deals of their own, though the provider calls them the same: a price that is
missing for one of them hides no other.

Sources (read 2026-11): AWS, "Reserved Instances: instance size flexibility", "Savings Plans types";
Google Cloud, "Committed use discounts"; Azure, "Reservations: instance size flexibility", "Savings
plans: how it works".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

from costopt.model import ActionType
from costopt.model.bill import Metered
from costopt.rules.commit.demand import Left
from costopt.rules.commit.kinds import Kind, Names
from costopt.rules.commit.listed import Way, listed, merged, only
from costopt.rules.commit.settings import CommitSettings
from costopt.rules.commit.shown import shown
from costopt.rules.commit.sorts import Deal, Priced, mean_share, vcpus

INCREMENT: Final = 0.001
"""Commitments by money are sold in tenths of a cent an hour."""
_NAMED: Final = 3  # kinds in the name of a deal
_YEAR: Final = 12


@dataclass(frozen=True, slots=True, eq=False)
class Offered:
    """Everything with a known price that covers some of what is left."""

    deals: tuple[Deal, ...]  # by scope
    why: Mapping[int, str]  # kind of `Left` without a deal -> why; not told where there is nothing
    notes: tuple[str, ...]  # what a reader must know of the prices


def offered(
    bill: Metered, left: Left, names: Names, settings: CommitSettings, as_of: date
) -> Offered:
    """What to choose from, by scope."""
    lists = listed(bill.provider, bill.currency, left, names.catalogue, as_of)
    why = dict(lists.why)
    ways = _wanted(lists.ways, left, settings, why)
    by_scope: dict[str, set[int]] = {}
    for way in ways:
        by_scope.setdefault(way.scope, set()).update(way.priced.shares)
    own = [
        only(way, set(way.priced.shares) - by_scope.get(way.scope, set()))
        for way in shown(bill, left, names)
    ]
    ways += _wanted([way for way in merged(own) if way.priced.shares], left, settings, why)
    found: list[Deal] = []
    for scope in sorted({way.scope for way in ways}):
        found += _deals([way for way in ways if way.scope == scope], bill.provider, left, settings)
    priced = {kind for deal in found for kind in deal.first.shares}
    why = {place: text for place, text in sorted(why.items()) if place not in priced}
    return Offered(tuple(sorted(found, key=lambda deal: deal.scope)), why, tuple(lists.notes()))


def _wanted(
    ways: Sequence[Way], left: Left, settings: CommitSettings, why: dict[int, str]
) -> list[Way]:
    """Those of the terms and payments asked for, and no longer than the history allows."""
    kept = []
    for way in ways:
        reason = _unwanted(way.priced, left, settings)
        if reason:
            why |= dict.fromkeys(way.priced.shares, reason)
        else:
            kept.append(way)
    return kept


def _unwanted(one: Priced, left: Left, settings: CommitSettings) -> str:
    term, asked = one.term, f"{one.months // _YEAR}yr"
    if settings.term != "any" and (settings.term != asked or not term.told):
        return f"{one.says}, and {settings.term} is asked for"
    if settings.payment != "any" and term.payment not in ("", settings.payment):
        return f"{one.says}, and {settings.payment} is asked for"
    if one.months > _YEAR and left.weeks < settings.least_weeks_long:
        return f"{one.says}: more than a year needs {settings.least_weeks_long:g} weeks of bill"
    return ""


def _deals(ways: Sequence[Way], provider: str, left: Left, settings: CommitSettings) -> list[Deal]:
    """One of each set of kinds that are sold on the same terms; the largest goes by the scope."""
    groups: dict[frozenset[int], set[int]] = {}
    for place in sorted({place for way in ways for place in way.priced.shares}):
        terms = frozenset(n for n, way in enumerate(ways) if place in way.priced.shares)
        groups.setdefault(terms, set()).add(place)
    largest = sorted(groups.values(), key=lambda kinds: (-left.hourly(kinds).sum(), min(kinds)))
    found: list[Deal] = []
    taken: set[str] = set()
    for kinds in largest:
        mine = [only(way, kinds) for way in ways if kinds <= set(way.priced.shares)]
        words = _words([left.kinds[kind] for kind in kinds], local=ways[0].sort.local)
        name = f"/{words}" if found else ""
        while name in taken:
            name += "'"
        taken.add(name)
        scope, only_for = ways[0].scope + name, words if len(groups) > 1 else ""
        found.append(_deal(_Name(scope, only_for), mine, provider, left, settings))
    return found


class _Name(NamedTuple):
    scope: str
    only: str  # kinds, in words


def _words(kinds: Sequence[Kind], *, local: bool) -> str:
    """What tells these kinds from others of the same scope."""
    names = sorted(
        {kind.name if local else f"{kind.family} {kind.region or 'global'}" for kind in kinds}
    )
    more = f"+{len(names) - _NAMED}" if len(names) > _NAMED else ""
    return "+".join(names[:_NAMED]).replace(" ", "@") + more


def _deal(
    name: _Name, ways: Sequence[Way], provider: str, left: Left, settings: CommitSettings
) -> Deal:
    """Its ways in order, over the same kinds."""
    sort, capital = ways[0].sort, settings.cost_of_capital
    priced = sorted(
        (way.priced for way in ways),
        key=lambda one: (one.months, mean_share(one, left) * one.at(1.0).rate(capital), one.name),
    )
    kinds = [left.kinds[kind] for kind in priced[0].shares]
    step = INCREMENT if sort.action is ActionType.PURCHASE_SAVINGS_PLANS else 0.0
    if not step and all(kind.by_machine for kind in kinds):
        # The smallest machine in use: what is flexible in size is sold in that size, too.
        shares = priced[0].shares
        step = min(share * float(left.rates[kind]) for kind, share in shares.items())
    elif not step and (cores := vcpus(priced[0], left)):
        step = mean_share(priced[0], left) / cores  # one vCPU, and memory as is in use with it
    region, family = (kinds[0].region, kinds[0].family) if sort.local else ("", "")
    if sort.local and sort.rank == 1 and kinds[0].one_size(provider):
        family = kinds[0].name
    return Deal(name.scope, sort, region, family, name.only, tuple(priced), step)
