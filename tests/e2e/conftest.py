"""Shared by the tests of the whole way."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from costopt import cli
from tests.e2e.command import run


class Left(NamedTuple):
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


Leave = Callable[..., Left]


@pytest.fixture(scope="session")
def demonstrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which `costopt demo` has run, and what it said in said.txt.

    One for all of pytest-xdist's workers, for whom it is read-only.
    """
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent  # of all workers of this run
    folder = root / "demonstrated"
    with (root / "demonstrated.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "said.txt").exists():
            folder.mkdir(exist_ok=True)
            done = run("demo", cwd=folder)
            assert done.returncode == 0, done.stderr
            (folder / "said.txt").write_text(done.stdout)
    return folder


@pytest.fixture(scope="session")
def home(demonstrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of this worker's own in which `costopt demo` has run."""
    return shutil.copytree(demonstrated, tmp_path_factory.mktemp("demo") / "home")


@pytest.fixture
def leave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> Leave:
    """Runs a command in the test's folder as `costopt` does, without a process of its own."""

    def call(*arguments: str | Path) -> Left:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr("sys.argv", ["costopt", *map(str, arguments)])
        capfdbinary.readouterr()
        with pytest.raises(SystemExit) as left:
            cli.main()
        out, err = capfdbinary.readouterr()
        assert isinstance(left.value.code, int)
        return Left(left.value.code, out.decode(), err.decode())

    return call
