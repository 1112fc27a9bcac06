"""The plan: of all that rules advise the best combination a resource, and what it saves in full.

A machine that is to be stopped is neither made smaller nor put on a schedule; one that stays may be
both. What of it is done is what saves most together (combining.py), on each provider's bill by
itself: a commitment that a change frees covers other machines, or is paid for nothing. Kinds of
change are taken up in one order, each priced on what those before it have left, and what each takes
off is the difference of two bills reckoned in full (pricing/scenario.py). So the steps add up, and
no saving is counted twice.

What is bought ahead is bought for what the rest leaves. So all choices of kinds of change are tried
with it, too, and the best is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import combinations
from typing import Final

from costopt.model import Reckoned, Recommendation, Skip, Step
from costopt.pricing.scenario import State
from costopt.rules.base import Case, Outcome
from costopt.rules.billing import Billing
from costopt.rules.combining import Combining
from costopt.rules.plan_told import Told
from costopt.rules.priced import (
    COMMIT,
    GROW,
    MOVE,
    SCHEDULE,
    SIZE,
    SPOT,
    STEPS,
    STOP,
    Done,
    Priced,
    Pricing,
    in_cents,
    kind_of,
    with_purchases,
)
from costopt.rules.ranking import order, rank
from costopt.units import cents_down, provider_key

__all__ = [
    "COMMIT", "GROW", "MOVE", "SCHEDULE", "SIZE", "SPOT", "STEPS", "STOP",
    "Buy", "Place", "Plan", "kind_of", "marked", "planned", "steps_of",
]  # fmt: skip

Buy = Callable[[Sequence[Recommendation]], Sequence[tuple[Recommendation, Decimal]]]
"""What to buy ahead once that is done, and what each takes off the bill a month, exact."""

Place = Callable[[Sequence[Recommendation]], Sequence[Recommendation]]
"""What should run elsewhere, or on spot, once that is done."""

_CHOICES: Final = (STOP, SCHEDULE, SIZE)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do, and how the savings come about."""

    recommendations: tuple[Recommendation, ...]
    skips: tuple[Skip, ...] = ()  # advice that saves too little as part of the plan

    @property
    def steps(self) -> tuple[Step, ...]:
        """How the savings come about."""
        return steps_of(self.recommendations)

    @property
    def monthly_savings(self) -> Decimal:
        """Of all steps; below 0 where what is to grow costs more than the rest saves."""
        return sum((step.monthly_savings for step in self.steps), Decimal(0))


def planned(
    outcomes: Mapping[str, Sequence[Outcome]],
    cases: Mapping[str, Case],
    bills: Mapping[str, Billing],
    buy: Buy | None = None,
    place: Place | None = None,
) -> Plan:
    """The combination of advice that saves most, priced step by step.

    Args:
        outcomes: what each rule said, by resource.
        cases: by resource, every one that has advice.
        bills: by `provider_key` (billing.billings); what none of them meters saves what its own
            advice says.
        buy: None = nothing is bought ahead.
        place: None = everything stays where it is.
    """
    advised = {key: of_it for key, said in sorted(outcomes.items()) if (of_it := _by_kind(said))}
    by_provider: dict[str, dict[str, Mapping[str, Recommendation]]] = {
        name: {} for name in (bills if buy or place else ())
    }
    for key, of_it in advised.items():
        provider = provider_key(next(iter(of_it.values())).current.provider_name)
        by_provider.setdefault(provider, {})[key] = of_it
    combining = {
        name: Combining.of(_pricing(cases, bills.get(name)), of_it)
        for name, of_it in sorted(by_provider.items())
    }
    best = _best(combining, advised, buy)
    if place:
        best = _placed(best, combining, place, buy)
    small = {name for one in combining.values() for name in one.pricing.small}
    told = Told(advised, cases, small)
    for name, one in sorted(best.items()):
        told.add(in_cents(one.steps(combining[name].pricing if name in combining else None)))
    return Plan(tuple(sorted(told.recommendations(), key=order)), tuple(told.skips()))


@dataclass(frozen=True, slots=True, eq=False)
class _Choice:
    """What is done on one provider's bill, and bought for what that leaves."""

    done: Done
    bought: tuple[tuple[Recommendation, Decimal], ...]
    saved: Decimal  # a month, in whole cents

    @classmethod
    def of(
        cls,
        done: Done,
        bought: Sequence[tuple[Recommendation, Decimal]],
        pricing: Pricing | None,
    ) -> _Choice:
        of_bought = sum((saving for _, saving in bought), Decimal(0))
        of_done = pricing.saved(done) if pricing else Decimal(0)
        return cls(done, tuple(bought), cents_down(of_done + of_bought))

    def steps(self, pricing: Pricing | None) -> list[Priced]:
        """Kind by kind."""
        return with_purchases(pricing.of(self.done) if pricing else [], self.bought)


def _best(
    combining: Mapping[str, Combining],
    advised: Mapping[str, Mapping[str, Recommendation]],
    buy: Buy | None,
) -> dict[str, _Choice]:
    """What saves most of each provider's bill; of equal ones the first, which does most."""
    tried: list[dict[str, Done]] = [{name: one.best() for name, one in combining.items()}]
    present = [kind for kind in _CHOICES if any(kind in of_it for of_it in advised.values())]
    if buy:
        tried += [
            {name: one.of_kinds(kinds) for name, one in combining.items()}
            for count in range(len(present), -1, -1)
            for kinds in combinations(present, count)
        ]
    best: dict[str, _Choice] = {}
    known: set[tuple[str, ...]] = set()
    for done in tried:
        if (ids := _ids(done)) in known:
            continue
        known.add(ids)
        for name, one in _ahead(done, combining, buy).items():
            if name not in best or one.saved > best[name].saved:
                best[name] = one
    return best


def _placed(
    best: dict[str, _Choice],
    combining: Mapping[str, Combining],
    place: Place,
    buy: Buy | None,
) -> dict[str, _Choice]:
    """With what should run elsewhere once the rest is done, and purchases for what stays then;
    without, where that saves as much."""
    kept = {name: one.done for name, one in best.items()}
    moves: dict[str, list[Recommendation]] = {}
    for move in place(_every(kept)):
        moves.setdefault(provider_key(move.current.provider_name), []).append(move)
    if not moves:
        return best
    gone: dict[str, Done] = {
        name: combining[name].pricing.placed(kept.get(name, {}), moves.get(name, ()))
        for name in sorted({*kept, *moves} & combining.keys())
    }
    bought = _ahead(gone, combining, buy)
    whole, before = (sum(one.saved for one in of.values()) for of in (bought, best))
    return bought if whole > before else best


def _every(done: Mapping[str, Done]) -> list[Recommendation]:
    """All that is done."""
    return [one for of_it in done.values() for kind in STEPS for one in of_it.get(kind, ())]


def _ids(done: Mapping[str, Done]) -> tuple[str, ...]:
    return tuple(sorted(one.recommendation_id for one in _every(done)))


def marked(plan: Plan, bills: Iterable[Reckoned]) -> Plan:
    """The plan with the mark on each saving that its bill cannot vouch for."""
    doubted = {one.provider for one in bills if not one.reconciled}
    return replace(
        plan,
        recommendations=tuple(
            replace(one, unreconciled=provider_key(one.current.provider_name) in doubted)
            for one in plan.recommendations
        ),
    )


def _pricing(cases: Mapping[str, Case], billing: Billing | None) -> Pricing:
    if billing is None:
        return Pricing(cases, None, Decimal(0))
    return Pricing(cases, State.of(billing.bill), billing.pace)


def _ahead(
    tried: Mapping[str, Done], combining: Mapping[str, Combining], buy: Buy | None
) -> dict[str, _Choice]:
    """With what is bought ahead for what these leave."""
    bought: dict[str, list[tuple[Recommendation, Decimal]]] = {}
    for one, saving in buy(_every(tried)) if buy else ():
        bought.setdefault(provider_key(one.current.provider_name), []).append((one, saving))
    names = sorted({*tried, *bought})
    pricing = {name: one.pricing for name, one in combining.items()}
    return {
        name: _Choice.of(tried.get(name, {}), bought.get(name, ()), pricing.get(name))
        for name in names
    }


def steps_of(advice: Sequence[Recommendation]) -> tuple[Step, ...]:
    """The advice of a plan by kind, in the order in which it was priced; without what saves
    nothing."""
    found = []
    for kind in STEPS:
        amounts = [one.estimated_monthly_savings.target for one in advice if kind_of(one) == kind]
        amounts = [amount for amount in amounts if amount]
        if amounts:
            found.append(Step(kind, sum(amounts, Decimal(0)), len(amounts)))
    return tuple(found)


def _by_kind(said: Iterable[Outcome]) -> dict[str, Recommendation]:
    """The best advice of each kind."""
    found: dict[str, Recommendation] = {}
    for advice in sorted((o for o in said if isinstance(o, Recommendation)), key=rank):
        found.setdefault(kind_of(advice), advice)
    return found
