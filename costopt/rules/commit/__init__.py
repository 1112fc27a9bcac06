"""commit: what to buy ahead, how much, for how long and when; and what is held for nothing.

Anti-pattern: commitments sized by last month's console, before machines are made smaller, or not
at all; or bought again, as the history shows last month's purchase for a month only. Better: the
newsvendor's quantity on the whole history, on the demand that is left after all other changes and
all that is held today, spread over terms and months, with what can be lost said.

A rule on the fleet, not on one resource: fleet.py. One provider: case.py; what is held today:
standing.py; what is left: demand.py; what is sold at which price: deals.py; what stands before
it if demand falls: covers.py, outlook.py; how much: buy.py; over which months: spread.py; what
comes of it: outcome.py; what to do with what is held: held.py; in words and figures: grounds.py; as
part of a plan: ahead.py. Settings: settings.py. See docs/commitments.md.
"""

from costopt.rules.commit.fleet import Commitments, commitments, reported

__all__ = ["Commitments", "commitments", "reported"]
