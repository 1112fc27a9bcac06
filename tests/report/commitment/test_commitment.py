"""Purchases on a screen and as a picture."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pytest

from costopt.frame.cost import FleetCost
from costopt.model import Window
from costopt.report import commitment, csv, json, markdown
from costopt.rules.commit import Commitments, Curve, reported
from tests.rules.commit.bills import RESERVED, advise, bill, prices, usage

END = datetime(2026, 7, 27, tzinfo=UTC)
WINDOW = Window(datetime(2026, 6, 1, tzinfo=UTC), END)


@pytest.fixture(scope="module")
def found() -> Commitments:
    return advise(bill([usage(f"i-{n}", np.ones(8 * 168)) for n in range(4)]), prices(RESERVED))


def report(found: Commitments):  # type: ignore[no-untyped-def]
    spend = FleetCost(Decimal("280.32"), "USD", None, ("a note",))
    return reported(found, {}, spend, WINDOW)


def test_the_page(found: Commitments) -> None:
    page = commitment.render(report(found)).decode()
    for part in (
        "1 purchase worth 112.12 USD a month, of 280.32 spent",
        "Reserved Instances m5 in us-east-1",
        "pays from 60 %",
        "2026-07-27  0.0576 USD an hour, 1yr (no-upfront), until 2027-07-27",
        "a note",
        "costopt commit --explain aws/us-east-1/m5/reserved-instances",
    ):
        assert part in page, page
    assert max(map(len, page.splitlines())) <= 100
    assert "\x1b" not in page


def test_the_other_formats(found: Commitments) -> None:
    made = report(found)
    assert b"on demand \xe2\x86\x92 0.2304 USD an hour" in markdown.render(made)
    assert b'"resource_id": "aws/us-east-1/m5/reserved-instances"' in json.render(made)
    assert csv.render(made).count(b"\r\n") == 2


def test_the_story(found: Commitments) -> None:
    made = report(found)
    (one,) = made.recommendations
    for name in (one.resource_id, one.recommendation_id):
        text = commitment.story(name, found, made, width=100)
        assert text is not None
        assert "At worst        112.12 USD" in text
        assert "a list, of 2026-05-01" in text
    assert commitment.story("nothing", found, made, width=100) is None


def curve(name: str = "AWS", **fields: object) -> Curve:
    demand = np.linspace(4, 10, 8 * 168)
    known = Curve(name, "USD", demand, 0.0, held=3.0, bought=2.0, saving=0.7, break_even=0.65)
    return replace(known, **fields)  # type: ignore[arg-type]


def test_the_picture_is_the_same_every_time() -> None:
    curves = [curve(), curve("GCP", demand=np.full(200, np.nan) * 1, held=0.0)]
    curves[1].demand[100:] = 5.0
    first, second = commitment.coverage_png(curves), commitment.coverage_png(curves[::-1])
    assert first == second
    assert first.startswith(b"\x89PNG")


def test_the_picture_says_its_figures() -> None:
    names = ["A", "B", "C", "D", "<E>"]
    text = commitment.coverage_svg([curve(name, unpriced=1.5) for name in names]).decode()
    assert "2,044 USD" in text  # 4 x 0.7 x 730
    assert "pays from 5,694 h (65 %)" in text
    assert "1 provider not shown" in text
    assert "1.5 more has no known price" in text
    assert "<E>" not in text


def test_nothing_to_draw_is_drawn() -> None:
    empty = curve(demand=np.zeros(0))
    assert commitment.coverage_svg([empty]).startswith(b"<?xml")
    alone = commitment.coverage_svg([curve(break_even=float("nan"), bought=0.0, saving=0.0)])
    assert b"pays from" not in alone
