"""Every wart that the demo promises is in its samples."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from costopt.model import Window
from costopt.providers.demo import DemoProvider, Label, Wart
from costopt.providers.demo.machines import Machine
from costopt.providers.demo.samples import samples

FLEET = DemoProvider()
END = FLEET.window.end
DAY = timedelta(days=1)


def machine_with(wart: Wart) -> Machine:
    return next(m for m in FLEET.machines if m.role.wart is wart)


@cache
def sent(wart: Wart, days: float = 42) -> pa.Table:
    """Everything that the machine with that wart sent in its last days, in order of arrival."""
    return pa.concat_tables(
        samples([machine_with(wart)], Window(END - days * DAY, END), END, FLEET.seed)
    )


def cpu(wart: Wart, days: float = 42) -> tuple[list[datetime], np.ndarray]:
    table = sent(wart, days)
    table = table.filter(pc.equal(table["MetricName"], "cpu_utilization"))
    return table.column("Timestamp").to_pylist(), table.column("Value").to_numpy()


EXPECTED = 42 * 288


def test_gaps_are_absent_samples_and_nulls_are_null_ones() -> None:
    stamps, _ = cpu(Wart.GAPS)
    assert 0.9 * EXPECTED < len(stamps) < 0.98 * EXPECTED
    assert sent(Wart.GAPS)["Value"].null_count == 0
    stamps, values = cpu(Wart.NULLS)
    assert len(stamps) == EXPECTED
    assert 0.02 < np.isnan(values).mean() < 0.1


def test_an_outage_hits_all_metrics_of_a_machine() -> None:
    table = sent(Wart.GAPS, 3)
    stamps = {
        name: set(table.filter(pc.equal(table["MetricName"], name))["Timestamp"].to_pylist())
        for name in pc.unique(table["MetricName"]).to_pylist()
    }
    assert len(set(map(frozenset, stamps.values()))) == 1


def test_the_agent_is_off_every_weekend() -> None:
    from zoneinfo import ZoneInfo

    stamps, _ = cpu(Wart.WEEKEND_GAP)
    local = {stamp.astimezone(ZoneInfo("America/New_York")).weekday() for stamp in stamps}
    assert local == {0, 1, 2, 3, 4}


def test_duplicates_are_exact() -> None:
    stamps, values = cpu(Wart.DUPLICATES)
    pairs = Counter(zip(stamps, values.tolist(), strict=True))
    assert set(pairs.values()) == {1, 2}
    assert len(pairs) == EXPECTED


def test_the_poison_comes_second_and_is_quiet() -> None:
    stamps, values = cpu(Wart.POISONED)
    first: dict[datetime, float] = {}
    ratios = []
    for stamp, value in zip(stamps, values.tolist(), strict=True):
        if stamp in first and first[stamp] > 1:
            ratios.append(value / first[stamp])
        first.setdefault(stamp, value)
    assert len(ratios) == 10 * 288
    assert max(ratios) < 0.1
    assert np.percentile(list(first.values()), 99) > 40


def test_impossible_values_are_there() -> None:
    _, values = cpu(Wart.OUT_OF_RANGE)
    assert {-5.0, 180.0, 60_000.0} <= set(values.tolist())
    assert 0.005 < ((values < 0) | (values > 105)).mean() < 0.02


def test_a_fraction_is_sent_where_percent_is_due() -> None:
    _, values = cpu(Wart.FRACTION)
    assert values.max() <= 1
    network = sent(Wart.FRACTION).filter(pc.equal(sent(Wart.FRACTION)["MetricName"], "network_out"))
    assert pc.mean(network["Value"]).as_py() > 1000


def test_the_stuck_sensor_repeats_one_value() -> None:
    _, last = cpu(Wart.STUCK, 12)
    assert len(set(last.tolist())) == 1
    _, all_ = cpu(Wart.STUCK)
    assert len(set(all_.tolist())) > 1000


def test_the_shifted_clock_shows_at_the_change_of_the_clocks() -> None:
    """Local time sent as UTC: the hour that comes twice is sent twice."""
    stamps, _ = cpu(Wart.CLOCK_SHIFT)
    twice = [stamp for stamp, count in Counter(stamps).items() if count > 1]
    assert len(twice) == 12
    assert {(stamp.date().isoformat(), stamp.hour) for stamp in twice} == {("2026-10-25", 2)}
    # Noon in Amsterdam is stamped 12:00 UTC: the lunch dip says so.
    values = dict(zip(*cpu(Wart.CLOCK_SHIFT, 5), strict=True))
    by_hour = {
        hour: np.mean([v for t, v in values.items() if t.hour == hour and t.weekday() < 5])
        for hour in (10, 12, 14)
    }
    assert by_hour[12] < min(by_hour[10], by_hour[14])


def test_the_stale_machine_stopped_sending_but_bills_on() -> None:
    stamps, _ = cpu(Wart.STALE)
    assert timedelta(days=5) < END - max(stamps) < timedelta(days=7)
    charges = pa.concat_tables(FLEET.charges(Window(END - DAY, END)))
    assert machine_with(Wart.STALE).resource_id in charges["ResourceId"].to_pylist()


def test_isolated_spikes_have_no_witness() -> None:
    table = sent(Wart.SPIKES)
    _, values = cpu(Wart.SPIKES)
    spikes = np.flatnonzero(values > 85)
    assert 0.005 < spikes.size / values.size < 0.012
    for name in ("memory_utilization", "network_in", "network_out", "disk_write"):
        witness = table.filter(pc.equal(table["MetricName"], name))["Value"].to_numpy()
        assert (witness[spikes] > np.percentile(witness, 99)).mean() < 0.08, name


def test_one_machine_has_hourly_means_only() -> None:
    table = sent(Wart.HOURLY)
    assert pc.unique(table["PeriodSeconds"]).to_pylist() == [3600]
    assert {stamp.minute for stamp in table["Timestamp"].to_pylist()} == {0}


def test_off_grid_samples_stay_in_their_period() -> None:
    stamps, _ = cpu(Wart.OFF_GRID, 2)
    late = {(stamp.minute % 5) * 60 + stamp.second for stamp in stamps}
    assert min(late) >= 17
    assert max(late) < 60


def test_the_resize_changes_the_scale_at_its_moment() -> None:
    machine = machine_with(Wart.RESIZED)
    stamps, values = cpu(Wart.RESIZED)
    assert machine.resized_at is not None
    week = timedelta(days=7)
    before, after = (
        np.mean([v for t, v in zip(stamps, values, strict=True) if start <= t < start + week])
        for start in (machine.resized_at - week, machine.resized_at)
    )
    assert after / before == pytest.approx(2, rel=0.1)


def test_the_new_machine_is_three_days_old() -> None:
    stamps, _ = cpu(Wart.NEW)
    assert min(stamps) == machine_with(Wart.NEW).launched_at
    assert timedelta(days=2) < END - min(stamps) <= timedelta(days=3)


def test_the_scheduled_machine_sends_nothing_while_it_is_off() -> None:
    from zoneinfo import ZoneInfo

    stamps, _ = cpu(Wart.SCHEDULED)
    local = [stamp.astimezone(ZoneInfo("Europe/Amsterdam")) for stamp in stamps]
    assert {moment.weekday() for moment in local} == {0, 1, 2, 3, 4}
    assert {moment.hour for moment in local} == set(range(7, 19))


def test_the_stopped_machine_is_silent_since() -> None:
    machine = next(m for m in FLEET.machines if m.role.label is Label.STOPPED)
    table = pa.concat_tables(samples([machine], FLEET.window, END, FLEET.seed))
    assert machine.stopped_at is not None
    last = pc.max(table["Timestamp"]).as_py()
    assert last == machine.stopped_at - timedelta(minutes=5)


def test_a_day_at_a_time_gives_the_same_samples() -> None:
    warty = [m for m in FLEET.machines if m.role.wart]
    window = Window(datetime(2026, 10, 24, tzinfo=UTC), datetime(2026, 10, 27, tzinfo=UTC))
    whole = pa.concat_tables(samples(warty, window, END, FLEET.seed))
    parts = [
        pa.concat_tables(
            samples(
                warty,
                Window(window.start + n * DAY, window.start + (n + 1) * DAY),
                END,
                FLEET.seed,
            )
        )
        for n in range(3)
    ]

    def rows(table: pa.Table) -> Counter[tuple[object, ...]]:
        # NaN-free keys: a null is a null.
        return Counter(zip(*(table.column(n).to_pylist() for n in table.column_names), strict=True))

    assert rows(whole) == rows(pa.concat_tables(parts))
