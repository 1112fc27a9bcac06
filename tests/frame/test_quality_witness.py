"""Disputed spikes in packed days: whose samples count, and what is left without them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pytest

from costopt.config import QualitySettings
from costopt.frame import witness
from costopt.frame.signals import read
from costopt.model import Disputed, Profile
from tests.frame.packs import A_DAY, T0, WINDOW, noise, pack, profile, resource, shard

Values = npt.NDArray[np.float64]

AT = np.sort(np.random.default_rng(5).permutation(28 * A_DAY // 12)[:50] * 12)
"""Fifty hours of the four weeks, at which spikes begin."""


def figures(metric: str, values: Values, resource_id: str = "m-1") -> Profile:
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


def disputed(cpu: Values, **witnesses: Values) -> Disputed | None:
    series = {"cpu_utilization": cpu} | witnesses
    table = shard(*(pack("m-1", metric, values) for metric, values in series.items()))
    profiles = {"m-1": tuple(figures(metric, values) for metric, values in series.items())}
    found = read([table], {"m-1": resource()}, profiles, WINDOW, QualitySettings())
    return found.disputed.get("m-1")


def unmoved(seed: int = 9) -> Values:
    """A witness that stands out at random, whatever the CPU does."""
    return np.round(noise(50, seed=seed) * 1e3)


def loud(seed: int = 9) -> Values:
    """A witness that stands out with every spike."""
    values = unmoved(seed)
    values[AT] *= 10
    return values


def spiked(value: float = 90.0, *, length: int = 1, seed: int = 0) -> Values:
    cpu = noise(8, seed=seed)
    for nth in range(length):
        cpu[AT + nth] = value
    return cpu


@pytest.mark.parametrize("name", [witness.MEMORY, *sorted(witness.TRAFFIC)])
def test_every_witness_can_tell_work_from_what_was_put_in(name: str) -> None:
    scale = 1e-4 if name.endswith("utilization") else 1.0
    assert disputed(spiked(), **{name: loud() * scale}) is None
    found = disputed(spiked(), **{name: unmoved() * scale})
    assert found is not None
    assert found.samples >= 45


def test_one_witness_that_confirms_is_enough() -> None:
    assert disputed(spiked(), network_in=unmoved(), disk_read=loud()) is None
    assert disputed(spiked(), network_in=unmoved(), disk_read=unmoved(8)) is not None


def test_other_metrics_bear_no_witness() -> None:
    assert disputed(spiked()) is None
    assert disputed(spiked(), gpu_utilization=unmoved() / 1e3, request_rate=unmoved()) is None


def test_the_disputed_samples_are_named() -> None:
    cpu = spiked()
    cpu[AT[0]] = 91.37
    found = disputed(cpu, network_in=unmoved())
    assert found is not None
    assert found.samples == len(found.times) == len(AT)
    assert list(found.times) == [int(T0.timestamp()) + int(at) * 300 for at in AT]
    assert found.example_at == T0 + timedelta(minutes=5 * int(AT[0]))
    assert found.example_value == 91.37


def test_what_is_left_is_the_distribution_without_them() -> None:
    cpu = spiked(length=2)
    cpu[100:160] = np.nan
    found = disputed(cpu, network_in=unmoved())
    assert found is not None
    at = (np.array(found.times) - int(T0.timestamp())) // 300
    assert (cpu[at] == 90.0).all()
    left = np.delete(cpu, at)
    rest = np.sort(left[~np.isnan(left)])
    assert found.max == rest[-1]
    assert found.mean == pytest.approx(rest.mean())
    assert found.std == pytest.approx(rest.std())
    shares = {50: found.p50, 90: found.p90, 95: found.p95, 99: found.p99, 99.5: found.p99_5}
    for share, value in shares.items():
        assert value == np.percentile(rest, share, method="inverted_cdf")
    assert found.histogram == tuple(np.bincount(rest.astype(int), minlength=106))
    before = profile(count=len(rest) + found.samples, max=90.0)
    after = found.corroborated(before)
    assert (after.count, after.max, after.histogram) == (len(rest), rest[-1], found.histogram)
    changed = ("count", "mean", "std", "max", "p50", "p90", "p95", "p99", "p99_5")
    assert replace(after, histogram=()) == replace(
        before, histogram=(), **{name: getattr(after, name) for name in changed}
    )


def test_a_witness_by_the_minute_and_another_by_the_quarter_hour() -> None:
    cpu = spiked()

    def found(fine: Values, coarse: Values) -> bool:
        series = {"disk_read": (np.repeat(fine, 5), 60), "network_in": (coarse[::3], 900)}
        rows = [
            pack("m-1", name, values, period_seconds=period)
            for name, (values, period) in series.items()
        ]
        table = shard(pack("m-1", "cpu_utilization", cpu), *rows)
        profiles = [
            replace(figures(name, values), period_seconds=period)
            for name, (values, period) in series.items()
        ]
        known = {"m-1": (figures("cpu_utilization", cpu), *profiles)}
        return "m-1" in read([table], {}, known, WINDOW, QualitySettings()).disputed

    assert found(unmoved(), unmoved(8))
    assert not found(loud(), unmoved(8))
    assert not found(unmoved(), loud(8))


def test_samples_of_another_size_do_not_count() -> None:
    cpu, network = spiked(), unmoved()
    table = shard(pack("m-1", "cpu_utilization", cpu), pack("m-1", "network_in", network))
    profiles = {"m-1": (figures("cpu_utilization", cpu), figures("network_in", network))}

    def times(resized_at: datetime) -> list[int]:
        machine = resource(resized_at=resized_at)
        found = read([table], {"m-1": machine}, profiles, WINDOW, QualitySettings())
        return list(found.disputed["m-1"].times)

    tenth = T0 + timedelta(minutes=5 * int(AT[10]))
    assert times(tenth)[0] == int(tenth.timestamp())
    later = times(tenth + timedelta(seconds=1))
    assert datetime.fromtimestamp(later[0], UTC) == T0 + timedelta(minutes=5 * int(AT[11]))


def test_samples_outside_the_window_do_not_count() -> None:
    cpu, network = spiked(), unmoved()
    table = shard(pack("m-1", "cpu_utilization", cpu), pack("m-1", "network_in", network))
    profiles = {"m-1": (figures("cpu_utilization", cpu), figures("network_in", network))}
    window = replace(
        WINDOW, start=T0 + timedelta(days=3, hours=5), end=T0 + timedelta(days=20, hours=7)
    )
    found = read([table], {}, profiles, window, QualitySettings()).disputed["m-1"]
    inside = [at for at in AT if (3 * 24 + 5) * 12 <= at < (20 * 24 + 7) * 12]
    assert list(found.times) == [int(T0.timestamp()) + int(at) * 300 for at in inside]


def test_order_of_rows_shards_and_batches_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"m-{n}" for n in range(5)]
    series = {
        name: {"cpu_utilization": spiked(60 + 5 * n, seed=n), "network_out": unmoved(n + 9)}
        for n, name in enumerate(names)
    }
    rows = [
        row
        for name, of_name in series.items()
        for metric, values in of_name.items()
        for row in pack(name, metric, values)
    ]
    profiles = {
        name: tuple(figures(metric, values, name) for metric, values in of_name.items())
        for name, of_name in series.items()
    }
    whole = read([shard(rows)], {}, profiles, WINDOW, QualitySettings())
    mixed = np.random.default_rng(3).permutation(len(rows))
    parts = [
        shard(rows[i] for i in mixed if (rows[i]["ResourceId"] in names[:2]) == first)
        for first in (True, False)
    ]
    assert read(parts, {}, profiles, WINDOW, QualitySettings()) == whole
    monkeypatch.setattr(witness, "_BATCH_SAMPLES", 1)
    assert read(parts, {}, profiles, WINDOW, QualitySettings()) == whole
    assert [whole.disputed[name].example_value for name in names] == [60, 65, 70, 75, 80]
