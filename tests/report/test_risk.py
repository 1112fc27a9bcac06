"""How sure advice is, in words: no more than is known, and no less."""

from __future__ import annotations

from dataclasses import replace

import pytest

from costopt.model import Recommendation, Risk
from costopt.report import risk
from costopt.report.screen import GOOD, QUIET, WARN
from tests.report import builders


def _with(chance: float | None, upper: float | None = None, sure: str = "sure") -> Recommendation:
    return builders.recommendation(risk=Risk(90.0, 0.0, 0.0, "", chance, upper, 14, sure))


@pytest.mark.parametrize(
    ("upper", "said"),
    [
        (0.0, "≤ 0.1 %"),
        (0.0841, "≤ 8.5 %"),
        (0.09, "≤ 9.0 %"),
        (0.0991, "≤ 10 %"),
        (0.1201, "≤ 13 %"),
        (1.0, "≤ 100 %"),
        (None, ""),
    ],
)
def test_the_upper_bound_rounds_up(upper: float | None, said: str) -> None:
    assert risk.at_most(_with(0.0, upper)) == said


@pytest.mark.parametrize("one", [builders.stop(), builders.larger(), _with(None)])
def test_what_is_not_known_is_a_dash(one: Recommendation) -> None:
    assert (risk.chance(one), risk.at_most(one), risk.confidence(one)) == ("—", "", "")
    assert risk.tone(one) == QUIET


@pytest.mark.parametrize(("chance", "tone"), [(0.02, GOOD), (0.1, WARN), (0.7, WARN)])
def test_a_gamble_looks_like_one(chance: float, tone: str) -> None:
    assert risk.tone(_with(chance)) == tone


def test_what_gambles_save_is_told_apart() -> None:
    risky, adding = _with(0.3), replace(builders.larger(), risk=_with(0.9).risk)
    total = risk.gambled((risky, risky, _with(0.29), _with(None), adding, builders.stop()))
    assert total == (
        "937.32 USD a month by changes that must be undone with a chance of 30 % or more"
    )
    assert risk.gambled((_with(0.29), builders.stop(), adding)) == ""


def test_a_gamble_says_its_chance_in_words() -> None:
    gamble = replace(_with(0.344, sure="a gamble"), backtest=None)
    assert risk.grounds(gamble) == "A gamble: it must be undone with a chance of 34 %."
    assert risk.grounds(replace(_with(0.29), backtest=None)) == "Sure."


def test_what_the_past_decisions_came_to() -> None:
    assert risk.decided(builders.BACKTEST) == "at 3 past moments: 1 undone, 41 % saved"
    once = builders.BACKTEST | {"origins": 1, "rolled_back": 0, "net_savings_percent": 0.0}
    assert risk.decided(once) == "at 1 past moment: 0 undone, 0 % saved"
    assert risk.decided(builders.UNTRIED) == risk.decided(None) == ""


def test_this_size_is_judged_by_itself_not_by_what_others_chose() -> None:
    kept = builders.BACKTEST | {"this_size": {"windows": 5, "rolled_back": 0}}
    assert risk.this_size(kept) == "would have been undone in 0 of 5 past fortnights"
    short = {"this_size": {"windows": 1, "rolled_back": 1}, "test_days": 7.0}
    said = "would have been undone in 1 of 1 past span of 7 days"
    assert risk.this_size(builders.BACKTEST | short) == said
    assert risk.this_size(builders.UNTRIED) == risk.this_size(None) == ""


def test_the_grounds_leave_out_what_is_not_known() -> None:
    one = builders.recommendation()
    tried = "This size would have been undone in 2 of 3 past fortnights."
    assert risk.grounds(one) == f"Likely safe. {tried}"
    assert risk.grounds(replace(one, risk=None)) == tried
    assert risk.grounds(replace(one, backtest=builders.UNTRIED)) == "Likely safe."
    assert risk.grounds(builders.stop()) == ""


def test_disputed_spikes_are_told_with_the_size_they_would_ask_for() -> None:
    spiky = builders.recommendation(evidence={"disputed": builders.DISPUTED})
    told = "92 disputed CPU spikes left out; were they real: m5.2xlarge"
    assert risk.disputed(spiky) == told
    assert risk.remarks(spiky) == f"{told}. {risk.grounds(spiky)}"
    one = builders.DISPUTED | {"samples": 1, "instance_type_with": "m5.xlarge"}
    assert risk.disputed(replace(spiky, evidence={"disputed": one})) == (
        "1 disputed CPU spike left out; were they real: the same"
    )
    for other in ({}, {"disputed": 3}, {"disputed": {"samples": 3}}):
        assert risk.disputed(replace(spiky, evidence=other)) == ""
    assert risk.remarks(builders.stop()) == ""


def test_the_stop_rule_names_metric_limit_and_periods() -> None:
    cpu, memory = builders.GUARDS
    assert risk.stop_rule((cpu,)) == "CPU was over 90 % in 21 periods of 5 minutes"
    hourly = replace(memory, period_seconds=3600, samples=1_200)
    assert risk.stop_rule((hourly,)) == "memory was over 95 % in 1,200 periods of 1 hour"
    assert risk.stop_rule(()) == ""
    spiky = replace(cpu, samples=52, allowed_today=3, allowed_disputed=28)
    assert risk.stop_rule((spiky,)) == (
        "CPU was over 90 % in 52 periods of 5 minutes (28 allowed for disputed spikes)"
    )
    assert risk.stop_rule((cpu, memory)).endswith(", or memory over 95 % in 1 period of 5 minutes")
