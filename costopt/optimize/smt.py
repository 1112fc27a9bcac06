"""What a vCPU is worth: whole cores, or threads that share a core two by two.

Half of a hyper-threaded machine's vCPUs do most of its work, so "30 % busy" is more than it seems.
Two vCPUs of one core that are both busy run each at `speedup` (s) of the speed of one alone, so a
core does 2s with both and 1 with one. Linux, and every scheduler that knows the cores, fills idle
cores first: at utilization u up to 1/2 each busy vCPU has a core to itself, and above it every
further one adds only 2s - 1. With v vCPUs the work done, in units of one whole core, is

    W(u) = v * [min(u, 1/2) + (2s - 1) * max(u - 1/2, 0)]         W(1) = v * s

which is K * rho(u) with K = v * s, what the machine can do, and rho(u) = [...] / s, the share of it
in use, rho(1) = 1 (facts: decisions, "SMT trap"). Whole cores do W(u) = v * u: the same with s = 1.

Where it fails: s belongs to the load as much as to the processor, and is 0.63 for compiling and
0.86 for Netty on one and the same; a mean over five minutes hides that a machine was above one half
for some of them, which makes today's work look larger and the target's utilization smaller than
they are; a machine of one vCPU shares its core with a stranger; memory bandwidth and caches are
shared by whole cores too. Clock speeds and generations are not compared here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

SMT_SPEEDUP: Final = 0.63
"""s: the speed of a hardware thread while its core's other thread is busy, as a share of its speed
alone; 0.63 is the worst measured (compiling), 0.86 the best (Netty) (facts: decisions, "SMT
trap")."""

OFF: Final = 0.0
"""The speedup of threads of which none is set: vCPUs are then compared by their number."""

_LEAST: Final = 0.5  # at it the second thread of a core adds nothing, and demand over 1/2 cannot be


@dataclass(frozen=True, slots=True, eq=False)
class Threads:
    """The vCPUs of a machine, or of many: then each an array of the same shape."""

    vcpus: float | Floats
    whole_cores: bool | Bools  # Arm, SMT switched off: as many physical cores as vCPUs
    speedup: float | Floats = OFF  # 0.5 < s <= 1; `OFF` = not set; whole cores need none

    def __post_init__(self) -> None:
        speedup = np.asarray(self.speedup)
        if not ((speedup == OFF) | ((speedup > _LEAST) & (speedup <= 1))).all():
            raise ValueError(f"an SMT speedup is over 0.5 and at most 1, or 0 for off: {speedup}")

    @property
    def known(self) -> Bools:
        """Whether their worth is known: whole cores, or a speedup is set."""
        return np.asarray(np.asarray(self.whole_cores) | (np.asarray(self.speedup) != OFF))

    @property
    def gain(self) -> Floats:
        """2s - 1: what a core's second busy thread adds to the first; 1 where not known."""
        speedup = np.asarray(self.speedup, np.float64)
        plain = np.asarray(self.whole_cores) | (speedup == OFF)
        return np.where(plain, 1.0, 2 * speedup - 1)


def effective_capacity(current: Threads, targets: Threads, limit_percent: float = 90.0) -> Floats:
    """What each target can do at the limit, as a share of what today's machine does there.

    The share c' for which "demand d, in percent of today's vCPUs, keeps the target at or under the
    limit" is the same as d <= limit * c'. It takes the place of the ratio of vCPUs wherever that is
    compared with demand, and equals it between whole cores, at s = 1, and where a side's speedup is
    `OFF`: half a correction would call equal machines unequal.

    It solves W_today(limit * c') = W_target(limit). Beyond today's 100 % the last slope goes on, so
    c' of larger targets is greater than their ratio where today's threads add little; demand never
    gets there. More vCPUs never give less.

    Args:
        current: today's machine.
        targets: many, as arrays; or one.
        limit_percent: of any machine, how busy it may be; over 0.
    Returns:
        As many as targets, above 0; of no dimension for one (`float()` of it).
    """
    limit = limit_percent / 100
    vcpus = np.asarray(targets.vcpus, np.float64) / current.vcpus
    known = targets.known & current.known
    share = _utilization(vcpus * _work(limit, targets.gain), current.gain) / limit
    return np.where(known, share, vcpus)


def smt_percent(percent: float, shrink: float, speedup: float = SMT_SPEEDUP) -> float:
    """CPU percent on a machine of the same threads and `shrink` times fewer of them.

    Throughput at utilization u is rho(u) = [min(u, 1/2) + (2s-1)(u-1/2)+] / s; the answer solves
    rho(new) = shrink * rho(old). 30 % halves to 88 %, not 60 %, at s = 0.63. Values over 100 mean
    that the smaller machine cannot do the work.
    """
    gain = np.float64(2 * speedup - 1)
    return float(100 * _utilization(shrink * _work(percent / 100, gain), gain))


def _work(utilization: float, gain: Floats | np.float64) -> Floats:
    """Work of a vCPU at that utilization (0..1), in units of a whole core: W(u) / v."""
    return np.asarray(min(utilization, 0.5) + gain * max(0.0, utilization - 0.5))


def _utilization(work: Floats, gain: Floats | np.float64) -> Floats:
    """The utilization at which a vCPU does that work; the inverse of `_work`."""
    return np.asarray(np.minimum(work, 0.5) + np.maximum(0.0, work - 0.5) / gain)
