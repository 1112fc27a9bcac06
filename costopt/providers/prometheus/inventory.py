"""The tables of machines, types and prices, from what is measured and the hosts file."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from math import ceil
from typing import Any, Final

import pyarrow as pa

from costopt import schema
from costopt.frame.inventory import MEASURED
from costopt.providers.base import Problem
from costopt.providers.gone import GONE
from costopt.providers.prometheus import doubts
from costopt.providers.prometheus.fleet import Cards, Machine, told_by_cadvisor
from costopt.providers.prometheus.gone import NODE, PROVIDER
from costopt.providers.prometheus.hosts import Entry, clash, entry_of
from costopt.schema import EXPORTER_TAG, INSTANCE_TAG

_CARD: Final = re.compile(r"(GB|[ABHLTV])\d+[GSgX]?")


@dataclass(frozen=True, slots=True)
class Kind:
    """A machine type of one's own."""

    name: str
    vcpus: float
    cores: float | None
    memory_gib: float
    cards: Cards | None
    entry: Entry

    @property
    def shape(self) -> tuple[object, ...]:
        """What machines of a type have in common."""
        return self.vcpus, self.cores, self.memory_gib, self.cards

    @property
    def place(self) -> tuple[str, str | None]:
        """What has one price: the type at a site."""
        return self.name, self.entry.costs.site


@dataclass
class Inventory:
    """Machines beside their entries of the hosts file."""

    machines: Sequence[Machine]
    entries: tuple[Entry, ...]
    file: str  # its name
    claimed: Collection[str] = ()  # ids that a cloud's own collect lists
    gone: Mapping[str, Machine] = field(default_factory=dict)  # no more there
    stop: date = date.max  # what ends by then in the hosts file is over
    problems: list[Problem] = field(default_factory=list)
    _kinds: dict[str, Kind] = field(default_factory=dict)  # type -> its shape
    _prices: dict[tuple[str, str | None], Kind] = field(default_factory=dict)
    _rows: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for machine in self.machines:
            self._add(machine)
        for machine in self.gone.values():
            cloud = machine.node and machine.node.resource_id
            row = _cloud_row(machine) if cloud else _own_row(machine, None, None)
            self._rows.append(row | {"x_State": GONE})
        used = {id(entry) for machine in self.machines if (entry := self._entry(machine))}
        for entry in self.entries:
            if entry.host.type and id(entry) not in used and not self._over(entry):
                self._kind(entry, None)  # what could be had, though none runs now
                place = f"{self.file}:{entry.line}"
                self.problems += [Problem(place, d) for d in doubts.of_costs(entry, cards=False)]
        self._tell(used)

    def resources(self) -> pa.Table:
        """The machines (schema.RESOURCES)."""
        return pa.Table.from_pylist(self._rows, schema=schema.RESOURCES)

    def shapes(self) -> pa.Table:
        """Types of one's own (schema.SHAPES)."""
        rows = [_shape(kind, self.file) for _, kind in sorted(self._kinds.items())]
        return pa.Table.from_pylist(rows, schema=schema.SHAPES)

    def prices(self) -> pa.Table:
        """What an hour of them costs, by site (schema.PRICES)."""
        kinds = sorted(self._prices.values(), key=lambda k: (k.name, k.entry.costs.site or ""))
        rows = [
            _price(kind, self.file) for kind in kinds if (cost := kind.entry.cost) and cost.total
        ]
        return pa.Table.from_pylist(rows, schema=schema.PRICES)

    @property
    def cloud_nodes(self) -> int:
        """Machines of a cloud that are listed here."""
        return sum(
            row["ResourceType"] == NODE and row["ProviderName"] != PROVIDER for row in self._rows
        )

    def _entry(self, machine: Machine) -> Entry | None:
        node = machine.node
        if node and node.resource_id:
            return None
        return entry_of(self.entries, *_names(machine))

    def _over(self, entry: Entry) -> bool:
        return entry.host.until is not None and entry.host.until <= self.stop

    def _taker(self, entry: Entry) -> Entry | None:
        """The entry that has the first of this one's machines."""
        covered = (m for m in self.machines if entry.host.covers(*_names(m)))
        return next((taker for m in covered if (taker := self._entry(m))), None)

    def _add(self, machine: Machine) -> None:
        node = machine.node
        if node and node.resource_id:
            if node.resource_id not in self.claimed:
                self._rows.append(_cloud_row(machine))
            return
        entry = self._entry(machine)
        kind = self._kind(entry, machine) if entry else None
        self._rows.append(_own_row(machine, entry, kind))
        if entry:
            self._compare(entry, machine)

    def _compare(self, entry: Entry, machine: Machine) -> None:
        """Tell where the entry and the machine are at odds."""
        threads = entry.host.threads
        if threads and machine.vcpus not in (None, threads):
            what = (
                f"{self.file} says {threads:g} threads, the machine shows "
                f"{machine.vcpus:g}: is it another one? the file counts"
            )
            self.problems.append(Problem(machine.machine_id, what))
        for doubt in doubts.of_size(entry, machine):
            what = f"{self.file} says {doubt}: is the unit right? the file counts"
            self.problems.append(Problem(machine.machine_id, what))
        for doubt in doubts.of_costs(entry, cards=machine.cards is not None):
            told = Problem(f"{self.file}:{entry.line}", doubt)
            if told not in self.problems:
                self.problems.append(told)

    def _kind(self, entry: Entry, machine: Machine | None) -> Kind | None:
        """The type of the entry's machines, sized as the file says or else as measured."""
        host = entry.host
        vcpus = host.threads or (machine.vcpus if machine else None)
        memory = host.memory_gib or (measured_gib(machine) if machine else None)
        if vcpus is None or memory is None:
            return None
        cards = machine.cards if machine else None
        if cards:
            cards = Cards(card_model(cards.model), cards.number, cards.memory_gib)
        if host.gpus:
            cards = Cards(host.gpus.model, host.gpus.count, host.gpus.memory_gib)
        name = host.type or _size_name(vcpus, memory, cards)
        kind = Kind(name, vcpus, host.cores, memory, cards, entry)
        if not self._agrees(kind):
            if host.type and self._others(name, entry):
                raise clash(entry, f"{self.file}:{entry.line}")
            slug = re.sub(r"[^a-z0-9]+", "-", host.match[0].casefold()).strip("-") or "other"
            kind = Kind(f"{name}-{slug}", vcpus, host.cores, memory, cards, entry)
            while not self._agrees(kind):
                kind = Kind(f"{kind.name}-{entry.line}", vcpus, host.cores, memory, cards, entry)
        self._kinds.setdefault(kind.name, kind)
        self._prices.setdefault(kind.place, kind)
        return kind

    def _agrees(self, kind: Kind) -> bool:
        same = self._kinds.get(kind.name)
        priced = self._prices.get(kind.place)
        return (same is None or same.shape == kind.shape) and (
            priced is None or priced.entry.price == kind.entry.price
        )

    def _others(self, name: str, entry: Entry) -> bool:
        """Whether another entry made the type of that name."""
        kinds = [*self._kinds.values(), *self._prices.values()]
        return any(kind.name == name and kind.entry is not entry for kind in kinds)

    def _tell(self, used: set[int]) -> None:
        for entry in self.entries:
            if id(entry) in used or self._over(entry):
                continue
            what = f"{entry.host.match[0]!r} is no machine here"
            if taker := self._taker(entry):
                what = (
                    f"{entry.host.match[0]!r} is taken by line {taker.line}, which stands before "
                    "it: the first entry that matches counts"
                )
            elif entry.host.type and entry.host.threads:
                continue  # a type that could be had: offered, though none runs now
            self.problems.append(Problem(f"{self.file}:{entry.line}", what))
        if not self.entries:
            return
        own = [m for m in self.machines if not (m.node and m.node.resource_id)]
        if bare := [m.machine_id for m in own if self._entry(m) is None]:
            what = f"{bare[0]!r} has no entry, so no price"
            self.problems.append(Problem(self.file, what, len(bare)))


def _names(machine: Machine) -> tuple[str | None, ...]:
    return machine.machine_id, machine.name, machine.node.name if machine.node else None


def measured_gib(machine: Machine) -> float | None:
    """Memory as bought, from what the system counts: it keeps 1 to 3 % for itself.

    In whole GiB, so that a new kernel, which keeps a little more, is no new size.
    """
    return float(ceil(machine.memory_gib)) if machine.memory_gib else None


def card_model(name: str) -> str:
    """The catalogue's name of a card: H100 of "H100 80GB HBM3", A100 of "A100-SXM4-40GB"."""
    words = re.split(r"[\s-]+", name)
    return next((word for word in words if _CARD.fullmatch(word)), name)


def _size_name(vcpus: float, memory: float, cards: Cards | None) -> str:
    size = f"{vcpus:g}vcpu-{memory:g}gib"
    return f"{size}-{cards.number}x{cards.model.casefold().replace(' ', '-')}" if cards else size


def _card_columns(cards: Cards | None) -> dict[str, Any]:
    if cards is None:
        return {}
    return {
        "x_GPUModel": card_model(cards.model),
        "x_GPUCount": cards.number,
        "x_GPUMemoryGiB": cards.memory_gib,
    }


def _common(machine: Machine) -> dict[str, Any]:
    node = machine.node
    return {
        "ResourceId": machine.machine_id,
        "ResourceName": machine.name or machine.machine_id,
        "ResourceType": NODE if node else "Machine",
        "x_Architecture": machine.architecture,
        "x_OperatingSystem": machine.operating_system,
        "x_State": "running" if machine.alive else None,
        "x_ScalingGroup": node.scaling_group if node else None,
    }


def _cloud_row(machine: Machine) -> dict[str, Any]:
    """A node that a cloud bills: its type says its size, where it is known."""
    node = machine.node
    assert node is not None
    row = _common(machine) | {
        "ProviderName": node.provider_name,
        "RegionId": node.region_id,
        "x_InstanceType": node.instance_type,
        "x_vCPUs": machine.vcpus,
        "x_PricingCategory": "Dynamic" if node.spot else "Standard",
        "x_Attributes": {"kubernetes_node": node.name},
    }
    if node.instance_type is None:
        row |= {"x_MemoryGiB": measured_gib(machine)} | _card_columns(machine.cards)
    return row


def _own_row(machine: Machine, entry: Entry | None, kind: Kind | None) -> dict[str, Any]:
    cards = kind.cards if kind else machine.cards
    row = _common(machine) | {
        "ProviderName": PROVIDER,
        "x_vCPUs": kind.vcpus if kind else machine.vcpus,
        "x_MemoryGiB": kind.memory_gib if kind else measured_gib(machine),
        "Tags": _target(machine) or None,
        **_card_columns(cards),
    }
    if entry is None:
        return row | {"x_Attributes": {"size": "measured"} | _measured(machine)}
    costs = entry.costs
    return row | {
        "RegionId": costs.site,
        "Tags": (costs.tags | _target(machine)) or None,
        "x_InstanceType": kind.name if kind else None,
        "x_Architecture": costs.architecture or machine.architecture,
        "x_PricingCategory": "Standard",
        "x_TimeZone": costs.time_zone,
        "x_Attributes": _shown(entry) | _measured(machine),
    }


def _measured(machine: Machine) -> dict[str, str]:
    """The size that the machine itself shows, whatever the file says: another is a resize."""
    cards = f"{machine.cards.number} x {card_model(machine.cards.model)}" if machine.cards else None
    memory = measured_gib(machine)
    sizes = (
        f"{machine.vcpus:g}" if machine.vcpus else None,
        f"{memory:g}" if memory else None,
        cards,
    )
    return {name: size for name, size in zip(MEASURED, sizes, strict=True) if size}


def _target(machine: Machine) -> dict[str, str]:
    """The target's instance label, where neither id nor name tell it, and who tells of the machine
    where that is not node_exporter: alerts look for both."""
    who = {EXPORTER_TAG: "cadvisor"} if told_by_cadvisor(machine) else {}
    found = machine.instance
    if not found or {found, re.sub(r":\d+$", "", found)} & {machine.machine_id, machine.name}:
        return who
    return {INSTANCE_TAG: found} | who


def _shown(entry: Entry) -> dict[str, str]:
    """The price of an hour, each part of it, and what they are made of."""
    shown = {
        "size": "hosts file" if entry.host.threads else "measured",
        "hosts_entry": entry.host.match[0],
    }
    cost, owned = entry.cost, entry.owned
    if cost is None or owned is None:
        return shown
    amounts = {
        "hourly_price": cost.total,
        "hourly_capital": cost.capital,
        "hourly_maintenance": cost.maintenance,
        "hourly_hosting": cost.hosting,
        "hourly_power": cost.power,
        "purchase_price": owned.purchase_price,
        "years": owned.years,
        "salvage": owned.salvage,
        "discount_rate_percent": owned.discount_rate * 100,
        "kw": owned.kw,
        "pue": owned.pue,
        "power_price_kwh": owned.power_price_kwh,
        "hosting_monthly": owned.hosting_monthly,
        "maintenance_yearly": owned.maintenance_yearly,
    }
    bought = {"bought": entry.host.bought.isoformat()} if entry.host.bought else {}
    return shown | bought | {"currency": entry.costs.currency or ""} | _texts(amounts.items())


def _texts(amounts: Iterable[tuple[str, Decimal]]) -> dict[str, str]:
    return {name: f"{amount.normalize():f}" for name, amount in amounts}


def _shape(kind: Kind, file: str) -> dict[str, Any]:
    host = kind.entry.host
    return {
        "ProviderName": PROVIDER,
        "x_InstanceType": kind.name,
        "x_vCPUs": kind.vcpus,
        "x_PhysicalCores": kind.cores,
        "x_MemoryGiB": kind.memory_gib,
        "x_Architecture": kind.entry.costs.architecture,
        **_card_columns(kind.cards),
        "x_NetworkGbps": host.network_gbps,
        "x_Source": f"{file}: {host.match[0]}",
    }


def _price(kind: Kind, file: str) -> dict[str, Any]:
    cost, costs = kind.entry.cost, kind.entry.costs
    assert cost is not None
    parts = (
        ("capital", cost.capital),
        ("maintenance", cost.maintenance),
        ("hosting", cost.hosting),
        ("power", cost.power),
    )
    made_of = " + ".join(f"{name} {amount.normalize():f}" for name, amount in parts if amount)
    return {
        "ProviderName": PROVIDER,
        "RegionId": costs.site,
        "x_InstanceType": kind.name,
        "PricingCategory": "Standard",
        "ListUnitPrice": cost.total,
        "PricingCurrency": costs.currency,
        "x_Source": f"{file}: {kind.entry.host.match[0]}: {made_of}",
    }
