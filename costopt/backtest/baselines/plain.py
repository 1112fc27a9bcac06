"""Rules of thumb: what people do without a tool, and the best that any fixed rule does."""

from __future__ import annotations

from typing import Final

import numpy as np

from costopt.backtest.base import Baseline, Need, Past
from costopt.backtest.baselines.samples import largest, nearest_rank, ordered


def maximum(past: Past) -> Need:
    """The largest mean of a period, plus 15 %; memory's peak plus 15 %. Of all the past there is.

    Of CPU the means, not the maxima within a period: on these it would hardly ever shrink anything.

    Source:
        The careful engineer's rule; "max +15 %" of this project's experiments (docs/method.md).
    """
    return Need.sized(
        largest(ordered(past, "cpu")) * 1.15 / 100,
        largest(ordered(past, "memory_peaks")) * 1.15 / 100,
    )


def mean(past: Past) -> Need:
    """The size on which mean CPU is 60 %: what the average on a dashboard suggests.

    60 % is what Google's autoscaler of instance groups aims at by default. It says nothing about
    memory, of which no average can tell how much is needed.

    Source:
        Google Cloud, Compute Engine: autoscaling on CPU, default target utilization 0.6.
    """
    samples = ordered(past, "cpu")
    return Need.sized(float(samples.mean()) / 60 if len(samples) else np.nan)


def best_fixed(past: Past) -> Need:
    """P99.5 of CPU means x 1.25, nearest rank: in hindsight about the best fixed rule there is.

    Chosen on the very windows it was scored on: a bound for fixed rules, not a rule anyone had. It
    says nothing about memory.

    Source:
        This project's experiments on the Bitbrains and PlanetLab traces (docs/method.md).
    """
    return Need.sized(nearest_rank(ordered(past, "cpu"), 99.5) * 1.25 / 100)


BASELINES: Final = (
    Baseline("max-15", "Maximum plus 15 %", "rule of thumb", maximum),
    Baseline(
        "mean",
        "Mean at 60 %",
        "rule of thumb, at Google Compute Engine's default autoscaling target",
        mean,
    ),
    Baseline(
        "p99.5-x1.25",
        "P99.5 x 1.25, best fixed rule in hindsight",
        "experiments on the Bitbrains and PlanetLab traces, docs/method.md",
        best_fixed,
    ),
)
