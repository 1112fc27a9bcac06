"""What an update of prices says of a part."""

from __future__ import annotations

from decimal import Decimal

import pytest

from costopt.cli import price_parts
from costopt.model import Price
from costopt.pricing.sanity import Refusal
from costopt.providers.listed import Part


@pytest.mark.parametrize(
    ("category", "term", "said"),
    [
        ("Standard", None, "on demand"),
        ("Dynamic", None, "spot"),
        ("Committed", "1yr", "1yr"),
    ],
)
def test_a_refused_price_is_called_what_it_is(category: str, term: str | None, said: str) -> None:
    price = Price(
        "AWS",
        "eu-west-1",
        "m5.large",
        Decimal(1712),
        pricing_category=category,
        operating_system="Linux",
        term=term,
    )
    part = Part("eu-west-1", "here", refused=(Refusal(price, "implausible", "too much"),))
    assert f"m5.large (eu-west-1, Linux, {said}) at" in " ".join(price_parts._lines(part))
