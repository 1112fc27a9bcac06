"""What a move is worth: the present cost of staying and of going, and when going has paid off.

All amounts are in one currency, at today's prices. What is paid monthly is paid at the end of the
month, as bills are; what is paid once, is paid at once. docs/method.md, "Moves", has the formulas
and a worked example.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from costopt.optimize.placement.dominance import Floats

Bools = npt.NDArray[np.bool_]

_FAVOURABLE: Final = -1
_EXPECTED: Final = 0
_UNFAVOURABLE: Final = 1


@dataclass(frozen=True, slots=True)
class Horizon:
    """How far ahead one looks, and what money costs meanwhile."""

    months: float  # > 0
    yearly_rate: float = 0.0  # 0.08 = money in a year is worth 8 % less; >= 0

    def __post_init__(self) -> None:
        if not (0 < self.months < float("inf") and 0 <= self.yearly_rate < float("inf")):
            raise ValueError("a horizon has more than 0 months, and a rate not below 0")

    @property
    def monthly_rate(self) -> float:
        """What compounds to the yearly rate in twelve months."""
        return float(np.expm1(np.log1p(self.yearly_rate) / 12))

    def paid(self, months: Floats | float) -> Floats:
        """The present worth of 1 at the end of each of the first so many months, fractions of them
        by the same formula: [1 - (1 + m)^-n] / m. Never more than the horizon's."""
        counted = np.minimum(np.asarray(months, np.float64), self.months)
        return _annuity(counted, self.monthly_rate)

    def each_month(self, present: Floats) -> Floats:
        """What, paid in every month of the horizon, has that present worth."""
        return np.asarray(present / self.paid(self.months))


@dataclass(frozen=True, slots=True, eq=False)
class Staying:
    """What each group costs a month where it is; (G,) each, >= 0."""

    by_place: ClassVar[frozenset[str]] = frozenset()

    run: Floats  # machines, after discounts; what its commitments cost is part of it
    storage: Floats
    egress: Floats  # that goes on: to users, to what is not in the fleet

    def __post_init__(self) -> None:
        _check(self)


@dataclass(frozen=True, slots=True, eq=False)
class Moving:
    """What each group would cost at each place, and what it costs to get there; all >= 0."""

    by_place: ClassVar[frozenset[str]] = frozenset(
        {"run", "storage", "egress", "leaving", "labour", "price_spread", "speed_spread"}
    )

    run: Floats  # (G, P) a month; inf = nothing there will do
    storage: Floats  # (G, P) a month
    egress: Floats  # (G, P) a month, that goes on
    leaving: Floats  # (G, P) to take one GiB from here to there
    stored_gib: Floats  # (G,) moved once
    labour: Floats  # (G, P) once: hours times their rate
    dual_months: Floats  # (G,) in which machines and storage of both places are paid for
    stranded: Floats  # (G,) a month: commitments that nothing else uses once the group has left
    stranded_months: Floats  # (G,) from now until they end
    price_spread: Floats  # (G, P) every listed price may be off by this share; 0 <= x < 1
    speed_spread: Floats  # (G, P) and what a vCPU does by this one; 0 where `run` allows for it

    def __post_init__(self) -> None:
        _check(self)
        if not ((self.price_spread < 1).all() and (self.speed_spread < 1).all()):
            raise ValueError("prices and speeds are off by a share below 1")


class Parts(NamedTuple):
    """Present amounts, (G, P) each, of which a move's cost is the sum."""

    run: Floats
    storage: Floats
    egress: Floats
    leaving: Floats
    labour: Floats
    dual_run: Floats
    stranded: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Worth:
    """Staying against each move, over the horizon, in present money; break-even in months."""

    stay: Floats  # (G,)
    move: Floats  # (G, P); inf = cannot be
    move_low: Floats  # (G, P) with all prices and speeds at their favourable ends
    move_high: Floats  # (G, P) with all of them at their unfavourable ends
    break_even: Floats  # (G, P) from then on the move has cost less; inf = never
    break_even_late: Floats  # (G, P) the same with all at their unfavourable ends
    parts: Parts  # of `move`

    @property
    def saving(self) -> Floats:
        """(G, P) what the move saves; negative where it costs more, -inf where it cannot be."""
        return self.stay[:, None] - self.move

    @property
    def pays(self) -> Bools:
        """(G, P) whether the move saves even at the unfavourable ends: else one stays."""
        return self.move_high < self.stay[:, None]


def worth(staying: Staying, moving: Moving, horizon: Horizon) -> Worth:
    """What staying and each move cost over the horizon, as expected and at both ends.

    The ends take every listed price and every speed as wrong at the same time, in the same
    direction: price lists age together, and one benchmark stands behind all types of a generation,
    so nothing is gained by hoping that errors cancel. They are bounds if the spreads are, and no
    confidence interval. What is on the bill (staying) and the user's own figures (hours, months,
    stored GiB) are taken as they are.

    A machine that still runs here while the new one does uses its commitment; only what comes after
    the dual run is stranded. What is stranded beyond the horizon is paid either way.
    """
    stay = (staying.run + staying.storage + staying.egress) * horizon.paid(horizon.months)
    expected = _parts(staying, moving, horizon, _EXPECTED)
    low, high = (
        _sum(_parts(staying, moving, horizon, end)) for end in (_FAVOURABLE, _UNFAVOURABLE)
    )
    return Worth(
        stay=stay,
        move=_sum(expected),
        move_low=low,
        move_high=high,
        break_even=_break_even(staying, moving, horizon, _EXPECTED),
        break_even_late=_break_even(staying, moving, horizon, _UNFAVOURABLE),
        parts=expected,
    )


def _parts(staying: Staying, moving: Moving, horizon: Horizon, end: int) -> Parts:
    price, throughout = 1 + end * moving.price_spread, horizon.paid(horizon.months)
    dual, until = (horizon.paid(months) for months in _phases(moving))
    twice = (staying.run + staying.storage) * dual
    shape = moving.run.shape
    return Parts(
        run=_run(moving, end) * throughout,
        storage=moving.storage * price * throughout,
        egress=moving.egress * price * throughout,
        leaving=_once(moving, end),
        labour=moving.labour,
        dual_run=np.broadcast_to(twice[:, None], shape),
        stranded=np.broadcast_to((moving.stranded * (until - dual))[:, None], shape),
    )


def _run(moving: Moving, end: int) -> Floats:
    """A month: of slower vCPUs so many more are needed."""
    price, speed = 1 + end * moving.price_spread, 1 - end * moving.speed_spread
    return np.asarray(moving.run * price / speed)


def _once(moving: Moving, end: int) -> Floats:
    return np.asarray(moving.leaving * (1 + end * moving.price_spread) * moving.stored_gib[:, None])


def _phases(moving: Moving) -> tuple[Floats, Floats]:
    """Months until the dual run ends, and until nothing is stranded any more."""
    return moving.dual_months, np.maximum(moving.dual_months, moving.stranded_months)


def _sum(parts: Parts) -> Floats:
    return np.asarray(sum(parts))


def _break_even(staying: Staying, moving: Moving, horizon: Horizon, end: int) -> Floats:
    """Months after which the move has cost less than staying for good, whatever the horizon.

    The balance starts at what is paid once, then runs at one pace in the dual run, at another while
    commitments are stranded, and at a third from then on. It counts where it last leaves the red.
    """
    rate, price = horizon.monthly_rate, 1 + end * moving.price_spread
    new = _run(moving, end) + (moving.storage + moving.egress) * price
    possible = np.isfinite(new)
    gain = (staying.run + staying.storage + staying.egress)[:, None] - np.where(possible, new, 0.0)
    nothing = np.zeros((1, 1))
    lost = ((staying.run + staying.storage)[:, None], moving.stranded[:, None], nothing)
    times = [_annuity(months, rate)[:, None] for months in _phases(moving)]
    spans = zip([nothing, *times], [*times, _ever(rate)], strict=True)
    balance = -_once(moving, end) - moving.labour
    found = np.zeros(new.shape)
    for loss, (start, stop) in zip(lost, spans, strict=True):
        pace = gain - loss
        with np.errstate(divide="ignore", invalid="ignore"):
            after = balance + np.where(pace == 0, 0.0, pace * (stop - start))
            crossing = _months(start - balance / pace, rate)
        found = np.where(after < 0, np.inf, np.where(balance < 0, crossing, found))
        balance = after
    return np.where(possible, found, np.inf)


def _ever(rate: float) -> Floats:
    """The present worth of 1 a month for ever."""
    return np.array([[1 / rate if rate else np.inf]])


def _annuity(months: Floats, rate: float) -> Floats:
    return np.asarray(-np.expm1(-months * np.log1p(rate)) / rate if rate else months)


def _months(paid: Floats, rate: float) -> Floats:
    """The inverse of `_annuity`; inf where no number of months comes to it."""
    if not rate:
        return paid
    short = paid * rate < 1
    return np.where(short, -np.log1p(-np.where(short, paid * rate, 0.0)) / np.log1p(rate), np.inf)


def _check(given: Staying | Moving) -> None:
    groups = len(given.run)
    for field in fields(given):
        values = getattr(given, field.name)
        shape = given.run.shape if field.name in given.by_place else (groups,)
        if values.shape != shape:
            raise ValueError(f"{field.name} is {values.shape}, not {shape}")
        if not ((values >= 0) & ((values < np.inf) | (field.name == "run"))).all():
            raise ValueError(f"{field.name} is below 0, infinite or unknown")
