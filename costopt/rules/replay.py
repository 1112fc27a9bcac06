"""This very decision, taken again at past moments with what was known then."""

from __future__ import annotations

from typing import Any

from costopt.optimize.memory import FAILED
from costopt.optimize.outlook import Replay
from costopt.rules.sizing import Sizing


def backtest(sizing: Sizing, chosen: int) -> dict[str, Any]:
    """How the same rule would have done on this machine's own past, ready for JSON.

    At each origin the risk is of the model as it stood then, and the market is today's. A decision
    that was right to leave the machine alone counts as an origin without a saving.
    """
    outlook = sizing.outlook
    decisions = [_decision(sizing, replay) for replay in outlook.replays]
    found: dict[str, Any] = {
        "origins": len(decisions),
        "rolled_back": sum(one["rolled_back"] for one in decisions),
        "train_days": None,
        "test_days": None,
        "net_savings_percent": None,
        "this_size": _this_size(sizing, chosen),
        "decisions": decisions,
    }
    if decisions:
        saved = sum(one["net_savings_percent"] for one in decisions) / len(decisions)
        found["net_savings_percent"] = round(saved, 2)
        found["train_days"] = outlook.replays[-1].train_days
        found["test_days"] = outlook.replays[-1].test_days
    if outlook.memory and outlook.memory.windows:
        windows = outlook.memory.windows
        found["memory"] = {
            "origins": len(windows),
            "out_of_memory": sum(came == FAILED for came in windows),
        }
    return found


def _decision(sizing: Sizing, replay: Replay) -> dict[str, Any]:
    offers = sizing.offers_by(replay.chances)
    chosen = sizing.choice_of(offers)
    told: dict[str, Any] = {
        "origin": replay.origin.isoformat(),
        "instance_type": sizing.current.instance_type,
        "rolled_back": False,
        "added_violations_percent": 0.0,
        "net_savings_percent": 0.0,
    }
    if chosen is None:
        return told
    undone, added, kept = replay.came_to(float(sizing.capacities[chosen]))
    saved = 1 - float(sizing.prices[chosen]) / float(sizing.hourly)
    return told | {
        "instance_type": sizing.market.shapes[chosen].instance_type,
        "rolled_back": undone,
        "added_violations_percent": round(100 * added, 4),
        "net_savings_percent": round(100 * saved * kept, 2),
    }


def _this_size(sizing: Sizing, chosen: int) -> dict[str, int]:
    """In how many of the windows lived through the recommended size would have been undone."""
    capacity = float(sizing.capacities[chosen])
    undone = [replay.came_to(capacity)[0] for replay in sizing.outlook.replays]
    return {"windows": len(undone), "rolled_back": sum(undone)}
