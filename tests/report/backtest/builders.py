"""Backtests made up for tests: no figure here was measured."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from hypothesis import strategies as st

from costopt.backtest.result import (
    Backtest,
    Bin,
    Calibration,
    Guarded,
    Interval,
    MemoryScore,
    MethodScore,
)
from costopt.model import Window

START: Final = datetime(2026, 1, 5, tzinfo=UTC)
LADDER: Final = (1.0, 0.5, 0.25, 0.125, 0.0625)
WINDOWS: Final = 1_840

# Name, title, net saving and rollbacks in percent: invented, but crowded as real ones are.
METHODS: Final = (
    ("costopt", "costopt, kappa 0.5", 66.5, 7.8),
    ("aws-co", "AWS Compute Optimizer, defaults", 66.1, 8.1),
    ("aws-co-times", "AWS Compute Optimizer, headroom multiplied", 65.8, 7.6),
    ("aws-co-max-savings", "AWS Compute Optimizer, maximum savings", 58.2, 31.4),
    ("aws-co-balanced", "AWS Compute Optimizer, balanced", 63.0, 17.9),
    ("aws-co-idle", "AWS Compute Optimizer, idle machines", 2.1, 0.2),
    ("azure-shutdown", "Azure Advisor, shut down", 3.4, 0.3),
    ("azure-resize", "Azure Advisor, resize", 64.6, 26.0),
    ("azure-burstable", "Azure Advisor, burstable", 22.7, 12.9),
    ("aoe-fit", "FinOps toolkit, fit score", 55.0, 9.8),
    ("gcp-idle", "Google Cloud, idle machines", 2.1, 0.2),
    ("gcp-mtr", "Google Cloud, machine types", 60.9, 19.4),
    ("vpa", "Kubernetes Vertical Pod Autoscaler", 63.1, 30.2),
    ("vpa-upper", "Kubernetes VPA, upper bound", 60.2, 12.2),
    ("krr-simple", "Robusta KRR, simple", 61.9, 29.1),
    ("krr-p99", "Robusta KRR, P99 and 15 %", 66.2, 16.0),
    ("kruize-cost", "Kruize, cost", 40.3, 61.7),
    ("kruize-perf", "Kruize, performance", 62.4, 22.8),
    ("crane", "Crane", 65.4, 18.3),
    ("optscale-rightsize", "OptScale, rightsizing", 64.9, 19.2),
    ("optscale-abandoned", "OptScale, abandoned machines", 3.4, 0.3),
    ("flexera", "Flexera, under-used", 31.5, 44.0),
    ("flexera-idle", "Flexera, idle", 9.0, 4.1),
    ("max-15", "maximum and 15 %", 56.3, 2.7),
    ("mean-2", "twice the mean", 29.4, 71.3),
    ("p99.5-x1.25", "P99.5 of averages and 25 %", 66.7, 8.1),
    ("p99.8-x1.1", "P99.8 of averages and 10 %", 66.6, 8.3),
)


def interval(value: float, half: float = 0.02) -> Interval:
    """That figure, give or take `half`."""
    return Interval(value, value - half, value + half)


def score(name: str, title: str, net: float, rolled_back: float, **other: Any) -> MethodScore:
    """A method's score; `net` and `rolled_back` in percent."""
    saved, back = net / 100, rolled_back / 100
    ours = name.startswith("costopt")
    return MethodScore(
        name=name,
        title=title,
        source="" if ours else f"the published rules of {title}",
        **{
            "windows": WINDOWS,
            "abstained": 0.04,
            "saved": interval(min(1.0, saved * 1.05)),
            "net": interval(saved),
            "rolled_back": Interval(back, back * 0.8, min(1.0, back * 1.2)),
            "over_90": back * 0.06,
            "over_100": back * 0.02,
            "windows_over_half_percent": back,
            "windows_over_one_percent": back * 0.7,
            "guarded": tuple(
                Guarded(minutes, interval(saved), back * 0.02, worst)
                for minutes, worst in ((10.0, 0.0052), (240.0, 0.0168), (1440.0, 0.0763))
            ),
            "net_minus_ours": None if ours else Interval(saved - 0.665, saved - 0.68, saved - 0.65),
            **other,
        },
    )


def calibration() -> Calibration:
    """Nearly right, as a good forecast is."""
    bins = (
        Bin(0.021, 0.018, 6_211),
        Bin(0.142, 0.131, 803),
        Bin(0.247, 0.281, 402),
        Bin(0.351, 0.33, 311),
        Bin(0.452, 0.47, 240),
        Bin(0.548, 0.561, 222),
        Bin(0.655, 0.69, 260),
        Bin(0.751, 0.74, 341),
        Bin(0.857, 0.871, 514),
        Bin(0.978, 0.985, 4_820),
    )
    return Calibration(bins, 0.0153)


def backtest(methods: int = 7, **other: Any) -> Backtest:
    """A backtest of ours and the next baselines."""
    scores = [score(*figures) for figures in METHODS[:methods]]
    given: dict[str, Any] = {
        "window": Window(START, START + timedelta(days=49)),
        "train_days": 14.0,
        "gap_days": 0.0,
        "test_days": 14.0,
        "origins": tuple(START + timedelta(days=14 + 7 * n) for n in range(4)),
        "resources": 471,
        "windows": WINDOWS,
        "skipped": {"short-history": 37, "thin-data": 4},
        "ladder": LADDER,
        "limit_percent": 90.0,
        "budget": 0.005,
        "rollback_cost": 0.5,
        "seed": 0,
        "scores": tuple(sorted(scores, key=lambda s: (s.name != "costopt", -s.net.value))),
        "memory": (),
        "calibration": calibration(),
        "left_out": {"short-history": 6},
    }
    return Backtest(**{**given, **other})


def with_memory() -> Backtest:
    """A backtest of memory, too, with a note."""
    memory = (
        MemoryScore("costopt", 1_200, interval(0.312), Interval(0.004, 0.001, 0.009)),
        MemoryScore("krr-simple", 1_200, interval(0.405), Interval(0.083, 0.07, 0.099)),
    )
    return backtest(memory=memory, notes=("Memory is measured on 300 of 471 machines.",))


def three_kappas(methods: int = 10) -> Backtest:
    """A backtest with three of ours."""
    whole = backtest(methods)
    bold = score("costopt-bold", "costopt, kappa 0.2", 67.2, 11.9)
    cautious = score("costopt-cautious", "costopt, kappa 2", 64.0, 5.4)
    ours, *rest = whole.scores
    return replace(whole, scores=(ours, bold, cautious, *rest))


SHARES = st.floats(0, 1)
_NETS = st.sampled_from((-40.0, 0.0, 30.0, 30.2, 60.0, 66.0)) | st.floats(-30, 100)
_BACKS = st.sampled_from((0.0, 8.0, 8.1, 100.0)) | st.floats(0, 100)


@st.composite
def backtests(draw: st.DrawFn) -> Backtest:
    """Anything that a backtest may come to, crowds and ties above all."""
    names = [name for name, *_ in METHODS]
    count = draw(st.integers(1, len(names)))
    scores = tuple(
        score(name, name.upper(), draw(_NETS), draw(_BACKS), over_90=draw(SHARES))
        for name in names[:count]
    )
    bins = draw(st.lists(st.builds(Bin, SHARES, SHARES, st.integers(1, 10**6)), max_size=10))
    told = Calibration(tuple(bins), draw(SHARES)) if bins else None
    return backtest(1, scores=scores, calibration=told)
