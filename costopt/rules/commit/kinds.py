"""What runs, as commitments see it: machines of one type and system in one region.

Whether a reservation of one size covers others is a matter of provider, system and family. Bare
metal is flexible as other sizes are (an i3.metal counts as an i3.16xlarge).

Sources (read 2026-11): AWS, EC2 User Guide, "How Reserved Instance discounts are applied", section
"Instance size flexibility", Limitations and "Normalization factor for bare metal instances"; Azure,
"Virtual machine size flexibility with Reserved VM Instances" (by series); Google Cloud, "Resource-
based commitments" (vCPUs and memory of a series, whatever the machine).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from costopt.frame.billed import Meter
from costopt.frame.cost import resource_key
from costopt.model import Resource
from costopt.model.bill import Metered, Usage
from costopt.pricing.catalogue import Catalogue
from costopt.pricing.layer import region_key, system_key
from costopt.pricing.scenario import Change
from costopt.rules.families import OF_ONE_SIZE, family

WHOLE_HOURS: Final = re.compile(r"(1 )?((instance|vm|machine|node)[- ])?(h|hrs?|hours?)", re.I)
MEMORY_HOURS: Final = re.compile(r"gi?b(ibyte|yte)?[- .]?(h|hrs?|hours?)|gibibyte hours?", re.I)


@dataclass(frozen=True, slots=True, order=True)
class Kind:
    """What is sold alike: machines of one type and system in one region."""

    region: str  # region_key; "" = the bill names none
    family: str  # of the type; of unknown types the SKU
    instance_type: str  # "" = unknown
    system: str  # system_key
    by_machine: bool  # metered by the hour of a whole machine, not by its parts

    @property
    def name(self) -> str:
        """What people call it: `m5.xlarge`, `m5.xlarge (windows)`."""
        what = self.instance_type or self.family
        return what if self.system == "linux" else f"{what} ({self.system})"

    def one_size(self, provider: str) -> bool:
        """Whether a reservation of it covers no other size of its family."""
        return provider == "aws" and (self.system != "linux" or self.family in OF_ONE_SIZE)


Known = Mapping[str, Resource]
"""Resources by `resource_key`."""


def known(resources: Iterable[Resource]) -> Known:
    """The resources as a bill names them."""
    return {resource_key(one.resource_id): one for one in resources}


@dataclass(frozen=True, slots=True, eq=False)
class Names:
    """What a bill's meters are, by the inventory."""

    resources: Known
    catalogue: Catalogue
    types: Mapping[tuple[str, str], str]  # region and SKU -> machine type
    in_parts: frozenset[str]  # resources of which vCPUs and memory are metered apart
    becomes: Mapping[str, str]  # resource -> the type that it is to be of

    @classmethod
    def of(
        cls,
        bill: Metered,
        resources: Known,
        catalogue: Catalogue,
        changes: Mapping[str, Change] = MappingProxyType({}),
    ) -> Names:
        """Of one provider's bill, once those changes are made.

        A machine that was resized has meters of two types, and the inventory names the newer one:
        a SKU is of the type that most machines have whose newest meter it is.
        """
        newest: dict[str, tuple[int, str, str]] = {}
        in_parts = set()
        for usage in bill.usages:
            meter, name = meter_of(usage), usage.resource_id
            if name and MEMORY_HOURS.fullmatch(meter.unit):
                in_parts.add(name)
            used = np.flatnonzero(usage.quantity > 0)
            if name and name in resources and len(used) and WHOLE_HOURS.fullmatch(meter.unit):
                last = int(used[-1]), meter.region, meter.sku
                newest[name] = max(newest.get(name, last), last)
        votes: dict[tuple[str, str], Counter[str]] = {}
        for name, (_, region, sku) in newest.items():
            kind = resources[name].instance_type
            if sku and kind:
                votes.setdefault((region, sku), Counter())[kind] += 1
        types = {
            key: min(count, key=lambda kind: (-count[kind], kind)) for key, count in votes.items()
        }
        becomes = {name: change.to for name, change in changes.items() if change.to}
        return cls(resources, catalogue, types, frozenset(in_parts), becomes)

    def resource(self, usage: Usage) -> Resource | None:
        """Whose meter it is."""
        return self.resources.get(usage.resource_id or "")

    def kind(self, usage: Usage) -> Kind:
        """What it is that runs."""
        meter, resource = meter_of(usage), self.resource(usage)
        own = (resource.instance_type if resource else None) or ""
        name = self.types.get((meter.region, meter.sku), own)
        name = self.becomes.get(usage.resource_id or "", name)
        region = usage.region or (resource.region_id if resource else None) or ""
        by_machine = usage.resource_id not in self.in_parts
        return Kind(
            region=region_key(region),
            family=self._family(usage.provider, name) or f"SKU {meter.sku or 'unknown'}",
            instance_type=name,
            system=system_key((resource.operating_system if resource else None) or "Linux"),
            by_machine=by_machine and bool(WHOLE_HOURS.fullmatch(meter.unit)),
        )

    def attributes(self, commitment_id: str) -> Mapping[str, str]:
        """What the inventory says of a commitment: its end, term, payment and class."""
        told = self.resources.get(resource_key(commitment_id))
        return told.attributes if told else {}

    def _family(self, provider: str, instance_type: str) -> str:
        """Within which commitments are flexible: at Google the series, else the family."""
        shape = self.catalogue.shape(provider, instance_type) if instance_type else None
        if shape is None:  # bare metal, say, is of the family that its name begins with
            return instance_type.partition(".")[0] if provider == "aws" else instance_type
        found = family(shape) or instance_type
        return found.partition("-")[0] if provider == "gcp" else found


def meter_of(usage: Usage) -> Meter:
    """What the bill says of the meter; "" where the key is none of a bill's."""
    parts = usage.key.split("\x1f")
    whole = len(parts) == len(Meter._fields)
    return Meter(*parts) if whole else Meter("", "", "", "", usage.key, "Hours", "")
