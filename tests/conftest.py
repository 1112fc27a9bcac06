"""Shared by all tests: the real data folder, real programs, and no network but loopback."""

import gc
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import numpy as np
import pytest
from pytest_socket import socket_allow_hosts

ROOT = Path(__file__).parents[1]
REAL_DATA = ROOT.parent / "shared" / "data"

# Where the environment forbids it, each worker and each `costopt` that a test starts would compile
# all modules anew: half a minute. It lies in __pycache__, as numba's code does.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


# A shell that starts the tests in the background has them ignore Ctrl-C, and all that they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


# How long an example takes is the machine's business: performance is measured in benchmarks/.
hypothesis.settings.register_profile(
    "costopt", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("costopt")


def pytest_collection_finish() -> None:
    """The modules and thousands of tests stay: the garbage collector need not look at them."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _power_stays_on() -> Iterator[None]:
    """What the disk has got by when is seen by no test, and waiting for it takes a tenth of all
    their time. A bad descriptor fails as ever; commands in processes of their own do wait."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", os.fstat)
        yield


def pytest_runtest_setup() -> None:
    socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real traces, bills and prices; the test skips where it is absent."""
    if not REAL_DATA.is_dir():
        pytest.skip("../shared/data (real traces, bills, prices) is not here")
    return REAL_DATA


@pytest.fixture(scope="session")
def chromium() -> str:
    """A real Chromium; absent, the test skips, or fails under COSTOPT_REQUIRE_SYSTEM=1."""
    return _program("chromium", "chromium-browser")


@pytest.fixture
def opened(chromium: str, tmp_path: Path) -> Callable[[Path], np.ndarray]:
    """A page or picture as a real browser draws it: floats (height, width, 4), 1600 x 900."""

    def open_(file: Path) -> np.ndarray:
        shot = tmp_path / "shot.png"
        command = [
            chromium,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--no-first-run",
            f"--user-data-dir={tmp_path / 'profile'}",
            "--window-size=1600,900",
            f"--screenshot={shot}",
            file.as_uri(),
        ]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        from matplotlib.image import imread

        return np.asarray(imread(shot))

    return open_


@pytest.fixture(scope="session")
def promtool() -> str:
    """Prometheus's own checker of rules; absent as `chromium`."""
    return _program("promtool")


@pytest.fixture(scope="session")
def prometheus() -> str:
    """A real Prometheus, to be started by tests.fakes.prometheus.real; absent as `chromium`."""
    return _program("prometheus")


@pytest.fixture(scope="session")
def terraform() -> str:
    """A real Terraform, without providers. Debian has none: where it is absent, the test skips."""
    found = shutil.which("terraform")
    return found or pytest.skip("terraform is not installed")


def _program(*names: str) -> str:
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        message = f"{names[0]} is not installed"
        if os.environ.get("COSTOPT_REQUIRE_SYSTEM") == "1":
            pytest.fail(message)
        pytest.skip(message)
    return found
