"""Purchases on a screen and as a picture."""

from __future__ import annotations

import io
from csv import DictReader
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pytest

from costopt.frame.cost import FleetCost
from costopt.model import Window
from costopt.report import commitment, csv, json, markdown
from costopt.rules.commit import Commitments, reported
from costopt.rules.commit.curves import Curve, DealCurve
from tests.rules.commit.bills import (
    RESERVED,
    advise,
    bill,
    bought,
    held,
    machine,
    prices,
    usage,
)

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
        "in full from 2026-10-27 on, once the last part is bought",
        "Reserved Instances m5 ",
        "AWS us-east-1",
        "pays from 60 %",
        "2026-07-27  1 x m5.large, 0.0576 USD an hour, 1yr (no-upfront), until 2027-07-27",
        "aws/us-east-1/m5/reserved-instances; binds 2,018.30 USD in all; saves 1,345.54 over",
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
    (row,) = DictReader(io.StringIO(csv.render(made).decode()))
    assert row["commitment_ordered"] == "; ".join(["1 x m5.large"] * 4)
    assert row["commitment_buy_on"].startswith("2026-07-27; 2026-08-27")
    assert row["commitment_term"] == "; ".join(["1yr"] * 4)
    assert row["commitment_payment"] == "; ".join(["no-upfront"] * 4)
    assert (row["commitment_account"], row["commitment_upfront"]) == ("1", "0")
    assert row["commitment_bound_over_terms"] == "2018.3"
    assert row["commitment_break_even_share"] == "0.6"


def test_parts_add_up_in_every_format(found: Commitments) -> None:
    """Of two machines one is bought: prices an hour, costs and savings are of that one."""
    half = np.where(np.arange(8 * 168) % 24 < 12, 1.0, 0.0)
    usages = [usage("i-1", np.ones(8 * 168)), usage("i-2", half)]
    made = report(advise(bill(usages), prices(RESERVED)))
    (one,) = made.recommendations
    assert one.current.hourly_price == Decimal("0.096")
    assert one.recommended is not None
    hourly = one.current.hourly_price - (one.recommended.hourly_price or 0)
    saving = one.estimated_monthly_savings.target
    assert float(hourly * 730) == pytest.approx(float(saving), abs=0.01)
    assert one.estimated_monthly_cost + saving == Decimal("70.08")
    summary = made.summary
    assert summary.monthly_spend - summary.monthly_savings == summary.monthly_spend_after


def test_what_the_plan_takes_off_is_off_the_spend(found: Commitments) -> None:
    spend = FleetCost(Decimal("280.32"), "USD", None, ())
    summary = reported(found, {}, spend, WINDOW, planned=Decimal("80.32")).summary
    assert (summary.monthly_spend, summary.monthly_spend_after) == (
        Decimal("200.00"),
        Decimal("87.88"),
    )


def test_the_story(found: Commitments) -> None:
    made = report(found)
    (one,) = made.recommendations
    for name in (one.resource_id, one.recommendation_id):
        text = commitment.story(name, found, made, width=100)
        assert text is not None
        assert "Lowest 4 weeks  112.12 USD" in text
        assert "It binds 2,018.30 USD in all" in text
        assert "a list, of 2026-05-01" in text
    assert commitment.story("nothing", found, made, width=100) is None


@pytest.fixture(scope="module")
def holding() -> Commitments:
    """One reservation in use for a year to come, and one that ended two days ago."""
    hours = np.ones(8 * 168)
    until = np.where(np.arange(8 * 168) < 8 * 168 - 48, 1.0, 0.0)
    known = [
        machine("i-0"), machine("i-1"), bought(OWN, end="2027-05-01T00:00:00+00:00"),
        bought("ri-gone", end="2026-07-25T00:00:00+00:00"),
    ]  # fmt: skip
    own = held(OWN, hours, cost=0.06, by_spend=False, order=0, kind="Reserved Instance")
    gone = held("ri-gone", until, cost=0.06, by_spend=False, order=0)
    usages = [usage("i-0", hours, uses={OWN: 1.0}), usage("i-1", hours, uses={"ri-gone": 1.0})]
    return advise(bill(usages, [own, gone]), prices(RESERVED), resources=known)


OWN = "arn:aws:ec2:us-east-1:123456789012:reserved-instances/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"


def test_whatever_is_or_was_held_has_a_story(holding: Commitments) -> None:
    made = report(holding)
    text = commitment.story(OWN, holding, made, width=100)
    assert text is not None
    assert "100 % used in the last 4 weeks" in " ".join(text.split())
    assert "it ends on 2027-05-01" in " ".join(text.split())
    assert "renew" in text
    text = commitment.story("ri-gone", holding, made, width=100)
    assert text is not None
    assert "ended on 2026-07-25; 100 % of it was used while it is on this bill, for 77.76 USD" in (
        " ".join(text.split())
    )
    assert {OWN, "ri-gone"} < set(commitment.known(holding, made))


def test_ids_are_whole_on_a_narrow_screen(found: Commitments, holding: Commitments) -> None:
    made, theirs = report(found), report(holding)
    (one,) = made.recommendations
    for wanted, of, its in ((one.resource_id, found, made), (OWN, holding, theirs)):
        text = commitment.story(wanted, of, its, width=40)
        assert text is not None
        assert wanted in text


def deal(**fields: object) -> DealCurve:
    demand = np.linspace(4, 10, 8 * 168)
    one = DealCurve("Compute Savings Plan", demand, 5.0, 6.1, 0.975, 0.65, 0.7)
    return replace(one, **fields)  # type: ignore[arg-type]


def curve(name: str = "AWS", **fields: object) -> Curve:
    known = Curve(name, "USD", 3.0, 0.2, 4.8, 2.2, 0.0, 0.0, (deal(),))
    return replace(known, **fields)  # type: ignore[arg-type]


def test_the_picture_is_the_same_every_time() -> None:
    missing = np.full(200, np.nan)
    missing[100:] = 5.0
    curves = [curve(), curve("GCP", deals=(deal(demand=missing, saving=0.1),))]
    first, second = commitment.coverage_png(curves), commitment.coverage_png(curves[::-1])
    assert first == second
    assert first.startswith(b"\x89PNG")


def test_the_picture_says_its_figures() -> None:
    names = ["A", "B", "C", "D", "<E>"]
    text = commitment.coverage_svg([curve(name, unpriced=1.5) for name in names]).decode()
    assert "2,555 USD" in text  # 5 x 0.7 x 730
    assert "USD an hour at the price on demand" in text
    assert "1 provider not shown; 1 smaller purchase not drawn" in text
    assert "A: Compute Savings Plan" in text
    assert "up to 5 of 7 on the mean, used 97.5 %; pays from 5,694 h a year" in text
    assert "+ 0.2 unused" in text
    assert "no known price" in text
    assert "<E>" not in text


def test_nothing_to_buy_is_drawn() -> None:
    empty = curve(held=0.0, bought=0.0, open=0.0, idle=0.0, deals=())
    assert commitment.coverage_svg([empty]).startswith(b"<?xml")
    alone = commitment.coverage_svg([curve(bought=0.0, deals=())])
    assert b"pays from" not in alone
    assert b"Nothing to buy." in alone
