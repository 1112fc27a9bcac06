"""`costopt backtest` as a person meets it: on the demo, killed halfway, and on what is broken."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from costopt.backtest.baselines import baselines
from costopt.lake import packed
from costopt.lake.store import Lake
from tests.e2e.command import run
from tests.e2e.conftest import Leave
from tests.fakes.fleet import FakeFleet, Machine, steady
from tests.fakes.lived import DAYS, ORIGINS, machines, on_day

JSON = ("backtest", "--baseline", "vpa", "--format", "json")


# -- on the demo -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def demo(home: Path) -> dict[str, Any]:
    done = run("backtest", "--baseline", "all", "--format", "json", cwd=home)
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_demos_json_keeps_to_the_schema(demo: dict[str, Any], leave: Leave) -> None:
    schema = json.loads(leave("backtest", "--schema").stdout)
    jsonschema.validate(demo, schema, format_checker=jsonschema.FormatChecker())


def test_every_baseline_is_there_and_ours_three_times(demo: dict[str, Any]) -> None:
    names = [score["name"] for score in demo["scores"]]
    assert names[0] == "costopt"
    assert set(names) == {"costopt", "costopt-cautious", "costopt-bold", *baselines()}
    assert len(set(names)) == len(names)
    nets = [score["net"]["value"] for score in demo["scores"][1:]]
    assert nets == sorted(nets, reverse=True)


def test_every_method_is_judged_on_the_same_windows(demo: dict[str, Any]) -> None:
    left_out = demo["skipped"].values()
    assert (demo["windows"] + sum(left_out)) % len(demo["origins"]) == 0
    for score in demo["scores"]:
        assert score["windows"] == demo["windows"]
        assert [guard["lead_minutes"] for guard in score["guarded"]] == [10, 240, 1440]
        assert score["guarded"][0]["net"] == score["net"]
        assert score["net"]["value"] <= score["saved"]["value"] + 1e-9
        for interval in (score["saved"], score["net"], score["rolled_back"]):
            assert interval["low"] <= interval["value"] <= interval["high"]
    end = datetime.fromisoformat(demo["window"]["end"])
    origins = [datetime.fromisoformat(origin) for origin in demo["origins"]]
    assert origins == sorted(origins)
    assert (end - origins[-1]).days == demo["gap_days"] + demo["test_days"]
    start = datetime.fromisoformat(demo["window"]["start"])
    assert (origins[0] - start).days >= demo["train_days"]


# -- a small fleet in the same process ---------------------------------------------------------


def waiting(home: Path, fleet: FakeFleet) -> Lake:
    """A lake whose samples a killed collect left in long files."""
    lake = Lake(home / "lake")
    lake.append("resources", fleet.resources())
    lake.append("shapes", fleet.shapes())
    lake.append("prices", fleet.prices())
    lake.append_metrics(fleet.name, fleet.metrics(None))
    assert lake.pending()
    return lake


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("small") / ".costopt"
    waiting(home, FakeFleet(machines(3)))
    return home


@pytest.fixture(scope="module")
def calm(collected: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What is answered undisturbed, by one thread."""
    folder = tmp_path_factory.mktemp("calm")
    shutil.copytree(collected, folder / ".costopt")
    return answered(folder, threads=1)


def answered(folder: Path, threads: int) -> str:
    """By another process, whose hashes are others."""
    return subprocess.run(
        [sys.executable, "-m", "costopt", *JSON],
        cwd=folder,
        env=os.environ | {"COSTOPT_THREADS": str(threads), "PYTHONHASHSEED": str(threads)},
        capture_output=True,
        check=True,
        text=True,
        timeout=300,
    ).stdout


@pytest.fixture(scope="module")
def compacted(collected: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("compacted") / ".costopt"
    shutil.copytree(collected, place)
    packed.compact(Lake(place / "lake"))
    return place


@pytest.fixture
def small(tmp_path: Path, compacted: Path) -> Path:
    return shutil.copytree(compacted, tmp_path / ".costopt")


def test_other_threads_and_hashes_give_the_same_bytes(calm: str, small: Path) -> None:
    assert answered(small.parent, threads=3) == calm
    assert len(json.loads(calm)["origins"]) == len(ORIGINS)


# -- cut short ---------------------------------------------------------------------------------

SIGNALLED = """
import os, pkgutil, signal, sys

how, (holder, _, name) = getattr(signal, sys.argv[1]), sys.argv[2].rpartition(".")
left, held = int(sys.argv[3]), pkgutil.resolve_name(holder)
step = getattr(held, name)
def dying(*args, **kwargs):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), how)
    return step(*args, **kwargs)
setattr(held, name, dying)
sys.argv = ["costopt", *sys.argv[4:]]
from costopt.cli import main
main()
"""

MOMENTS = [
    ("os.fsync", 1),  # before the first packed day
    ("pathlib.Path.replace", 20),  # amid the packed days
    ("pathlib.Path.unlink", 1),  # all packed, and the long file still there
    ("costopt.backtest.replay.replayed", 2),  # amid the machines
    ("costopt.cli.options.write_atomically", 1),  # all is computed, nothing written
]


def signalled(
    folder: Path, how: str, step: str, nth: int, *more: str
) -> subprocess.CompletedProcess[str]:
    """`costopt backtest` in that folder, which gets a signal when it takes a step the nth time."""
    return subprocess.run(
        [sys.executable, "-c", SIGNALLED, how, step, str(nth), *JSON, *more],
        cwd=folder,
        capture_output=True,
        check=False,
        text=True,
        timeout=300,
    )


@pytest.mark.parametrize(("step", "nth"), MOMENTS, ids=[step for step, _ in MOMENTS])
def test_killed_it_leaves_a_readable_lake_and_the_same_answer(
    collected: Path, calm: str, tmp_path: Path, leave: Leave, step: str, nth: int
) -> None:
    shutil.copytree(collected, tmp_path / ".costopt")
    (tmp_path / "found.json").write_text("of yesterday")
    killed = signalled(tmp_path, "SIGKILL", step, nth, "--output", "found.json")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert (tmp_path / "found.json").read_text() == "of yesterday"
    lake = Lake(tmp_path / ".costopt" / "lake")
    assert lake.read("resources").num_rows == 3
    assert lake.pending() or len(packed.days(lake)) == DAYS
    assert leave(*JSON) == (0, calm, "")
    assert lake.pending() == ()
    assert not list(tmp_path.rglob(".tmp-*"))


def test_ctrl_c_amid_the_machines_says_so_and_leaves_with_130(small: Path) -> None:
    done = signalled(small.parent, "SIGINT", "costopt.backtest.replay.replayed", 2)
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr.strip() == "costopt: interrupted; what was collected before is kept"


# -- broken ------------------------------------------------------------------------------------


def a_day(home: Path) -> Path:
    return home / "lake" / "packed" / f"{on_day(20).date()}.parquet"


def machines_file(home: Path) -> Path:
    (path,) = (home / "lake" / "resources").glob("*.parquet")
    return path


def marks(home: Path) -> Path:
    return home / "lake" / "watermarks.json"


def label(home: Path) -> Path:
    return home / "lake" / "lake.json"


def settings(home: Path) -> Path:
    return home.parent / "costopt.toml"


@pytest.mark.parametrize(
    ("place", "content", "said", "next_step"),
    [
        (a_day, b"PAR1 and no more", "damaged", "move it away"),
        (machines_file, b"", "damaged lake file", "move it away"),
        (marks, b"{", "unreadable watermarks", "remove it"),
        (label, b'{"format": 99, "shards": 16}', "the lake has format 99", "a new --home"),
        (settings, b"lookback_days = ", "not a readable TOML file", ""),
        (settings, b"lookback_days = -1\n", "setting 'lookback_days'", "costopt init"),
        (settings, b"[rules.rightsize]\nkappa = 2\n", "'rules.rightsize.kappa'", "costopt init"),
    ],
)
def test_what_is_broken_is_named_and_leaves_with_2(
    small: Path,
    leave: Leave,
    place: Callable[[Path], Path],
    content: bytes,
    said: str,
    next_step: str,
) -> None:
    path = place(small)
    path.write_bytes(content)
    code, out, err = leave(*JSON)
    assert (code, out) == (2, "")
    told = path.parent.name if place is label else path.name  # of a lake its folder
    assert told in err.splitlines()[0]
    assert said in err
    assert next_step in err
    assert "Traceback" not in err


def test_the_other_days_are_unharmed(small: Path, leave: Leave) -> None:
    """As the message says: with the damaged day moved away, the rest is judged."""
    a_day(small).write_bytes(b"")
    assert leave(*JSON)[0] == 2
    a_day(small).unlink()
    code, out, err = leave(*JSON)
    assert (code, err) == (0, "")
    assert json.loads(out)["resources"] == 3


def test_an_empty_project_leaves_with_3(leave: Leave) -> None:
    code, out, err = leave(*JSON)
    assert (code, out) == (3, "")
    assert "holds no metrics" in err
    assert "costopt demo" in err


def test_a_history_too_short_says_how_short(tmp_path: Path, leave: Leave) -> None:
    waiting(tmp_path / ".costopt", FakeFleet([Machine("m", 16, steady(20, 10))]))
    code, out, err = leave(*JSON)
    assert (code, out) == (3, "")
    assert "20 days of history: too few to decide on 14 of them" in err
    assert "--train-days" in err
    shorter = leave(*JSON, "--train-days", "7", "--test-days", "7")
    assert shorter[0] == 0
    assert json.loads(shorter[1])["resources"] == 1


def test_a_fleet_below_the_gate_leaves_with_3(tmp_path: Path, leave: Leave) -> None:
    stale = steady(40, 10)
    stale[-10 * 288 :] = np.nan
    odd = [Machine("stale", 16, stale), Machine("new", 16, steady(2, 10))]
    waiting(tmp_path / ".costopt", FakeFleet(odd))
    code, out, err = leave(*JSON)
    assert (code, out) == (3, "")
    assert "none of 2 machines has usable data" in err
    assert "stale" in err
    assert "short-history" in err
