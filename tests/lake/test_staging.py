"""Writers at work: who waits for whom, what a failure keeps, what a kill leaves."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from costopt.lake.staging import FOLDER
from costopt.lake.store import Lake
from tests.lake.test_store import charge, charges, resource, resources, samples


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def pending_rows(lake: Lake) -> int:
    return sum(pq.read_metadata(path).num_rows for _, path in lake.pending())


def test_a_slow_stream_blocks_nobody(lake: Lake) -> None:
    begun, done = threading.Event(), threading.Event()

    def slow() -> Iterator[pa.Table]:
        yield samples(10)
        begun.set()
        assert done.wait(20), "the other writers were blocked"
        yield samples(20, minutes=60)

    writer = threading.Thread(target=lake.append_metrics, args=("slow", slow()))
    writer.start()
    assert begun.wait(20)
    lake.append("resources", resources(resource("i-1")))
    lake.append_metrics("quick", [samples(30)])
    lake.append_charges([charges(charge(0, "1"))])
    done.set()
    writer.join()
    assert {provider for provider, _ in lake.pending()} == {"slow", "quick"}
    assert pending_rows(lake) == 3 * samples(10).num_rows
    assert not list((lake.root / FOLDER).glob("*"))


def test_of_a_stream_in_portions_all_before_the_failure_is_kept(lake: Lake) -> None:
    def broken() -> Iterator[pa.Table]:
        for hour in range(5):
            yield samples(10, minutes=60 * hour)
        raise RuntimeError("the API went away")

    rows = samples(10).num_rows
    with pytest.raises(RuntimeError, match="went away"):
        lake.append_metrics("aws", broken(), portion_rows=2 * rows)
    assert pending_rows(lake) == 5 * rows
    assert len(lake.pending()) == 3
    assert lake.watermarks() == {}  # what is not whole is not final


def test_portions_are_one_commit_to_whoever_counts(lake: Lake) -> None:
    tables = [samples(10, minutes=60 * hour) for hour in range(5)]
    committed = lake.append_metrics("aws", tables, portion_rows=1)
    assert committed.rows == sum(table.num_rows for table in tables)
    assert len(lake.pending()) == 5
    assert lake.watermarks()["aws"]


def test_an_empty_stream_writes_nothing(lake: Lake) -> None:
    assert lake.append_metrics("aws", [], portion_rows=10).path is None
    assert lake.append_metrics("aws", []).path is None
    assert lake.pending() == ()
    assert lake.watermarks() == {}


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {root!r})
from costopt.lake.store import Lake
from tests.lake.test_store import samples
def tables():
    for hour in range(3):
        yield samples(10, minutes=60 * hour)
    os.kill(os.getpid(), signal.SIGKILL)
    yield samples(20)
Lake(Path({lake!r})).append_metrics("aws", tables(), portion_rows=samples(10).num_rows)
"""


def test_kill_9_keeps_whole_portions_and_its_remains_are_swept(lake: Lake) -> None:
    root = str(Path(__file__).parents[2])
    script = KILLED.format(root=root, lake=str(lake.root))
    died = subprocess.run([sys.executable, "-c", script], check=False)
    assert died.returncode == -signal.SIGKILL
    assert len(lake.pending()) == 3
    assert list((lake.root / FOLDER).glob("*")), "the kill came too late to prove anything"
    lake.append("resources", resources(resource("i-1")))
    assert not list((lake.root / FOLDER).glob("*"))
    assert len(lake.pending()) == 3


def test_notes_are_kept_by_provider_and_key(lake: Lake) -> None:
    assert lake.notes("aws") == {}
    lake.note("aws", {"a": "1", "b": "2"})
    lake.note("gcp", {"a": "9"})
    lake.note("aws", {"b": "3"})
    lake.note("aws", {})
    assert lake.notes("aws") == {"a": "1", "b": "3"}
    assert lake.notes("gcp") == {"a": "9"}
