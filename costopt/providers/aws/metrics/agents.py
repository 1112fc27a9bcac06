"""Which of the CloudWatch agent's series are asked for. Pure.

The agent sends a metric under the dimensions that its configuration names, often under several sets
of them: a query must give one of these sets whole.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence, Set
from typing import Final, NamedTuple

from costopt.providers.aws.metrics.catalogue import AGENT_ENTRIES, AgentEntry, Entry, Made, Raw
from costopt.providers.aws.metrics.targets import Dimensions, Target

_PSEUDO: Final = frozenset(
    {"tmpfs", "devtmpfs", "ramfs", "overlay", "squashfs", "iso9660", "efivarfs"}
    | {"proc", "sysfs", "cgroup", "cgroup2", "debugfs"}
)
"""File systems that are no disk."""


class Listed(NamedTuple):
    """One series as ListMetrics tells it."""

    name: str
    dimensions: Dimensions


class Found(NamedTuple):
    """One thing of one machine's agent, to be asked for."""

    entry: Entry
    dimensions: Dimensions
    device: str  # "" = the whole machine


def found(listed: Iterable[Listed], machine: Target) -> list[Found]:
    """What to ask of one machine, of the series that carry its InstanceId.

    Where one thing is sent under several sets of dimensions the most specific one is taken; of
    equal ones that of the machine's type of today, then the first by name. Where devices are told
    apart, the series over all of them is left out.
    """
    series = list(listed)
    pseudo = {dict(one.dimensions).get("path") for one in series if _pseudo(one.dimensions)}
    sets: dict[str, list[Dimensions]] = defaultdict(list)
    for one in series:
        if not _pseudo(one.dimensions) and not _aggregated(one.dimensions, pseudo):
            sets[one.name].append(one.dimensions)
    asked = []
    for entry in AGENT_ENTRIES:
        spelt = _spelt(entry, sets)
        if spelt is not None:
            asked += _devices(entry, spelt, sets, machine)
    return asked


def by_machine(listed: Iterable[Listed]) -> dict[str, list[Listed]]:
    """The series by their InstanceId."""
    machines: dict[str, list[Listed]] = defaultdict(list)
    for one in listed:
        if instance := dict(one.dimensions).get("InstanceId"):
            machines[instance].append(one)
    return machines


def nameless(listed: Sequence[Listed]) -> list[str]:
    """Hosts whose agents do not say which machine they are on, in any of their series."""
    wanted = {name for entry in AGENT_ENTRIES for name in entry.names}
    told = [dict(one.dimensions) for one in listed if one.name in wanted]
    hosts = {one["host"] for one in told if "host" in one}
    return sorted(hosts - {one["host"] for one in told if one.keys() >= {"host", "InstanceId"}})


def _devices(
    entry: Entry, names: dict[str, str], sets: dict[str, list[Dimensions]], machine: Target
) -> list[Found]:
    """One for each device; where there are devices, none for all of them."""
    chosen: dict[str, Dimensions] = {}
    common = set.intersection(*(set(sets[name]) for name in names.values()))
    for dimensions in sorted(common, key=lambda one: _rank(one, machine)):
        chosen.setdefault(_device(entry, dimensions), dimensions)
    if len(chosen) > 1:
        chosen.pop("", None)
    spelt = _renamed(entry, names)
    return [Found(spelt, chosen[device], device) for device in sorted(chosen)]


def _spelt(entry: Entry, sets: dict[str, list[Dimensions]]) -> dict[str, str] | None:
    """The entry's names as this agent spells them; that of Windows puts a space for the first _."""
    spelt = {}
    for name in entry.names:
        ways = (name, name.replace("nvidia_smi_", "nvidia_smi ", 1))
        way = next((way for way in ways if way in sets), None)
        if way is None:
            return None
        spelt[name] = way
    return spelt


def _renamed(entry: Entry, names: dict[str, str]) -> Entry:
    if all(name == spelt for name, spelt in names.items()):
        return entry
    made = tuple(
        Made(m.name, m.statistic, m.formula, tuple(Raw(names[r.name], r.stat) for r in m.inputs))
        for m in entry.made
    )
    return Entry(entry.namespace, made)


def _rank(dimensions: Dimensions, machine: Target) -> tuple[int, bool, Dimensions]:
    other_type = dict(dimensions).get("InstanceType", machine.instance_type)
    return -len(dimensions), other_type != machine.instance_type, dimensions


def _device(entry: Entry, dimensions: Dimensions) -> str:
    told = dict(dimensions)
    names = entry.device if isinstance(entry, AgentEntry) else ()
    return next((told[name] for name in names if name in told), "")


def _pseudo(dimensions: Dimensions) -> bool:
    return dict(dimensions).get("fstype") in _PSEUDO


def _aggregated(dimensions: Dimensions, paths: Set[str | None]) -> bool:
    """Whether it is the sum over a path of these (`aggregation_dimensions`), which no longer says
    what file system it is."""
    told = dict(dimensions)
    return "path" in told and "fstype" not in told and told["path"] in paths
