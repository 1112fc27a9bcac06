"""What a plan moves: where everything should run that its other changes leave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from costopt.frame.traffic import Sent
from costopt.model import Recommendation, Resource, Window
from costopt.model.bill import Metered
from costopt.rules.base import Case
from costopt.rules.changes import changes_of
from costopt.rules.move.converted import exchange_notes
from costopt.rules.move.fleet import Moves, moves
from costopt.rules.move.market import World
from costopt.rules.move.settings import MoveSettings
from costopt.rules.move.subjects import Known, ended
from costopt.rules.move.unmatched import unmatched
from costopt.units import provider_key


@dataclass(frozen=True, slots=True, eq=False)
class Elsewhere:
    """Everything that a move rests on but what is done before it."""

    cases: Mapping[str, Case]
    resources: Mapping[str, Resource]
    sent: Sent
    bills: Mapping[str, Metered]  # by `provider_key`
    world: World
    settings: MoveSettings
    window: Window
    min_monthly_savings: float
    threads: int
    spend: Mapping[str, float] = field(default_factory=dict)
    """By `provider_key`: a month of the whole bill, in its currency."""
    found: dict[tuple[str, ...], Moves] = field(default_factory=dict)
    """By what is done before: it is asked for by the plan, and by who tells of it."""

    def after(self, done: Sequence[Recommendation]) -> Moves:
        """Where everything should run once that is done."""
        key = tuple(sorted(one.recommendation_id for one in done))
        if key not in self.found:
            changes = changes_of(done, self.cases, self.bills)
            known = Known.of(self.resources, self.sent, changes, list(done), self.world.facts)
            self.found[key] = moves(
                self.cases,
                ended(done),
                known,
                self.world,
                self.settings,
                window=self.window,
                spend=_left(self.spend, done),
                min_monthly_savings=self.min_monthly_savings,
                threads=self.threads,
            )
        return self.found[key]

    def notes(self) -> tuple[str, ...]:
        """What is set and means nothing; and of what was advised so far, at which rates of exchange
        its prices were compared."""
        advised = (one for one in self.found.values() if one.recommendations)
        rates = (note for one in advised for note in exchange_notes(one, self.window.end))
        means_nothing = unmatched(list(self.resources.values()), self.world.places, self.settings)
        return tuple(dict.fromkeys((*means_nothing, *rates)))

    def place(self, done: Sequence[Recommendation]) -> Sequence[Recommendation]:
        """The moves, for a plan."""
        return self.after(done).recommendations


def _left(spend: Mapping[str, float], done: Sequence[Recommendation]) -> dict[str, float]:
    """What is spent with each provider once that is done."""
    found = dict(spend)
    for one in done:
        provider = provider_key(one.current.provider_name)
        if provider in found:
            found[provider] -= float(one.estimated_monthly_savings.target)
    return found
