"""What of a claim is supported, and the sums: of one currency, over the same machines."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.report.vendor.beside import advice, compared, machine, only
from tests.rules.builders import billed, samples


def test_totals_add_up_and_other_currencies_stand_apart() -> None:
    found = compared(machine(), advice(to="m6i.xlarge"))
    assert found.totals.claimed == 100
    assert found.totals.supported == 100
    assert found.totals.ours == Decimal("490.56")
    foreign = compared(machine(), advice(to="m6i.xlarge", BillingCurrency="EUR"))
    totals = foreign.totals  # of the same machines, so what we save on it is in none, either
    assert not any((totals.ours, totals.claimed, totals.supported, totals.unjudged))
    assert foreign.notes == (
        "1 resource with amounts in EUR: in no sum, neither costopt's nor the vendors', as sums "
        "are in USD",
    )


@pytest.mark.parametrize(
    ("stated", "billed_in"), [("USD", "EUR"), ("EUR", "USD")], ids=["bill", "claim"]
)
def test_amounts_of_two_currencies_are_not_weighed(stated: str, billed_in: str) -> None:
    """133.83 dollars and 96.71 euros have no smaller one."""
    one = machine(cost=billed("560.64", currency=billed_in))
    for row in (advice(to="m6i.large"), advice(to="m6i.xlarge")):  # agree, and another type
        found = only(compared(one, row | {"BillingCurrency": stated}))
        assert found.ours.currency == billed_in
        assert found.supported is None
    refuted = only(compared(one, advice(to="m6i.8xlarge", BillingCurrency=stated)))
    assert refuted.supported == 0  # nothing is nothing in both


def test_a_stop_that_we_refute_is_not_supported_by_our_resize() -> None:
    """Google: stop it, 152; costopt: a smaller type, 145, as it is in use. None of the 152 is
    found."""
    found = compared(machine(), advice("stop", x_Finding="STOP_VM"))
    row = only(found)
    assert row.verdict == "same direction"
    assert "costopt finds it in use" in row.why
    assert row.supported == 0
    assert found.totals.claimed == 100
    assert found.totals.supported == 0


def test_a_stop_that_we_could_not_judge_is_not_judged_beside_our_resize() -> None:
    """Its network is not measured, so whether it is idle is not known."""
    metrics = {"memory_utilization": samples(28, 8, spread=1)}
    found = compared(machine(level=0.1, metrics=metrics), advice("stop", x_Finding="STOP_VM"))
    assert "costopt does not judge whether it is idle" in only(found).why
    assert only(found).supported is None
    assert found.totals.unjudged == 100


def test_a_type_without_a_price_is_not_judged_beside_our_advice() -> None:
    found = compared(machine(), advice(to="x99.huge"))
    assert only(found).ours is not None
    assert "so it cannot be judged" in only(found).why
    assert only(found).supported is None
    assert found.totals.supported == 0
    assert found.totals.unjudged == 100


def test_another_action_than_ours_is_not_judged() -> None:
    assert only(compared(machine(), advice("other"))).supported is None


def test_their_type_does_not_do_and_ours_finds_a_part() -> None:
    """Of 490.56 for 2 vCPUs, what 4 of them save: 12 x 0.048 x 730."""
    memory = {"memory_utilization": samples(28, 18, spread=1)}
    claimed = Decimal("490.56")
    row = only(compared(machine(metrics=memory), advice(to="m6i.large", x_MonthlySavings=claimed)))
    assert row.ours.recommended.instance_type == "m6i.xlarge"
    assert not row.judged.holds
    assert row.supported == Decimal("420.48")


def test_what_is_not_claimed_is_not_supported() -> None:
    assert (
        only(compared(machine(), advice(to="m6i.large", x_MonthlySavings=None))).supported is None
    )


def test_their_type_does_not_do_and_our_stop_is_another_thing() -> None:
    quiet = {name: samples(28, 5, spread=1) for name in ("network_in", "network_out")}
    one = machine(level=0.3, metrics=quiet | {"memory_utilization": samples(28, 60, spread=1)})
    row = only(compared(one, advice(to="m6i.large")))
    assert (row.ours.action_type, row.verdict) == ("Stop", "same direction")
    assert not row.judged.holds
    assert row.supported == 0
