"""Why a size is advised, or kept, drawn from the evidence of the rule that sizes machines
(rules/evidence.py): the sizes beside it, its memory, its disputed spikes, and what to look at.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from costopt.model import Recommendation
from costopt.report import ladder, words
from costopt.report.screen import STRONG, WARN, Screen
from costopt.rules.base import Case
from costopt.units import counted

_TOLD: Final = frozenset(
    {"memory", "rollback_cost", "disputed", "warnings", "model_probability", "record"}
)


def is_sizing(evidence: Mapping[str, Any]) -> bool:
    """Whether it is the evidence of a size."""
    cpu = evidence.get("cpu")
    return isinstance(cpu, Mapping) and "risk_of_sizes" in cpu


def untold(evidence: Mapping[str, Any]) -> dict[str, Any]:
    """What of the evidence `draw` does not tell."""
    rest = {name: value for name, value in evidence.items() if name not in _TOLD}
    cpu = {name: value for name, value in rest["cpu"].items() if name != "risk_of_sizes"}
    return rest | {"cpu": cpu}


def draw(
    screen: Screen, case: Case, evidence: Mapping[str, Any], advice: Recommendation | None
) -> bool:
    """The whole of it; `advice` None: why the machine stays as it is.

    Returns:
        Whether the advice's alternatives were among the sizes drawn.
    """
    screen.blank()
    screen.line(("Why this size" if advice else "The sizes beside it", STRONG))
    drawn = ladder.draw(screen, case, evidence, advice)
    if drawn:
        screen.blank()
    screen.labelled("Memory", memory(evidence.get("memory", {})))
    if disputed := evidence.get("disputed"):
        screen.labelled("Spikes", spikes(disputed, advice))
    if warnings := evidence.get("warnings"):
        screen.blank()
        screen.line(("Before you change it", STRONG))
        for text in warnings:
            screen.bullet(text, WARN)
    return drawn


def memory(told: Mapping[str, Any]) -> str:
    """What its memory needs, and what that rests on."""
    today = told.get("today_gib")
    size = "" if today is None else f" of {words.figure(today)} GiB"
    if not told.get("measured") or told.get("peak_percent") is None:
        kept = f"the {words.figure(today)} GiB of today are kept" if today else "as much as today"
        return f"not measured: {kept}"
    peak = f"peaks at {told['peak_percent']:.3g} %{size}"
    if told.get("needed_gib") is None:
        return peak
    return f"{peak}; needs {words.figure(told['needed_gib'])} GiB{_decided(told)}"


def _decided(told: Mapping[str, Any]) -> str:
    basis, headroom = told.get("headroom_basis", ""), told.get("headroom_percent")
    if headroom is None:
        return f", as today: {basis}"
    if told["decided_by"] == "growth":
        return (
            f", as its peak has grown by {100 * (told['growth'] - 1):.0f} % in a fortnight before"
        )
    if told["decided_by"] == "trend":
        rise = counted(told["trend_percent_a_day"], "point", ".2g")
        return f", as its peaks rise by {rise} a day"
    return f" to keep {words.figure(headroom)} % free ({basis})"


def spikes(told: Mapping[str, Any], advice: Recommendation | None) -> str:
    """The answer without the disputed spikes, and with them."""
    example = datetime.fromisoformat(told["example_at"])
    text = (
        f"{counted(told['samples'], 'CPU spike')} that no other metric confirms, like "
        f"{told['example_percent']:.0f} % at {example:%Y-%m-%d %H:%M} UTC, left out"
    )
    chosen = words.machine(advice.recommended) if advice and advice.recommended else None
    real = told["instance_type_with"]
    if real == chosen:
        return f"{text}; were they real, the answer would be the same"
    return f"{text}; were they real, the answer would be {real}" + (
        f", not {chosen}" if chosen else ""
    )
