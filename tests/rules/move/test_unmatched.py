"""Settings that can mean nothing are refused; those that name what nothing has are told."""

from __future__ import annotations

from typing import Any

import pytest

from costopt.config import Settings
from costopt.errors import ConfigError
from costopt.model import Resource
from costopt.pricing.places import Places
from costopt.rules.move.settings import MoveSettings
from costopt.rules.move.unmatched import unmatched
from tests.rules.move.world import FREE, machine, placed, tagged, why, world

FLEET = [
    Resource("i-1", "AWS", resource_name="plain-0", tags={"app": "plain", "residency": "DE, EEA"}),
    Resource("i-2", "AWS", tags={"app": "ill", "residency": "Atlantis"}),
    Resource("i-3", "AWS", tags={"residency": "Atlantis,"}),
    Resource("i-4", "AWS", tags={"residency": " ,"}),
    Resource("i-5", "AWS", tags={"residency": ""}),
]


def notes(**settings: Any) -> tuple[str, ...]:
    return unmatched(FLEET, Places.load(), MoveSettings(**settings))[:-2]


@pytest.mark.parametrize(
    ("residency", "words"),
    [
        ({"app": ["US"]}, "'app' is no tag=value, like \"data=patients\""),
        ({"app=": ["US"]}, "'app=' is no tag=value"),
        ({"=US": ["US"]}, "'=US' is no tag=value"),
        ({"app=web": []}, "'app=web' names no place"),
    ],
)
def test_what_binds_nothing_is_refused(residency: dict[str, list[str]], words: str) -> None:
    with pytest.raises(ConfigError, match=words) as error:
        Settings(rules={"move": {"residency": residency}}).of_rule("move", MoveSettings)
    assert "rules.move.residency" in str(error.value)


def test_what_nothing_has_is_told_with_the_nearest() -> None:
    assert notes() == ()
    assert notes(stay=["plain", "plain-0", "i-2"], residency={"app=ill": ["DE"]}) == ()
    assert notes(stay=["plian"]) == (
        "rules.move.stay: 'plian' is no name and no tag's value of anything, so it keeps nothing; "
        "did you mean 'plain' or 'plain-0'?",
    )
    assert notes(residency={"app=il": ["DE"]}) == (
        "rules.move.residency: nothing has 'app=il', so it binds nothing; did you mean 'app=ill' "
        "or 'app=plain'?",
    )


def test_an_unknown_place_is_told() -> None:
    told = unmatched(FLEET, Places.load(), MoveSettings())
    unknown = "which is no region, country or continent we know: nothing lies within it"
    assert told == (
        f"1 resource with residency ' ,', {unknown}",
        f"2 resources with residency 'Atlantis', {unknown}",
    )


@pytest.mark.parametrize("place", ["Atlantis", " ,"])
def test_an_unknown_place_binds(place: str) -> None:
    here = world({("Acme", "alba"): "0.05", ("Acme", "brno"): "0.04"})
    assert why(placed(here, tagged(machine("a", here), residency=place), settings=FREE)) == {
        "a": "residency"
    }
