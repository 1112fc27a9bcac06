"""What each resource costs a month, from the bill; and what the fleet's bill comes to.

Effective cost (FOCUS EffectiveCost: after discounts, commitments amortised) is what savings are
taken from. A month is `units.HOURS_PER_MONTH` hours at the pace of the provider's newest
`BILL_DAYS` days of bill, for a resource as for the fleet, so that the parts add up to the whole:
what was launched or removed within those days counts for the days it was billed.

How far a bill goes its usage says: a tax or a fee for the whole of a month under way does not make
it longer. Where usage is billed by the day or the hour and a provider has none at all for more than
`HOLE_DAYS` days, the bill is taken to lack them: they count neither as a cost nor as time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from costopt.frame.bill_query import PART_OF, QUERY
from costopt.model import Cost, Price, Resource, Window, is_billed
from costopt.units import HOURS_PER_MONTH, cents, counted, money, per_month, provider_key

BILL_DAYS: Final = 31
"""The longest month: the newest bill of a provider that bills by the month is always whole."""

HOLE_DAYS: Final = 4
"""Longer than a long weekend, for which all may be switched off."""

COLUMNS: Final = (
    "BillingCurrency",
    "ChargeCategory",
    "ChargeClass",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "CommitmentDiscountId",
    "CommitmentDiscountStatus",
    "EffectiveCost",
    "ListCost",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "ResourceId",
    "ServiceCategory",
)
"""What `read_bill` needs of a bill."""

TIME_UNIT: Final = r"(^|[^a-z])(h|hrs?|hours?|minutes?|mins?|seconds?|secs?)([^a-z]|$)"
_DAY_UNIT: Final = r"(^|[^a-z])(days?|months?|mo)([^a-z]|$)"
_DATA_UNIT: Final = r"[kmgtp]i?b|byte|iops"  # a disk's gigabyte-month bills on
_HOUR_UNIT: Final = r"^(1 ?)?((instance|vm|machine|node)[- ])?(h|hrs?|hours?)$"


@dataclass(frozen=True, slots=True)
class Bill:
    """The charges of one currency, by resource and in all, a month; those of others stand apart."""

    currency: str
    costs: Mapping[str, Cost]  # by `resource_key`, each in its own currency: this one where it can
    spend: Decimal  # everything, also what names no resource, but for `credited`
    nameless: Mapping[str, Decimal]  # by `provider_key`: computing that names no resource
    credited: Decimal
    """<= 0: credits, corrections of earlier bills, and refunds beyond what their resource costs."""
    since: datetime  # the earliest charge that counts, and the end of the latest
    until: datetime
    spans: Mapping[str, Window]  # by `provider_key`: what months are made of
    other_spend: Mapping[str, Decimal]  # currency -> the same of its charges: left out of all sums
    missing: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    """Hours of a provider's span of which there is no bill, by `provider_key`; none: whole."""


def resource_key(resource_id: str) -> str:
    """The form under which a bill and an inventory name the same thing.

    Azure lower-cases ResourceId in bills, AWS bills by ARN what its inventory calls `i-...`.
    """
    plain = resource_id.casefold()
    return plain.rsplit("/", 1)[-1] if plain.startswith("arn:") else plain


def read_bill(charges: pa.Table, end: datetime, currency: str | None) -> Bill | None:
    """The bill of the last `BILL_DAYS` days before `end`, per provider as far as its bill goes.

    Args:
        charges: schema.CHARGES, at least `COLUMNS` of it.
        end: nothing after this moment counts (UTC).
        currency: ISO 4217; None = the one most rows are in.
    Returns:
        None where there are no charges before `end`.
    """
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.register("charges", charges)
        rows_in = connection.execute(
            "select BillingCurrency, count(*) from charges where ChargePeriodStart < $end "
            "and BillingCurrency is not null group by 1 order by 2 desc, 1",
            {"end": end},
        ).fetchall()
        if not rows_in:
            return None
        chosen = currency or rows_in[0][0]
        names_in = pc.unique(charges.column("ProviderName")).to_pylist()
        keys = [provider_key(name or "") for name in names_in]
        connection.register("providers", pa.table({"ProviderName": names_in, "provider": keys}))
        connection.execute(PART_OF)
        rows = {name: _rows(connection, name, end) for name in (chosen, *(n for n, _ in rows_in))}
    read = {name: _bill(found, name) for name, found in rows.items() if found}
    if not read:
        return None
    others = {name: one for name, one in read.items() if name != chosen}
    bill = read.get(chosen) or _nothing_in(chosen, next(iter(others.values())))
    elsewhere = {key: cost for one in others.values() for key, cost in one.costs.items()}
    return replace(
        bill,
        costs={**elsewhere, **bill.costs},
        other_spend={name: one.spend for name, one in others.items()},
    )


def _nothing_in(currency: str, other: Bill) -> Bill:
    """That the bill is in another currency than the one asked for."""
    return replace(
        other, currency=currency, costs={}, spend=Decimal(0), nameless={}, credited=Decimal(0)
    )


def _rows(
    connection: duckdb.DuckDBPyConnection, currency: str, end: datetime
) -> list[dict[str, Any]]:
    params = {
        "currency": currency,
        "end": end,
        "days": BILL_DAYS,
        "hole": HOLE_DAYS,
        "time_unit": TIME_UNIT,
        "day_unit": _DAY_UNIT,
        "data_unit": _DATA_UNIT,
        "hour_unit": _HOUR_UNIT,
    }
    found: list[dict[str, Any]] = connection.sql(QUERY, params=params).to_arrow_table().to_pylist()
    return found


def _bill(rows: list[dict[str, Any]], currency: str) -> Bill:
    costs: dict[str, Cost] = {}
    spend = Decimal(0)
    credited = Decimal(0)
    nameless: dict[str, Decimal] = {}
    for row in rows:
        cost = _cost(row, currency)
        if row["nameless"]:
            found = nameless.get(row["provider"], Decimal(0))
            nameless[row["provider"]] = found + money(row["nameless"] * _pace(row))
        spend += max(Decimal(0), cost.monthly)
        credited += min(Decimal(0), cost.monthly)
        if row["resource"] and not row["credit"]:
            key = resource_key(row["resource"])
            costs[key] = _sum(costs[key], cost) if key in costs else cost
    since = min(row["since"] for row in rows)
    until = max(row["until"] for row in rows)
    spans = {row["provider"]: Window(row["since"], row["until"]) for row in rows}
    missing = {row["provider"]: row["missing"] for row in rows if row["missing"]}
    return Bill(currency, costs, spend, nameless, credited, since, until, spans, {}, missing)


def _cost(row: dict[str, Any], currency: str) -> Cost:
    span, pace = _hours(row["until"] - row["since"]) - row["missing"], _pace(row)
    ran = float(row["hours"]) if row["hours"] is not None else _covered(row["periods"])
    share = row["committed"] / row["compute"] if row["compute"] else Decimal(0)
    return Cost(
        monthly=money((row["effective"] or Decimal(0)) * pace),
        compute=money(row["compute"] * pace),
        compute_list=money(row["compute_list"] * pace),
        hourly_effective=money(row["compute"] / Decimal(repr(ran))) if ran else None,
        running_share=min(1.0, ran / span) if span else 0.0,
        committed_share=float(min(Decimal(1), max(Decimal(0), share))),
        currency=currency,
        basis="charges",
    )


def _pace(row: dict[str, Any]) -> Decimal:
    """What makes a month of the row's span."""
    span = _hours(row["until"] - row["since"]) - row["missing"]
    return Decimal(HOURS_PER_MONTH) / Decimal(repr(span)) if span else Decimal(0)


def _sum(one: Cost, other: Cost) -> Cost:
    """One resource billed under two spellings or by two providers (a marketplace)."""
    larger = max(one, other, key=lambda c: c.compute)
    return Cost(
        monthly=one.monthly + other.monthly,
        compute=one.compute + other.compute,
        compute_list=one.compute_list + other.compute_list,
        hourly_effective=larger.hourly_effective,
        running_share=larger.running_share,
        committed_share=larger.committed_share,
        currency=one.currency,
        basis="charges",
    )


def _covered(periods: list[dict[str, datetime]] | None) -> float:
    """Hours that the (possibly overlapping) periods cover."""
    total, reached = timedelta(0), None
    for period in sorted(periods or (), key=lambda p: (p["f"], p["t"])):
        start = period["f"] if reached is None else max(period["f"], reached)
        if period["t"] > start:
            total += period["t"] - start
            reached = period["t"]
    return _hours(total)


def _hours(span: timedelta) -> float:
    return span / timedelta(hours=1)


def shared(cost: Cost, machines: int) -> Cost:
    """One machine's part of what several are billed as: all alike, as the bill tells no more."""
    return replace(
        cost,
        monthly=money(cost.monthly / machines),
        compute=money(cost.compute / machines),
        compute_list=money(cost.compute_list / machines),
    )


def list_cost(
    resource: Resource, price: Price | None, discount: Decimal = Decimal(0)
) -> Cost | None:
    """The cost at list price of a machine that no bill names; None without a price.

    A stopped machine's compute costs nothing, unless Azure keeps its place; its disks are not known
    without a bill.

    Args:
        discount: share of the list price, 0..1, that the provider takes off by itself.
    """
    if price is None:
        return None
    billed, hourly = is_billed(resource), price.list_unit_price * (1 - discount)
    monthly = per_month(hourly) if billed else Decimal(0)
    return Cost(
        monthly=monthly,
        compute=monthly,
        compute_list=per_month(price.list_unit_price) if billed else Decimal(0),
        hourly_effective=money(hourly),
        running_share=1.0 if billed else 0.0,
        committed_share=0.0,
        currency=price.currency,
        basis="list",
    )


@dataclass(frozen=True, slots=True)
class FleetCost:
    """What the fleet costs a month, and what a reader of the sum must know."""

    monthly: Decimal
    currency: str
    reconciled_percent: float | None  # share of the bill found on known resources; None: no bill
    notes: tuple[str, ...]


def fleet_cost(
    bill: Bill | None, costs: Iterable[tuple[str, Cost | None]], asked: str | None = None
) -> FleetCost:
    """The bill's total plus, at list price, the resources that no bill names.

    Those of a provider are part of what its bill charges for computing without a name, as far as
    that goes: a bill without resource ids is not added to once more.

    Args:
        costs: of every known resource, by `provider_key`; None = neither a bill nor a price.
        asked: the currency to speak in where there is no bill; None = the most common price's.
    """
    every = [(provider, cost) for provider, cost in costs if cost is not None]
    known = [cost for _, cost in every]
    counts = Counter(cost.currency for cost in known)
    common = min(counts, key=lambda name: (-counts[name], name), default="USD")
    currency = bill.currency if bill else asked or common
    same = [cost for cost in known if cost.currency == currency]
    # What was refunded beyond a resource's cost is no part of the spend (`Bill.credited`).
    billed = sum((max(c.monthly, Decimal(0)) for c in same if c.basis == "charges"), Decimal(0))
    at_list = [(name, cost) for name, cost in every if cost.basis == "list"]
    listed = _beside(bill, [(name, cost) for name, cost in at_list if cost.currency == currency])
    spend = bill.spend if bill else Decimal(0)
    share = float(billed / spend) * 100 if bill and spend else None
    notes = []
    if not bill:
        notes.append("no bill covers the time before: every amount is at list price")
    else:
        notes.append(
            f"a month is {HOURS_PER_MONTH} hours at the pace of the bill of {bill.since:%Y-%m-%d} "
            f"to {bill.until:%Y-%m-%d}; tax and support are part of the spend"
        )
        for provider, hours in sorted(bill.missing.items()):
            days = counted(hours / 24, "day", ".3g")
            notes.append(
                f"the bill of {provider} lacks {days} of that: they count neither as a cost nor as "
                "time"
            )
        if bill.credited:
            credit = f"{-cents(bill.credited)} {currency}"
            notes.append(f"credits of {credit} a month come off the whole bill beside that spend")
    count = sum(c.basis == "list" for c in same)
    if bill and count and not listed:
        notes.append(
            f"{counted(count, 'resource')} on no bill: part of the computing that the bill names "
            "no resource for; export it with resource ids"
        )
    elif bill and count:
        notes.append(f"{counted(count, 'resource')} on no bill: the list price is the cost")
    if other := (bill.other_spend if bill else {}):
        sums = ", ".join(f"{cents(spend):,} {name}" for name, spend in sorted(other.items()))
        notes.append(
            f"left out of every sum, as no rate is known: charges of {sums} a month; set currency "
            "to see those instead"
        )
    if len(same) < len(known):
        notes.append(
            f"{counted(len(known) - len(same), 'resource')} in another currency than {currency}"
        )
    return FleetCost(spend + listed, currency, share, tuple(notes))


def _beside(bill: Bill | None, listed: Iterable[tuple[str, Cost]]) -> Decimal:
    """What these cost beside the bill's own computing without a name, summed by provider."""
    sums: dict[str, Decimal] = {}
    for provider, cost in listed:
        sums[provider] = sums.get(provider, Decimal(0)) + cost.monthly
    nameless = bill.nameless if bill else {}
    return sum(
        (max(Decimal(0), total - nameless.get(name, Decimal(0))) for name, total in sums.items()),
        Decimal(0),
    )
