"""The FOCUS specification's rules on rows, each a column, a sentence and the rows that break it.

Where versions differ, a row is wrong only if it is wrong in each of 1.0 to 1.4. Left out: rules
that need the invoice, the price list or other rows, and conditions that only the provider knows
("when the provider supports ...").

Source: FOCUS_Spec 1.0, 1.1, 1.2, `specification/columns/*.md` and `specification/attributes/*.md`;
change logs of 1.3 and 1.4.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

import pyarrow as pa
import pyarrow.compute as pc

from costopt.frame import focus_terms as terms
from costopt.frame.moments import times
from costopt.frame.values import numbers, plain, texts
from costopt.model.currency import CURRENCIES

Level = Literal["MUST", "SHOULD"]

# Products and sums are compared beyond rounding: providers round prices to 10 digits and costs to
# as few as 6 (the FOCUS sample: 11).
_RELATIVE: Final = 1e-4
_ABSOLUTE: Final = 1e-6


class Bill:
    """A bill's columns, each read once; a literal NULL or an empty field is null."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table
        self.names = frozenset(table.column_names)
        self._text: dict[str, pa.Array] = {}
        self._number: dict[str, pa.Array] = {}

    def raw(self, name: str) -> pa.Array:
        return self.table.column(name).combine_chunks()

    def text(self, name: str) -> pa.Array:
        if name not in self._text:
            self._text[name] = texts(self.raw(name)).values
        return self._text[name]

    def number(self, name: str) -> pa.Array:
        if name not in self._number:
            self._number[name] = numbers(self.raw(name)).values
        return self._number[name]

    def null(self, name: str) -> pa.Array:
        return pc.is_null(self.text(name))

    def given(self, name: str) -> pa.Array:
        return pc.is_valid(self.text(name))

    def equals(self, name: str, *values: str) -> pa.Array:
        """Rows holding one of the values; none where the column is absent."""
        if name not in self.names:
            return pa.repeat(False, self.table.num_rows)
        return pc.is_in(self.text(name), pa.array(values, pa.string()))


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: the columns it needs, and the rows that break it."""

    name: str
    column: str
    message: str
    breaks: Callable[[Bill], pa.Array]  # boolean, null = no
    also: tuple[str, ...] = ()  # other columns that must be there to judge
    level: Level = "MUST"

    @property
    def code(self) -> str:
        """Column/rule, as violations and the documentation name it."""
        return f"{self.column}/{self.name}"


# -- rules of one column -----------------------------------------------------------------------


def _never_null(name: str) -> Rule:
    return Rule("not-null", name, "must not be null", lambda b: b.null(name))


def _placeholder(name: str) -> Rule:
    return Rule(
        "placeholder",
        name,
        'nothing must be null, not a placeholder such as "Not Applicable"',
        lambda b: b.equals(name, "Not Applicable", "not applicable"),
    )


def _as_text(bill: Bill, name: str) -> pa.Array | None:
    """The column as it was written, where it is text at all; typed columns have no notation."""
    values = plain(bill.raw(name)).values
    return bill.text(name) if pa.types.is_string(values.type) else None


def _written(name: str, rule: str, pattern: str, message: str) -> Rule:
    def breaks(bill: Bill) -> pa.Array:
        text = _as_text(bill, name)
        if text is None:
            return pa.repeat(False, bill.table.num_rows)
        return pc.invert(pc.match_substring_regex(text, pattern))

    return Rule(rule, name, message, breaks)


def _numeric(name: str) -> Rule:
    return _written(
        name,
        "numeric-format",
        r"^-?(\d+\.?\d*|\.\d+)([Ee]-?\d+)?$",
        "must be a plain number: no plus sign, no commas, no currency, at most mEn (NumericFormat)",
    )


def _dated(name: str) -> Rule:
    return _written(
        name,
        "datetime-format",
        r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$",
        "must be a UTC time as YYYY-MM-DDTHH:mm:ssZ (DateTimeFormat)",
    )


def _allowed(name: str) -> Rule:
    values = terms.ALLOWED[name]
    return Rule(
        "allowed-values",
        name,
        f"must be one of {', '.join(values)}",
        lambda b: pc.and_(b.given(name), pc.invert(b.equals(name, *values))),
    )


def _currency(name: str) -> Rule:
    known = tuple(sorted(CURRENCIES))
    return Rule(
        "currency-format",
        name,
        "must be a three-letter ISO 4217 code (CurrencyFormat)",
        lambda b: pc.and_(b.given(name), pc.invert(b.equals(name, *known))),
    )


def _not_negative(name: str) -> Rule:
    return Rule("not-negative", name, "must not be negative", lambda b: pc.less(b.number(name), 0))


def _key_value(name: str) -> Rule:
    def breaks(bill: Bill) -> pa.Array:
        text = _as_text(bill, name)
        if text is None:
            return pa.repeat(False, bill.table.num_rows)
        coded = text.dictionary_encode()
        wrong = [not _is_flat_object(value) for value in coded.dictionary.to_pylist()]
        return pa.array(wrong, pa.bool_()).take(coded.indices)

    message = "must be a JSON object of numbers, text, true, false or null (KeyValueFormat)"
    return Rule("key-value-format", name, message, breaks)


def _is_flat_object(text: str) -> bool:
    try:
        pairs: Any = json.loads(text, object_pairs_hook=list)
    except (ValueError, RecursionError):
        return False
    if not text.lstrip().startswith("{"):
        return False
    keys = [key for key, _ in pairs]
    return len(set(keys)) == len(keys) and not any(isinstance(v, list) for _, v in pairs)


# -- rules between columns ---------------------------------------------------------------------


def _null_with(name: str, other: str) -> Rule:
    return Rule(
        f"null-without-{other}",
        name,
        f"must be null when {other} is null",
        lambda b: pc.and_(b.given(name), b.null(other)),
        also=(other,),
    )


def _given_with(name: str, other: str) -> Rule:
    return Rule(
        f"not-null-with-{other}",
        name,
        f"must not be null when {other} is not null",
        lambda b: pc.and_(b.null(name), b.given(other)),
        also=(other,),
    )


def _null_for_tax(name: str) -> Rule:
    return Rule(
        "null-for-tax",
        name,
        "must be null when ChargeCategory is Tax",
        lambda b: pc.and_(b.given(name), b.equals("ChargeCategory", "Tax")),
        also=("ChargeCategory",),
    )


def _bought(bill: Bill) -> pa.Array:
    """Usage and purchases that are no correction."""
    bought = bill.equals("ChargeCategory", "Usage", "Purchase")
    return pc.and_not(bought, bill.equals("ChargeClass", "Correction"))


def _given_for_usage(name: str) -> Rule:
    return Rule(
        "not-null-for-usage",
        name,
        "must not be null when ChargeCategory is Usage or Purchase and the row is no Correction",
        lambda b: pc.and_(b.null(name), _bought(b)),
        also=("ChargeCategory",),
    )


def _after(end: str, start: str) -> Rule:
    def breaks(bill: Bill) -> pa.Array:
        return pc.less_equal(times(bill.raw(end)).values, times(bill.raw(start)).values)

    return Rule(f"after-{start}", end, f"must lie after {start}", breaks, also=(start,))


def _product(cost: str, price: str) -> Rule:
    def breaks(bill: Bill) -> pa.Array:
        product = pc.multiply(bill.number(price), bill.number("PricingQuantity"))
        off = _apart(bill.number(cost), product)
        return pc.and_not(off, bill.equals("ChargeClass", "Correction"))

    return Rule(
        "product",
        cost,
        f"must be {price} times PricingQuantity, but for a Correction",
        breaks,
        also=(price, "PricingQuantity"),
    )


def _apart(one: pa.Array, other: pa.Array) -> pa.Array:
    size = pc.max_element_wise(pc.abs(one), pc.abs(other))
    room = pc.add(pc.multiply(size, _RELATIVE), _ABSOLUTE)
    return pc.greater(pc.abs(pc.subtract(one, other)), room)


def _wrong_subcategory(bill: Bill) -> pa.Array:
    category, sub = bill.text("ServiceCategory"), bill.text("ServiceSubcategory")
    joined = pc.binary_join_element_wise(category, sub, "\x1f")
    known = [f"{c}\x1f{s}" for c, names in terms.SUBCATEGORIES.items() for s in sorted(names)]
    return pc.and_(pc.is_valid(joined), pc.invert(pc.is_in(joined, pa.array(known))))


def _covered(bill: Bill) -> pa.Array:
    """Usage drawn from a commitment."""
    used = bill.equals("CommitmentDiscountStatus", "Used")
    return pc.and_(used, bill.equals("ChargeCategory", "Usage"))


_BETWEEN: Final = (
    _after("BillingPeriodEnd", "BillingPeriodStart"),
    _after("ChargePeriodEnd", "ChargePeriodStart"),
    Rule(
        "not-usage-based-purchase",
        "ChargeFrequency",
        "must not be Usage-Based when ChargeCategory is Purchase",
        lambda b: pc.and_(
            b.equals("ChargeFrequency", "Usage-Based"), b.equals("ChargeCategory", "Purchase")
        ),
        also=("ChargeCategory",),
    ),
    Rule(
        "zero-for-commitment-purchase",
        "EffectiveCost",
        "must be 0 where ChargeCategory is Purchase and the purchase covers future charges "
        "(CommitmentDiscountId is not null)",
        lambda b: pc.and_(
            pc.and_(b.equals("ChargeCategory", "Purchase"), b.given("CommitmentDiscountId")),
            pc.not_equal(b.number("EffectiveCost"), 0),
        ),
        also=("ChargeCategory", "CommitmentDiscountId"),
    ),
    Rule(
        "billed-for-credit",
        "EffectiveCost",
        "must match BilledCost when ChargeCategory is Credit",
        lambda b: pc.and_(
            b.equals("ChargeCategory", "Credit"),
            _apart(b.number("EffectiveCost"), b.number("BilledCost")),
        ),
        also=("ChargeCategory", "BilledCost"),
    ),
    _product("ListCost", "ListUnitPrice"),
    _product("ContractedCost", "ContractedUnitPrice"),
    Rule(
        "committed-when-covered",
        "PricingCategory",
        "must be Committed for usage that draws on a commitment discount",
        lambda b: pc.and_not(_covered(b), b.equals("PricingCategory", "Committed")),
        also=("ChargeCategory", "CommitmentDiscountStatus"),
    ),
    Rule(
        "not-null-for-commitment-usage",
        "CommitmentDiscountStatus",
        "must not be null when CommitmentDiscountId is not null and ChargeCategory is Usage",
        lambda b: pc.and_(
            pc.and_(b.null("CommitmentDiscountStatus"), b.given("CommitmentDiscountId")),
            b.equals("ChargeCategory", "Usage"),
        ),
        also=("CommitmentDiscountId", "ChargeCategory"),
    ),
    Rule(
        "null-unless-usage",
        "ConsumedQuantity",
        "must be null when ChargeCategory is not Usage",
        lambda b: pc.and_(
            b.given("ConsumedQuantity"),
            pc.and_not(b.given("ChargeCategory"), b.equals("ChargeCategory", "Usage")),
        ),
        also=("ChargeCategory",),
    ),
    Rule(
        "not-null-for-usage",
        "ConsumedQuantity",
        "must not be null for Usage that is neither a Correction nor unused commitment",
        lambda b: pc.and_(
            pc.and_(b.null("ConsumedQuantity"), b.equals("ChargeCategory", "Usage")),
            pc.and_not(_bought(b), b.equals("CommitmentDiscountStatus", "Unused")),
        ),
        also=("ChargeCategory",),
    ),
    Rule(
        "parent",
        "ServiceSubcategory",
        "must be a value that the specification lists under the row's ServiceCategory",
        _wrong_subcategory,
        also=("ServiceCategory",),
    ),
)

_PRICED: Final = (
    "PricingCategory",
    "PricingQuantity",
    "ListUnitPrice",
    "ContractedUnitPrice",
    "SkuId",
    "SkuPriceId",
)
_COMMITMENT: Final = ("Category", "Name", "Quantity", "Status", "Type")

RULES: Final[tuple[Rule, ...]] = (
    *(_never_null(name) for name in terms.NEVER_NULL),
    *(_placeholder(name) for name in sorted(terms.COLUMNS - set(terms.DECIMALS))),
    *(_numeric(name) for name in terms.DECIMALS),
    *(_dated(name) for name in terms.TIMES),
    *(_allowed(name) for name in terms.ALLOWED),
    _currency("BillingCurrency"),
    *(_key_value(name) for name in ("Tags", "AllocatedTags")),
    *(_not_negative(name) for name in ("ListUnitPrice", "ContractedUnitPrice")),
    *(_null_for_tax(name) for name in (*_PRICED, "PricingUnit")),
    *(_given_for_usage(name) for name in (*_PRICED, "PricingUnit")),
    *(_null_with(f"CommitmentDiscount{name}", "CommitmentDiscountId") for name in _COMMITMENT),
    *(_given_with(f"CommitmentDiscount{n}", "CommitmentDiscountId") for n in ("Category", "Type")),
    _null_with("CommitmentDiscountUnit", "CommitmentDiscountQuantity"),
    _given_with("CommitmentDiscountUnit", "CommitmentDiscountQuantity"),
    _null_with("CapacityReservationStatus", "CapacityReservationId"),
    _null_with("ConsumedUnit", "ConsumedQuantity"),
    _given_with("ConsumedUnit", "ConsumedQuantity"),
    _null_with("ResourceType", "ResourceId"),
    _given_with("ResourceType", "ResourceId"),
    _null_with("ResourceName", "ResourceId"),
    _null_with("RegionName", "RegionId"),
    _given_with("RegionName", "RegionId"),
    _null_with("SubAccountName", "SubAccountId"),
    _null_with("SkuMeter", "SkuId"),
    Rule(
        "described",
        "ChargeDescription",
        "should not be null",
        lambda b: b.null("ChargeDescription"),
        level="SHOULD",
    ),
    *_BETWEEN,
)
"""Every rule on rows. `present` and `custom-prefix`, on the columns, come on top (focus.py)."""
