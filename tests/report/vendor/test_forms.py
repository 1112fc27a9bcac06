"""The comparison drawn and written: widths, the published schema, spreadsheets, hostile names."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import jsonschema
import pytest

from costopt.report import vendor
from costopt.report.screen import cells_of
from tests.report.builders import HOSTILE
from tests.report.vendor.beside import advice, compared, machine, renamed

SCHEMA = json.loads(vendor.schema())
VALIDATOR = jsonschema.Draft202012Validator(
    SCHEMA, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
)


def both() -> vendor.Comparison:
    """A resize of both, not to the same type."""
    return compared(machine(), advice(to="m6i.xlarge"))


def alone() -> vendor.Comparison:
    """Ours only."""
    return compared(machine())


def theirs() -> vendor.Comparison:
    """Theirs only, with nothing stated."""
    return compared(
        machine(level=50), advice("stop", x_MonthlySavings=None, x_Finding=None, x_UpdatedAt=None)
    )


def empty() -> vendor.Comparison:
    return compared(machine(level=80))


MADE = pytest.mark.parametrize("make", [both, alone, theirs, empty])


def test_the_schema_is_itself_valid_and_closed() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)

    def objects(part: Any, place: str) -> None:
        if isinstance(part, dict):
            if part.get("type") == "object" and "properties" in part:
                assert part["additionalProperties"] is False, place
                assert sorted(part["required"]) == sorted(part["properties"]), place
                assert all("description" in one or "$ref" in one or "const" in one
                           for one in part["properties"].values()), place  # fmt: skip
            for key, value in part.items():
                objects(value, f"{place}/{key}")

    objects(SCHEMA, "#")


@MADE
def test_json_keeps_to_the_schema(make: Any) -> None:
    VALIDATOR.validate(json.loads(vendor.as_json(make())))


def test_json_says_what_the_table_says() -> None:
    found = json.loads(vendor.as_json(both()))
    assert found["asked"] == {"AWS Compute Optimizer": 1}
    assert found["verdicts"] == {
        "opposite": 0, "only them": 0, "only us": 0, "same direction": 1, "agree": 0
    }  # fmt: skip
    assert found["totals"] == {
        "our_monthly_savings": 490.56,
        "claimed_monthly_savings": 100,
        "supported_monthly_savings": 100,
        "unjudged_monthly_savings": 0,
    }
    (row,) = found["compared"]
    assert row["ours"]["instance_type"] == "m6i.large"
    assert row["vendor"]["instance_type"] == "m6i.xlarge"
    assert row["vendor_judged"]["holds"]
    assert row["vendor_judged"]["hourly_price"] == 0.192


@MADE
@pytest.mark.parametrize("width", [60, 80, 100, 140])
def test_no_line_is_wider_than_the_screen(make: Any, width: int) -> None:
    page = vendor.as_text(make(), width=width).decode()
    assert max(cells_of(line) for line in page.splitlines()) <= width
    assert "\x1b" not in page


@pytest.mark.parametrize("width", [80, 100, 140])
def test_what_either_says_stands_in_the_table(width: int) -> None:
    page = vendor.as_text(both(), width=width).decode()
    for fact in ("same direction", "m6i.large", "m6i.xlarge", "490.56 USD", "100.00 USD",
                 "Overprovisioned", "Vendors claim", "Supported", "1 account"):  # fmt: skip
        assert fact in page, fact


def test_an_empty_comparison_says_so() -> None:
    assert "Neither has advice on any resource." in vendor.as_text(empty()).decode()


def test_what_costs_more_reads_the_same_to_people_and_below_zero_to_programs() -> None:
    found = compared(machine(), advice(to="m6i.8xlarge", x_MonthlySavings=Decimal("-202.78")))
    for page in (vendor.as_text(found).decode(), vendor.as_markdown(found).decode()):
        assert "+202.78 USD" in page
        assert "-202.78" not in page
        assert "+ costs more" in " ".join(page.split())
    (row,) = csv.DictReader(io.StringIO(vendor.as_csv(found).decode(), newline=""))
    assert row["vendor_monthly_savings"] == "-202.78"


def test_a_finding_that_is_a_sentence_goes_on() -> None:
    """Advisor's; its middle was cut out: Right-size or…machines."""
    finding = "Right-size or shutdown underutilized virtual machines"
    page = vendor.as_text(compared(machine(), advice(to="m6i.large", x_Finding=finding))).decode()
    lines = page.splitlines()
    column = next(line.index("Vendor") for line in lines if "Resource" in line)
    assert finding in " ".join(line[column:] for line in lines)
    endless = vendor.as_text(compared(machine(), advice(to="m6i.large", x_Finding="words " * 999)))
    assert endless.count(b"words words") < 4


def test_a_vendors_words_act_on_no_screen() -> None:
    """JSON escapes what a screen obeys, and `jq -r` undoes that."""
    odd = "\x1b[2J\u202eGo\x07"
    found = compared(machine(), advice(to=f"m6i.xlarge{odd}", x_Finding=odd))
    (row,) = json.loads(vendor.as_json(found))["compared"]
    assert row["vendor"]["finding"] == "Go"
    assert row["vendor"]["instance_type"] == "m6i.xlargeGo"
    assert row["why"].isprintable()
    (row,) = compared(machine(scaling_group=f"asg{odd}"), advice(to="m6i.xlarge")).rows
    assert "scaling group asgGo decides its size" in row.why


def test_csv_has_a_row_a_resource() -> None:
    (row,) = csv.DictReader(io.StringIO(vendor.as_csv(both()).decode(), newline=""))
    assert row["verdict"] == "same direction"
    assert row["our_monthly_savings"] == "490.56"
    assert row["vendor"] == "AWS Compute Optimizer"
    assert row["vendor_monthly_savings"] == "100"
    assert (row["supported_monthly_savings"], row["supported_currency"]) == ("100", "USD")
    assert row["vendor_instance_type"] == "m6i.xlarge"
    (row,) = csv.DictReader(io.StringIO(vendor.as_csv(alone()).decode(), newline=""))
    assert (row["vendor"], row["vendor_monthly_savings"]) == ("", "")


def test_markdown_is_one_table() -> None:
    page = vendor.as_markdown(both()).decode()
    assert "| same direction | `m-1` | Rightsize, m6i.large, 490.56 USD, undo risk" in page
    assert "| Resize, m6i.xlarge, 100.00 USD, Overprovisioned, as of 2026-10-05 |" in page
    assert "supports **100.00**" in page


@pytest.mark.parametrize("name", HOSTILE)
def test_names_can_do_no_harm(name: str) -> None:
    found = compared(renamed(machine(), name), advice(to=name, x_Finding=name))
    page = vendor.as_text(found).decode()
    assert "\x1b" not in page
    assert "\u202e" not in page
    table = vendor.as_markdown(found).decode()
    assert "<script>" not in table
    for row in csv.reader(io.StringIO(vendor.as_csv(found).decode(), newline="")):
        assert not any(cell.startswith(("=", "+", "@", "-")) for cell in row)
    vendor.as_json(found).decode("ascii")


def test_the_largest_stand_first_and_the_rest_is_said() -> None:
    found = vendor.first(both(), 0)
    assert found.notes == ()
    assert vendor.first(found, 1) is found
    two = found.rows * 2
    short = vendor.first(replace(found, rows=two), 1)
    assert len(short.rows) == 1
    assert short.notes == ("not shown, by --limit 1: 1 resource",)
    page = vendor.as_text(replace(found, rows=two), limit=1).decode()
    assert "and 1 more: --limit 0 shows all" in page


def test_the_story_of_one_resource_ends_with_the_vendors_word() -> None:
    (row,) = both().rows
    page = vendor.story(row)
    assert "What the vendor says" in page
    assert "Resize, m6i.xlarge, 100.00 USD, Overprovisioned" in page
    assert "same direction" in page


def test_amounts_are_exact() -> None:
    found = compared(machine(), advice(to="m6i.xlarge", x_MonthlySavings=Decimal("12.345678")))
    assert '"claimed_monthly_savings": 12.345678' in vendor.as_json(found).decode()
