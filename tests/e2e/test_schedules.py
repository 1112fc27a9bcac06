"""The demo fleet's schedules, against what its machines truly are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from costopt.providers.demo import DemoProvider
from costopt.providers.demo.truth import Label, Wart


@pytest.fixture(scope="module")
def found(home: Path) -> dict[str, Any]:
    text = (home / "costopt-demo" / "recommendations.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    return document


@pytest.fixture(scope="module")
def advice(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    chosen = [one for one in found["recommendations"] if one["rule"] == "schedule"]
    return {one["resource_id"]: one for one in chosen}


def test_every_machine_that_sleeps_is_found_and_no_other(advice: dict[str, Any]) -> None:
    demo = DemoProvider()
    spot = {one.resource_id for one in demo.machines if one.role.spot}
    sleepers = {
        key for key, of in demo.truth().items() if of.sleeps and Wart.SCHEDULED not in of.warts
    }
    groups = {
        f"asg-{one.role.app}"
        for one in demo.machines
        if one.role.group and one.role.label is Label.RHYTHMIC
    }
    assert len(sleepers - spot) == 8
    assert len(groups) == 2
    assert advice.keys() == (sleepers - spot) | groups


def test_what_sleeps_already_and_what_may_not_come_back_is_told(found: dict[str, Any]) -> None:
    demo = DemoProvider()
    named = {one.key: one.resource_id for one in demo.machines}
    told = {(one["resource_id"], one["reason"]) for one in found["skips"]}
    assert (named["test-lab-weu-01"], "already-scheduled") in told
    assert (named["night-render-use1-01"], "spot-machine") in told


def test_held_out_weeks_keep_what_the_schedules_promise(advice: dict[str, Any]) -> None:
    for one in advice.values():
        held_out = one["evidence"]["held_out"]
        assert held_out["weeks"] == 2
        assert held_out["hours_missed"] <= 0.01 * held_out["hours"]
        assert held_out["hours_saved"] > 0.25 * held_out["hours"]
        assert one["backtest"]["rolled_back"] == 0
        assert one["risk"]["expected_share"] <= 0.01
        assert "start it on demand" in one["reason"] or "own scaling on CPU" in one["reason"]


def test_an_office_week_reads_as_one(advice: dict[str, Any]) -> None:
    """Of the developers in Bangalore: the demand's rhythm starts at 07:00 and ends at 19:00 there;
    half an hour on each side for habits that shift, half an hour to start."""
    runs = [
        one["evidence"]["schedule"]
        for one in advice.values()
        if one["evidence"]["schedule"]["time_zone"] == "Asia/Kolkata"
    ]
    assert len(runs) == 3
    for one in runs:
        assert one["hours_a_week"] == pytest.approx(67.5, abs=1)
        assert one["runs"].startswith("Mon")
        assert "06:00-19:30" in one["runs"]
        assert "Sat" not in one["runs"]
