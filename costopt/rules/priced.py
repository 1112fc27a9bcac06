"""What the changes of a plan take off one provider's bill, kind by kind, each on what those before
it have left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

from costopt.model import PURCHASES, ActionType, Recommendation
from costopt.pricing.scenario import Change, State, difference, on_demand
from costopt.rules.base import Case
from costopt.rules.changes import change_of, merged
from costopt.rules.sharing import CENT, Item, Lets, shared_cents, shared_evenly
from costopt.units import money

STOP: Final = "stop"
SCHEDULE: Final = "schedule"
SIZE: Final = "size"
GROW: Final = "grow"
SPOT: Final = "spot"
MOVE: Final = "move"
COMMIT: Final = "commit"
STEPS: Final = (STOP, SCHEDULE, SIZE, GROW, SPOT, MOVE, COMMIT)
"""The kinds of change in the order in which they are priced; GROW costs more, and is no choice;
SPOT and MOVE are of what those before leave, and COMMIT is bought for what all others leave."""

_ENABLE: Final = (STOP, SCHEDULE, SIZE)
_MOVES: Final = (ActionType.MOVE_REGION, ActionType.MOVE_PROVIDER, ActionType.REPATRIATE)

Done = Mapping[str, Sequence[Recommendation]]
"""Kind -> what is done of it."""


@dataclass(frozen=True, slots=True, eq=False)
class Priced:
    """One kind of change on one provider's bill."""

    kind: str
    of_each: Mapping[str, Decimal]  # resource id -> saving a month, exact
    advice: tuple[Recommendation, ...]
    assumed: Mapping[str, tuple[tuple[str, str], ...]]
    """Resource id -> (commitment, machine) that it is taken to cover, and was never seen to."""

    @property
    def total(self) -> Decimal:
        """Of all; below 0: they cost more."""
        return sum(self.of_each.values(), Decimal(0))


def kind_of(advice: Recommendation) -> str:
    """Which of STEPS it belongs to."""
    if advice.action_type in (ActionType.STOP, ActionType.DELETE):
        return STOP
    if advice.action_type is ActionType.SCHEDULE:
        return SCHEDULE
    if advice.action_type in PURCHASES:
        return COMMIT
    if advice.action_type is ActionType.SPOT:
        return SPOT
    if advice.action_type in _MOVES:
        return MOVE
    return GROW if advice.estimated_monthly_savings.target < 0 else SIZE


def total(steps: Sequence[Priced]) -> Decimal:
    """Exact, of all steps."""
    return sum((step.total for step in steps), Decimal(0))


@dataclass(frozen=True, slots=True, eq=False)
class Pricing:
    """How one provider's changes are priced."""

    cases: Mapping[str, Case]
    state: State | None  # None = no bill of that provider
    pace: Decimal  # what makes a month of it
    small: set[str] = field(default_factory=set)  # resources whose advice saves too little

    def of(self, done: Done) -> list[Priced]:
        """Every kind on what those before it have left; but what saves nothing in its step, and
        lets others save, has as much of that as each of them."""
        steps = self._steps(done)
        has, lets = _of(steps), {}
        for one in [key for key in has if key[0] in _ENABLE]:
            if has[one] >= CENT:
                continue
            fewer = self._steps(_without(done, *one))
            worth = total(steps) - total(fewer)
            if worth >= CENT:
                lets[one] = Lets(worth, _lost(has, _of(fewer)))
        if not lets:
            return steps
        now = shared_evenly(has, lets)
        return [replace(s, of_each={key: now[s.kind, key] for key in s.of_each}) for s in steps]

    def _steps(self, done: Done) -> list[Priced]:
        left, steps = self.state, []
        for kind in STEPS:
            if done.get(kind):
                step, left = self._step(kind, done[kind], left)
                steps.append(step)
        return steps

    def saved(self, done: Done) -> Decimal:
        """A month, of all together."""
        own, steps = Decimal(0), []
        for kind in STEPS:
            made: dict[str, Change] = {}
            for one in done.get(kind, ()):
                found = change_of(one, self.cases, self.state.bill) if self.state else {}
                own += -one.paid_elsewhere if found else one.estimated_monthly_savings.target
                made |= found
            steps.append(made)
        changes = merged(steps)
        if self.state is None or not changes:
            return own
        fallen = on_demand(self.state) - on_demand(self.state.with_(changes))
        return own + money(Decimal(repr(fallen)) * self.pace)

    def placed(
        self, done: Done, moves: Sequence[Recommendation]
    ) -> dict[str, Sequence[Recommendation]]:
        """With machines that run elsewhere or on spot once these are done; a group whose move saves
        less than nothing, as it leaves commitments unused, stays."""
        more = {kind: [one for one in moves if kind_of(one) == kind] for kind in (SPOT, MOVE)}
        while True:
            kept = self.saved({**done, **more})
            for group in _doubtful(self._steps({**done, **more})):
                fewer = {
                    kind: [one for one in of_it if _group(one) != group]
                    for kind, of_it in more.items()
                }
                if kept - self.saved({**done, **fewer}) < CENT:
                    more = fewer
                    break
            else:
                return {**done, **more}

    def least(self, one: Recommendation) -> Decimal:
        """What a change must save a month."""
        case = self.cases.get(one.resource_id)
        wanted = Decimal(repr(case.min_monthly_savings)) if case else Decimal(0)
        return max(CENT, wanted)

    def _step(
        self, kind: str, advice: Sequence[Recommendation], left: State | None
    ) -> tuple[Priced, State | None]:
        """What these changes save a month, each its share; and what they leave."""
        of_each: dict[str, Decimal] = {}
        whose: dict[str, str] = {}  # meter's resource -> the one advised on
        made: dict[str, Change] = {}
        for one in advice:
            found = change_of(one, self.cases, left.bill) if left else {}
            own = one.estimated_monthly_savings.target
            of_each[one.resource_id] = Decimal(0) if found else own
            made |= found
            whose |= dict.fromkeys(found, one.resource_id)
        if left is None or not made:
            return Priced(kind, of_each, tuple(advice), {}), left
        saved = difference(left, made)
        for meter, amount in saved.of_each.items():
            of_each[whose[meter]] += money(Decimal(repr(amount)) * self.pace)
        for one in advice:
            if one.resource_id in whose.values():
                of_each[one.resource_id] -= one.paid_elsewhere
        guesses = _guesses(left, saved.after, made, whose)
        return Priced(kind, of_each, tuple(advice), guesses), saved.after


def _guesses(
    before: State, after: State, made: Mapping[str, Change], whose: Mapping[str, str]
) -> dict[str, tuple[tuple[str, str], ...]]:
    """Of each change the commitments that it frees, and whom they are only taken to cover now."""
    covers: dict[str, set[str]] = {}
    for usage in after.bill.usages:
        for name in usage.assumed & usage.uses.keys():
            now = after.applied.covered.get((usage.key, name))
            was = before.applied.covered.get((usage.key, name))
            more = now is not None and (now - (0 if was is None else was) > 1e-6).any()
            if more and usage.resource_id:
                covers.setdefault(name, set()).add(usage.resource_id)
    found: dict[str, set[tuple[str, str]]] = {}
    names = {one.commitment_id: one.name for one in after.bill.held}
    for usage in before.bill.usages:
        if usage.resource_id is None or usage.resource_id not in made:
            continue
        for name in usage.uses:
            if (usage.key, name) in before.applied.covered:
                told = {(names[name], other) for other in covers.get(name, ())}
                found.setdefault(whose[usage.resource_id], set()).update(told)
    return {key: tuple(sorted(told)) for key, told in found.items() if told}


def _of(steps: Sequence[Priced]) -> dict[Item, Decimal]:
    """What each change saves."""
    return {(step.kind, key): amount for step in steps for key, amount in step.of_each.items()}


def _without(done: Done, kind: str, name: str) -> Done:
    return {**done, kind: [one for one in done[kind] if one.resource_id != name]}


def _lost(has: Mapping[Item, Decimal], without: Mapping[Item, Decimal]) -> dict[Item, Decimal]:
    """What those that save something would save less without a change.

    Args:
        without: what each saves then.
    """
    more = {key: has[key] - saved for key, saved in without.items() if has[key] >= CENT}
    return {key: amount for key, amount in more.items() if amount > 0}


def _group(one: Recommendation) -> str:
    """What moves together, or would not without one another; on spot each machine is by itself."""
    if kind_of(one) == SPOT:
        return one.resource_id
    names = (one.evidence.get("group_name", one.resource_id), *one.evidence.get("goes_with", ()))
    return str(min(names))


def _doubtful(steps: Sequence[Priced]) -> list[str]:
    """Groups whose share of what is saved is nothing, or less, that with the least first."""
    saved: dict[str, Decimal] = {}
    for step in steps:
        if step.kind in (SPOT, MOVE):
            for one in step.advice:
                group = _group(one)
                saved[group] = saved.get(group, Decimal(0)) + step.of_each[one.resource_id]
    return sorted((g for g, amount in saved.items() if amount < CENT), key=lambda g: (saved[g], g))


def with_purchases(
    steps: Sequence[Priced], bought: Sequence[tuple[Recommendation, Decimal]]
) -> list[Priced]:
    """With what is bought ahead for what these leave."""
    saved = {one.resource_id: saving for one, saving in bought}
    return [*steps, Priced(COMMIT, saved, tuple(one for one, _ in bought), {})]


def in_cents(steps: Sequence[Priced]) -> list[Priced]:
    """The same in whole cents that add up to those of the whole, which is rounded down once."""
    every = {(s.kind, key): amount for s in steps for key, amount in s.of_each.items()}
    whole = shared_cents(every)
    return [
        replace(step, of_each={key: whole[step.kind, key] for key in step.of_each})
        for step in steps
    ]
