"""The metered rows of one provider's UTC day: machines, licences, disks, addresses, traffic."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from costopt.providers.demo import focus, tariff, wording
from costopt.providers.demo.clock import HOURS, hour_within
from costopt.providers.demo.commitments import Use
from costopt.providers.demo.demand import IN_OF_OUT
from costopt.providers.demo.focus import Amounts, Line, Row, Sku, Thing
from costopt.providers.demo.machines import Leftover, Machine

_MICRO: Final = Decimal("0.000001")
_ZERO: Final = Decimal(0)
_INTERNET_SHARE: Final = 0.2
"""Of what a web tier sends at its peak, averaged over the day, share that leaves the provider."""
_WORTH_A_LINE: Final = 0.1
"""Megabytes a second, 260 GB a month: Windrose's bill leaves out less."""


class Usage:
    """Rows of usage; remembers its lines, which are the same every day."""

    def __init__(self) -> None:
        self._lines: dict[tuple[object, ...], Line] = {}

    def _line(self, key: tuple[object, ...], make: Callable[[], Line]) -> Line:
        if key not in self._lines:
            self._lines[key] = make()
        return self._lines[key]

    def compute(self, use: Use, day: date) -> Iterator[Row]:
        """The machine's hours, and its Windows licence where that is billed apart."""
        machine, kind, commitment = use.machine, use.shape.instance_type, use.commitment
        terms = commitment.terms.key if commitment else ""
        line = self._line(("machine", machine.number, kind, terms), lambda: _machine_line(use))
        amounts = _metered(line, use.hours)
        if commitment:
            amounts = Amounts(amounts.listed, amounts.contracted, use.cost, _ZERO)
            spent = use.cost if commitment.terms.by_spend else use.hours
            yield focus.daily(line, day, amounts, use.hours, spent)
        else:
            yield focus.daily(line, day, amounts, use.hours)
        if machine.role.system == "Windows":
            licence = self._line(("licence", machine.number), lambda: _licence_line(machine))
            quantity = use.hours * Decimal(machine.shape.vcpus)
            yield focus.daily(licence, day, _metered(licence, quantity), quantity)

    def disk(self, machine: Machine, day: date) -> Iterator[Row]:
        """The machine's disk, which bills on while the machine is stopped."""
        hours = HOURS - hour_within(machine.launched_at, day)
        if hours:
            line = self._line(("disk", machine.number), lambda: _disk_line(machine))
            quantity = _gib_months(machine.role.disk_gib, hours, day)
            yield focus.daily(line, day, _metered(line, quantity), quantity)

    def traffic(self, machine: Machine, day: date) -> Iterator[Row]:
        """What the machine sends out of its zone, on the machine's own id."""
        hours = sum(end - begin for begin, end, _ in machine.runs(day))
        if not hours:
            return
        for way in ways(machine):
            line = self._traffic_line(machine, way)
            quantity = way.gb(hours)
            yield focus.daily(line, day, _metered(line, quantity), quantity)

    def correction(self, machine: Machine, day: date) -> Row:
        """That whole day's traffic to the internet taken back, on a later bill."""
        way = next(way for way in ways(machine) if way.sku is focus.EGRESS)
        line = self._traffic_line(machine, way).but(
            ChargeClass="Correction", ChargeDescription="Internet egress counted twice"
        )
        quantity = -way.gb(HOURS)
        return focus.daily(line, day, _metered(line, quantity), quantity)

    def _traffic_line(self, machine: Machine, way: Way) -> Line:
        key = ("traffic", machine.number, way.sku.meter)
        return self._line(key, lambda: _traffic_line(machine, way))

    def leftover(self, left: Leftover, day: date) -> Row:
        """An unattached disk or an unused address."""
        line = self._line(("loose", left.resource_id), lambda: _leftover_line(left))
        gib = left.loose.disk_gib
        quantity = _gib_months(gib, HOURS, day) if gib else Decimal(HOURS)
        return focus.daily(line, day, _metered(line, quantity), quantity)


@dataclass(frozen=True, slots=True)
class Way:
    """Traffic that is on a machine's bill, by where it goes; or that comes in, for nothing."""

    sku: Sku
    rate_mb: float  # megabytes a second, averaged over the day
    price: Decimal  # USD a GB

    def gb(self, hours: int) -> Decimal:
        """What is sent in so many hours."""
        sent = self.rate_mb * 3600 * hours / 1000
        return Decimal(repr(sent)).quantize(_MICRO, ROUND_HALF_EVEN)


def ways(machine: Machine) -> list[Way]:
    """Where the machine sends enough for a line of the bill; the rest, mostly more, stays in its
    zone, which costs nothing."""
    role, provider = machine.role, machine.site.provider
    internet = role.egress_mb * _INTERNET_SHARE if role.internet_mb is None else role.internet_mb
    sent = [
        Way(sku, rate_mb, prices[provider])
        for sku, rate_mb, prices in (
            (focus.EGRESS, internet, tariff.TRANSFER),
            (focus.BETWEEN_REGIONS, role.regions_mb, tariff.BETWEEN_REGIONS),
            (focus.BETWEEN_ZONES, role.zones_mb, tariff.BETWEEN_ZONES),
        )
        if provider in prices and rate_mb >= _WORTH_A_LINE
    ]
    # Whom it answers on the internet asks: providers bill that too, at nothing.
    return sent + [
        Way(focus.INGRESS, IN_OF_OUT * way.rate_mb, _ZERO)
        for way in sent
        if way.sku is focus.EGRESS
    ]


def _gib_months(gib: int, hours: int, day: date) -> Decimal:
    in_month = monthrange(day.year, day.month)[1] * HOURS
    return (Decimal(gib * hours) / in_month).quantize(_MICRO, ROUND_HALF_EVEN)


def _metered(line: Line, quantity: Decimal) -> Amounts:
    """On demand: list, contracted, and what is paid, which is the contracted cost."""
    listed = quantity * line.columns["ListUnitPrice"]
    contracted = quantity * line.columns["ContractedUnitPrice"]
    return Amounts(listed, contracted, contracted, contracted)


def _machine_line(use: Use) -> Line:
    machine, kind = use.machine, use.shape.instance_type
    site, spot = machine.site, machine.role.spot
    listed = tariff.hourly(site.provider, site.region, kind, spot=spot)
    contracted = listed * tariff.CONTRACT.get(site.provider, 1)
    how = "spot" if spot else "on demand"
    line = focus.usage(Thing.of(machine), focus.COMPUTE, f"{kind} Linux, {how}", listed, contracted)
    if use.commitment:
        return line.but(
            PricingCategory="Committed",
            CommitmentDiscountStatus="Used",
            **focus.commitment_columns(use.commitment),
        )
    return line.but(PricingCategory="Dynamic") if spot else line


def _licence_line(machine: Machine) -> Line:
    return focus.usage(
        Thing.of(machine),
        focus.LICENCE,
        "Windows Server licence, per vCPU",
        tariff.WINDOWS,
        tariff.WINDOWS,
    )


def _disk_line(machine: Machine) -> Line:
    price = tariff.DISK[machine.site.region]
    told = wording.storage(machine.site, price)
    return focus.usage(Thing.of(machine, disk=True), focus.STORAGE, told, price, price)


def _traffic_line(machine: Machine, way: Way) -> Line:
    told = wording.traffic(way.sku, machine.site, way.price)
    return focus.usage(Thing.of(machine), way.sku, told, way.price, way.price)


def _leftover_line(left: Leftover) -> Line:
    loose, site = left.loose, left.loose.site
    tags = (("team", loose.team),) if loose.disk_gib else ()
    kind = "Disk" if loose.disk_gib else "IP address"
    thing = Thing(site, left.resource_id, left.key, kind, left.account_id, left.account_name, tags)
    if loose.disk_gib:
        price = tariff.DISK[site.region]
        return focus.usage(thing, focus.STORAGE, wording.storage(site, price), price, price)
    price = tariff.ADDRESS[site.provider]
    return focus.usage(thing, focus.IP_ADDRESS, "Public IPv4 address, idle", price, price)
