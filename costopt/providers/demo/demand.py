"""What machines do during one UTC day: CPU, memory, network and disk, 288 five-minute means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from zlib import crc32

import numpy as np

from costopt.providers.demo.chance import Floats, Stream, character, draw, generator
from costopt.providers.demo.clock import HOURS, SLOTS, hour_within, local_day
from costopt.providers.demo.machines import Machine
from costopt.providers.demo.rhythm import levels

# A real event (a crawler, a big report) in about one of 1,700 slots, heavy-tailed, seen in CPU,
# network and disk alike: fewer than the half percent that a P99.5 leaves out.
IN_OF_OUT: Final = 0.4
"""What comes in, of what is sent."""
_EVENT_SHARE: Final = 0.0006
_IDLE_VCPUS: Final = 0.012  # what an operating system burns on its own
_IDLE_MEMORY_GIB: Final = 0.9
_IDLE_MEMORY_SHARE: Final = 0.012  # page tables, driver buffers: they grow with the machine
_CRON_PERCENT: Final = 0.8  # the nightly update check of an idle machine
_CRON_HOUR: Final = 3


@dataclass(frozen=True, eq=False, slots=True)
class Demand:
    """One day of some machines; rows are machines, columns slots. Capacities hold per slot."""

    level: Floats  # the rhythm, 0..1
    cpu: Floats  # percent of the machine, as the next two
    cpu_max: Floats
    memory: Floats
    network_out: Floats  # bytes per second, as the next three
    network_in: Floats
    disk_write: Floats
    disk_read: Floats


def demand(fleet: Sequence[Machine], day: date, seed: int) -> Demand:
    """The day's demand; a machine's row does not depend on the others in `fleet`."""
    chance = draw(seed, [m.number for m in fleet], day)
    temper = np.stack([character(seed, m.number) for m in fleet], axis=1)[:, :, None]
    level = np.stack([_level(m, day, seed) for m in fleet])
    peak, floor, noise = _columns(fleet, "peak", "floor", "noise")
    share = floor + (peak - floor) * level
    event = np.where(
        chance.event < _EVENT_SHARE, 0.2 * (chance.event / _EVENT_SHARE + 1e-6) ** -0.4, 0.0
    )
    busy = temper[0] * share * np.exp(noise * chance.cpu + 0.03 * chance.day) + event
    cpu = np.clip(100 * _vcpus(fleet, busy, chance.cpu, day) / _sizes(fleet, "vcpus", day), 0, 100)
    traffic = (share + 5 * event) / peak
    egress, disk = 1e6 * _columns(fleet, "egress_mb", "disk_mb") * temper[2]
    network_out = egress * (0.05 + 0.95 * traffic) * np.exp(0.18 * chance.network)
    disk_write = disk * (0.1 + 0.9 * traffic) * np.exp(0.3 * chance.disk)
    quick = np.abs(chance.quick)
    return Demand(
        level=level,
        cpu=cpu,
        cpu_max=np.minimum(100, cpu * (1.1 + 0.2 * quick) + 0.5 * quick),
        memory=temper[1] * _memory(fleet, level, chance.memory, day),
        network_out=network_out,
        network_in=IN_OF_OUT * network_out * np.exp(0.1 * chance.quick),
        disk_write=disk_write,
        disk_read=0.6 * disk_write * np.exp(0.2 * chance.quick),
    )


def _columns(fleet: Sequence[Machine], *names: str) -> Floats:
    """float64 (names, n, 1): those attributes of the machines' roles."""
    return np.array([[[getattr(m.role, name)] for m in fleet] for name in names], np.float64)


def _level(machine: Machine, day: date, seed: int) -> Floats:
    if machine.role.rhythm == "jobs":
        return _jobs(machine, day, seed)
    if machine.role.rhythm == "batch":
        return _batch(machine.role.app, day, seed)
    return levels(machine.role.rhythm, machine.role.clock, day)


def _jobs(machine: Machine, day: date, seed: int) -> Floats:
    """Two training runs a week of one to three days each, with idle gaps; 1 while one runs."""
    monday = day - timedelta(days=day.weekday())
    chance = generator(seed, machine.number, monday, Stream.JOBS)
    first, pause = chance.uniform(4, 20), chance.uniform(10, 30)
    long, short = chance.uniform(40, 70), chance.uniform(24, 44)
    hour = day.weekday() * 24 + np.arange(SLOTS) / 12
    second = first + long + pause
    runs = (hour >= first) & (hour < first + long) | (hour >= second) & (hour < second + short)
    return runs.astype(np.float64)


def _batch(app: str, day: date, seed: int) -> Floats:
    """A job of 4 to 10 hours a day, from any hour on; 1 while one runs.

    All machines of the role take part: they share a queue, so the draw is the role's.
    """
    hour = np.arange(SLOTS) / 12
    runs = np.zeros(SLOTS, bool)
    for back in (0, 1):  # yesterday's may last until now
        chance = generator(seed, crc32(app.encode()), day - timedelta(days=back), Stream.JOBS)
        begin, length = chance.uniform(0, 24) - 24 * back, chance.uniform(4, 10)
        runs |= (hour >= begin) & (hour < begin + length)
    return runs.astype(np.float64)


def _vcpus(fleet: Sequence[Machine], busy: Floats, noise: Floats, day: date) -> Floats:
    """vCPUs in demand; more than the machine has is possible."""
    (needs,) = _columns(fleet, "needs_vcpus")
    wanted: Floats = needs * busy
    for row, machine in enumerate(fleet):
        if not machine.role.needs_vcpus:
            local = local_day(machine.role.clock, day)
            wanted[row] = _IDLE_VCPUS * np.exp(0.22 * noise[row])
            wanted[row, local.hour == _CRON_HOUR] += _CRON_PERCENT / 100 * machine.shape.vcpus
    return wanted


def _sizes(fleet: Sequence[Machine], name: str, day: date) -> Floats:
    """float64 (n, 288): that attribute of each machine's shape; a resize changes it on the way."""
    sizes = np.array([[getattr(m.shape, name)] for m in fleet], np.float64).repeat(SLOTS, axis=1)
    for row, machine in enumerate(fleet):
        if machine.old_shape is not None and machine.resized_at is not None:
            before = hour_within(machine.resized_at, day) * (SLOTS // HOURS)
            sizes[row, :before] = getattr(machine.old_shape, name)
    return sizes


def _memory(fleet: Sequence[Machine], level: Floats, noise: Floats, day: date) -> Floats:
    """Memory in use, percent of the machine's."""
    (needs,) = _columns(fleet, "needs_memory_gib")
    size = _sizes(fleet, "memory_gib", day)
    idle = _IDLE_MEMORY_GIB + _IDLE_MEMORY_SHARE * size
    used = np.where(
        needs > 0,
        needs * (0.62 + 0.05 * level + 0.015 * noise),
        idle * (1 + 0.02 * noise),
    )
    return np.clip(100 * used / size, 0, 99)
