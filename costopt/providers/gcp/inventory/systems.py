"""Which system a machine runs, by the licences of its disks: they are what Google bills."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Any, Final

_LICENCE: Final = re.compile(r".*projects/(?P<project>[^/]+)/global/licenses/(?P<name>[^/]+)")

# Project of the licence begins so -> the system, in the words that AWS's price list has, too; the
# first that any disk has. Source: Compute Engine, "Operating system details".
_SYSTEMS: Final = {
    "windows": "Windows",
    "rhel": "RHEL",
    "suse": "SUSE",
    "ubuntu-os-pro": "Ubuntu Pro",
}
_OWN_LICENCE: Final = ("byos", "byol")
"""In the project's name or the licence's: the licence is the customer's own, nothing is billed."""


def licences(disks: Iterable[Any]) -> list[str]:
    """Of all disks, as project/name: windows-cloud/windows-server-2022-dc."""
    found = (_LICENCE.fullmatch(url) for disk in disks for url in disk.licenses)
    return sorted({f"{one['project']}/{one['name']}" for one in found if one})


def operating_system(names: Collection[str], features: Collection[str]) -> str:
    """The system whose price holds.

    Without a licence that costs it is Linux, but for Windows that was brought along, which the
    disk's features tell; that its licence is one's own, the attribute `licences` says.

    Args:
        names: as `licences` gives them.
        features: of the boot disk's guest system (WINDOWS, UEFI_COMPATIBLE, ...).
    """
    billed = [name for name in names if not any(own in name for own in _OWN_LICENCE)]
    for start, system in _SYSTEMS.items():
        if any(name.startswith(start) for name in billed):
            return system
    return "Windows" if "WINDOWS" in features else "Linux"
