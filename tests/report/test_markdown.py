"""The Markdown is a table wherever it is pasted, and names in it stay names."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from markdown_it import MarkdownIt

from costopt.model import Report, Savings
from costopt.report import markdown, words
from tests.report import builders


def _tables(report: Report) -> list[list[str]]:
    """Rows of each table as cells; every row has as many as its header."""
    lines = markdown.render(report).decode().split("\n")
    return [re.split(r"(?<!\\)\|", line) for line in lines if line.startswith("|")]


def test_it_says_what_matters() -> None:
    page = markdown.render(builders.fleet()).decode()
    for fact in (
        "## 12,316.96 USD a month can be saved",
        "**25.5 %** of 48,210.50 USD a month, 156.22 USD more for machines that are too small, "
        "which leaves 36,049.76 USD.",
        "| 468.66 (≤ 515.53) | Rightsize | `web-17` (`i-0aa11`) | AWS eu-west-1 |",
        "| 5.7 % (≤ 8.5 %) | CPU stayed below 12.4 % for 99.5 % of 60 days, and memory below 18 %. "
        "Likely safe. This size would have been undone in 2 of 3 past fortnights. |",
        "### Too small: a larger machine costs more",
        "| +156.22 | Rightsize | `checkout-3` (`i-0ee55`) |",
        "| 2 | thin-data |",
        "- 12 rows of the bill are in EUR",
    ):
        assert fact in page, fact


def test_the_headline_says_how_much_is_a_gamble() -> None:
    gamble = builders.recommendation(risk=replace(builders.RISK, rollback_probability=0.5))
    page = markdown.render(builders.report((gamble, builders.stop()))).decode()
    told = "468.66 USD a month by changes that must be undone with a chance of 30 % or more"
    assert f"Of what is listed, **{told}**." in page
    assert "Of what is listed" not in markdown.render(builders.fleet()).decode()


def test_what_saves_only_later_has_a_table_of_its_own() -> None:
    amounts = Savings(Decimal(0), Decimal(0), Decimal("168.58"), None, "charges")
    later = builders.recommendation("i-9", resource_name="held", estimated_monthly_savings=amounts)
    page = markdown.render(builders.report((later, builders.stop()))).decode()
    first, heading, rest = page.partition(f"### {words.LATER}")
    assert heading
    assert "`held`" not in first
    assert "| 0.00 (≤ 168.58) | Rightsize | `held` (`i-9`) |" in rest


def test_without_larger_machines_nothing_is_added() -> None:
    page = markdown.render(builders.report((builders.recommendation(),))).decode()
    assert "48,210.50 USD a month, which leaves 47,741.84 USD." in page
    assert "Too small" not in page


def test_advice_that_only_adds_has_one_table() -> None:
    page = markdown.render(builders.report((builders.larger(),))).decode()
    assert page.startswith("## 0.00 USD a month can be saved")
    assert page.count("| Action |") == 1
    assert "Undo risk" not in page


def test_an_empty_report_says_so() -> None:
    assert "Nothing to change." in markdown.render(builders.report()).decode()


@given(builders.REPORTS)
def test_any_report_is_whole_tables_without_html(report: Report) -> None:
    page = markdown.render(report).decode()
    assert not set(page) & set("<>")
    assert all(len(cells) in (5, 8, 9) for cells in _tables(report))
    # One line a recommendation and skip reason, and two lines a table of head and rule.
    saving, adding = words.parted(report.recommendations)
    tables = [shown for shown in (*words.by_when(saving), adding) if shown]
    advice = len(report.recommendations) + 2 * len(tables)
    assert sum(len(cells) > 5 for cells in _tables(report)) == advice


@given(builders.REPORTS)
def test_a_markdown_parser_finds_tables_and_words_only(report: Report) -> None:
    tokens = (
        MarkdownIt("commonmark")
        .enable(["table", "strikethrough"])
        .parse(markdown.render(report).decode())
    )
    inline = [child.type for token in tokens for child in token.children or ()]
    assert set(inline) <= {"text", "code_inline", "strong_open", "strong_close", "text_special"}
    blocks = {token.type.removesuffix("_open").removesuffix("_close") for token in tokens}
    tables = {"table", "thead", "tbody", "tr", "th", "td"}
    lists = {"bullet_list", "list_item"}
    assert blocks <= tables | lists | {"heading", "paragraph", "inline"}


def test_the_parser_reads_back_hostile_names() -> None:
    tokens = (
        MarkdownIt("commonmark").enable("table").parse(markdown.render(builders.hostile()).decode())
    )
    cells = ["".join(c.content for c in t.children or ()) for t in tokens if t.type == "inline"]
    for name in ("<script>alert(1)</script>", "a|b\\|c`d`", "[bold]markup[/bold] :smile:"):
        assert any(cell.startswith(name) for cell in cells), name
