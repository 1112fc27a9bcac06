"""A bill as it can be reckoned anew: meters with their rates, and commitments and what they cover.

All is read off the bill itself. A commitment's size is what it covered and what it left unused;
what an hour takes of it, what it took of that meter. Where a reservation covered several sizes at
a different cost an hour, it is measured in money of its own, so that sizes count as the provider
weighs them. A meter that it never covered may be covered by it if it is of a SKU that it covered
elsewhere (units) or of a service that it covered (money), and was never on demand while the
commitment had something left.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from costopt.frame.bill_rows import COLUMNS, rows
from costopt.frame.billed import Billed, Floats, billed
from costopt.frame.cost import resource_key
from costopt.frame.measures import Measures, comparable, measured, ratio
from costopt.model import Window
from costopt.model.bill import Held, Metered, Usage

__all__ = ["COLUMNS", "read"]

_TINY: Final = 1e-9
_ORDERS: Final = (
    # (word in the type, without blanks; order): sources in pricing/commitments.py
    ("reserv", 0),
    ("resource", 0),
    ("instancesavings", 1),
)
_LAST: Final = 2  # compute savings plans, flexible commitments


def read(charges: pa.Table, window: Window, currency: str) -> dict[str, Metered]:
    """The bill of each provider over the window, by `provider_key`.

    Each on the periods that most of its machines' time is billed by (hours, or days). What cannot
    be reckoned anew stands in `rest`, and by reason in `left_out`.

    Args:
        charges: schema.CHARGES, at least `COLUMNS` of it.
    """
    found = rows(charges, window, currency)
    return {name: _metered(name, billed(mine), currency) for name, mine in found.items()}


def _metered(provider: str, bill: Billed, currency: str) -> Metered:
    bill = comparable(bill, provider)
    use = measured(bill)
    held = tuple(_held(provider, bill, use, place) for place in _known(bill))
    actual = np.bincount(bill.period, bill.effective, len(bill.starts))
    return Metered(
        provider=provider,
        currency=currency,
        starts=bill.starts,
        hours=bill.hours,
        usages=tuple(_usages(provider, bill, use, held)),
        held=held,
        actual=actual.astype(np.float64),
        rest=sum((one.cost for one in bill.left_out), Decimal(0)),
        left_out=bill.left_out,
    )


def _known(bill: Billed) -> list[int]:
    """The commitments that the reckoned part of the bill tells of."""
    return [int(place) for place in np.unique(bill.commitment[bill.commitment >= 0])]


def _held(provider: str, bill: Billed, use: Measures, place: int) -> Held:
    told = bill.commitments[place]
    kind = re.sub("[^a-z]", "", told.kind.lower())
    amount = use.covered[place] + use.left[place]
    if bill.hours > 1:
        amount = np.where(_was_short(use, place), use.covered[place], amount)
    return Held(
        commitment_id=told.id,
        name=told.name or told.id,
        provider=provider,
        kind=told.kind,
        order=next((order for word, order in _ORDERS if word in kind), _LAST),
        by_spend=told.by_spend,
        account=min(told.accounts) if len(told.accounts) == 1 else None,
        amount=amount,
        cost=use.cost[place],
    )


def _was_short(use: Measures, place: int) -> npt.NDArray[np.bool_]:
    """Periods of a day or more in which meters that it covers were on demand, too.

    Commitments apply by the hour, and a bill by the day tells no hours: a machine that ran when the
    commitment was used up could not have what was left when it was off. Days on which the bill
    shows both leave nothing to cover more with (the commitment's cost stays).
    """
    mine = [(meter, take) for (meter, commitment), take in use.takes.items() if commitment == place]
    short = np.zeros(use.free.shape[1])
    for meter, take in mine:
        short += use.free[meter] * take
    found: npt.NDArray[np.bool_] = short > _TINY
    return found


def _usages(provider: str, bill: Billed, use: Measures, held: Sequence[Held]) -> Iterable[Usage]:
    uses: list[dict[str, float]] = [{} for _ in bill.meters]
    for (at, commitment), take in use.takes.items():
        if take > 0:
            uses[at][bill.commitments[commitment].id] = take
    more = _assumed(bill, use, held, uses)
    for place, meter in enumerate(bill.meters):
        yield Usage(
            key=meter.key,
            resource_id=resource_key(meter.resource) if meter.resource else None,
            provider=provider,
            account=meter.account or None,
            region=meter.region or None,
            quantity=use.quantity[place],
            rate=use.rate[place],
            uses={**uses[place], **more[place]},
            assumed=frozenset(more[place]),
            reduced=float(use.reduced[place]),
        )


def _assumed(
    bill: Billed, use: Measures, held: Sequence[Held], uses: Sequence[Mapping[str, float]]
) -> list[dict[str, float]]:
    """What else may cover each meter, and how much of it a unit takes."""
    found: list[dict[str, float]] = [{} for _ in bill.meters]
    mean = ratio((use.rate * use.quantity).sum(1), use.quantity.sum(1))
    orders = {one.commitment_id: one.order for one in held}
    for place, one in zip(_known(bill), held, strict=True):
        usual = _usual(bill, use, place, mean if one.by_spend else None)
        spare = use.left[place] > _TINY
        later = [orders.get(other.id, _LAST) > one.order for other in bill.commitments]
        open_ = use.free + bill.covered_by(np.array(later, bool))
        for at, meter in enumerate(bill.meters):
            take = usual.get(meter[3:5], usual.get((meter.service, ""), 0.0))
            if not take or meter.pricing or one.commitment_id in uses[at]:
                continue
            if (spare & (open_[at] > _TINY)).any():
                continue  # it could have, and did not
            found[at][one.commitment_id] = take * (mean[at] if one.by_spend else 1.0)
    return [{name: take for name, take in more.items() if take > 0} for more in found]


def _usual(
    bill: Billed, use: Measures, place: int, mean: Floats | None
) -> dict[tuple[Any, ...], float]:
    """The median of what a commitment takes, by service and SKU: of a unit, or of each unit of
    money on demand; money covers any SKU of its services: ("service", "")."""
    takes: dict[tuple[Any, ...], list[float]] = {}
    for (at, commitment), take in use.takes.items():
        meter = bill.meters[at]
        if commitment != place or (mean is not None and mean[at] <= 0):
            continue
        if mean is not None:
            takes.setdefault((meter.service, ""), []).append(take / mean[at])
        if meter.sku:
            each = take if mean is None else take / mean[at]
            takes.setdefault((meter.service, meter.sku), []).append(each)
    return {key: float(np.median(found)) for key, found in takes.items()}
