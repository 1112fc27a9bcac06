"""Schedules as Markdown for a pull request, an issue or a wiki."""

from __future__ import annotations

from typing import Final

from costopt.model import Recommendation, Report
from costopt.report import words
from costopt.report.markdown import notes, skips, table
from costopt.report.safe import markdown, markdown_code
from costopt.report.schedule import words as said
from costopt.units import counted

_HEAD: Final = ("Runs", "Off a week", "Missed")


def render(report: Report) -> bytes:
    """GitHub-flavoured Markdown: headline, schedules, skips by reason, notes."""
    saved = f"{words.amount(report.summary.monthly_savings)} {report.currency}"
    schedules = counted(report.summary.recommendations, "schedule")
    head = (
        f"## {schedules} worth {saved} a month\n\nAs of {report.as_of:%Y-%m-%d %H:%M} UTC, looking "
        f"back {counted(report.window.days, 'day', ',.4g')}. Missed: share of the held-out weeks' "
        "hours in which more was needed than a plan made of the weeks before would have run."
    )
    rows = [_row(one) for one in report.recommendations]
    first = (f"{report.currency} a month", "Resource", *_HEAD)
    body = table(first, rows, right=(0, 3, 4)) if rows else "No schedule is advised."
    blocks = (head, body, skips(report), notes(report))
    return ("\n\n".join(block for block in blocks if block) + "\n").encode()


def _row(one: Recommendation) -> tuple[str, ...]:
    assert one.schedule is not None
    dates = said.dates(one.schedule)
    resource = markdown_code(words.name(one))
    if one.resource_name and one.resource_name != one.resource_id:
        resource += f" ({markdown_code(one.resource_id)})"
    missed = " ".join(part for part in (said.missed(one), said.missed_at_most(one)) if part)
    return (
        words.amount(one.estimated_monthly_savings.target),
        resource,
        markdown(said.when(one.schedule) + (f", but {dates}" if dates else "")),
        said.hours_off(one),
        missed,
    )
