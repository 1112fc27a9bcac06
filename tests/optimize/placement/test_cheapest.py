"""The cheapest type for each need at each place, held to trying every offer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.optimize.placement import NONE, Cheapest, Needs, Offers, cheapest
from costopt.optimize.placement.dominance import undominated

ARM, SPOT, WINDOWS = 1, 2, 4


def _random(seed: int) -> tuple[Needs, Offers]:
    """Small figures, so that equal prices, equal needs and unknown figures are common."""
    random = np.random.default_rng(seed)
    needs, offers, measures = (int(n) for n in random.integers((1, 0, 1), (25, 60, 5)))
    places = int(random.integers(1, 5))
    has = random.integers(0, 6, (offers, measures)).astype(np.float64)
    has[random.random(has.shape) < 0.1] = np.nan
    return (
        Needs(
            random.integers(0, 5, (needs, measures)).astype(np.float64),
            random.integers(0, 8, needs),
        ),
        Offers(
            has,
            random.integers(0, 8, offers) / 4,
            random.integers(0, places, offers),
            random.integers(0, 8, offers),
            places,
        ),
    )


def _by_trying_all(needs: Needs, offers: Offers) -> Cheapest:
    offer = np.full((len(needs.refuses), offers.places), NONE, np.int32)
    hourly = np.full(offer.shape, np.inf)
    for r, (least, refuses) in enumerate(zip(needs.least, needs.refuses, strict=True)):
        for o, has in enumerate(offers.has):
            enough = all(h >= n or n == 0 for h, n in zip(has, least, strict=True))
            place, price = offers.place[o], offers.hourly[o]
            if enough and not offers.traits[o] & refuses and price < hourly[r, place]:
                offer[r, place], hourly[r, place] = o, price
    return Cheapest(offer, hourly)


@settings(max_examples=150)
@given(seed=st.integers(0, 2**32), threads=st.integers(1, 2))
def test_same_as_trying_every_offer(seed: int, threads: int) -> None:
    needs, offers = _random(seed)
    found, expected = cheapest(needs, offers, threads), _by_trying_all(needs, offers)
    np.testing.assert_array_equal(found.offer, expected.offer)
    np.testing.assert_array_equal(found.hourly, expected.hourly)


@settings(max_examples=50)
@given(seed=st.integers(0, 2**32))
def test_one_more_offer_never_raises_a_price(seed: int) -> None:
    needs, offers = _random(seed)
    if not len(offers.hourly):
        return
    fewer = Offers(
        offers.has[1:], offers.hourly[1:], offers.place[1:], offers.traits[1:], offers.places
    )
    assert (cheapest(needs, offers).hourly <= cheapest(needs, fewer).hourly).all()


def test_by_hand() -> None:
    """Capacity, memory and GPUs at two places: cheap, spot, Arm, and one with unknown memory."""
    nan = np.nan
    offers = Offers(
        has=np.array(
            [[4, 16, 0], [4, 16, 0], [4, 8, 0], [4, nan, 0], [8, 32, 0], [8, 64, 1]], np.float64
        ),
        hourly=np.array([0.20, 0.06, 0.15, 0.10, 0.19, 2.00]),
        place=np.array([0, 0, 0, 0, 1, 1]),
        traits=np.array([0, SPOT, ARM, 0, 0, 0]),
        places=2,
    )
    needs = Needs(
        least=np.array([[4, 16, 0], [4, 16, 0], [4, 8, 0], [4, 0, 0], [1, 1, 1], [9, 1, 0]]) * 1.0,
        refuses=np.array([SPOT | ARM, ARM, SPOT, SPOT, 0, 0]),
    )
    found = cheapest(needs, offers)
    assert found.offer.tolist() == [[0, 4], [1, 4], [2, 4], [3, 4], [NONE, 5], [NONE, NONE]]
    assert found.hourly[4:].tolist() == [[np.inf, 2.00], [np.inf, np.inf]]
    assert found.offer.dtype == np.int32


def test_more_needs_than_a_thread_takes_at_once_stay_in_order() -> None:
    sizes = np.random.default_rng(1).permutation(1500) + 1.0
    offers = Offers(
        np.arange(2001.0)[:, None],
        np.arange(2001.0),
        np.zeros(2001, np.int64),
        np.zeros(2001, np.int64),
        1,
    )
    needs = Needs(sizes[:, None], np.zeros(1500, np.int64))
    assert (cheapest(needs, offers, 2).offer[:, 0] == sizes).all()


def test_what_is_needless_is_left_out() -> None:
    """Of five offers: as good but dearer, as good at the same price, better in one respect."""
    good = np.array([[4, 16], [4, 16], [4, 8], [4, 32], [4, 16]], np.float64)
    price = np.array([0.20, 0.20, 0.30, 0.40, 0.10])
    bad = np.array([ARM, ARM, ARM | SPOT, ARM, WINDOWS])
    left = undominated(np.zeros(5, np.int64), 1, price, good, bad)
    assert left.choices.tolist() == [4, 0, 3]
    assert left.starts.tolist() == [0, 3]


def test_nothing_to_place_and_nowhere() -> None:
    none = Needs(np.empty((0, 2)), np.empty(0, np.int64))
    offers = Offers(np.ones((1, 2)), np.ones(1), np.zeros(1, np.int64), np.zeros(1, np.int64), 3)
    assert cheapest(none, offers).offer.shape == (0, 3)


def test_what_cannot_be_is_refused() -> None:
    zero, two = np.zeros(1, np.int64), np.ones((1, 2))
    with pytest.raises(ValueError, match="unknown cannot be placed"):
        Needs(np.array([[np.nan, 1.0]]), zero)
    with pytest.raises(ValueError, match="what each refuses"):
        Needs(two, np.zeros(2, np.int64))
    with pytest.raises(ValueError, match="finite"):
        Offers(two, np.array([np.nan]), zero, zero, 1)
    with pytest.raises(ValueError, match="0 to 0"):
        Offers(two, np.ones(1), np.ones(1, np.int64), zero, 1)
    with pytest.raises(ValueError, match="price, place"):
        Offers(two, np.ones(2), zero, zero, 1)
    with pytest.raises(ValueError, match="same measures"):
        cheapest(Needs(np.ones((1, 3)), zero), Offers(two, np.ones(1), zero, zero, 1))
