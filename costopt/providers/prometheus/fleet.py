"""Which machines there are, how large they are, and which exporter tells of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import ceil, isfinite
from typing import Final, NamedTuple

from costopt.providers.prometheus import kubernetes, queries
from costopt.providers.prometheus.client import Client, TooMuchError
from costopt.providers.prometheus.kubernetes import Node
from costopt.providers.prometheus.measures import Source, anchor, needed_names
from costopt.providers.prometheus.names import Names
from costopt.providers.prometheus.queries import Labels
from costopt.providers.prometheus.slots import Span
from costopt.units import GIB

LOOKS: Final = 240
"""Moments of the window at which sizes are looked at: every six hours of sixty days. A machine that
lived for less between two of them has no size, which its samples do not need."""
_AT_ONCE: Final = 200_000
"""Machines times moments of one answer: about 5 MB, and as many Python objects as 80 MB hold."""
ALIVE_SECONDS: Final = 3600
"""A machine seen within the window's last hour runs."""
NO_MIB: Final = 1e8
"""More mebibytes than this (100 TiB) is dcgm's marker of "not available"."""
_NAMES: Final = frozenset(
    {"node_uname_info", "kube_node_info", "kube_node_labels", "kube_node_status_capacity"}
    | {"machine_cpu_cores", "machine_memory_bytes"}
)


class Cards(NamedTuple):
    """The GPUs of a machine."""

    model: str
    number: int
    memory_gib: float | None  # of one card


@dataclass
class Machine:
    """One machine, as its exporters show it."""

    machine_id: str
    name: str | None = None
    instances: dict[Source, set[str]] = field(default_factory=dict)  # of its targets
    vcpus: float | None = None
    memory_gib: float | None = None
    architecture: str | None = None
    operating_system: str | None = None
    cards: Cards | None = None
    node: Node | None = None
    alive: bool = False
    seen: int | None = None  # when it was last looked at and there (seconds)
    instance: str | None = None  # label of its newest target of node_exporter, or else of cAdvisor


def told_by_cadvisor(machine: Machine) -> bool:
    """Whether cAdvisor speaks for it: only where node_exporter does not."""
    return "cadvisor" in machine.instances and "node" not in machine.instances


@dataclass(frozen=True)
class Fleet:
    """All that was found out before the first sample is asked for."""

    machines: dict[str, Machine]
    names: Names
    metrics: frozenset[str]  # that the server has, of those we know

    def of(self, source: Source) -> list[Machine]:
        """The machines that this source speaks for."""
        return [
            machine
            for machine in self.machines.values()
            if source in machine.instances and (source != "cadvisor" or told_by_cadvisor(machine))
        ]


def discover(client: Client, label: str, also: str, span: Span, recorded: Iterable[str]) -> Fleet:
    """Everything that reports within the span.

    Args:
        label: names the machine, see Names.
        also: matchers that narrow every query; "" = none.
        recorded: names of recorded series that would be used.
    Raises:
        ProviderError: see Client.ask.
    """
    asked = needed_names() | _NAMES | frozenset(recorded)
    present = queries.names(client, asked, f",{also}" if also else "", span)

    def listed(name: str) -> list[Labels]:
        found = name in present
        return queries.series(client, f"{name}{{{also}}}", span) if found else []

    infos = listed("node_uname_info")
    nodes = kubernetes.nodes(listed("kube_node_info"), listed("kube_node_labels"))
    names = Names(label, nodes)
    sources: tuple[Source, ...] = ("node", "cadvisor", "dcgm")
    targets = {s: queries.series(client, anchor(s, also), span) for s in sources}
    names.learn(infos, targets["node"])
    fleet = Fleet({}, names, present)
    for source in sources:
        for labels in targets[source]:
            _add(fleet, labels, source)
    _describe(fleet, infos)
    _measure(client, fleet, also, span)
    return Fleet(dict(sorted(fleet.machines.items())), names, present)


def _add(fleet: Fleet, labels: Labels, source: Source) -> None:
    unique = fleet.names.owner(labels, source)
    if not unique:
        return
    machine = fleet.machines.setdefault(unique, Machine(unique))
    machine.instances.setdefault(source, set()).add(labels.get("instance", ""))
    machine.node = machine.node or fleet.names.node(labels)
    if source == "node":
        machine.name = fleet.names.name(labels) or machine.name
    elif machine.node:
        machine.name = machine.name or machine.node.name


def _describe(fleet: Fleet, infos: list[Labels]) -> None:
    for info in infos:
        machine = fleet.machines.get(fleet.names.owner(info, "node"))
        if machine:
            machine.architecture = kubernetes.architecture(info.get("machine"))
            machine.operating_system = info.get("sysname") or None
    for machine in fleet.machines.values():
        if machine.node:
            machine.architecture = machine.architecture or machine.node.architecture


def _measure(client: Client, fleet: Fleet, also: str, span: Span) -> None:
    """Sizes, as they were when last seen."""
    more = f",{also}" if also else ""
    cpus = f'count without (cpu, mode) (node_cpu_seconds_total{{mode="idle"{more}}})'
    memory = f"node_memory_MemTotal_bytes{{{also}}}"
    capacity = f'kube_node_status_capacity{{resource="cpu"{more}}}'
    room = f'kube_node_status_capacity{{resource="memory"{more}}}'
    asked: tuple[tuple[str, str, Source, str, float], ...] = (
        ("node_cpu_seconds_total", cpus, "node", "vcpus", 1),
        ("node_memory_MemTotal_bytes", memory, "node", "memory_gib", GIB),
        ("kube_node_status_capacity", capacity, "cadvisor", "vcpus", 1),
        ("kube_node_status_capacity", room, "cadvisor", "memory_gib", GIB),
        ("machine_cpu_cores", f"machine_cpu_cores{{{also}}}", "cadvisor", "vcpus", 1),
        ("machine_memory_bytes", f"machine_memory_bytes{{{also}}}", "cadvisor", "memory_gib", GIB),
    )
    for needs, query, source, attribute, unit in asked:
        if needs in fleet.metrics:
            newest = _of_machines(fleet, _newest(client, query, span, len(fleet.machines)), source)
            _take(fleet, newest, attribute, unit)
            _mark_alive(fleet, newest, span)
            if not needs.startswith("kube_"):  # that is kube-state-metrics's own target
                _name_targets(fleet, newest, source)
    if query := _cards_query(fleet.metrics, also):
        cards = _of_machines(fleet, _newest(client, query, span, len(fleet.machines)), "dcgm")
        _count_cards(fleet, cards)
        _mark_alive(fleet, cards, span)


def _cards_query(metrics: frozenset[str], also: str) -> str:
    """The memory of each card (MiB), or, where it is not exported, that there is one.

    A machine whose cards went unseen would be sized by its CPU alone.
    """
    if {"DCGM_FI_DEV_FB_USED", "DCGM_FI_DEV_FB_FREE"} <= metrics:
        return f"DCGM_FI_DEV_FB_USED{{{also}}} + DCGM_FI_DEV_FB_FREE{{{also}}}"
    for name in ("DCGM_FI_DEV_GPU_UTIL", "DCGM_FI_PROF_GR_ENGINE_ACTIVE"):
        if name in metrics:
            return f"{name}{{{also}}} * 0 + {NO_MIB:.0f}"
    return ""


class _Seen(NamedTuple):
    labels: Labels
    at: int
    value: float


def _newest(client: Client, query: str, span: Span, machines: int) -> list[_Seen]:
    """The last value of each series at `LOOKS` moments that end with the span.

    Of many machines the moments are asked for in parts, the newest first.
    """
    step = max(300, (span.stop - span.start) // LOOKS)
    looks = (span.stop - span.start) // step
    newest: dict[tuple[tuple[str, str], ...], _Seen] = {}
    end = span.stop
    while looks >= 0:
        part = min(looks + 1, max(1, _AT_ONCE // machines))
        try:
            found = queries.ranged(client, query, Span(end - part * step, end), step)
        except TooMuchError:
            if end < span.stop:
                break  # at least what runs now is known
            if part == 1:
                raise
            looks = (part - 1) // 8
            continue
        for line in found:
            if len(line.times):
                seen = _Seen(line.labels, int(line.times[-1]), float(line.values[-1]))
                newest.setdefault(tuple(queries.by_labels(line.labels)), seen)
        looks, end = looks - part, end - part * step
    return [newest[labels] for labels in sorted(newest)]


def _of_machines(fleet: Fleet, seen: list[_Seen], source: Source) -> dict[str, list[_Seen]]:
    """What tells of each machine, where it is a figure."""
    found: dict[str, list[_Seen]] = {}
    for one in seen:
        unique = fleet.names.owner(one.labels, source)
        if unique in fleet.machines and isfinite(one.value) and one.value > 0:
            found.setdefault(unique, []).append(one)
    return found


def _mark_alive(fleet: Fleet, seen: dict[str, list[_Seen]], span: Span) -> None:
    for unique, told in seen.items():
        machine, last = fleet.machines[unique], max(one.at for one in told)
        machine.alive |= last > span.stop - ALIVE_SECONDS
        machine.seen = max(last, machine.seen or last)


def _name_targets(fleet: Fleet, seen: dict[str, list[_Seen]], source: Source) -> None:
    """By the newest target: an address may be another one's by now. Of two the first counts."""
    for unique, told in seen.items():
        if source == "cadvisor" and not told_by_cadvisor(fleet.machines[unique]):
            continue
        last = max(one.at for one in told)
        fleet.machines[unique].instance = min(
            one.labels.get("instance", "") for one in told if one.at == last
        )


def _take(fleet: Fleet, seen: dict[str, list[_Seen]], attribute: str, unit: float) -> None:
    """The newest value of each machine; of two at once the larger. What is set already stays."""
    for unique, told in seen.items():
        machine = fleet.machines[unique]
        if getattr(machine, attribute) is None:
            newest = max((one.at, one.value) for one in told)[1]
            setattr(machine, attribute, newest / unit)


def _count_cards(fleet: Fleet, seen: dict[str, list[_Seen]]) -> None:
    """Cards by UUID: those that the machine had when it was last seen."""
    for unique, cards in seen.items():
        last = max(card.at for card in cards)
        fleet.machines[unique].cards = _cards([card for card in cards if card.at == last])


def _cards(seen: list[_Seen]) -> Cards:
    """Of the memory that each card has, or its MIG slices have together (MiB)."""
    sizes: dict[str, dict[str, float]] = {}
    for one in seen:
        whole = device_of({k: v for k, v in one.labels.items() if k != "GPU_I_ID"})
        part = one.labels.get("GPU_I_ID", "")
        slices = sizes.setdefault(whole, {})
        slices[part] = max(slices.get(part, 0.0), one.value)  # several pods may use one
    each = [slices.get("") or sum(slices.values()) for slices in sizes.values()]
    known = [mib for mib in each if 0 < mib < NO_MIB]
    model = next((m for one in seen if (m := one.labels.get("modelName"))), "")
    memory = float(ceil(max(known) / 1024)) if known else None
    return Cards(model.removeprefix("NVIDIA ") or "unknown", len(sizes), memory)


def device_of(labels: Labels) -> str:
    """The card, and the MIG slice of it: by UUID, which stays when cards are numbered anew."""
    card = labels.get("UUID") or (f"gpu{labels['gpu']}" if labels.get("gpu") else "")
    mig = labels.get("GPU_I_ID")
    return f"{card}/MIG-{mig}" if mig else card
