"""Shapes of AWS and GCP machine types for the built-in snapshot.

Azure's stand in costopt.pricing.azure_sizes, what GCP's names say in costopt.providers.gcp.
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
from costopt.providers.gcp import machine_types
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


def gcp(data: Path) -> Iterator[Shape]:
    """Compute Engine types. TPU hosts are left out; MEMORY_GB is in GiB."""
    folder = data / "instance_specs"
    table = pd.concat(
        pd.read_csv(folder / name, sep=";")
        for name in ("gcp_machinetypes.csv", "gcp_machinetyperegion.csv")
    )
    for row in table.drop_duplicates("NAME").itertuples():
        if re.fullmatch(r"ct\d.*|tpu.*", machine_types.series(row.NAME)):
            continue
        yield machine_types.described(
            row.NAME,
            float(row.CPUS),
            float(row.MEMORY_GB),
            deprecated=not pd.isna(row.DEPRECATED),
        )


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
