"""scripts/fit_prior.py: from traces to the JSON that the risk model starts from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from costopt.optimize.risk import prior, read
from scripts import fit_prior
from tests.backtest.fleets import Values, restless

SLOTS = 288
START = 1_372_636_800  # 2013-07-01 UTC
SIZES = (0.5, 0.25, 0.125, 0.0625)
LIMIT = 90.0


def worked(count: int, length: int) -> list[Values]:
    return [restless(length, number, SLOTS) for number in range(count)]


def bitbrains(machines: Iterable[Values]) -> pd.DataFrame:
    """A trace in that one's columns; some rows twice, and before the last machine one that is off
    throughout."""
    parts = []
    for number, cpu in enumerate([np.full(10, 5.0), *machines]):
        there = np.flatnonzero(~np.isnan(cpu))
        rows = {
            "vm_id": np.int16(number),
            "ts_unix_s": (START + 300 * there + 7).astype(np.int32),
            "cores": np.int16(2),
            "cpu_capacity_mhz": np.float32(2000.0 if number else 0.0),
            "cpu_usage_pct": cpu[there].astype(np.float32),
            "mem_capacity_kb": np.int32(1000),
            "mem_used_kb": np.int32(400),
        }
        parts.append(pd.DataFrame(rows))
    parts.append(parts[1][:50])
    return pd.concat(parts, ignore_index=True)


def planetlab(machines: Iterable[Values]) -> pd.DataFrame:
    """A trace in that one's columns: whole days, whole percents."""
    parts = []
    for number, cpu in enumerate(machines):
        days = pd.Index([f"2011{n:04d}" for n in range(301, 301 + len(cpu) // SLOTS)])
        rows = {
            "day": days.repeat(SLOTS),
            "vm": f"vm-{number}",
            "slot": np.tile(np.arange(SLOTS), len(days)).astype(np.int16),
            "cpu_pct": np.nan_to_num(cpu).round().astype(np.int16),
        }
        parts.append(pd.DataFrame(rows))
    found = pd.concat(parts, ignore_index=True)
    return found.astype({"day": "category", "vm": "category"})


HOSTED, RESEARCH = worked(5, 62), [*worked(6, 10), *worked(1, 7)]


def write(folder: Path, *, seed: int | None = None) -> Path:
    """Both traces; with a seed their rows stand in no order."""
    traces = {
        "bitbrains/dev_300vms_jul_aug.parquet": bitbrains(HOSTED),
        "planetlab/planetlab_cpu.parquet": planetlab(RESEARCH),
    }
    for name, trace in traces.items():
        (folder / name).parent.mkdir(parents=True)
        mixed = trace if seed is None else trace.sample(frac=1, random_state=seed)
        mixed.to_parquet(folder / name, index=False)
    return folder


def fitted(
    patch: pytest.MonkeyPatch, data: Path | None, output: Path, *arguments: str
) -> Mapping[str, Any]:
    """What the script writes, of the traces in that folder; None = of its own."""
    with patch.context() as within:
        if data:
            for name in ("bitbrains", "planetlab"):
                within.setattr(fit_prior, name, partial(getattr(fit_prior, name), data))
        within.setattr("sys.argv", ["fit_prior.py", "--output", str(output), *arguments])
        fit_prior.main()
    document: dict[str, Any] = json.loads(output.read_text(encoding="utf-8"))
    return document


def used_up(test: Values, size: float) -> bool:
    """Whether 0.5 % of the window and one sample more are over that size's limit, but not over
    today's."""
    added = (test > LIMIT * size) & (test <= LIMIT)
    return bool(added.sum() >= int(0.005 * len(test)) + 1)


def told(machines: Sequence[Values], days: int, origins: Sequence[int]) -> dict[str, object]:
    """What the summary should say of machines decided on at the start of those days."""
    happened = [
        used_up(cpu[day * SLOTS : (day + days) * SLOTS], size)
        for cpu in machines
        for day in origins
        for size in SIZES
    ]
    return {
        "train_days": days,
        "test_days": days,
        "origins": len(origins),
        "rows": len(happened),
        "budget_used_up": round(float(np.mean(happened)), 4),
    }


def test_the_summary_counts_what_taught_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "prior.json"
    document = fitted(monkeypatch, write(tmp_path / "data"), output)
    assert capsys.readouterr().out == f"wrote {output}\n"
    # of a research machine's ten days the first four and the last four; the one of seven is out
    eight = [
        np.nan_to_num(m).round().reshape(-1, SLOTS)[[0, 1, 2, 3, -4, -3, -2, -1]]
        for m in RESEARCH[:6]
    ]
    hosted, research = (dict(fleet) for fleet in document["summary"]["fleets"])
    assert hosted.pop("fleet") == "Bitbrains, 300 machines"
    assert hosted == told(HOSTED, 14, (20, 27, 34, 41, 48))
    assert research.pop("fleet") == "PlanetLab, 6 machines"
    assert research == told([days.ravel() for days in eight], 4, (4,))
    assert 0 < hosted["budget_used_up"] < 1
    assert document["rows"] == hosted["rows"] + research["rows"] == 5 * 5 * 4 + 6 * 4
    assert tuple(document["summary"]["sizes"]) == SIZES


def test_the_risk_model_reads_what_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "prior.json"
    document = fitted(monkeypatch, write(tmp_path / "data"), output)
    model = read(output.read_text(encoding="utf-8"))
    assert model.summary == document["summary"]
    assert model.rows == document["rows"]
    assert model.coefficients.shape == prior().coefficients.shape
    assert (model.spread > 0).all()
    chances = model.chance(np.stack([model.mean - model.spread, model.mean + model.spread]))
    assert ((chances > 0) & (chances < 1)).all()


def test_the_same_traces_give_the_same_bytes_whatever_the_order_of_their_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs = [tmp_path / f"{name}.json" for name in ("first", "again", "mixed")]
    data = write(tmp_path / "data")
    for output in outputs[:2]:
        fitted(monkeypatch, data, output)
    fitted(monkeypatch, write(tmp_path / "mixed", seed=3), outputs[2])
    first, *others = (output.read_bytes() for output in outputs)
    assert others == [first, first]


@pytest.mark.parametrize(
    ("name", "left"),
    [("bitbrains", "PlanetLab, 6 machines"), ("planetlab", "Bitbrains, 300 machines")],
)
def test_a_fleet_can_be_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, left: str
) -> None:
    data = write(tmp_path / "data")
    document = fitted(monkeypatch, data, tmp_path / "prior.json", "--leave-out", name)
    assert [fleet["fleet"] for fleet in document["summary"]["fleets"]] == [left]


def test_without_the_traces_it_says_where_they_should_be_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "prior.json"
    with pytest.raises(SystemExit, match=r"no trace at .*dev_300vms_jul_aug\.parquet"):
        fitted(monkeypatch, tmp_path, output)
    assert not output.exists()


@pytest.mark.usefixtures("real_data")
def test_the_shipped_prior_is_what_the_script_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the last digits, which another processor may round otherwise."""
    found = fitted(monkeypatch, None, tmp_path / "prior.json")
    shipped = json.loads(fit_prior.PRIOR.read_text(encoding="utf-8"))
    assert found["summary"] == shipped["summary"]
    assert found["rows"] == shipped["rows"]
    for figures in ("coefficients", "mean", "spread"):
        assert found[figures] == pytest.approx(shipped[figures], rel=1e-6, abs=2e-6)
    information = np.array(shipped["information"])
    np.testing.assert_allclose(found["information"], information, rtol=1e-6, atol=2e-4)
