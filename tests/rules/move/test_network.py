"""Measured traffic and other machines' network: a known one that is too small bars, an unknown one
does not, and is told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from costopt.frame.traffic import Traffic
from costopt.rules.base import Case
from tests.rules.builders import profile
from tests.rules.move.world import FREE, gone, machine, placed, world

PRICES = {("Acme", "alba"): "0.05", ("Bolt", "alba-1"): "0.03"}
USERS = {"a": Traffic(received=1e9)}
"""What comes in is from outside: free wherever it runs."""
WIDE = FREE.model_copy(update={"to": ("acme", "bolt")})


def sending(case: Case, gbps: float) -> Case:
    """All the time, from users."""
    return replace(case, profiles=(profile(np.full(288, gbps * 1e9 / 8), "network_in"),))


@pytest.mark.parametrize(
    ("there", "gbps", "goes"),
    [
        (None, 1e-9, True),  # a byte a second
        (None, 2.0, True),
        (2.0, 2.0, True),
        (1.9, 2.0, False),
        (1.9, 0.0, True),
    ],
)
def test_a_known_network_bars_and_an_unknown_one_does_not(
    there: float | None, gbps: float, goes: bool
) -> None:
    here = world(PRICES, network={"Bolt": there})
    found = placed(here, sending(machine("a", here), gbps), settings=WIDE, sent=USERS)
    assert gone(found) == ({"a": "alba-1"} if goes else {})


def test_an_unknown_network_is_told() -> None:
    here = world(PRICES, network={"Bolt": None})
    (one,) = placed(
        here, sending(machine("a", here), 0.3), settings=WIDE, sent=USERS
    ).recommendations
    told = "how much network s1.4xlarge has is not known; it needs 0.3 Gbit/s"
    assert told in one.reason
    assert told in one.evidence["cautions"]
    (quiet,) = placed(here, machine("a", here), settings=WIDE, sent=USERS).recommendations
    assert "network" not in quiet.reason
    known = world(PRICES)
    (one,) = placed(
        known, sending(machine("a", known), 0.3), settings=WIDE, sent=USERS
    ).recommendations
    assert "network" not in one.reason


@pytest.mark.parametrize("network", [None, 5.0])
def test_its_own_type_carries_elsewhere_what_it_carries_here(network: float | None) -> None:
    """Bursts of 9 Gbit/s on a type that sustains 5, or of which nobody says what it does."""
    prices = {("Acme", "alba"): "0.05", ("Acme", "brno"): "0.04"}
    here = world(prices, network={"Acme": network})
    (one,) = placed(here, sending(machine("a", here), 9.0), sent=USERS).recommendations
    assert one.recommended is not None
    assert (one.recommended.region_id, one.recommended.instance_type) == ("brno", "s1.4xlarge")
    assert "network" not in one.reason
