"""How sure advice is, as people say it: the chance of having to undo it, how the same decision
would have done, and when to undo it.

Nothing here is escaped; each format does that for its own medium (see safe.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from costopt.model import Guard, Recommendation
from costopt.report import words
from costopt.report.artefacts.base import METRICS, lasting
from costopt.report.screen import GOOD, QUIET, WARN
from costopt.units import counted

UNKNOWN: Final = "—"
_FORTNIGHT: Final = 14  # days
_GAMBLE: Final = 0.3
"""From this chance on, a change is a gamble; it is still advised where it is the least cost to
expect, so its saving is told apart."""
_WATCHED: Final = 0.1  # from this chance on, a change is not simply likely to be safe


def probability(one: Recommendation) -> float | None:
    """The chance that it must be undone, 0 to 1; None where it is not known: of a larger machine,
    say, as its demand was cut off."""
    return one.risk.rollback_probability if one.risk else None


def chance(one: Recommendation) -> str:
    """The same for people: `1.4 %`, `34 %`; an em dash where it is not known."""
    known = probability(one)
    return UNKNOWN if known is None else words.chance(known)


def at_most(one: Recommendation) -> str:
    """Its upper bound, rounded up: `≤ 8.5 %`; "" where it is not known."""
    if probability(one) is None or one.risk is None or one.risk.rollback_probability_upper is None:
        return ""
    return words.chance_at_most(one.risk.rollback_probability_upper)


def confidence(one: Recommendation) -> str:
    """How sure it is, in the rule's words; "" where it does not say."""
    if probability(one) is None or one.risk is None:
        return ""
    return one.risk.confidence or ""


def tone(one: Recommendation) -> str:
    """The style that it is said in on a screen: calm, or worth a look."""
    known = probability(one)
    if known is None:
        return QUIET
    return WARN if known >= _WATCHED else GOOD


def is_gamble(one: Recommendation) -> bool:
    """Whether it must be undone with a chance of 30 % or more."""
    known = probability(one)
    return known is not None and known >= _GAMBLE


def gambled(advice: Sequence[Recommendation]) -> str:
    """What such changes save, in one sentence; "" where none does:
    `29.20 USD a month by changes that must be undone with a chance of 30 % or more`."""
    risky = [one for one in advice if is_gamble(one) and not words.costs_more(one)]
    total = sum((one.estimated_monthly_savings.target for one in risky), Decimal(0))
    if not total:
        return ""
    return (
        f"{words.amount(total)} {risky[0].currency} a month by changes that must be undone with a "
        f"chance of {100 * _GAMBLE:.0f} % or more"
    )


def grounds(one: Recommendation) -> str:
    """How sure it is and how this size would have done, in one line; "" where nothing is known:
    `Likely safe. This size would have been undone in 0 of 3 past fortnights.`"""
    sure, tried = confidence(one), this_size(one.backtest)
    if is_gamble(one):
        sure += f"{': ' if sure else ''}it must be undone with a chance of {chance(one)}"
    told = (sure, f"this size {tried}" if tried else "")
    return " ".join(f"{text[:1].upper()}{text[1:]}." for text in told if text)


def replayed_in_full(backtest: Mapping[str, Any] | None) -> bool:
    """Whether it was replayed on whole fortnights, as `costopt backtest` does."""
    return bool(backtest and (backtest["test_days"] or 0) >= _FORTNIGHT)


def this_size(backtest: Mapping[str, Any] | None) -> str:
    """How the size advised now would have done: `would have been undone in 0 of 3 past fortnights`;
    "" where no past was long enough."""
    if not backtest or not backtest["this_size"]["windows"]:
        return ""
    tried, days = backtest["this_size"], backtest["test_days"]
    if days == _FORTNIGHT:
        spans = counted(tried["windows"], "past fortnight")
    else:
        spans = f"{counted(tried['windows'], 'past span')} of {counted(days, 'day', ',.4g')}"
    return f"would have been undone in {tried['rolled_back']} of {spans}"


def decided(backtest: Mapping[str, Any] | None) -> str:
    """What the decisions taken then came to, each for a size of its own:
    `at 3 past moments: 0 undone, 41 % saved`; "" where no past was long enough."""
    if not backtest or not backtest["origins"]:
        return ""
    moments = counted(backtest["origins"], "past moment")
    saved = f"{backtest['net_savings_percent']:.0f} % saved"
    return f"at {moments}: {backtest['rolled_back']} undone, {saved}"


def disputed(one: Recommendation) -> str:
    """Which size it would be if the CPU spikes that were left out are real; "" where none were:
    `92 disputed CPU spikes left out; were they real: n2-highcpu-8`"""
    told = one.evidence.get("disputed")
    if not isinstance(told, Mapping) or "instance_type_with" not in told:
        return ""
    real = told["instance_type_with"]
    chosen = one.recommended.instance_type if one.recommended else None
    answer = "the same" if real == chosen else real
    return f"{counted(told['samples'], 'disputed CPU spike')} left out; were they real: {answer}"


def remarks(one: Recommendation) -> str:
    """What a row says beside its reason: disputed spikes, and how sure it is; "" for neither."""
    spikes = disputed(one)
    return " ".join(text for text in (f"{spikes}." if spikes else "", grounds(one)) if text)


def stop_rule(guards: tuple[Guard, ...]) -> str:
    """`CPU was over 90 % in 21 periods of 5 minutes, or memory over 95 % in one`; "" without."""
    return ", or ".join(
        f"{METRICS.get(guard.metric_name, words.metric(guard.metric_name))}"
        f"{'' if place else ' was'} over {words.figure(guard.limit_percent)} % in {_periods(guard)}"
        for place, guard in enumerate(guards)
    )


def _periods(guard: Guard) -> str:
    """`21 periods of 5 minutes`; `52 periods of 5 minutes (31 allowed for disputed spikes)`."""
    times = counted(guard.samples, "period")
    spikes = f" ({guard.allowed_disputed:,} allowed for disputed spikes)"
    return f"{times} of {lasting(guard.period_seconds)}{spikes if guard.allowed_disputed else ''}"
