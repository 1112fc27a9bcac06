"""One group's story: why it goes, why it stays, and what bars other places; amounts by moved.py."""

from __future__ import annotations

import pytest

from costopt.report import move
from tests.report.move.moved import COSTS, PRICES, moved, report
from tests.rules.move.world import machine, placed, tagged, world


def told(wanted: str, **how: object) -> str:
    found = moved(**how)  # type: ignore[arg-type]
    page = move.story(wanted, found, report(found), names=str.upper, width=100)
    assert page is not None
    return page


def line(page: str, start: str) -> list[str]:
    """The words of the line that starts so."""
    return next(one for one in page.splitlines() if one.strip().startswith(start)).split()


@pytest.mark.parametrize("wanted", ["search", "app=search, acme/alba", "s1", "s2"])
def test_of_a_group_by_any_of_its_names(wanted: str) -> None:
    page = told(wanted)
    assert "app=search, acme/alba" in page
    assert line(page, "Computing") == ["Computing", "1,168.00", "934.40", "233.60"]
    assert line(page, "Together") == ["Together", "1,168.00", "934.40", "233.60"]
    assert line(page, "People's") == ["People's", "time", "320", "32", "hours"]
    assert "2026-11-16, after 1.4 months" in page
    assert "s1.4xlarge (16 vCPUs, 64 GiB), 0.64 USD an hour, price of 2026-10-05" in page
    assert "prices: a list" in page
    assert "a benchmark" in page


def test_what_bars_a_cheaper_place() -> None:
    page = told("search")
    assert line(page, "Bolt alba-1")[:5] == ["Bolt", "alba-1", "233.60", "21,706", "21,706"]
    assert "provider not asked for (--to)" in page
    assert line(page, "Acme brno")[-3:] == ["it", "goes", "there"]


def test_storage_and_traffic_stand_beside_one_another() -> None:
    """100 GiB at 0.10 each: 20 a month here and there; 200 GiB leave at 0.02."""
    page = told("search", stored={"s1": 100, "s2": 100})
    assert line(page, "Storage") == ["Storage", "20.00", "20.00", "0.00"]
    assert line(page, "Data") == ["Data", "4", "200", "GiB", "leave"]


def test_of_a_group_that_stays_for_its_data() -> None:
    page = told("papers-1")
    assert "It stays  residency" in page
    assert "must stay within IT" in page
    assert "another residency" in page
    assert "Beside today: what it is kept from." in page
    assert line(page, "Computing") == ["Computing", "584.00", "467.20", "116.80"]


def test_of_a_group_on_spot() -> None:
    page = told("batch")
    assert "It stays, and goes on spot" in page
    assert "350.38 USD a month less for 1 machine, 88.71 at worst" in page


def test_spot_that_is_not_advised_is_told_with_its_reason() -> None:
    here = world(PRICES, spot="0.02", band=(0.20, 1.0))
    batch = tagged(machine("batch-1", here), app="batch", interruptible="yes", residency="IT")
    found = placed(here, batch, settings=COSTS)
    page = move.story("batch", found, report(found), names=str.upper, width=100)
    assert page is not None
    why = " ".join(page.partition("On spot, where it is")[2].split())
    assert "Not advised for 1 machine: its tags say that it may be interrupted" in why
    assert "over 20 % of machines interrupted in a month" in why
    assert "not surely (spot-unsure)." in why
    assert "Not advised for 1 machine: what it sends is not measured" in told("papers")
    off = COSTS.model_copy(update={"spot": False, "labour_rate": 1000.0})
    assert "Not advised for 1 machine: rules.move spot is off" in told("batch", settings=off)


def test_of_a_machine_that_is_in_no_group() -> None:
    kept = COSTS.model_copy(update={"stay": ("batch",)})
    page = told("BATCH-1", settings=kept)
    assert "stays: excluded" in page
    assert "it is to stay: 'batch'" in page


def test_of_nothing() -> None:
    found = moved()
    assert move.story("nobody", found, report(found), names=str, width=100) is None


@pytest.mark.parametrize("width", [60, 100])
def test_no_line_runs_over(width: int) -> None:
    found = moved()
    page = move.story("search", found, report(found), names=str, width=width)
    assert page is not None
    assert all(len(one) <= width for one in page.splitlines())
