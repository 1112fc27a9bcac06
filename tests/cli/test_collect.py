"""`costopt collect`, as processes that meet in one lake."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from costopt.cli import collect
from costopt.lake.store import Lake
from costopt.lake.turns import turn


def started(folder: Path) -> subprocess.Popen[str]:
    """A collect of one machine, into .costopt below the folder."""
    (folder / "machines.csv").write_text("ProviderName,ResourceId,x_vCPUs\nmine,a,4\n")
    command = [sys.executable, "-m", "costopt", "collect", "files", "--resources", "machines.csv"]
    return subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True)


def not_waiting(since: datetime | None) -> None:
    raise AssertionError


def test_a_second_collect_says_for_whom_it_waits_and_then_goes_on(tmp_path: Path) -> None:
    lake = Lake(tmp_path / ".costopt" / "lake")
    with turn(lake.root, "files", not_waiting):
        running = started(tmp_path)
        assert running.stderr is not None
        line = running.stderr.readline()
        assert line.startswith("another collect of files is writing to this lake (since ")
        assert line.endswith(" UTC): waiting\n")
        assert lake.read("resources").num_rows == 0
    rest = running.stderr.read()
    assert running.wait(60) == 0
    running.stderr.close()
    assert "waiting" not in rest
    assert lake.read("resources").num_rows == 1


def test_ctrl_c_while_waiting_ends_it_cleanly(tmp_path: Path) -> None:
    lake = Lake(tmp_path / ".costopt" / "lake")
    with turn(lake.root, "files", not_waiting):
        running = started(tmp_path)
        assert running.stderr is not None
        assert "waiting" in running.stderr.readline()
        running.send_signal(signal.SIGINT)
        rest = running.stderr.read()
        assert running.wait(60) == 130
        running.stderr.close()
    assert "Traceback" not in rest
    assert "interrupted" in rest
    assert lake.read("resources").num_rows == 0


def test_since_when_is_told_as_far_as_it_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    collect._wait("aws", datetime(2026, 3, 1, 12, 3, tzinfo=UTC))
    collect._wait("aws", None)
    dated, bare = capsys.readouterr().err.splitlines()
    assert "(since 2026-03-01 12:03 UTC)" in dated
    assert bare == "another collect of aws is writing to this lake: waiting"
