"""What a machine type is, read from the attributes that the price list gives it.

The list is written for people: "1,952 GiB", "Up to 12500 Megabit", "2 x 900 NVMe SSD". What cannot
be read stays unknown.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from costopt.schema import AWS_LIST

SOURCE: Final = AWS_LIST
_NUMBER: Final = r"(\d[\d,]*(?:\.\d+)?)"
_MEMORY: Final = re.compile(_NUMBER + r" ?Gi?B", re.IGNORECASE)
_NETWORK: Final = re.compile(r"(?:up to )?" + _NUMBER + r" (mega|giga)bit", re.IGNORECASE)
_DISKS: Final = re.compile(r"(?:(\d+) x )?" + _NUMBER + r" ?(TB|GB)?\b.*", re.IGNORECASE)
_BURSTABLE: Final = re.compile(r"t\d")
_PLAIN: Final = ("general purpose", "compute optimized", "memory optimized", "storage optimized")
_GIB_PER_GB: Final = 1000**3 / 1024**3


def shape(attributes: Mapping[str, str], valid_from: date | None) -> dict[str, Any] | None:
    """The type as a row of schema.SHAPES; None where that row would mislead.

    The list does not say what a burstable type sustains, and without that it would pass for one
    that runs at full speed for ever. Nor does it count the accelerators of all types, and without
    them such a machine would be judged by its CPU. Neither model nor memory of GPUs is told.

    Args:
        attributes: by the column names of the CSV file.
    """
    name = attributes["Instance Type"]
    vcpus, gpus = _number(attributes["vCPU"]), _number(attributes["GPU"])
    plain = attributes["Instance Family"].casefold() in _PLAIN
    if not vcpus or _BURSTABLE.match(name) or not (plain or gpus):
        return None
    return {
        "ProviderName": "AWS",
        "x_InstanceType": name,
        "x_vCPUs": vcpus,
        "x_PhysicalCores": _number(attributes["Physical Cores"]),
        "x_MemoryGiB": _found(_MEMORY, attributes["Memory"]),
        "x_Architecture": _architecture(attributes["Physical Processor"]),
        "x_GPUModel": None,
        "x_GPUCount": math.ceil(gpus) if gpus else None,  # a share counts as one card
        "x_GPUMemoryGiB": None,
        "x_BurstableBaselinePercent": None,
        "x_NetworkGbps": _network(attributes["Network Performance"]),
        "x_LocalDiskGiB": _disks(attributes["Storage"]),
        "x_Family": _family(name),
        "x_CurrentGeneration": {"Yes": True, "No": False}.get(attributes["Current Generation"]),
        "x_ValidFrom": valid_from,
        "x_Source": SOURCE,
    }


def _number(text: str) -> float | None:
    plain = text.replace(",", "").strip()
    return float(plain) if re.fullmatch(r"\d{1,9}(?:\.\d{1,9})?", plain) else None


def _found(pattern: re.Pattern[str], text: str) -> float | None:
    found = pattern.fullmatch(text.strip())
    return _number(found[1]) if found else None


def _architecture(processor: str) -> str | None:
    if not processor or processor == "NA":
        return None
    return "arm64" if "graviton" in processor.casefold() else "x86_64"


def _network(text: str) -> float | None:
    found = _NETWORK.fullmatch(text.strip())
    figure = _number(found[1]) if found else None
    if found is None or figure is None:
        return None
    return figure / 1000 if found[2].casefold() == "mega" else figure


def _disks(text: str) -> float | None:
    """GiB of all local disks together; 0 = none, None = not told."""
    if text.casefold().startswith("ebs"):
        return 0.0
    found = _DISKS.fullmatch(text.strip())
    size = _number(found[2]) if found else None
    if found is None or size is None:
        return None
    unit = 1000 if (found[3] or "").upper() == "TB" else 1
    return round(int(found[1] or 1) * size * unit * _GIB_PER_GB, 1)


def _family(name: str) -> str:
    """Bare metal stands apart from its family, as in the built-in snapshot."""
    family, _, size = name.partition(".")
    return f"{family}-metal" if size.startswith("metal") else family
