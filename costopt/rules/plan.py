"""The plan: of all that rules advise the best combination a resource, and what it saves in full.

A machine that is to be stopped is neither made smaller nor put on a schedule; one that stays may be
both. Kinds of change are taken up in one order, each priced on what those before it have left, and
what each takes off is the difference of two bills reckoned in full (pricing/scenario.py): a
commitment that a change frees covers other machines, or is paid for nothing. So the steps add up,
and no saving is counted twice.

Where it would save more to leave a kind of change away, since commitments are left unused by it,
it is left away: advice of one more kind never makes the plan save less.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import combinations
from typing import Final

from costopt.model import ActionType, Recommendation, Step
from costopt.pricing.scenario import Change, State, difference
from costopt.rules.base import Case, Outcome
from costopt.rules.billing import Billing
from costopt.rules.changes import change_of
from costopt.rules.ranking import order, rank, with_losers
from costopt.units import cents, cents_down, money, provider_key

STOP: Final = "stop"
SCHEDULE: Final = "schedule"
SIZE: Final = "size"
GROW: Final = "grow"
STEPS: Final = (STOP, SCHEDULE, SIZE, GROW)
"""The kinds of change in the order in which they are priced; GROW costs more, and is no choice."""

_CHOICES: Final = (STOP, SCHEDULE, SIZE)
_CENT: Final = Decimal("0.01")
_NOTHING: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do, and how the savings come about."""

    recommendations: tuple[Recommendation, ...]

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
) -> Plan:
    """The combination of advice that saves most, priced step by step.

    Args:
        outcomes: what each rule said, by resource.
        cases: by resource, every one that has advice.
        bills: by `provider_key` (billing.billings); what none of them meters saves what its own
            advice says.
    """
    advised = {key: _by_kind(said) for key, said in sorted(outcomes.items())}
    present = [kind for kind in _CHOICES if any(kind in of_it for of_it in advised.values())]
    states = {name: State.of(one.bill) for name, one in bills.items()}
    choices = [present]
    if any(one.bill.held for one in bills.values()):  # only these make changes cost each other
        choices += [
            list(kinds)
            for count in range(len(present) - 1, -1, -1)
            for kinds in combinations(present, count)
        ]
    paces = {name: one.pace for name, one in bills.items()}
    plans = [
        _worthwhile(_chosen(advised, {*kinds, GROW}), cases, states, paces) for kinds in choices
    ]
    best = max(plans, key=_total)  # of equal ones the first, which does most
    return _told(best, advised, cases)


def _worthwhile(
    done: dict[str, list[Recommendation]],
    cases: Mapping[str, Case],
    states: Mapping[str, State],
    paces: Mapping[str, Decimal],
) -> list[_Priced]:
    """Priced without what saves nothing, or costs more, as it leaves a commitment unused."""
    while True:
        priced = _priced(done, cases, states, paces)
        lost = {
            (step.kind, name)
            for step in priced
            for name, amount in step.of_each.items()
            if step.kind != GROW and amount < _CENT
        }
        if not lost:
            return priced
        done = {
            kind: [one for one in advice if (kind, one.resource_id) not in lost]
            for kind, advice in done.items()
        }


def _total(priced: Iterable[_Priced]) -> Decimal:
    return sum((step.total for step in priced), Decimal(0))


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


def kind_of(advice: Recommendation) -> str:
    """Which of STEPS it belongs to."""
    if advice.action_type in (ActionType.STOP, ActionType.DELETE):
        return STOP
    if advice.action_type is ActionType.SCHEDULE:
        return SCHEDULE
    return GROW if advice.estimated_monthly_savings.target < 0 else SIZE


def _by_kind(said: Iterable[Outcome]) -> dict[str, Recommendation]:
    """The best advice of each kind."""
    found: dict[str, Recommendation] = {}
    for advice in sorted((o for o in said if isinstance(o, Recommendation)), key=rank):
        found.setdefault(kind_of(advice), advice)
    return found


def _chosen(
    advised: Mapping[str, Mapping[str, Recommendation]], kinds: set[str]
) -> dict[str, list[Recommendation]]:
    """What is done of these kinds, by kind: a stop alone, or all else together."""
    done: dict[str, list[Recommendation]] = {kind: [] for kind in STEPS}
    for of_it in advised.values():
        open_ = {kind: advice for kind, advice in of_it.items() if kind in kinds}
        for kind, advice in open_.items():
            if kind == STOP or STOP not in open_:
                done[kind].append(advice)
    return done


# -- pricing -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Priced:
    kind: str
    of_each: Mapping[str, Decimal]  # resource id -> saving a month, exact
    advice: tuple[Recommendation, ...]

    @property
    def total(self) -> Decimal:
        return sum(self.of_each.values(), Decimal(0))


def _priced(
    done: Mapping[str, Sequence[Recommendation]],
    cases: Mapping[str, Case],
    states: Mapping[str, State],
    paces: Mapping[str, Decimal],
) -> list[_Priced]:
    left = dict(states)
    steps = []
    for kind in STEPS:
        if done[kind]:
            of_each = _step(done[kind], cases, left, paces)
            steps.append(_Priced(kind, of_each, tuple(done[kind])))
    return steps


def _step(
    advice: Sequence[Recommendation],
    cases: Mapping[str, Case],
    left: dict[str, State],
    paces: Mapping[str, Decimal],
) -> dict[str, Decimal]:
    """What these changes save a month, each its share; `left` becomes what they leave."""
    of_each: dict[str, Decimal] = {}
    whose: dict[str, dict[str, str]] = {}  # provider -> meter's resource -> the one advised on
    made: dict[str, dict[str, Change]] = {}
    for one in advice:
        provider = provider_key(one.current.provider_name)
        found = change_of(one, cases, left[provider].bill) if provider in left else {}
        of_each[one.resource_id] = Decimal(0) if found else one.estimated_monthly_savings.target
        for meter, change in found.items():
            made.setdefault(provider, {})[meter] = change
            whose.setdefault(provider, {})[meter] = one.resource_id
    for provider, changes in sorted(made.items()):
        saved = difference(left[provider], changes)
        for meter, amount in saved.of_each.items():
            of_each[whose[provider][meter]] += money(Decimal(repr(amount)) * paces[provider])
        left[provider] = saved.after
    return of_each


# -- telling -------------------------------------------------------------------------------------


def _told(
    priced: Sequence[_Priced],
    advised: Mapping[str, Mapping[str, Recommendation]],
    cases: Mapping[str, Case],
) -> Plan:
    done: list[Recommendation] = []
    saved: dict[str, Decimal] = {}
    for step in priced:
        whole = in_cents(step.of_each)
        for one in step.advice:
            key = one.resource_id
            saved[key] = saved.get(key, Decimal(0)) + whole[key]
            done.append(_saving(one, whole[key], saved[key], cases[key]))
    for key, of_it in advised.items():
        if key not in saved and STOP not in of_it:
            done += [_in_vain(one) for kind, one in of_it.items() if kind != GROW]
        elif key not in saved:
            done.append(_in_vain(of_it[STOP]))
    kept = {(one.resource_id, kind_of(one)) for one in done}
    lost = {
        key: [advice for kind, advice in of_it.items() if (key, kind) not in kept]
        for key, of_it in advised.items()
    }
    first = {one.resource_id: at for at, one in reversed(list(enumerate(done)))}
    told = [
        with_losers(one, lost[one.resource_id]) if first[one.resource_id] == at else one
        for at, one in enumerate(done)
    ]
    return Plan(tuple(sorted(told, key=order)))


def _saving(advice: Recommendation, saving: Decimal, so_far: Decimal, case: Case) -> Recommendation:
    """The advice with what it saves as part of the plan.

    Args:
        so_far: with what the plan took off the resource before.
    """
    own = advice.estimated_monthly_savings
    high = max(own.high, saving)
    reason = advice.reason
    if advice.stranded_commitment and saving > own.target:
        elsewhere = f"{cents(saving - own.target):,} {advice.currency}"
        reason += f"; {elsewhere} of the saving is what the commitment that it frees covers instead"
    after = (
        max(_NOTHING, case.cost.monthly - so_far) if case.cost else advice.estimated_monthly_cost
    )
    return replace(
        advice,
        reason=reason,
        estimated_monthly_savings=replace(own, low=min(own.low, saving), target=saving, high=high),
        estimated_monthly_cost=after,
        stranded_commitment=high - saving if advice.stranded_commitment else Decimal(0),
    )


def _in_vain(advice: Recommendation) -> Recommendation:
    """Advice that saves nothing while a commitment lasts that would be left unused."""
    own = advice.estimated_monthly_savings
    return replace(
        advice,
        estimated_monthly_savings=replace(own, low=min(own.low, _NOTHING), target=_NOTHING),
        estimated_monthly_cost=advice.estimated_monthly_cost + own.target,
        stranded_commitment=own.high,
    )


def in_cents(amounts: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Amounts in whole cents that add up to the whole cents of their sum, never more.

    Each is rounded down; the cents that are left go to those that lost most by it, then by name.
    """
    down = {key: cents_down(amount) for key, amount in amounts.items()}
    left = cents_down(sum(amounts.values(), Decimal(0))) - sum(down.values(), Decimal(0))
    by_loss = sorted(amounts, key=lambda key: (down[key] - amounts[key], key))
    for key in by_loss[: int(left / _CENT)]:
        down[key] += _CENT
    return down
