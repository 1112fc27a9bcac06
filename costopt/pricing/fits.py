"""Whether a machine may stand in for a need: floors, one shape or many at once.

CPU is compared in vCPUs of `equivalence.REFERENCE`, against the move: the need as if its own
processor were at its quickest (`Speed.high`), the target at its slowest (`Speed.low`). Both ends
hold for four of five kinds of load, so that together they are seldom too bold; on the very same
processors there is nothing to be unsure of, and vCPUs are compared as they are.

What a shape does not tell fulfils no floor above 0, as in `search.Need`; but for its network: most
providers tell none, so that a byte a second would bar them all. Who advises such
a machine must say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from costopt.model import Shape
from costopt.pricing.equivalence import Facts, Speed

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

MEASURES: Final = (
    "capacity",  # vCPUs of the reference processor
    "memory_gib",
    "gpu_count",
    "gpu_memory_gib",  # of one card, as are the next two
    "gpu_bandwidth",  # GB/s
    "gpu_tensor",  # TFLOP/s, dense, 16-bit
    "local_disk_gib",
    "network_gbps",
)
"""What needs and machines are compared in; the columns of optimize/placement."""

X86: Final = frozenset({"x86_64"})
ANY: Final = frozenset({"x86_64", "arm64"})

NETWORK: Final = MEASURES.index("network_gbps")
_UNKNOWN: Final = -1
_CARD: Final = 0.9
"""Providers round a card's memory to either side of its nominal figure: as in `search`."""


@dataclass(frozen=True, slots=True)
class Need:
    """The least a machine must have; 0 = nothing is asked."""

    vcpus: float = 0.0  # kept busy with their headroom, of a machine of that speed
    speed: Speed | None = None  # of the machine that they were measured on; None = not known
    memory_gib: float = 0.0
    gpu_count: int = 0
    gpu_memory_gib: float = 0.0  # of one card, as are the next two
    gpu_bandwidth_gb_s: float = 0.0
    gpu_tflops: float = 0.0  # dense, 16-bit
    local_disk_gib: float = 0.0
    network_gbps: float = 0.0
    architectures: frozenset[str] = X86  # what the software runs on: arm64 only where allowed

    @property
    def least(self) -> Floats:
        """(measures,) for optimize/placement: the high end of what is needed.

        The capacity is infinite where CPU is needed and its speed is not known: nothing can be
        shown to be enough.
        """
        speed = self.speed.high if self.speed else np.inf
        capacity = self.vcpus * speed if self.vcpus else 0.0
        cards = (self.gpu_count, self.gpu_memory_gib * _CARD)
        work = (self.gpu_bandwidth_gb_s, self.gpu_tflops, self.local_disk_gib, self.network_gbps)
        return np.array([capacity, self.memory_gib, *cards, *work], np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Equivalents:
    """What many machines can do, at least: parallel to the shapes they were made of."""

    has: Floats  # (N, measures), the low end; NaN = not known
    vcpus: Floats  # (N,)
    processor: Ints  # (N,) position in `speeds`; -1 = not known
    speeds: tuple[Speed, ...]
    architecture: npt.NDArray[np.str_]  # (N,) "" = not told

    @classmethod
    def of(cls, shapes: Sequence[Shape], facts: Facts) -> Equivalents:
        """The shapes' figures as arrays; some microseconds a shape."""
        speeds: dict[Speed | None, int] = {None: _UNKNOWN}
        codes = [speeds.setdefault(facts.speed(s), len(speeds) - 1) for s in shapes]
        known = tuple(speed for speed in speeds if speed is not None)
        vcpus = np.array([shape.vcpus for shape in shapes], np.float64)
        low = np.array([*(speed.low for speed in known), np.nan])  # the last: not known
        has = [_has(shape, facts) for shape in shapes]
        others = np.array(has, np.float64).reshape(len(shapes), len(MEASURES) - 1)
        processor = np.array(codes, np.int64)
        return cls(
            has=np.column_stack((vcpus * low[processor], others)),
            vcpus=vcpus,
            processor=processor,
            speeds=known,
            architecture=np.array([shape.architecture or "" for shape in shapes], np.str_),
        )

    @property
    def enough(self) -> Floats:
        """(N, measures) what is held against a need: `has`, and no end of a network that is not
        told."""
        found = self.has.copy()
        found[np.isnan(found[:, NETWORK]), NETWORK] = np.inf
        return found

    def worth(self, speed: Speed | None) -> Floats:
        """(N,) how many vCPUs of that speed each machine replaces, at least; NaN = not known.

        On the processors that the speed is of, its own vCPUs.
        """
        if speed is None:
            return np.full(len(self.vcpus), np.nan)
        same = [position for position, other in enumerate(self.speeds) if other == speed]
        return np.where(np.isin(self.processor, same), self.vcpus, self.has[:, 0] / speed.high)

    def fits(self, need: Need) -> Bools:
        """(N,) which of them may stand in for the need."""
        least, there = need.least, self.enough
        found = np.ones(len(self.vcpus), bool)
        for column in np.flatnonzero(least[1:] > 0) + 1:
            found &= there[:, column] >= least[column]
        if need.vcpus > 0:
            found &= self.worth(need.speed) >= need.vcpus
        return found & np.isin(self.architecture, [*need.architectures, ""])


def fits(need: Need, shape: Shape, facts: Facts) -> bool:
    """Whether that shape may stand in for the need."""
    return bool(Equivalents.of([shape], facts).fits(need)[0])


def _has(shape: Shape, facts: Facts) -> tuple[float | None, ...]:
    """All measures but capacity."""
    card = facts.gpu_of(shape)
    nominal, bandwidth, tensor = (
        (card.memory_gib, card.bandwidth_gb_s, card.tensor_tflops) if card else (None, None, None)
    )
    return (
        shape.memory_gib,
        float(shape.gpu_count),
        shape.gpu_memory_gib or nominal,
        bandwidth,
        tensor,
        shape.local_disk_gib,
        shape.network_gbps,
    )
