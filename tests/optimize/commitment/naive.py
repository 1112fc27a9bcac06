"""A portfolio as one linear or integer programme of all hours, solved by HiGHS: another way."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

import highspy
import numpy as np

from costopt.optimize.commitment import Offer, Usage


class Answer(NamedTuple):
    """The optimum, free to apply offers in any order."""

    saving: float  # per hour
    seconds: float  # to read and solve


def best(usage: Usage, offers: Sequence[Offer], *, whole: bool = False) -> Answer:
    """Columns: steps of each offer, then how much of each class it covers in each hour."""
    model = highspy.Highs()
    model.setOptionValue("output_flag", False)
    model.setOptionValue("mip_rel_gap", 0.0)
    programme = _programme(usage, offers)
    started = time.perf_counter()
    model.passModel(programme)
    if whole:
        for place, offer in enumerate(offers):
            if offer.step:
                model.changeColIntegrality(place, highspy.HighsVarType.kInteger)
    model.run()
    assert model.getModelStatus() == highspy.HighsModelStatus.kOptimal
    saving = -model.getInfo().objective_function_value
    return Answer(saving, time.perf_counter() - started)


def read(usage: Usage, offers: Sequence[Offer]) -> float:
    """Seconds that HiGHS takes to read the programme alone."""
    model = highspy.Highs()
    model.setOptionValue("output_flag", False)
    programme = _programme(usage, offers)
    started = time.perf_counter()
    model.passModel(programme)
    return time.perf_counter() - started


def _programme(usage: Usage, offers: Sequence[Offer]) -> highspy.HighsLp:
    amounts, prices = usage.amounts, usage.prices
    (hours, classes), count = amounts.shape, len(offers)
    step = np.array([offer.step or 1.0 for offer in offers])
    held = np.array([offer.held for offer in offers])
    most = np.array([offer.most for offer in offers])
    of = np.repeat(np.arange(count), [len(offer.classes) for offer in offers])
    covered = np.array([u for offer in offers for u in offer.classes])
    units = np.array([w for offer in offers for w in offer.units])
    every, capacity = np.arange(hours), hours * classes
    buys = (capacity + every[None] * count + np.arange(count)[:, None]).ravel()
    rows = [every[:, None] * classes + covered, capacity + every[:, None] * count + of]
    covers = np.stack(rows, axis=2).ravel()
    values = np.stack([np.ones((hours, len(of))), np.tile(units, (hours, 1))], axis=2).ravel()
    columns = count + hours * len(of)
    programme = highspy.HighsLp()
    programme.num_col_, programme.num_row_ = columns, hours * (classes + count)
    rates = np.array([offer.rate for offer in offers])
    programme.col_cost_ = np.append(rates * step, np.tile(-prices[covered] / hours, hours))
    programme.col_lower_ = np.zeros(columns)
    infinite = np.full(hours * len(of), highspy.kHighsInf)
    stepped = np.array([offer.step > 0 for offer in offers])
    limit = np.where(stepped, np.floor(most / step), most)
    programme.col_upper_ = np.append(limit, infinite)
    programme.row_lower_ = np.full(programme.num_row_, -highspy.kHighsInf)
    programme.row_upper_ = np.append(amounts.ravel(), np.tile(held, hours))
    matrix = programme.a_matrix_
    matrix.format_ = highspy.MatrixFormat.kColwise
    starts = np.append(np.arange(count) * hours, count * hours + 2 * np.arange(hours * len(of) + 1))
    matrix.start_ = starts
    matrix.index_ = np.append(buys, covers)
    matrix.value_ = np.append(np.repeat(-step, hours), values)
    return programme
