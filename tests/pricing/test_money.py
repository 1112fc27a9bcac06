"""Amounts in another currency: which rate, of which day, and what the gate refuses."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import permutations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt import schema
from costopt.pricing import money
from costopt.pricing.exchange_gate import is_currency
from costopt.pricing.money import Exchanges, told

SHIPPED = Exchanges.load()


def own(*rows: tuple[str, str, str, date]) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {"x_Currency": c, "x_ToCurrency": t, "x_Rate": Decimal(r), "x_ValidFrom": d}
            for c, t, r, d in rows
        ],
        schema=schema.EXCHANGE,
    )


def test_every_shipped_rate_has_a_day_a_source_and_a_code() -> None:
    for one in money.builtin():
        assert one.rate > 0
        assert "European Central Bank" in one.source
        assert date(2026, 1, 1) <= one.day <= date(2026, 11, 24)
        assert is_currency(one.currency)
        assert is_currency(one.to_currency)


@pytest.mark.parametrize(
    ("to", "rate", "day"),
    [  # the bank's own sheet of 8 May 2026; the dollar also of later days
        ("GBP", "0.86410", date(2026, 5, 8)),
        ("JPY", "184.37", date(2026, 5, 8)),
        ("CNY", "7.9989", date(2026, 5, 8)),
        ("PLN", "4.2318", date(2026, 5, 8)),
        ("SEK", "10.8420", date(2026, 5, 8)),
        ("CHF", "0.9156", date(2026, 5, 8)),
        ("INR", "111.1285", date(2026, 5, 8)),
        ("USD", "1.1133", date(2026, 10, 28)),
    ],
)
def test_euro_rates_are_the_newest_of_the_central_bank(to: str, rate: str, day: date) -> None:
    found = SHIPPED.rate("eur", to.lower())
    assert found
    assert (found.rate, found.day) == (Decimal(rate), day)


def test_a_rate_is_turned_round() -> None:
    found = SHIPPED.rate("USD", "EUR")
    assert found
    assert (found.currency, found.to_currency, found.day) == ("USD", "EUR", date(2026, 10, 28))
    assert found.rate == 1 / Decimal("1.1133")
    assert SHIPPED.convert(Decimal(100), "USD", "EUR") == 100 * found.rate


def test_by_way_of_a_third_currency_both_legs_are_of_one_day() -> None:
    """A dollar of October against a pound of May would be a rate of no day at all."""
    found = SHIPPED.rate("GBP", "USD")
    assert found
    assert found.day == date(2026, 5, 8)
    assert found.rate == (1 / Decimal("0.86410")) * Decimal("1.1761")
    assert found.source == "by way of EUR: European Central Bank, eurofxref-daily.xml"
    assert [(leg.currency, leg.to_currency, leg.day) for leg in found.legs] == [
        ("GBP", "EUR", date(2026, 5, 8)), ("EUR", "USD", date(2026, 5, 8)),
    ]  # fmt: skip


def test_the_older_leg_dates_a_crossed_rate() -> None:
    mine = Exchanges.load(own(("UAH", "CHF", "2", date(2025, 3, 1))))
    found = mine.rate("UAH", "EUR")
    assert found
    assert found.day == date(2025, 3, 1)
    assert found.rate == 2 * (1 / Decimal("0.9156"))


def test_nobody_knows() -> None:
    assert SHIPPED.rate("USD", "XAU") is None
    assert SHIPPED.convert(Decimal(1), "XAU", "USD") is None


def test_a_currency_in_itself() -> None:
    assert SHIPPED.convert(Decimal("0.1"), "xau", "XAU") == Decimal("0.1")


def test_the_users_rate_stands_above_the_shipped_one_either_way_round() -> None:
    mine = Exchanges.load(own(("USD", "EUR", "0.8", date(2020, 1, 1))))
    assert mine.convert(Decimal(10), "USD", "EUR") == 8
    assert mine.convert(Decimal(8), "EUR", "USD") == 10
    assert mine.refusals == ()


def test_of_the_users_rates_the_newest() -> None:
    rows = [("EUR", "USD", "1.2", date(2026, 1, 1)), ("EUR", "USD", "1.3", date(2026, 2, 1))]
    for order in (rows, rows[::-1]):
        assert Exchanges.load(own(*order)).convert(Decimal(1), "EUR", "USD") == Decimal("1.3")


BANK = "European Central Bank, eurofxref-daily.xml"
CARRIED = f"{BANK}, as carried by moveinfra/eu-cloud-prices"


@pytest.mark.parametrize(
    ("pair", "as_of", "words"),
    [
        (("USD", "EUR"), date(2026, 11, 2),
         f"1 USD is taken for 0.89823 EUR, the rate of 2026-10-28 ({CARRIED})"),
        (("USD", "GBP"), date(2026, 11, 2),
         f"1 USD is taken for 0.73472 GBP: 1 USD for 0.85027 EUR of 2026-05-08, 1 EUR for 0.8641 "
         f"GBP of 2026-05-08 ({BANK})"),
        (("CHF", "EUR"), date(2026, 11, 5),  # 181 days
         f"1 CHF is taken for 1.0922 EUR, the rate of 2026-05-08 ({BANK}): 181 days old, costopt "
         "prices update exchange fetches today's"),
    ],
)  # fmt: skip
def test_a_rate_in_words(pair: tuple[str, str], as_of: date, words: str) -> None:
    """1 / 1.1133; 1 / 1.1761 x 0.86410; 1 / 0.9156."""
    found = SHIPPED.rate(*pair)
    assert found
    assert told(found, as_of) == words


@pytest.mark.parametrize(
    ("row", "reason", "detail"),
    [
        (("EUR", "USD", "0"), "not-positive", "above zero"),
        (("EUR", "USD", "-1.1"), "not-positive", "above zero"),
        (("EUR", "USD", "1113.3"), "implausible", "1,000 times the 1.1133 of 2026-10-28"),
        (("EUR", "USD", "0.0009"), "implausible", "1/1,237 of the 1.1133"),
        (("EUR", "USD", "0.89"), "upside-down", "of one USD in EUR"),  # 1 / 1.1133 is 0.898
        (("EUR", "JPY", "0.0054"), "upside-down", "the other way round"),
        (("EUR", "EURO", "1"), "unknown-currency", "'EURO'"),
        (("EUR", "XXQ", "1"), "unknown-currency", "'XXQ' is no currency of ISO 4217"),
        (("USD", "USD", "2"), "implausible", "worth 1 in itself"),
    ],
)
def test_the_gate(row: tuple[str, str, str], reason: str, detail: str) -> None:
    mine = Exchanges.load(own((*row, date(2026, 1, 1))))
    assert [refusal.reason for refusal in mine.refusals] == [reason]
    assert detail in mine.refusals[0].detail
    assert mine.rate("EUR", "USD") == SHIPPED.rate("EUR", "USD")


@pytest.mark.parametrize(("rate", "far"), [("1.40", True), ("1.39", False), ("0.90", None)])
def test_a_rate_far_off_counts_and_is_told(rate: str, far: bool | None) -> None:
    """A quarter above 1.1133 is 1.3916; 0.90 is nearer to 1 / 1.1133, and is refused."""
    mine = Exchanges.load(own(("EUR", "USD", rate, date(2026, 11, 1))))
    assert [bool(mine.cautions), bool(mine.refusals)] == [far is True, far is None]
    if far:
        assert mine.cautions[0].detail == "1.3 times the 1.1133 of 2026-10-28"
        assert mine.convert(Decimal(1), "EUR", "USD") == Decimal(rate)


def test_what_the_bank_said_since_is_what_ones_own_are_held_against() -> None:
    """0.95 is upside down beside 1.1133, and fair beside 0.97; the bank is never upside down."""
    bank = {"x_Currency": "EUR", "x_ToCurrency": "USD", "x_Rate": Decimal("0.97"),
            "x_ValidFrom": date(2026, 11, 20), "x_Source": schema.ECB_RATES}  # fmt: skip
    mine = own(("EUR", "USD", "0.95", date(2026, 11, 21)))
    assert Exchanges.load(mine).refusals
    both = pa.concat_tables([mine, pa.Table.from_pylist([bank], schema=schema.EXCHANGE)])
    found = Exchanges.load(both)
    assert (found.refusals, found.cautions) == ((), ())
    assert found.convert(Decimal(1), "EUR", "USD") == Decimal("0.95")


def test_a_day_that_is_yet_to_come() -> None:
    rows = own(("EUR", "USD", "1.2", date(2999, 1, 1)), ("EUR", "USD", "1.15", date(2026, 11, 20)))
    mine = Exchanges.load(rows, date(2026, 11, 20))
    assert [one.reason for one in mine.refusals] == ["future"]
    assert mine.convert(Decimal(1), "EUR", "USD") == Decimal("1.15")


CODES = st.sampled_from(("EUR", "USD", "GBP", "CNY", "PLN", "SEK", "CHF", "INR", "JPY"))


@given(CODES, CODES, st.decimals("0.001", "1000000", places=3))
def test_there_and_back_is_the_same_amount(here: str, there: str, amount: Decimal) -> None:
    over = SHIPPED.convert(amount, here, there)
    assert over is not None
    back = SHIPPED.convert(over, there, here)
    assert back is not None
    assert abs(back - amount) < Decimal("1e-15") * amount


@given(st.permutations([(code, "EUR") for code in ("UAH", "KZT", "MAD", "RSD")]))
def test_order_of_rows_makes_no_difference(codes: list[tuple[str, str]]) -> None:
    rows = [(code, to, str(ord(code[1])), date(2026, 1, 1)) for code, to in codes]
    mine = Exchanges.load(own(*rows))
    names = [code for code, _ in codes]
    found = {(a, b): mine.rate(a, b) for a, b in permutations(sorted(names), 2)}
    again = Exchanges.load(own(*sorted(rows)))
    assert found == {pair: again.rate(*pair) for pair in found}
