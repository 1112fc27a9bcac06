"""commit: what to buy ahead, how much, for how long and when; and what is held for nothing.

Anti-pattern: commitments sized by last month's console, before machines are made smaller, or not
at all. Better: the newsvendor's quantity on the whole history, on the demand that is left after all
other changes and all commitments held, spread over terms and months, with the worst case said.

A rule on the fleet, not on one resource. What is left: commit_demand.py; what is sold at which
price: commit_deals.py; how much: commit_buy.py; what is held: commit_held.py; in words and figures:
commit_grounds.py. Settings: commit_settings.py. See docs/commitments.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Final

import numpy as np

from costopt.errors import InsufficientData
from costopt.frame.cost import FleetCost
from costopt.model import Recommendation, Report, Resource, Skip, Summary, Window
from costopt.model.bill import Metered
from costopt.pricing.catalogue import Catalogue
from costopt.pricing.commitments import RECONCILED, Applied, apply, residue
from costopt.pricing.scenario import Change, changed
from costopt.rules.commit_buy import Bought, NotBought, buy
from costopt.rules.commit_deals import Deal, deals, held_scopes
from costopt.rules.commit_demand import (
    LONGEST_PERIOD,
    Floats,
    Grid,
    Left,
    Names,
    known,
    left,
    unit_cost,
)
from costopt.rules.commit_grounds import CODE, PROVIDERS, Ground, recommendation, unpriced
from costopt.rules.commit_held import Holding, Told, recent, sentence, spared
from costopt.rules.commit_settings import CommitSettings
from costopt.units import cents

Changes = Mapping[str, Mapping[str, Change]]
"""By provider: resource id, as the bill's usages have it -> what becomes of it."""

NO_CHANGES: Final[Changes] = MappingProxyType({})
_HOUR: Final = 3600


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """One provider's demand that commitments cover or could, for a picture. Money an hour, as it
    costs on demand."""

    provider: str  # for people
    currency: str
    demand: Floats  # (H,) what has a known price, or is covered; NaN = no bill of that hour
    unpriced: float  # on demand beside it, at no known price of a commitment
    held: float  # what is held could cover in an hour
    bought: float  # what is to be bought could cover
    saving: float  # of what is to be bought
    break_even: float  # of what is to be bought, else of the cheapest that is not; NaN = no price


@dataclass(frozen=True, slots=True, eq=False)
class Commitments:
    """What to do about commitments, over all providers."""

    recommendations: tuple[Recommendation, ...]  # the largest saving first, then by scope
    skips: tuple[Skip, ...]
    notes: tuple[str, ...]
    held: tuple[Told, ...]
    curves: tuple[Curve, ...]  # by provider
    bought: Mapping[str, tuple[Bought, ...]]  # by provider key


def commitments(
    bills: Mapping[str, Metered],
    resources: Mapping[str, Resource],
    catalogue: Catalogue,
    settings: CommitSettings,
    *,
    changes: Changes = NO_CHANGES,
    min_monthly_savings: float = 0.0,
    as_of: datetime | None = None,
) -> Commitments:
    """What to buy of what each provider sells, and what to do with what is held.

    Args:
        bills: by `provider_key`, over the longest history there is (frame.metered.read).
        resources: the inventory; types, systems and scaling groups are looked up in it, and the
            terms and ends of commitments.
        changes: what is done first; purchases are for what remains.
        min_monthly_savings: in the bill's currency.
        as_of: purchases begin then (UTC); None = where each bill ends.
    """
    fleet = _Fleet(known(resources.values()), catalogue, settings, min_monthly_savings)
    found = [
        fleet.judged(bill, changes.get(name, {}), as_of)
        for name, bill in sorted(bills.items())
        if len(bill.starts) and bill.usages
    ]
    advice = [one for each in found for one in each.recommendations]
    return Commitments(
        recommendations=tuple(sorted(advice, key=_order)),
        skips=tuple(sorted((one for each in found for one in each.skips), key=_place)),
        notes=tuple(note for each in found for note in each.notes),
        held=tuple(one for each in found for one in each.held),
        curves=tuple(curve for each in found for curve in each.curves),
        bought={name: of for each in found for name, of in each.bought.items()},
    )


def _order(one: Recommendation) -> tuple[object, ...]:
    return (-one.estimated_monthly_savings.target, one.resource_id)


def _place(skip: Skip) -> tuple[str, str]:
    return skip.resource_id, skip.reason


@dataclass(frozen=True, slots=True, eq=False)
class _Fleet:
    resources: Mapping[str, Resource]
    catalogue: Catalogue
    settings: CommitSettings
    min_monthly_savings: float

    def judged(
        self, bill: Metered, changes: Mapping[str, Change], as_of: datetime | None
    ) -> Commitments:
        """One provider."""
        skip = _unusable(bill, self.settings)
        if skip:
            return Commitments((), (skip,), (), (), (), {})
        after = changed(bill, changes)
        applied = apply(after.usages, after.held)
        start, end = _window(bill)
        names = Names.of(bill, self.resources, self.catalogue)
        all_ = left(after, applied, names, self.settings)
        scopes = held_scopes(bill, all_, names)
        rest = spared(after, applied, all_, scopes)
        offered = deals(bill, rest, names, self.settings)
        try:
            bought, refused = buy(rest, offered, self.settings)
        except InsufficientData as error:  # as many hours as asked for, but hardly a whole week
            bought, refused = (), ()
            gaps = [Skip(bill.provider, CODE, "short-history", error.what)]
        else:
            gaps = []
        window = Window(start, as_of if as_of and as_of > end else end)
        ground = Ground(bill.provider, bill.currency, window, rest, bill.hours, residue(bill))
        holding = Holding(*recent(after, applied), all_, scopes, offered, self.resources)
        held = holding.told(self.settings, window.end)
        advice = [recommendation(one, ground) for one in bought]
        kept = [one for one in advice if self._worth_it(one)]
        skips = [
            *gaps,
            *_refusals(refused),
            *_small(advice, kept),
            *_unpriced(ground, offered, self.settings),
        ]
        return Commitments(
            recommendations=tuple(kept),
            skips=tuple(skips),
            notes=(*_notes(ground, all_), *(sentence(one, bill.currency) for one in held)),
            held=held,
            curves=(_curve(after, applied, all_, bought, offered),),
            bought={bill.provider: bought},
        )

    def _worth_it(self, one: Recommendation) -> bool:
        saved = float(one.estimated_monthly_savings.target)
        return saved > 0 and saved >= self.min_monthly_savings


def _window(bill: Metered) -> tuple[datetime, datetime]:
    end = int(bill.starts[-1]) + bill.hours * _HOUR
    return datetime.fromtimestamp(int(bill.starts[0]), UTC), datetime.fromtimestamp(end, UTC)


def _unusable(bill: Metered, settings: CommitSettings) -> Skip | None:
    """Why nothing can be said of that provider's bill."""
    if bill.hours > LONGEST_PERIOD:
        detail = (
            f"the bill tells periods of {bill.hours:g} hours, which hide nights and weekends; "
            "collect one by the hour or by the day"
        )
        return Skip(bill.provider, CODE, "coarse-bill", detail)
    weeks = len(bill.starts) * bill.hours / 168
    if weeks < settings.least_weeks - 1e-9:
        detail = f"{weeks:.1f} weeks of bill; what binds for a year needs {settings.least_weeks:g}"
        return Skip(bill.provider, CODE, "short-history", detail)
    return None


def _refusals(refused: tuple[NotBought, ...]) -> list[Skip]:
    return [Skip(one.deal.scope, CODE, one.reason, one.detail) for one in refused]


def _small(advice: list[Recommendation], kept: list[Recommendation]) -> list[Skip]:
    small = [one for one in advice if one not in kept]
    return [
        Skip(
            one.resource_id, CODE, "small-saving",
            f"would save {cents(one.estimated_monthly_savings.target)} {one.currency} a month",
        )
        for one in small
    ]  # fmt: skip


def _unpriced(ground: Ground, offered: tuple[Deal, ...], settings: CommitSettings) -> list[Skip]:
    asked = [one for one in (settings.term, settings.payment) if one != "any"]
    of = f" of {' '.join(asked)}" if asked else ""
    short = ground.left.weeks < settings.least_weeks_long
    long = f" (more than a year needs {settings.least_weeks_long:g} weeks of bill)" if short else ""
    return [
        Skip(
            scope,
            CODE,
            "no-commitment-price",
            f"on demand, {ground.currency} an hour: {', '.join(families)}; no price list names a "
            f"committed price{of} that is lower, nor does the bill show one{long}",
        )
        for scope, families in unpriced(ground.provider, ground.left, offered).items()
    ]


def _notes(ground: Ground, all_: Left) -> list[str]:
    name, found = PROVIDERS.get(ground.provider, ground.provider), []
    if ground.residue > RECONCILED:
        found.append(
            f"{name}: the bill could be reckoned anew but for {100 * ground.residue:.2g} %, so "
            "savings from commitments are not reconciled"
        )
    if all_.left_out:
        each = ", ".join(f"{why} {hourly:.3g}" for why, hourly in all_.left_out.items())
        found.append(f"{name}: not committed to, {ground.currency} an hour on demand: {each}")
    return found


def _curve(
    bill: Metered,
    applied: Applied,
    all_: Left,
    bought: tuple[Bought, ...],
    offered: tuple[Deal, ...],
) -> Curve:
    grid = Grid.of(bill)
    covered = np.zeros(len(bill.starts) * grid.each)
    rates = {usage.key: usage.rate for usage in bill.usages}
    for (key, _), units in sorted(applied.covered.items()):
        covered += grid.spread(units * rates[key] / grid.each)
    placed = grid.placed(covered)
    priced = sorted({kind for one in offered for kind in one.first.shares})
    hourly = all_.hourly()
    demand = placed + (all_.amounts[:, priced].sum(axis=1) if priced else 0.0)
    cost, most = sum(one.cost for one in bought), sum(one.at_most for one in bought)
    cheapest = min((min(one.first.shares.values()) for one in offered), default=float("nan"))
    return Curve(
        provider=PROVIDERS.get(bill.provider, bill.provider),
        currency=bill.currency,
        demand=demand,
        unpriced=float(hourly.sum() - hourly[priced].sum()),
        held=_held_level(bill, applied, float(np.nanmean(placed))),
        bought=most,
        saving=sum(one.saving for one in bought),
        break_even=cost / most if most else cheapest,
    )


def _held_level(bill: Metered, applied: Applied, covered: float) -> float:
    """What all that is held would replace on demand if all of it were used."""
    paid = sum(float(one.cost.sum()) for one in bill.held)
    if not paid:
        return 0.0
    unused = sum(
        float((applied.unused[one.commitment_id]).sum()) * unit_cost(one) for one in bill.held
    )
    return covered / max(1e-9, 1 - min(unused / paid, 1.0))


def reported(
    found: Commitments, bills: Mapping[str, Metered], spend: FleetCost, window: Window
) -> Report:
    """The same as a report, for every format there is."""
    saved = sum((one.estimated_monthly_savings.target for one in found.recommendations), Decimal(0))
    machines = {usage.resource_id for bill in bills.values() for usage in bill.usages}
    return Report(
        as_of=window.end,
        window=window,
        currency=spend.currency,
        summary=Summary(
            monthly_spend=spend.monthly,
            monthly_savings=saved,
            monthly_spend_after=spend.monthly - saved,
            reconciled_percent=None,
            resources=len(machines - {None}),
            well_sized=0,
            recommendations=len(found.recommendations),
            skips=dict(sorted(Counter(skip.reason for skip in found.skips).items())),
        ),
        recommendations=found.recommendations,
        skips=found.skips,
        notes=(*found.notes, *spend.notes),
    )
