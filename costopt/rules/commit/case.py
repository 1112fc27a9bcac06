"""One provider's bill: what is held, what that leaves, and what to buy now and later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from costopt.errors import InsufficientData
from costopt.model import Skip, Window
from costopt.model.bill import Metered
from costopt.pricing.commitments import Applied, apply, residue
from costopt.rules.commit import covers
from costopt.rules.commit.buy import NotBought, buy
from costopt.rules.commit.deals import Offered, offered
from costopt.rules.commit.demand import Floats, Left, left
from costopt.rules.commit.grounds import CODE, Ground
from costopt.rules.commit.held import Holding, recent
from costopt.rules.commit.kinds import Names
from costopt.rules.commit.outcome import Bar, Bought
from costopt.rules.commit.outlook import Outlook
from costopt.rules.commit.settings import CommitSettings
from costopt.rules.commit.shown import spare_for
from costopt.rules.commit.standing import Standing
from costopt.units import HOURS_PER_MONTH


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One provider's bill with what is held, what that leaves, and what could cover it."""

    bill: Metered  # after all changes
    as_billed: Metered
    names: Names
    applied: Applied
    all_: Left  # on demand
    scopes: Mapping[str, Mapping[int, float]]  # of all_: what spare parts could cover
    rest: Left  # once they do
    outlook: Outlook  # of the rest
    offered: Offered
    ground: Ground

    @classmethod
    def of(
        cls, stand: Standing, as_billed: Metered, names: Names, settings: CommitSettings,
        window: Window,
    ) -> Case:  # fmt: skip
        bill = stand.bill
        applied = apply(bill.usages, bill.held)
        all_ = left(bill, applied, names, settings)
        spared = covers.spared(bill, applied, all_, spare_for(as_billed, all_, names))
        rest = spared.left
        holds = covers.Holds(bill, applied, names, _months(stand, window.end))
        outlook = Outlook(rest.amounts, covers.held(holds, spared, settings))
        ground = Ground(
            bill.provider, bill.currency, window, rest, bill.hours, residue(as_billed),
            settings.yearly_decline,
        )  # fmt: skip
        sold = offered(as_billed, rest, names, settings, window.end.date())
        return cls(
            bill, as_billed, names, applied, all_, spared.scopes, rest, outlook, sold, ground
        )

    def bought(
        self, settings: CommitSettings, bar: Bar
    ) -> tuple[tuple[Bought, ...], tuple[Skip, ...]]:
        """What to buy for the rest, and why not more."""
        try:
            found, refused = buy(self.rest, self.outlook, self.offered.deals, settings, bar)
        except InsufficientData as error:  # as many hours as asked for, but hardly a whole week
            return (), (Skip(self.bill.provider, CODE, "short-history", error.what),)
        return found, tuple(_refusal(one) for one in refused)

    def holding(self, moved: frozenset[str], renewals: tuple[Renewal, ...]) -> Holding:
        """What is held, of late."""
        bill, applied = recent(self.bill, self.applied)
        again = {name: bool(each.bought) for each in renewals for name in each.ids}
        deals = self.offered.deals
        return Holding(
            bill, applied, self.all_, self.scopes, deals, self.names, self.ground.window.end,
            moved, again,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Renewal:
    """What to buy on the day on which commitments end."""

    ids: frozenset[str]
    bought: tuple[Bought, ...]
    ground: Ground


def renewals(
    case: Case, stand: Standing, settings: CommitSettings, bar: Bar, now: Sequence[Bought]
) -> tuple[Renewal, ...]:
    """For what is held and ends soon, end by end: what it covers counts as open from then on, and
    is bought at once, as it was so far.

    Args:
        now: what is bought before: a fall of demand meets the renewals first.
    """
    later = _Later(case, stand, settings, now)
    at_once = settings.model_copy(update={"tranches": 1})
    found = []
    for end, ids in stand.ending(case.ground.window.end, settings.ending_days):
        then = later.at(end, ids)
        bought, _ = then.bought(at_once, bar)
        later.bought.append(covers.Earlier(bought, then.outlook.since, then.rest))
        found.append(Renewal(ids, bought, then.ground))
    return tuple(found)


class _Later:
    """The bill once commitments have ended, end by end."""

    def __init__(
        self, case: Case, stand: Standing, settings: CommitSettings, now: Sequence[Bought]
    ) -> None:
        self.case, self.stand, self.settings = case, stand, settings
        self.bought = [covers.Earlier(tuple(now), 0.0, case.rest)]
        self._months = _months(stand, case.ground.window.end)
        self._gone = frozenset[str]()
        self._before = case.all_
        self._open = dict(zip(case.rest.kinds, case.rest.amounts.T, strict=True))

    def at(self, end: datetime, ids: frozenset[str]) -> Case:
        """Once these have ended, too: the rest is what they cover, and no other has before."""
        self._gone |= ids
        case, bill = self.case, self.stand.without(self._gone)
        applied = apply(bill.usages, bill.held)
        after = left(bill, applied, case.names, self.settings)
        opened = _opened(self._before, after)
        self._before = after
        holds = covers.Holds(bill, applied, case.names, self._months)
        held = covers.held(holds, covers.Spared(after, {}, {}), self.settings)
        outlook = Outlook(
            now=self._all_open(opened),
            covers=(*held, *covers.earlier(self.bought, after.kinds)),
            since=min(self._months[name] for name in ids),
            limit=opened.amounts,
        )
        names = tuple(sorted(one.name for one in bill.held if one.commitment_id in ids))
        return replace(
            case,
            rest=opened,
            outlook=outlook,
            offered=offered(case.as_billed, opened, case.names, self.settings, end.date()),
            ground=replace(case.ground, left=opened, ends=end, replaces=names),
        )

    def _all_open(self, opened: Left) -> Floats:
        """(H, K) open then, what was open before as well."""
        for kind, amounts in zip(opened.kinds, opened.amounts.T, strict=True):
            self._open[kind] = self._open.get(kind, 0.0) + amounts
        none = np.zeros((opened.hours, 0))
        return np.stack([self._open[kind] for kind in opened.kinds], 1) if opened.kinds else none


def _months(stand: Standing, now: datetime) -> dict[str, float]:
    """Until each commitment ends, where its end is known."""
    hours = timedelta(hours=HOURS_PER_MONTH)
    return {name: (end - now) / hours for name, end in stand.ends.items()}


def _opened(before: Left, after: Left) -> Left:
    """What is on demand then that was not before."""
    if not after.kinds:
        return after
    places = {kind: place for place, kind in enumerate(before.kinds)}
    covered = np.zeros_like(after.amounts)
    for place, kind in enumerate(after.kinds):
        if kind in places:
            covered[:, place] = before.amounts[:, places[kind]]
    return replace(after, amounts=np.maximum(after.amounts - covered, 0.0))


def _refusal(one: NotBought) -> Skip:
    return Skip(one.deal.scope, CODE, one.reason, one.detail)
