"""A bill as it can be reckoned anew: meters with their rates, and commitments and what they cover.

All is read off the bill itself. A commitment's size is what it covered and what it left unused;
what an hour takes of it, what it took of that meter. A meter that it never covered may be covered
by it if it is of a SKU that it covered elsewhere (units) or of a service that it covered (money),
and was never on demand while the commitment had something left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow as pa

from costopt.frame.cost import TIME_UNIT, resource_key
from costopt.model import Window
from costopt.model.bill import Amounts, Held, Metered, Usage
from costopt.units import provider_key

COLUMNS: Final = (
    "BillingCurrency",
    "ChargeCategory",
    "ChargeClass",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "CommitmentDiscountCategory",
    "CommitmentDiscountId",
    "CommitmentDiscountName",
    "CommitmentDiscountQuantity",
    "CommitmentDiscountStatus",
    "CommitmentDiscountType",
    "ContractedCost",
    "EffectiveCost",
    "ListCost",
    "PricingCategory",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "RegionId",
    "ResourceId",
    "ServiceCategory",
    "ServiceName",
    "SkuId",
    "SubAccountId",
)
"""What `read` needs of a bill."""

_TINY: Final = 1e-9
_ORDERS: Final = (
    # (word in the type, order): sources in pricing/commitments.py
    ("reserv", 0),
    ("resource", 0),
    ("ec2 instance savings", 1),
    ("instance savings", 1),
)
_LAST: Final = 2  # compute savings plans, flexible commitments

# A period's rows of a meter, by what covers them. Whatever is no time of a machine, and what was
# put right later, is not reckoned: it is in `rest`.
_QUERY: Final = """
with mine as (
  select c.*, p.provider,
    ChargeCategory = 'Usage' and CommitmentDiscountStatus = 'Unused' as unused,
    epoch(ChargePeriodStart)::bigint as starts,
    (epoch(ChargePeriodEnd) - epoch(ChargePeriodStart)) / 3600 as hours
  from charges c join providers p on c.ProviderName is not distinct from p.ProviderName
  where BillingCurrency = $currency and ChargePeriodStart >= $start and ChargePeriodEnd <= $end
), sorted as (
  select *, ChargeCategory = 'Usage' and ChargeClass is null and (unused
    or (PricingQuantity > 0 and EffectiveCost >= 0
      and (ServiceCategory = 'Compute' or CommitmentDiscountId is not null)
      and regexp_matches(lower(coalesce(PricingUnit, '')), $time_unit))) as metered
  from mine
)
select provider, metered, unused, starts, hours, SubAccountId as account, RegionId as region,
  ResourceId as resource, SkuId as sku, ServiceName as service,
  PricingUnit as unit, PricingCategory = 'Dynamic' as spot, CommitmentDiscountId as commitment,
  any_value(CommitmentDiscountName) as name, any_value(CommitmentDiscountType) as kind,
  any_value(CommitmentDiscountCategory) as category,
  sum(PricingQuantity)::double as quantity, sum(EffectiveCost) as effective,
  sum(coalesce(ContractedCost, ListCost))::double as contracted,
  sum(CommitmentDiscountQuantity)::double as committed
from sorted group by all order by all
"""


def read(charges: pa.Table, window: Window, currency: str) -> dict[str, Metered]:
    """The bill of each provider over the window, by `provider_key`.

    Each on the periods that most of its meters have (hours, or days): what is billed by another
    length is not reckoned, and stands in `rest`.

    Args:
        charges: schema.CHARGES, at least `COLUMNS` of it.
    """
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.register("charges", charges)
        names = charges.column("ProviderName").unique().to_pylist()
        keys = [provider_key(name or "") for name in names]
        connection.register("providers", pa.table({"ProviderName": names, "provider": keys}))
        rows = (
            connection.sql(
                _QUERY,
                params={
                    "currency": currency,
                    "start": window.start,
                    "end": window.end,
                    "time_unit": TIME_UNIT,
                },
            )
            .to_arrow_table()
            .to_pylist()
        )
    by_provider: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_provider.setdefault(row["provider"], []).append(row)
    return {name: _metered(name, of_it, currency) for name, of_it in by_provider.items()}


def _metered(provider: str, rows: Sequence[Mapping[str, Any]], currency: str) -> Metered:
    lengths = Counter(row["hours"] for row in rows if row["metered"])
    hours = min(lengths, key=lambda length: (-lengths[length], length), default=1.0)
    reckoned = [row for row in rows if row["metered"] and row["hours"] == hours]
    rest = [row for row in rows if not (row["metered"] and row["hours"] == hours)]
    starts = np.unique(np.array([row["starts"] for row in reckoned], np.int64))
    grid = _Grid({start: at for at, start in enumerate(starts.tolist())})
    held = _held(provider, reckoned, grid)
    usages = _usages(provider, reckoned, grid)
    if hours > 1:
        held = [_within_the_period(one, usages, reckoned, grid) for one in held]
    return Metered(
        provider=provider,
        currency=currency,
        starts=starts,
        hours=hours,
        usages=tuple(_assumed(usages, held, _found(reckoned))),
        held=tuple(held),
        actual=grid.sums(reckoned, "effective"),
        rest=sum((row["effective"] or Decimal(0) for row in rest), Decimal(0)),
    )


@dataclass(frozen=True, slots=True)
class _Grid:
    at: Mapping[int, int]  # start of a period -> its place

    def sums(self, rows: Iterable[Mapping[str, Any]], column: str) -> Amounts:
        """A column added up by period; what is not told counts nothing."""
        total = np.zeros(len(self.at))
        for row in rows:
            total[self.at[row["starts"]]] += float(row[column] or 0)
        return total


def _meter(row: Mapping[str, Any]) -> tuple[str, ...]:
    """What tells one meter of one resource from all others."""
    parts = (row["account"], row["region"], row["resource"], row["service"], row["sku"])
    return tuple(part or "" for part in (*parts, row["unit"], "spot" if row["spot"] else ""))


def _by(rows: Iterable[Mapping[str, Any]], key: Any) -> dict[Any, list[Mapping[str, Any]]]:
    groups: dict[Any, list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return dict(sorted(groups.items()))


def _usages(provider: str, rows: Sequence[Mapping[str, Any]], grid: _Grid) -> list[Usage]:
    found = []
    for meter, mine in _by((row for row in rows if not row["unused"]), _meter).items():
        account, region, resource, *_ = meter
        found.append(
            Usage(
                key="\x1f".join(meter),
                resource_id=resource_key(resource) if resource else None,
                provider=provider,
                account=account or None,
                region=region or None,
                quantity=grid.sums(mine, "quantity"),
                rate=_rate(mine, grid),
                uses=_uses(mine),
            )
        )
    return found


def _rate(rows: Sequence[Mapping[str, Any]], grid: _Grid) -> Amounts:
    """Of one unit on demand: as billed where some of it was, else as contracted (or listed) then,
    else as over the whole time."""
    free = [row for row in rows if not row["commitment"]]
    paid, quantity = grid.sums(free, "effective"), grid.sums(free, "quantity")
    named, every = grid.sums(rows, "contracted"), grid.sums(rows, "quantity")
    if named.any():
        usual = named.sum() / every.sum()
        rate = np.divide(named, every, out=np.full(len(every), usual), where=every > 0)
    else:  # a bill that tells no list price: what was paid is all that is known
        rate = np.full(len(every), grid.sums(rows, "effective").sum() / every.sum())
        if quantity.any():
            rate[:] = paid.sum() / quantity.sum()
    billed: Amounts = np.divide(paid, quantity, out=rate, where=quantity > 0)
    return billed


def _uses(rows: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """How much of each commitment one unit of the meter took."""
    covered = _by((row for row in rows if row["commitment"]), lambda row: row["commitment"])
    takes = {}
    for commitment, mine in covered.items():
        quantity = sum(row["quantity"] for row in mine)
        taken = sum(_amount(row) for row in mine)
        if quantity > 0 and taken > 0:
            takes[commitment] = taken / quantity
    return takes


def _amount(row: Mapping[str, Any]) -> float:
    """Of a commitment, that this row covers or leaves: money, or units."""
    if row["category"] == "Spend":
        return float(row["effective"] or 0)
    return float(row["committed"] if row["committed"] is not None else row["quantity"] or 0)


def _held(provider: str, rows: Iterable[Mapping[str, Any]], grid: _Grid) -> list[Held]:
    covered = _by((row for row in rows if row["commitment"]), lambda row: row["commitment"])
    found = []
    for commitment, mine in covered.items():
        kind = mine[0]["kind"] or ""
        owners = {row["account"] for row in mine if row["unused"]}
        found.append(
            Held(
                commitment_id=commitment,
                name=mine[0]["name"] or commitment,
                provider=provider,
                kind=kind,
                order=next((n for word, n in _ORDERS if word in kind.lower()), _LAST),
                by_spend=mine[0]["category"] == "Spend",
                account=owners.pop() if len(owners) == 1 else None,
                amount=grid.sums([{**row, "amount": _amount(row)} for row in mine], "amount"),
                cost=grid.sums(mine, "effective"),
            )
        )
    return found


def _within_the_period(
    one: Held, usages: Iterable[Usage], rows: Iterable[Mapping[str, Any]], grid: _Grid
) -> Held:
    """The commitment without what it left unused while meters that it covers were on demand.

    Commitments apply by the hour, and a bill by the day tells no hours: a machine that ran when the
    commitment was used up could not have what was left when it was off. Days on which the bill
    shows both leave nothing to cover more with (the commitment's cost stays).
    """
    mine = [row for row in rows if row["commitment"] == one.commitment_id and row["unused"]]
    left = grid.sums([{**row, "amount": _amount(row)} for row in mine], "amount")
    free = np.zeros(len(left))
    for usage in usages:
        if one.commitment_id in usage.uses:
            on_demand = [
                row
                for row in rows
                if not row["commitment"] and "\x1f".join(_meter(row)) == usage.key
            ]
            free += grid.sums(on_demand, "quantity") * usage.uses[one.commitment_id]
    return replace(one, amount=np.where(free > _TINY, one.amount - left, one.amount))


@dataclass(frozen=True, slots=True)
class _Found:
    """What the bill itself says of who covers what."""

    skus: Mapping[str, frozenset[str]]  # commitment -> SKUs that it covered
    services: Mapping[str, frozenset[str]]  # commitment -> services that it covered
    left: Mapping[str, frozenset[int]]  # commitment -> starts of periods with something left
    free: Mapping[str, frozenset[int]]  # meter -> starts of periods with units on demand
    named: Mapping[str, tuple[str, str]]  # meter -> its SKU and service
    spot: frozenset[str]  # meters


def _found(rows: Sequence[Mapping[str, Any]]) -> _Found:
    covered = [row for row in rows if row["commitment"] and not row["unused"]]
    by_commitment = _by(covered, lambda row: row["commitment"])
    unused = [row for row in rows if row["unused"] and _amount(row) > _TINY]
    free = [row for row in rows if not row["commitment"] and not row["unused"]]
    meters = _by((r for r in rows if not r["unused"]), lambda row: "\x1f".join(_meter(row)))
    return _Found(
        {key: frozenset(r["sku"] or "" for r in mine) for key, mine in by_commitment.items()},
        {key: frozenset(r["service"] or "" for r in mine) for key, mine in by_commitment.items()},
        {
            key: frozenset(row["starts"] for row in mine)
            for key, mine in _by(unused, lambda row: row["commitment"]).items()
        },
        {
            key: frozenset(row["starts"] for row in mine)
            for key, mine in _by(free, lambda row: "\x1f".join(_meter(row))).items()
        },
        {key: (mine[0]["sku"] or "", mine[0]["service"] or "") for key, mine in meters.items()},
        frozenset(key for key, mine in meters.items() if mine[0]["spot"]),
    )


def _assumed(usages: Sequence[Usage], held: Sequence[Held], found: _Found) -> Iterable[Usage]:
    """The meters, with what else may cover them."""
    usual = {one.commitment_id: _usual(usages, one) for one in held}
    by_key = {usage.key: usage for usage in usages}
    for usage in usages:
        sku, service = found.named[usage.key]
        more = {}
        for one in held:
            name = one.commitment_id
            if name in usage.uses or usage.key in found.spot or name not in usual:
                continue
            if found.left.get(name, frozenset()) & found.free.get(usage.key, frozenset()):
                continue  # it could have, and did not
            if one.by_spend and service in found.services.get(name, frozenset()):
                more[name] = usual[name] * _mean_rate(usage)
            elif not one.by_spend and sku and sku in found.skus.get(name, frozenset()):
                more[name] = usual[name]
        takes = {name: take for name, take in more.items() if take > 0}
        yield replace(by_key[usage.key], uses={**usage.uses, **takes}, assumed=frozenset(takes))


def _usual(usages: Iterable[Usage], one: Held) -> float:
    """The median of what a commitment takes: of a unit, or of each unit of money on demand."""
    takes = [
        usage.uses[one.commitment_id] / (_mean_rate(usage) if one.by_spend else 1.0)
        for usage in usages
        if one.commitment_id in usage.uses and (_mean_rate(usage) > 0 or not one.by_spend)
    ]
    return float(np.median(takes)) if takes else 0.0


def _mean_rate(usage: Usage) -> float:
    total = usage.quantity.sum()
    return float((usage.rate * usage.quantity).sum() / total) if total > 0 else 0.0
