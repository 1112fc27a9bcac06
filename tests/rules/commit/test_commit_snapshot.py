"""A bill without a price list of its own is advised by the snapshot's rates, and told their day."""

from __future__ import annotations

import numpy as np
import pytest

from costopt.pricing.catalogue import Catalogue
from costopt.rules.commit import Commitments
from tests.rules.commit.bills import RATE, RESERVED, WEEK, advise, bill, machine, prices, usage

BY_YEARS_END, BY_MARCH = 30, 40  # weeks of bill
SCOPE = "aws/us-east-1/m5/reserved-instances"


def found(catalogue: Catalogue, weeks: int, *, region: str = "us-east-1") -> Commitments:
    always = np.ones(weeks * WEEK)
    machines = [usage(f"i-{n}", always, rate=RATE, region=region) for n in range(4)]
    known = [machine(f"i-{n}", region_id=region) for n in range(4)]
    return advise(bill(machines), catalogue, resources=known)


def test_the_snapshots_rates_are_used_with_their_day() -> None:
    told = found(Catalogue.load(), BY_YEARS_END)
    (one,) = told.recommendations
    assert one.resource_id == SCOPE
    # Three years at 1.991 / 4.608 of 0.096 USD an hour, of 4 machines, 730 hours a month.
    assert float(one.estimated_monthly_savings.target) == pytest.approx(
        4 * 0.096 * 730 * (1 - 1.991 / 4.608), rel=0.01
    )
    source = str(one.evidence["price_source"])
    assert "AWS price list, as carried by cloud-capacity-simulator" in source
    assert "of 2026-08-17" in source
    assert not any("look them up" in note for note in told.notes)


def test_old_ones_are_told() -> None:
    notes = found(Catalogue.load(), BY_MARCH).notes
    assert any("are of 2026-08-17: look them up before buying" in note for note in notes)


def test_ones_own_list_stands_above() -> None:
    own = prices(("m5.large", "3yr no-upfront", "0.03"), RESERVED)
    (one,) = found(own, BY_YEARS_END).recommendations
    assert "a list" in str(one.evidence["price_source"])
    assert "cloud-capacity" not in str(one.evidence["price_source"])


def test_a_region_without_rates_borrows_none() -> None:
    told = found(Catalogue.load(), BY_YEARS_END, region="sa-east-1")
    assert told.recommendations == ()
    assert "lists name one in other regions only" in (told.skips[0].detail or "")
