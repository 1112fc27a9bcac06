"""Collects of one provider take turns; nobody else waits, and a dead one holds nothing."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from costopt.lake.store import Lake
from costopt.lake.turns import turn
from tests.lake.test_store import resource, resources

HOLDER = """
import sys, time
from pathlib import Path
from costopt.lake.turns import turn

with turn(Path(sys.argv[1]), "aws", lambda since: None):
    print("held", flush=True)
    time.sleep(60)
"""


def fails(since: datetime | None) -> None:
    raise AssertionError(f"waited, for one since {since}")


def test_the_second_waits_once_and_is_told_for_whom(tmp_path: Path) -> None:
    told: list[datetime | None] = []
    waiting, order = threading.Event(), []

    def waits(since: datetime | None) -> None:
        told.append(since)
        waiting.set()

    def second() -> None:
        with turn(tmp_path, "aws", waits):
            order.append("second")

    with turn(tmp_path, "aws", fails):
        other = threading.Thread(target=second)
        other.start()
        assert waiting.wait(20)
        order.append("first")
    other.join(20)
    assert order == ["first", "second"]
    (since,) = told
    assert since is not None
    assert timedelta(0) <= datetime.now(UTC) - since < timedelta(minutes=5)


def test_others_are_not_hindered(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    odd = "../aws/x"  # any name has a file of its own
    with turn(lake.root, "aws", fails), turn(lake.root, "b", fails), turn(lake.root, odd, fails):
        assert lake.append("resources", resources(resource("i-1"))).rows == 1
    with turn(lake.root, "aws", fails):
        pass
    assert not (tmp_path.parent / "aws").exists()


def test_whoever_has_not_said_since_when_is_waited_for_all_the_same(tmp_path: Path) -> None:
    told: list[datetime | None] = []
    holding = turn(tmp_path, "aws", fails)
    holding.__enter__()
    (tmp_path / "collecting" / "aws").write_text("")

    def waits(since: datetime | None) -> None:
        told.append(since)
        holding.__exit__(None, None, None)

    with turn(tmp_path, "aws", waits):
        assert told == [None]


def test_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    told: list[datetime | None] = []

    def waits(since: datetime | None) -> None:
        told.append(since)
        holder.send_signal(signal.SIGKILL)

    with turn(tmp_path, "aws", waits):
        assert len(told) == 1
    assert holder.wait(20) == -signal.SIGKILL
    holder.stdout.close()


def test_a_turn_ends_with_an_error_too(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), turn(tmp_path, "aws", fails):
        raise RuntimeError
    with turn(tmp_path, "aws", fails):
        pass
