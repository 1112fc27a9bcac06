"""Which thing a line is for, under the name that inventory and metrics have for it.

The export names what Compute Engine bills by numbers: global_name is
//compute.googleapis.com/projects/441570621172/zones/europe-west4-a/disk/5731447681477044785, in the
singular for disks, and resource.name is the name that the user gave. The inventory's name has the
project's id, the plural and the name; where a line lacks the name, its number is looked up.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import pyarrow as pa

from costopt.providers.gcp.names import full_name

_GLOBAL: Final = re.compile(
    r"//compute\.googleapis\.com/projects/(?P<project>[^/]+)/"
    r"(?P<scope>zones/[^/]+|regions/[^/]+|global)/(?P<kind>[A-Za-z]+)/(?P<name>[^/]+)"
)
_NAME: Final = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_PLURALS: Final = {
    "instance": "instances",
    "disk": "disks",
    "snapshot": "snapshots",
    "address": "addresses",
    "globalAddress": "addresses",
    "globalAddresses": "addresses",
    "image": "images",
    "reservation": "reservations",
}
_NUMBERS: Final = {"instances": "instance_id", "disks": "disk_id", "snapshots": "snapshot_id"}
"""What the inventory calls the numbers of things, by their kind."""
_TYPES: Final = {
    "instances": "Virtual machine",
    "disks": "Disk",
    "snapshots": "Snapshot",
    "addresses": "Address",
}


class Things:
    """What is known of the things that bills name by number."""

    def __init__(self, resources: Iterable[Mapping[str, Any]] = ()) -> None:
        self._by_number: dict[tuple[str, str], str] = {}  # kind and number
        for row in resources:
            said = dict(row.get("x_Attributes") or {})
            for kind, name in _NUMBERS.items():
                if number := said.get(name):
                    self._by_number[kind, number] = row["ResourceId"]

    def named(
        self, global_name: pa.Array, name: pa.Array, project: pa.Array
    ) -> tuple[pa.Array, pa.Array]:
        """ResourceId and ResourceType.

        Args:
            global_name: resource.global_name. name: resource.name. project: project.id.
        """
        known: dict[tuple[str | None, ...], tuple[str | None, str | None]] = {}
        found = []
        for key in zip(global_name.to_pylist(), name.to_pylist(), project.to_pylist(), strict=True):
            if key not in known:
                known[key] = self._named(*key)
            found.append(known[key])
        ids, types = zip(*found, strict=True) if found else ((), ())
        return pa.array(ids, pa.string()), pa.array(types, pa.string())

    def _named(
        self, global_name: str | None, name: str | None, project: str | None
    ) -> tuple[str | None, str | None]:
        said = _GLOBAL.fullmatch(global_name or "")
        if said is None:
            return global_name, None
        kind = _PLURALS.get(said["kind"], said["kind"])
        type_of = _TYPES.get(kind)
        if (kind, said["name"]) in self._by_number:
            return self._by_number[kind, said["name"]], type_of
        own = said["name"]
        if own.isdigit():
            if not name or not _NAME.fullmatch(name):
                return global_name, type_of
            own = name
        home = said["project"] if not said["project"].isdigit() else project or said["project"]
        return full_name(home, said["scope"], kind, own), type_of
