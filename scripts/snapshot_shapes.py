"""Shapes of AWS and GCP machine types for the built-in snapshot.

Azure's stand in costopt.pricing.azure_sizes.
Each reader returns one model.Shape per type. What the input files do not say stands in the small
tables below, each with its source.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import pandas as pd

from costopt.model import Shape
from costopt.providers.aws.shapes import accelerator
from costopt.units import GIB

# Percent of each vCPU that a T type sustains.
# Source: Amazon EC2 User Guide, "Key concepts for burstable performance instances".
_T2: Final = {
    "nano": 5, "micro": 10, "small": 20, "medium": 20, "large": 30, "xlarge": 22.5, "2xlarge": 17,
}  # fmt: skip
_T3: Final = _T2 | {"xlarge": 40, "2xlarge": 40}
_AWS_BASELINE: Final = {"t2": _T2, "t3": _T3, "t3a": _T3, "t4g": _T3}

# Types still sold of which the specification file knows nothing:
# type -> vCPUs, GiB, accelerator, cards, GiB a card. Source: Amazon EC2 Instance Types.
_AWS_OLDER: Final = {
    "g4ad.xlarge": (4, 16, "Radeon Pro V520", 1, 8),
    "g4ad.2xlarge": (8, 32, "Radeon Pro V520", 1, 8),
    "g4ad.4xlarge": (16, 64, "Radeon Pro V520", 1, 8),
    "g4ad.8xlarge": (32, 128, "Radeon Pro V520", 2, 8),
    "g4ad.16xlarge": (64, 256, "Radeon Pro V520", 4, 8),
    "p3.2xlarge": (8, 61, "V100", 1, 16),
    "p3.8xlarge": (32, 244, "V100", 4, 16),
    "p3.16xlarge": (64, 488, "V100", 8, 16),
}


def aws(data: Path) -> Iterator[Shape]:
    """EC2 types from the specification file; network and accelerators from DescribeInstanceTypes.

    Mac hardware is left out. The recorded DescribeInstanceTypes answers are those that moto ships.
    """
    recorded = json.loads(
        gzip.decompress((files("moto") / "ec2/resources/instance_types.json.gz").read_bytes())
    )
    specs = pd.read_csv(data / "instance_specs" / "aws_ec2_specs_moto5.2.5.csv")
    for row in specs.itertuples():
        if "mac" in row.arch:
            continue
        family, _, size = row.instance_type.partition(".")
        detail = recorded[row.instance_type]
        model, count, card_gib = accelerator(detail)
        yield Shape(
            provider_name="AWS",
            instance_type=row.instance_type,
            vcpus=float(row.vcpus),
            memory_gib=row.memory_mib / 1024,
            physical_cores=float(row.cores),
            architecture="arm64" if row.arch == "arm64" else "x86_64",
            gpu_model=model,
            gpu_count=count,
            gpu_memory_gib=card_gib,
            burstable_baseline_percent=_AWS_BASELINE.get(family, {}).get(size),
            network_gbps=_sustained_gbps(detail),
            local_disk_gib=_gib(row.instance_storage_gb),
            family=f"{family}-metal" if detail["BareMetal"] else family,
            current_generation=bool(row.current_gen),
        )
    for name, (vcpus, memory, model, count, card_gib) in _AWS_OLDER.items():
        yield Shape(
            provider_name="AWS",
            instance_type=name,
            vcpus=float(vcpus),
            memory_gib=float(memory),
            physical_cores=vcpus / 2,
            architecture="x86_64",
            gpu_model=model,
            gpu_count=count,
            gpu_memory_gib=float(card_gib),
            family=name.partition(".")[0],
            current_generation=False,
        )


def _sustained_gbps(detail: dict[str, Any]) -> float:
    cards = detail["NetworkInfo"]["NetworkCards"]
    return round(sum(card["BaselineBandwidthInGbps"] for card in cards), 3)


def _gib(gigabytes: float) -> float:
    """AWS states local disks in GB of 10^9 bytes."""
    return 0.0 if pd.isna(gigabytes) else round(gigabytes * 10**9 / GIB, 1)


# GCP accelerator-optimized families: model, GiB a card.
# Source: Google Cloud, "GPU machine types" (Compute Engine documentation).
_GCP_GPU: Final = {
    "a2-highgpu": ("A100", 40.0), "a2-megagpu": ("A100", 40.0), "a2-ultragpu": ("A100", 80.0),
    "a3-highgpu": ("H100", 80.0), "a3-megagpu": ("H100", 80.0), "a3-edgegpu": ("H100", 80.0),
    "a3-ultragpu": ("H200", 141.0), "a4-highgpu": ("B200", 180.0), "a4x-highgpu": ("GB200", 186.0),
}  # fmt: skip
_G2_CARDS: Final = {4: 1, 8: 1, 12: 1, 16: 1, 24: 2, 32: 1, 48: 4, 96: 8}
_G4_CARDS: Final = {48: 1, 96: 2, 192: 4, 384: 8}  # below 48 vCPUs a share of one card

# Percent of the whole machine. Source: Google Cloud, "Shared-core machine types".
_GCP_BASELINE: Final = {
    "e2-micro": 12.5, "e2-small": 25.0, "e2-medium": 50.0, "f1-micro": 20.0, "g1-small": 50.0,
}  # fmt: skip
_GCP_ARM: Final = ("t2a", "c4a", "n4a")
_GCP_WHOLE_CORES: Final = ("t2a", "c4a", "n4a", "t2d", "h3", "h4d")  # one thread a core
# Google names no previous generation; these are the first of their kind, superseded and dearer.
_GCP_PREVIOUS: Final = ("f1", "g1", "n1", "m1", "m2")
_LOCAL_SSD_GIB: Final = 375
# Local SSDs of "-lssd" types by vCPUs. Source: Google Cloud, "General-purpose machine family".
_GCP_SSDS: Final = {
    "c3": {4: 1, 8: 2, 22: 4, 44: 8, 88: 16, 176: 32},
    "c3d": {8: 1, 16: 1, 30: 2, 60: 4, 90: 8, 180: 16, 360: 32},
    "c4": {4: 1, 8: 1, 16: 2, 24: 4, 32: 5, 48: 8, 96: 16, 144: 24, 192: 32, 288: 48},
    "c4a": {4: 1, 8: 2, 16: 4, 32: 6, 48: 10, 64: 14, 72: 16},
    "c4d": {8: 1, 16: 1, 32: 2, 48: 4, 64: 6, 96: 8, 192: 16, 384: 32},
    "h4d": {192: 10},
}
# Local SSDs that accelerator types bring along, by cards.
_GCP_GPU_SSDS: Final = {
    "a2-ultragpu": {1: 1, 2: 2, 4: 4, 8: 8}, "a3-highgpu": {1: 2, 2: 4, 4: 8, 8: 16},
    "a3-megagpu": {8: 16}, "a3-ultragpu": {8: 32}, "a4-highgpu": {8: 32},
}  # fmt: skip
# Local disks of Z3, 3,000 GiB each, by vCPUs.
# Source: Google Cloud, "Storage-optimized machine family".
_Z3_DISK_GIB: Final = 3000
_Z3_DISKS: Final = {
    "z3-highmem": {88: 12, 176: 12},
    "z3-highmem-highlssd": {8: 1, 16: 2, 22: 3, 32: 4, 44: 6, 88: 12},
    "z3-highmem-highlssd-metal": {192: 24},
    "z3-highmem-standardlssd": {14: 1, 22: 2, 44: 3, 88: 6, 176: 12},
}
# Egress limit, Gbit/s a vCPU, least and most. Source: Google Cloud, "Network bandwidth".
_GCP_NETWORK: Final = {
    "e2": (2.0, 4.0, 16.0), "n1": (2.0, 10.0, 32.0), "n2": (2.0, 10.0, 32.0),
    "n2d": (2.0, 10.0, 32.0), "t2d": (2.0, 10.0, 32.0), "t2a": (2.0, 10.0, 32.0),
    "c2": (2.0, 10.0, 32.0), "c2d": (2.0, 10.0, 32.0),
}  # fmt: skip


def gcp(data: Path) -> Iterator[Shape]:
    """Compute Engine types. TPU hosts are left out; MEMORY_GB is in GiB."""
    folder = data / "instance_specs"
    table = pd.concat(
        pd.read_csv(folder / name, sep=";")
        for name in ("gcp_machinetypes.csv", "gcp_machinetyperegion.csv")
    )
    for row in table.drop_duplicates("NAME").itertuples():
        series = row.NAME.partition("-")[0]
        if re.fullmatch(r"ct\d.*|tpu.*", series):
            continue
        vcpus = int(row.CPUS)
        model, count, card_gib = _gcp_gpus(row.NAME, vcpus)
        yield Shape(
            provider_name="GCP",
            instance_type=row.NAME,
            vcpus=float(vcpus),
            memory_gib=float(row.MEMORY_GB),
            physical_cores=_gcp_cores(row.NAME, series, vcpus),
            architecture="arm64" if series in _GCP_ARM or series == "a4x" else "x86_64",
            gpu_model=model,
            gpu_count=count,
            gpu_memory_gib=card_gib,
            burstable_baseline_percent=_GCP_BASELINE.get(row.NAME),
            network_gbps=_gcp_network(row.NAME, series, vcpus),
            local_disk_gib=_gcp_local_disk(row.NAME, series, vcpus, count),
            family=gcp_family(row.NAME),
            current_generation=series not in _GCP_PREVIOUS and pd.isna(row.DEPRECATED),
        )


def gcp_family(name: str) -> str:
    """n2-standard, c3-standard-lssd, e2-shared, ...: types of one ratio and one price per unit."""
    if name in _GCP_BASELINE:
        return f"{name.partition('-')[0]}-shared"
    return re.sub(r"-\d+[gt]?(?=-|$)", "", name)


def _gcp_cores(name: str, series: str, vcpus: int) -> float | None:
    if name in _GCP_BASELINE:
        return None
    return float(vcpus) if series in _GCP_WHOLE_CORES else max(vcpus / 2, 0.5)


def _gcp_gpus(name: str, vcpus: int) -> tuple[str | None, int, float | None]:
    if name.startswith("g2-standard"):
        return "L4", _G2_CARDS[vcpus], 24.0
    if name.startswith("g4-standard"):
        return "RTX PRO 6000", _G4_CARDS.get(vcpus, 1), min(96.0, 2.0 * vcpus)
    match = re.match(r"(a\d+x?-[a-z]+)-(\d+)g", name)
    if match is None or match[1] not in _GCP_GPU:
        return None, 0, None
    model, card_gib = _GCP_GPU[match[1]]
    return model, int(match[2]), card_gib


def _gcp_network(name: str, series: str, vcpus: int) -> float | None:
    if series not in _GCP_NETWORK or name in _GCP_BASELINE:
        return None
    rate, least, most = _GCP_NETWORK[series]
    return min(max(rate * vcpus, least), most)


def _gcp_local_disk(name: str, series: str, vcpus: int, cards: int) -> float:
    if series == "z3":
        return float(_Z3_DISK_GIB * _Z3_DISKS[gcp_family(name)][vcpus])
    if name.endswith(("-lssd", "-lssd-metal")):
        return float(_LOCAL_SSD_GIB * _GCP_SSDS[series][vcpus])
    ssds = _GCP_GPU_SSDS.get(gcp_family(name), {}).get(cards, 0)
    return float(_LOCAL_SSD_GIB * ssds)


def gpu_clouds(table: pd.DataFrame) -> Iterator[Shape]:
    """GPU machines of the smaller clouds, as the price excerpt describes them."""
    for row in table.drop_duplicates(["provider", "instance_type"]).itertuples():
        model, _, card = row.gpu.partition("-")
        yield Shape(
            provider_name=row.provider,
            instance_type=row.instance_type,
            vcpus=float(row.vcpus),
            memory_gib=float(row.memory_gib),
            architecture="x86_64",
            gpu_model=model,
            gpu_count=int(row.gpu_count),
            gpu_memory_gib=float(card.removesuffix("GB")) if card else _NOMINAL_GIB[model],
            family=re.sub(r"_?\d+x?gpu.*|_\d+x", "", row.instance_type),
            current_generation=True,
        )


# NVIDIA data sheets.
_NOMINAL_GIB: Final = {
    "H100": 80.0, "H200": 141.0, "L40S": 48.0, "B200": 180.0, "V100": 16.0, "A6000": 48.0,
}  # fmt: skip
