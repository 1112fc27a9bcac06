"""Google's bill: the detailed export in BigQuery, or its files (docs/providers/gcp.md)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pyarrow as pa

from costopt.errors import InputError
from costopt.model import Window
from costopt.providers.base import Estimate, Problem
from costopt.providers.bills.months import Bill
from costopt.providers.gcp.access import Access, told
from costopt.providers.gcp.bill.files import MANNER, layout, parts
from costopt.providers.gcp.bill.query import Query
from costopt.providers.gcp.bill.things import Things
from costopt.units import counted


def charges(
    access: Access,
    held: Mapping[str, str],
    window: Window | None,
    problems: list[Problem],
    notes: dict[str, str],
    *,
    resources: Iterable[Mapping[str, Any]] = (),
    most: Decimal,
) -> Iterator[pa.Table]:
    """The bill in schema.CHARGES, month by month: new and restated months only.

    Args:
        held: notes of earlier collects, whose charges were kept.
        window: only months that touch it; None = all.
        problems: gets what could not be had; `fatal` where charges are missing.
        notes: gets what to be reminded of, once its tables were taken.
        resources: what is known (schema.RESOURCES): bills name some things by number alone.
        most: dollars that BigQuery may bill.
    """
    settings, things = access.settings, Things(resources)
    if settings.billing_table:
        with _no_export(problems):
            yield from Query(access, held, problems).charges(things, window, most, notes)
    elif settings.export:
        found = parts(access, settings.export, problems)
        bill = Bill(
            lambda part, names: layout(things, names), held, window, problems, notes, MANNER
        )
        yield from bill.charges(found)


def estimate(access: Access, held: Mapping[str, str], problems: list[Problem]) -> Estimate:
    """What reading the bill will be billed, and in words what would be read; free calls only."""
    if access.settings.billing_table:
        query = Query(access, held, problems)
        with told(problems, f"{query.name} bigquery.jobs.create"), _no_export(problems):
            return query.estimate()
        return Estimate(Decimal(0), (f"BigQuery {query.name}: does not say",))
    return Estimate(Decimal(0), tuple(_to_read(access, held)))


@contextmanager
def _no_export(problems: list[Problem]) -> Iterator[None]:
    """A table that is not the detailed export is told once, and the rest goes on."""
    try:
        yield
    except InputError as error:
        problem = Problem(error.where, f"{error.what}: {error.hint}", fatal=True)
        if problem not in problems:
            problems.append(problem)


def _to_read(access: Access, held: Mapping[str, str]) -> Iterator[str]:
    if not access.settings.export or not access.settings.dry_run:
        return
    seen: list[Problem] = []  # the collect itself tells them
    found = parts(access, access.settings.export, seen)
    bill = Bill(lambda part, names: layout(Things(), names), held, None, seen, {}, MANNER)
    unread = bill.unread(found)
    size = sum(part.stored.size for part in unread)
    yield f"bill: {counted(len(unread), 'file')} of {len(found):,} to read, {size / 1e6:,.1f} MB"
