"""Where others are at home is no place to go to unless it was asked for."""

from __future__ import annotations

import pytest

from tests.rules.move.world import FREE, gone, machine, placed, world


@pytest.mark.parametrize(
    ("update", "region"),
    [
        ({}, "alba-1"),
        ({"places": ("brno",)}, "brno"),
        ({"to": ("acme",)}, "brno"),
        ({"to": ("acme",), "places": ("alba",)}, None),
    ],
)
def test_the_home_of_another_group(update: dict[str, object], region: str | None) -> None:
    """b runs in Bolt's town, where all costs least."""
    prices = {("Acme", "alba"): "0.05", ("Acme", "brno"): "0.04", ("Bolt", "alba-1"): "0.01"}
    here = world(prices)
    fleet = machine("a", here), machine("b", here, provider="Bolt", region="alba-1")
    found = placed(here, *fleet, settings=FREE.model_copy(update=update))
    assert gone(found) == ({"a": region} if region else {})
