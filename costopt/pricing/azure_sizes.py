"""What an Azure size is, read from its own name and a small table of series.

Azure's price list carries no shapes. Its size names say most of it: family letters, vCPUs, vCPUs
left active, features in lower case, version ("Standard_E16-4ads_v5"), so that memory follows from
the ratio per vCPU that the series publishes. What names do not say stands in the tables below.

Source: Microsoft, "Sizes for virtual machines in Azure" and "Azure VM naming conventions", the
series pages of learn.microsoft.com/azure/virtual-machines/sizes (read 2026-11).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from costopt.model import Shape

PROVIDER: Final = "Azure"

_NAME: Final = re.compile(
    r"Standard_(?P<letters>[A-Z]+)(?P<size>\d+)(?:-(?P<active>\d+))?(?P<features>[a-z]*)"
    r"(?P<extra>(?:_[A-Za-z0-9]+)*?)(?:_v(?P<version>\d+))?"
)


@dataclass(frozen=True, slots=True)
class Name:
    """The parts of a size's name."""

    letters: str
    size: int  # vCPUs, except in the oldest series
    active: int | None  # vCPUs left active ("constrained vCPU" sizes)
    features: str  # a AMD, p Arm, d local disk, l low memory, s premium storage, ...
    extra: str  # "_T4", "_A100", "_3", ... as written
    version: int

    @property
    def family(self) -> str:
        """The series as Microsoft writes it: Dsv5, Eadsv5, NCadsA100v4, DSv2."""
        tag = "" if self.letters == "M" else self.extra.replace("_", "")
        version = f"v{self.version}" if self.version > 1 else ""
        return f"{self.letters}{self.features}{tag}{version}"


def parse(instance_type: str) -> Name | None:
    """The name's parts; None where it is no ordinary size (hosts, promotions, placeholders)."""
    match = _NAME.fullmatch(instance_type)
    if match is None:
        return None
    active = match["active"]
    return Name(
        letters=match["letters"],
        size=int(match["size"]),
        active=int(active) if active else None,
        features=match["features"],
        extra=match["extra"],
        version=int(match["version"] or 1),
    )


# Sizes that the rule "ratio x vCPUs" misses, mostly the largest of a host, which keeps memory for
# itself: (letters, processor, version, vCPUs) -> GiB. Processor: "a" AMD, "p" Arm, "" Intel.
_EXCEPTIONS: Final[dict[tuple[str, str, int, int], float]] = {
    ("D", "p", 5, 64): 208, ("E", "p", 5, 32): 208, ("E", "p", 6, 96): 672,
    ("E", "", 3, 64): 432, ("E", "", 4, 64): 504, ("E", "", 4, 80): 504,
    ("E", "", 5, 96): 672, ("E", "", 5, 104): 672, ("E", "", 5, 112): 672,
    ("E", "", 6, 192): 1832, ("E", "", 7, 372): 2832,
    ("E", "a", 4, 96): 672, ("E", "a", 5, 96): 672, ("E", "a", 5, 112): 672,
    ("E", "a", 6, 96): 672,
    ("EC", "a", 5, 32): 192, ("EC", "a", 5, 96): 672, ("EC", "a", 6, 96): 672,
    ("EC", "", 5, 128): 768, ("FX", "", 2, 96): 1832,
}  # fmt: skip

# GiB per vCPU by letters.
_GIB_PER_VCPU: Final = {"D": 4.0, "DC": 4.0, "E": 8.0, "EC": 8.0, "F": 2.0, "FX": 21.0, "L": 8.0}

# Series older than the rule: size -> (vCPUs, GiB).
_A: Final = {
    0: (1, 0.75), 1: (1, 1.75), 2: (2, 3.5), 3: (4, 7), 4: (8, 14), 5: (2, 14), 6: (4, 28),
    7: (8, 56), 8: (8, 56), 9: (16, 112), 10: (8, 56), 11: (16, 112),
}  # fmt: skip
_D: Final = {
    1: (1, 3.5), 2: (2, 7), 3: (4, 14), 4: (8, 28), 5: (16, 56), 11: (2, 14), 12: (4, 28),
    13: (8, 56), 14: (16, 112), 15: (20, 140),
}  # fmt: skip
_G: Final = {1: (2, 28), 2: (4, 56), 3: (8, 112), 4: (16, 224), 5: (32, 448)}

# Series B: GiB, and what the CPU sustains in percent of the whole machine.
_B1: Final = {
    "1ls": (0.5, 5), "1s": (1, 10), "1ms": (2, 20), "2s": (4, 20), "2ms": (8, 30),
    "4ms": (16, 22.5), "8ms": (32, 17), "12ms": (48, 17), "16ms": (64, 17), "20ms": (80, 17),
}  # fmt: skip
# v2, by the letter before "s": GiB per vCPU and the sustained percent.
_B2: Final = {"t": (0.5, 20.0), "l": (2.0, 30.0), "": (4.0, 40.0)}

# High performance computing: GiB of the whole size, also where cores are left idle.
_H: Final[dict[tuple[str, int, int], float]] = {
    ("H", 1, 8): 56, ("H", 1, 16): 112, ("HB", 1, 60): 228, ("HB", 2, 120): 456,
    ("HB", 3, 120): 448, ("HB", 4, 176): 768, ("HB", 5, 368): 448, ("HC", 1, 44): 352,
    ("HX", 1, 176): 1408,
}  # fmt: skip

# Series M: GiB by version and "vCPUs, features without s and d, tag".
_M1: Final[dict[str, float]] = {
    "8m": 218.75, "16m": 437.5, "32m": 875, "64m": 1792, "128m": 3892, "32l": 256, "64l": 512,
    "32t": 192, "16": 128, "32": 256, "64": 1024, "128": 2048,
}  # fmt: skip
_M2: Final[dict[str, float]] = {
    "32m": 875, "64m": 1792, "128m": 3892, "64": 1024, "128": 2048, "192i": 2048, "192im": 4096,
    "208": 2850, "208m": 5700, "416": 5700, "416m": 11400, "416_8": 7600, "416_9": 8568,
    "416_10": 9496,
}  # fmt: skip
_M3: Final[dict[str, float]] = {
    "12": 240, "24": 480, "48_1": 974, "96_1": 974, "96_2": 1946, "176_3": 2794, "176_4": 3892,
    "416_6": 5696, "416_8": 7600, "624_12": 11400, "832_12": 11400, "832i_16": 15200,
    "896ix_32": 30400, "16b": 128, "32b": 256, "48b": 384, "64b": 512, "96b": 768, "128b": 1024,
    "176b": 1536, "64b_1": 1397, "96b_2": 1946, "128b_3": 2794, "176b_4": 3892, "416b": 3800,
}  # fmt: skip
_M4: Final[dict[str, float]] = {
    "16b": 128, "32b": 256, "48b": 384, "64b": 512, "96b_1": 768, "128b_1": 1024, "64b_1": 1440,
    "96b_2": 1946, "128b_3": 2796, "176b_4": 3892, "256b_2": 2048, "304b_4": 3800,
}  # fmt: skip
_M: Final = {1: _M1, 2: _M2, 3: _M3, 4: _M4}


@dataclass(frozen=True, slots=True)
class _Gpus:
    memory_gib: float  # of the machine
    model: str
    count: int  # a share of a card counts as one card with that share of memory
    card_gib: float


# GPU sizes by name without "Standard_".
_N: Final = {
    "NC6": _Gpus(56, "K80", 1, 12),
    "NC12": _Gpus(112, "K80", 2, 12),
    "NC24": _Gpus(224, "K80", 4, 12),
    "NC24r": _Gpus(224, "K80", 4, 12),
    "NC6s_v2": _Gpus(112, "P100", 1, 16),
    "NC12s_v2": _Gpus(224, "P100", 2, 16),
    "NC24s_v2": _Gpus(448, "P100", 4, 16),
    "NC24rs_v2": _Gpus(448, "P100", 4, 16),
    "NC6s_v3": _Gpus(112, "V100", 1, 16),
    "NC12s_v3": _Gpus(224, "V100", 2, 16),
    "NC24s_v3": _Gpus(448, "V100", 4, 16),
    "NC24rs_v3": _Gpus(448, "V100", 4, 16),
    "NC4as_T4_v3": _Gpus(28, "T4", 1, 16),
    "NC8as_T4_v3": _Gpus(56, "T4", 1, 16),
    "NC16as_T4_v3": _Gpus(110, "T4", 1, 16),
    "NC64as_T4_v3": _Gpus(440, "T4", 4, 16),
    "NC24ads_A100_v4": _Gpus(220, "A100", 1, 80),
    "NC48ads_A100_v4": _Gpus(440, "A100", 2, 80),
    "NC96ads_A100_v4": _Gpus(880, "A100", 4, 80),
    "NC40ads_H100_v5": _Gpus(320, "H100", 1, 94),
    "NC80adis_H100_v5": _Gpus(640, "H100", 2, 94),
    "NCC40ads_H100_v5": _Gpus(320, "H100", 1, 94),
    "NC128ds_xl_RTXPRO6000BSE_v6": _Gpus(512, "RTX PRO 6000", 1, 96),
    "NC256ds_xl_RTXPRO6000BSE_v6": _Gpus(1024, "RTX PRO 6000", 2, 96),
    "NC320ds_xl_RTXPRO6000BSE_v6": _Gpus(1280, "RTX PRO 6000", 2, 96),
    "NC128lds_xl_RTXPRO6000BSE_v6": _Gpus(256, "RTX PRO 6000", 1, 96),
    "NC256lds_xl_RTXPRO6000BSE_v6": _Gpus(512, "RTX PRO 6000", 2, 96),
    "NC320lds_xl_RTXPRO6000BSE_v6": _Gpus(640, "RTX PRO 6000", 2, 96),
    "ND6s": _Gpus(112, "P40", 1, 24),
    "ND12s": _Gpus(224, "P40", 2, 24),
    "ND24s": _Gpus(448, "P40", 4, 24),
    "ND24rs": _Gpus(448, "P40", 4, 24),
    "ND40rs_v2": _Gpus(672, "V100", 8, 32),
    "ND96asr_v4": _Gpus(900, "A100", 8, 40),
    "ND96amsr_A100_v4": _Gpus(1900, "A100", 8, 80),
    "ND96is_H100_v5": _Gpus(1900, "H100", 8, 80),
    "ND96isr_H100_v5": _Gpus(1900, "H100", 8, 80),
    "ND96isr_H200_v5": _Gpus(1850, "H200", 8, 141),
    "ND96is_MI300X_v5": _Gpus(1850, "MI300X", 8, 192),
    "ND96isr_MI300X_v5": _Gpus(1850, "MI300X", 8, 192),
    "ND128isr_NDR_GB200_v6": _Gpus(900, "GB200", 4, 192),
    "NV6": _Gpus(56, "M60", 1, 8),
    "NV12": _Gpus(112, "M60", 2, 8),
    "NV24": _Gpus(224, "M60", 4, 8),
    "NV12s_v3": _Gpus(112, "M60", 1, 8),
    "NV24s_v3": _Gpus(224, "M60", 2, 8),
    "NV48s_v3": _Gpus(448, "M60", 4, 8),
    "NV4as_v4": _Gpus(14, "MI25", 1, 2),
    "NV8as_v4": _Gpus(28, "MI25", 1, 4),
    "NV16as_v4": _Gpus(56, "MI25", 1, 8),
    "NV32as_v4": _Gpus(112, "MI25", 1, 16),
    "NV6ads_A10_v5": _Gpus(55, "A10", 1, 4),
    "NV12ads_A10_v5": _Gpus(110, "A10", 1, 8),
    "NV18ads_A10_v5": _Gpus(220, "A10", 1, 12),
    "NV36ads_A10_v5": _Gpus(440, "A10", 1, 24),
    "NV36adms_A10_v5": _Gpus(880, "A10", 1, 24),
    "NV72ads_A10_v5": _Gpus(880, "A10", 2, 24),
    "NV4ads_V710_v5": _Gpus(16, "Radeon Pro V710", 1, 4),
    "NV8ads_V710_v5": _Gpus(32, "Radeon Pro V710", 1, 8),
    "NV12ads_V710_v5": _Gpus(64, "Radeon Pro V710", 1, 12),
    "NV24ads_V710_v5": _Gpus(128, "Radeon Pro V710", 1, 24),
    "NV28adms_V710_v5": _Gpus(160, "Radeon Pro V710", 1, 24),
    "NG8ads_V620_v1": _Gpus(16, "Radeon Pro V620", 1, 8),
    "NG16ads_V620_v1": _Gpus(32, "Radeon Pro V620", 1, 16),
    "NG32ads_V620_v1": _Gpus(64, "Radeon Pro V620", 1, 32),
    "NG32adms_V620_v1": _Gpus(176, "Radeon Pro V620", 1, 32),
}

# Local (temporary) disk, GiB per vCPU: sizes with "d" from v4 on, and the older series that always
# carry one. Larger v6 and v7 sizes have several disks; this is their sum.
_DISK_D: Final = {4: 37.5, 5: 37.5, 6: 55.0, 7: 55.0}
_DISK_OLD: Final = {
    ("A", 2): 10.0, ("D", 3): 25.0, ("DS", 1): 7.0, ("DS", 2): 7.0, ("D", 1): 50.0,
    ("D", 2): 50.0, ("E", 3): 25.0, ("F", 1): 16.0, ("F", 2): 8.0, ("L", 2): 250.0,
    ("L", 3): 250.0, ("L", 4): 240.0,
}  # fmt: skip
_DISK_PREMIUM_V3: Final = {"D": 8.0, "E": 16.0}


def shape(instance_type: str) -> Shape | None:
    """The machine that the size's name stands for; None where name and tables do not say.

    GPU memory is of one card; a share of a card counts as one card with its share of memory.
    Memory is in GiB, the local disk is approximate (0 = none).
    """
    name = parse(instance_type)
    measured = _measure(instance_type, name) if name else None
    if name is None or measured is None:
        return None
    size_vcpus, memory = measured
    vcpus = float(name.active or size_vcpus)
    gpus = _N.get(instance_type.removeprefix("Standard_"))
    return Shape(
        provider_name=PROVIDER,
        instance_type=instance_type,
        vcpus=vcpus,
        memory_gib=memory,
        physical_cores=_cores(name, vcpus),
        architecture="arm64" if "p" in name.features or "GB200" in name.extra else "x86_64",
        gpu_model=gpus.model if gpus else None,
        gpu_count=gpus.count if gpus else 0,
        gpu_memory_gib=gpus.card_gib if gpus else None,
        burstable_baseline_percent=_baseline(name),
        local_disk_gib=_local_disk(name, size_vcpus),
        family=name.family,
        current_generation=_current(name),
    )


def _measure(instance_type: str, name: Name) -> tuple[float, float] | None:
    """vCPUs before any are left idle, and GiB."""
    if name.letters[0] not in "MN" and name.extra not in ("", "_cc"):
        return None  # promotions, hosts, specials
    if name.letters == "A" and name.version == 1:
        return _A.get(name.size)
    if name.letters in ("D", "DS") and name.version <= 2:
        return _D.get(name.size)
    if name.letters in ("G", "GS"):
        return _G.get(name.size)
    memory = _memory(instance_type, name)
    return None if memory is None else (float(name.size), memory)


def _memory(instance_type: str, name: Name) -> float | None:
    """GiB of the whole size, whatever vCPUs are left active."""
    tables: dict[str, Callable[[], float | None]] = {
        "A": lambda: name.size * (8.0 if "m" in name.features else 2.0),
        "B": lambda: _burstable_memory(name),
        "M": lambda: _M.get(name.version, {}).get(
            f"{name.size}{name.features.replace('d', '').replace('s', '')}{name.extra}"
        ),
        "N": lambda: _gpu_memory(instance_type),
        "H": lambda: _hpc_memory(name),
    }
    table = tables.get(name.letters[0])
    return table() if table else _by_ratio(name)


def _gpu_memory(instance_type: str) -> float | None:
    gpus = _N.get(instance_type.removeprefix("Standard_"))
    return gpus.memory_gib if gpus else None


def _hpc_memory(name: Name) -> float | None:
    memory = _H.get((name.letters, name.version, name.size))
    return memory * 2 if memory and name.letters == "H" and "m" in name.features else memory


def _by_ratio(name: Name) -> float | None:
    ratio = _ratio(name)
    if ratio is None:
        return None
    processor = next((letter for letter in "ap" if letter in name.features), "")
    exception = _EXCEPTIONS.get((name.letters, processor, name.version, name.size))
    # "l" sizes, at half the memory, stay below what the host keeps for itself.
    return name.size * ratio if exception is None or "l" in name.features else exception


def _ratio(name: Name) -> float | None:
    """GiB per vCPU of the series that follow the naming rule."""
    if name.letters == "F" and name.version >= 6:
        return 2.0 if "l" in name.features else 8.0 if "m" in name.features else 4.0
    if name.letters == "D" and "l" in name.features:
        return 2.0
    if name.letters == "DC" and name.version == 3:
        return 8.0
    return _GIB_PER_VCPU.get(name.letters)


def _burstable_memory(name: Name) -> float | None:
    if name.version == 1:
        known = _B1.get(f"{name.size}{name.features}")
        return known[0] if known else None
    ratio, _ = _B2[_b2_class(name)]
    return name.size * ratio


def _b2_class(name: Name) -> str:
    return next((letter for letter in "tl" if letter in name.features), "")


def _baseline(name: Name) -> float | None:
    if name.letters != "B":
        return None
    if name.version == 1:
        return _B1[f"{name.size}{name.features}"][1]
    return _B2[_b2_class(name)][1]


def _cores(name: Name, vcpus: float) -> float | None:
    """Physical cores: a vCPU is half a core from v3 on, a whole one where threads are off."""
    whole = (
        "p" in name.features
        or name.letters.startswith("H")
        or (name.letters in ("A", "D", "DS", "F", "G", "GS", "L") and name.version == 1)
        or (name.letters in ("A", "D", "DS") and name.version == 2)
        or (name.letters == "B" and name.version == 1)
        or (name.letters == "DC" and name.version in (2, 3))
        or (name.letters == "F" and name.version >= 6)
    )
    if whole:
        return vcpus
    return None if name.letters.startswith("N") else vcpus / 2


def _local_disk(name: Name, vcpus: float) -> float:
    if name.version <= 3 or name.letters == "L":
        rate = _DISK_OLD.get((name.letters, name.version), 0.0)
        if name.version == 3 and "s" in name.features:
            rate = _DISK_PREMIUM_V3.get(name.letters, rate)
        return rate * vcpus
    return _DISK_D.get(name.version, 0.0) * vcpus if "d" in name.features else 0.0


def _current(name: Name) -> bool:
    """Not listed among the previous generations (learn.microsoft.com, sizes-previous-gen)."""
    oldest = {"B": 2, "D": 5, "E": 5, "F": 6, "FX": 2, "DC": 5, "EC": 5, "L": 3, "M": 2, "HB": 3}
    if name.letters.startswith("N"):
        return name.version >= 3 and name.extra != ""
    return name.version >= oldest.get(name.letters, 99) or name.letters == "HX"
