"""A rule's evidence: every figure has a name in words and its unit, whatever the rule."""

from __future__ import annotations

from typing import Any

import pytest

from costopt.report import evidence
from costopt.report.screen import Screen


def _drawn(told: dict[str, Any]) -> list[str]:
    screen = Screen(100, colour=False)
    evidence.draw(screen, told, indent=2)
    return [" ".join(line.split()) for line in screen.text().rstrip("\n").split("\n")]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("p99_5_percent", 89.2234, ("P99.5", "89.22 %")),
        ("p99_5_on_target_smt_percent", 47.2, ("P99.5 on target SMT", "47.2 %")),
        ("largest_maximum_percent", None, ("largest maximum", "unknown")),
        ("refused_above_105_percent", 3, ("refused above 105 %", "3")),
        ("trend_percent_a_day", 0.4, ("trend", "0.4 points a day")),
        ("needed_gib", 8.41016, ("needed", "8.41 GiB")),
        ("p99_5_gbps", 0.00147234, ("P99.5", "0.001472 Gbit/s")),
        ("period_seconds", 300, ("period", "5 minutes")),
        ("running_share", 1, ("running share", "100.0 %")),
        ("coverage", 0.981, ("coverage", "98.1 %")),
        ("model_probability", 0.0142, ("model probability", "1.4 %")),
        ("measured_percent", True, ("measured percent", "yes")),
        ("cpu_samples", 12_096, ("CPU samples", "12,096")),
        ("basis", "list", ("basis", "list")),
    ],
)
def test_a_figure_has_its_unit(name: str, value: object, said: tuple[str, str]) -> None:
    assert evidence.labelled(name, value) == said


def test_few_figures_stand_in_a_line_and_more_have_one_each() -> None:
    told = {
        "network": {"p99_5_gbps": 0.25, "unmeasured": []},
        "cpu": {"samples": 12_096, "period_seconds": 300, "p95_percent": 10.234},
    }
    assert _drawn(told) == [
        "network P99.5 0.25 Gbit/s, unmeasured none",
        "CPU:",
        "samples 12,096",
        "period 5 minutes",
        "P95 10.23 %",
    ]
