"""What machines of one's own could take the place of: the placement's comparison, and packing.

Cards are compared with cards, vCPUs by their speed; a class with cards takes no work without, as in
the placement. What the file does not tell of a class (local disks, the network card) is not asked:
whoever buys a machine chooses them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from costopt.model import Shape
from costopt.pricing.equivalence import Facts
from costopt.pricing.facts import rows
from costopt.pricing.fits import MEASURES, Equivalents, Need
from costopt.pricing.onprem import PROVIDER, MachineClass, Site
from costopt.pricing.onprem_bounds import near
from costopt.rules.move.subjects import Subject
from costopt.rules.scope import Refusal
from costopt.units import provider_key

Floats = npt.NDArray[np.float64]

_SHARED: Final = ("gpu_count", "memory_gib", "local_disk_gib", "network_gbps")
"""What needs on one machine add up in, beside its vCPUs."""
_WORDS: Final = {
    "memory_gib": "memory",
    "gpu_count": "cards",
    "gpu_memory_gib": "memory of a card",
    "gpu_bandwidth": "bandwidth of a card",
    "gpu_tensor": "throughput of a card",
    "local_disk_gib": "local disk",
    "network_gbps": "network",
}


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """A class as machines are compared: one of its machines."""

    name: str
    told: MachineClass
    one: Equivalents  # of one machine
    card_known: bool  # whether its cards can be compared with any

    @classmethod
    def of(cls, site: Site, name: str, facts: Facts) -> Kind:
        """With its speed, if the file tells one.

        Args:
            facts: of the cloud's processors, for `speed_like`.
        """
        told = site.of_class(name)
        shape = told.shape(name)
        card = facts.gpu_of(shape) is not None
        return cls(name, told, Equivalents.of([shape], _with(told, name, facts)), card)

    @property
    def speed_known(self) -> bool:
        """Whether its vCPUs can be compared with any."""
        return bool(self.one.speeds)

    def shares(self, subject: Subject) -> Floats | Refusal | None:
        """(measures,) of one machine, 0..1 each, that it takes; why it cannot; None = no question.

        Work without cards is no question for a class with cards, nor the other way round.
        """
        if bool(subject.need.gpu_count) != bool(self.told.gpu_count):
            return None
        need = self._asked(subject.need)
        if need.vcpus and not self.speed_known:
            return "own-speed-unknown", _no_speed(self.name, self.told)
        if need.vcpus and need.speed is None:
            return "speed-unknown", (
                f"how quick a vCPU of {subject.shape.instance_type} is, is not known"
            )
        if need.gpu_bandwidth_gb_s and not self.card_known:
            return "own-card-unknown", _no_card(self.told)
        if not self.one.fits(need)[0]:
            return "own-too-small", f"{self._short(need)} of one {self.name} will not do"
        vcpus = float(self.one.worth(need.speed)[0]) if need.vcpus else np.inf
        return self._parts(need, vcpus)

    def measured_on_it(self, subject: Subject) -> Subject:
        """What runs on such a machine today: its vCPUs are as quick as the class's."""
        speed = self.one.speeds[0] if self.speed_known else None
        return replace(subject, need=replace(subject.need, speed=speed))

    def parts(self, subject: Subject) -> Floats:
        """(measures,) of one machine, that what runs on such a machine today takes of it."""
        return self._parts(self._asked(subject.need), self.told.vcpus)

    def _parts(self, need: Need, vcpus: float) -> Floats:
        has = dict(zip(MEASURES, self.one.has[0].tolist(), strict=True))
        asked = dict(zip(MEASURES, need.least.tolist(), strict=True))
        with np.errstate(divide="ignore"):
            parts = [np.divide(asked[name], has[name]) if asked[name] else 0.0 for name in _SHARED]
        return np.array([need.vcpus / vcpus, *parts])

    def _asked(self, need: Need) -> Need:
        return replace(
            need,
            local_disk_gib=need.local_disk_gib if self.told.local_disk_gib is not None else 0.0,
            network_gbps=need.network_gbps if self.told.network_gbps is not None else 0.0,
        )

    def _short(self, need: Need) -> str:
        """What there is too little of, or what is not known to be enough."""
        least, has = need.least, self.one.has[0]
        for name, asked, there in list(zip(MEASURES, least, has, strict=True))[1:]:
            if asked > 0 and not there >= asked:
                return f"the {_WORDS[name]}"
        return "the architecture" if not need.vcpus else "the vCPUs"

    @property
    def not_compared(self) -> list[str]:
        """What the file leaves out, in words."""
        told = self.told
        found = ["local disks"] if told.local_disk_gib is None else []
        return found + (["network cards"] if told.network_gbps is None else [])


def _with(told: MachineClass, name: str, facts: Facts) -> Facts:
    """With the class's speed as a row of one's own."""
    low, high = told.ranges.get("vcpu_speed", (None, None))
    if told.vcpu_speed:
        low, high = (told.vcpu_speed if end is None else end for end in (low, high))
        figures = min(low, told.vcpu_speed), told.vcpu_speed, max(high, told.vcpu_speed)
        source = "onprem.toml"
    elif told.speed_like and (like := facts.speed(_like(told.speed_like, told.architecture))):
        figures, source = (like.low, like.per_vcpu, like.high), like.source
    else:
        return facts
    row = dict(zip(("low", "per_vcpu", "high"), figures, strict=True))
    return Facts.load(
        pa.Table.from_pylist([{"provider": PROVIDER, "name": name, **row, "source": source}])
    )


def _no_speed(name: str, told: MachineClass) -> str:
    """Why its vCPUs are compared with nobody's."""
    if not told.speed_like:
        return f"how quick a vCPU of {name} is, is not told: vcpu_speed or speed_like"
    provider, _, kind = told.speed_like.partition("/")
    known = [f"{row['provider']}/{one}" for row in rows("cpus") for one in row["families"].split()]
    of_it = [one for one in known if one.startswith(f"{provider_key(provider)}/")]
    if not of_it:
        return f"speed_like: no provider {provider!r} is known"
    return f"speed_like: no family {kind!r} of {provider} is known{near(told.speed_like, of_it)}"


def _no_card(told: MachineClass) -> str:
    known = [row["model"] for row in rows("gpus")]
    return f"what a card {told.gpu_model!r} does is not known{near(told.gpu_model or '', known)}"


def _like(name: str, architecture: str) -> Shape:
    """`aws/m7i` or `aws/m7i.large` as a machine type."""
    provider, _, kind = name.partition("/")
    return Shape(provider, kind, 2, architecture=architecture, family=kind.partition(".")[0])
