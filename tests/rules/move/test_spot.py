"""What runs on spot: who may be interrupted, at what it is expected to cost."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from math import log

import pytest

from costopt.model import ActionType
from costopt.rules.move import Moves
from costopt.rules.move.market import World
from costopt.rules.move.settings import MoveSettings
from tests.rules.move.world import FREE, machine, placed, tagged, why, world

ALBA = ("Acme", "alba")
SPOT = FREE.model_copy(update={"checkpoint_hours": 2.0, "restart_hours": 1.0})


def judged(here: World, *, settings: MoveSettings = SPOT, **tags: str) -> Moves:
    """A machine that may be interrupted, unless its tags say something else."""
    told = tags or {"interruptible": "yes"}
    return placed(here, tagged(machine("a", here), **told), settings=settings)


def test_the_expected_price_by_hand() -> None:
    """16 vCPUs at 0.02 are 0.32 an hour. Of machines 7.5 % a month are interrupted, so that
    h = -ln(1 - 0.075) / 730 an hour; each costs 1 + 2 / 2 hours more."""
    here = world({ALBA: "0.05"}, spot="0.02", band=(0.05, 0.10))
    (one,) = placed(
        here, tagged(machine("a", here), interruptible="yes"), settings=SPOT
    ).recommendations
    assert one.action_type is ActionType.SPOT
    rate = -log(1 - 0.075) / 730
    cost = 0.32 * (1 + 2 * rate)
    assert float(one.evidence["expected_hourly_cost"]) == pytest.approx(cost, abs=1e-6)
    saving = one.estimated_monthly_savings
    assert float(saving.target) == pytest.approx((0.8 - cost) * 730, abs=0.01)
    # At worst 2.12 times the price (at most that on demand), and 10 % interrupted.
    assert saving.low < saving.target < saving.high
    assert one.recommended is not None
    assert (one.recommended.pricing_category, one.recommended.hourly_price) == (
        "Dynamic", Decimal("0.32"),
    )  # fmt: skip


@pytest.mark.parametrize(
    "tags", [{"app": "web"}, {"interruptible": "no"}, {"interruptible": "yes", "role": "postgres"}]
)
def test_only_what_may_be_interrupted(tags: dict[str, str]) -> None:
    here = world({ALBA: "0.05"}, spot="0.02", band=(0.05, 0.10))
    assert judged(here, **tags).recommendations == ()


def test_no_rate_is_made_up() -> None:
    here = world({ALBA: "0.05"}, spot="0.02")
    found = judged(here)
    assert why(found) == {"a": "interruptions-unknown"}
    none = world({ALBA: "0.05"})
    found = judged(none)
    assert why(found) == {"a": "no-spot-price"}


def test_a_band_without_an_upper_end_is_not_sure() -> None:
    here = world({ALBA: "0.05"}, spot="0.02", band=(0.20, 1.0))
    found = judged(here)
    assert why(found) == {"a": "spot-unsure"}


def test_what_hardly_costs_less_is_not_sure_either() -> None:
    here = world({ALBA: "0.05"}, spot="0.049", band=(0.05, 0.10))
    found = judged(here)
    assert why(found) == {"a": "spot-unsure"}


def test_it_can_be_switched_off() -> None:
    here = world({ALBA: "0.05"}, spot="0.02", band=(0.05, 0.10))
    off = SPOT.model_copy(update={"spot": False})
    assert judged(here, settings=off, interruptible="yes").recommendations == ()


def test_old_prices_are_said() -> None:
    here = world({ALBA: "0.05"}, spot="0.02", band=(0.05, 0.10), day=date(2024, 8, 9))
    (one,) = placed(
        here, tagged(machine("a", here), interruptible="yes"), settings=SPOT
    ).recommendations
    assert "2024-08-09 and may be stale" in one.reason


def test_spot_here_against_a_cheaper_place() -> None:
    """On spot it costs 0.32 here; on demand 0.64 there: it stays, and goes on spot."""
    here = world({ALBA: "0.05", ("Acme", "brno"): "0.04"}, spot="0.02", band=(0.0, 0.05))
    (one,) = placed(
        here, tagged(machine("a", here), interruptible="yes"), settings=SPOT
    ).recommendations
    assert one.action_type is ActionType.SPOT
    cheap = world({ALBA: "0.05", ("Acme", "brno"): "0.01"}, spot="0.02", band=(0.0, 0.05))
    (one,) = placed(
        cheap, tagged(machine("a", cheap), interruptible="yes"), settings=SPOT
    ).recommendations
    assert one.action_type is ActionType.MOVE_REGION
