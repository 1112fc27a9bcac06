"""A plan's advice with its figures: what each saves as part of it, of what, and on whose bill.

Of one resource every recommendation has the same cost today, and its cost once that step is done.
What a step saves beyond what the resource itself still costs falls on other machines, that are
covered by what it frees: it stands in `saved_on_others`, so that columns of money add up:
cost today - saving + saved on others = cost after.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

from costopt.frame.cost import resource_key
from costopt.model import Recommendation, Skip
from costopt.rules.base import Case
from costopt.rules.priced import GROW, MOVE, SPOT, STOP, Priced, kind_of
from costopt.rules.ranking import with_losers
from costopt.rules.savings import UNTIL
from costopt.units import cents, exact

_NOTHING: Final = Decimal(0)
_NAMED: Final = 3  # machines in a sentence


class Told:
    """What is done, provider by provider, and what is not."""

    def __init__(
        self,
        advised: Mapping[str, Mapping[str, Recommendation]],
        cases: Mapping[str, Case],
        small: Collection[str] = (),
    ) -> None:
        """
        Args:
            small: resources whose advice saves too little as part of the plan.
        """
        self._advised, self._cases, self._small = advised, cases, small
        self._names = {resource_key(key): case for key, case in cases.items()}
        self._done: list[Recommendation] = []
        self._saved: dict[str, Decimal] = {}
        self._gone: dict[str, Decimal] = {}  # share of what is committed that earlier steps end

    def add(self, steps: Sequence[Priced]) -> None:
        """One provider's steps, in whole cents."""
        for step in steps:
            for one in step.advice:
                self._done.append(self._saving(one, step))

    def recommendations(self) -> list[Recommendation]:
        """What is done, what would save once a commitment ends, each with what it is instead of."""
        done = [*self._done, *self._in_vain()]
        kept = {(one.resource_id, kind_of(one)) for one in done}
        lost = {
            key: [advice for kind, advice in of_it.items() if (key, kind) not in kept]
            for key, of_it in self._advised.items()
        }
        first = {one.resource_id: at for at, one in reversed(list(enumerate(done)))}
        return [
            with_losers(one, lost.get(one.resource_id, [])) if first[one.resource_id] == at else one
            for at, one in enumerate(done)
        ]

    def skips(self) -> Iterator[Skip]:
        """Advice that is worth a person's time by itself, and too little as part of the plan."""
        for key, of_it in self._advised.items():
            if key in self._small and key not in self._saved:
                one = next(iter(of_it.values()))
                least = exact(Decimal(repr(self._cases[key].min_monthly_savings)))
                detail = f"as part of the plan it saves less than {least} {one.currency} a month"
                yield Skip(key, one.rule, "small-saving", detail)

    def _in_vain(self) -> Iterator[Recommendation]:
        """Advice that saves nothing while a commitment lasts."""
        for key, of_it in self._advised.items():
            if key in self._saved or key in self._small:
                continue
            best = [of_it[STOP]] if STOP in of_it else list(of_it.values())
            for one in best:
                if kind_of(one) != GROW:
                    yield _in_vain(one, self._cases.get(key))

    def _saving(self, advice: Recommendation, step: Priced) -> Recommendation:
        """The advice with what it saves as part of the plan."""
        key, own = advice.resource_id, advice.estimated_monthly_savings
        target, case = step.of_each[key], self._cases.get(key)
        before = today(advice, case)
        left = before - self._saved.get(key, _NOTHING)
        # What is bought or moved frees nothing that comes later.
        later = case and kind_of(advice) not in (SPOT, MOVE)
        high = max(self._high(advice, case), target) if later else target
        on_others = max(_NOTHING, target - max(_NOTHING, left)) if case else _NOTHING
        self._saved[key] = self._saved.get(key, _NOTHING) + target - on_others
        guesses = tuple(
            f"{_short(name)} covers {self._name(other)}"
            for name, other in step.assumed.get(key, ())
        )
        return replace(
            advice,
            reason=_reason(advice, target, high, guesses),
            estimated_monthly_savings=replace(
                own, low=min(own.low, target), target=target, high=high
            ),
            current_monthly_cost=before,
            estimated_monthly_cost=before - self._saved[key],
            saved_on_others=on_others,
            assumed_coverage=guesses,
            stranded_commitment=high - target if advice.stranded_commitment else _NOTHING,
        )

    def _high(self, advice: Recommendation, case: Case | None) -> Decimal:
        """What it comes to once the commitment ends: of what the steps before it leave."""
        own, key = advice.estimated_monthly_savings.high, advice.resource_id
        spent = min(case.cost.compute, case.cost.monthly) if case and case.cost else _NOTHING
        if own <= 0 or spent <= 0:
            return own
        stays = 1 - self._gone.get(key, _NOTHING)
        self._gone[key] = 1 - stays * (1 - min(Decimal(1), own / spent))
        return cents(own * stays) if stays < 1 else own

    def _name(self, key: str) -> str:
        case = self._names.get(key)
        return (case.resource.resource_name if case else None) or key


def _short(name: str) -> str:
    """Of an ARN or a path its end, which tells commitments apart."""
    return name.rstrip("/").rsplit("/", 1)[-1]


def today(advice: Recommendation, case: Case | None) -> Decimal:
    """What the resource costs a month."""
    if case and case.cost:
        return case.cost.monthly
    return advice.estimated_monthly_cost + advice.estimated_monthly_savings.target


def _in_vain(advice: Recommendation, case: Case | None) -> Recommendation:
    own, cost = advice.estimated_monthly_savings, today(advice, case)
    return replace(
        advice,
        estimated_monthly_savings=replace(own, low=min(own.low, _NOTHING), target=_NOTHING),
        current_monthly_cost=cost,
        estimated_monthly_cost=cost,
        stranded_commitment=own.high,
    )


def _reason(
    advice: Recommendation,
    target: Decimal,
    high: Decimal,
    guesses: Sequence[str],
) -> str:
    """The advice's own words; of what is committed the plan's in place of the rule's."""
    own, currency = advice.estimated_monthly_savings, advice.currency
    if not advice.stranded_commitment and not guesses:
        return advice.reason
    parts = [part for part in advice.reason.split("; ") if not part.endswith(UNTIL)]
    if advice.stranded_commitment:
        text = f"as part of the plan the bill falls by {cents(target):,} {currency} a month"
        if (gained := target - own.target) > 0:
            text += f", {cents(gained):,} of it as the commitment that it frees covers others"
        parts.append(text)
        if (waits := high - target) > 0:
            parts.append(f"{cents(waits):,} {currency} more once that commitment {UNTIL}")
    if guesses:
        named = ", ".join(guesses[:_NAMED])
        more = f" and {len(guesses) - _NAMED} more" if len(guesses) > _NAMED else ""
        parts.append(f"it assumes that {named}{more}, as it was never seen to")
    return "; ".join(parts)
