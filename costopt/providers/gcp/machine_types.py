"""What the names of Compute Engine's machine types say, and what no API tells of them.

Each table has its source: pages of the Compute Engine documentation.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from costopt.model import Shape

PROVIDER: Final = "GCP"


class Gpus(NamedTuple):
    """Accelerators of a machine; memory is of one card."""

    model: str | None = None
    cards: int = 0
    card_gib: float | None = None


# Accelerator types: model, GiB a card. Source: "GPU platforms" / "GPU machine types".
_ACCELERATORS: Final = {
    "nvidia-tesla-k80": ("K80", 12.0), "nvidia-tesla-p4": ("P4", 8.0),
    "nvidia-tesla-p100": ("P100", 16.0), "nvidia-tesla-v100": ("V100", 16.0),
    "nvidia-tesla-t4": ("T4", 16.0), "nvidia-l4": ("L4", 24.0),
    "nvidia-tesla-a100": ("A100", 40.0), "nvidia-a100-80gb": ("A100", 80.0),
    "nvidia-h100-80gb": ("H100", 80.0), "nvidia-h100-mega-80gb": ("H100", 80.0),
    "nvidia-h200-141gb": ("H200", 141.0), "nvidia-b200": ("B200", 180.0),
    "nvidia-gb200": ("GB200", 186.0), "nvidia-rtx-pro-6000": ("RTX PRO 6000", 96.0),
}  # fmt: skip
_WORKSTATION: Final = "-vws"
"""The same card with a licence for graphics."""

ATTACHABLE: Final = (
    "nvidia-tesla-k80", "nvidia-tesla-p4", "nvidia-tesla-p100", "nvidia-tesla-t4",
    "nvidia-tesla-v100",
)  # fmt: skip
"""Cards that no machine type brings along: they are attached to N1 machines, and billed apart.
Source: "GPU platforms"."""

# Accelerator-optimized families, and those of graphics by vCPUs. Source: "GPU machine types".
_OF_FAMILY: Final = {
    "a2-highgpu": "nvidia-tesla-a100", "a2-megagpu": "nvidia-tesla-a100",
    "a2-ultragpu": "nvidia-a100-80gb", "a3-highgpu": "nvidia-h100-80gb",
    "a3-megagpu": "nvidia-h100-mega-80gb", "a3-edgegpu": "nvidia-h100-80gb",
    "a3-ultragpu": "nvidia-h200-141gb", "a4-highgpu": "nvidia-b200",
    "a4x-highgpu": "nvidia-gb200",
}  # fmt: skip
_G2_CARDS: Final = {4: 1, 8: 1, 12: 1, 16: 1, 24: 2, 32: 1, 48: 4, 96: 8}
_G4_CARDS: Final = {48: 1, 96: 2, 192: 4, 384: 8}  # below 48 vCPUs a share of one card

# Percent of the whole machine. Source: "Shared-core machine types".
_BASELINE: Final = {
    "e2-micro": 12.5, "e2-small": 25.0, "e2-medium": 50.0, "f1-micro": 20.0, "g1-small": 50.0,
}  # fmt: skip
_ARM: Final = ("t2a", "c4a", "n4a", "a4x")
_WHOLE_CORES: Final = ("t2a", "c4a", "n4a", "t2d", "h3", "h4d")  # one thread a core
# Google names no previous generation; these are the first of their kind, superseded and dearer.
_PREVIOUS: Final = ("f1", "g1", "n1", "m1", "m2")
_LOCAL_SSD_GIB: Final = 375
# Local SSDs of "-lssd" types by vCPUs. Source: "General-purpose machine family".
_SSDS: Final = {
    "c3": {4: 1, 8: 2, 22: 4, 44: 8, 88: 16, 176: 32},
    "c3d": {8: 1, 16: 1, 30: 2, 60: 4, 90: 8, 180: 16, 360: 32},
    "c4": {4: 1, 8: 1, 16: 2, 24: 4, 32: 5, 48: 8, 96: 16, 144: 24, 192: 32, 288: 48},
    "c4a": {4: 1, 8: 2, 16: 4, 32: 6, 48: 10, 64: 14, 72: 16},
    "c4d": {8: 1, 16: 1, 32: 2, 48: 4, 64: 6, 96: 8, 192: 16, 384: 32},
    "h4d": {192: 10},
}
# Local SSDs that accelerator types bring along, by cards.
_GPU_SSDS: Final = {
    "a2-ultragpu": {1: 1, 2: 2, 4: 4, 8: 8}, "a3-highgpu": {1: 2, 2: 4, 4: 8, 8: 16},
    "a3-megagpu": {8: 16}, "a3-ultragpu": {8: 32}, "a4-highgpu": {8: 32},
}  # fmt: skip
# Local disks of Z3, 3,000 GiB each, by vCPUs. Source: "Storage-optimized machine family".
_Z3_DISK_GIB: Final = 3000
_Z3_DISKS: Final = {
    "z3-highmem": {88: 12, 176: 12},
    "z3-highmem-highlssd": {8: 1, 16: 2, 22: 3, 32: 4, 44: 6, 88: 12},
    "z3-highmem-highlssd-metal": {192: 24},
    "z3-highmem-standardlssd": {14: 1, 22: 2, 44: 3, 88: 6, 176: 12},
}
# Egress limit, Gbit/s a vCPU, least and most. Source: "Network bandwidth".
_NETWORK: Final = {
    "e2": (2.0, 4.0, 16.0), "n1": (2.0, 10.0, 32.0), "n2": (2.0, 10.0, 32.0),
    "n2d": (2.0, 10.0, 32.0), "t2d": (2.0, 10.0, 32.0), "t2a": (2.0, 10.0, 32.0),
    "c2": (2.0, 10.0, 32.0), "c2d": (2.0, 10.0, 32.0),
}  # fmt: skip

# Source: "Create a VM with a custom machine type": custom-2-4096 is of N1, memory is in MiB.
_CUSTOM: Final = re.compile(
    r"(?:(?P<series>[a-z]\w*)-)?custom-(?P<size>\d{1,4}|micro|small|medium)-(?P<mib>\d{1,9})"
    r"(?P<extended>-ext)?"
)
_SHARED_CUSTOM_VCPUS: Final = 2  # of e2-custom-small-2048, say


def described(name: str, vcpus: float, memory_gib: float, *, deprecated: bool = False) -> Shape:
    """The type of that name and size; network and disks are 0 or None where they are not known.

    GPU memory is of one card; a share of a card counts as one card with that share of memory.
    """
    found = gpus(name, vcpus)
    return Shape(
        provider_name=PROVIDER,
        instance_type=name,
        vcpus=vcpus,
        memory_gib=memory_gib,
        physical_cores=_cores(name, vcpus),
        architecture="arm64" if series(name) in _ARM else "x86_64",
        gpu_model=found.model,
        gpu_count=found.cards,
        gpu_memory_gib=found.card_gib,
        burstable_baseline_percent=baseline_percent(name),
        network_gbps=_network_gbps(name, vcpus),
        local_disk_gib=_local_disk_gib(name, vcpus, found.cards),
        family=family(name),
        current_generation=series(name) not in _PREVIOUS and not deprecated,
    )


def custom(name: str) -> Shape | None:
    """The type that a custom name stands for: n2-custom-4-8192-ext, custom-2-4096; None: it is no
    custom name."""
    found = _CUSTOM.fullmatch(name)
    if found is None:
        return None
    size = found["size"]
    vcpus = int(size) if size.isdigit() else _SHARED_CUSTOM_VCPUS
    return described(name, float(vcpus), int(found["mib"]) / 1024) if vcpus else None


def series(name: str) -> str:
    """n2 of n2-standard-4 and n2-custom-4-8192; n1 of custom-2-4096."""
    first = name.partition("-")[0]
    return "n1" if first == "custom" else first


def family(name: str) -> str:
    """n2-standard, c3-standard-lssd, e2-shared, n2-custom: types of one ratio and one price per
    unit."""
    if baseline_percent(name) is not None:
        return f"{series(name)}-shared"
    if _CUSTOM.fullmatch(name):
        return f"{series(name)}-custom"
    return re.sub(r"-\d+[gt]?(?=-|$)", "", name)


def baseline_percent(name: str) -> float | None:
    """What a shared-core type sustains, in percent of the whole machine; None: all of it, or it is
    not known."""
    found = _CUSTOM.fullmatch(name)
    return _BASELINE.get(f"{found['series']}-{found['size']}" if found else name)


def accelerators(kind: str, count: int) -> Gpus:
    """Cards of an accelerator type (nvidia-tesla-t4); one that we do not know by its own name."""
    if not kind or count < 1:
        return Gpus()
    model, card_gib = _ACCELERATORS.get(kind.removesuffix(_WORKSTATION), (kind, None))
    return Gpus(model, count, card_gib)


def attachable(kind: str) -> str | None:
    """The accelerator type by which attached cards are billed, a licence for graphics apart; None:
    a machine type brings them along, or we do not know them."""
    card = kind.removesuffix(_WORKSTATION)
    return card if card in ATTACHABLE else None


def gpus(name: str, vcpus: float) -> Gpus:
    """Cards that the machine type itself brings along."""
    found = accelerators(*brought(name, vcpus))
    if name.startswith("g4-standard"):
        return found._replace(card_gib=min(96.0, 2.0 * vcpus))
    return found


def brought(name: str, vcpus: float) -> tuple[str, int]:
    """The accelerator type that the machine type itself brings along, and how many; ("", 0): none.
    A share of a card counts as one."""
    if name.startswith("g2-") and vcpus in _G2_CARDS:
        return "nvidia-l4", _G2_CARDS[int(vcpus)]
    if name.startswith("g4-standard"):
        return "nvidia-rtx-pro-6000", _G4_CARDS.get(int(vcpus), 1)
    match = re.match(r"(a\d+x?-[a-z]+)-(\d+)g", name)
    kind = _OF_FAMILY.get(match[1], "") if match else ""
    return (kind, int(match[2])) if match and kind else ("", 0)


def local_ssds_gib(name: str, partitions: int) -> float:
    """Of so many local disks that the type brings along."""
    return float(partitions * (_Z3_DISK_GIB if series(name) == "z3" else _LOCAL_SSD_GIB))


def _cores(name: str, vcpus: float) -> float | None:
    if baseline_percent(name) is not None:
        return None
    return vcpus if series(name) in _WHOLE_CORES else max(vcpus / 2, 0.5)


def _network_gbps(name: str, vcpus: float) -> float | None:
    if series(name) not in _NETWORK or baseline_percent(name) is not None:
        return None
    rate, least, most = _NETWORK[series(name)]
    return min(max(rate * vcpus, least), most)


def _local_disk_gib(name: str, vcpus: float, cards: int) -> float:
    if series(name) == "z3":
        disks = _Z3_DISKS.get(family(name), {}).get(int(vcpus), 0)
    elif name.endswith(("-lssd", "-lssd-metal")):
        disks = _SSDS.get(series(name), {}).get(int(vcpus), 0)
    else:
        disks = _GPU_SSDS.get(family(name), {}).get(cards, 0)
    return local_ssds_gib(name, disks)
