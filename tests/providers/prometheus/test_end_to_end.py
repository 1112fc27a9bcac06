"""The whole way by the command line: a real Prometheus is collected, looked through, advised on."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.e2e.command import run
from tests.providers.prometheus.conftest import DAYS, END

HOSTS = """\
defaults: {currency: EUR, years: 4, discount_rate: 8, pue: 1.4, power_price_kwh: 0.2, site: ams}
hosts:
  - {match: "*-1.example", type: large, cores: 1, threads: 2, memory_gib: 64,
     purchase_price: 9000, kw: 0.3}
  - {match: spare, type: small, cores: 1, threads: 2, memory_gib: 32,
     purchase_price: 4000, kw: 0.2}
"""


@pytest.fixture(scope="module")
def home(backfilled: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    (folder / "hosts.yml").write_text(HOSTS)
    until = datetime.fromtimestamp(END, UTC).isoformat()
    done = run(
        "collect", "prometheus", "--url", backfilled, "--until", until, "--days", str(DAYS),
        "--hosts", "hosts.yml", cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "resources               3 new rows" in done.stderr
    return folder


def test_the_data_pass_the_gate(home: Path) -> None:
    done = run("doctor", "--format", "json", cwd=home)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)


def test_doctor_tries_it_out(home: Path, backfilled: str) -> None:
    until = datetime.fromtimestamp(END, UTC).isoformat()
    done = run("doctor", "prometheus", "--url", backfilled, "--until", until, cwd=home)
    assert done.returncode == 0, done.stderr + done.stdout
    assert "retention" in done.stdout
    refused = run("doctor", "prometheus", "--url", backfilled + "/nowhere", cwd=home)
    assert refused.returncode == 4


def test_own_machines_are_advised_on_at_their_own_prices(home: Path) -> None:
    done = run("recommend", "--format", "json", cwd=home)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["currency"] == "EUR"
    found = {r["resource_id"]: r for r in report["recommendations"]}
    assert found["web-1"]["recommended"]["instance_type"] == "small"
    # 9000 x 0.3019208 (4 years at 8 %) / 8760 h = 0.310193, and 0.3 kW x 1.4 x 0.2 = 0.084
    assert float(found["web-1"]["current"]["hourly_price"]) == pytest.approx(0.394193, abs=1e-6)
    skipped = {s["resource_id"]: s["reason"] for s in report["skips"]}
    assert skipped["gpu-1"] == "gpu-machine"


def test_collecting_again_asks_for_nothing_old(home: Path, backfilled: str) -> None:
    until = datetime.fromtimestamp(END, UTC).isoformat()
    done = run(
        "collect", "prometheus", "--url", backfilled, "--until", until, "--days", str(DAYS),
        "--hosts", "hosts.yml", cwd=home,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "nothing new" in done.stderr


def test_no_secret_is_left_behind(backfilled: str, tmp_path: Path) -> None:
    """A token in the environment reaches no file of the lake and no line of the terminal."""
    token = "planted-t0ken-of-the-lake"
    until = datetime.fromtimestamp(END, UTC).isoformat()
    command = [sys.executable, "-m", "costopt", "collect", "prometheus", "--url", backfilled,
               "--until", until, "--days", "1", "--token-env", "PROM_TOKEN"]  # fmt: skip
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300,
        env={**os.environ, "PROM_TOKEN": token},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert token not in done.stdout + done.stderr
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    assert all(token.encode() not in path.read_bytes() for path in files)


def test_what_is_paid_already_is_told_apart(home: Path) -> None:
    """No bill falls by the purchase price of a machine that stands there."""
    done = run("recommend", "--format", "json", cwd=home)
    (web,) = [r for r in json.loads(done.stdout)["recommendations"] if r["resource_id"] == "web-1"]
    saving = web["estimated_monthly_savings"]["target"]
    # all of it may be capital: 0.310193 x 730 h = 226.44 a month would be more than is saved
    assert float(saving) < 226.44
    assert f"up to {saving} EUR a month of it is capital that is paid already" in web["reason"]
    told = run("recommend", "--explain", "web-1", cwd=home).stdout
    words = " ".join(told.split())
    assert re.search(r"capital 0\.310\d* \+ .*power 0\.084\d* an hour", words)
    assert "capital is paid already" in words
    assert "off the bill" not in words


def test_doctor_compares_the_hosts_file_with_the_machines(home: Path, backfilled: str) -> None:
    until = datetime.fromtimestamp(END, UTC).isoformat()
    wrong = "hosts:\n- {match: web-1, threads: 2, memory_gib: 6}\n"
    (home / "wrong.yml").write_text(wrong)
    asked = ("doctor", "prometheus", "--url", backfilled, "--until", until, "--hosts")
    done = run(*asked, "wrong.yml", cwd=home)
    assert "web-1: 6 GiB of memory, the machine shows 63.2" in " ".join(done.stdout.split())
    assert "no doubt about 3 machines" in " ".join(
        run(*asked, "hosts.yml", cwd=home).stdout.split()
    )
