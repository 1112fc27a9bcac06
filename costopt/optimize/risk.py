"""The risk of a size: the chance that it uses up its budget of violations in the next window.

A logistic regression on the figures of optimize/features.py. It starts from a prior that other
fleets taught (prior.json, written by scripts/fit_prior.py) and learns from the fleet's own past as
far as there is one: the prior's normal approximation counts like at most `PRIOR_ROWS` rows of it.

Source: facts, decisions, "Rightsizing" 1 and 2.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

import numpy as np

from costopt.optimize.features import NAMES, Floats

PRIOR_ROWS: Final = 300
"""The prior never weighs more than so many rows of the fleet's own past."""

RIDGE: Final = 1 / 0.3
"""Penalty on the coefficients of standardised figures, towards zero or the prior: L2, C = 0.3."""

Z_UPPER: Final = 1.6448536269514722
"""One-sided 95 %."""

_STEPS: Final = 50
_CLOSE: Final = 1e-8
_LONGEST_STEP: Final = 3.0  # of a coefficient: far from the optimum Newton's step overshoots


@dataclass(frozen=True, eq=False)
class Risk:
    """A fitted model: from figures to the chance of using up the budget."""

    mean: Floats  # (k,) of the figures it was standardised by
    spread: Floats  # (k,) their standard deviation
    coefficients: Floats  # (k + 1,) intercept first, of standardised figures
    information: Floats  # (k + 1, k + 1) Fisher information of the rows it learned from
    rows: float  # how many those were
    summary: Mapping[str, Any]  # what it learned from, for people

    def chance(self, figures: Floats) -> Floats:
        """(..., sizes) the chance, never falling from one size to the next smaller one.

        Args:
            figures: (..., sizes, k), sizes descending.
        """
        return _monotone(_chance(self._standard(figures) @ self.coefficients))

    def upper(self, figures: Floats) -> Floats:
        """(..., sizes) the upper end of the chance's one-sided 95 % interval, as monotone.

        It tells how sure the model is of its coefficients, with the ridge; rows of one window are
        not independent, so the sizes of a window count as one row together.
        """
        x = self._standard(figures)
        precision = self.information / figures.shape[-2] + _ridge(len(self.coefficients))
        variance = np.einsum("...i,ij,...j->...", x, np.linalg.inv(precision), x)
        return _monotone(_chance(x @ self.coefficients + Z_UPPER * np.sqrt(variance)))

    def learned(self, figures: Floats, happened: Floats) -> Risk:
        """This model as the prior, and these rows of the fleet's own past.

        Args:
            figures: (n, k).
            happened: (n,) 1 where the budget was used up, else 0.
        """
        if not len(happened):
            return self
        weight = min(1.0, PRIOR_ROWS / self.rows)
        precision = weight * self.information + _ridge(len(self.coefficients))
        x = self._standard(figures)
        found, information = _fit(x, happened, np.ones(len(happened)), self.coefficients, precision)
        return Risk(
            mean=self.mean,
            spread=self.spread,
            coefficients=found,
            information=weight * self.information + information,
            rows=weight * self.rows + len(happened),
            summary=self.summary,
        )

    def _standard(self, figures: Floats) -> Floats:
        scaled = (figures - self.mean) / self.spread
        return np.concatenate([np.ones((*scaled.shape[:-1], 1)), scaled], axis=-1)


def fitted(fleets: Sequence[tuple[Floats, Floats]], summary: Mapping[str, Any]) -> Risk:
    """A model of several fleets, each of the same weight, however many machines it has.

    Args:
        fleets: figures (n, k) and what happened (n,), 1 or 0, of each.
    """
    figures = np.concatenate([f for f, _ in fleets])
    happened = np.concatenate([h for _, h in fleets])
    rows = len(happened)
    weights = np.concatenate([np.full(len(h), rows / len(fleets) / len(h)) for _, h in fleets])
    mean = np.average(figures, axis=0, weights=weights)
    spread = np.sqrt(np.average((figures - mean) ** 2, axis=0, weights=weights))
    start = np.zeros(figures.shape[1] + 1)
    empty = Risk(mean, spread, start, np.zeros((len(start),) * 2), 1.0, summary)
    x = empty._standard(figures)
    found, information = _fit(x, happened, weights, start, _ridge(len(start)))
    return Risk(mean, spread, found, information, float(rows), summary)


def _fit(
    x: Floats, happened: Floats, weights: Floats, start: Floats, precision: Floats
) -> tuple[Floats, Floats]:
    """Newton's method on the log-likelihood and a normal prior around `start`.

    Returns:
        The coefficients, and the Fisher information of the rows without the prior.
    """
    found = start.copy()
    for _ in range(_STEPS):
        chance = _chance(x @ found)
        slope = x.T @ (weights * (chance - happened)) + precision @ (found - start)
        information = (x.T * (weights * chance * (1 - chance))) @ x
        step = np.linalg.solve(information + precision, slope)
        largest = float(np.abs(step).max())
        found = found - step * min(1.0, _LONGEST_STEP / max(largest, _CLOSE))
        if largest < _CLOSE:
            break
    return found, information


def _ridge(size: int) -> Floats:
    """The penalty's precision; none on the intercept but what keeps the matrix regular."""
    return np.diag([1e-6] + [RIDGE] * (size - 1))


def _chance(z: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(z, -40, 40))))


def _monotone(chances: Floats) -> Floats:
    """A smaller size is never safer: where the model thinks so, the larger one's risk holds."""
    return np.maximum.accumulate(chances, axis=-1)


UNDERSIZED_SHARE: Final = 0.05
"""Over the limit for more than this share of its time a machine is too small, whatever comes."""

_LOG_RATES: Final = [NAMES.index(name) for name in ("log_rate", "log_recent_rate")]


def with_seen(chances: Floats, figures: Floats) -> Floats:
    """(sizes,) the chance, and 1 for sizes that would have been too small in the very window that
    the figures are of, for a quiet fortnight does not take a busy one back; or in its last three
    days, for a step up or a ramp is the newest of all that is known. (Of those fewer than ten
    samples prove nothing, and their rate comes out above it as well.)

    Args:
        figures: (sizes, k) of that window.
    """
    too_small = (figures[:, _LOG_RATES] > np.log(UNDERSIZED_SHARE)).any(axis=-1)
    return np.where(too_small, 1.0, chances)


def written(model: Risk) -> str:
    """The model as JSON that a person can read."""
    named = zip(("intercept", *NAMES), model.coefficients, strict=True)
    document = {
        "summary": model.summary,
        "rows": model.rows,
        "coefficients": {name: round(float(value), 6) for name, value in named},
        "mean": {n: round(float(v), 6) for n, v in zip(NAMES, model.mean, strict=True)},
        "spread": {n: round(float(v), 6) for n, v in zip(NAMES, model.spread, strict=True)},
        "information": [[round(float(v), 4) for v in row] for row in model.information],
    }
    return json.dumps(document, indent=1) + "\n"


def read(text: str) -> Risk:
    """The model of that JSON.

    Raises:
        ValueError: its figures are not those of optimize/features.py.
    """
    document = json.loads(text)
    if tuple(document["coefficients"]) != ("intercept", *NAMES):
        raise ValueError("the prior was fitted on other figures: run scripts/fit_prior.py")
    return Risk(
        mean=np.array([document["mean"][name] for name in NAMES]),
        spread=np.array([document["spread"][name] for name in NAMES]),
        coefficients=np.array(list(document["coefficients"].values())),
        information=np.array(document["information"]),
        rows=document["rows"],
        summary=document["summary"],
    )


@cache
def prior() -> Risk:
    """The shipped prior."""
    return read(files("costopt.optimize").joinpath("prior.json").read_text(encoding="utf-8"))
