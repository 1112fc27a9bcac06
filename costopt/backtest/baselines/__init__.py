"""The vendors' and tools' sizing rules by name, to be replayed beside ours on the same weeks.

Each is written from what its vendor publishes or from its source, with the numbers and the place in
its docstring. What stays an approximation is said there: machines stand in for containers, and
periods of minutes for samples of seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from costopt.backtest.base import Baseline
from costopt.backtest.baselines import aws, azure, gcp, kubernetes, plain, tools, vpa
from costopt.errors import ConfigError
from costopt.registry import suggest

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
    """The baseline of that name.

    Raises:
        ConfigError: no such name; the message lists what there is and the nearest.
    """
    if name not in _ALL:
        raise ConfigError(f"no baseline named {name!r}", hint=suggest(name, _ALL))
    return _ALL[name]
