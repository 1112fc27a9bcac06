"""The whole fleet: every provider's bill, and what is said of all of them as a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from costopt.frame.cost import FleetCost
from costopt.model import Recommendation, Report, Resource, Skip, Summary, Window
from costopt.model.bill import Metered
from costopt.pricing.catalogue import Catalogue
from costopt.pricing.commitments import RECONCILED
from costopt.pricing.scenario import Change, changed
from costopt.rules.commit.case import Case, renewals
from costopt.rules.commit.curves import Curve, curve
from costopt.rules.commit.deals import Offered
from costopt.rules.commit.demand import LONGEST_PERIOD, Left
from costopt.rules.commit.grounds import CODE, PROVIDERS, Ground, recommendation, unpriced
from costopt.rules.commit.held import Holding
from costopt.rules.commit.kinds import Known, Names, known
from costopt.rules.commit.outcome import Bar, Bought
from costopt.rules.commit.over import Over, over
from costopt.rules.commit.settings import CommitSettings
from costopt.rules.commit.standing import Standing, end_of, standing
from costopt.rules.commit.told import Told, sentence
from costopt.units import HOURS_PER_MONTH

Changes = Mapping[str, Mapping[str, Change]]
"""By provider: resource id, as the bill's usages have it -> what becomes of it."""

NO_CHANGES: Final[Changes] = MappingProxyType({})
UNPRICED: Final = "no-commitment-price"
_HOUR: Final = 3600


@dataclass(frozen=True, slots=True, eq=False)
class Commitments:
    """What to do about commitments, over all providers."""

    recommendations: tuple[Recommendation, ...]  # the largest saving first, then by scope
    skips: tuple[Skip, ...]
    notes: tuple[str, ...]
    held: tuple[Told, ...]  # those that deserve a look
    holdings: tuple[Holding, ...]  # all in force, by provider
    over: tuple[Over, ...]  # those that have ended
    curves: tuple[Curve, ...]  # by provider
    bought: Mapping[str, tuple[Bought, ...]]  # by provider key; without what is for later


def commitments(
    bills: Mapping[str, Metered],
    resources: Mapping[str, Resource],
    catalogue: Catalogue,
    settings: CommitSettings,
    *,
    changes: Changes = NO_CHANGES,
    spans: Mapping[str, Window] = MappingProxyType({}),
    min_monthly_savings: float = 0.0,
    as_of: datetime | None = None,
) -> Commitments:
    """What to buy of what each provider sells, and what to do with what is held.

    Args:
        bills: by `provider_key`, over the longest history there is (frame.metered.read).
        resources: the inventory; types, systems and scaling groups are looked up in it, and the
            terms and ends of commitments.
        changes: what is done first; purchases are for what remains.
        spans: by provider, what a month is reckoned from (frame.cost.Bill.spans): what is bought
            must not lose on it either.
        min_monthly_savings: in the bill's currency.
        as_of: purchases begin then (UTC); None = where each bill ends.
    """
    fleet = _Fleet(known(resources.values()), catalogue, settings, spans, min_monthly_savings)
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
        holdings=tuple(one for each in found for one in each.holdings),
        over=tuple(one for each in found for one in each.over),
        curves=tuple(curve for each in found for curve in each.curves),
        bought={name: of for each in found for name, of in each.bought.items()},
    )


def _order(one: Recommendation) -> tuple[object, ...]:
    saving = one.estimated_monthly_savings
    return (-saving.target, -saving.high, one.resource_id)


def _place(skip: Skip) -> tuple[str, str]:
    return skip.resource_id, skip.reason


@dataclass(frozen=True, slots=True, eq=False)
class _Fleet:
    resources: Known
    catalogue: Catalogue
    settings: CommitSettings
    spans: Mapping[str, Window]
    min_monthly_savings: float

    def judged(
        self, bill: Metered, changes: Mapping[str, Change], as_of: datetime | None
    ) -> Commitments:
        """One provider."""
        skip = _unusable(bill, self.settings)
        if skip:
            return Commitments((), (skip,), (), (), (), (), (), {})
        window = _window(bill, as_of)
        names = Names.of(bill, self.resources, self.catalogue, changes)
        stand = standing(changed(bill, changes), _ends(bill, names), window.end)
        case = Case.of(stand, bill, names, self.settings, window)
        bar = Bar(
            self.min_monthly_savings / HOURS_PER_MONTH, _lately(bill, self.spans.get(bill.provider))
        )
        bought, skips = case.bought(self.settings, bar)
        later = renewals(case, stand, self.settings, bar, bought)
        moved = frozenset(name for name, change in changes.items() if change.moves)
        holding = case.holding(moved, later)
        held = holding.told(self.settings)
        return Commitments(
            recommendations=(
                *(recommendation(one, case.ground) for one in bought),
                *(recommendation(one, each.ground) for each in later for one in each.bought),
            ),
            skips=(*skips, *_unpriced(case.ground, case.offered)),
            notes=(
                *_notes(case.ground, case.all_, stand, case.offered),
                *(sentence(one, bill.currency) for one in held),
            ),
            held=held,
            holdings=(holding,),
            over=over(stand, bill),
            curves=(curve(case.bill, case.applied, case.rest, bought, case.offered),),
            bought={bill.provider: bought},
        )


def _ends(bill: Metered, names: Names) -> dict[str, datetime]:
    """When each commitment ends, where the inventory says."""
    found = {one.commitment_id: end_of(names.attributes(one.commitment_id)) for one in bill.held}
    return {name: end for name, end in found.items() if end}


def _window(bill: Metered, as_of: datetime | None) -> Window:
    """The history, up to when purchases begin."""
    end = datetime.fromtimestamp(int(bill.starts[-1]) + bill.hours * _HOUR, UTC)
    start = datetime.fromtimestamp(int(bill.starts[0]), UTC)
    return Window(start, as_of if as_of and as_of > end else end)


def _lately(bill: Metered, span: Window | None) -> slice:
    """Which hours of its history the span is; all of them where it lies elsewhere."""
    if span is None:
        return slice(None)
    first = int(bill.starts[0])
    since, until = (
        max(0, int(moment.timestamp() - first) // _HOUR) for moment in (span.start, span.end)
    )
    return slice(since, until) if since < until else slice(None)


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


def _unpriced(ground: Ground, sold: Offered) -> list[Skip]:
    return [
        Skip(
            scope,
            CODE,
            UNPRICED,
            f"on demand, {ground.currency} an hour: {', '.join(families)}; {why}",
        )
        for scope, reasons in unpriced(ground.provider, ground.left, sold.deals, sold.why).items()
        for why, families in reasons.items()
    ]


def _notes(ground: Ground, all_: Left, stand: Standing, sold: Offered) -> list[str]:
    name, found = PROVIDERS.get(ground.provider, ground.provider), []
    if ground.residue > RECONCILED:
        found.append(
            f"{name}: the bill could be reckoned anew but for {100 * ground.residue:.2g} %, so "
            "savings from commitments are not reconciled"
        )
    if all_.left_out:
        each = ", ".join(f"{why} {hourly:.3g}" for why, hourly in all_.left_out.items())
        found.append(f"{name}: not committed to, {ground.currency} an hour on demand: {each}")
    for _, commitment, end in stand.ended:
        when = f"ended on {end:%Y-%m-%d}" if end else "is no longer on the bill"
        found.append(f"{commitment} {when}: what it covered is on demand since")
    return [*found, *(f"{name}: {note}" for note in sold.notes)]


def reported(
    found: Commitments,
    bills: Mapping[str, Metered],
    spend: FleetCost,
    window: Window,
    *,
    planned: Decimal = Decimal(0),
) -> Report:
    """The same as a report, for every format there is.

    Args:
        planned: a month, what is taken off the spend before anything is bought.
    """
    saved = sum((one.estimated_monthly_savings.target for one in found.recommendations), Decimal(0))
    machines = {usage.resource_id for bill in bills.values() for usage in bill.usages}
    monthly = spend.monthly - planned
    return Report(
        as_of=window.end,
        window=window,
        currency=spend.currency,
        summary=Summary(
            monthly_spend=monthly,
            monthly_savings=saved,
            monthly_spend_after=monthly - saved,
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
