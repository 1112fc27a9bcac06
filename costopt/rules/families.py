"""Which families of machine types are plain: general-purpose, compute- and memory-optimised.

Only these are offered to a machine of another family. Accelerators, bare metal, HPC, storage,
confidential, high-frequency and high-memory families are bought for something that CPU and memory
figures do not show. Types of other providers are the user's own and all plain.
Source: the providers' family pages, read as naming patterns (AWS "Instance types", GCP "Machine
families", Azure "VM sizes naming conventions").
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from costopt.model import Shape
from costopt.units import provider_key

_PLAIN: Final[Mapping[str, re.Pattern[str]]] = MappingProxyType(
    {
        # m6i, c5a, r7g, t3a; not m7i-flex (full speed 95 % of the time only), m5zn, r7iz, x2idn
        "aws": re.compile(r"[mcrt]\d+(?![a-z]*z)[a-z]*"),
        # n2d-highmem, c4a-highcpu; not e2 (cost-optimised: CPUs of any age, shared), m1, a3, h3
        "gcp": re.compile(r"(n1|n2|n2d|n4|n4a|n4d|c2|c2d|c3|c3d|c4|c4a|c4d|t2a|t2d)(-.*)?"),
        # Dsv5, Easv6, Fsv2, Bpsv2, DSv2; not DCsv3, ECasv5, FXmdsv2, Lsv3, NCadsH100v5, Msv2
        "azure": re.compile(r"[BDEF]S?[a-z]*(v\d+)?"),
    }
)
OF_ONE_SIZE: Final = frozenset(
    {
        *("g4ad", "g4dn", "g5", "g5g", "g6", "g6e", "g6f", "gr6", "gr6f", "hpc7a"),
        *("inf1", "inf2", "p5", "u7i-6tb", "u7i-8tb"),
    }
)
"""AWS's families whose reserved instances are of one size, whatever the system.
Source: EC2 User Guide, "Instance size flexibility", Limitations (read 2026-11)."""
_CONSTRAINED: Final = re.compile(r"standard_[a-z]+\d+-\d+")
_OWN_NAMING: Final[Mapping[str, re.Pattern[str]]] = MappingProxyType(
    {
        "aws": re.compile(r"[a-z0-9-]+\.[a-z0-9-]+"),  # m6i.large
        "gcp": re.compile(r"[a-z]+\d+[a-z]*-.+"),  # n2-standard-4
        "azure": re.compile(r"(standard|basic)_.+"),  # Standard_D4s_v5
    }
)


def family(shape: Shape) -> str:
    """The type's family; "" where neither the shape nor its name tells (one's own ladder).

    Azure's sizes with vCPUs switched off (E4-2s_v5, for licences counted by core) cost as much as
    the whole: a family apart.
    """
    if shape.family and _CONSTRAINED.match(shape.instance_type.casefold()):
        return f"{shape.family}-constrained"
    if shape.family:
        return shape.family
    match provider_key(shape.provider_name):
        case "aws" if "." in shape.instance_type:
            return shape.instance_type.partition(".")[0]
        case "gcp" if "-" in shape.instance_type:
            return shape.instance_type.rpartition("-")[0]
    return ""


def hardware(shape: Shape) -> str:
    """What families on the same hardware share, whatever their ratio of memory; "" = not known.

    m6i, c6i and r6i are "6i"; n2-standard and n2-highmem "n2"; Dsv5 and Esv5 "sv5". Bare metal and
    AWS's and Azure's extraordinary families are each of their own.
    """
    name = family(shape)
    match provider_key(shape.provider_name):
        case "gcp" if "metal" not in name:
            return name.partition("-")[0]
        case "aws" | "azure" if is_plain(shape) and name[:1].isalpha():
            return name[1:]
    return name


_GENERATION: Final[Mapping[str, re.Pattern[str]]] = MappingProxyType(
    {
        "aws": re.compile(r"[a-z]+(\d+)"),  # m6i: 6
        "gcp": re.compile(r"[a-z]+(\d+)"),  # n2d-highmem: 2
        "azure": re.compile(r".*v(\d+)"),  # Dsv5: 5
    }
)


def generation(shape: Shape) -> float:
    """The hardware generation its family's name counts; NaN = none is counted.

    Burstable types count their own (t3 came with m5): NaN too.
    """
    pattern = _GENERATION.get(provider_key(shape.provider_name))
    if pattern is None or shape.burstable_baseline_percent is not None:
        return math.nan
    found = pattern.match(family(shape))
    return float(found[1]) if found else math.nan


def is_plain(shape: Shape) -> bool:
    """Whether the type is an ordinary machine that any ordinary load may move to.

    A type whose name does not follow its provider's naming is the user's own: plain.
    """
    provider, name = provider_key(shape.provider_name), shape.instance_type.casefold()
    if "metal" in name or shape.gpu_count or shape.gpu_model:
        return False
    naming, plain = _OWN_NAMING.get(provider), _PLAIN.get(provider)
    if naming is None or plain is None or not naming.fullmatch(name):
        return True
    return plain.fullmatch(family(shape).replace("_", "")) is not None
