"""Collects that take up where the lake ends: what is asked for, what a failure keeps."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from costopt import pipeline
from costopt.errors import ProviderError
from costopt.lake.held import held
from costopt.lake.store import Lake
from costopt.model import Series, Window
from costopt.pipeline import collecting
from costopt.providers.base import Estimate, Known, Paid, Resuming
from tests.fakes.fleet import END, FakeFleet, Machine, steady

MACHINES = [Machine(f"m{n}", 4, steady(8, 20, seed=n)) for n in range(6)]


class Service(FakeFleet):
    """The fake fleet behind an API: from where the lake ends on, in tables of a machine a day."""

    def __init__(self, fails_after: int | None = None, billed: bool = True) -> None:
        super().__init__(MACHINES, billed=billed)
        self.known = Known()
        self.notes: dict[str, str] = {}
        self.given = 0
        self.fails_after = fails_after

    def resume(self, known: Known) -> None:
        self.known = known

    def charges(self, window: Window | None) -> Iterator[pa.Table]:
        yield from super().charges(window)
        self.notes["bill"] = f"read {1 + int(self.known.notes.get('bill', 'read 0').split()[1])}"

    def metrics(self, window: Window | None) -> Iterator[pa.Table]:
        whole = pa.concat_tables(super().metrics(window))
        for day in range(8, 0, -1):
            for machine in self.machines:
                key = Series(machine.resource_id, "cpu_utilization", "mean", "")
                start = max(
                    END - timedelta(days=day), self.known.held.get(key, END - timedelta(99))
                )
                rows = whole.filter(
                    (pc.field("ResourceId") == machine.resource_id)
                    & (pc.field("Timestamp") >= start)
                    & (pc.field("Timestamp") < END - timedelta(days=day - 1))
                )
                if self.fails_after is not None and self.given >= self.fails_after:
                    raise ProviderError("the service went away")
                self.given += rows.num_rows
                yield rows

    def estimate(self) -> Estimate:
        return Estimate(Decimal("0.06"), ("6 metrics: $0.06",))


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def samples_of(lake: Lake) -> list[pa.Table]:
    from costopt.lake import packed

    columns = ["ResourceId", "Day", "Samples"]
    return [table.select(columns).sort_by([("ResourceId", "ascending"), ("Day", "ascending")])
            for table in packed.scan(lake)]  # fmt: skip


def test_the_fake_is_what_it_claims() -> None:
    assert isinstance(Service(), Resuming)
    assert isinstance(Service(), Paid)
    assert not isinstance(FakeFleet(MACHINES), Resuming)


def test_a_second_collect_asks_for_nothing_held(lake: Lake) -> None:
    first, second = Service(), Service()
    told: list[Estimate] = []
    pipeline.collect(first, lake, announce=told.append)
    assert [one.lines for one in told] == [("6 metrics: $0.06",)]
    assert first.known == Known()
    assert first.given == 6 * 8 * 288
    pipeline.collect(second, lake)
    assert second.given == 0
    assert second.known.notes == {"bill": "read 1"}
    assert lake.notes("fake") == {"bill": "read 2"}


def test_what_came_before_a_failure_is_kept_and_the_next_collect_completes_it(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collecting, "_PORTION_ROWS", 1000)
    whole = Lake(tmp_path / "whole")
    pipeline.collect(Service(), whole)

    collected = pipeline.collect(Service(fails_after=5000), lake)
    assert [p.what for p in collected.problems if p.fatal] == ["the service went away"]
    kept = held(lake)
    assert set(kept.values()) <= {END - timedelta(days=d) for d in range(3, 8)}
    again = Service()
    pipeline.collect(again, lake)
    assert again.known.held == kept
    assert again.given == 6 * 8 * 288 - 18 * 288
    assert samples_of(lake) == samples_of(whole)
    assert held(lake) == held(whole)


def test_notes_of_a_bill_that_failed_are_not_kept(lake: Lake) -> None:
    class Broken(Service):
        def charges(self, window: Window | None) -> Iterator[pa.Table]:
            yield from super().charges(window)
            raise ProviderError("the export is being rewritten")

    pipeline.collect(Broken(), lake)
    assert lake.notes("fake") == {}
    assert lake.read_charges().num_rows == 0


def test_notes_of_samples_are_kept_when_these_are(lake: Lake) -> None:
    class Noting(Service):
        def charges(self, window: Window | None) -> Iterator[pa.Table]:
            yield from super().charges(window)
            raise ProviderError("the export is being rewritten")

        def metrics(self, window: Window | None) -> Iterator[pa.Table]:
            yield from super().metrics(window)
            self.notes["samples"] = "all asked for"

    pipeline.collect(Noting(fails_after=5000), lake)
    assert lake.notes("fake") == {}
    pipeline.collect(Noting(), lake)
    assert lake.notes("fake") == {"samples": "all asked for"}


def test_two_collects_at_once_ask_for_each_sample_once(lake: Lake) -> None:
    waiting, told = threading.Event(), []

    class Slow(Service):
        def metrics(self, window: Window | None) -> Iterator[pa.Table]:
            assert waiting.wait(20)
            yield from super().metrics(window)

    def waits(since: datetime | None) -> None:
        told.append(since)
        waiting.set()

    services = [Slow(), Slow()]
    threads = [
        threading.Thread(target=pipeline.collect, args=(one, lake), kwargs={"waits": waits})
        for one in services
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(one.given for one in services) == [0, 6 * 8 * 288]
    assert len(told) == 1
    assert sum(table.num_rows for table in samples_of(lake)) == 6 * 8
