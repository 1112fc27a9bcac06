"""Commit: what to buy ahead for the whole bill, and what is held for nothing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from costopt.config import Settings
from costopt.errors import ConfigError, InsufficientData
from costopt.frame import metered
from costopt.frame.cost import COLUMNS, fleet_cost, read_bill
from costopt.frame.inventory import present
from costopt.lake.store import Lake
from costopt.model import PURCHASES, Recommendation, Report
from costopt.pipeline.analysing import Analysis, analyse
from costopt.pipeline.progress import Progress
from costopt.pricing.catalogue import Catalogue
from costopt.registry import suggest
from costopt.rules.changes import changes_of
from costopt.rules.commit import Commitments, reported
from costopt.rules.commit.ahead import Ahead
from costopt.units import cents, counted, provider_key

_AS_IS: Final = "for all that runs today: nothing is made smaller first"
_END: Final = datetime.max.replace(tzinfo=UTC)


def commit(
    lake: Lake,
    settings: Settings,
    as_of: datetime | None,
    progress: Progress = lambda step: None,
    *,
    providers: Collection[str] = (),
    planned: bool = True,
) -> tuple[Commitments, Report]:
    """What to do about commitments, on the bill of these providers.

    Args:
        providers: none = all.
        planned: for what remains once the plan of `analyse` is done.
    Raises:
        InsufficientData: there is no bill.
        ConfigError: it names no such provider.
    """
    progress("bill")
    keys = {provider_key(name) for name in providers}
    charges = lake.read_charges(tuple(sorted({*COLUMNS, *metered.COLUMNS})))
    charges = _of_providers(charges, keys)
    if metered.whole(charges, as_of or _END) is None:
        raise InsufficientData(
            "the lake holds no bill, and commitments are bought by the bill",
            where=str(lake.root),
            hint="costopt collect aws, gcp, azure, or files --charges; or costopt demo",
        )
    analysis, note = None, _AS_IS
    if planned:
        try:
            analysis = analyse(lake, settings, as_of, progress)
        except InsufficientData as error:
            note = f"{_AS_IS}: {error.what}"
    return _on(charges, lake, settings, as_of, after=analysis, note=note)


def _on(
    charges: pa.Table,
    lake: Lake,
    settings: Settings,
    as_of: datetime | None,
    *,
    after: Analysis | None,
    note: str,
) -> tuple[Commitments, Report]:
    """On these charges, as far as the analysis reaches, once what it advises is done.

    Args:
        note: what else is told first.
    """
    until = after.window.end if after else as_of or _END
    window = metered.whole(charges, until)
    # Fees of a month that has just begun are no pace of it: up to the last usage, as the plan does.
    bill = read_bill(charges, window.end, settings.asked_currency) if window else None
    if window is None or bill is None:
        raise InsufficientData(
            f"the bill begins after {until:%Y-%m-%d %H:%M} UTC, where the metrics end",
            hint="collect both again, or ask with --as-is",
        )
    ahead = Ahead.of(
        charges,
        bill,
        resources=present(lake.read("resources"), window.end, settings.time_zone),
        cases=after.cases if after else {},
        catalogue=Catalogue.load(lake.read("prices"), lake.read("shapes")),
        settings=settings,
        as_of=as_of,
    )
    done: list[Recommendation] = []
    spend, planned = fleet_cost(bill, ()), Decimal(0)
    if after:
        done = after.done()
        count = sum(map(len, changes_of(done, after.cases, ahead.bills).values()))
        planned = _planned(after, ahead, spend.currency)
        note = (
            f"for what remains once the plan of costopt recommend is done, which concerns "
            f"{counted(count, 'machine')} on these bills and leaves "
            f"{cents(spend.monthly - planned):,} of their {cents(spend.monthly):,} "
            f"{spend.currency} a month; --as-is buys for all that runs today"
        )
    found = ahead.after(done)
    found = replace(found, notes=(note, *found.notes))
    return found, reported(found, ahead.bills, spend, window, planned=planned)


def _planned(after: Analysis, ahead: Ahead, currency: str) -> Decimal:
    """What the plan takes off these bills a month before anything is bought."""
    return sum(
        (
            one.estimated_monthly_savings.target
            for one in after.report.recommendations
            if one.action_type not in PURCHASES
            and one.currency == currency
            and provider_key(one.current.provider_name) in ahead.bills
        ),
        Decimal(0),
    )


def _of_providers(charges: pa.Table, keys: Collection[str]) -> pa.Table:
    names = charges.column("ProviderName").unique().to_pylist()
    known = {provider_key(name or ""): name for name in names}
    for key in sorted(keys):
        if key not in known and names:
            hint = suggest(key, sorted(known))
            raise ConfigError(f"the bill names no provider {key!r}", hint=hint)
    if not keys:
        return charges
    wanted = [name for name in names if provider_key(name or "") in keys]
    return charges.filter(pc.is_in(charges.column("ProviderName"), value_set=pa.array(wanted)))
