"""What a plan buys ahead: commitments for what its other changes leave, as its last step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

import pyarrow as pa

from costopt.config import Settings
from costopt.frame import metered
from costopt.frame.cost import Bill
from costopt.model import PURCHASES, Recommendation, Resource, Window
from costopt.model.bill import Metered
from costopt.pricing.catalogue import Catalogue
from costopt.rules.base import Case
from costopt.rules.changes import changes_of
from costopt.rules.commit import Commitments, commitments
from costopt.rules.commit.fleet import UNPRICED
from costopt.rules.commit.settings import CommitSettings
from costopt.rules.sorts import known
from costopt.units import HOURS_PER_MONTH, money, provider_key

_NAMED: Final = 3  # places in a note


@dataclass(frozen=True, slots=True, eq=False)
class Ahead:
    """Everything that a purchase rests on but what is done before it."""

    bills: Mapping[str, Metered]  # by `provider_key`, over the longest history there is
    spans: Mapping[str, Window]  # what a month is reckoned from
    resources: Mapping[str, Resource]
    cases: Mapping[str, Case]
    catalogue: Catalogue
    settings: CommitSettings
    min_monthly_savings: float
    as_of: datetime | None  # purchases begin then; None = where each bill ends

    @classmethod
    def of(
        cls,
        charges: pa.Table,
        bill: Bill,
        *,
        resources: Mapping[str, Resource],
        cases: Mapping[str, Case],
        catalogue: Catalogue,
        settings: Settings,
        as_of: datetime | None,
    ) -> Ahead:
        """On the whole history of a bill.

        Args:
            charges: schema.CHARGES, at least metered.COLUMNS of it.
            resources: the inventory, commitments included.
            cases: of what advice concerns.
        """
        whole = metered.whole(charges, bill.until)
        return cls(
            bills=metered.read(charges, whole, bill.currency, known(cases.values(), bill.currency))
            if whole
            else {},
            spans=bill.spans,
            resources=resources,
            cases=cases,
            catalogue=catalogue,
            settings=settings.of_rule("commit", CommitSettings),
            min_monthly_savings=settings.min_monthly_savings,
            as_of=as_of,
        )

    def after(self, done: Sequence[Recommendation]) -> Commitments:
        """What to buy and what to do with what is held, once that is done."""
        return commitments(
            self.bills,
            self.resources,
            self.catalogue,
            self.settings,
            changes=changes_of(done, self.cases, self.bills),
            spans=self.spans,
            min_monthly_savings=self.min_monthly_savings,
            as_of=self.as_of,
        )

    def buy(self, done: Sequence[Recommendation]) -> list[tuple[Recommendation, Decimal]]:
        """The purchases, and what each takes off the bill that months are reckoned from; without
        those for later, which take the place of what is held until then."""
        found = self.after(done)
        saved = {
            one.deal.scope: money(one.saving_lately * HOURS_PER_MONTH)
            for bought in found.bought.values()
            for one in bought
        }
        return [
            (one, saved[one.resource_id])
            for one in found.recommendations
            if one.resource_id in saved
        ]

    def notes(
        self, plan: Sequence[Recommendation], done: Sequence[Recommendation]
    ) -> tuple[str, ...]:
        """What a reader of the plan must know of its purchases: what comes first, from when on they
        save in full, and what nothing could be bought for.

        Args:
            plan: all of it.
            done: what of it comes before purchases, as the rules advised it.
        """
        return (*_when(plan, done), *_unpriced(self.after(done)))


def _when(plan: Sequence[Recommendation], done: Sequence[Recommendation]) -> Iterator[str]:
    bought = [
        one for one in plan if one.action_type in PURCHASES and one.estimated_monthly_savings.target
    ]
    changed = {provider_key(one.current.provider_name) for one in done}
    if any(provider_key(one.current.provider_name) in changed for one in bought):
        yield "what is bought ahead is for what the plan's other changes leave: make those first"
    parts = [one for one in bought if len({p["buy_on"] for p in one.evidence["tranches"]}) > 1]
    if parts:
        saved = sum((one.estimated_monthly_savings.target for one in parts), Decimal(0))
        last = max(one.evidence["saves_in_full_from"] for one in parts)
        yield (
            f"{saved:,} {parts[0].currency} a month of what is bought ahead save in full from "
            f"{last} on: it is bought in parts"
        )


def _unpriced(found: Commitments) -> Iterator[str]:
    places = sorted(one.resource_id for one in found.skips if one.reason == UNPRICED)
    if places:
        more = f" and {len(places) - _NAMED} more" if len(places) > _NAMED else ""
        yield (
            "nothing is bought ahead for some machines, as no committed price is known that is "
            f"below what they cost, in {', '.join(places[:_NAMED])}{more}: costopt commit --skips"
        )
