"""The JSON keeps to the published schema whatever the report holds, and to the cent."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings

from costopt.model import ActionType, Report
from costopt.report import json as json_format
from tests.report import builders

SCHEMA = json.loads(json_format.schema())
VALIDATOR = jsonschema.Draft202012Validator(
    SCHEMA, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
)


def _rendered(report: Report) -> dict[str, Any]:
    def refused(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    found = json.loads(json_format.render(report), parse_constant=refused)
    VALIDATOR.validate(found)
    assert isinstance(found, dict)
    return found


def test_the_schema_is_itself_valid_and_closed() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    for place, part in _objects(SCHEMA, "#"):
        assert "description" in part or place == "#", f"{place} has no description"
        if "properties" in part:
            assert part["additionalProperties"] is False, f"{place} is open"
            assert sorted(part["required"]) == sorted(part["properties"]), f"{place}: optional"


def _objects(part: Any, place: str) -> list[tuple[str, dict[str, Any]]]:
    if not isinstance(part, dict):
        return []
    here = [(place, part)] if part.get("type") == "object" else []
    return here + [
        pair for key, value in part.items() for pair in _objects(value, f"{place}/{key}")
    ]


def test_the_schema_knows_every_action() -> None:
    fields = SCHEMA["$defs"]["recommendation"]["properties"]
    assert fields["action_type"]["enum"] == [action.value for action in ActionType]


@pytest.mark.parametrize("make", [builders.report, builders.fleet, builders.hostile])
def test_reports_keep_to_the_schema(make: Any) -> None:
    _rendered(make())


@given(builders.REPORTS)
@settings(deadline=None)
def test_any_report_keeps_to_the_schema(report: Report) -> None:
    found = _rendered(report)
    assert [one["resource_id"] for one in found["recommendations"]] == [
        one.resource_id for one in report.recommendations
    ]


@given(builders.REPORTS)
@settings(deadline=None)
def test_amounts_are_exact_and_add_up(report: Report) -> None:
    found = json.loads(json_format.render(report), parse_float=Decimal, parse_int=Decimal)
    summary = found["summary"]
    targets = [one["estimated_monthly_savings"]["target"] for one in found["recommendations"]]
    assert sum(targets) == summary["monthly_savings"] == report.summary.monthly_savings
    assert summary["monthly_savings"] <= summary["monthly_spend"]
    assert summary["monthly_spend"] - summary["monthly_savings"] == summary["monthly_spend_after"]


@pytest.mark.parametrize(
    ("amount", "written"),
    [("468.660000", "468.66"), ("0.1", "0.1"), ("1200.000000", "1200"), ("-0.000001", "-1e-06"),
     ("123456789.123456", "123456789.123456"), ("0.0052000000", "0.0052")],
)  # fmt: skip
def test_amounts_are_written_without_noise(amount: str, written: str) -> None:
    one = builders.recommendation(estimated_monthly_cost=Decimal(amount))
    assert (
        f'"estimated_monthly_cost": {written},'
        in json_format.render(builders.report((one,))).decode()
    )


def test_a_stop_recommends_no_machine_for_nothing() -> None:
    (one,) = _rendered(builders.report((builders.stop(),)))["recommendations"]
    assert one["recommended"] == {
        "provider_name": "AWS",
        "region_id": "eu-west-1",
        "instance_type": None,
        "vcpus": 0,
        "memory_gib": 0,
        "gpu_model": None,
        "gpu_count": 0,
        "hourly_price": 0,
        "currency": None,
        "pricing_category": None,
    }


def test_nothing_is_lost_but_nothing_steers_a_screen() -> None:
    name = "\x1b[31m\x9b\u202e\U000e0041é日"
    data = json_format.render(builders.report((builders.recommendation(resource_name=name),)))
    assert json.loads(data)["recommendations"][0]["resource_name"] == name
    assert "é日" in data.decode()
    assert not set(data.decode()) & set("\x1b\x9b\u202e\U000e0041")


def test_unknown_numbers_in_evidence_are_null() -> None:
    evidence = {"mean": float("nan"), "peaks": (1.5, float("-inf")), "p": 12.340000000000002}
    (one,) = _rendered(builders.report((builders.recommendation(evidence=evidence),)))[
        "recommendations"
    ]
    assert one["evidence"] == {"mean": None, "peaks": [1.5, None], "p": 12.34}


def test_the_order_of_skips_and_tags_in_memory_changes_nothing() -> None:
    report = builders.fleet()
    turned = replace(
        report,
        summary=replace(report.summary, skips=dict(reversed(list(report.summary.skips.items())))),
    )
    assert json_format.render(turned) == json_format.render(report)
