"""Moves on a screen, in Markdown and for programs; amounts by moved.py."""

from __future__ import annotations

import json as parser
from csv import DictReader
from dataclasses import replace
from io import StringIO

import jsonschema
import pytest

from costopt.model import Recommendation
from costopt.report import csv, json, move
from costopt.report.move.rows import rows
from tests.report.builders import HOSTILE
from tests.report.move.moved import report
from tests.rules.move.world import FREE, placed, world


def test_the_page() -> None:
    page = move.render(report()).decode()
    for part in (
        "Spend a month, plan done          2,900.00  USD",
        "4 machines · 3 should go elsewhere or on spot · 0 cost least where they are",
        "search, 2 machines",
        "Acme alba → Acme brno",
        "2 x s1.4xlarge, as today",
        "1 x s1.4xlarge, on spot",
        "at least 5,286",
        "1  residency  e.g. papers-1",
        "costopt move --explain search",
    ):
        assert part in page
    row = next(line for line in page.splitlines() if "search, 2 machines" in line)
    assert row.split() == ["233.60", "search,", "2", "machines", "320", "2026-11-16", "5,286"]


@pytest.mark.parametrize("width", [60, 100, 160])
def test_no_line_runs_over(width: int) -> None:
    page = move.render(report(), width=width).decode()
    assert all(len(line) <= width for line in page.splitlines() if "costopt move" not in line)


def test_all_skips_and_options() -> None:
    page = move.render(report(), skips=True, options="--home x").decode()
    assert "papers would save 2,523 USD" in page
    assert "costopt move --home x --explain search" in page


def test_nothing_moves() -> None:
    none = placed(world({}), settings=FREE)
    page = move.render(report(none)).decode()
    assert "Nothing moves." in page
    assert "Elsewhere" not in page
    assert move.as_markdown(report(none)).decode().startswith("## 0.00 USD a month less")


def test_markdown_has_a_row_a_group() -> None:
    text = move.as_markdown(report()).decode()
    (row,) = [line for line in text.splitlines() if "`search`" in line]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[0] == "233.60"
    assert cells[2:4] == ["2 machines", "Acme alba → Acme brno"]
    assert cells[5:8] == ["320", "2026-11-16", "5,286 (≥ 5,286)"]
    assert "### On spot, where they are" in text
    assert "### Notes" in text


def test_json_and_csv_have_a_row_a_machine() -> None:
    told = parser.loads(json.render(report()))
    jsonschema.validate(told, parser.loads(json.schema()))
    assert [one["resource_id"] for one in told["recommendations"]] == ["batch-1", "s1", "s2"]
    assert told["summary"]["monthly_savings"] == pytest.approx(
        sum(one["estimated_monthly_savings"]["target"] for one in told["recommendations"])
    )
    each = list(DictReader(StringIO(csv.render(report()).decode())))
    assert [one["recommended_region_id"] for one in each] == ["alba", "brno", "brno"]
    assert each[0]["recommended_pricing_category"] == "Dynamic"


def test_the_limit_counts_groups() -> None:
    first = move.first(report(), 1)
    assert [one.resource_id for one in first.recommendations] == ["s1", "s2"]
    assert "not shown, by --limit 1: 1 group worth 350.38 USD a month" in first.notes
    assert first.summary == report().summary
    assert move.first(report(), 0) == move.first(report(), 2) == report()


def test_a_part_of_a_group_is_said() -> None:
    part = report(chosen={"s1"})
    (row,) = rows(part.recommendations)
    assert row.machines == "1 of 2 machines"
    assert "are of the whole group" in " ".join(move.render(part).decode().split())


def test_types_that_change_are_counted() -> None:
    found = report()
    s1, s2 = (one for one in found.recommendations if one.resource_id in ("s1", "s2"))
    assert s2.recommended is not None
    smaller = replace(s2, recommended=replace(s2.recommended, instance_type="s1.large"))
    (row,) = rows([s1, smaller])
    assert row.types == ("1 x s1.4xlarge → s1.large", "1 x s1.4xlarge, as today")


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_untrusted(name: str) -> None:
    found = report()
    one = found.recommendations[-1]
    bad: Recommendation = replace(one, resource_name=name, evidence={**one.evidence, "group": name})
    of_it = replace(found, recommendations=(bad,))
    page = move.render(of_it).decode()
    assert "\x1b" not in page
    assert "\u202e" not in page
    text = move.as_markdown(of_it).decode()
    assert "<script>" not in text
    assert len([line for line in text.splitlines() if line.startswith("| 116.80")]) == 1
