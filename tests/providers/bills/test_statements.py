"""Exports restated in any order, in one lake: it holds what a collect of their last state would."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.providers.bills.counts import Manner
from costopt.providers.bills.spool import Scope
from tests.providers.bills.stated import MONTHS, Collects, Costs, Of

OCTOBER = "2026-10"
ACCOUNT = st.sampled_from(("111", "222", "333", None))
TOLD = st.dictionaries(ACCOUNT, st.integers(1, 4))
MONTH = st.sampled_from(sorted(MONTHS))


@pytest.fixture
def collects(tmp_path: Path) -> Collects:
    return Collects(tmp_path)


def _again_nothing_is_read(collects: Collects) -> None:
    """Asked once for each example: after fewer steps it is another example."""
    reads = collects.reads
    assert collects.collect() == []
    assert collects.reads == reads


@settings(max_examples=12)
@given(st.lists(st.dictionaries(MONTH, TOLD, min_size=1), min_size=1, max_size=4))
def test_of_one_export_the_last_statement_is_the_bill(steps: list[dict[str, Costs]]) -> None:
    with TemporaryDirectory() as folder:
        collects = Collects(Path(folder))
        for step in steps:
            collects.states |= {("e", month): told for month, told in step.items()}
            collects.collect()
            for (_, month), told in collects.states.items():
                assert collects.held(month) == told
        _again_nothing_is_read(collects)


def expected(states: dict[Of, Costs], month: str) -> Costs:
    """The widest export counts for what it tells, then the first by name."""
    told = {export: one for (export, at), one in states.items() if at == month}
    found: dict[str | None, int] = {}
    for export in sorted(told, key=lambda export: (-len(told[export]), export)):
        found = {**told[export], **found}
    return found


@settings(max_examples=20)
@given(
    st.lists(
        st.dictionaries(st.tuples(st.sampled_from("abc"), MONTH), TOLD, min_size=1),
        min_size=1,
        max_size=4,
    )
)
def test_of_several_exports_each_account_counts_once_whatever_came_before(
    steps: list[dict[Of, Costs]],
) -> None:
    with TemporaryDirectory() as folder:
        collects = Collects(Path(folder))
        for step in steps:
            collects.states = {**step, **collects.states, **step}  # in whichever order
            collects.collect()
            for month in MONTHS:
                assert collects.held(month) == expected(collects.states, month)
        _again_nothing_is_read(collects)


def test_charges_of_no_account_do_not_sweep_away_what_another_export_tells(
    collects: Collects,
) -> None:
    collects.states = {("a", OCTOBER): {"111": 1}, ("z", OCTOBER): {"222": 2, None: 3}}
    assert collects.collect() == []
    assert collects.held() == {"111": 1, "222": 2, None: 3}
    collects.states["z", OCTOBER] = {"222": 2, None: 4}
    assert collects.collect() == []
    assert collects.held() == {"111": 1, "222": 2, None: 4}
    collects.states["a", OCTOBER] = {"111": 5}
    assert collects.collect() == []
    assert collects.held() == {"111": 5, "222": 2, None: 4}


def test_what_is_swept_away_of_an_export_that_is_not_looked_at_is_told_and_comes_back(
    collects: Collects,
) -> None:
    collects.states = {("a", OCTOBER): {"111": 1}, ("z", OCTOBER): {"222": 2, None: 3}}
    assert collects.collect("a") == []
    (problem,) = collects.collect("z")
    assert problem.fatal
    assert problem.where == "a 2026-10"
    assert "of 111 is replaced" in problem.what
    assert collects.held() == {"222": 2, None: 3}
    assert collects.collect() == []
    assert collects.held() == {"111": 1, "222": 2, None: 3}


def test_what_belongs_together_and_cannot_be_read_stays_as_it_was(collects: Collects) -> None:
    collects.states = {("a", OCTOBER): {"111": 1}, ("z", OCTOBER): {"222": 2, None: 3}}
    collects.collect()
    collects.states = {("a", OCTOBER): {"111": 9}, ("z", OCTOBER): {"222": 2, None: 4}}
    collects.unreadable = {"z"}
    collects.collect()
    assert collects.held() == {"111": 1, "222": 2, None: 3}
    collects.unreadable = set()
    collects.collect()
    assert collects.held() == {"111": 9, "222": 2, None: 4}


def _by_account(scope: Scope) -> tuple[str | None, ...]:
    return (scope.account,)


def test_an_account_that_exports_bill_to_different_payers_counts_once(tmp_path: Path) -> None:
    collects = Collects(tmp_path, manner=Manner(whose=_by_account))
    collects.payers = {"narrow": None}
    collects.states = {("narrow", OCTOBER): {"111": 1}}
    collects.collect()
    collects.states["wide", OCTOBER] = {"111": 1, "222": 2}
    (problem,) = collects.collect()
    assert "counts from now on" in problem.what
    assert collects.held() == {"111": 1, "222": 2}
    del collects.states["wide", OCTOBER]
    collects.states["narrow", OCTOBER] = {"111": 7}
    collects.collect()
    assert collects.held() == {"111": 7, "222": 2}
