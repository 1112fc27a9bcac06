"""The price of a machine from the prices of its parts.

A machine is priced only where every part of it is sold that way there; nothing is made up. The
price is that of the machine type. Cards that are attached to a machine have prices of their own, by
their accelerator type (`cards`); disks attached to it are not in its price.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple

from costopt import schema
from costopt.model import Price, Shape
from costopt.providers.gcp import machine_types
from costopt.providers.gcp.prices.descriptions import Part
from costopt.providers.gcp.prices.parse import CURRENCY
from costopt.providers.gcp.prices.rates import Rate, Rates
from costopt.providers.listed import hourly

SOURCE: Final = schema.GCP_LIST
SYSTEM: Final = "Linux"
"""That costs nothing; licences (Windows, RHEL, SLES) are billed beside the machine."""

_BOUGHT: Final = {
    "OnDemand": ("Standard", None),
    "Preemptible": ("Dynamic", None),
    "Commit1Yr": ("Committed", "1yr no-upfront"),
    "Commit3Yr": ("Committed", "3yr no-upfront"),
}
"""By usage: PricingCategory and x_Term. Commitments are paid month by month."""

_WHOLE: Final = ("f1-micro", "g1-small")
# Types billed by the prices of another series, of several the first that is sold there.
_BILLED_AS: Final = {
    "a3-megagpu": ("a3plus", "a3"),
    "a3-ultragpu": ("a3ultra",),
    "m4-ultramem-224": ("m4ultramem224",),
    "m4n-ultramem-224": ("m4nultramem224",),
    "n1-megamem": ("m1",),  # as M1 was called before
    "n1-ultramem": ("m1",),
}
_PREMIUM: Final = {"m2": "m1"}  # series billed as another and a surcharge
# GiB a vCPU that a custom type may have at the plain price; what is more is "extended".
# Source: "Create a VM with a custom machine type".
_PLAIN_GIB: Final = {"n1": Decimal("6.5")}
_PLAIN_GIB_ELSE: Final = Decimal(8)
_G4_EIGHTH: Final = 6  # vCPUs that come with an eighth of a card, below a whole one
_G4_WHOLE: Final = 48
_CENT: Final = Decimal("0.01")


class Need(NamedTuple):
    """So much of a part."""

    part: Part
    quantity: Decimal
    never_committed: bool = False  # under a commitment it goes on at the on-demand price


def prices(shapes: Iterable[Shape], region: str, rates: Rates) -> Iterator[Price]:
    """What each type costs there, however it is sold."""
    for shape in filter(_told, shapes):
        for usage in _BOUGHT:
            if price := _price(shape, usage, region, rates):
                yield price


def cards(kinds: Iterable[str], region: str, rates: Rates) -> Iterator[Price]:
    """What one card of each accelerator type costs there, however it is sold."""
    for kind in kinds:
        for usage in _BOUGHT:
            if rate := rates.of(Part("gpu", kind), usage, region):
                yield _listed(kind, usage, region, rate.hourly, rate.since)


def _told(shape: Shape) -> bool:
    """Whether enough is known of the type: its memory, and the size of the disks it names."""
    disks = shape.local_disk_gib > 0 or "lssd" not in shape.instance_type
    return shape.memory_gib is not None and disks


def _price(shape: Shape, usage: str, region: str, rates: Rates) -> Price | None:
    total, days = Decimal(0), []
    for need in needs(shape, usage, region, rates):
        rate = _rate(need, usage, region, rates)
        if rate is None:
            return None
        total += need.quantity * rate.hourly
        days.append(rate.since)
    since = max((day for day in days if day), default=None)
    return _listed(shape.instance_type, usage, region, total, since)


def _listed(kind: str, usage: str, region: str, price: Decimal, since: date | None) -> Price:
    category, term = _BOUGHT[usage]
    return Price(
        provider_name=machine_types.PROVIDER,
        region_id=region,
        instance_type=kind,
        list_unit_price=hourly(price),
        currency=CURRENCY,
        pricing_category=category,
        operating_system=SYSTEM,
        term=term,
        valid_from=since,
        source=SOURCE,
    )


def _rate(need: Need, usage: str, region: str, rates: Rates) -> Rate | None:
    if need.never_committed and usage.startswith("Commit"):
        usage = "OnDemand"
    return rates.of(need.part, usage, region)


def needs(shape: Shape, usage: str, region: str, rates: Rates) -> list[Need]:
    """The parts that a machine of the type is billed by; at least one."""
    name = shape.instance_type
    if name in _WHOLE:
        return [Need(Part("machine", name), Decimal(1))]
    kind, cards = machine_types.brought(name, shape.vcpus)
    series = _series(name, region, rates)
    if series == "g4" and shape.vcpus < _G4_WHOLE:
        return [Need(Part("slice", series), _decimal(shape.vcpus / _G4_EIGHTH))]
    if cards and series != "g4" and rates.sells_slices(series):
        return [Need(Part("slice", series), Decimal(cards))]
    found = [*_sized(shape, series, usage)]
    if cards:
        found.append(Need(Part("gpu", kind), Decimal(cards)))
    if shape.local_disk_gib:
        disk = Part("ssd", series if rates.has_own_disks(series) else "")
        found.append(Need(disk, _decimal(shape.local_disk_gib)))
    return found


def _series(name: str, region: str, rates: Rates) -> str:
    billed = _BILLED_AS.get(name) or _BILLED_AS.get(machine_types.family(name))
    if billed is None:
        return machine_types.series(name)
    sold = (one for one in billed if rates.of(Part("core", one), "OnDemand", region))
    return next(sold, billed[0])


def _sized(shape: Shape, series: str, usage: str) -> Iterator[Need]:
    """vCPUs and memory; shared cores count for what they sustain (e2-micro: 0.25 vCPU)."""
    vcpus = _decimal(shape.vcpus)
    if shape.burstable_baseline_percent is not None:
        vcpus = vcpus * _decimal(shape.burstable_baseline_percent) / 100
    memory = _decimal(shape.memory_gib or 0)
    of, beyond = series, Decimal(0)
    if machine_types.custom(shape.instance_type) is None:
        memory = memory.quantize(_CENT)  # n1-highcpu-2 is billed as 1.8 GiB, and told as 1,843 MiB
    else:
        # commitments are of a series, whatever the machine's make
        of = series if usage.startswith("Commit") else f"{series}-custom"
        beyond = _beyond(shape.instance_type, vcpus, memory)
    yield Need(Part("core", _PREMIUM.get(of, of)), vcpus)
    yield Need(Part("ram", _PREMIUM.get(of, of)), memory - beyond)
    if beyond:
        yield Need(Part("extended", series), beyond, never_committed=True)
    if series in _PREMIUM:
        yield Need(Part("premium-core", series), vcpus, never_committed=True)
        yield Need(Part("premium-ram", series), memory, never_committed=True)


def _beyond(name: str, vcpus: Decimal, memory: Decimal) -> Decimal:
    """GiB of extended memory."""
    if not name.endswith("-ext"):
        return Decimal(0)
    plain = _PLAIN_GIB.get(machine_types.series(name), _PLAIN_GIB_ELSE) * vcpus
    return max(Decimal(0), memory - plain)


def _decimal(value: float) -> Decimal:
    """As it is written, without what a float adds to it."""
    return Decimal(repr(float(value)))
