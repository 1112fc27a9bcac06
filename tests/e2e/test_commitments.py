"""What to buy once the demo's plan is done, beside what to buy for all that runs today."""

from __future__ import annotations

import json
from pathlib import Path

from tests.e2e.conftest import Leave


def test_less_is_bought_once_machines_are_stopped_and_made_smaller(
    home: Path, leave: Leave
) -> None:
    told = {}
    for flags in ((), ("--as-is",)):
        left = leave("commit", "--home", home / ".costopt", "--format", "json", *flags)
        assert left.returncode == 0
        told[flags] = json.loads(left.stdout)
    bought = {
        flags: {
            one["resource_id"]: one["estimated_monthly_savings"]["target"]
            for one in of["recommendations"]
        }
        for flags, of in told.items()
    }
    planned, as_is = bought[()], bought["--as-is",]
    assert all(planned[scope] <= as_is[scope] + 0.01 for scope in planned.keys() & as_is.keys())
    # Machines that are made smaller may be of another family then.
    assert planned.keys() - as_is.keys() <= {"azure/eastus/Esv5/reservation"}
    assert sum(planned.values()) < sum(as_is.values())
    assert 0 < beside_cards(planned) < beside_cards(as_is) / 4
    assert "once the plan of costopt recommend is done" in told[()]["notes"][0]
    assert "nothing is made smaller first" in told["--as-is",]["notes"][0]


def beside_cards(bought: dict[str, float]) -> float:
    """What is saved on machines without GPUs: the plan leaves most pools of cards as they are."""
    cards = ("/p4d/", "/g5.", "/g6.", "/g6e.", "/a2/", "/g2/", "/NC")
    return sum(saved for scope, saved in bought.items() if not any(card in scope for card in cards))
