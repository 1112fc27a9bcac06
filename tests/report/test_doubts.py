"""What a saving rests on beside prices: a bill that comes out otherwise, guesses, others' bills."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from decimal import Decimal

from costopt.model import Reckoned, Savings
from costopt.report import csv as csv_report
from costopt.report import markdown, text, words
from costopt.report.document import document, recommendation
from costopt.report.explain import explain
from tests.report import builders, cases

OFF = Reckoned(
    provider="aws",
    monthly_cost=Decimal("540.50"),
    residue_percent=3.2,
    reconciled=False,
    left_out=(("tax", Decimal(12)),),
)
SAVED = Savings(*[Decimal(730)] * 3, None, "charges")
STOP = builders.stop(
    "i-0aa11",
    estimated_monthly_savings=SAVED,
    estimated_monthly_cost=Decimal(0),
    current_monthly_cost=Decimal("540.50"),
    saved_on_others=Decimal("189.50"),
    assumed_coverage=("plan-1 covers web-2",),
    unreconciled=True,
)


def test_an_unreconciled_saving_is_marked_in_every_format() -> None:
    told = replace(builders.report((STOP,)), bills=(OFF,))
    assert "unreconciled" in text.render(told).decode()
    (row,) = [line for line in markdown.render(told).decode().splitlines() if "730.00 " in line][
        -1:
    ]
    assert "unreconciled" in row
    (one,) = csv.DictReader(io.StringIO(csv_report.render(told).decode()))
    assert one["unreconciled"] == "true"
    assert one["assumed_coverage"] == "plan-1 covers web-2"
    assert document(told)["recommendations"][0]["unreconciled"] is True
    assert document(told)["bills"] == [
        {
            "provider": "aws",
            "monthly_cost": 540.5,
            "residue_percent": 3.2,
            "reconciled": False,
            "left_out": [{"reason": "tax", "monthly_cost": 12}],
        }
    ]
    sure = builders.report((replace(STOP, unreconciled=False),))
    assert "unreconciled" not in text.render(sure).decode()
    assert "unreconciled" not in markdown.render(sure).decode()


def test_columns_of_money_add_up() -> None:
    fields = recommendation(STOP)
    saving = fields["estimated_monthly_savings"]["target"]
    left = fields["current_monthly_cost"] - saving + fields["saved_on_others"]
    assert left == fields["estimated_monthly_cost"] == 0


def _story(*advice: object) -> str:
    one = builders.report(tuple(advice))  # type: ignore[arg-type]
    return " ".join(explain(cases.case(), tuple(advice), one).split())  # type: ignore[arg-type]


def test_the_story_tells_what_falls_on_others_and_what_is_assumed() -> None:
    story = _story(STOP)
    for part in (
        "Ends 100.0 % of ",
        "On others 189.50 USD a month more than it costs itself",
        "Unreconciled its bill reckoned anew",
        "Assumed plan-1 covers web-2: never seen to",
        "Then 540.50 - 540.50 = 0.00 USD a month",
    ):
        assert part in story, part


def test_a_second_change_of_one_resource_is_no_loser() -> None:
    other = builders.recommendation("i-0aa11", rule="rightsize")
    story = _story(builders.schedule("i-0aa11", replicas=None), other)
    assert "Part of the plan as well" in story
    assert "Not taken" not in story


def test_independent_advice_is_headed_by_a_warning() -> None:
    alone = replace(builders.report((STOP,)), independent=True)
    head = words.INDEPENDENT
    assert head in " ".join(text.render(alone).decode().split("Saves/month")[0].split())
    assert head in markdown.render(alone).decode().split("|")[0]
