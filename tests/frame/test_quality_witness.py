"""Disputed spikes: who may be accused, by whom, and what is left without them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import pytest

from costopt.config import QualitySettings
from costopt.frame.days import key_of
from costopt.frame.signals import read
from costopt.model import Disputed, Profile
from tests.frame.packs import A_DAY, T0, WINDOW, noise, pack, profile, resource, shard

SPIKE = 3 * A_DAY + 100
AT = T0 + timedelta(days=3, minutes=500)


def figures(metric: str, values: npt.NDArray[np.float64], resource_id: str = "m-1") -> Profile:
    """The figures that the witnesses are judged by, of a hand-made series."""
    there = values[~np.isnan(values)]
    p90, p99 = np.quantile(there, [0.9, 0.99], method="inverted_cdf")
    return profile(
        resource_id=resource_id,
        metric_name=metric,
        p90=float(p90),
        p99=float(p99),
        max=float(there.max()),
    )


def disputed(cpu: npt.NDArray[np.float64], **witnesses: npt.NDArray[np.float64]) -> Disputed | None:
    series = {"cpu_utilization": cpu} | witnesses
    table = shard(*(pack("m-1", metric, values) for metric, values in series.items()))
    profiles = {"m-1": tuple(figures(metric, values) for metric, values in series.items())}
    found = read([table], {"m-1": resource()}, profiles, WINDOW, QualitySettings())
    return found.disputed.get("m-1")


def quiet(level: float = 1e5) -> npt.NDArray[np.float64]:
    """A witness that stands out often, but not near SPIKE."""
    values = noise(50, seed=9) * level
    values[SPIKE - 20 : SPIKE + 20] = level
    return values


def spiked(value: float = 90.0, *, length: int = 1) -> npt.NDArray[np.float64]:
    cpu = noise(8)
    cpu[SPIKE : SPIKE + length] = value
    return cpu


def test_a_spike_that_nobody_confirms_is_disputed() -> None:
    found = disputed(spiked(), network_in=quiet())
    assert found is not None
    assert (found.samples, found.example_at, found.example_value) == (1, AT, 90.0)


def test_what_is_left_is_the_distribution_without_it() -> None:
    cpu = spiked(length=3)
    found = disputed(cpu, network_in=quiet())
    rest = np.sort(np.delete(cpu, range(SPIKE, SPIKE + 3)))
    assert found is not None
    assert found.max == rest[-1]
    assert found.mean == pytest.approx(rest.mean())
    assert found.std == pytest.approx(rest.std())
    for share, value in ((50, found.p50), (90, found.p90), (99, found.p99), (99.5, found.p99_5)):
        assert value == np.percentile(rest, share, method="inverted_cdf")
    assert found.histogram == tuple(np.bincount(rest.astype(int), minlength=106))
    before = profile(count=len(cpu), max=90.0)
    after = found.corroborated(before)
    assert (after.count, after.max, after.histogram) == (len(rest), rest[-1], found.histogram)
    assert replace(after, histogram=()) == replace(
        before,
        histogram=(),
        **{n: getattr(after, n) for n in ("count", "mean", "std", "max")},
        **{n: getattr(after, n) for n in ("p50", "p90", "p95", "p99", "p99_5")},
    )


@pytest.mark.parametrize("offset", [-1, 0, 1])
def test_a_witness_within_five_minutes_confirms(offset: int) -> None:
    network = quiet()
    network[SPIKE + offset] = network.max() * 2
    assert disputed(spiked(), network_in=network, disk_read=quiet()) is None


@pytest.mark.parametrize("offset", [-2, 2])
def test_a_witness_ten_minutes_off_does_not(offset: int) -> None:
    network = quiet()
    network[SPIKE + offset] = network.max() * 2
    assert disputed(spiked(), network_in=network) is not None


def test_a_run_is_confirmed_as_a_whole() -> None:
    network = quiet()
    network[SPIKE + 5] = network.max() * 2
    assert disputed(spiked(length=5), network_in=network) is None


def test_half_an_hour_of_load_is_no_glitch() -> None:
    assert disputed(spiked(length=6), network_in=quiet()) is not None
    assert disputed(spiked(length=7), network_in=quiet()) is None


def test_without_a_witness_nothing_is_disputed() -> None:
    assert disputed(spiked()) is None


def test_a_witness_that_never_moves_accuses_nobody() -> None:
    assert disputed(spiked(), network_in=np.full(28 * A_DAY, 1e5)) is None


def test_a_witness_that_is_missing_then_accuses_nobody() -> None:
    network = quiet()
    network[SPIKE + 1] = np.nan
    assert disputed(spiked(length=3), network_in=network) is None
    assert disputed(spiked(length=3), network_in=network, disk_read=quiet()) is not None


def test_a_small_rise_is_no_spike() -> None:
    low = noise(1)
    low[SPIKE] = 10.0
    assert disputed(low, network_in=quiet()) is None
    low[SPIKE] = 10.01
    assert disputed(low, network_in=quiet()) is not None
    busy = noise(30)
    busy[SPIKE] = 99.0  # less than three times its P90
    assert disputed(busy, network_in=quiet()) is None


def test_a_witness_by_the_minute_and_another_by_the_quarter_hour() -> None:
    cpu = spiked()
    fine = np.repeat(quiet(), 5)
    coarse = quiet()[::3].copy()
    table = shard(
        pack("m-1", "cpu_utilization", cpu),
        pack("m-1", "disk_read", fine, period_seconds=60),
        pack("m-1", "network_in", coarse, period_seconds=900),
    )
    seen = (
        figures("cpu_utilization", cpu),
        replace(figures("disk_read", fine), period_seconds=60),
        replace(figures("network_in", coarse), period_seconds=900),
    )

    def found(*profiles: Profile) -> bool:
        signals = read([table], {}, {"m-1": profiles}, WINDOW, QualitySettings())
        return "m-1" in signals.disputed

    assert found(*seen)
    assert not found(seen[0], replace(seen[1], p99=9e4), seen[2])
    assert not found(seen[0], seen[1], replace(seen[2], p99=9e4))
    assert not found(seen[0])


def test_samples_of_another_size_do_not_count() -> None:
    cpu = spiked()
    table = shard(pack("m-1", "cpu_utilization", cpu), pack("m-1", "network_in", quiet()))
    profiles = {"m-1": (figures("cpu_utilization", cpu), figures("network_in", quiet()))}
    for resized_at, expected in ((AT, {"m-1"}), (AT + timedelta(seconds=1), set())):
        machine = resource(resized_at=resized_at)
        found = read([table], {"m-1": machine}, profiles, WINDOW, QualitySettings())
        assert found.disputed.keys() == expected


def test_order_of_rows_and_shards_does_not_matter() -> None:
    names = [f"m-{n}" for n in range(5)]
    cpus = {name: spiked(60 + 5 * n) for n, name in enumerate(names)}
    rows = [
        row
        for name, cpu in cpus.items()
        for metric, values in (("cpu_utilization", cpu), ("network_out", quiet()))
        for row in pack(name, metric, values)
    ]
    profiles = {
        name: (figures("cpu_utilization", cpu, name), figures("network_out", quiet(), name))
        for name, cpu in cpus.items()
    }
    whole = read([shard(rows)], {}, profiles, WINDOW, QualitySettings())
    mixed = np.random.default_rng(3).permutation(len(rows))
    parts = [
        shard(rows[i] for i in mixed if (rows[i]["ResourceId"] in names[:2]) == first)
        for first in (True, False)
    ]
    assert read(parts, {}, profiles, WINDOW, QualitySettings()) == whole
    assert [whole.disputed[name].example_value for name in names] == [60, 65, 70, 75, 80]
    assert {key_of(p).resource_id for ps in profiles.values() for p in ps} == set(names)
