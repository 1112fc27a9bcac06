"""From packed samples to local weeks: machines, GPUs, and groups added up across shards."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from costopt.backtest.series import Subject
from costopt.backtest.weekly import Ask, of_shards
from costopt.model import Window
from costopt.optimize.weekly import Weekly
from tests.frame.packs import T0, Rows, pack, shard

DAYS = 21
N = DAYS * 288
WINDOW = Window(T0, T0 + timedelta(days=DAYS))


def _weeks(
    shards: Iterable[pa.Table], asks: Iterable[Ask], *, threads: int = 1, window: Window = WINDOW
) -> dict[str, Weekly]:
    by_id = {ask.subject.resource_id: ask for ask in asks}
    return of_shards(shards, by_id, window, 30, threads=threads)


def _ask(
    name: str = "m", time_zone: str = "UTC", group: str = "", period: int = 300, **subject: Any
) -> Ask:
    return Ask(Subject(name, period, **subject), time_zone, vcpus=4.0, group=group)


def _office_cpu() -> np.ndarray:
    """40 % from 08:00 to 18:00 UTC on working days, else 0.4 %; from a Monday on."""
    hours = np.arange(N) / 12
    used = (hours % 168 < 120) & (hours % 24 >= 8) & (hours % 24 < 18)
    return np.where(used, 40.0, 0.4)


def _quiet(name: str = "m") -> list[Rows]:
    return [pack(name, way, np.full(N, 20.0)) for way in ("network_in", "network_out")]


def test_an_office_machine_in_its_own_hours() -> None:
    shard_ = shard(pack("m", "cpu_utilization", _office_cpu()), *_quiet())
    one = _weeks([shard_], [_ask(time_zone="Asia/Kolkata")])["m"]
    assert one.monday == date(2026, 9, 7)
    assert one.network_measured
    assert one.packed.dtype == np.uint8
    demand = one.demand
    assert demand.shape == (4, 336, 6)  # the window ends on Monday, 05:30 there
    of_monday = np.flatnonzero(demand[1, :48].any(axis=1))
    assert (of_monday[0], of_monday[-1]) == (27, 46)  # 13:30 to 23:30
    assert np.isnan(demand[0, :11]).all()


def test_without_network_the_stricter_test_decides() -> None:
    """0.9 % of 4 vCPUs is 0.036 of one: not empty enough by CPU alone."""
    cpu = np.full(N, 0.9)
    alone = _weeks([shard(pack("m", "cpu_utilization", cpu))], [_ask()])["m"]
    assert not alone.network_measured
    assert np.nanmin(alone.demand) == 1
    quiet = _weeks([shard(pack("m", "cpu_utilization", cpu), *_quiet())], [_ask()])["m"]
    assert np.nanmax(quiet.demand) == 0


def test_a_window_amid_a_quarter_of_an_hour_is_laid_on_the_clock() -> None:
    window = Window(T0 + timedelta(minutes=7), WINDOW.end)
    one = _weeks(
        [shard(pack("m", "cpu_utilization", _office_cpu()), *_quiet())], [_ask()], window=window
    )["m"]
    assert one.packed[0, 0].tolist() == [0, 4]  # 00:10 to 00:30
    assert one.packed[0, 15].tolist() == [0, 6]
    assert one.packed[0, 16].tolist() == [6, 6]


def test_a_gpu_machine_is_in_use_while_any_card_is() -> None:
    cards = []
    for device, busy in (("", 15.0), ("0", 0.0), ("1", 30.0)):
        use = np.where(_office_cpu() > 1, busy, 0.0)
        cards.append(pack("m", "gpu_utilization", use, x_Device=device))
        cards.append(pack("m", "gpu_memory_utilization", np.zeros(N), x_Device=device))
    idle = pack("m", "cpu_utilization", np.full(N, 0.4))
    one = _weeks([shard(idle, *_quiet(), *cards)], [_ask(gpu=True)])["m"]
    expected = _weeks([shard(pack("m", "cpu_utilization", _office_cpu()), *_quiet())], [_ask()])[
        "m"
    ]
    np.testing.assert_array_equal(one.packed, expected.packed)
    assert _weeks([shard(idle, *_quiet())], [_ask(gpu=True)]) == {}  # its cards are not measured


def test_a_groups_members_add_up_whichever_shard_they_stand_in() -> None:
    """One is replaced by another in the middle; a gap of ten minutes is no absence."""
    first, second, third = np.full((3, N), 50.0)
    first[N // 2 :] = np.nan
    second[: N // 2] = np.nan
    third[100:102] = np.nan
    rows = {"a": first, "b": second, "c": third}
    shards = [shard(pack(name, "cpu_utilization", values)) for name, values in rows.items()]
    asks = [_ask(name, group="g") for name in rows]
    found = _weeks(shards, asks, threads=2)
    assert found.keys() == {"g"}
    one = found["g"]
    assert one.counts is not None
    assert np.all(one.counts == 2)
    np.testing.assert_allclose(one.demand, 4.0)  # two of four vCPUs at 50 %
    np.testing.assert_array_equal(_weeks(reversed(shards), asks)["g"].demand, one.demand)


def test_members_that_are_sampled_otherwise_cannot_be_added() -> None:
    a = pack("a", "cpu_utilization", np.full(N, 50.0))
    b = pack("b", "cpu_utilization", np.full(N // 3, 50.0), period_seconds=900)
    asks = [_ask("a", group="g"), _ask("b", group="g", period=900)]
    assert _weeks([shard(a), shard(b)], asks) == {}


def test_a_period_that_fits_no_slot_is_left_out() -> None:
    rows = pack("m", "cpu_utilization", np.full(DAYS * 120, 50.0), period_seconds=720)
    assert _weeks([shard(rows)], [_ask(period=720)]) == {}
