"""Quotas and promised spending: all of the fleet counts, groups or not; amounts by hand.

16 vCPUs cost 584 a month in Alba, 467.20 in Brno and 350.40 at Bolt. Nothing else is paid.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from costopt.errors import ConfigError
from costopt.rules.base import Case
from costopt.rules.move import Moves
from costopt.rules.move.reported import reported
from costopt.rules.move.settings import MoveSettings
from tests.report.move.moved import plan
from tests.rules.builders import profile
from tests.rules.move.world import FREE, gone, machine, placed, why, world

PRICES = {("Acme", "alba"): "0.05", ("Acme", "brno"): "0.04", ("Bolt", "alba-1"): "0.03"}


def windows(case: Case) -> Case:
    return replace(case, resource=replace(case.resource, operating_system="Windows"))


def with_quota(vcpus: float) -> MoveSettings:
    return FREE.model_copy(update={"quotas": {"acme/brno": vcpus}})


def detail(found: Moves, name: str) -> str:
    (told,) = [skip.detail for skip in found.skips if skip.resource_id == name]
    return told


@pytest.mark.parametrize(("vcpus", "goes"), [(31, False), (32, True)])
def test_what_cannot_move_is_on_the_quota(vcpus: int, goes: bool) -> None:
    """16 of Windows are in Brno; 16 would come."""
    here = world(PRICES)
    stays = windows(machine("w", here, region="brno"))
    found = placed(here, machine("a", here), stays, settings=with_quota(vcpus))
    assert gone(found) == ({"a": "brno"} if goes else {})
    if not goes:
        assert why(found)["a"] == "limit-shared"
        assert f"a limit keeps it: quotas, acme/brno: {vcpus} vCPUs" in detail(found, "a")


@pytest.mark.parametrize(("vcpus", "goes"), [(3, False), (4, True)])
def test_the_machine_there_is_on_the_quota_not_the_need(vcpus: int, goes: bool) -> None:
    """CPU P99.5 of 14 % fills 70 % of 0.8 of 4 vCPUs: that is a need of less than 1, and of the
    memory of 4."""
    here = world(PRICES)
    idle = machine("a", here, instance_type="s1.xlarge")
    idle = replace(idle, profiles=(profile(np.full(288, 14.0), "cpu_utilization"),))
    found = placed(here, idle, settings=with_quota(vcpus))
    assert gone(found) == ({"a": "brno"} if goes else {})


def test_what_the_plan_stops_is_on_no_quota() -> None:
    here = world(PRICES)
    cases = machine("a", here), windows(machine("w", here, region="brno"))
    assert gone(placed(here, *cases, settings=with_quota(16), ended=["w"])) == {"a": "brno"}


def test_a_quota_that_is_exceeded_today_is_told_and_sends_nothing_away() -> None:
    """32 vCPUs of Windows and one that would cost more anywhere else."""
    here = world(PRICES)
    cases = [windows(machine(name, here, region="brno")) for name in ("w1", "w2")]
    found = placed(here, *cases, machine("b", here, region="brno"), settings=with_quota(4))
    assert gone(found) == {}
    assert found.assignment is not None
    assert found.assignment.over == ("quotas, acme/brno: 4 vCPUs",)
    notes = " / ".join(reported(found, plan()).notes)
    assert "quotas, acme/brno: 4 vCPUs: more than that is used today" in notes


def test_a_quota_of_what_cannot_move_alone_is_a_place() -> None:
    here = world(PRICES)
    lost = windows(machine("w", here, region="brno"))
    lost = replace(lost, resource=replace(lost.resource, region_id="mars"))
    found = placed(
        here, lost, machine("a", here),
        settings=FREE.model_copy(update={"quotas": {"acme/mars": 4.0}}),
    )  # fmt: skip
    assert found.assignment is not None
    assert found.assignment.over == ("quotas, acme/mars: 4 vCPUs",)


def promised(least: float, **more: object) -> MoveSettings:
    return FREE.model_copy(
        update={"to": ("acme", "bolt"), "minimum_spend": {"acme": least}, **more}
    )


@pytest.mark.parametrize(("least", "goes"), [(416.0, "alba-1"), (700.0, "brno")])
def test_all_that_is_spent_with_a_provider_counts(least: float, goes: str) -> None:
    """1,000 a month with Acme, of which a's 584 may leave: 416 remain, or with Brno 883.20. Below
    that, what Bolt saves more than Brno (116.80) is paid to Acme for nothing."""
    here = world(PRICES)
    found = placed(here, machine("a", here), settings=promised(least), spend={"acme": 1000.0})
    assert gone(found) == {"a": goes}
    assert found.notes == ()


def test_what_is_promised_and_not_spent_is_told() -> None:
    """Even where it is: 584 of 600, and 16 are due. Bolt saves 233.60 and would cost 600."""
    here = world(PRICES)
    found = placed(here, machine("a", here), settings=promised(600.0), spend={"acme": 584.0})
    assert gone(found) == {}
    assert "a limit keeps it: minimum_spend, acme: 600 a month" in detail(found, "a")
    (note,) = found.notes
    assert "minimum_spend, acme: 600 a month is promised, and 16.00 of it will not be" in note
    assert note in reported(found, plan()).notes


def test_a_provider_with_databases_alone_may_be_promised_something() -> None:
    here = world(PRICES)
    both = promised(100.0, minimum_spend={"oracle": 50.0})
    found = placed(here, machine("a", here), settings=both, spend={"acme": 584.0, "oracle": 60.0})
    assert gone(found) == {"a": "alba-1"}
    with pytest.raises(ConfigError, match="nothing is spent with 'oracle'"):
        placed(here, machine("a", here), settings=both, spend={"acme": 584.0})


def test_promises_beyond_all_that_is_spent_do_not_blind_the_search() -> None:
    """A million millions are due whatever moves: within Acme the cheaper place is still found."""
    here = world(PRICES)
    found = placed(here, machine("a", here), settings=promised(1e12), spend={"acme": 584.0})
    assert found.assignment is not None
    assert found.assignment.gap == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    "given",
    [
        {"quotas": {"aws": -5}},
        {"quotas": {"aws": float("nan")}},
        {"labour_rate": float("inf")},
        {"labour_hours_group": 1e308},
        {"talks": [{"first": "a", "second": "b", "there_gib": float("inf")}]},
        {"minimum_spend": {"aws": float("inf")}},
        {"minimum_spend": {"aws": -1}},
        {"horizon_months": float("nan")},
    ],
)
def test_figures_that_nobody_can_mean_are_refused(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        MoveSettings.model_validate(given)
