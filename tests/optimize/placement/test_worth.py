"""Present costs and break-even, held to the page's worked example and to month-by-month sums."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.optimize.placement import Horizon, Moving, Staying, Worth, worth
from tests.conftest import ROOT


def _names(of: type[Staying] | type[Moving]) -> list[str]:
    return [field.name for field in fields(of)]


def _staying(run: float, storage: float = 0.0, egress: float = 0.0) -> Staying:
    return Staying(*(np.array([one]) for one in (run, storage, egress)))


def _moving(run: float, **others: float) -> Moving:
    """One group, one place; what is not given is nothing."""
    known = {"run": run, **others}
    return Moving(
        **{
            name: np.full((1, 1) if name in Moving.by_place else (1,), known.get(name, 0.0))
            for name in _names(Moving)
        }
    )


EXAMPLE = (
    _staying(1000.0, 50.0),
    _moving(
        700.0,
        storage=40.0,
        egress=10.0,
        leaving=0.09,
        stored_gib=2000.0,
        labour=16 * 80.0,
        dual_months=1.0,
        stranded=100.0,
        stranded_months=6.0,
        price_spread=0.05,
        speed_spread=0.1,
    ),
    Horizon(24, 0.08),
)
"""The one in docs/method.md."""


def _present(amount: float, first: int, last: int, yearly: float = 0.08) -> float:
    """Amounts at the end of months first .. last, discounted one by one."""
    return sum(amount / (1 + yearly) ** (month / 12) for month in range(first, last + 1))


def _page() -> str:
    text = (ROOT / "docs" / "method.md").read_text()
    return text[text.index("## Moves") :]


def test_the_example_on_the_page() -> None:
    found = worth(*EXAMPLE)
    stay = _present(1050, 1, 24)
    once = 2000 * 0.09 + 1280
    move = once + _present(1050, 1, 1) + _present(100, 2, 6) + _present(750, 1, 24)
    run, others = 700 * 1.05 / 0.9, 50 * 1.05
    high = _present(run + others, 1, 24) + 180 * 1.05 + 1280
    high += _present(1050, 1, 1) + _present(100, 2, 6)
    assert found.stay[0] == pytest.approx(stay)
    assert found.move[0, 0] == pytest.approx(move)
    assert found.move_high[0, 0] == pytest.approx(high)
    assert found.pays.tolist() == [[high < stay]]
    page = _page()
    for figure in (stay, move, stay - move, high, stay - high):
        assert f"{figure:,.2f}" in page, figure
    for part in found.parts:
        assert f"{part[0, 0]:,.2f}" in page, part


def test_break_even_of_the_example_on_the_page() -> None:
    found = worth(*EXAMPLE)
    balance, months = -(2000 * 0.09 + 1280.0), 0
    while balance < 0:
        months += 1
        gain = 300 - (1050 if months == 1 else 100 if months <= 6 else 0)
        before, balance = balance, balance + gain / 1.08 ** (months / 12)
    assert months - 1 < found.break_even[0, 0] <= months
    part = -before / (balance - before)  # along a straight line within the month: near enough
    assert found.break_even[0, 0] == pytest.approx(months - 1 + part, abs=0.002)
    assert f"{found.break_even[0, 0]:.1f} months" in _page()
    assert found.break_even_late[0, 0] > found.break_even[0, 0]
    assert f"{found.break_even_late[0, 0]:.1f} months" in _page()


def test_without_a_discount_rate_it_is_plain_division() -> None:
    found = worth(_staying(100.0), _moving(60.0, labour=100.0), Horizon(12))
    assert found.stay.tolist() == [1200.0]
    assert found.move.tolist() == [[820.0]]
    assert found.saving.tolist() == [[380.0]]
    assert found.break_even.tolist() == [[2.5]]
    assert Horizon(12).each_month(found.saving)[0, 0] == pytest.approx(380 / 12)


def test_dual_run_and_commitments_delay_it() -> None:
    """Two months of paying both (-100 each), then 30 a month of a commitment until month 6."""
    slow = _moving(60.0, dual_months=2.0, stranded=30.0, stranded_months=6.0)
    found = worth(_staying(100.0), slow, Horizon(12))
    # -2 x 60 after the dual run, -120 + 4 x 10 = -80 at month 6, then 40 a month.
    assert found.break_even.tolist() == [[8.0]]
    assert found.move.tolist() == [[12 * 60.0 + 2 * 100 + 4 * 30]]
    assert worth(_staying(100.0), slow, Horizon(1)).parts.stranded.tolist() == [[0.0]]
    assert worth(_staying(100.0), slow, Horizon(4)).parts.stranded.tolist() == [[60.0]]


def test_what_is_repaid_while_a_commitment_runs() -> None:
    found = worth(
        _staying(100.0),
        _moving(40.0, labour=80.0, stranded=20.0, stranded_months=6.0),
        Horizon(12),
    )
    assert found.break_even.tolist() == [[2.0]]


@pytest.mark.parametrize(
    ("moving", "months"),
    [
        (_moving(100.0, labour=1.0), np.inf),  # saves nothing a month
        (_moving(120.0), np.inf),  # costs more, though getting there is free
        (_moving(100.0), 0.0),  # never behind
        (_moving(50.0), 0.0),
        (_moving(np.inf), np.inf),
        (_moving(99.0, labour=500.0), np.inf),  # the interest on 500 is more than 1 a month
    ],
)
def test_never_and_at_once(moving: Moving, months: float) -> None:
    found = worth(_staying(100.0), moving, Horizon(36, 0.1))
    assert found.break_even.tolist() == [[months]]


def test_where_nothing_fits_there_is_no_move() -> None:
    found = worth(_staying(100.0), _moving(np.inf, storage=3.0, labour=5.0), Horizon(36, 0.1))
    assert found.move.tolist() == found.move_high.tolist() == [[np.inf]]
    assert found.saving.tolist() == [[-np.inf]]
    assert not found.pays.any()


def test_both_ends_by_hand() -> None:
    """90 a month, prices 10 % off, speeds 20 %: 90 x 1.1 / 0.8 and 90 x 0.9 / 1.2; exit 50."""
    found = worth(
        _staying(100.0),
        _moving(90.0, leaving=0.5, stored_gib=100.0, price_spread=0.1, speed_spread=0.2),
        Horizon(10),
    )
    assert found.move_high[0, 0] == pytest.approx(10 * 123.75 + 55)
    assert found.move_low[0, 0] == pytest.approx(10 * 67.5 + 45)
    assert found.saving[0, 0] == pytest.approx(50)
    assert not found.pays.any()


amounts = st.floats(0, 1000)


@settings(max_examples=100)
@given(
    run=amounts,
    labour=amounts,
    dual=st.integers(0, 3),
    stranded=st.floats(0, 500),
    left=st.integers(0, 12),
    months=st.integers(1, 36),
    rate=st.sampled_from([0.0, 0.05, 0.2]),
)
def test_as_month_by_month(
    run: float,
    labour: float,
    dual: int,
    stranded: float,
    left: int,
    months: int,
    rate: float,
) -> None:
    staying = _staying(500.0, 20.0, 5.0)
    moving = _moving(run, labour=labour, dual_months=dual, stranded=stranded, stranded_months=left)
    found = worth(staying, moving, Horizon(months, rate))
    expected = labour + _present(run, 1, months, rate) + _present(520, 1, min(dual, months), rate)
    expected += _present(stranded, dual + 1, min(left, months), rate)
    assert found.move[0, 0] == pytest.approx(expected)
    assert sum(found.parts)[0, 0] == pytest.approx(expected)
    _pays_off_when_told(staying, moving, found, rate)


def _pays_off_when_told(staying: Staying, moving: Moving, found: Worth, rate: float) -> None:
    """Behind just before the break-even, and not just after."""
    when = float(found.break_even[0, 0])
    if not 0.01 < when < 1000:
        return
    before, after = (
        worth(staying, moving, Horizon(months, rate)).saving[0, 0]
        for months in (when * 0.999, when * 1.001)
    )
    assert before <= 1e-6
    assert after >= -1e-6


@settings(max_examples=50)
@given(factor=st.floats(0.01, 100))
def test_another_currency_changes_no_date(factor: float) -> None:
    staying, moving, horizon = EXAMPLE
    money = {"run", "storage", "egress", "leaving", "labour", "stranded"}
    in_other = worth(
        Staying(*(getattr(staying, name) * factor for name in _names(Staying))),
        replace(moving, **{name: getattr(moving, name) * factor for name in money}),
        horizon,
    )
    here = worth(staying, moving, horizon)
    assert in_other.break_even[0, 0] == pytest.approx(here.break_even[0, 0])
    assert in_other.saving[0, 0] == pytest.approx(here.saving[0, 0] * factor)
    assert in_other.pays.tolist() == here.pays.tolist()


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="storage is below 0, infinite or unknown"):
        _moving(1.0, storage=float("nan"))
    with pytest.raises(ValueError, match="run is below 0"):
        _moving(-1.0)
    with pytest.raises(ValueError, match="a share below 1"):
        _moving(1.0, price_spread=1.0)
    with pytest.raises(ValueError, match="labour is"):
        replace(_moving(1.0), labour=np.zeros(1))
    with pytest.raises(ValueError, match="horizon"):
        Horizon(0)
