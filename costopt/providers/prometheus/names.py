"""Which machine a series is about, whichever exporter it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from costopt.providers.prometheus.kubernetes import Node, name_of
from costopt.providers.prometheus.measures import Source
from costopt.providers.prometheus.queries import Labels


def host(instance: str) -> str:
    """The instance label without its port: web-1 of web-1:9100, ::1 of [::1]:9100."""
    if instance.startswith("["):
        return instance[1:].partition("]")[0]
    name, colon, port = instance.rpartition(":")
    return name if colon and port.isdigit() and ":" not in name else instance


@dataclass
class Names:
    """The ids of machines by every name that exporters know them by."""

    label: str  # the label that names the machine; "nodename" = its own name
    nodes: Mapping[str, Node]
    nodenames: dict[tuple[str, str], str] = field(default_factory=dict)  # of instance and job
    unnamed: int = 0  # targets of node_exporter that lack the label
    _known: dict[str, str] = field(default_factory=dict)
    _unclear: set[str] = field(default_factory=set)
    _by_address: dict[str, Node] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._by_address = {node.address: node for node in self.nodes.values() if node.address}

    def learn(self, infos: Iterable[Labels], targets: Iterable[Labels]) -> None:
        """Take in node_uname_info, then the targets of node_exporter."""
        for info in infos:
            if name := info.get("nodename"):
                self.nodenames[_target(info)] = name
        for labels in targets:
            self.unnamed += not self._told(labels)
            machine = self.owner(labels, "node")
            own = self.nodenames.get(_target(labels), "")
            node = self._node(labels)
            aliases = {self._told(labels), host(labels.get("instance", "")), own, _short(own)}
            for alias in aliases | ({node.name, node.address} if node else set()):
                self._learn(alias, machine)

    def owner(self, labels: Labels, source: Source) -> str:
        """The id of the machine that the series is about; "" = it does not say."""
        node = self._node(labels)
        if node and node.resource_id:
            return node.resource_id
        if source == "node":
            return self._told(labels) or host(labels.get("instance", ""))
        named = [labels.get("Hostname", "")] if source == "dcgm" else []
        named += [node.name] if node else []
        named += [name_of(labels), self._told(labels), host(labels.get("instance", ""))]
        candidates = [alias for name in named if name for alias in (name, _short(name))]
        found = next((self._known[name] for name in candidates if name in self._known), None)
        return found or next((name for name in named if name), "")

    def node(self, labels: Labels) -> Node | None:
        """The Kubernetes node that the series is about."""
        return self._node(labels)

    def name(self, labels: Labels) -> str | None:
        """What the machine calls itself."""
        return self.nodenames.get(_target(labels))

    def called(self, alias: str) -> str | None:
        """The id of the one machine that goes by that name, too."""
        return self._known.get(alias)

    def _told(self, labels: Labels) -> str:
        if self.label == "instance":
            return host(labels.get("instance", ""))
        if self.label == "nodename":
            return self.nodenames.get(_target(labels), "")
        return labels.get(self.label, "")

    def _node(self, labels: Labels) -> Node | None:
        own = self.nodenames.get(_target(labels), "")
        for name in (labels.get("Hostname", ""), name_of(labels), own, self._told(labels)):
            if name in self.nodes:
                return self.nodes[name]
        return self._by_address.get(host(labels.get("instance", "")))

    def _learn(self, alias: str, machine: str) -> None:
        """An alias of two machines is one of none."""
        if not alias or alias in self._unclear:
            return
        if self._known.setdefault(alias, machine) != machine:
            del self._known[alias]
            self._unclear.add(alias)


def _target(labels: Labels) -> tuple[str, str]:
    return labels.get("instance", ""), labels.get("job", "")


def _short(name: str) -> str:
    """The first part of a host's full name; an address has none."""
    return "" if name.replace(".", "").isdigit() or ":" in name else name.partition(".")[0]
