"""How sure advice is, drawn: the risk of having to undo it, when to, how it would have done."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from costopt.model import Guard, Recommendation, Risk
from costopt.report import risk, words
from costopt.report.screen import HEAD, MARGIN, PLAIN, STRONG, WARN, Screen
from costopt.units import counted

_TITLES: Final = ("decided on", "chosen", "undone", "over limit", "net saving")


def draw(screen: Screen, advice: Recommendation) -> None:
    """All that is known of it; nothing where nothing runs afterwards, or more is added."""
    known = advice.risk or advice.backtest or advice.guards
    if not known or words.costs_more(advice):
        return
    screen.blank()
    sure = risk.confidence(advice)
    spans = [("How sure it is", STRONG), *([(f"  {sure}", risk.tone(advice))] if sure else [])]
    screen.line(*spans)
    if (chance := risk.chance(advice)) != risk.UNKNOWN:
        screen.labelled("Undo risk", _chance(advice, chance))
    if rests_on := _rests_on(advice.evidence):
        screen.labelled("It rests on", rests_on)
    if advice.guards:
        screen.labelled("Undo it", _stop_rule(advice.guards))
    if advice.risk:
        screen.labelled(
            "Over limit",
            f"{_over(advice, advice.risk)} for {words.percent(advice.risk.expected_share)} of the "
            f"time, {words.at_most(advice.risk.upper_bound)}"
            + (", disputed spikes counted" if "disputed" in advice.evidence else ""),
        )
    if advice.backtest and advice.schedule:
        _held_out(screen, advice.backtest)
    elif advice.backtest:
        _replay(screen, advice.backtest, advice.current.instance_type)


def _over(advice: Recommendation, risk_: Risk) -> str:
    """What is expected to go wrong for some of the time."""
    if advice.schedule:
        return "More is expected to be needed than runs by the schedule"
    return f"CPU is expected above {words.figure(risk_.limit_percent)} % of the new size"


def _chance(advice: Recommendation, chance: str) -> str:
    days = advice.risk.horizon_days if advice.risk else None
    within = f" within {counted(days, 'day', ',.4g')}" if days else ""
    most = risk.at_most(advice)
    return f"{chance}{within}" + (f", {most}" if most else "")


def _rests_on(evidence: Mapping[str, Any]) -> str:
    """What the chance is made of: the model's, and the machine's own record; "" where the rule
    does not say."""
    model, record = evidence.get("model_probability"), evidence.get("record")
    if model is None or not isinstance(record, Mapping):
        return ""
    told = f"{words.chance(model)} by the model"
    if not record["windows"]:
        return f"{told}; the machine has lived through no whole fortnight to compare that with"
    lived = counted(record["windows"], "fortnight")
    return f"{told}; its own record: over the budget in {record['over']} of {lived}"


def _stop_rule(guards: tuple[Guard, ...]) -> str:
    """When to undo it, and until when that holds if the change is made at once."""
    days, until = guards[0].horizon_days, guards[0].until
    moment = f"{until:%Y-%m-%d}" if not (until.hour or until.minute) else f"{until:%Y-%m-%d %H:%M}"
    return (
        f"as soon as {risk.stop_rule(guards)}, within {counted(days, 'day', ',.4g')} of the change "
        f"(before {moment} UTC if it is made now)"
    )


def _held_out(screen: Screen, backtest: Mapping[str, Any]) -> None:
    """What the schedules made of the weeks before came to, in one line."""
    missed = max(one["added_violations_percent"] for one in backtest["decisions"])
    screen.labelled(
        "Held out",
        f"made of the weeks before, a schedule would have saved "
        f"{backtest['net_savings_percent']:.0f} % in the last "
        f"{counted(backtest['origins'], 'week')}, and been missed for "
        f"{words.percent(missed / 100)} of the worst",
    )


def _replay(screen: Screen, backtest: Mapping[str, Any], today: str | None) -> None:
    """How this size would have done, then the decisions of the past, which may have chosen others,
    one a line."""
    tried, told = risk.this_size(backtest), risk.decided(backtest)
    if not tried or not told:
        screen.labelled(
            "Replayed", "not: its history is too short for a past decision and its test"
        )
        return
    train, test = (counted(backtest[f"{name}_days"], "day", ",.4g") for name in ("train", "test"))
    screen.labelled("This size", f"{tried}{_memory(backtest)}")
    screen.labelled(
        "Decided then",
        f"{told}. Each chose its own size by the {train} before it, and was held against the "
        f"{test} after it:",
    )
    table = [[(title, HEAD) for title in _TITLES]]
    for one in backtest["decisions"]:
        undone = one["rolled_back"]
        chosen = one["instance_type"]
        texts = (
            f"{datetime.fromisoformat(one['origin']):%Y-%m-%d}",
            "no change" if chosen == today else chosen or "no change",
            "yes" if undone else "no",
            words.percent(one["added_violations_percent"] / 100),
            f"{one['net_savings_percent']:.0f} %",
        )
        table.append([(text, WARN if undone else PLAIN) for text in texts])
    screen.table(table, [False, False, False, True, True], indent=MARGIN + 2)


def _memory(backtest: Mapping[str, Any]) -> str:
    memory = backtest.get("memory")
    if not memory:
        return ""
    moments = counted(memory["origins"], "past moment")
    return f"; memory, sized as now, ran out after {memory['out_of_memory']} of {moments}"
