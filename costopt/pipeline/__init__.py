"""The straight way: collect -> lake -> quality gate -> profile -> rules -> plan -> report.

I/O happens at the two ends (providers and the lake here, formats and the command line after); the
middle is a function of tables, prices, settings and `as_of`. In order: collecting.py, observing.py,
analysing.py; what is bought ahead for the whole bill: committing.py; where everything should run:
moving.py, and on machines of one's own: owning.py; what policies say of it all: checking.py.
"""

from costopt.pipeline.analysing import Analysis, analyse, backtest, doubts
from costopt.pipeline.checking import check, check_plan
from costopt.pipeline.collecting import Collected, collect
from costopt.pipeline.committing import commit
from costopt.pipeline.moving import move
from costopt.pipeline.observing import Observed, lookback, moment, observe, profiles, resources
from costopt.pipeline.owning import own
from costopt.pipeline.progress import Progress

__all__ = [
    "Analysis",
    "Collected",
    "Observed",
    "Progress",
    "analyse",
    "backtest",
    "check",
    "check_plan",
    "collect",
    "commit",
    "doubts",
    "lookback",
    "moment",
    "move",
    "observe",
    "own",
    "profiles",
    "resources",
]
