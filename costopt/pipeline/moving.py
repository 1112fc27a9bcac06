"""Move: where every machine should run, once the rest of the plan is done."""

from __future__ import annotations

from datetime import datetime

from costopt.config import Settings
from costopt.errors import InsufficientData
from costopt.lake.store import Lake
from costopt.pipeline.analysing import Analysis, analyse
from costopt.pipeline.progress import Progress
from costopt.rules.move import Moves


def move(
    lake: Lake,
    settings: Settings,
    as_of: datetime | None,
    progress: Progress = lambda step: None,
) -> tuple[Moves, Analysis]:
    """Where everything should run that the plan leaves.

    Raises:
        InsufficientData: nothing was collected yet, or nothing usable.
        ConfigError: a setting names what is not there.
    """
    analysis = analyse(lake, settings, as_of, progress)
    if analysis.elsewhere is None:
        raise InsufficientData("no machine is known that could run elsewhere")
    return analysis.elsewhere.after(analysis.before_moves()), analysis
