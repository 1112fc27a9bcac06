"""FOCUS bills of every version come in, exact; what they break is told by rule, column and row."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from costopt import schema
from costopt.frame import focus, focus_terms
from costopt.frame.bill import normalise
from costopt.frame.focus_rules import RULES
from tests.conftest import ROOT

# A line that breaks no rule: an hour of a machine, on demand.
SOUND = {
    "AvailabilityZone": "eu-west-1a",
    "BilledCost": "0.192",
    "BillingAccountId": "410200000009",
    "BillingAccountName": "payer",
    "BillingCurrency": "USD",
    "BillingPeriodEnd": "2024-10-01T00:00:00Z",
    "BillingPeriodStart": "2024-09-01T00:00:00Z",
    "ChargeCategory": "Usage",
    "ChargeClass": None,
    "ChargeDescription": "an hour of m6i.xlarge",
    "ChargeFrequency": "Usage-Based",
    "ChargePeriodEnd": "2024-09-18T23:00:00Z",
    "ChargePeriodStart": "2024-09-18T22:00:00Z",
    "CommitmentDiscountCategory": None,
    "CommitmentDiscountId": None,
    "CommitmentDiscountName": None,
    "CommitmentDiscountStatus": None,
    "CommitmentDiscountType": None,
    "ConsumedQuantity": "1",
    "ConsumedUnit": "Hours",
    "ContractedCost": "0.192",
    "ContractedUnitPrice": "0.192",
    "EffectiveCost": "0.192",
    "InvoiceIssuerName": "Amazon Web Services, Inc.",
    "ListCost": "0.192",
    "ListUnitPrice": "0.192",
    "PricingCategory": "Standard",
    "PricingQuantity": "1",
    "PricingUnit": "Hours",
    "ProviderName": "AWS",
    "PublisherName": "Amazon Web Services, Inc.",
    "RegionId": "eu-west-1",
    "RegionName": "Europe (Ireland)",
    "ResourceId": "i-1",
    "ResourceName": None,
    "ResourceType": "Instance",
    "ServiceCategory": "Compute",
    "ServiceName": "Amazon Elastic Compute Cloud",
    "SkuId": "G95",
    "SkuPriceId": "G95.JRT",
    "SubAccountId": "1",
    "SubAccountName": "one",
    "Tags": '{"team": "web"}',
}
COMMITMENT = {
    "CommitmentDiscountCategory": "Spend",
    "CommitmentDiscountId": "sp-1",
    "CommitmentDiscountStatus": "Used",
    "CommitmentDiscountType": "Savings Plan",
    "PricingCategory": "Committed",
}
PURCHASE = COMMITMENT | {
    "ChargeCategory": "Purchase",
    "ChargeFrequency": "Recurring",
    "CommitmentDiscountStatus": None,
    "ConsumedQuantity": None,
    "ConsumedUnit": None,
    "EffectiveCost": "0",
    "PricingCategory": "Standard",
}
TAX = {
    "ChargeCategory": "Tax",
    "ConsumedQuantity": None,
    "ConsumedUnit": None,
    "ContractedUnitPrice": None,
    "ListUnitPrice": None,
    "PricingCategory": None,
    "PricingQuantity": None,
    "PricingUnit": None,
    "SkuId": None,
    "SkuPriceId": None,
}


def bill(*changes: dict[str, Any], without: tuple[str, ...] = ()) -> pa.Table:
    """The sound line, and one more for each change to it; without some columns."""
    rows = [SOUND, *(SOUND | change for change in changes)]
    names = [name for name in dict.fromkeys(n for row in rows for n in row) if name not in without]
    return pa.table({n: pa.array([row.get(n) for row in rows], pa.string()) for n in names})


def broken(table: pa.Table) -> set[str]:
    return {violation.rule for violation in focus.check(table)}


# -- loading ---------------------------------------------------------------------------------


def columns(table: pa.Table) -> dict[str, pa.Array]:
    return {name: table.column(name).combine_chunks() for name in table.column_names}


def test_a_line_comes_in_typed_and_exact() -> None:
    intake = normalise(columns(bill()))
    row = intake.table.to_pylist(maps_as_pydicts="strict")[0]
    assert intake.table.schema == schema.CHARGES
    assert intake.misread == ()
    assert row["EffectiveCost"] == Decimal("0.192")
    assert row["ChargePeriodStart"] == datetime(2024, 9, 18, 22, tzinfo=UTC)
    assert row["Tags"] == {"team": "web"}
    assert row["x_Attributes"] is None


def test_both_vocabularies_name_the_provider() -> None:
    newer = {"ServiceProviderName": "AWS", "HostProviderName": "AWS"}
    table = bill(newer, without=("ProviderName", "PublisherName"))
    rows = normalise(columns(table)).table.to_pylist(maps_as_pydicts="strict")
    assert [row["ProviderName"] for row in rows] == [None, "AWS"]
    assert rows[1]["HostProviderName"] == "AWS"
    assert rows[1]["PublisherName"] is None
    # 1.3 may name both: the older wins where it is given, and the newer is kept beside it.
    both = bill(newer | {"ProviderName": "Seller"}, newer | {"ProviderName": None})
    rows = normalise(columns(both)).table.to_pylist(maps_as_pydicts="strict")
    assert [row["ProviderName"] for row in rows] == ["AWS", "Seller", "AWS"]
    assert rows[1]["x_Attributes"] == {"ServiceProviderName": "AWS"}


def test_columns_without_a_place_are_kept_verbatim() -> None:
    table = bill({"InvoiceId": "INV-7", "x_Operation": "RunInstances", "Id": "NULL"})
    rows = normalise(columns(table)).table.to_pylist(maps_as_pydicts="strict")
    assert rows[1]["x_Attributes"] == {"InvoiceId": "INV-7", "x_Operation": "RunInstances"}


def test_allowed_values_get_the_specifications_spelling() -> None:
    table = bill({"ChargeFrequency": "usage-based", "BillingCurrency": "eur"})
    row = normalise(columns(table)).table.to_pylist()[1]
    assert row["ChargeFrequency"] == "Usage-Based"
    assert row["BillingCurrency"] == "EUR"


@pytest.mark.parametrize("name", ["EffectiveCost", "BillingCurrency", "ChargePeriodStart"])
def test_a_line_without_cost_currency_or_time_is_left_out_and_told(name: str) -> None:
    intake = normalise(columns(bill({name: "NULL"}, {name: None}, {"ResourceId": "i-2"})))
    assert intake.table.column("ResourceId").to_pylist() == ["i-1", "i-2"]
    assert intake.kept.tolist() == [0, 3]
    told = intake.misread[0]
    assert (told.column, told.what, told.refused, told.count, told.row) == (
        (name, "is missing", True, 2, 1)
    )


def test_an_unreadable_price_costs_only_itself() -> None:
    intake = normalise(columns(bill({"ListUnitPrice": "$3"})))
    assert intake.table.column("ListUnitPrice").to_pylist() == [Decimal("0.192"), None]
    assert [(m.column, m.refused, m.example) for m in intake.misread] == [
        ("ListUnitPrice", False, "$3")
    ]


def test_a_typed_bill_is_the_same_bill() -> None:
    text = columns(bill({"EffectiveCost": "0.1"}, {"EffectiveCost": "3e-7"}))
    typed = dict(text)
    typed["EffectiveCost"] = pa.array([0.192, 0.1, 3e-7])
    typed["BilledCost"] = pa.array([Decimal("0.192")] * 3, pa.decimal128(38, 9))
    typed["ChargePeriodStart"] = pa.array(
        [datetime(2024, 9, 18, 22, tzinfo=UTC)] * 3, pa.timestamp("ms", tz="UTC")
    )
    typed["Tags"] = pa.array([[("team", "web")]] * 3, pa.map_(pa.string(), pa.string()))
    typed["ServiceName"] = text["ServiceName"].dictionary_encode()
    typed["SkuId"] = text["SkuId"].cast(pa.large_string())
    assert normalise(typed).table.equals(normalise(text).table)
    assert focus.check(pa.table(typed)) == focus.check(pa.table(text))


# -- the checker -----------------------------------------------------------------------------


def test_sound_lines_break_nothing() -> None:
    assert broken(bill(COMMITMENT, PURCHASE, TAX)) == set()


BREAKS = [
    ({"BilledCost": None}, "BilledCost/not-null"),
    ({"BilledCost": "NULL"}, "BilledCost/not-null"),
    ({"BilledCost": "+1"}, "BilledCost/numeric-format"),
    ({"BilledCost": "35.2E+7"}, "BilledCost/numeric-format"),
    ({"BilledCost": "3,432"}, "BilledCost/numeric-format"),
    ({"BilledCost": "$32"}, "BilledCost/numeric-format"),
    ({"BillingCurrency": "Dollar"}, "BillingCurrency/currency-format"),
    ({"BillingCurrency": "usd"}, "BillingCurrency/currency-format"),
    ({"BillingPeriodEnd": "2024-09-01T00:00:00Z"}, "BillingPeriodEnd/after-BillingPeriodStart"),
    ({"ChargePeriodEnd": "2024-09-18T21:00:00Z"}, "ChargePeriodEnd/after-ChargePeriodStart"),
    ({"ChargePeriodEnd": "2024-09-18 23:00:00"}, "ChargePeriodEnd/datetime-format"),
    ({"ChargePeriodEnd": "2024-09-19T01:00:00+02:00"}, "ChargePeriodEnd/datetime-format"),
    ({"ChargeCategory": "usage"}, "ChargeCategory/allowed-values"),
    ({"ChargeClass": "Refund"}, "ChargeClass/allowed-values"),
    ({"ChargeFrequency": "Usage-based"}, "ChargeFrequency/allowed-values"),
    ({"PricingCategory": "On-Demand"}, "PricingCategory/allowed-values"),
    ({"ServiceCategory": "Cloud"}, "ServiceCategory/allowed-values"),
    (COMMITMENT | {"CommitmentDiscountStatus": "Spent"}, "CommitmentDiscountStatus/allowed-values"),
    (COMMITMENT | {"CommitmentDiscountCategory": "x"}, "CommitmentDiscountCategory/allowed-values"),
    ({"Tags": "team=web"}, "Tags/key-value-format"),
    ({"Tags": '{"team": ["web"]}'}, "Tags/key-value-format"),
    ({"Tags": '{"a": 1, "a": 2}'}, "Tags/key-value-format"),
    ({"ServiceName": "Not Applicable"}, "ServiceName/placeholder"),
    ({"ChargeDescription": None}, "ChargeDescription/described"),
    ({"ListUnitPrice": "-1", "ListCost": "-1"}, "ListUnitPrice/not-negative"),
    ({"ListCost": "0.2"}, "ListCost/product"),
    ({"ContractedCost": "0.2"}, "ContractedCost/product"),
    ({"PricingUnit": None}, "PricingUnit/not-null-for-usage"),
    ({"SkuId": None}, "SkuId/not-null-for-usage"),
    (TAX | {"SkuId": "G95"}, "SkuId/null-for-tax"),
    (TAX | {"ConsumedQuantity": "1"}, "ConsumedQuantity/null-unless-usage"),
    ({"ConsumedQuantity": None}, "ConsumedQuantity/not-null-for-usage"),
    ({"ConsumedUnit": None}, "ConsumedUnit/not-null-with-ConsumedQuantity"),
    (
        {"CommitmentDiscountStatus": "Used", "PricingCategory": "Committed"},
        "CommitmentDiscountStatus/null-without-CommitmentDiscountId",
    ),
    (
        COMMITMENT | {"CommitmentDiscountStatus": None},
        "CommitmentDiscountStatus/not-null-for-commitment-usage",
    ),
    (
        COMMITMENT | {"CommitmentDiscountType": None},
        "CommitmentDiscountType/not-null-with-CommitmentDiscountId",
    ),
    (COMMITMENT | {"PricingCategory": "Standard"}, "PricingCategory/committed-when-covered"),
    (PURCHASE | {"EffectiveCost": "1"}, "EffectiveCost/zero-for-commitment-purchase"),
    (PURCHASE | {"ChargeFrequency": "Usage-Based"}, "ChargeFrequency/not-usage-based-purchase"),
    (
        TAX | {"ChargeCategory": "Credit", "EffectiveCost": "-2", "BilledCost": "-1"},
        "EffectiveCost/billed-for-credit",
    ),
    ({"ResourceType": None}, "ResourceType/not-null-with-ResourceId"),
    ({"ResourceId": None}, "ResourceType/null-without-ResourceId"),
    ({"RegionName": None}, "RegionName/not-null-with-RegionId"),
    ({"SubAccountId": None}, "SubAccountName/null-without-SubAccountId"),
    ({"ServiceSubcategory": "Containers"}, "ServiceSubcategory/not-null"),
    (
        {"ServiceSubcategory": "Block Storage"},
        "ServiceSubcategory/parent",
    ),
    (
        {"CapacityReservationStatus": "Used", "CapacityReservationId": None},
        "CapacityReservationStatus/null-without-CapacityReservationId",
    ),
]


@pytest.mark.parametrize(("change", "rule"), BREAKS, ids=[rule for _, rule in BREAKS])
def test_each_rule_is_broken_by_column_and_row(change: dict[str, Any], rule: str) -> None:
    table = bill(change)
    found = next(v for v in focus.check(table, first_row=10) if v.rule == rule)
    assert found.column == rule.split("/", maxsplit=1)[0]
    if rule != "ServiceSubcategory/not-null":  # which the sound line breaks, not the changed one
        assert found.rows == (11,)
        assert found.count == 1
        assert found.value == str(change.get(found.column, SOUND.get(found.column)))


@pytest.mark.parametrize("text", ["-100.2", "-3", "4", "35.2E-7", "1.234", "1e5"])
def test_numbers_that_the_specification_allows(text: str) -> None:
    assert "BilledCost/numeric-format" not in broken(bill({"BilledCost": text}))


def test_corrections_may_leave_out_what_usage_needs() -> None:
    correction = {
        "ChargeClass": "Correction",
        "ListUnitPrice": None,
        "PricingQuantity": None,
        "PricingUnit": None,
        "SkuId": None,
        "ConsumedQuantity": None,
        "ConsumedUnit": None,
        "ListCost": "99",
    }
    assert broken(bill(correction)) == set()


@pytest.mark.parametrize("name", focus_terms.MANDATORY)
def test_an_absent_mandatory_column_is_named(name: str) -> None:
    found = {v.rule: v for v in focus.check(bill(without=(name,)))}
    assert found[f"{name}/present"].rows == (focus.HEADER,)


def test_either_vocabulary_is_complete_and_half_of_one_is_not() -> None:
    newer = {"ServiceProviderName": "AWS", "HostProviderName": "AWS"}
    old = ("ProviderName", "PublisherName")
    assert broken(bill(without=("PublisherName",))) == {"PublisherName/present"}
    assert broken(bill(without=old)) == {"ServiceProviderName/present", "HostProviderName/present"}
    assert "ServiceProviderName/present" not in broken(bill(newer, without=old))
    assert broken(bill(newer, without=(*old, "HostProviderName"))) == {
        "HostProviderName/present",
        "ServiceProviderName/not-null",  # of the sound line, which does not know it
    }


def test_foreign_columns_need_their_prefix() -> None:
    assert broken(bill({"Id": "1", "x_Id": "1"})) == {"Id/custom-prefix"}


def test_parts_of_a_bill_break_what_the_whole_breaks() -> None:
    changes = [{"BilledCost": "+1"} if n % 3 else {"Tags": "no"} for n in range(20)]
    table = bill(*changes, {"Id": "1"})
    parts = [focus.check(table.slice(at, 4), at) for at in range(0, table.num_rows, 4)]
    assert focus.merge(parts) == focus.check(table)


def test_an_empty_bill_breaks_only_what_its_columns_break() -> None:
    assert broken(bill().slice(0, 0)) == set()


def rules_as_documented() -> str:
    """The table of docs/focus.md: print it from here after a change of the rules."""
    columns_of: dict[tuple[str, str], list[str]] = {}
    for rule in RULES:
        said = (rule.name, rule.message if rule.level == "MUST" else f"{rule.message} (SHOULD)")
        columns_of.setdefault(said, []).append(rule.column)
    lines = ["| Rule | Columns | Says |", "|---|---|---|"]
    for (name, message), found in sorted(columns_of.items()):
        named = ", ".join(found) if len(found) < 25 else "every column but the decimals"
        lines.append(f"| `{name}` | {named} | {message} |")
    return "\n".join(lines)


def test_the_documentation_lists_every_rule() -> None:
    text = (ROOT / "docs" / "focus.md").read_text(encoding="utf-8")
    assert rules_as_documented() in text, rules_as_documented()


# -- the real sample -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sample(real_data: Path) -> Path:
    return real_data / "billing" / "focus_sample" / "FOCUS-1.0" / "focus_sample.csv"


@pytest.fixture(scope="module")
def lines(sample: Path) -> list[dict[str, str]]:
    with sample.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_focus_sample_loads_completely(lines: list[dict[str, str]]) -> None:
    given = {n: pa.array([line[n] for line in lines], pa.string()) for n in lines[0]}
    intake = normalise(given)
    assert intake.table.num_rows == len(lines) == 1000
    assert intake.misread == ()
    for name in ("EffectiveCost", "BilledCost", "ListCost"):
        exact = sum((Decimal(line[name]) for line in lines), Decimal(0))
        assert pc.sum(intake.table.column(name)).as_py() == exact
    contracted = intake.table.column("ContractedCost")
    assert contracted.null_count == sum(line["ContractedCost"] == "NULL" for line in lines) == 7
    tagged = sum(line["Tags"].startswith("{") for line in lines)
    assert intake.table.column("Tags").null_count == len(lines) - tagged
    ids = [dict(row)["Id"] for row in intake.table.column("x_Attributes").to_pylist()]
    assert ids == [line["Id"] for line in lines]
    assert set(pc.unique(intake.table.column("ChargeFrequency")).to_pylist()) == {
        "Usage-Based",
        "One-Time",
    }


def test_what_the_focus_sample_breaks(lines: list[dict[str, str]]) -> None:
    given = {n: pa.array([line[n] for line in lines], pa.string()) for n in lines[0]}
    found = {v.rule: v for v in focus.check(pa.table(given))}
    spaced = found["ChargePeriodStart/datetime-format"]
    assert spaced.count == 1000
    wrong_case = [n for n, line in enumerate(lines) if line["ChargeFrequency"] == "Usage-based"]
    assert found["ChargeFrequency/allowed-values"].count == len(wrong_case) == 7
    assert found["ChargeFrequency/allowed-values"].rows == tuple(wrong_case[: focus.EXAMPLES])
    assert "Id/custom-prefix" in found
    assert "BilledCost/numeric-format" not in found  # scientific notation is allowed
