"""Where to run: what fits at each place, what a move is worth, and which moves of all together.

`cheapest` finds the cheapest type for each need at each place; `worth` says what staying and moving
cost over a horizon; `assign` moves groups that share traffic, quotas or pledges. Let it choose by
`Worth.move_high` away from home: then nothing moves that might not pay. Arrays in, arrays out: no
clouds, no price lists, no clock.
"""

from costopt.optimize.placement.assign import NODES, Assignment, assign
from costopt.optimize.placement.cheapest import (
    MEASURES,
    NONE,
    Cheapest,
    Needs,
    Offers,
    cheapest,
)
from costopt.optimize.placement.fleet import (
    MOST_PROVIDERS,
    Fleet,
    Pledge,
    Providers,
    Quota,
    Talk,
)
from costopt.optimize.placement.worth import Horizon, Moving, Parts, Staying, Worth, worth

__all__ = [
    "MEASURES",
    "MOST_PROVIDERS",
    "NODES",
    "NONE",
    "Assignment",
    "Cheapest",
    "Fleet",
    "Horizon",
    "Moving",
    "Needs",
    "Offers",
    "Parts",
    "Pledge",
    "Providers",
    "Quota",
    "Staying",
    "Talk",
    "Worth",
    "assign",
    "cheapest",
    "worth",
]
