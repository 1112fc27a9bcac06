"""A small fleet with each kind of answer: one group goes, one stays for its data, one goes on spot.

Amounts by hand: a vCPU is 0.05 an hour in Alba and 0.04 in Brno; 16 vCPUs are 584 and 467.20 a
month there. Nothing else is paid but what `moved` says.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from costopt.model import ActionType, Report, Summary
from costopt.rules.base import Case
from costopt.rules.move import Moves
from costopt.rules.move.reported import reported
from costopt.rules.move.settings import MoveSettings
from tests.report.builders import recommendation, savings
from tests.rules.move.world import END, FREE, WINDOW, each, machine, placed, tagged, world

PRICES = {("Acme", "alba"): "0.05", ("Acme", "brno"): "0.04", ("Bolt", "alba-1"): "0.01"}
COSTS = FREE.model_copy(update={"labour_rate": 10.0, "to": ("acme",)})
"""A group of two takes 24 + 2 x 4 hours: 320; of one: 280. Bolt is not among the providers."""


def cases(**fields: Any) -> dict[str, Case]:
    """Two machines of search, one of patients' data that stays in Italy, one that is batch."""
    here = world(PRICES, spot="0.02", band=(0.05, 0.10))
    search = [tagged(one, app="search") for one in each(["s1", "s2"], here, **fields)]
    papers = tagged(machine("papers-1", here), app="papers", residency="IT")
    batch = tagged(machine("batch-1", here), app="batch", interruptible="yes")
    return {one.resource.resource_id: one for one in (*search, papers, batch)}


def moved(settings: MoveSettings = COSTS, **how: Any) -> Moves:
    """Where they should run."""
    here = world(PRICES, spot="0.02", band=(0.05, 0.10))
    return placed(here, *cases().values(), settings=settings, **how)


def plan() -> Report:
    """Of the other rules: 3,000 are spent, of which a smaller machine elsewhere saves 100; another
    664 by what is bought ahead, and what the plan itself moves."""
    made = recommendation("x", estimated_monthly_savings=savings("100"))
    bought = replace(
        made, action_type=ActionType.PURCHASE_SAVINGS_PLANS, estimated_monthly_savings=savings("64")
    )
    gone = replace(made, rule="move", estimated_monthly_savings=savings("600"))
    total = Decimal(764)
    summary = Summary(Decimal(3000), total, 3000 - total, 99.0, 5, 1, 3, {})
    return Report(END, WINDOW, "USD", summary, (made, bought, gone), (), notes=("a note",))


def report(found: Moves | None = None, **how: Any) -> Report:
    """The report on it."""
    return reported(moved() if found is None else found, plan(), **how)
