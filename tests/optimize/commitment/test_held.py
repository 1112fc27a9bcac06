"""What to do with commitments already owned, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from costopt.optimize.commitment import Action, Choice, Elsewhere, Held, choices

TEN = np.full(400, 10.0)


def _of(found: tuple[Choice, ...], held: str, action: Action) -> Choice:
    (one,) = [one for one in found if (one.held, one.action) == (held, action)]
    return one


def test_the_idle_part_is_sold_and_the_rest_kept() -> None:
    # 16 owned for 10 needed: six are idle. A buyer pays 200 a unit, less 12 %; 0.1 an hour is
    # saved. What is in use would cost 1 an hour on demand for a year: never worth 176 and 876.
    held = [Held("ri", 16.0, months_left=12, rate=0.6, hourly=0.1, resale=200.0)]
    found = choices(held, TEN, 1.0, 0.6, step=1.0)
    sold = _of(found, "ri", Action.SELL)
    assert (sold.quantity, sold.utilisation) == (6.0, 0.0)
    assert sold.gain == pytest.approx(6 * (0.88 * 200 + 0.1 * 8760))
    assert sold.hours == pytest.approx(8760)
    kept = _of(found, "ri", Action.KEEP)
    assert (kept.gain, kept.utilisation) == (0.0, pytest.approx(10 / 16))
    lapse = _of(found, "ri", Action.LAPSE)
    assert lapse.gain == pytest.approx(6 * 0.6 * 8760)  # the idle six, over a year


def test_what_is_all_in_use_is_not_sold() -> None:
    held = [Held("ri", 8.0, months_left=12, rate=0.6, hourly=0.6, resale=100.0)]
    found = choices(held, TEN, 1.0, 0.6)
    assert {one.action for one in found} == {Action.KEEP, Action.RENEW}
    assert _of(found, "ri", Action.RENEW).gain == pytest.approx(8 * 0.4 * 8760)


def test_the_idle_part_is_exchanged_for_demand_elsewhere() -> None:
    held = [Held("ri", 16.0, months_left=10, rate=0.6, exchangeable=True)]
    other = Elsewhere("r6i", np.full(200, 2.0), price=2.0, rate=1.2)
    found = choices(held, TEN, 1.0, 0.6, elsewhere=[other], step=1.0)
    exchanged = _of(found, "ri", Action.EXCHANGE)
    # Two units there take the value of four here, which are idle.
    assert (exchanged.quantity, exchanged.into, exchanged.into_quantity) == (4.0, "r6i", 2.0)
    assert exchanged.gain == pytest.approx(2 * 2.0 * 7300)
    fixed = [Held("ri", 16.0, months_left=10, rate=0.6)]
    assert Action.EXCHANGE not in {one.action for one in choices(fixed, TEN, 1.0, 0.6)}


def test_what_lasts_longer_counts_before_what_is_renewed() -> None:
    held = [Held("a", 6.0, months_left=3, rate=0.6), Held("b", 7.0, months_left=30, rate=0.4)]
    found = choices(held, TEN, 1.0, 0.6)
    assert _of(found, "a", Action.RENEW).quantity == pytest.approx(3.0)
    lapse = _of(found, "a", Action.LAPSE)
    assert (lapse.quantity, lapse.utilisation) == (pytest.approx(3.0), 0.0)
    assert _of(found, "b", Action.RENEW).quantity == pytest.approx(7.0)
    # As the top of the stack, half of a's six find demand, and four of b's seven.
    assert _of(found, "a", Action.KEEP).utilisation == pytest.approx(0.5)
    assert _of(found, "b", Action.KEEP).utilisation == pytest.approx(4 / 7)


def test_most_gained_first_whatever_the_order_given() -> None:
    held = [
        Held("a", 9.0, months_left=3, rate=0.6, hourly=0.6, resale=0.0),
        Held("b", 9.0, months_left=30, rate=0.4, hourly=0.4, resale=10.0),
    ]
    found = choices(held, TEN, 1.0, 0.6)
    assert [one.gain for one in found] == sorted((one.gain for one in found), reverse=True)
    assert found == choices(held[::-1], TEN, 1.0, 0.6)


def test_numbers_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="ri: "):
        Held("ri", -1.0, 1, 0.5)
    assert choices([], TEN, 1.0, 0.6) == ()
