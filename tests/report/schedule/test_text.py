"""The table and the Markdown of schedules."""

from __future__ import annotations

from decimal import Decimal

import pytest

from costopt.model import Savings, Skip
from costopt.report import schedule
from tests.report import builders

GROUP = builders.schedule(
    "asg-web",
    resource_name=None,
    replicas=4,
    estimated_monthly_savings=Savings(
        Decimal(0), Decimal(0), Decimal("90.5"), Decimal("90.5"), "charges"
    ),
    stranded_commitment=Decimal("90.5"),
)
SKIP = Skip("i-2", "schedule", "no-habit", "its weeks are not alike")
REPORT = builders.report((builders.schedule(), GROUP), (SKIP,))


def _flat(text: bytes) -> str:
    return " ".join(text.decode().split())


def test_the_table_holds_when_how_much_and_how_often_missed() -> None:
    page = _flat(schedule.as_text(REPORT))
    assert "2 schedules worth 411.05 USD a month" in page
    assert "411.05 ci-runner 110.5 h 0 %" in page  # 168 - 57.5
    assert "m5.4xlarge · AWS eu-west-1 ≤ 1.2 %" in page
    assert "452.16" not in page  # what it may come to at most has no commitment to wait for
    assert "Mon-Fri 07:00-18:30 (Europe/Amsterdam)" in page
    assert "but 25 Dec 2026 Christmas Day" in page
    assert "4 x m5.4xlarge" in page
    assert "≤ 90.50" in page
    assert "no-habit" in page
    assert "costopt schedule --explain i-0ff66" in page


def test_skips_limit_and_nothing() -> None:
    assert "What would help" in _flat(schedule.as_text(REPORT, skips=True))
    assert "and 1 more, worth 0.00 USD a month" in _flat(schedule.as_text(REPORT, limit=1))
    assert "No schedule is advised." in _flat(schedule.as_text(builders.report()))
    assert "No schedule is advised." in schedule.as_markdown(builders.report()).decode()


@pytest.mark.parametrize("width", [60, 100, 160])
def test_names_steer_no_screen_and_no_markdown(width: int) -> None:
    rows = tuple(
        builders.schedule(f"{name}{number}", resource_name=name)
        for number, name in enumerate(builders.HOSTILE)
    )
    text = schedule.as_text(builders.report(rows), width=width)
    assert b"\x1b" not in text
    assert "\u202e" not in text.decode()
    page = schedule.as_markdown(builders.report(rows)).decode()
    assert "<script" not in page.replace("`<script", "")
    table = [line for line in page.splitlines() if line.startswith("| ")]
    assert {line.replace("\\|", "").count("|") for line in table} == {6}


def test_markdown_has_a_row_each() -> None:
    lines = schedule.as_markdown(REPORT).decode().splitlines()
    assert "## 2 schedules worth 411.05 USD a month" in lines
    row = next(line for line in lines if "ci-runner" in line)
    assert row.startswith("| 411.05 | `ci-runner` (`i-0ff66`) | Mon-Fri 07:00-18:30")
    assert row.endswith("| 110.5 h | 0 % ≤ 1.2 % |")
