"""optimize/risk.py: the model, what it learns, and the shipped prior."""

from __future__ import annotations

import json

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.optimize.features import NAMES, features
from costopt.optimize.risk import (
    PRIOR_ROWS,
    RIDGE,
    Risk,
    fitted,
    prior,
    read,
    with_seen,
    written,
)

Floats = npt.NDArray[np.float64]
COUNT = len(NAMES)


def fleet(rows: int, seed: int) -> tuple[Floats, Floats]:
    """Figures, and what happened by a known rule of the first two."""
    chance = np.random.default_rng(seed)
    figures = chance.normal(1.0, 2.0, (rows, COUNT))
    odds = -0.5 - 1.2 * figures[:, 0] + 0.8 * figures[:, 1]
    return figures, (chance.random(rows) < 1 / (1 + np.exp(-odds))).astype(np.float64)


def loss(model: Risk, fleets: list[tuple[Floats, Floats]], coefficients: Floats) -> float:
    """What a fit minimises, written out: every fleet weighs alike, ridge but for the intercept."""
    rows = sum(len(happened) for _, happened in fleets)
    total = RIDGE / 2 * (coefficients[1:] ** 2).sum() + 1e-6 / 2 * coefficients[0] ** 2
    for figures, happened in fleets:
        z = coefficients[0] + (figures - model.mean) / model.spread @ coefficients[1:]
        likelihood = happened * z - np.logaddexp(0, z)
        total -= rows / len(fleets) / len(happened) * likelihood.sum()
    return float(total)


def slope(of: Risk, fleets: list[tuple[Floats, Floats]]) -> Floats:
    steps = np.eye(COUNT + 1) * 1e-5
    return np.array(
        [
            (loss(of, fleets, of.coefficients + s) - loss(of, fleets, of.coefficients - s)) / 2e-5
            for s in steps
        ]
    )


def test_a_fit_stands_at_the_optimum() -> None:
    fleets = [fleet(400, 1), fleet(150, 2)]
    model = fitted(fleets, {})
    assert np.abs(slope(model, fleets)).max() < 1e-3
    assert model.rows == 550
    means = [figures.mean(axis=0) for figures, _ in fleets]
    assert model.mean == pytest.approx(np.mean(means, axis=0))  # however many rows each has
    assert model.coefficients[1] < -1 < 1 < model.coefficients[2]


def test_a_fleet_weighs_alike_however_many_rows_it_has() -> None:
    one, other = fleet(300, 1), fleet(300, 2)
    thrice = tuple(np.concatenate([part] * 3) for part in other)
    plain, heavy = fitted([one, other], {}), fitted([one, (thrice[0], thrice[1])], {})
    assert heavy.mean == pytest.approx(plain.mean)
    assert heavy.spread == pytest.approx(plain.spread)


# -- learning --------------------------------------------------------------------------------

CALM = np.full((1, COUNT), 1.0)


def chance_of(model: Risk) -> float:
    return float(model.chance(CALM)[0])


def learned(model: Risk, rows: int, share: float) -> Risk:
    happened = (np.arange(rows) < share * rows).astype(np.float64)
    return model.learned(np.repeat(CALM, rows, axis=0), happened)


@pytest.fixture(scope="module")
def model() -> Risk:
    return fitted([fleet(2000, 3)], {"fleets": 1})


def test_without_a_past_the_prior_stays(model: Risk) -> None:
    assert model.learned(np.empty((0, COUNT)), np.empty(0)) is model


def test_it_moves_towards_what_happened_the_more_the_more_rows(model: Risk) -> None:
    start = chance_of(model)
    up = [chance_of(learned(model, rows, 0.9)) for rows in (10, 100, 1000, 100_000)]
    assert [start, *up] == sorted([start, *up])
    assert up[-1] == pytest.approx(0.9, abs=0.01)  # own rows outweigh the prior
    assert abs(up[0] - start) < 0.1
    assert chance_of(learned(model, 100, 0.0)) < start


def test_the_prior_weighs_like_a_few_rows_however_many_it_was_fitted_on(model: Risk) -> None:
    many = fitted([fleet(40_000, 3)], {})
    assert learned(model, 100, 1.0).rows == PRIOR_ROWS + 100
    assert learned(many, 100, 1.0).rows == PRIOR_ROWS + 100
    small = fitted([fleet(200, 3)], {})
    assert learned(small, 100, 1.0).rows == 300


def test_what_it_learns_from_does_not_depend_on_order(model: Risk) -> None:
    figures, happened = fleet(80, 9)
    mixed = np.random.default_rng(0).permutation(80)
    one = model.learned(figures, happened).coefficients
    assert one == pytest.approx(model.learned(figures[mixed], happened[mixed]).coefficients)


# -- what it says ----------------------------------------------------------------------------


@given(st.integers(0, 2**32 - 1))
def test_a_smaller_size_is_never_safer(seed: int) -> None:
    figures = np.random.default_rng(seed).normal(0, 3, (5, 4, COUNT))
    for said in (prior().chance(figures), prior().upper(figures)):
        assert said.shape == (5, 4)
        assert (np.diff(said, axis=-1) >= 0).all()
        assert ((said >= 0) & (said <= 1)).all()


def test_the_upper_end_is_above_and_comes_nearer_with_more_rows(model: Risk) -> None:
    figures = fleet(50, 4)[0][:, None, :]
    assert (model.upper(figures) >= model.chance(figures)).all()
    more = model.learned(*fleet(20_000, 5))
    width = model.upper(figures) - model.chance(figures)
    assert (more.upper(figures) - more.chance(figures)).mean() < width.mean() / 2


def test_a_size_too_small_for_the_window_seen_is_not_taken() -> None:
    figures = np.zeros((4, len(NAMES)))
    figures[:, NAMES.index("log_rate")] = np.log([0.01, 0.049, 0.051, 0.01])
    figures[:, NAMES.index("log_recent_rate")] = np.log([0.01, 0.049, 0.01, 0.051])
    assert with_seen(np.full(4, 0.2), figures).tolist() == [0.2, 0.2, 1.0, 1.0]


# -- the shipped prior, and how it is kept ---------------------------------------------------


def test_what_is_written_can_be_read(model: Risk) -> None:
    again = read(written(model))
    assert again.coefficients == pytest.approx(model.coefficients, abs=1e-6)
    assert again.mean == pytest.approx(model.mean, abs=1e-6)
    assert again.spread == pytest.approx(model.spread, abs=1e-6)
    assert again.information == pytest.approx(model.information, abs=1e-4)
    assert (again.rows, again.summary) == (model.rows, model.summary)
    assert read(written(again)).coefficients.tolist() == again.coefficients.tolist()


def test_a_prior_of_other_figures_is_refused(model: Risk) -> None:
    document = json.loads(written(model))
    document["coefficients"]["surprise"] = document["coefficients"].pop(NAMES[0])
    with pytest.raises(ValueError, match=r"run scripts/fit_prior\.py"):
        read(json.dumps(document))


def test_the_shipped_prior_is_of_these_figures_and_says_what_taught_it() -> None:
    shipped = prior()
    assert shipped.mean.shape == shipped.spread.shape == (COUNT,)
    assert shipped.coefficients.shape == (COUNT + 1,)
    assert shipped.information.shape == (COUNT + 1, COUNT + 1)
    assert (np.linalg.eigvalsh(shipped.information) > 0).all()
    assert (shipped.spread > 0).all()
    assert shipped.rows == sum(fleet["rows"] for fleet in shipped.summary["fleets"])


def test_the_shipped_prior_knows_safe_from_unsafe() -> None:
    level = np.full((1, 14 * 288), 2000, np.uint16)
    steady = features(level, np.array([45.0, 22.5, 19.0]), 288, 0.005)
    half, quarter, less = prior().chance(steady)[0]
    assert half < quarter < 0.3
    assert less > 0.99
