"""The class that is drawn, as a race of own machines against the cloud."""

from __future__ import annotations

import math

from costopt.report.move.race import CloudPrice, Race
from costopt.rules.move.own import Owned
from costopt.rules.move.own_answer import Answer
from costopt.units import counted


def own_race(owned: Owned) -> Race | None:
    """The class that is to be drawn: of which most is to be bought, else the nearest to paying;
    None where nothing of the fleet could run on any. In the file's currency."""
    able = [one for one in owned.answers if one.price]
    if not able:
        return None
    best = max(able, key=_worth)
    return _race(best)


def _worth(answer: Answer) -> tuple[float, float]:
    shown = answer.shown
    return answer.bought.present_low, shown.saved.target if shown else -math.inf


def _race(answer: Answer) -> Race:
    factor, price = answer.costs.factor, answer.price
    assert price is not None
    named = [
        CloudPrice(amount / factor, words)
        for amount, words in (
            (price, "as paid"),
            (answer.listed, "on demand"),
            (answer.committed, "committed"),
        )
        if amount is not None
    ]
    different = [
        one
        for number, one in enumerate(named)
        if not any(math.isclose(one.hourly, other.hourly, rel_tol=1e-3) for other in named[:number])
    ]
    return Race(
        name=answer.kind.name,
        against=_against(answer),
        currency=answer.site.currency,
        own=answer.own_in_file,
        prices=different,
        used=answer.used,
        swings=answer.swings(),
        going=answer.going_in_file,
        month=answer.month,
    )


def _against(answer: Answer) -> str:
    """`g6e.12xlarge, us-east-1`; of several kinds the first, and how many others."""
    members = answer.shown.members if answer.shown else []
    kinds = sorted(
        {
            f"{one.subject.resource.instance_type}, {one.subject.resource.region_id}"
            for one in members
        }
    )
    others = f" and {counted(len(kinds) - 1, 'other')}" if len(kinds) > 1 else ""
    return f"{kinds[0]}{others}"
