"""The report as Markdown for a pull request, an issue or a wiki: tables, no HTML, no live links."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from costopt.model import Recommendation, Report
from costopt.report import risk, words
from costopt.report.safe import markdown, markdown_code
from costopt.units import counted

_RISK: Final = 5
"""The column of the undo risk; left out where nothing shown has one."""


def render(report: Report) -> bytes:
    """GitHub-flavoured Markdown: headline, recommendations, skips by reason, notes."""
    blocks = [_headline(report), _recommendations(report), skips(report), notes(report)]
    return ("\n\n".join(block for block in blocks if block) + "\n").encode()


def _headline(report: Report) -> str:
    summary, currency = report.summary, report.currency
    saving = f"{words.amount(words.saved(report))} {currency}"
    spend = f"{words.amount(summary.monthly_spend)} {currency}"
    after = f"{words.remaining(report)} {currency}"
    added = f"{words.amount(summary.monthly_extra_cost)} {currency}"
    more = f", {added} more for machines that are too small" if summary.monthly_extra_cost else ""
    share = markdown(words.percent(words.saved_share(report)))
    told = risk.gambled(report.recommendations)
    how = f" {words.steps(report).capitalize()}." if report.steps[1:] else ""
    risky = f" Of what is listed, **{told}**." if told else ""
    alone = [f"**{words.INDEPENDENT}**", ""] if report.independent else []
    return "\n".join(
        (
            f"## {saving} a month can be saved",
            "",
            *alone,
            f"**{share}** of {spend} a month{more}, which leaves "
            f"{after}.{how}{risky} {counted(summary.recommendations, 'recommendation')} for "
            f"{counted(summary.resources, 'resource')}, {summary.well_sized:,} well sized. "
            f"As of {report.as_of:%Y-%m-%d %H:%M} UTC, looking back "
            f"{counted(report.window.days, 'day', ',.4g')}.",
        )
    )


def _recommendations(report: Report) -> str:
    if not report.recommendations:
        return words.nothing(report)
    saving, adding = words.parted(report.recommendations)
    blocks = []
    now, later = words.by_when(saving)
    if now:
        blocks.append(_advice(now, f"{report.currency} a month"))
    if later:
        blocks.append(f"### {words.LATER}")
        blocks.append(_advice(later, f"{report.currency} a month"))
    if any(one.stranded_commitment for one in saving):
        blocks.append(
            "≤ in the first column: what it comes to once the commitment that covers the machine "
            "is used elsewhere, or ends; only what leaves the bill at once is counted."
        )
    if adding:
        blocks.append("### Too small: a larger machine costs more")
        blocks.append(_advice(adding, f"{report.currency} a month"))
    return "\n\n".join(blocks)


def _advice(shown: Sequence[Recommendation], money: str) -> str:
    head = (money, "Action", "Resource", "Where", "From → to", "Undo risk", "Why")
    rows = [head, *map(_row, shown, words.reasons(shown))]
    if all(risk.probability(one) is None for one in shown):
        rows = [(*row[:_RISK], *row[_RISK + 1 :]) for row in rows]
        return table(rows[0], rows[1:], right=(0,))
    return table(rows[0], rows[1:], right=(0, _RISK))


def _row(one: Recommendation, why: str) -> tuple[str, ...]:
    resource = markdown_code(words.name(one))
    if one.resource_name and one.resource_name != one.resource_id:
        resource += f" ({markdown_code(one.resource_id)})"
    return (
        _saving(one),
        markdown(words.action(one.action_type)),
        resource,
        markdown(words.places(one)),
        markdown(words.change(one)),
        markdown(_risk(one)),
        markdown(". ".join(text for text in (why.removesuffix("."), risk.remarks(one)) if text)),
    )


def _saving(one: Recommendation) -> str:
    saving = one.estimated_monthly_savings
    doubt = f" {words.UNRECONCILED}" if one.unreconciled else ""
    if words.costs_more(one):
        return f"+{words.amount(-saving.target)}{doubt}"
    now = words.amount(saving.target)
    most = f" (≤ {words.amount(saving.high)})" if saving.target < saving.high else ""
    return f"{now}{most}{doubt}"


def _risk(one: Recommendation) -> str:
    most = risk.at_most(one)
    return f"{risk.chance(one)} ({most})" if most else risk.chance(one)


def skips(report: Report) -> str:
    """Skips by reason, with an example each; "" where there are none."""
    counts = sorted(report.summary.skips.items(), key=lambda item: (-item[1], item[0]))
    if not counts:
        return ""
    examples = {skip.reason: skip for skip in reversed(report.skips)}
    rows = [
        (
            f"{count:,}",
            markdown(reason),
            markdown(examples[reason].detail) if reason in examples else "",
        )
        for reason, count in counts
    ]
    return "### No advice\n\n" + table(("Skips", "Reason", "For example"), rows, right=(0,))


def notes(report: Report) -> str:
    """What a reader must know; "" where there is nothing."""
    if not report.notes:
        return ""
    return "### Notes\n\n" + "\n".join(f"- {markdown(note)}" for note in report.notes)


def table(head: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[int] = ()) -> str:
    """Rows of escaped cells; `right`: columns of figures."""
    rule = ["---:" if column in right else "---" for column in range(len(head))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows))
