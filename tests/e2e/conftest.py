"""Shared by the tests of the whole way."""

from pathlib import Path

import pytest

from tests.e2e.command import run


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which `costopt demo` has run."""
    folder = tmp_path_factory.mktemp("demo")
    done = run("demo", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder
