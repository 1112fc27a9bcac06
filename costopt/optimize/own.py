"""Own machines against the cloud: from which utilization on they pay, when, and what that hangs on.

Arrays in, arrays out: each figure is a float or an array that broadcasts with the others; NaN where
it is not known. All are of one machine (or one GPU: only the price beside must be of the same), in
one currency.

The utilization u is the share of the hours of the machines that one owns for which the cloud would
have been paid. Where a pool runs day and night in the cloud, and is paid for day and night, that is
1, however little its processors do.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

YEAR_HOURS: Final = 8760
_MONTHS: Final = 12


@dataclass(frozen=True, slots=True)
class Own:
    """What a machine of one's own costs. `spares` machines more stand ready for each in use: they
    are bought, kept and housed, and draw no power."""

    capex: npt.ArrayLike
    life_years: npt.ArrayLike
    salvage: npt.ArrayLike  # what it fetches at the end of its life
    rate: npt.ArrayLike  # of capital, a year: 0.08
    maintenance_yearly: npt.ArrayLike
    staff_yearly: npt.ArrayLike
    hosting_yearly: npt.ArrayLike
    busy_kw: npt.ArrayLike
    idle_kw: npt.ArrayLike
    pue: npt.ArrayLike  # power of the building over power of the machines
    power_price: npt.ArrayLike  # of a kWh
    spares: npt.ArrayLike = 0.0  # k / n where n + k are bought for n in use
    other_yearly: npt.ArrayLike = 0.0  # of those in use, beside all that: traffic


def annuity(rate: npt.ArrayLike, years: npt.ArrayLike) -> Floats:
    """CRF = r / (1 - (1 + r)^-n): what a loan of 1 costs at each year's end; without interest 1/n.

    Raises:
        ValueError: a rate not above -1, or no years.
    """
    r, n = _floats(rate), _floats(years)
    if np.any(r <= -1) or np.any(n <= 0):
        raise ValueError("a rate is above -1, a life above 0 years")
    with np.errstate(invalid="ignore", divide="ignore"):
        factor = -r / np.expm1(-n * np.log1p(r))
    return np.where(r == 0, 1 / n, factor)


def standing_cost(own: Own) -> Floats:
    """A year of one machine in use whether it works or not: capital, maintenance, staff, hosting,
    idle power; those of its spares but for staff and power."""
    capital = _floats(own.capex) - _floats(own.salvage) * worth(own.rate, own.life_years)
    kept = capital * annuity(own.rate, own.life_years)
    kept = kept + _floats(own.maintenance_yearly) + _floats(own.hosting_yearly)
    power = YEAR_HOURS * _floats(own.idle_kw) * _floats(own.pue) * _floats(own.power_price)
    each = _floats(own.staff_yearly) + _floats(own.other_yearly) + power
    return np.asarray(kept * (1 + _floats(own.spares)) + each)


def hourly_power(own: Own) -> Floats:
    """What an hour of work costs in power, above idling."""
    more = _floats(own.busy_kw) - _floats(own.idle_kw)
    return np.asarray(more * _floats(own.pue) * _floats(own.power_price))


def break_even(own: Own, price: npt.ArrayLike) -> Floats:
    """u* = standing cost of a year / [8760 (p_cloud - power of an hour's work)]: used more than
    that, an own machine is cheaper.

    Args:
        price: p_cloud, of an hour of what takes its place, on demand or committed.
    Returns:
        Above 1 where no utilization would do; inf where the power alone costs more than the cloud.
    """
    margin = _floats(price) - hourly_power(own)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        share = np.where(margin > 0, standing_cost(own) / (YEAR_HOURS * margin), np.inf)
    return np.where(np.isnan(margin), np.nan, share)


def cost_per_used_hour(own: Own, utilization: npt.ArrayLike) -> Floats:
    """What an hour costs that the machine is used for; inf where it never is."""
    with np.errstate(divide="ignore", over="ignore"):
        return np.asarray(
            standing_cost(own) / (YEAR_HOURS * _floats(utilization)) + hourly_power(own)
        )


def yearly_saving(own: Own, price: npt.ArrayLike, utilization: npt.ArrayLike) -> Floats:
    """What a machine of one's own saves a year against the cloud, its capital counted; below 0: it
    costs more."""
    used = YEAR_HOURS * _floats(utilization)
    return np.asarray(used * (_floats(price) - hourly_power(own)) - standing_cost(own))


def break_even_month(
    own: Own, price: npt.ArrayLike, utilization: npt.ArrayLike, going: npt.ArrayLike = 0.0
) -> Floats:
    """The first month by which own machines cost no more than the cloud would have: capex at the
    start, everything else at each month's end, discounted; salvage with the last.

    Payments by the month come earlier than those by the year of `break_even` (3.6 % of their worth
    at 8 %), so that a machine at u* breaks even in its last months, or by its salvage.

    Args:
        going: paid at the start beside capex, for each machine in use.
    Returns:
        Whole months, 1 to those of its life; inf = never within it.
    """
    machines = 1 + _floats(own.spares)
    return paid_back(
        _floats(own.capex) * machines + _floats(going),
        saved_monthly(own, price, utilization),
        sold=_floats(own.salvage) * machines * worth(own.rate, own.life_years),
        rate=own.rate,
        years=own.life_years,
    )


def paid_back(
    spent: npt.ArrayLike,
    saved: npt.ArrayLike,
    *,
    sold: npt.ArrayLike,
    rate: npt.ArrayLike,
    years: npt.ArrayLike,
) -> Floats:
    """The first month by which what is saved is worth as much as what was spent.

    Args:
        spent: at the start.
        saved: at each month's end, of so many years.
        sold: today's worth of what is sold with the last.
        rate: of capital, a year.
    Returns:
        As of `break_even_month`.
    """
    i, months = _monthly_rate(rate), _floats(years) * _MONTHS
    outlay, each, sale = _floats(spent), _floats(saved), _floats(sold)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        need = outlay / each  # an annuity's factor
        whole = np.where(i == 0, need, -np.log1p(-need * i) / np.log1p(i))
        paid = np.ceil(np.maximum(whole, 1) - _EXACT)
        reached = np.where((each > 0) & (need * i < 1), paid, np.inf)
    within = each * _months_worth(i, months) + sale - outlay >= 0
    month = np.where(reached <= months, reached, np.where(within, np.ceil(months), np.inf))
    return np.where(np.isnan(each + outlay + sale), np.nan, month)


def pays_back_from(own: Own, price: npt.ArrayLike, going: npt.ArrayLike = 0.0) -> Floats:
    """The least utilization at which `break_even_month` is within the life; above 1 or inf: none.

    Args:
        going: as of `break_even_month`.
    """
    machines, months = 1 + _floats(own.spares), _floats(own.life_years) * _MONTHS
    sold = _floats(own.salvage) * machines * worth(own.rate, own.life_years)
    spent = _floats(own.capex) * machines + _floats(going) - sold
    a_month = spent / _months_worth(_monthly_rate(own.rate), months)
    kept = standing_cost(replace(own, capex=0.0, salvage=0.0)) / _MONTHS
    margin = YEAR_HOURS / _MONTHS * (_floats(price) - hourly_power(own))
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(margin > 0, (a_month + kept) / margin, np.inf)
    return np.where(np.isnan(margin), np.nan, np.maximum(share, 0.0))


def _monthly_rate(rate: npt.ArrayLike) -> Floats:
    return np.asarray(np.expm1(np.log1p(_floats(rate)) / _MONTHS))


def _months_worth(i: Floats, months: Floats) -> Floats:
    """Today's worth of 1 at the end of each of so many months."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(i == 0, months, -np.expm1(-months * np.log1p(i)) / i)


_EXACT: Final = 1e-9
"""How far a quotient may miss the whole number that it is."""


def saved_monthly(own: Own, price: npt.ArrayLike, utilization: npt.ArrayLike) -> Floats:
    """Running costs only: the cloud's bill less what an own machine takes besides its capital."""
    bare = replace(own, capex=0.0, salvage=0.0)
    return yearly_saving(bare, price, utilization) / _MONTHS


def worth(rate: npt.ArrayLike, years: npt.ArrayLike) -> Floats:
    """Today's worth of 1 after so many years."""
    return np.asarray(np.exp(-_floats(years) * np.log1p(_floats(rate))))


# -- how many, and the way back --------------------------------------------------------------


def worth_owning(demand: npt.ArrayLike, break_even_share: float) -> int:
    """How many machines pay: the n-th does where n or more are needed in at least u* of all hours.

    What is above stays in the cloud. As with commitments, it is a quantile of the longest history.

    Args:
        demand: (hours,) machines needed in each; NaN = missing, never zero.
    """
    hours = _floats(demand)
    known = np.sort(hours[~np.isnan(hours)])[::-1]
    if not len(known) or break_even_share > 1:
        return 0
    place = max(1, math.ceil(break_even_share * len(known) - _EXACT))
    return math.floor(float(known[place - 1]) + _EXACT)


def utilization(demand: npt.ArrayLike, owned: int) -> float:
    """Share of the hours of so many own machines that demand fills; NaN where none is known."""
    hours = _floats(demand)
    known = hours[~np.isnan(hours)]
    if not len(known) or owned <= 0:
        return math.nan
    return float(np.minimum(known, owned).mean() / owned)


def closing(
    own: Own,
    *,
    salvage_now: npt.ArrayLike,
    years_left: npt.ArrayLike,
    contract_years: npt.ArrayLike = 0.0,
) -> Own:
    """What keeping machines costs that one owns already: the way out of the racks.

    What they once cost is spent. Keeping them costs what they would fetch now; hosting that must be
    paid to the end of its contract either way costs nothing. So `break_even` of the result is the
    utilization below which the racks are better closed.

    Args:
        salvage_now: today's worth of a machine.
        years_left: that it can still be used for.
        contract_years: until hosting may be ended.
    """
    bound = np.minimum(_floats(contract_years), _floats(years_left))
    avoidable = 1 - _present_years(own.rate, bound) / _present_years(own.rate, years_left)
    return replace(
        own,
        capex=salvage_now,
        life_years=years_left,
        hosting_yearly=_floats(own.hosting_yearly) * avoidable,
    )


def _present_years(rate: npt.ArrayLike, years: npt.ArrayLike) -> Floats:
    """Today's worth of 1 a year, evenly over so many years."""
    force, span = np.log1p(_floats(rate)), _floats(years)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(force == 0, span, -np.expm1(-force * span) / force)


# -- what it hangs on ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Swing:
    """What the break-even utilization is with one input at its low and at its high."""

    name: str  # a field of Own, or price
    low: float  # of the input
    high: float
    at_low: float  # the break-even there
    at_high: float

    @property
    def size(self) -> float:
        """By how much the answer moves."""
        return abs(self.at_high - self.at_low)


INPUTS: Final = (
    *(field.name for field in fields(Own) if field.name != "other_yearly"),
    "price",
)


def tornado(own: Own, price: float, ranges: Mapping[str, tuple[float, float]]) -> tuple[Swing, ...]:
    """Each input alone moved from its low to its high, the others as they are; largest swing first.

    Args:
        own: floats only.
        ranges: input (one of INPUTS) -> its low and its high.
    Raises:
        ValueError: no such input.
    """
    if unknown := sorted(set(ranges) - set(INPUTS)):
        raise ValueError(f"no such input: {unknown[0]}")
    swings = [Swing(name, *ends, *(_moved(own, price, name, end) for end in ends))
              for name, ends in ranges.items()]  # fmt: skip
    return tuple(sorted(swings, key=lambda one: (-one.size, one.name)))


def _moved(own: Own, price: float, name: str, value: float) -> float:
    if name == "price":
        return float(break_even(own, value))
    changed: dict[str, float] = {name: value}
    return float(break_even(replace(own, **changed), price))


def months_grid(
    own: Own, prices: npt.ArrayLike, utilizations: npt.ArrayLike, going: float = 0.0
) -> Floats:
    """Months to break-even at each utilization (rows) and cloud price (columns); inf = never.

    Args:
        own: floats only.
        prices, utilizations: (P,), (U,).
        going: as of `break_even_month`.
    Returns:
        float64 (U, P).
    """
    return break_even_month(own, _floats(prices)[None, :], _floats(utilizations)[:, None], going)


def _floats(values: npt.ArrayLike) -> Floats:
    return np.asarray(values, np.float64)
