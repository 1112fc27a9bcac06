"""A bill as it can be reckoned anew: meters with their rates, and commitments and what they cover.

All is read off the bill itself. A commitment's size is what it covered and what it left unused;
what an hour takes of it, what it took of that meter. Where a reservation covered several sizes at
a different cost an hour, it is measured in money of its own, so that sizes count as the provider
weighs them. What it may cover beside that: reach.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from costopt.frame.bill_rows import COLUMNS, HOURS, rows, told_by_month
from costopt.frame.billed import Billed, billed
from costopt.frame.cost import resource_key
from costopt.frame.measures import Measures, comparable, measured
from costopt.frame.reach import Reach, Seen, assumed
from costopt.model import Window
from costopt.model.bill import Amounts, Held, Known, Metered, Usage

__all__ = ["COLUMNS", "read", "whole"]

_TINY: Final = 1e-9
_OVERFULL: Final = 1.05
"""Hours billed of an hour: one that stops and starts within one may be billed twice for it."""
_BY_PARTS: Final = frozenset({"gcp"})  # an hour of each vCPU
_NOTHING: Final = Known()


def read(
    charges: pa.Table, window: Window, currency: str, known: Known = _NOTHING
) -> dict[str, Metered]:
    """The bill of each provider over the window, by `provider_key`.

    Each on the periods that most of its machines' time is billed by (hours, or days). What cannot
    be reckoned anew stands in `rest`, and by reason in `left_out`.

    Args:
        charges: schema.CHARGES, at least `COLUMNS` of it.
        known: what the inventory and prices add.
    """
    found = rows(charges, window, currency, known.rates)
    return {name: _metered(name, billed(mine), currency, known) for name, mine in found.items()}


def whole(charges: pa.Table, until: datetime) -> Window | None:
    """From the first to the end of the last usage, up to that moment; None = there is none."""
    # What a month under way leaves unused of a commitment names the month's end.
    used = pc.and_(pc.equal(charges["ChargeCategory"], "Usage"), pc.invert(told_by_month(charges)))
    used = charges.filter(used)
    start = pc.min(used.column("ChargePeriodStart")).as_py()
    end = pc.max(used.column("ChargePeriodEnd")).as_py()
    if start is None or end is None or start >= min(end, until):
        return None
    return Window(start, min(end, until))


def _metered(provider: str, bill: Billed, currency: str, known: Known) -> Metered:
    bill = comparable(bill, provider)
    use = measured(bill)
    seen = Seen.of(provider, bill, use, known)
    reaches = [(at, Reach.of(at, seen)) for at in _told(bill)]
    held = tuple(_held(provider, bill, use, at, one) for at, one in reaches)
    actual = np.bincount(bill.period, bill.effective, len(bill.starts))
    return Metered(
        provider=provider,
        currency=currency,
        starts=bill.starts,
        hours=bill.hours,
        usages=tuple(_usages(provider, bill, use, assumed(seen, reaches))),
        held=held,
        actual=actual.astype(np.float64),
        rest=sum((one.cost for one in bill.left_out), Decimal(0)),
        left_out=bill.left_out,
        covered=dict(_covered(bill)) if bill.hours > 1 else None,
        ends=bill.ends,
        overfull=dict(_overfull(bill, use)) if provider not in _BY_PARTS else {},
    )


def _overfull(bill: Billed, use: Measures) -> Iterator[tuple[str, float]]:
    """Of each resource that is billed for more hours than there were, how many of one; each of its
    services by itself, as licences are billed beside machines."""
    hours_of: dict[tuple[str, str], Amounts] = {}
    for meter, hours in zip(bill.meters, use.quantity, strict=True):
        if meter.resource and HOURS.fullmatch(meter.unit):
            key = resource_key(meter.resource), meter.service
            hours_of[key] = hours_of.get(key, 0.0) + hours
    lengths = (bill.ends - bill.starts) / 3600
    for (resource, _), hours in sorted(hours_of.items()):
        of_one = float(hours.sum() / max(_TINY, lengths[hours > 0].sum()))
        if of_one > _OVERFULL:
            yield resource, of_one


def _told(bill: Billed) -> list[int]:
    """The commitments that the reckoned part of the bill tells of."""
    return [int(place) for place in np.unique(bill.commitment[bill.commitment >= 0])]


def _covered(bill: Billed) -> Iterable[tuple[tuple[str, str], Amounts]]:
    """What each commitment covered of each meter, as billed."""
    mine = np.flatnonzero((bill.meter >= 0) & (bill.commitment >= 0))
    pair = bill.meter[mine] * len(bill.commitments) + bill.commitment[mine]
    order = np.argsort(pair, kind="stable")
    pairs, first = np.unique(pair[order], return_index=True)
    for each, of in zip(pairs.tolist(), np.split(mine[order], first)[1:], strict=True):
        meter, commitment = divmod(int(each), len(bill.commitments))
        units = np.bincount(bill.period[of], bill.quantity[of], len(bill.starts)).astype(np.float64)
        yield (bill.meters[meter].key, bill.commitments[commitment].id), units


def _held(provider: str, bill: Billed, use: Measures, place: int, reach: Reach) -> Held:
    told = bill.commitments[place]
    amount = use.covered[place] + use.left[place]
    if bill.hours > 1:
        amount = np.where(_was_short(use, place), use.covered[place], amount)
    return Held(
        commitment_id=told.id,
        name=told.name or told.id,
        provider=provider,
        kind=told.kind,
        order=reach.order,
        by_spend=told.by_spend,
        account=min(told.accounts) if len(told.accounts) == 1 else None,
        amount=amount,
        cost=use.cost[place],
        bound=reach.bound,
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


def _usages(
    provider: str, bill: Billed, use: Measures, more: Sequence[Mapping[str, float]]
) -> Iterable[Usage]:
    uses: list[dict[str, float]] = [{} for _ in bill.meters]
    for (at, commitment), take in use.takes.items():
        if take > 0:
            uses[at][bill.commitments[commitment].id] = take
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
            unit=meter.unit,
        )
