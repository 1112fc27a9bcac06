"""One deal's purchases over terms and months: by a lower bound of what will be needed."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np

from costopt.optimize.commitment import Term, Tranche, ladder
from costopt.optimize.commitment.certainty import used_between
from costopt.rules.commit.deals import INCREMENT
from costopt.rules.commit.demand import Floats
from costopt.rules.commit.settings import CommitSettings
from costopt.rules.commit.sorts import Deal

_TINY: Final = 1e-9


class Demand(NamedTuple):
    """What a deal finds, and what was chosen of it."""

    units: Floats  # (H,) no more than `most`
    ahead: Floats  # (months, H) the same in each month to come, falling as feared
    price: float  # of a unit, on demand
    most: float


def spread(
    demand: Demand,
    terms: Sequence[Term],
    deal: Deal,
    rates: Mapping[str, float],
    settings: CommitSettings,
) -> tuple[Tranche, ...]:
    """What to buy in which month, from now on; nothing where nothing is sure enough.

    Args:
        terms: as the deal is sold, the shortest first.
        rates: term -> a unit's price an hour as billed, upfront spread.
    Raises:
        InsufficientData: hardly a week of history.
    """
    steps = ladder(
        demand.units,
        demand.price,
        terms,
        caution=settings.caution,
        cost_of_capital=settings.cost_of_capital,
        tranches=settings.tranches,
        step=deal.step,
        ahead=demand.ahead,
    )
    found = _topped_up(steps.tranches, demand, terms[0], deal, settings)
    if not deal.by_machines:
        found = _in_increments(found, rates)
    return _from_now(found) if found else ()


def _topped_up(
    tranches: tuple[Tranche, ...],
    demand: Demand,
    term: Term,
    deal: Deal,
    settings: CommitSettings,
) -> tuple[Tranche, ...]:
    """With whole units more, where what is sure to be needed of one pays for all of it.

    The ladder takes of a machine that is sold whole only what lies under its bound, and so none of
    it: three machines that always run become two, for demand is feared to fall by a tenth.
    """
    step = deal.step
    if not step:
        return tranches
    rate = term.rate(settings.cost_of_capital)
    months = demand.ahead[: term.months]
    bought = sum(one.quantity for one in tranches)

    def pays(unit: int) -> bool:
        bottom = bought + (unit - 1) * step
        sure = used_between(months, bottom, bottom + step, settings.caution)
        return demand.price * sure.low >= rate

    # Of a higher unit less is used: the first that does not pay is found by halves.
    units = range(1, int((demand.most - bought) / step + _TINY) + 1)
    count = bisect_left(units, True, key=lambda unit: not pays(unit))
    if not count:
        return tranches
    more = count * step
    sure = used_between(months, bought, bought + more, settings.caution)
    mean, low = ((demand.price * share - rate) * more for share in sure)
    month = settings.tranches - 1 if tranches else 0
    extra = Tranche(month, term.name, more, rate, month + term.months, mean, low)
    return _merged((*tranches, extra))


def _in_increments(tranches: Sequence[Tranche], rates: Mapping[str, float]) -> tuple[Tranche, ...]:
    """Of commitments by money whole increments of each part's own price, rounded down.

    The ladder's unit is money at the first term's price: of a longer one it is another sum.
    """
    found = []
    for one in tranches:
        rate = rates[one.term]
        sold = np.floor(one.quantity * rate / INCREMENT + 1e-6) * INCREMENT
        if sold > 0:
            share = float(sold / rate / one.quantity)
            found.append(
                replace(
                    one,
                    quantity=one.quantity * share,
                    saving=one.saving * share,
                    saving_low=one.saving_low * share,
                )
            )
    return tuple(found)


def _from_now(tranches: tuple[Tranche, ...]) -> tuple[Tranche, ...]:
    """Of what is sold whole, the first part may be sold only after months: it is bought now."""
    first = min(one.month for one in tranches)
    return tuple(replace(one, month=one.month - first, ends=one.ends - first) for one in tranches)


def _merged(tranches: Iterable[Tranche]) -> tuple[Tranche, ...]:
    """Those of one month and term as one."""
    found: dict[tuple[int, str], Tranche] = {}
    for one in tranches:
        key = one.month, one.term
        before = found.get(key)
        found[key] = (
            one
            if before is None
            else replace(
                before,
                quantity=before.quantity + one.quantity,
                saving=before.saving + one.saving,
                saving_low=before.saving_low + one.saving_low,
            )
        )
    return tuple(found[key] for key in sorted(found))
