"""What a SKU of Compute Engine sells, as its description tells; nothing else in it does.

Descriptions were written by many hands: "N2D AMD Custom Extended Ram running in Iowa" stands beside
"N2 Custom Extended Instance Ram running in Iowa", C2 and M1 go without their names, and so on.

Source: Cloud Billing Catalog API, SKUs of service 6F81-5844-456A, in spellings seen up to 2026.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple


class Part(NamedTuple):
    """A part of a machine that has a price of its own."""

    kind: str
    """core: a vCPU. ram, extended: a GiB of memory, within what the vCPUs come with or beyond.
    gpu: a card. ssd: a GiB of local disk. slice: a share of a machine around one card, or around
    the eighth of one, with all that belongs to it. machine: all of it. premium-core and
    premium-ram come on top of core and ram."""
    of: str = ""  # series (n2, n2-custom), accelerator type, machine type; "" of a disk = any


class Sold(NamedTuple):
    """What it is, and how it is bought; "" = as the SKU's category says."""

    part: Part
    usage: str = ""  # OnDemand | Preemptible | Commit1Yr | Commit3Yr


_LEFT_OUT: Final = (
    (r"sole[- ]tenan", "of nodes of one's own (sole tenancy)"),
    (r"\bdws\b|calendar mode|flex[- ]start|defined duration|^reserved ", "of reserved capacity"),
    (r"dollar[- ]based|\bfor 5 years?$", "of other commitments"),
    (r"^vm state|\bsuspended\b", "of suspended machines"),
    (r"virtual workstation|\bvws\b|licens", "licences"),
    (r"\btpu", "TPUs"),
    (r"\bpremium\b|confidential|vgpu .*local ssd", "surcharges"),
)
_UPGRADE: Final = "memory optimized upgrade premium for memory-optimized"
"""What M2 costs above M1, whose own prices it goes by; the one surcharge that is a part."""

_COMMITMENT: Final = re.compile(
    r"commitment(?: v\d+)?: (?P<what>.+?)(?: running)? in .+ for (?P<years>[13]) years?"
)
_SPOT: Final = re.compile(r"(?:spot )?preemptible (?P<what>.+)")
_ON_SPOT: Final = re.compile(r"(?P<what>.+) attached to (?:spot )?preemptible vms")
_PLACE: Final = re.compile(r"(?P<what>.+?)(?: running)?(?: in .+)?")

_MACHINES: Final = {
    "micro instance with burstable cpu": "f1-micro",
    "small instance with 1 vcpu": "g1-small",
}
_GPUS: Final = {
    "nvidia tesla k80": "nvidia-tesla-k80", "nvidia tesla p4": "nvidia-tesla-p4",
    "nvidia tesla p100": "nvidia-tesla-p100", "nvidia tesla v100": "nvidia-tesla-v100",
    "nvidia tesla t4": "nvidia-tesla-t4", "nvidia l4": "nvidia-l4",
    "nvidia tesla a100": "nvidia-tesla-a100", "nvidia tesla a100 80gb": "nvidia-a100-80gb",
    "nvidia h100 80gb": "nvidia-h100-80gb", "nvidia h100 80gb mega": "nvidia-h100-mega-80gb",
    "nvidia h100 80gb plus": "nvidia-h100-mega-80gb", "h200 141gb": "nvidia-h200-141gb",
    "nvidia h200 141gb": "nvidia-h200-141gb", "rtx 6000 96gb": "nvidia-rtx-pro-6000",
}  # fmt: skip
_SLICE: Final = re.compile(
    r"(?P<series>[a-z]\d\w*) .+ \(1 gpu slice\)|(?P<eighth>1/8 vgpu) no lssd"
)
_DISK: Final = re.compile(r"(?:(?P<series>[a-z]\d[a-z]*)(?: arm| amd)? )?(?:instance )?local ssd")
_ANY_DISK: Final = "ssd backed local storage"
_SIZED: Final = re.compile(r"(?P<name>.*?) ?(?:instance)? ?(?P<what>core|cpu|ram)")

_QUALIFIERS: Final = frozenset({"amd", "arm", "intel", "predefined"})
_NAMELESS: Final = {"compute optimized": "c2", "memory-optimized": "m1", _UPGRADE: "m2"}
_SERIES: Final = re.compile(r"[a-z]\d+[a-z]*\d*")  # n2, a3plus, m4ultramem224


def left_out(description: str) -> str:
    """Why a machine on demand, on the spot market or committed has no use for it; "" = it may."""
    text = _plain(description)
    if text.startswith(_UPGRADE):
        return ""
    return next((reason for pattern, reason in _LEFT_OUT if re.search(pattern, text)), "")


def sold(description: str) -> Sold | None:
    """What it sells; None: it is not understood."""
    text = _plain(description)
    if commitment := _COMMITMENT.fullmatch(text):
        part = _part(commitment["what"], committed=True)
        return Sold(part, f"Commit{commitment['years']}Yr") if part else None
    spot = _SPOT.fullmatch(text)
    place = _PLACE.fullmatch(spot["what"] if spot else text)
    what = place["what"] if place else text
    if attached := _ON_SPOT.fullmatch(what):
        spot, what = attached, attached["what"]
    part = _part(what)
    return Sold(part, "Preemptible" if spot else "") if part else None


def placeless(description: str) -> str:
    """The description without where: one for all regions."""
    return re.sub(r"(?i)(?: running)? in .*", "", " ".join(description.split()))


def _plain(description: str) -> str:
    return " ".join(description.casefold().split())


def _part(what: str, *, committed: bool = False) -> Part | None:
    if what in _MACHINES:
        return Part("machine", _MACHINES[what])
    if found := _SLICE.fullmatch(what):
        return Part("slice", found["series"] or "g4")
    if what == _ANY_DISK:
        return Part("ssd")
    if found := _DISK.fullmatch(what):
        return Part("ssd", found["series"] or "")
    if gpu := _GPUS.get(what.removesuffix(" gpu")):
        return Part("gpu", gpu)
    found = _SIZED.fullmatch(what)
    return _sized(found["name"], found["what"], committed) if found else None


def _sized(name: str, what: str, committed: bool) -> Part | None:
    """vCPUs or memory of a series."""
    words = [word for word in name.split() if word not in _QUALIFIERS]
    custom, extended = "custom" in words, "extended" in words
    rest = " ".join(word for word in words if word not in ("custom", "extended"))
    if not rest and (custom or committed):
        series = "n1"  # the first of all had no need of a name
    elif rest in _NAMELESS:
        series = _NAMELESS[rest]
    else:
        series = rest.removesuffix(" memory-optimized")
        if not _SERIES.fullmatch(series):
            return None
    kind = "ram" if what == "ram" else "core"
    if rest == _UPGRADE:
        kind = f"premium-{kind}"
    if extended:
        return Part("extended", series) if kind == "ram" else None
    return Part(kind, f"{series}-custom" if custom else series)
