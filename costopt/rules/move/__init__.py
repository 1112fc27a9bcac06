"""move: the place where a group of machines would cost less, with all it takes to go; and spot.

Anti-pattern: one place is kept because it was the first, or left because a list says that machines
are cheaper elsewhere. Better: for each group that belongs together the cheapest place that its
demand, residency, distance and neighbours allow, by what all of it costs over a horizon: computing,
storage, traffic, the way there, people's time, both places at once, commitments left behind; and
only where it saves with every price at its unfavourable end.

A rule on the fleet, on what its other changes leave: fleet.py. What a machine needs: subjects.py;
what belongs together: groups.py; where it may be: bounds.py; what is sold: market.py; the sums:
sums.py and optimize/placement; who talks to whom and what that costs: ends.py, talks.py; what else
groups share: ties.py; spot: spot.py; of one group: grounds.py; in words and figures: advice.py,
stays.py. Settings: settings.py. See docs/moves.md.
"""

from costopt.rules.move.fleet import Moves, moves

__all__ = ["Moves", "moves"]
