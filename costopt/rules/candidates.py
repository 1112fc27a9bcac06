"""The machines on offer where a machine stands, and which of them could take its place."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from costopt.model import Shape
from costopt.optimize.size import Bools, Floats, Ints, Offers, carries, large_enough, sustains
from costopt.pricing.catalogue import Market
from costopt.rules.demand import Cpu, Memory, Network
from costopt.rules.families import family, generation, hardware, is_plain


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


@dataclass(frozen=True, slots=True)
class Need:
    """What a target must hold and may be."""

    vcpus: float
    cpu: Cpu
    memory: Memory
    network: Network
    allow_architecture_change: bool
    allow_burstable: bool
    allow_local_disk_loss: bool


def memory_is_settled(ladder: Ladder, current: Shape, memory: Memory) -> bool:
    """Whether memory does not depend on the type here, so that no choice can lose any.

    So it is where every type names the same memory, or none, and the machine is one of them, or
    its own memory is unknown: a generic ladder of vCPUs, with memory set apart.
    """
    of_it = memory.today_gib is None or current.instance_type.casefold() in ladder.types
    return ladder.one_memory and (of_it or bool(np.isnan(ladder.market.memory_gib).all()))


def offers(ladder: Ladder, current: Shape, need: Need) -> Offers:
    """Every type of the market, and whether it could take the machine's place."""
    market = ladder.market
    feasible = (
        large_enough(need.vcpus, current.vcpus, market.vcpus)
        & _memory_holds(ladder, current, need.memory)
        & carries(need.network.gbps, market.network_gbps)
        & (market.gpu_count == 0)
        & (market.hourly > 0)  # a price of nothing is a mistake, not an offer
        & _architecture_fits(ladder, current, need)
        & _bursts_fit(ladder, current, need)
    )
    if not need.allow_local_disk_loss:  # data live there
        feasible &= market.local_disk_gib >= current.local_disk_gib
    distance = _distance(ladder, current)
    feasible &= distance >= 0
    return Offers(market.hourly, market.vcpus, market.memory_gib, distance, feasible)


def _distance(ladder: Ladder, current: Shape) -> Ints:
    """0 for today's family, 1 for another on its hardware, 2 for another ordinary one of its
    generation or of none, 3 for a newer one.

    -1 is out of reach: older hardware does less with as many vCPUs; and what an extraordinary
    machine was bought for does not show, so it stays on its hardware.
    """
    newer = ladder.generation > generation(current)
    older = ladder.generation < generation(current)
    away = np.where(newer, 3, 2)
    reachable = ladder.plain & ~older if is_plain(current) else np.zeros(len(older), bool)
    distance = np.where(reachable, away, -1)
    distance[ladder.hardware == hardware(current)] = 1
    distance[ladder.family == family(current)] = 0
    return distance.astype(np.int64)


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
    known, offered = current.architecture or "", ladder.architecture
    same = (offered == "") | (offered == known)
    return np.asarray(same if known else same | (offered != "arm64"))


def _bursts_fit(ladder: Ladder, current: Shape, need: Need) -> Bools:
    steady = np.isnan(ladder.baseline)
    if current.burstable_baseline_percent is None and not need.allow_burstable:
        return np.asarray(steady)
    cpu = need.cpu.profile
    return sustains(cpu.mean, cpu.p95, current.vcpus, ladder.market.vcpus, ladder.baseline)
