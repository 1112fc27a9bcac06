"""Samples spoiled on their way through a real lake: the advice on the demo fleet hardly moves.

`benchmarks/poisoning.py` does the same on real machines, and says where it moves more.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from benchmarks.answers import (
    STAYS,
    TEST_DAYS,
    Answers,
    Fleet,
    Future,
    answers,
    bad,
    changed,
    filled,
    future,
)
from benchmarks.poisons import POISONS, quiet
from costopt.lake.store import Lake
from costopt.providers.demo import DemoProvider

ABSTAINS = [name for name, poison in POISONS.items() if poison.abstains]


class Clean(NamedTuple):
    """The fleet, what is answered on its true samples, and what came then."""

    fleet: Fleet
    said: Answers
    then: Future


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Clean:
    provider = DemoProvider(instances=40, days=28 + TEST_DAYS)

    def found(lake: Lake) -> None:
        lake.append("resources", provider.resources())
        lake.append("shapes", provider.shapes())
        lake.append("prices", provider.prices())

    as_of = provider.window.end - timedelta(days=TEST_DAYS)
    fleet = Fleet("demo", as_of, list(provider.metrics(None)), found)
    place = tmp_path_factory.mktemp("clean") / "lake"
    then = future(filled(place, fleet, fleet.samples), as_of)
    said = answers(filled(place, fleet, fleet.past()), as_of)
    assert sum(answer.capacity < 1 for answer in said.sizes.values()) >= 10
    assert len(said.sizes.keys() & then.keys()) >= 20
    return Clean(fleet, said, then)


def spoiled(clean: Clean, name: str, place: Path) -> Answers:
    poison, rng = POISONS[name], np.random.default_rng(0)
    changed_on_their_way = (poison.change(table, rng) for table in clean.fleet.past())
    sent = [clean.fleet.past()] if poison.resent else []
    return answers(filled(place, clean.fleet, *sent, changed_on_their_way), clean.fleet.as_of)


@pytest.mark.parametrize("name", POISONS)
def test_a_poison_spoils_samples(clean: Clean, name: str) -> None:
    """Of ten days, for clocks are wrong on few machines."""
    rng = np.random.default_rng(0)
    true = clean.fleet.samples[:10]
    assert any(not POISONS[name].change(table, rng).equals(table) for table in true)


@pytest.mark.parametrize("name", [name for name in POISONS if name not in ABSTAINS])
def test_at_most_a_tenth_of_the_answers_change_and_no_more_turn_bad(
    clean: Clean, name: str, tmp_path: Path
) -> None:
    said = spoiled(clean, name, tmp_path / "lake")
    judged = clean.said.sizes.keys() | said.sizes.keys()
    assert len(changed(clean.said, said)) <= 0.1 * len(judged)
    machines = judged & clean.then.keys()
    assert bad(said, machines, clean.then) <= bad(clean.said, machines, clean.then) + 0.01


@pytest.mark.parametrize("name", ABSTAINS)
def test_where_the_gate_bars_what_is_spoiled_no_machine_gets_smaller(
    clean: Clean, name: str, tmp_path: Path
) -> None:
    said = spoiled(clean, name, tmp_path / "lake")
    assert said.stops <= clean.said.stops
    for before, now in changed(clean.said, said).values():
        assert now == STAYS or now.capacity > before.capacity


def test_quiet_samples_change_the_answers_where_they_come_first(
    clean: Clean, tmp_path: Path
) -> None:
    """So the tests above can fail: it is the first write that guards."""
    rng = np.random.default_rng(0)
    first = (quiet(table, rng) for table in clean.fleet.past())
    lake = filled(tmp_path / "lake", clean.fleet, first, clean.fleet.past())
    said = answers(lake, clean.fleet.as_of)
    assert len(changed(clean.said, said)) > 0.1 * len(clean.said.sizes)
