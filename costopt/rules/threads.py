"""What a machine type's vCPUs are, and what its hardware threads are said to be worth.

The correction is off unless set: how much a load gains from a core's second thread is measured, not
read off a type's name (optimize/smt.py). In costopt.toml:

    [rules.rightsize]
    smt_speedup = 0.7              # of every hyper-threaded type; 0 = off

    [rules.rightsize.smt_speedups]
    m6i = 0.63                     # of a family, as costopt names it: m6i, n2-standard, Dsv5
    "r7i.xlarge" = 0.8             # of a type, before its family's
    t3 = 0                         # off for these
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Annotated

from pydantic import AfterValidator, Field

from costopt.model import Resource, Shape
from costopt.optimize.smt import OFF, Threads
from costopt.rules.families import family


def _over_half(speedup: float) -> float:
    if OFF < speedup <= 0.5:
        raise ValueError("at 0.5 a second thread adds nothing: give more than 0.5, or 0 for off")
    return speedup


def _one_name_each(speedups: Mapping[str, float]) -> Mapping[str, float]:
    folded = {name.strip().casefold(): value for name, value in speedups.items()}
    if len(folded) < len(speedups) or "" in folded:
        raise ValueError("each type or family stands once, and letters' case makes no difference")
    return folded


Speedup = Annotated[float, Field(ge=0, le=1), AfterValidator(_over_half)]
"""A setting: the speed of a hardware thread while its core's other one is busy, as a share of its
speed alone; 0 = off."""

Speedups = Annotated[Mapping[str, Speedup], AfterValidator(_one_name_each)]
"""A setting: the same by instance type or family; kept in lower case."""


def speedup_of(shape: Shape, general: float, by_name: Mapping[str, float]) -> float:
    """What is set for that type: its own, else its family's, else the general one; 0 = off.

    Args:
        by_name: by instance type or family (`families.family`); letters' case makes no difference.
    """
    if not by_name:
        return general
    folded = {name.casefold(): speedup for name, speedup in by_name.items()}
    of_family = folded.get(family(shape).casefold(), general)
    return folded.get(shape.instance_type.casefold(), of_family)


def unknown_names(
    by_name: Iterable[str], listed: Iterable[Shape], running: Iterable[Resource]
) -> tuple[str, ...]:
    """A sentence on each name set that is no type or family and so sets nothing, with the nearest.

    What runs is known, too: a type of one's own need not be in any list.

    Args:
        by_name: keys of `smt_speedups`; letters' case makes no difference.
        listed: every type there is; not looked at where nothing is set.
    """
    wanted = sorted(by_name)
    if not wanted:
        return ()
    known: dict[str, str] = {}
    for shape in (*listed, *map(_shape, running)):
        for name in (shape.instance_type, family(shape)):
            known.setdefault(name.casefold(), name)
    return tuple(
        f"rules.rightsize.smt_speedups: {name!r} is no machine type or family in the price list or "
        f"the inventory, so it sets nothing{_nearest(name, known)}"
        for name in wanted
        if name.casefold() not in known
    )


def _shape(resource: Resource) -> Shape:
    """Enough of one to name it and its family."""
    return Shape(resource.provider_name, resource.instance_type or "", resource.vcpus or math.nan)


def _nearest(name: str, known: Mapping[str, str]) -> str:
    found = [known[near] for near in get_close_matches(name.casefold(), known, n=3)]
    return f"; did you mean {' or '.join(found)}?" if found else ""


def whole_cores(shape: Shape) -> bool | None:
    """Whether each vCPU is a core of its own: all of Arm's are, and where SMT is off; None = not
    known."""
    if shape.architecture == "arm64":
        return True
    cores = shape.physical_cores
    return None if cores is None else cores >= shape.vcpus


def threads(shape: Shape, general: float, by_name: Mapping[str, float]) -> Threads:
    """The type's vCPUs, to compare with another's.

    Where cores are not known they are taken for hyper-threads, as most x86 machines have.
    """
    whole = whole_cores(shape) is True
    return Threads(shape.vcpus, whole, OFF if whole else speedup_of(shape, general, by_name))
