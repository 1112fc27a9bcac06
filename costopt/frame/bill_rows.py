"""Charges as arrays, row by row: what each is of, and why it cannot be reckoned anew, if so."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from types import MappingProxyType
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from costopt.frame.cost import TIME_UNIT, resource_key
from costopt.model import Window
from costopt.schema import COST
from costopt.units import provider_key

COLUMNS: Final = (
    "AvailabilityZone",
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
    "SkuMeter",
    "SubAccountId",
)
"""What is needed of a bill."""

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Codes = tuple[Ints, int]  # places in a sorted list of names, and how many names there are

_FEES: Final = "commitments' own fees, paid whatever runs"
_CATEGORIES: Final = {
    "Tax": "tax",
    "Credit": "credits",
    "Purchase": "other purchases",
    "Adjustment": "adjustments",
}
_OTHER: Final = "charges of no known category"
_CORRECTION: Final = "corrections of earlier charges"
_DISCOUNT: Final = "discounts and refunds of more than was on demand then"
_NO_COST: Final = "charges without a cost"
_NEGATIVE: Final = "machines' time at a negative cost"
_NO_TIME: Final = "storage, traffic and whatever else is not machines' time"
_NO_QUANTITY: Final = "machines' time without a quantity"
_NO_AMOUNT: Final = "covered, but the bill does not tell how much of the commitment that took"
_NO_PRICE: Final = "covered, but the bill nowhere tells the price on demand"

_TIME: Final = re.compile(TIME_UNIT)
_OF_MONEY: Final = re.compile("saving|flex|spend")  # where no category says so
HOURS: Final = re.compile(r"(1 )?((instance|vm|machine|node)[- ])?(h|hrs?|hours?)", re.I)
_LONGEST_DAY: Final = timedelta(hours=25)
_ZERO: Final = pa.scalar(0, COST)
_NO_RATES: Final[Mapping[str, float]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """One provider's rows; arrays are (rows,)."""

    METER: ClassVar = (
        "SubAccountId", "RegionId", "ResourceId", "ServiceName", "SkuId", "PricingUnit", "pricing",
    )  # fmt: skip
    OF_METER_ALONE: ClassVar = frozenset({"PricingUnit", "pricing"})

    provider: str
    start: Ints  # of the charge period, POSIX microseconds
    end: Ints
    codes: Mapping[str, Codes]  # of METER, and name, kind, category of commitments
    names: Mapping[str, Sequence[str]]
    commitments: Sequence[str]  # ids, sorted
    commitment: Ints  # place in them; -1: none
    by_spend: Bools  # its commitment is counted in money
    unused: Bools  # of a commitment
    purchase: Bools
    discount: Bools  # a row that takes off others' cost
    sums: Mapping[str, pa.Array]  # exact: EffectiveCost, PricingQuantity, contracted, ...
    reasons: Sequence[str]
    reason: Ints  # place in `reasons`; -1: it can be reckoned

    @property
    def reckoned(self) -> Bools:
        """Whether it can be."""
        return self.reason < 0

    def floats(self, name: str) -> npt.NDArray[np.float64]:
        """One of `sums`; what is not told is 0."""
        return np.asarray(pc.fill_null(self.sums[name].cast(pa.float64()), 0.0))

    def left(self, which: Bools, reason: str) -> Rows:
        """The same with these rows left out, too."""
        place = np.where(which & self.reckoned, len(self.reasons), self.reason)
        return replace(self, reasons=(*self.reasons, reason), reason=place)


def joined(codes: Iterable[Codes]) -> Ints:
    """One number for several, which sorts as they do, one after the other."""
    key, size = np.zeros(1, np.int64), 1
    for each, count in codes:
        if size * count > 2**62:
            key = np.unique(key, return_inverse=True)[1]
            size = int(key.max(initial=0)) + 1
        key, size = key * count + each, size * count
    return key


def rows(
    charges: pa.Table, window: Window, currency: str, rates: Mapping[str, float] = _NO_RATES
) -> dict[str, Rows]:
    """Charges of the currency that lie in the window, by `provider_key`.

    Args:
        charges: schema.CHARGES, at least `COLUMNS` of it.
        rates: what an hour of a machine costs on demand, by `resource_key`, for covered hours of
            which the bill nowhere tells it.
    """
    mine = pc.and_(pc.equal(charges["BillingCurrency"], currency), _within(charges, window))
    table = charges.select(COLUMNS)
    if not pc.all(mine, skip_nulls=False).as_py():
        table = table.filter(mine)
    (code, _), spellings = _coded(table["ProviderName"])
    keys = [provider_key(name) for name in spellings]
    found = {}
    for key in sorted(set(keys)):
        whose = np.isin(code, [at for at, name in enumerate(keys) if name == key])
        found[key] = _rows(key, table if whose.all() else table.filter(pa.array(whose)), rates)
    return {key: one for key, one in found.items() if len(one.start)}


def _within(charges: pa.Table, window: Window) -> pa.ChunkedArray:
    """What lies in it; of unused commitments, which may be told by the month, what touches it."""
    start, end = charges["ChargePeriodStart"], charges["ChargePeriodEnd"]
    whole = pc.and_(pc.greater_equal(start, window.start), pc.less_equal(end, window.end))
    touched = pc.and_(pc.less(start, window.end), pc.greater(end, window.start))
    return pc.or_(whole, pc.and_(touched, told_by_month(charges)))


def told_by_month(charges: pa.Table) -> pa.ChunkedArray:
    """Whether a row is what nobody used of a commitment, told by the month or so."""
    length = pc.subtract(charges["ChargePeriodEnd"], charges["ChargePeriodStart"])
    long = pc.fill_null(pc.greater(length, pa.scalar(_LONGEST_DAY)), False)
    unused = pc.fill_null(pc.equal(charges["CommitmentDiscountStatus"], "Unused"), False)
    return pc.and_(long, unused)


def _coded(column: pa.ChunkedArray | pa.Array) -> tuple[Codes, list[str]]:
    """Texts as places in the sorted list of them; what is not told is ""."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    coded = pc.fill_null(column, "").dictionary_encode()
    names = np.array(coded.dictionary.to_pylist(), object)
    order = np.argsort(names)
    place = np.empty(len(names), np.int64)
    place[order] = np.arange(len(names))
    codes = place[np.asarray(coded.indices)] if len(names) else np.zeros(0, np.int64)
    return (codes, max(len(names), 1)), names[order].tolist()


def _rows(provider: str, table: pa.Table, rates: Mapping[str, float]) -> Rows:
    table = table.set_column(
        table.schema.get_field_index("PricingCategory"), "pricing", _dynamic(table)
    )
    texts = {name: _coded(table[name]) for name in Rows.METER}
    texts |= {
        short: _coded(table[f"CommitmentDiscount{short.title()}"]) for short in ("name", "category")
    }
    texts["kind"] = _coded(table["CommitmentDiscountType"])
    texts |= {name: _coded(table[name]) for name in ("AvailabilityZone", "SkuMeter")}
    (of, _), ids = _coded(table["CommitmentDiscountId"])
    commitment = of - 1 if ids[:1] == [""] else of
    usage = _is(table, "ChargeCategory", "Usage")
    by_spend = _by_spend(texts)
    found = Rows(
        provider=provider,
        start=np.asarray(table["ChargePeriodStart"].cast(pa.int64())),
        end=np.asarray(table["ChargePeriodEnd"].cast(pa.int64())),
        codes={name: codes for name, (codes, _) in texts.items()},
        names={name: names for name, (_, names) in texts.items()},
        commitments=ids[1:] if ids[:1] == [""] else ids,
        commitment=commitment,
        by_spend=by_spend & (commitment >= 0),
        unused=usage & _is(table, "CommitmentDiscountStatus", "Unused") & (commitment >= 0),
        purchase=_is(table, "ChargeCategory", "Purchase"),
        discount=usage & (commitment < 0) & _takes_off(table),
        sums=_sums(table, by_spend),
        reasons=(),
        reason=np.full(table.num_rows, -1),
    )
    return _without_a_price(_sorted(found, table, usage), rates)


def _dynamic(table: pa.Table) -> pa.ChunkedArray:
    """Whether it is spot: a meter's other pricing categories are one."""
    return pc.if_else(_arrow(table, "PricingCategory", "Dynamic"), "Dynamic", "")


def _arrow(table: pa.Table, column: str, value: str) -> pa.ChunkedArray:
    return pc.fill_null(pc.equal(table[column], value), False)


def _is(table: pa.Table, column: str, value: str) -> Bools:
    return np.asarray(_arrow(table, column, value))


def _true(found: pa.ChunkedArray) -> Bools:
    return np.asarray(pc.fill_null(found, False))


def _by_spend(texts: Mapping[str, tuple[Codes, list[str]]]) -> Bools:
    """Rows of commitments that are counted in money."""
    (category, _), categories = texts["category"]
    (kind, _), kinds = texts["kind"]
    spend = np.array([name == "Spend" for name in categories], bool)
    unsaid = np.array([name == "" for name in categories], bool)
    money = np.array([bool(_OF_MONEY.search(name.lower())) for name in kinds], bool)
    found: Bools = spend[category] | (unsaid[category] & money[kind])
    return found


def _sums(table: pa.Table, by_spend: Bools) -> dict[str, pa.Array]:
    """Amounts of each row; contracted prices of 0 are none (Azure's, of what is reserved)."""
    effective, quantity = table["EffectiveCost"], table["PricingQuantity"]
    contracted = pc.coalesce(_positive(table["ContractedCost"]), _positive(table["ListCost"]))
    told = _positive(table["CommitmentDiscountQuantity"])
    amount = pc.if_else(
        pa.array(by_spend), pc.coalesce(_positive(effective), told), pc.coalesce(told, quantity)
    )
    return {
        "EffectiveCost": effective.combine_chunks(),
        "PricingQuantity": quantity.combine_chunks(),
        "contracted": contracted.combine_chunks(),
        "priced": pc.if_else(pc.is_valid(contracted), quantity, None).combine_chunks(),
        "amount": _positive(amount).combine_chunks(),
    }


def _positive(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.if_else(pc.greater(column, _ZERO), column, pa.scalar(None, column.type))


def _takes_off(table: pa.Table) -> Bools:
    nothing = pc.equal(pc.fill_null(table["PricingQuantity"], _ZERO), _ZERO)
    return _true(pc.less(table["EffectiveCost"], _ZERO)) & _true(nothing)


def _sorted(rows: Rows, table: pa.Table, usage: Bools) -> Rows:
    """The rows, with the reason why not for those that cannot be reckoned: the first that holds."""
    committed = rows.commitment >= 0
    rows = rows.left(rows.purchase & committed, _FEES)
    for category, reason in _CATEGORIES.items():
        rows = rows.left(_is(table, "ChargeCategory", category), reason)
    rows = rows.left(~usage, _OTHER)
    rows = rows.left(_true(pc.is_valid(table["ChargeClass"])), _CORRECTION)
    rows = rows.left(rows.discount, _DISCOUNT)
    rows = replace(rows, discount=rows.discount & (rows.reason == len(rows.reasons) - 1))
    used = ~rows.unused
    rows = rows.left(used & ~_machines_time(rows, table, committed), _NO_TIME)
    rows = rows.left(_true(pc.is_null(table["EffectiveCost"])), _NO_COST)
    rows = rows.left(_true(pc.less(table["EffectiveCost"], _ZERO)), _NEGATIVE)
    rows = rows.left(used & ~_true(pc.greater(table["PricingQuantity"], _ZERO)), _NO_QUANTITY)
    told = _true(pc.is_valid(rows.sums["amount"]))
    return rows.left(used & committed & ~told, _NO_AMOUNT)


def _machines_time(rows: Rows, table: pa.Table, committed: Bools) -> Bools:
    """Time of machines, and of what services else a commitment covered (databases, say)."""
    unit, _ = rows.codes["PricingUnit"]
    timed = np.array([bool(_TIME.search(name.lower())) for name in rows.names["PricingUnit"]], bool)
    service, count = rows.codes["ServiceName"]
    covered = np.bincount(service[committed & ~rows.purchase], minlength=count) > 0
    compute = _is(table, "ServiceCategory", "Compute")
    return timed[unit] & (compute | committed | covered[service])


def _without_a_price(rows: Rows, rates: Mapping[str, float]) -> Rows:
    """Left out what is covered and has no price on demand, neither of its own nor of its SKU, nor
    one that is told from elsewhere."""
    used = rows.reckoned & ~rows.unused
    priced = _true(pc.is_valid(rows.sums["contracted"]))
    known = used & ((rows.commitment < 0) | priced)
    doubtful = used & ~known
    if not doubtful.any():
        return rows
    sku, _ = rows.codes["SkuId"]
    resource, count = rows.codes["ResourceId"]
    unnamed = rows.names["SkuId"][:1] == [""]
    alone = np.where(sku == 0, resource + 1, 0) if unnamed else np.zeros_like(sku)
    of = [rows.codes[n] for n in ("ServiceName", "RegionId", "SkuId", "PricingUnit", "pricing")]
    key = joined([*of, (alone, count + 1)])
    rows, told = _at_rates(rows, doubtful & ~np.isin(key, key[known]), rates)
    return rows.left(doubtful & ~np.isin(key, key[known | told]), _NO_PRICE)


def _at_rates(rows: Rows, which: Bools, rates: Mapping[str, float]) -> tuple[Rows, Bools]:
    """The rows with those machine-hours at these rates; and which they are."""
    unit, _ = rows.codes["PricingUnit"]
    hours = np.array([bool(HOURS.fullmatch(name)) for name in rows.names["PricingUnit"]], bool)
    of_each = [rates.get(resource_key(name), 0.0) for name in rows.names["ResourceId"]]
    rate = np.array(of_each, float)[rows.codes["ResourceId"][0]]
    told = which & hours[unit] & (rate > 0)
    if not told.any():
        return rows, told
    price = pa.array(np.round(rate * rows.floats("PricingQuantity"), 9)).cast(COST)
    sums = dict(rows.sums)
    sums["contracted"] = pc.if_else(told, price, sums["contracted"])
    sums["priced"] = pc.if_else(told, sums["PricingQuantity"], sums["priced"])
    return replace(rows, sums=sums), told
