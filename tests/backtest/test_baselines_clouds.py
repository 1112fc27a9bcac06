"""The rules of AWS, Azure and Google against cases worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from costopt.backtest.base import STAY, STOP
from costopt.backtest.baselines import find
from tests.backtest.pasts import FORTNIGHT, only_last, past, rising

FIVE_MINUTES = 300
WEEK = 7 * 288  # five-minute samples


@pytest.mark.parametrize(
    ("name", "cpu", "memory"),
    [
        # P99.5 of 336: rank ceil(334.32) = 335, 83.75 %; memory's peak 60 %.
        ("aws-co", 83.75 / 80, 60 / 80),
        ("aws-co-multiply", 83.75 * 1.2 / 100, 60 * 1.2 / 100),
        ("aws-co-max-performance", 83.75 / 70, 60 / 70),
        # P95: rank ceil(319.2) = 320, 80 %. P90: rank ceil(302.4) = 303, 75.75 %.
        ("aws-co-balanced", 80 / 70, 60 / 70),
        ("aws-co-max-savings", 75.75 / 100, 60 / 90),
    ],
)
def test_compute_optimizer(name: str, cpu: float, memory: float) -> None:
    held = np.full(FORTNIGHT, 20.0)
    held[100] = 60
    need = find(name).need(past(rising(), memory=held))
    assert need == pytest.approx((cpu, memory))


def test_compute_optimizer_takes_the_maxima_where_there_are_any() -> None:
    means, maxima = np.full(FORTNIGHT, 20.0), np.full(FORTNIGHT, 64.0)
    machine = past(means, cpu_max=maxima)
    assert find("aws-co").need(machine).cpu == pytest.approx(0.8)
    assert find("aws-co-mean").need(machine).cpu == pytest.approx(0.25)
    # Where a maximum is missing the mean stands in: 10 such of 336 do not lower P99.5, 334 do.
    maxima[:334] = np.nan
    assert find("aws-co").need(past(means, cpu_max=maxima)).cpu == pytest.approx(0.8)
    maxima[334] = np.nan
    assert find("aws-co").need(past(means, cpu_max=maxima)).cpu == pytest.approx(0.25)


def test_compute_optimizer_needs_thirty_hours_of_the_last_fortnight() -> None:
    assert find("aws-co").need(past(only_last(rising(), 30))).cpu == pytest.approx(84 / 80)
    assert np.isnan(find("aws-co").need(past(only_last(rising(), 29), memory=5.0))).all()
    older = np.concatenate([np.full(24, 50.0), only_last(np.full(FORTNIGHT, 50.0), 29)])
    assert np.isnan(find("aws-co").need(past(older)).cpu)


def test_compute_optimizer_idle_wants_every_day_below_5_mb() -> None:
    # 20 + 30 B/s for 24 hours are 4.32 MB; 28 + 30 are 5.01 MB.
    quiet = {"network_in": 20.0, "network_out": 30.0}
    cpu = np.full(FORTNIGHT, 4.9)
    assert find("aws-co-idle").need(past(cpu, **quiet)).cpu == STOP
    received = np.full(FORTNIGHT, 20.0)
    received[24:48] = 28
    busy_day = past(cpu, network_in=received, network_out=30.0)
    assert np.isnan(find("aws-co-idle").need(busy_day).cpu)
    # Half of that day's samples missing: its rate says as much.
    received[24:36] = np.nan
    half_seen = past(cpu, network_in=received, network_out=30.0)
    assert np.isnan(find("aws-co-idle").need(half_seen).cpu)
    cpu[200] = 5
    assert np.isnan(find("aws-co-idle").need(past(cpu, **quiet)).cpu)


def test_trusted_advisor_counts_four_quiet_days() -> None:
    cpu = np.full(FORTNIGHT, 60.0)
    for day in (0, 3, 7):
        cpu[24 * day : 24 * day + 24] = 10
    assert np.isnan(find("aws-ta-low").need(past(cpu)).cpu)
    cpu[24 * 9 + 12 : 24 * 9 + 24] = np.nan
    cpu[24 * 9 : 24 * 9 + 12] = 8  # half a day seen: its mean is what was seen
    assert find("aws-ta-low").need(past(cpu)).cpu == STOP
    cpu[24 * 9] = 33  # mean 10.1
    assert np.isnan(find("aws-ta-low").need(past(cpu)).cpu)
    cpu[24 * 9] = 8
    # 58 B/s are 5.01 MB a day. A day of unknown traffic does not count where others are known.
    assert np.isnan(find("aws-ta-low").need(past(cpu, network_in=58.0)).cpu)
    assert find("aws-ta-low").need(past(cpu, network_in=57.0)).cpu == STOP
    unknown = np.full(FORTNIGHT, 57.0)
    unknown[:24] = np.nan
    assert np.isnan(find("aws-ta-low").need(past(cpu, network_in=unknown)).cpu)


def test_cost_explorer_stops_at_one_percent() -> None:
    cpu = np.full(FORTNIGHT, 0.2)
    cpu[7] = 1
    assert find("aws-ce").need(past(cpu)).cpu == STOP
    assert np.isnan(find("aws-ce").need(past(cpu, cpu_max=1.1)).cpu)


def half_hours(high: int, level: float = 50, base: float = 1) -> np.ndarray:
    """A week of five minutes at `base`, with one sample of `level` in `high` of 336 half hours, all
    within the first four days."""
    cpu = np.full(WEEK, base)
    cpu[5 : 66 * high : 66] = level
    return cpu


def test_azure_resizes_by_p95_of_half_hourly_peaks() -> None:
    # P95 of 336 half hours has rank 320: with 16 high ones it is low, with 17 it is high.
    low = past(half_hours(16), period=FIVE_MINUTES)
    assert find("azure-resize").need(low).cpu == pytest.approx(1 / 40)
    high = past(half_hours(17), period=FIVE_MINUTES, memory=48.0)
    assert find("azure-resize").need(high) == pytest.approx((STAY, 0.8))
    assert find("azure-resize-batch").need(high) == pytest.approx((50 / 80, 0.6))


def test_azure_resize_sees_outbound_network_and_the_maxima() -> None:
    # 125 MB/s are 1 Gbit/s, 20 % of 5: needs half the machine at 40 %.
    sending = past(
        np.full(WEEK, 4.0), period=FIVE_MINUTES, network_out=1.25e8, network_gbps=5, cpu_max=8.0
    )
    assert find("azure-resize").need(sending).cpu == pytest.approx(0.5)
    unknown = past(np.full(WEEK, 4.0), period=FIVE_MINUTES, network_out=1.25e8, cpu_max=8.0)
    assert find("azure-resize").need(unknown).cpu == pytest.approx(0.2)


def test_azure_looks_at_a_week_and_needs_one() -> None:
    older = np.concatenate([np.full(7 * 24, 79.0), np.full(7 * 24, 20.0)])
    assert find("azure-resize").need(past(older)).cpu == pytest.approx(0.5)
    assert np.isnan(find("azure-resize").need(past(np.full(6 * 24, 20.0))).cpu)
    assert np.isnan(find("azure-resize").need(past(only_last(older, 6 * 24))).cpu)
    assert find("azure-resize").need(past(only_last(older, 6 * 24 + 1))).cpu == pytest.approx(0.5)


def test_azure_shuts_down() -> None:
    cpu = half_hours(16, level=50, base=1.5)  # all before the last three days
    assert find("azure-shutdown").need(past(cpu, period=FIVE_MINUTES)).cpu == STOP
    for before_now, mean, stops in ((1, 2, True), (864, 2.1, False), (865, 2.1, True)):
        recent = cpu.copy()
        recent[-before_now] = mean
        need = find("azure-shutdown").need(past(recent, period=FIVE_MINUTES))
        assert (need.cpu == STOP) is stops
    # 2 % of 1 Gbit/s are 2.5 MB/s.
    for rate, stops in ((2.4e6, True), (2.5e6, False)):
        sending = past(cpu, period=FIVE_MINUTES, network_out=rate, network_gbps=1)
        assert (find("azure-shutdown").need(sending).cpu == STOP) is stops
    seventeen = half_hours(17, level=3, base=1.5)
    assert np.isnan(find("azure-shutdown").need(past(seventeen, period=FIVE_MINUTES)).cpu)


def test_the_optimization_engine_acts_on_a_full_score_only() -> None:
    known = {"memory": 40.0, "network_in": 1e6, "network_out": 1e6}
    # Advisor: 28 / 40 and 40 / 60; CPU below 30 %, memory below 50 %, 16 Mbit/s: score 5.
    quiet = past(np.full(7 * 24, 28.0), **known)
    assert find("aoe-fit").need(quiet) == pytest.approx((0.7, 2 / 3))
    lacking = [
        past(np.full(7 * 24, 30.0), **known),
        past(np.full(7 * 24, 28.0), **known | {"memory": 50.0}),
        past(np.full(7 * 24, 28.0), **known | {"network_in": 9.3e7}),  # 752 Mbit/s with the other
        past(np.full(7 * 24, 28.0), **known | {"memory": None}),
        past(np.full(7 * 24, 28.0), **known | {"network_out": None}),
    ]
    for machine in lacking:
        assert np.isnan(find("aoe-fit").need(machine)).all()
    # Idle: Advisor says to shut down, and the limits are 5 %, 100 % and 10 Mbit/s.
    idle = past(np.full(7 * 24, 1.0), **known | {"memory": 99.0, "network_in": 1e5})
    assert find("aoe-fit").need(idle).cpu == STOP
    awake = np.full(7 * 24, 1.0)
    awake[:2] = 5  # 2 of 168: P99, and not P95
    lacking = [
        past(awake, **known | {"network_in": 1e5}),
        past(np.full(7 * 24, 1.0), **known | {"memory": 100.0, "network_in": 1e5}),
        past(np.full(7 * 24, 1.0), **known | {"network_in": 2.5e5}),  # 10 Mbit/s with the other
    ]
    for machine in lacking:
        assert find("azure-shutdown").need(machine).cpu == STOP
        assert np.isnan(find("aoe-fit").need(machine).cpu)


def test_google_wants_97_percent_of_the_time_below_a_share_of_a_vcpu() -> None:
    # 0.03 of 2 vCPUs are 1.5 %. 97 % of 336 are 325.92: 326 must be below.
    cpu = np.full(FORTNIGHT, 1.4)
    cpu[:10] = 1.5
    assert find("gcp-idle").need(past(cpu, vcpus=2)).cpu == STOP
    assert np.isnan(find("gcp-idle").need(past(cpu, vcpus=4)).cpu)
    assert np.isnan(find("gcp-idle").need(past(cpu)).cpu)
    cpu[10] = 1.5
    assert np.isnan(find("gcp-idle").need(past(cpu, vcpus=2)).cpu)


def test_google_counts_only_the_time_it_ran() -> None:
    # 97 % of 100 samples: three may be busy, and what is missing is not quiet.
    cpu = only_last(np.full(FORTNIGHT, 1.0), 100)
    cpu[-3:] = 80
    assert find("gcp-idle").need(past(cpu, vcpus=2)).cpu == STOP
    cpu[-4] = 80
    assert np.isnan(find("gcp-idle").need(past(cpu, vcpus=2)).cpu)
    for seen, silent in ((24, False), (23, True)):
        new = past(only_last(np.full(FORTNIGHT, 1.0), seen), vcpus=2)
        assert np.isnan(find("gcp-idle").need(new).cpu) == silent
    older = np.concatenate([np.full(24, 80.0), np.full(FORTNIGHT, 1.0)])
    assert find("gcp-idle").need(past(older, vcpus=2)).cpu == STOP


def test_google_looks_at_both_directions() -> None:
    cpu = np.full(FORTNIGHT, 0.1)
    received, sent = np.full(FORTNIGHT, 1999.0), np.full(FORTNIGHT, 999.0)
    received[:16] = 1e6  # 95 % of 336 are 319.2: 16 may be busy
    idle = past(cpu, vcpus=2, network_in=received, network_out=sent)
    assert find("gcp-idle").need(idle).cpu == STOP
    received[16] = 2000
    busy = past(cpu, vcpus=2, network_in=received, network_out=sent)
    assert np.isnan(find("gcp-idle").need(busy).cpu)
    sending = past(cpu, vcpus=2, network_out=1000.0)
    assert np.isnan(find("gcp-idle").need(sending).cpu)
