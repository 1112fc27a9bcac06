"""The machines on offer where a machine stands, and which of them could take its place."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from costopt.model import Shape
from costopt.optimize.size import Bools, Floats, Ints, carries, large_enough, sustains
from costopt.optimize.smt import Threads, effective_capacity
from costopt.pricing.catalogue import Market
from costopt.rules.demand import Cpu, Memory, Network
from costopt.rules.families import family, generation, hardware, is_plain
from costopt.rules.threads import threads

_TYPES_IN_USE: Final = 1024
"""Machines of one type and place ask the same of their market: so many answers are kept."""


@dataclass(frozen=True, eq=False)
class Ladder:
    """A market with what rules ask of it, computed once: parallel to `market.shapes`."""

    market: Market
    architecture: npt.NDArray[np.str_]  # "" = unknown
    family: npt.NDArray[np.str_]
    hardware: npt.NDArray[np.str_]
    plain: Bools  # an ordinary family that is still sold as current
    generation: Floats  # NaN = not counted
    baseline: Floats  # percent of the whole machine; NaN = not burstable
    types: frozenset[str]  # in lower case
    one_memory: bool  # every type names the same memory, or none does

    @classmethod
    def of(cls, market: Market) -> Ladder:
        """The market's ladder; cached for as long as markets are few."""
        return _ladder(market)


@lru_cache(maxsize=256)
def _ladder(market: Market) -> Ladder:
    shapes, memory = market.shapes, market.memory_gib
    return Ladder(
        market=market,
        architecture=np.array([s.architecture or "" for s in shapes], np.str_),
        family=np.array([family(s) for s in shapes], np.str_),
        hardware=np.array([hardware(s) for s in shapes], np.str_),
        plain=np.array([is_plain(s) and s.current_generation is not False for s in shapes], bool),
        generation=np.array([generation(s) for s in shapes], np.float64),
        baseline=np.array(
            [np.nan if (b := s.burstable_baseline_percent) is None else b for s in shapes],
            np.float64,
        ),
        types=frozenset(s.instance_type.casefold() for s in shapes),
        one_memory=bool(np.isnan(memory).all() or (memory == memory[0]).all()),
    )


class SmtSettings(Protocol):
    """The settings that say what hardware threads are worth."""

    @property
    def smt_speedup(self) -> float: ...
    @property
    def smt_speedups(self) -> Mapping[str, float]: ...


def capacities(ladder: Ladder, current: Shape, settings: SmtSettings) -> Floats:
    """(types,) what each type can do, as a share of today's: by vCPUs, or what they are worth."""
    by_name = tuple(settings.smt_speedups.items())
    return _capacities(ladder.market, current, settings.smt_speedup, by_name)


@lru_cache(maxsize=_TYPES_IN_USE)
def _capacities(
    market: Market, current: Shape, general: float, by_name: tuple[tuple[str, float], ...]
) -> Floats:
    if not general and not by_name:
        return _shared(market.vcpus / current.vcpus)
    today = threads(current, general, dict(by_name))
    return _shared(effective_capacity(today, _threads(market, general, by_name)))


@lru_cache(maxsize=256)
def _threads(market: Market, general: float, by_name: tuple[tuple[str, float], ...]) -> Threads:
    each = [threads(shape, general, dict(by_name)) for shape in market.shapes]
    return Threads(
        market.vcpus,
        np.array([one.whole_cores for one in each], bool),
        np.array([one.speedup for one in each], np.float64),
    )


@dataclass(frozen=True, slots=True)
class Need:
    """What a target must hold and may be."""

    cpu: Cpu
    memory: Memory
    network: Network
    allow_architecture_change: bool
    allow_burstable: bool
    allow_local_disk_loss: bool


_Array = TypeVar("_Array", bound=npt.NDArray[Any])


def _shared(array: _Array) -> _Array:
    """The array, kept for all who ask: nobody writes to it."""
    array.setflags(write=False)
    return array


def memory_is_settled(ladder: Ladder, current: Shape, memory: Memory) -> bool:
    """Whether memory does not depend on the type here, so that no choice can lose any.

    So it is where every type names the same memory, or none, and the machine is one of them, or
    its own memory is unknown: a generic ladder of vCPUs, with memory set apart.
    """
    of_it = memory.today_gib is None or current.instance_type.casefold() in ladder.types
    return ladder.one_memory and (of_it or bool(np.isnan(ladder.market.memory_gib).all()))


MEMORY, NETWORK, ARCHITECTURE, BURSTS, DISK = "memory", "network", "architecture", "bursts", "disk"
CONSTRAINTS: Final = (MEMORY, NETWORK, ARCHITECTURE, BURSTS, DISK)
"""What a type must satisfy besides CPU demand; those that depend on the machine."""


def feasible(ladder: Ladder, current: Shape, need: Need, lifted: Set[str] = frozenset()) -> Bools:
    """Which types of the market could take the machine's place, if only CPU demand allows it.

    Args:
        lifted: `CONSTRAINTS` that are not asked.
    """
    market = ladder.market
    could = np.asarray((market.gpu_count == 0) & (market.hourly > 0))  # 0 is a mistake, no offer
    for name in CONSTRAINTS:
        if name not in lifted:
            could &= _satisfies(name, ladder, current, need)
    return could


def _satisfies(name: str, ladder: Ladder, current: Shape, need: Need) -> Bools:
    market = ladder.market
    match name:
        case "memory":
            return _memory_holds(ladder, current, need.memory)
        case "network":  # not measured: nothing is known to be too much
            return carries(need.network.gbps or 0.0, market.network_gbps)
        case "architecture":
            return _architecture_fits(ladder, current, need)
        case "bursts":
            return _bursts_fit(ladder, current, need)
    if need.allow_local_disk_loss:
        return np.ones(len(market.hourly), bool)
    return np.asarray(market.local_disk_gib >= current.local_disk_gib)  # data live there


@lru_cache(maxsize=_TYPES_IN_USE)
def distance(ladder: Ladder, current: Shape) -> Ints:
    """0 for today's family, 1 for another on its hardware, 2 for another ordinary one of its
    generation or of none, 3 for a newer one.

    -1 is out of reach: older hardware does less with as many vCPUs; and what an extraordinary
    machine was bought for does not show, so it stays on its hardware.
    """
    newer = ladder.generation > generation(current)
    older = ladder.generation < generation(current)
    away = np.where(newer, 3, 2)
    reachable = ladder.plain & ~older if is_plain(current) else np.zeros(len(older), bool)
    steps = np.where(reachable, away, -1)
    steps[ladder.hardware == hardware(current)] = 1
    steps[ladder.family == family(current)] = 0
    return _shared(steps.astype(np.int64))


def _memory_holds(ladder: Ladder, current: Shape, memory: Memory) -> Bools:
    offered = ladder.market.memory_gib
    if memory_is_settled(ladder, current, memory):
        return np.ones(len(offered), bool)
    if memory.needed_gib is None or memory.today_gib is None:
        return np.isnan(offered)
    if not memory.measured:
        return np.asarray(offered >= memory.today_gib)
    return large_enough(memory.needed_gib, memory.today_gib, offered)


def _architecture_fits(ladder: Ladder, current: Shape, need: Need) -> Bools:
    """Unknown matches unknown; an unknown machine is not taken for arm64."""
    if need.allow_architecture_change:
        return np.ones(len(ladder.architecture), bool)
    return _runs(ladder, current.architecture or "")


@lru_cache(maxsize=_TYPES_IN_USE)
def _runs(ladder: Ladder, known: str) -> Bools:
    """Which types run what that architecture runs."""
    offered = ladder.architecture
    same = (offered == "") | (offered == known)
    return _shared(same if known else same | (offered != "arm64"))


def _bursts_fit(ladder: Ladder, current: Shape, need: Need) -> Bools:
    steady = np.isnan(ladder.baseline)
    if current.burstable_baseline_percent is None and not need.allow_burstable:
        return np.asarray(steady)
    cpu = need.cpu.profile
    return sustains(cpu.mean, cpu.p95, current.vcpus, ladder.market.vcpus, ladder.baseline)
