"""Spend by region adds up to the report, and its picture shows every change."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from matplotlib import image

from costopt.report import move
from costopt.report.move.picture import _beside
from costopt.report.move.spending import Spend, Spending
from tests.report.move.moved import cases, moved, plan, report


@pytest.fixture(scope="module")
def found() -> Spending:
    return move.spending(report(moved()), plan(), cases())


def test_regions_add_up_to_the_totals(found: Spending) -> None:
    now = sum((one.now for one in found.spends), Decimal(0)) + found.rest
    then = sum((one.then for one in found.spends), Decimal(0)) + found.rest
    assert (now, then) == (found.now, found.then)
    assert now == report().summary.monthly_spend


def test_each_region_by_hand(found: Spending) -> None:
    """Alba: four machines of 584; two leave, and one goes on spot for 350.38 less. The plan's 100
    come off in eu-west-1, where nothing else is known to be."""
    by_place = {one.where: (one.now, one.then) for one in found.spends}
    alba, brno = by_place["Acme", "alba"], by_place["Acme", "brno"]
    assert alba == (Decimal(2336), Decimal(2336) - 1168 - Decimal("350.38"))
    assert brno == (Decimal(0), Decimal("934.40"))
    assert [one.row.group for one in found.changes] == ["batch", "search"]


def test_the_picture(found: Spending, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("picture") / "moves.png"
    file.write_bytes(move.spending_png(found))
    pixels = image.imread(file)
    assert pixels.shape[:2] == (138 + 3 * 92 + 70, 1600)  # as high as its three rows
    for colour in ((0x00, 0x77, 0xBB), (0xEE, 0x77, 0x33)):  # of the two changes
        near = np.abs(pixels[..., :3] * 255 - colour).max(axis=2) < 2
        assert near.sum() > 1000
    assert move.spending_png(found) == file.read_bytes()


def test_its_words(found: Spending) -> None:
    text = move.spending_svg(found).decode()
    for words in ("2,900", "2,316", "search, 2 machines", "to Acme brno", "on spot, where it is"):
        assert words in text
    assert "234 a month less, paid by 2026-11-16" in text
    assert "USD a month, plan done" in text
    assert "today" not in text


def test_a_region_of_nothing_has_no_row(found: Spending) -> None:
    nowhere = Spend(("", ""), Decimal("0.30"))
    assert (
        "no region"
        in move.spending_svg(
            replace(found, spends=(*found.spends, Spend(("", ""), Decimal(3))))
        ).decode()
    )
    text = move.spending_svg(replace(found, spends=(*found.spends, nowhere))).decode()
    assert "no region" not in text
    assert "not shown" not in text


def test_arrows_to_one_place_lie_beside_one_another() -> None:
    alba, brno = ("Acme", "alba"), ("Acme", "brno")
    assert _beside([alba, brno, alba, alba]) == [-9, 0, 0, 9]


def test_nothing_changes() -> None:
    none = report(min_monthly_savings=1e6)
    text = move.spending_svg(move.spending(none, plan(), cases())).decode()
    assert "Everything stays." in text
    assert "Once the plan of costopt recommend is done" in text
