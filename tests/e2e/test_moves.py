"""Where the demo's machines should run, against what was planted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from costopt.pricing.places import Places
from costopt.providers.demo import DemoProvider, Placement
from tests.e2e.command import run

Advice = Mapping[str, Mapping[str, Any]]


@pytest.fixture(scope="module")
def found(home: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("moves")
    picture = ("--picture", "moves.png")
    done = run("move", "--home", str(home / ".costopt"), "--format", "json", *picture, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert (folder / "moves.png").read_bytes().startswith(b"\x89PNG")
    document: dict[str, Any] = json.loads(done.stdout)
    return document


@pytest.fixture(scope="module")
def advice(found: dict[str, Any]) -> Advice:
    return {one["resource_id"]: one for one in found["recommendations"]}


@pytest.fixture(scope="module")
def why(found: dict[str, Any]) -> dict[str, str]:
    return {skip["resource_id"]: skip["reason"] for skip in found["skips"]}


def planted(placement: Placement) -> set[str]:
    """Resource ids of the machines whose answer it is."""
    found = {key for key, of in DemoProvider().truth().items() if of.placement is placement}
    assert len(found) >= 2
    return found


def test_what_must_move_moves_as_a_whole(advice: Advice) -> None:
    for one in planted(Placement.MOVE):
        told = advice[one]
        assert told["action_type"] == "x_MoveProvider"
        assert told["recommended"]["region_id"] == "us-west1"
        assert told["evidence"]["group_machines"] == len(planted(Placement.MOVE))
        assert told["evidence"]["net_present_saving_low"] > 0
        assert told["evidence"]["break_even_on"] < "2027-11"


def test_with_the_same_provider_it_moves_to_the_next_region(home: Path, tmp_path: Path) -> None:
    """Machines like today's cost a sixth less there; of GCP's, fewer dollars still."""
    options = ("--to", "aws", "--format", "json")
    done = run("move", "--home", str(home / ".costopt"), *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    told = {one["resource_id"]: one for one in json.loads(done.stdout)["recommendations"]}
    for one in planted(Placement.MOVE):
        assert told[one]["action_type"] == "x_MoveRegion"
        assert told[one]["recommended"]["region_id"] == "us-west-2"


def test_what_stays_for_its_traffic_says_so(advice: Advice, why: Mapping[str, str]) -> None:
    for one in planted(Placement.STAY_EGRESS):
        assert one not in advice
        assert why[one] == "egress"


def test_what_stays_for_its_data_says_so(advice: Advice, why: Mapping[str, str]) -> None:
    for one in planted(Placement.STAY_RESIDENCY):
        assert one not in advice
        assert why[one] == "residency"


def test_the_batch_goes_on_spot_where_it_is(advice: Advice) -> None:
    for one in planted(Placement.SPOT):
        told = advice[one]
        assert told["action_type"] == "x_Spot"
        assert told["recommended"]["pricing_category"] == "Dynamic"
        assert told["recommended"]["region_id"] == told["current"]["region_id"]
        assert told["estimated_monthly_savings"]["low"] > 0


def test_nothing_is_put_on_spot_that_was_not_meant_to(advice: Advice) -> None:
    spot = {key for key, one in advice.items() if one["action_type"] == "x_Spot"}
    assert spot == planted(Placement.SPOT)


def test_nothing_leaves_its_continent_or_the_union(advice: Advice) -> None:
    places = Places.load()
    for one in advice.values():
        here, there = (
            places.place(one[side]["provider_name"], one[side]["region_id"])
            for side in ("current", "recommended")
        )
        assert here is not None
        assert there is not None
        assert here.continent == there.continent
        assert not places.matches(here, "EEA") or places.matches(there, "EEA")


def test_totals_add_up(found: dict[str, Any]) -> None:
    summary = found["summary"]
    saved = sum(one["estimated_monthly_savings"]["target"] for one in found["recommendations"])
    assert summary["monthly_savings"] == pytest.approx(saved)
    assert summary["monthly_spend"] - saved == pytest.approx(summary["monthly_spend_after"])
    assert 0 < saved < summary["monthly_spend"]
    told = summary["recommendations"] + summary["well_sized"] + len(found["skips"])
    assert told == summary["resources"] > 100  # of each machine one thing
