"""Months out of files: whichever way a bill is cut, collected once or in steps, it is the same."""

from __future__ import annotations

from collections import Counter
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
from costopt.providers.bills.months import Batch, Bill, Part
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
        }
        return Batch(frame.normalise(made))


def collected(
    folder: Path, held: dict[str, str], window: Window | None = None
) -> tuple[dict[str, Decimal], dict[str, str]]:
    place = Folder(folder)
    parts = [Part(place, one, export="e") for one in place.objects()]
    problems: list[Problem] = []
    notes: dict[str, str] = {}
    made = Bill(lambda part, names: _Layout(), held, window, problems, notes, Manner())
    sums: Counter[str] = Counter()
    for table in made.charges(parts):
        for row in table.to_pylist():
            sums[f"{row['BillingPeriodStart']:%Y-%m}"] += row["EffectiveCost"]
    assert problems == []
    return dict(sums), notes


def write(path: Path, rows: Rows) -> None:
    lines = "".join(f"{month},{cents / 100:.2f}\n" for month, cents in rows)
    path.write_text("month,cost\n" + lines)


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


@settings(max_examples=40, deadline=None)
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


@pytest.mark.parametrize(
    "zone", [UTC, ZoneInfo("America/Los_Angeles"), timezone(timedelta(hours=14))]
)
def test_months_have_their_names_in_every_zone(zone: timezone | ZoneInfo) -> None:
    for month in ("2026-01", "2026-07", "2026-12"):
        starts = pa.chunked_array([[calendar.starts(month, zone)]], TIMESTAMP)
        assert calendar.named(starts).to_pylist() == [month]
    assert calendar.following("2026-12") == "2027-01"
