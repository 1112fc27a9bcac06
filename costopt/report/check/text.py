"""A check for the terminal: what breaks which policy, what to do, and what nobody could judge."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Final

from costopt.model.check import Check, Severity, Verdict
from costopt.report import words
from costopt.report.check import wording
from costopt.report.screen import GOOD, HEAD, MONEY, PLAIN, QUIET, STRONG, WARN, Screen
from costopt.units import counted

WIDTH: Final = 100
SHOWN: Final = 5
"""Findings of one policy; --limit 0 shows all."""
_PLANNED: Final = 10  # so many times as many changes of a plan: each takes a line or two
_STYLES: Final[dict[Severity, str]] = {"error": "bold red", "warning": WARN, "note": QUIET}


def render(check: Check, *, width: int = WIDTH, colour: bool = False, limit: int = SHOWN) -> bytes:
    """UTF-8 text.

    Args:
        limit: show so many findings of each policy; 0 = all.
    """
    screen = Screen(width, colour=colour)
    screen.blank()
    screen.line(("Checked as of ", PLAIN), (f"{check.as_of:%Y-%m-%d %H:%M} UTC", STRONG))
    screen.blank()
    screen.paragraph(wording.headline(check), STRONG if check.open else GOOD)
    if at_stake := wording.at_stake(check):
        screen.paragraph(
            f"{at_stake} a month are at stake, where that is known; one resource may break several "
            "policies",
            QUIET,
        )
    if let_stand := wording.let_stand(check):
        screen.paragraph(f"Not counted: {let_stand}", QUIET)
    of = wording.about(check)
    by_policy = {
        name: list(group)
        for name, group in groupby(
            sorted(check.open, key=lambda one: one.policy), key=lambda one: one.policy
        )
    }
    for name in dict.fromkeys(one.policy for one in check.open):
        found = by_policy[name]
        screen.blank()
        first = found[0]
        screen.line(
            (f"{first.severity}  ", _STYLES[first.severity]),
            (name, HEAD),
            (f"  {of[name].title}", PLAIN),
        )
        _findings(screen, check, found, limit)
        screen.paragraph(f"Do: {of[name].remediation}", QUIET, indent=4)
    _planned(screen, check, limit)
    _unjudged(screen, check)
    screen.blank()
    screen.notes(check.notes)
    return screen.text().encode()


def _findings(screen: Screen, check: Check, found: Sequence[Verdict], limit: int) -> None:
    shown = found[:limit] if limit else found
    for one in shown:
        amount = f"{words.amount(one.monthly)} {check.currency} a month" if one.monthly else ""
        screen.line((one.finding_id, QUIET), (f"  {amount}", MONEY), indent=4)
        screen.paragraph(wording.sentence(one), indent=6)
    if more := len(found) - len(shown):
        screen.paragraph(f"and {more:,} more: --limit 0 shows all", QUIET, indent=4)


def _planned(screen: Screen, check: Check, limit: int) -> None:
    """What each change adds; what has no price, with the reason."""
    if check.planned is None:
        return
    screen.blank()
    screen.line((f"Monthly difference, {check.currency}", HEAD))
    screen.paragraph(wording.planned_total(check, check.planned), QUIET)
    every = wording.billed(check.planned)
    shown = every[: limit * _PLANNED] if limit else every
    for one in shown:
        screen.line(
            (f"{wording.signed(one.difference):>12}  ", MONEY), (f"{one.action:8}", PLAIN),
            (one.address, STRONG), indent=2,
        )  # fmt: skip
        for why in one.unpriced:
            screen.paragraph(f"not in it: {why}", QUIET, indent=16)
    if more := len(every) - len(shown):
        screen.paragraph(f"and {more:,} more: --limit 0 shows all", QUIET, indent=4)


def _unjudged(screen: Screen, check: Check) -> None:
    """What nobody could judge, and for want of what."""
    if not check.unjudged:
        return
    screen.blank()
    screen.line(("Not judged, as something is not known", HEAD))
    for one in check.unjudged:
        many = counted(len(one.subjects), "resource")
        why = ", ".join(one.fields) or "what it computes"
        screen.bullet(f"{one.policy}: {many} without {why}", QUIET)
