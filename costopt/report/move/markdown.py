"""Moves as Markdown for a pull request or a wiki: one row a group."""

from __future__ import annotations

from itertools import groupby
from typing import Final

from costopt.model import Report
from costopt.report import words
from costopt.report.markdown import notes, skips, table
from costopt.report.move.rows import Row, rows
from costopt.report.safe import markdown, markdown_code
from costopt.units import counted

_HEAD: Final = ("Group", "Machines", "From → to", "Types", "Once", "Paid by", "In today's money")


def as_markdown(report: Report) -> bytes:
    """GitHub-flavoured Markdown: headline, a table a kind of move, skips by reason, notes."""
    blocks = [_headline(report)]
    for head, section in groupby(rows(report.recommendations), key=lambda row: row.head):
        blocks += [f"### {head}", _table(report, list(section))]
    blocks += [skips(report), notes(report)]
    return ("\n\n".join(block for block in blocks if block) + "\n").encode()


def _headline(report: Report) -> str:
    summary, currency = report.summary, report.currency
    saved, spend, after = (
        f"{words.amount(amount)} {currency}"
        for amount in (summary.monthly_savings, summary.monthly_spend, summary.monthly_spend_after)
    )
    return "\n".join(
        (
            f"## {saved} a month less by moves and spot",
            "",
            f"Of {spend} a month once the plan is done, {after} would remain. "
            f"{summary.recommendations:,} of {counted(summary.resources, 'machine')} should go; "
            f"{summary.well_sized:,} cost least where they are. "
            f"As of {report.as_of:%Y-%m-%d %H:%M} UTC.",
        )
    )


def _table(report: Report, section: list[Row]) -> str:
    head = (f"{report.currency} a month", *_HEAD, "Mind")
    return table(head, map(_row, section), right=(0, 5, 7))


def _row(row: Row) -> tuple[str, ...]:
    net, low = row.told("net_present_saving"), row.told("net_present_saving_low")
    once = row.once
    said = row.cautions if once is not None else (row.first.reason,)
    return (
        words.amount(row.saves),
        markdown_code(row.group),
        row.machines,
        markdown(row.where),
        markdown(", ".join(row.types)),
        "" if once is None else f"{once:,.0f}",
        markdown(str(row.told("break_even_on") or "")),
        "" if net is None else f"{net:,.0f} (≥ {low:,.0f})",
        markdown("; ".join(said)),
    )
