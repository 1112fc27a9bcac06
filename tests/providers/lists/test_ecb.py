"""The European Central Bank's rates of the day."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from costopt import schema
from costopt.errors import ProviderError
from costopt.pricing.money import Exchanges
from costopt.providers.lists import ecb
from tests.fakes.simple_lists import Answer, Site, ecb_daily
from tests.providers.lists.asking import table

DAY = date(2026, 11, 20)
NOTHING = schema.empty(schema.EXCHANGE)


def says(here: Site, body: bytes) -> None:
    here.replies[ecb.PATH] = lambda call: Answer(200, body, {"Content-Type": "text/xml"})


def found(rates: ecb.Rates) -> dict[str, Decimal]:
    return {row["x_ToCurrency"]: row["x_Rate"] for row in rates.fresh.to_pylist()}


def test_a_day_of_rates(here: Site) -> None:
    says(here, ecb_daily("2026-11-20", ISK="145.0"))
    told = ecb.rates(NOTHING, DAY)
    assert (told.day, told.fresh.num_rows, told.refused) == (DAY, 11, ())
    assert found(told)["USD"] == Decimal("1.1")
    (row,) = [one for one in told.fresh.to_pylist() if one["x_ToCurrency"] == "CHF"]
    assert (row["x_Currency"], row["x_ValidFrom"]) == ("EUR", DAY)
    assert row["x_Source"] == schema.ECB_RATES
    assert ecb.is_current(told.fresh, DAY)
    assert not ecb.is_current(told.fresh, date(2026, 11, 21))
    assert not ecb.is_current(NOTHING, DAY)


def test_the_newest_day_counts_and_twice_adds_nothing(here: Site) -> None:
    says(here, ecb_daily("2026-11-19", USD="1.2500"))
    first = ecb.rates(NOTHING, DAY)
    again = ecb.rates(first.fresh, DAY)
    assert (again.fresh.num_rows, again.unchanged) == (0, 10)
    says(here, ecb_daily("2026-11-20", USD="1.2000"))
    second = ecb.rates(first.fresh, DAY)
    known = Exchanges.load(pa.concat_tables([first.fresh, second.fresh]))
    assert known.convert(Decimal(10), "EUR", "USD") == Decimal(12)
    assert known.convert(Decimal(12), "USD", "EUR") == Decimal(10)


def test_a_pair_of_ones_own_is_not_touched(here: Site) -> None:
    """Also when it is given the other way round, or after the bank's."""
    own = table(
        [{"x_Currency": "USD", "x_ToCurrency": "EUR", "x_Rate": Decimal("0.8"),
          "x_ValidFrom": date(2026, 1, 2), "x_Source": "treasury"}],
        schema.EXCHANGE,
    )  # fmt: skip
    says(here, ecb_daily("2026-11-20"))
    told = ecb.rates(own, DAY)
    assert "USD" not in found(told)
    assert told.own == 1
    after = pa.concat_tables([ecb.rates(NOTHING, DAY).fresh, own])
    assert Exchanges.load(after).convert(Decimal(10), "EUR", "USD") == Decimal("12.5")


def test_a_rate_that_cannot_be_is_refused(here: Site) -> None:
    says(here, ecb_daily("2026-11-20", USD="110.00"))
    told = ecb.rates(NOTHING, DAY)
    assert [one.exchange.to_currency for one in told.refused] == ["USD"]
    assert "USD" not in found(told)
    assert told.fresh.num_rows == 9


ENTITY = b'<!DOCTYPE x [<!ENTITY a "1.1">]>'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html></html>",
        b"{}",
        ecb_daily("2026-11-20")[:600],
        ecb_daily("yesterday"),
        ecb_daily("2026-11-20").replace(b"2002-08-01/eurofxref", b"2030-01-01/other"),
        ecb_daily("2026-11-20").replace(b"rate=", b"value="),
        ecb_daily("2026-11-20").replace(b"<gesmes:E", ENTITY + b"<gesmes:E", 1),
        ecb_daily("2026-11-20").decode().replace("UTF-8", "UTF-16").encode("utf-16"),
        ecb_daily("2026-11-20") + b" " * (1 << 20),
    ],
)
def test_another_layout_is_no_rate(here: Site, body: bytes) -> None:
    says(here, body)
    if body.endswith(b" " * 100):  # only blanks are cut off: the list itself is whole
        assert ecb.rates(NOTHING, DAY).fresh.num_rows == 10
        return
    with pytest.raises(ProviderError, match="not the list of euro reference rates"):
        ecb.rates(NOTHING, DAY)


def test_rates_of_a_day_to_come_are_none(here: Site) -> None:
    """Else no later list would ever count."""
    says(here, ecb_daily("2026-11-21"))
    with pytest.raises(ProviderError, match="2026-11-21, a day that is yet to come"):
        ecb.rates(NOTHING, DAY)
    assert ecb.rates(NOTHING, date(2026, 11, 21)).fresh.num_rows == 10


def test_rates_that_are_none_are_left_out(here: Site) -> None:
    more: dict[str, Any] = {"XXX": "-1", "YYY": "1e3", "ZZZ": "N/A"}
    says(here, ecb_daily("2026-11-20", **more))
    assert set(found(ecb.rates(NOTHING, DAY))).isdisjoint(more)
