"""The money of a change."""

from __future__ import annotations

from decimal import Decimal

from costopt.rules.savings import dearer, estimate
from tests.rules.builders import billed

HALF = Decimal("0.5")


def test_an_uncommitted_cost_has_one_figure() -> None:
    found = estimate(billed("100", monthly="120"), HALF, Decimal(55))
    saving = found.savings
    assert (saving.low, saving.target, saving.high, saving.at_list) == (50, 50, 50, 55)
    assert found.cost_after == 70
    assert found.stranded_commitment == 0


def test_what_a_commitment_covers_is_counted_only_in_the_high_figure() -> None:
    found = estimate(billed("100", listed="150", committed_share=0.8), HALF, None)
    saving = found.savings
    assert (saving.low, saving.target, saving.high) == (10, 10, 50)
    assert found.stranded_commitment == 40


def test_no_figure_exceeds_the_cost() -> None:
    whole = estimate(billed("100.005"), Decimal(1), None)
    assert whole.savings.high == 100  # and never rounded up
    credited = estimate(billed("100", monthly="-5"), HALF, None)
    assert credited.savings.target == 0
    assert credited.cost_after == -5


def test_what_costs_more_is_billed_in_full_and_never_rounded_down() -> None:
    found = dearer(billed("100.001", monthly="120", committed_share=0.8), HALF, Decimal(-55))
    saving = found.savings
    assert (saving.low, saving.target, saving.high) == (Decimal("-50.01"),) * 3
    assert saving.at_list == -55
    assert found.cost_after == Decimal("170.01")
    assert found.stranded_commitment == 0
