"""Commitments: how much of demand to pay for ahead, of what, for how long, and when.

`newsvendor` sizes one commitment to one kind of demand, `ladder` spreads it over terms and months,
`portfolio` chooses among offers that cover the same usage, `choices` says what to do with those
already owned, and `held_out` how a rule would have fared. Arrays in, arrays out: no clouds, no
bills. Demand is what is left after all other recommendations, over the longest history there is.
"""

from costopt.optimize.commitment.application import (
    Applied,
    Offer,
    Usage,
    apply,
    by_greatest_discount,
)
from costopt.optimize.commitment.certainty import Caution, yearly_change
from costopt.optimize.commitment.held import Action, Choice, Elsewhere, Held, choices
from costopt.optimize.commitment.history import Outcome, Stretch
from costopt.optimize.commitment.ladder import Ladder, Layer, Tranche, ladder
from costopt.optimize.commitment.newsvendor import Newsvendor, best_quantity, commit, newsvendor
from costopt.optimize.commitment.portfolio import Open, Portfolio, Purchase, open_to, portfolio
from costopt.optimize.commitment.terms import Term, cheapest_payments
from costopt.optimize.commitment.trial import Trial, Trials, held_out, rolling, trailing

__all__ = [
    "Action",
    "Applied",
    "Caution",
    "Choice",
    "Elsewhere",
    "Held",
    "Ladder",
    "Layer",
    "Newsvendor",
    "Offer",
    "Open",
    "Outcome",
    "Portfolio",
    "Purchase",
    "Stretch",
    "Term",
    "Tranche",
    "Trial",
    "Trials",
    "Usage",
    "apply",
    "best_quantity",
    "by_greatest_discount",
    "cheapest_payments",
    "choices",
    "commit",
    "held_out",
    "ladder",
    "newsvendor",
    "open_to",
    "portfolio",
    "rolling",
    "trailing",
    "yearly_change",
]
