"""The demo's samples: reproducible, independent of the fleet, and true to the labels."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from costopt import schema
from costopt.model import Window
from costopt.providers.demo import DemoProvider, Label, Wart
from costopt.providers.demo.clock import is_holiday
from costopt.providers.demo.machines import Machine
from costopt.providers.demo.samples import samples

# What changes the values or drops samples, so that they no longer show the true demand.
UNTRUE = {Wart.SPIKES, Wart.OUT_OF_RANGE, Wart.FRACTION, Wart.STUCK, Wart.POISONED, Wart.RESIZED}


@pytest.fixture(scope="module")
def fleet() -> DemoProvider:
    return DemoProvider(days=14)


@pytest.fixture(scope="module")
def metrics(fleet: DemoProvider) -> pa.Table:
    return pa.concat_tables(fleet.metrics(None))


@pytest.fixture(scope="module")
def by_id(metrics: pa.Table) -> dict[str, pa.Table]:
    """Each resource's samples, in their order."""
    ids = metrics["ResourceId"].combine_chunks().dictionary_encode()
    owner = ids.indices.to_numpy()
    order = np.argsort(owner, kind="stable")
    ends = np.cumsum(np.bincount(owner))
    grouped = metrics.take(pa.array(order))
    return {
        name: grouped.slice(begin, end - begin)
        for name, begin, end in zip(ids.dictionary.to_pylist(), [0, *ends], ends, strict=False)
    }


def of(table: pa.Table | None, metric: str, statistic: str = "mean") -> pa.Table:
    """The whole machine's samples of one metric."""
    if table is None:
        return schema.empty(schema.METRICS)
    mask = pc.is_null(table["x_Device"])
    for column, value in (("MetricName", metric), ("Statistic", statistic)):
        mask = pc.and_(mask, pc.equal(table[column], value))
    return table.filter(mask)


def values(table: pa.Table) -> npt.NDArray[np.float32]:
    return table.column("Value").to_numpy()


def one(fleet: DemoProvider, key: str) -> Machine:
    return next(m for m in fleet.machines if m.key.startswith(key))


def single(fleet: DemoProvider, machine: Machine, first: date, days: int = 1) -> pa.Table:
    start = datetime(first.year, first.month, first.day, tzinfo=UTC)
    window = Window(start, start + timedelta(days=days))
    return pa.concat_tables(samples([machine], window, fleet.window.end, fleet.seed))


def written(tables: Sequence[pa.Table]) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema.METRICS) as stream:
        for table in tables:
            stream.write_table(table)
    return sink.getvalue().to_pybytes()


def test_the_same_arguments_give_the_same_bytes() -> None:
    tables = [list(DemoProvider(instances=30, days=2).metrics(None)) for _ in range(2)]
    assert written(tables[0]) == written(tables[1])
    other = list(DemoProvider(instances=30, days=2, seed=8).metrics(None))
    assert written(other) != written(tables[0])


def test_samples_are_in_the_schema(metrics: pa.Table) -> None:
    assert metrics.schema == schema.METRICS
    assert metrics.slice(0, 1000).equals(schema.conform(metrics.slice(0, 1000), schema.METRICS))
    known = set(schema.METRIC_CATALOGUE)
    assert set(pc.unique(metrics["MetricName"]).to_pylist()) <= known
    assert set(pc.unique(metrics["Statistic"]).to_pylist()) == {"mean", "max"}


def test_samples_lie_inside_the_window(fleet: DemoProvider, metrics: pa.Table) -> None:
    stamps = pc.min_max(metrics["Timestamp"]).as_py()
    assert stamps["min"] == fleet.window.start
    assert stamps["max"] < fleet.window.end


def test_a_sample_does_not_depend_on_the_fleet(
    fleet: DemoProvider, by_id: dict[str, pa.Table]
) -> None:
    for key in ("web-us", "llm-train", "badge-server", "dwh-2019"):
        machine = one(fleet, key)
        alone = single(fleet, machine, fleet.window.start.date(), 14)
        together = by_id[machine.resource_id]
        assert alone.equals(together), key


def test_a_window_outside_the_data_is_empty(fleet: DemoProvider) -> None:
    later = Window(fleet.window.end, fleet.window.end + timedelta(days=1))
    assert list(fleet.metrics(later)) == []


def test_the_labels_are_true(fleet: DemoProvider, by_id: dict[str, pa.Table]) -> None:
    """Idle machines idle, and every other machine's P99.5 is 40 to 85 % of what it needs."""
    smallest = {"vpn-gateway", "cron-box"}  # already the smallest machines one would buy
    truth = fleet.truth()
    for machine in fleet.machines:
        cpu = values(of(by_id.get(machine.resource_id), "cpu_utilization"))
        known = truth[machine.resource_id]
        if not cpu.size or known.warts & UNTRUE or machine.role.app in smallest:
            continue
        cpu = cpu[~np.isnan(cpu)]
        if known.needs_vcpus == 0:
            assert np.percentile(cpu, 99) < 3
            assert cpu.max() < 5
        elif known.label is Label.UNDERSIZED:
            assert np.percentile(cpu, 99) == 100
        else:
            demand = np.percentile(cpu, 99.5) / 100 * machine.shape.vcpus
            assert 0.4 * known.needs_vcpus < demand < 0.85 * known.needs_vcpus, machine.key


def test_idle_machines_move_less_than_five_megabytes_a_day(
    fleet: DemoProvider, by_id: dict[str, pa.Table]
) -> None:
    for machine in fleet.machines:
        if machine.role.label in (Label.IDLE, Label.GPU_IDLE):
            sent = values(of(by_id.get(machine.resource_id), "network_out")).mean()
            received = values(of(by_id.get(machine.resource_id), "network_in")).mean()
            assert (sent + received) * 86_400 < 5e6


def test_memory_is_there_only_with_an_agent_and_fits_what_is_needed(
    fleet: DemoProvider, by_id: dict[str, pa.Table]
) -> None:
    for machine in fleet.machines:
        memory = values(of(by_id.get(machine.resource_id), "memory_utilization"))
        known = fleet.truth()[machine.resource_id]
        if machine.role.label is Label.STOPPED:
            assert not memory.size
            continue
        assert (memory.size > 0) == known.memory_measured
        if memory.size and known.needs_memory_gib and Wart.FRACTION not in known.warts:
            used = np.nanmax(memory) / 100 * machine.shape.memory_gib
            if Wart.RESIZED not in known.warts:
                assert used < 0.9 * known.needs_memory_gib, machine.key


def hourly_mean(table: pa.Table, zone: str, hour: int, days: set[date]) -> float:
    """Mean over a local hour of those local dates."""
    found = [
        value
        for stamp, value in zip(
            table.column("Timestamp").to_pylist(), table.column("Value").to_pylist(), strict=True
        )
        if (local := stamp.astimezone(ZoneInfo(zone))).hour == hour and local.date() in days
    ]
    return float(np.mean(found))


@pytest.mark.parametrize(
    ("key", "zone", "before", "after"),
    [  # working days on both sides of each change of the clocks
        ("intranet", "Europe/Amsterdam", {date(2026, 10, d) for d in range(19, 24)},
         {date(2026, 10, d) for d in range(26, 31)}),
        ("callcentre", "America/New_York", {date(2026, 10, d) for d in range(26, 31)},
         {date(2026, 11, d) for d in range(2, 7)}),
    ],
)  # fmt: skip
def test_the_rhythm_follows_local_time_through_the_change(
    key: str, zone: str, before: set[date], after: set[date]
) -> None:
    fleet = DemoProvider(days=30, end=datetime(2026, 11, 9, tzinfo=UTC))
    cpu = "cpu_utilization"
    machine = one(fleet, key)
    table = of(single(fleet, machine, date(2026, 10, 18), 21), cpu)
    for hour in (5, 8, 10, 20):
        same = hourly_mean(table, zone, hour, before), hourly_mean(table, zone, hour, after)
        assert same[0] == pytest.approx(same[1], rel=0.15), hour
    # The hour of the steepest rise tells one clock from the other.
    assert hourly_mean(table, zone, 8, after) > 1.3 * hourly_mean(table, zone, 7, after)


def test_nobody_works_on_a_public_holiday(fleet: DemoProvider) -> None:
    columbus_day = date(2026, 10, 12)
    assert is_holiday("America/New_York", columbus_day)
    assert is_holiday("Asia/Kolkata", date(2026, 10, 2))
    assert not is_holiday("Europe/Amsterdam", columbus_day)
    machine = one(fleet, "callcentre")
    week = of(single(fleet, machine, date(2026, 10, 12), 5), "cpu_utilization")
    office = {
        day: hourly_mean(week, "America/New_York", 10, {date(2026, 10, day)}) for day in (12, 13)
    }
    assert office[12] < 0.3 * office[13]


def test_the_month_end_is_busy_and_the_rest_is_not(fleet: DemoProvider) -> None:
    machine = one(fleet, "ledger-close")
    table = of(single(fleet, machine, date(2026, 10, 26), 7), "cpu_utilization")
    busy = hourly_mean(table, "Europe/Amsterdam", 20, {date(2026, 10, 31)})
    quiet = hourly_mean(table, "Europe/Amsterdam", 20, {date(2026, 10, 28)})
    assert busy > 40
    assert quiet < 5


def test_gpus_are_measured_card_by_card_and_whole(
    fleet: DemoProvider, by_id: dict[str, pa.Table]
) -> None:
    gpu = {"gpu_utilization", "gpu_sm_active", "gpu_memory_utilization", "gpu_power"}
    for machine in fleet.machines:
        if not machine.role.gpu_watts:
            continue
        mine = by_id[machine.resource_id]
        mine = mine.filter(pc.is_in(mine["MetricName"], pa.array(sorted(gpu))))
        cards = {str(n) for n in range(machine.shape.gpu_count)}
        assert set(pc.unique(mine["x_Device"]).to_pylist()) == {*cards, None}
        assert set(pc.unique(mine["MetricName"]).to_pylist()) == gpu


def test_gpu_labels_are_true(fleet: DemoProvider, by_id: dict[str, pa.Table]) -> None:
    def p50_p99(machine: Machine, metric: str) -> tuple[float, float]:
        return tuple(np.percentile(values(of(by_id.get(machine.resource_id), metric)), [50, 99]))

    for machine in fleet.machines:
        if machine.role.label is Label.GPU_IDLE:
            assert p50_p99(machine, "gpu_sm_active")[1] < 1
            assert p50_p99(machine, "gpu_memory_utilization")[1] < 5
        if machine.role.label is Label.GPU_SERVING:
            assert p50_p99(machine, "gpu_sm_active")[1] < 15
            assert p50_p99(machine, "gpu_memory_utilization")[0] > 80
        if machine.role.label is Label.GPU_TRAINING:
            active = values(of(by_id.get(machine.resource_id), "gpu_sm_active"))
            assert 0.3 < (active > 50).mean() < 0.8
            assert (active < 1).mean() > 0.2
        if machine.role.label is Label.GPU_BUSY:
            assert p50_p99(machine, "gpu_sm_active")[0] > 60


def test_real_events_show_in_the_network_too(
    fleet: DemoProvider, by_id: dict[str, pa.Table]
) -> None:
    """A spike of CPU that is no wart is one of traffic: it can be corroborated."""
    seen = 0
    for machine in fleet.machines:
        known = fleet.truth()[machine.resource_id]
        cpu = values(of(by_id.get(machine.resource_id), "cpu_utilization"))
        if known.warts or not known.needs_vcpus or not cpu.size:
            continue
        network = values(of(by_id.get(machine.resource_id), "network_out"))
        spikes = np.flatnonzero(cpu > 1.8 * np.percentile(cpu, 99.5))
        assert (network[spikes] > np.percentile(network, 99)).all(), machine.key
        seen += spikes.size
    assert seen > 10


def test_a_table_is_bounded_and_tables_come_day_by_day() -> None:
    fleet = DemoProvider(instances=450, days=2)
    tables = list(fleet.metrics(None))
    assert max(table.num_rows for table in tables) < 500_000
    firsts = [pc.min(t["Timestamp"]).as_py().date() for t in tables if t.num_rows]
    assert firsts == sorted(firsts)
