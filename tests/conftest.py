"""Shared by all tests: the real data folder, real programs, and no network but loopback."""

import gc
import os
import shutil
import signal
import sys
from pathlib import Path

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


def pytest_collection_finish() -> None:
    """The modules and thousands of tests stay: the garbage collector need not look at them."""
    gc.collect()
    gc.freeze()


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
