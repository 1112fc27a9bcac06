"""The page for the terminal: fits its width, tells the totals, and nothing on it is alive."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from rich.cells import cell_len
from rich.text import Text

from costopt.model import Recommendation, Report, Savings, Skip, Step
from costopt.report import text, words
from tests.report import builders

ONE = builders.recommendation()
WIDTHS = (80, 100, 120, 160)


def _lines(report: Report, width: int, *, skips: bool = False) -> list[str]:
    return text.render(report, width=width, skips=skips).decode().split("\n")


def _fits(lines: list[str], width: int) -> bool:
    # Commands are never cut, so that they paste whole.
    return all(cell_len(line) <= width for line in lines if "costopt recommend" not in line)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("skips", [False, True])
def test_every_line_fits(width: int, skips: bool) -> None:
    for report in (builders.fleet(), builders.hostile(), builders.report()):
        assert _fits(_lines(report, width, skips=skips), width)


@given(builders.REPORTS)
@settings(max_examples=40)
def test_any_report_fits_and_is_plain_text(report: Report) -> None:
    for width in (60, 120):
        lines = _lines(report, width)
        assert _fits(lines, width)
        assert all(line == line.rstrip() or "costopt recommend" in line for line in lines)
        assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for line in lines for c in line)


@pytest.mark.parametrize("width", WIDTHS)
def test_it_says_what_matters(width: int) -> None:
    page = "\n".join(_lines(builders.fleet(), width))
    for fact in (
        "48,210.50",  # spend, saving, after
        "12,316.96",
        "156.22  USD  for 1 machine too small",
        "36,049.76",
        "25.5 %",
        "10,726.62",  # a saving
        "gpu-train-3",
        "GCP us-central1",
        "m5.4xlarge → m5.xlarge",
        "16 → 4 vCPUs, 64 → 16 GiB",
        "5.7 %",  # the chance of having to undo it
        "≤ 8.5 %",
        "within 14 days",
        "Too small: a larger machine costs more",
        "+156.22",
        "m5.xlarge → m5.2xlarge",
        "list price",
        "thin-data",
        "12 rows of the bill are in EUR",
        "costopt recommend --explain gpu-train-3",
        "costopt recommend --skips",
    ):
        assert fact in page, fact
    said = " ".join(page.split())
    assert said.count("CPU stayed below 12.4 % for 99.5 % of 60 days") == 2
    tried = "Likely safe. This size would have been undone in 2 of 3 past fortnights."
    assert said.count(tried) == 2
    assert "costopt recommend --emit alarms -o alarms" in said
    assert "costopt backtest" in said


def test_what_saves_only_later_stands_last_under_a_heading_of_its_own() -> None:
    amounts = Savings(Decimal(0), Decimal(0), Decimal("168.58"), None, "charges")
    later = builders.recommendation("i-9", resource_name="held", estimated_monthly_savings=amounts)
    for width in WIDTHS:
        page = "\n".join(_lines(builders.report((later, ONE, builders.larger())), width))
        places = [page.index(part) for part in ("web-17", words.LATER, "held", "Too small")]
        assert places == sorted(places)
        assert "≤ 168.58" in page
    assert "Saves/month" not in page[places[0] : places[1]]
    assert words.LATER not in text.render(builders.fleet()).decode()
    assert "web-17" not in text.render(builders.report((later,))).decode()


def test_disputed_spikes_stand_in_the_row() -> None:
    spiky = builders.recommendation(evidence={"disputed": builders.DISPUTED})
    for width in WIDTHS:
        page = " ".join("\n".join(_lines(builders.report((spiky,)), width)).split())
        assert "92 disputed CPU spikes left out; were they real: m5.2xlarge. Likely safe." in page


def test_the_headline_says_how_much_is_a_gamble() -> None:
    gamble = builders.recommendation(risk=replace(builders.RISK, rollback_probability=0.5))
    page = " ".join(text.render(builders.report((gamble, builders.stop()))).decode().split())
    assert "Of what can be saved, 468.66 USD a month by changes that must be undone with" in page
    assert "Of what can" not in text.render(builders.fleet()).decode()


def test_the_next_step_takes_the_name_where_it_is_unique() -> None:
    assert "--explain i-0aa11\n" in text.render(builders.report((ONE,))).decode()
    assert "--explain 'web 17'\n" in text.render(builders.report((ONE,)), called="web 17").decode()


def test_skips_are_listed_with_their_reasons() -> None:
    page = "\n".join(_lines(builders.fleet(), 100, skips=True))
    for skip in builders.fleet().skips:
        assert skip.resource_id in page
        assert skip.detail in page
    assert "--skips" not in page
    assert "What would help: a price: costopt collect files --prices P" in page


def test_what_would_help_is_of_the_rule_that_says_so() -> None:
    """One code of three sources: each decided by another setting."""
    skips = tuple(
        Skip(f"vm-{n}", rule, "short-history", "too short")
        for n, rule in enumerate(("", "schedule", "idle", "commit"))
    )
    page = " ".join(" ".join(_lines(builders.report((), skips), 100, skips=True)).split())
    assert page.count("What would help") == 4
    assert "vm-0" in page.partition("lower quality.min_days.")[2]
    assert "vm-1" in page.partition("least_weeks of rules.schedule, three at the least.")[2]
    assert "vm-2" in page.partition("--idle-definition.")[2]
    assert "vm-3" in page.partition("lower least_weeks of rules.commit.")[2]


def test_a_counted_skip_is_told_to_its_end() -> None:
    detail = "no price is known of x9.huge in OnPrem, so that what it saves is not, only of a list"
    report = builders.report((), (Skip("vm-9", "rightsize", "no-price", f"{detail} of others"),))
    for width in WIDTHS:
        page = " ".join("\n".join(_lines(report, width)).split())
        assert f"1 no-price e.g. vm-9: {detail} of others" in page


def test_a_shortened_list_says_what_is_missing() -> None:
    others = (builders.larger("i-1"), builders.larger("i-2"))
    whole = builders.report((*builders.fleet().recommendations, *others))
    page = " ".join(text.render(whole, limit=1).decode().split())
    assert "and 3 more, worth 1,590.34 USD a month: --limit 0 shows all" in page
    assert "and 2 more, for 312.44 USD a month: --limit 0 shows all" in page
    assert page.count("checkout-3") == 1


def test_amounts_add_up_as_written_where_some_is_added() -> None:
    page = text.render(builders.fleet()).decode()
    spend, saved, added, left = (
        Decimal(line.split("USD")[0].split()[-1].replace(",", ""))
        for line in page.split("\n")
        if line.startswith(("  Spend a", "  Can be", "  To be", "  Would"))
    )
    assert spend - saved + added == left
    assert "To be added" not in text.render(builders.report((builders.stop(),))).decode()


def test_only_what_may_be_undone_has_a_risk() -> None:
    def page(*advice: Recommendation) -> str:
        return text.render(builders.report(advice)).decode()

    assert "Undo risk" in page(builders.recommendation(), builders.stop())
    assert "Undo risk" not in page(builders.stop(), builders.larger())
    assert "--emit alarms" not in page(builders.stop(), builders.larger())
    assert "very likely safe" not in page(builders.larger()).lower()


def test_an_empty_report_says_so() -> None:
    page = text.render(builders.report()).decode()
    assert "Nothing to change." in page
    assert "--explain" not in page


def test_colour_changes_the_look_only() -> None:
    plain = text.render(builders.fleet(), width=100).decode()
    coloured = text.render(builders.fleet(), width=100, colour=True).decode()
    assert "\x1b[" in coloured
    without = [line.rstrip() for line in Text.from_ansi(coloured.rstrip("\n")).plain.split("\n")]
    assert without == [line.rstrip() for line in plain.rstrip("\n").split("\n")]


def test_no_spend_is_no_division_by_zero() -> None:
    free = builders.recommendation(estimated_monthly_savings=builders.savings("0"))
    report = builders.report((free,))
    nothing = replace(report.summary, monthly_spend=Decimal(0), monthly_spend_after=Decimal(0))
    page = text.render(replace(report, summary=nothing)).decode()
    assert "░  0 %" in page


def test_the_environment_changes_nothing() -> None:
    code = (
        "import sys; from costopt.report import text; from tests.report import builders;"
        "sys.stdout.buffer.write(text.render(builders.fleet()))"
    )
    odd = {"COLUMNS": "33", "LINES": "2", "NO_COLOR": "1", "TERM": "dumb", "FORCE_COLOR": "1",
           "LC_ALL": "C", "PYTHONPATH": ".", "PATH": os.environ["PATH"]}  # fmt: skip
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, env=odd, check=True)
    assert found.stdout == text.render(builders.fleet())


def test_steps_are_told_where_there_are_several() -> None:
    steps = (Step("stop", Decimal("1234.5"), 2), Step("grow", Decimal(-3), 1))
    told = " ".join(" ".join(_lines(replace(builders.fleet(), steps=steps), 100)).split())
    assert "Step by step, each on what is left by those before: stop 1,234.50, make larger" in told
    one = replace(builders.fleet(), steps=steps[:1])
    assert "Step by step" not in " ".join(_lines(one, 100))
