"""The report as Markdown for a pull request, an issue or a wiki: tables, no HTML, no live links."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from costopt.model import Recommendation, Report
from costopt.report import words
from costopt.report.safe import markdown, markdown_code


def render(report: Report) -> bytes:
    """GitHub-flavoured Markdown: headline, recommendations, skips by reason, notes."""
    blocks = [_headline(report), _recommendations(report), _skips(report), _notes(report)]
    return ("\n\n".join(block for block in blocks if block) + "\n").encode()


def _headline(report: Report) -> str:
    summary, currency = report.summary, report.currency
    saving = f"{words.amount(summary.monthly_savings)} {currency}"
    spend = f"{words.amount(summary.monthly_spend)} {currency}"
    after = f"{words.less(summary.monthly_spend, summary.monthly_savings)} {currency}"
    share = markdown(words.percent(words.saved_share(report)))
    return "\n".join(
        (
            f"## {saving} a month can be saved",
            "",
            f"**{share}** of {spend} a month, which leaves "
            f"{after}. {words.counted(summary.recommendations, 'recommendation')} for "
            f"{words.counted(summary.resources, 'resource')}, {summary.well_sized:,} well sized. "
            f"As of {report.as_of:%Y-%m-%d %H:%M} UTC, looking back "
            f"{words.figure(report.window.days)} days.",
        )
    )


def _recommendations(report: Report) -> str:
    if not report.recommendations:
        return words.nothing(report)
    head = (
        f"{report.currency} a month",
        "Action",
        "Resource",
        "Where",
        "From → to",
        "Time over limit",
        "Why",
    )
    table = _table(head, map(_row, report.recommendations), right=(0, 5))
    if any(r.stranded_commitment for r in report.recommendations):
        table += (
            "\n\n≤: what it comes to once the commitment that covers the machine is used "
            "elsewhere, or ends; only what leaves the bill at once is counted."
        )
    hidden = report.summary.recommendations - len(report.recommendations)
    return f"{table}\n\n{hidden:,} more are not shown." if hidden > 0 else table


def _row(one: Recommendation) -> tuple[str, ...]:
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
        markdown(one.reason),
    )


def _saving(one: Recommendation) -> str:
    saving = one.estimated_monthly_savings
    now = words.amount(saving.target)
    return f"{now} (≤ {words.amount(saving.high)})" if saving.target < saving.high else now


def _risk(one: Recommendation) -> str:
    expected = words.risk(one.risk)
    return f"{expected} ({words.at_most(one.risk.upper_bound)})" if one.risk else expected


def _skips(report: Report) -> str:
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
    return "### No advice\n\n" + _table(("Skips", "Reason", "For example"), rows, right=(0,))


def _notes(report: Report) -> str:
    if not report.notes:
        return ""
    return "### Notes\n\n" + "\n".join(f"- {markdown(note)}" for note in report.notes)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[int] = ()) -> str:
    rule = ["---:" if column in right else "---" for column in range(len(head))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows))
