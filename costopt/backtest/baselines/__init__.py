"""The vendors' and tools' sizing rules by name, to be replayed beside ours on the same weeks.

Each is written from what its vendor publishes or from its source, with the numbers and the place in
its docstring. What stays an approximation is said there: machines stand in for containers, and
periods of minutes for samples of seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Final

from costopt.backtest.base import Baseline
from costopt.backtest.baselines import aws, azure, gcp, kubernetes, plain, tools, vpa
from costopt.errors import ConfigError

_ALL: Final[Mapping[str, Baseline]] = MappingProxyType(
    {
        baseline.name: baseline
        for module in (aws, azure, gcp, vpa, kubernetes, tools, plain)
        for baseline in module.BASELINES
    }
)


def baselines() -> Mapping[str, Baseline]:
    """Every named baseline, by name, always in the same order: clouds, Kubernetes, tools, plain."""
    return _ALL


def find(name: str) -> Baseline:
    """The baseline of that name, in letters of any case.

    Raises:
        ConfigError: no such name; the hint has the nearest, and how to list all.
    """
    folded = name.strip().casefold()
    if folded not in _ALL:
        near = get_close_matches(folded, _ALL)
        meant = f"did you mean {' or '.join(near)}? " if near else ""
        raise ConfigError(
            f"no baseline named {name!r}", hint=f"{meant}costopt backtest --list names them all"
        )
    return _ALL[folded]
