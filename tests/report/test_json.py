"""The JSON keeps to the published schema whatever the report holds, and to the cent."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import jsonschema
import pytest
from hypothesis import given

from costopt.model import ActionType, Report, Risk
from costopt.report import json as json_format
from costopt.rules.priced import STEPS
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


def test_the_schema_knows_every_step_of_a_plan() -> None:
    step = SCHEMA["properties"]["steps"]["items"]["properties"]
    assert tuple(step["kind"]["enum"]) == STEPS


@pytest.mark.parametrize("make", [builders.report, builders.fleet, builders.hostile])
def test_reports_keep_to_the_schema(make: Any) -> None:
    _rendered(make())


def test_a_schedule_is_told_by_slots_by_changes_and_in_words() -> None:
    machine, group = builders.schedule(), builders.schedule("asg-web", replicas=4)
    one, other = _rendered(builders.report((machine, group)))["recommendations"][::-1]
    assert (one["resource_id"], one["replicas"], other["replicas"]) == ("i-0ff66", None, 4)
    told = one["schedule"]
    assert (told["time_zone"], told["slot_minutes"]) == ("Europe/Amsterdam", 30)
    assert told["runs"] == "Mon-Fri 07:00-18:30"
    assert len(told["levels"]) == 336
    assert sum(told["levels"]) == 5 * 23
    assert told["changes"][:2] == [
        {"weekday": "Mon", "time": "07:00", "level": 1},
        {"weekday": "Mon", "time": "18:30", "level": 0},
    ]
    assert told["days"] == [{"date": "2026-12-25", "reason": "Christmas Day", "levels": [0] * 48}]
    assert _rendered(builders.report((builders.stop(),)))["recommendations"][0]["schedule"] is None


@given(builders.REPORTS)
def test_any_report_keeps_to_the_schema(report: Report) -> None:
    found = _rendered(report)
    assert [one["resource_id"] for one in found["recommendations"]] == [
        one.resource_id for one in report.recommendations
    ]


@given(builders.REPORTS)
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
        "currency": "USD",
        "pricing_category": None,
    }


def test_the_evidence_of_a_resize_is_whole() -> None:
    (one,) = _rendered(builders.report((builders.recommendation(),)))["recommendations"]
    risk, replay = one["risk"], one["backtest"]
    assert (risk["rollback_probability"], risk["rollback_probability_upper"]) == (0.0573, 0.0841)
    assert (risk["horizon_days"], risk["confidence"]) == (14, "likely safe")
    assert one["guards"][0] == {
        "metric_name": "cpu_utilization",
        "limit_percent": 90,
        "samples": 21,
        "period_seconds": 300,
        "horizon_days": 14,
        "until": "2026-11-15T00:00:00Z",
        "allowed_today": 0,
        "allowed_disputed": 0,
    }
    assert [(d["origin"], d["rolled_back"]) for d in replay["decisions"]] == [
        ("2026-10-04T00:00:00Z", False),
        ("2026-10-11T00:00:00Z", True),
        ("2026-10-18T00:00:00Z", False),
    ]
    assert replay["this_size"] == {"windows": 3, "rolled_back": 2}
    assert replay["memory"] == {"origins": 2, "out_of_memory": 0}


def test_what_was_not_modelled_or_replayed_is_null() -> None:
    bare = builders.recommendation(risk=Risk(90.0, 0.1, 0.2, "counted"), backtest=builders.UNTRIED)
    (one,) = _rendered(builders.report((bare,)))["recommendations"]
    names = ("rollback_probability", "rollback_probability_upper", "horizon_days", "confidence")
    assert [one["risk"][name] for name in names] == [None] * 4
    assert (one["backtest"]["origins"], one["backtest"]["memory"]) == (0, None)
    (stop,) = _rendered(builders.report((builders.stop(),)))["recommendations"]
    assert (stop["risk"], stop["backtest"], stop["guards"]) == (None, None, [])


def test_a_larger_machine_costs_more_and_stands_last() -> None:
    found = _rendered(builders.report((builders.larger(), builders.recommendation())))
    last = found["recommendations"][-1]
    assert last["estimated_monthly_savings"]["target"] == -156.22
    assert last["current_monthly_cost"] == 156.22
    names = ("rollback_probability", "rollback_probability_upper", "horizon_days")
    assert [last["risk"][name] for name in names] == [None] * 3
    assert last["risk"]["confidence"] == "not applicable: a larger machine"
    summary = found["summary"]
    assert summary["monthly_extra_cost"] == 156.22
    assert summary["monthly_savings"] == 312.44  # 468.66 less what is added


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
