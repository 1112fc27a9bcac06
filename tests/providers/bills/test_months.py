"""Months out of files: whichever way a bill is cut, collected once or in steps, it is the same."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.frame import bill as frame
from costopt.model import Window
from costopt.providers.base import Problem
from costopt.providers.bills import calendar
from costopt.providers.bills.counts import Manner
from costopt.providers.bills.months import Bill
from costopt.providers.bills.part import Batch, Part
from costopt.providers.bills.places import Folder
from costopt.providers.bills.reading import Columns
from costopt.schema import TIMESTAMP

MONTHS = ("2026-08", "2026-09", "2026-10")
Rows = list[tuple[str, int]]  # month, cents


class _Layout:
    kind = ""

    def chosen(self, names: Sequence[str]) -> Sequence[str]:
        return names

    def batch(self, columns: Columns) -> Batch:
        rows = len(columns["month"])
        starts = [calendar.starts(month) for month in columns["month"].to_pylist()]
        made = {
            "EffectiveCost": columns["cost"],
            "BillingCurrency": pa.repeat("EUR", rows),
            "BillingPeriodStart": pa.array(starts, TIMESTAMP),
            "ChargePeriodStart": pa.array(starts, TIMESTAMP),
            "ChargePeriodEnd": pa.array(starts, TIMESTAMP),
            "ChargeDescription": columns["what"],
        }
        return Batch(frame.normalise(made))


def collected(
    folder: Path, held: dict[str, str], window: Window | None = None
) -> tuple[dict[str, Decimal], dict[str, str]]:
    sums, notes, problems = told(folder, held, window)
    assert problems == []
    return sums, notes


def told(
    folder: Path, held: dict[str, str], window: Window | None = None
) -> tuple[dict[str, Decimal], dict[str, str], list[Problem]]:
    place = Folder(folder)
    parts = [Part(place, one, export="e") for one in place.objects()]
    problems: list[Problem] = []
    notes: dict[str, str] = {}
    made = Bill(lambda part, names: _Layout(), held, window, problems, notes, Manner())
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for table in made.charges(parts):
        for row in table.to_pylist():
            sums[f"{row['BillingPeriodStart']:%Y-%m}"] += row["EffectiveCost"]
    return dict(sums), notes, problems


def write(path: Path, rows: Rows, what: str = "") -> None:
    """A file of lines that no other has."""
    lines = "".join(f"{month},{cents / 100:.2f},{what or path.name}\n" for month, cents in rows)
    path.write_text("month,cost,what\n" + lines)


def wanted(files: Sequence[Rows]) -> dict[str, Decimal]:
    sums: Counter[str] = Counter()
    for rows in files:
        for month, cents in rows:
            sums[month] += cents
    return {month: Decimal(cents) / 100 for month, cents in sums.items()}


some_files = st.lists(
    st.lists(st.tuples(st.sampled_from(MONTHS), st.integers(1, 999)), min_size=1, max_size=5),
    min_size=1,
    max_size=4,
)


@settings(max_examples=15)
@given(files=some_files, later=some_files)
def test_in_steps_as_at_once(files: list[Rows], later: list[Rows]) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        for number, rows in enumerate(files):
            write(folder / f"a{number}.csv", rows)
        lake, notes = collected(folder, {})
        assert lake == wanted(files)
        for number, rows in enumerate(later):
            write(folder / f"b{number}.csv", rows)
        again, more = collected(folder, notes)
        assert set(again) == {month for rows in later for month, _ in rows}  # no other is read
        assert {**lake, **again} == wanted([*files, *later])
        assert collected(folder, {**notes, **more})[0] == {}


def test_a_window_leaves_the_others_for_later(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", [("2026-08", 100), ("2026-09", 200)])
    window = Window(datetime(2026, 9, 3, tzinfo=UTC), datetime(2026, 9, 4, tzinfo=UTC))
    first, notes = collected(tmp_path, {}, window)
    assert first == {"2026-09": Decimal(2)}
    assert collected(tmp_path, notes)[0] == {"2026-08": Decimal(1)}


SEPTEMBER: Rows = [("2026-09", cents) for cents in range(100, 120)]


@pytest.mark.parametrize("lines", [SEPTEMBER, SEPTEMBER[:13]])
def test_a_file_all_of_whose_lines_another_has_counts_once(tmp_path: Path, lines: Rows) -> None:
    write(tmp_path / "a.csv", SEPTEMBER, "same")
    write(tmp_path / "b.csv", [*reversed(lines)], "same")
    sums, notes, problems = told(tmp_path, {})
    assert sums == wanted([SEPTEMBER])
    (problem,) = problems
    assert problem.where.endswith("b.csv")
    assert "a.csv, too" in problem.what
    assert not problem.fatal
    assert told(tmp_path, notes) == ({}, {}, [])


def test_of_a_line_that_stands_twice_in_one_file_both_count(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", [*SEPTEMBER, SEPTEMBER[0]], "same")
    write(tmp_path / "b.csv", [SEPTEMBER[1], SEPTEMBER[1]], "same")
    assert collected(tmp_path, {})[0] == wanted([SEPTEMBER, [SEPTEMBER[0]], SEPTEMBER[1:2] * 2])


def test_most_lines_in_common_are_told_as_a_bill_counted_twice(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", SEPTEMBER, "same")
    write(tmp_path / "b.csv", [*SEPTEMBER[:15], ("2026-09", 900)], "same")
    _, _, problems = told(tmp_path, {})
    (problem,) = problems
    assert "15 of its 16 lines of 2026-09 are in" in problem.what
    assert problem.fatal


def test_a_file_that_is_gone_is_told_once_when_its_month_is_given_again(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", [("2026-08", 300), ("2026-09", 100)])
    write(tmp_path / "b.csv", [("2026-09", 200)])
    _, notes = collected(tmp_path, {})
    kept = (tmp_path / "a.csv").read_text()
    (tmp_path / "a.csv").unlink()
    sums, more, problems = told(tmp_path, notes)
    assert sums == {"2026-09": Decimal(2)}
    (problem,) = problems
    assert problem.where.endswith("a.csv")
    assert "gone" in problem.what
    assert collected(tmp_path, {**notes, **more}) == ({}, {})
    (tmp_path / "a.csv").write_text(kept)
    assert collected(tmp_path, {**notes, **more})[0] == {
        "2026-08": Decimal(3),
        "2026-09": Decimal(3),
    }


@pytest.mark.parametrize(
    "zone", [UTC, ZoneInfo("America/Los_Angeles"), timezone(timedelta(hours=14))]
)
def test_months_have_their_names_in_every_zone(zone: timezone | ZoneInfo) -> None:
    for month in ("2026-01", "2026-07", "2026-12"):
        starts = pa.chunked_array([[calendar.starts(month, zone)]], TIMESTAMP)
        assert calendar.named(starts).to_pylist() == [month]
    assert calendar.following("2026-12") == "2027-01"
