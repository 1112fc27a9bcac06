"""Who runs what, where, and how big it truly is: `company.yaml` as nouns.

A deck of 133 machines: 120 of a mix that every smaller fleet has part of, then those whose place is
the question. Larger fleets deal it again and again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from costopt.providers.demo.truth import Label, Placement, Wart


@dataclass(frozen=True, slots=True)
class Site:
    """A region of one provider, and the clock its users live by."""

    code: str
    provider: str
    region: str
    region_name: str
    zone: str  # availability zone
    clock: str  # IANA


_AMS: Final = "Europe/Amsterdam"
_NYC: Final = "America/New_York"
_LAX: Final = "America/Los_Angeles"
_ZRH: Final = "Europe/Zurich"

SITES: Final[Mapping[str, Site]] = {
    site.code: site
    for site in (
        Site("use1", "AWS", "us-east-1", "US East (N. Virginia)", "us-east-1a", _NYC),
        Site("euw1", "AWS", "eu-west-1", "Europe (Ireland)", "eu-west-1b", _AMS),
        Site("euw4", "GCP", "europe-west4", "Netherlands", "europe-west4-a", _AMS),
        Site("usc1", "GCP", "us-central1", "Iowa", "us-central1-b", _NYC),
        Site("weu", "Azure", "westeurope", "West Europe", "westeurope-1", _AMS),
        Site("eus", "Azure", "eastus", "East US", "eastus-2", _NYC),
        Site("usw1", "AWS", "us-west-1", "US West (N. California)", "us-west-1a", _LAX),
        Site("usw2", "AWS", "us-west-2", "US West (Oregon)", "us-west-2a", _LAX),
        Site("euc2", "AWS", "eu-central-2", "Europe (Zurich)", "eu-central-2a", _ZRH),
        Site("ams", "OnPrem", "ams-dc1", "Amsterdam DC 1", "ams-dc1-a", _AMS),
    )
}


@dataclass(frozen=True, slots=True)
class Role:
    """Machines that do one job. Their demand is `needs` times a level, whatever they run on."""

    label: Label
    app: str
    count: int  # in a deck
    site: Site
    instance_type: str
    rhythm: str  # see rhythm.py
    needs_vcpus: float  # what the demand fits; 0 = nothing
    needs_memory_gib: float
    team: str
    env: str = "prod"
    peak: float = 0.55  # demand at the rhythm's top, share of needs_vcpus
    floor: float = 0.08  # demand at its bottom
    noise: float = 0.07  # log-standard deviation of the five-minute noise
    agent: bool = True  # memory is measured
    egress_mb: float = 0.15  # megabytes a second sent at the peak, to wherever
    internet_mb: float | None = None  # of it to the internet, on average; None: see usage.py
    regions_mb: float = 0.0  # of it to other regions, on average
    zones_mb: float = (
        0.0  # of it to other zones of its region, on average; the rest stays in its zone
    )
    disk_mb: float = 0.0  # megabytes a second written at the peak; 0 = not collected
    disk_gib: int = 50
    cpu_max: bool = False  # the maximum of each period is collected too
    clock: str = ""  # IANA: where its users are; the site's where not said otherwise
    spot: bool = False
    system: str = "Linux"
    group: bool = False  # members of a scaling group
    tagged: bool = True
    wart: Wart | None = None
    was: str | None = None  # machine type before the resize
    gpu_watts: tuple[float, float] | None = None  # of one card: idle, full
    placement: Placement = Placement.STAY
    residency: str = ""  # tag: the country that its data may not leave
    network: str = ""  # a network of its own; "" = its account's


@dataclass(frozen=True, slots=True)
class Loose:
    """A disk or an address that no machine uses."""

    app: str
    site: Site
    team: str
    disk_gib: int  # 0 = an address


LOOSE: Final = (
    Loose("orders-restore", SITES["use1"], "orders", 500),
    Loose("legacy-web", SITES["euw1"], "web", 0),
    Loose("poc-dataset", SITES["euw4"], "data-science", 1000),
    Loose("crm-import", SITES["weu"], "sales-systems", 256),
    Loose("old-partner-api", SITES["use1"], "partners", 0),
    Loose("search-reindex", SITES["euw1"], "search", 300),
    Loose("demo-event", SITES["eus"], "marketing", 0),
)
"""One of each per deck."""


@cache
def deck() -> tuple[Role, ...]:
    """Every role, as company.yaml lists them; their counts sum to a deck's 133 machines."""
    sections = yaml.safe_load(Path(__file__).with_name("company.yaml").read_text(encoding="utf-8"))
    return tuple(
        _role(Label(section["label"]), line, section.get("defaults", {}))
        for section in sections
        for line in section["roles"]
    )


_COLUMNS: Final = (
    "app",
    "count",
    "site",
    "instance_type",
    "rhythm",
    "needs_vcpus",
    "needs_memory_gib",
    "team",
)


def _role(label: Label, line: list[Any], defaults: Mapping[str, Any]) -> Role:
    named = dict(zip(_COLUMNS, line, strict=False))
    given: dict[str, Any] = {**defaults, **named, **(line[8] if len(line) > 8 else {})}
    given["site"] = site = SITES[given["site"]]
    given.setdefault("clock", site.clock)
    if "wart" in given:
        given["wart"] = Wart(given["wart"])
    if "placement" in given:
        given["placement"] = Placement(given["placement"])
    if "gpu_watts" in given:
        given["gpu_watts"] = tuple(given["gpu_watts"])
    return Role(label=label, **given)


@cache
def deal() -> tuple[Role, ...]:
    """The deck's 133 machines: the mix, then those whose place is the question.

    Each part is in an order whose every beginning holds about the same mix.
    """
    return (
        *_spread(role for role in deck() if role.placement is Placement.STAY),
        *_spread(role for role in deck() if role.placement is not Placement.STAY),
    )


def _spread(roles: Iterable[Role]) -> tuple[Role, ...]:
    """Each role's machines at even distances; the golden ratio keeps the roles with one machine
    from standing together."""
    golden = (5**0.5 - 1) / 2
    placed = sorted(
        ((k + (index * golden) % 1) / role.count, index, role)
        for index, role in enumerate(roles)
        for k in range(role.count)
    )
    return tuple(role for _, _, role in placed)
