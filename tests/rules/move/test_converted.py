"""Prices in another currency than the bill's: at which rates they were compared is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pyarrow as pa

from costopt import schema
from costopt.frame.traffic import Sent
from costopt.pricing.money import Exchanges
from costopt.rules.move.elsewhere import Elsewhere
from tests.report.move.moved import PRICES, report
from tests.rules.move.world import FREE, WINDOW, machine, placed, world

BANK = "European Central Bank, eurofxref-daily.xml, as carried by moveinfra/eu-cloud-prices"


def notes(currency: str, exchanges: Exchanges | None = None) -> list[str]:
    """Of a fleet billed in that currency, whose list is in dollars."""
    here = world(PRICES)
    billed = replace(here, currency=currency, exchanges=exchanges or here.exchanges)
    found = report(placed(billed, machine("a", here), settings=FREE))
    return [note for note in found.notes if "your rate of" in note or "is taken for" in note]


def own(rate: str) -> Exchanges:
    row = {"x_Currency": "EUR", "x_ToCurrency": "USD", "x_Rate": Decimal(rate),
           "x_ValidFrom": date(2026, 10, 1), "x_Source": "treasury"}  # fmt: skip
    return Exchanges.load(pa.Table.from_pylist([row], schema=schema.EXCHANGE))


def test_the_bills_own_currency_needs_no_rate() -> None:
    assert notes("USD") == []


def test_the_rate_its_day_and_its_source() -> None:
    """One euro was 1.1133 dollars; storage and traffic are in dollars too, and told once."""
    assert notes("EUR") == [f"1 USD is taken for 0.89823 EUR, the rate of 2026-10-28 ({BANK})"]


def test_a_rate_of_ones_own_that_is_far_off_is_told() -> None:
    assert notes("EUR", own("1.60")) == [
        "1 USD is taken for 0.625 EUR, the rate of 2026-10-01 (treasury)",
        "your rate of EUR in USD, 1.6, is 1.4 times the 1.1133 of 2026-10-28",
    ]


def test_a_rate_of_ones_own_that_is_not_taken_is_told() -> None:
    first, second = notes("EUR", own("0.89"))
    assert first.startswith("1 USD is taken for 0.89823 EUR")
    assert second.startswith("your rate of EUR in USD, 0.89, is not taken: 1/1.3 of the 1.1133")


def test_a_plan_with_moves_tells_it_and_one_without_does_not() -> None:
    here = world(PRICES)
    machines = {"a": machine("a", here)}
    plan = Elsewhere(
        cases=machines, resources={}, sent=Sent({}, {}), bills={},
        world=replace(here, currency="EUR"), settings=FREE, window=WINDOW,
        min_monthly_savings=0.0, threads=1,
    )  # fmt: skip
    assert plan.notes() == ()
    assert [one.resource_id for one in plan.place([])] == ["a"]
    (note,) = plan.notes()
    assert note.startswith("1 USD is taken for 0.89823 EUR")
    dear = replace(plan, settings=FREE.model_copy(update={"labour_rate": 1e6}), found={})
    assert list(dear.place([])) == []
    assert dear.notes() == ()
