"""What is said beside the rows of a comparison."""

from __future__ import annotations

from datetime import timedelta

import pyarrow as pa
import pytest

from costopt import schema
from costopt.report import vendor
from tests.report.vendor.beside import KEY, advice, beside, compared, machine, told
from tests.rules.builders import END


def test_whose_word_is_compared_is_narrowed_with_the_machines() -> None:
    elsewhere = {"SubAccountId": "s-1", "x_Source": schema.AZURE_ADVICE}
    bought = advice("buy-commitment", ResourceId=None, **elsewhere)
    rows = [KEY, KEY | elsewhere, bought]
    said = vendor.told(pa.Table.from_pylist(rows, schema=schema.VENDOR_RECOMMENDATIONS))
    found = beside(machine(), said)
    assert found.asked == {schema.AWS_ADVICE: 1}
    assert found.notes == ()


@pytest.mark.parametrize(("days", "noted"), [(13, True), (0.5, False), (-20, False)])
def test_advice_that_is_newer_than_the_moment_judged_is_noted(days: float, noted: bool) -> None:
    found = beside(machine(), told(), as_of=END - timedelta(days=days))
    note = (
        "the vendors' advice is of up to 2026-10-05, and costopt's as of 2026-09-22: what they "
        "said then is not kept"
    )
    assert found.notes == ((note,) if noted else ())


def test_what_is_not_in_the_inventory_is_counted() -> None:
    found = compared(
        machine(),
        advice(ResourceId="i-gone", x_RecommendationId="a"),
        advice("buy-commitment", ResourceId=None, x_RecommendationId="b"),
        advice("keep", ResourceId="i-other", x_RecommendationId="c"),
    )
    assert found.notes == (
        "1 recommendation to buy commitments: costopt does not size commitments, so none is "
        "compared",
        "1 recommendation on what is not in the inventory, or not chosen here: left out",
    )
