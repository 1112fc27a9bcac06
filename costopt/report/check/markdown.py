"""A check as Markdown, for a comment at a pull request: tables, no HTML, no live links."""

from __future__ import annotations

from typing import Final

from costopt.model.check import Check, Verdict
from costopt.report import words
from costopt.report.check import wording
from costopt.report.markdown import table
from costopt.report.safe import markdown, markdown_code
from costopt.units import counted

_ROWS: Final = 200  # a comment of GitHub's takes 65,536 characters
_LONGEST: Final = 240  # characters of a cell


def render(check: Check) -> bytes:
    """GitHub-flavoured Markdown: headline, findings, what was not judged, notes."""
    at_stake = wording.at_stake(check)
    blocks = [
        f"## {markdown(wording.headline(check))}",
        f"{at_stake} a month are at stake, where that is known." if at_stake else "",
        _findings(check),
        f"Not counted: {wording.let_stand(check)}." if wording.let_stand(check) else "",
        _planned(check),
        _unjudged(check),
        "\n".join(f"- {markdown(note)}" for note in check.notes),
    ]
    return ("\n\n".join(block for block in blocks if block) + "\n").encode()


def _findings(check: Check) -> str:
    if not check.open:
        return ""
    shown = check.open[:_ROWS]
    head = (f"{check.currency} a month", "Severity", "Policy", "Resource", "Why", "Do", "Finding")
    text = table(head, [_row(one) for one in shown], right=(0,))
    more = len(check.open) - len(shown)
    return f"{text}\n\nand {more:,} more." if more else text


def _row(one: Verdict) -> tuple[str, ...]:
    return (
        words.amount(one.monthly) if one.monthly is not None else "—",
        one.severity,
        markdown_code(one.policy),
        markdown_code(one.name[:_LONGEST]),
        markdown(wording.sentence(one)[:_LONGEST]),
        markdown(one.remediation),
        markdown_code(one.finding_id),
    )


def _planned(check: Check) -> str:
    if check.planned is None:
        return ""
    total = f"{markdown(wording.planned_total(check, check.planned))}."
    every = wording.billed(check.planned)
    if not every:
        return total
    head = (f"{check.currency} a month", "Change", "Resource", "Not in it")
    rows = [
        (
            wording.signed(one.difference),
            one.action,
            markdown_code(one.address[:_LONGEST]),
            markdown("; ".join(one.unpriced)[:_LONGEST]),
        )
        for one in every[:_ROWS]
    ]
    more = f"\n\nand {len(every) - _ROWS:,} more." if len(every) > _ROWS else ""
    return f"{total}\n\n{table(head, rows, right=(0,))}{more}"


def _unjudged(check: Check) -> str:
    if not check.unjudged:
        return ""
    rows = [
        (
            markdown_code(one.policy),
            counted(len(one.subjects), "resource"),
            ", ".join(map(markdown_code, one.fields)) or "—",
        )
        for one in check.unjudged
    ]
    return "Not judged, as something is not known:\n\n" + table(("Policy", "Of", "Without"), rows)
