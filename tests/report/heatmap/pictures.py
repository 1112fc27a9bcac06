"""What the tests draw: ordinary and hostile fleets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from costopt.model import Profile, Resource
from costopt.profile.heatmap import Overview, WeekMap, group_weeks, overview, week_of
from tests.profile.weeks import fleet, office, profile_of

CPU = "cpu_utilization"
HOSTILE = (
    "$\\frac{1}{2}$ x^2_i",
    "\x1b[31mred\x1b[0m\x07bell",
    "שרת ייצור ראשי 01",
    "خادم الإنتاج",
    "日本語のサーバー名 web",
    "🚀 rocket prod",
    "a" * 300,
    "line\nbreak\ttab\r\x00",
    "<script>alert(1)</script>&amp;\"'",
    "\u202egnp.exe",
    "",
    "W" * 60,
    "=HYPERLINK(1)",
    "i-0123456789abcdef0/very/long/path/production-eu-central-1-web-frontend-blue-0042",
)
"""Names that a cloud may hold: mathematics, escapes, scripts, directions, lengths, markup."""


def hostile_fleet(machines: int) -> tuple[dict[str, Resource], dict[str, tuple[Profile, ...]]]:
    """A fleet whose names, teams and providers are the worst there are."""
    resources, profiles = fleet(machines)
    for number, (resource_id, resource) in enumerate(resources.items()):
        name = HOSTILE[number % len(HOSTILE)]
        resources[resource_id] = replace(
            resource,
            resource_name=name,
            provider_name=HOSTILE[number * 3 % len(HOSTILE)] or "x",
            tags={"team": name},
        )
    return resources, profiles


def patchy_week(title: str = "web-1") -> WeekMap:
    """A week with thin hours (Tuesday 16 to 21) and missing ones (Friday 4 to 6)."""
    present = np.ones(168)
    present[40:46] = 0.3
    present[100:103] = 0
    profile = profile_of("i-1", office(80), present=present, zone="Europe/Berlin")
    return week_of(profile, title)


def hostile_weeks(machines: int = 30) -> list[WeekMap]:
    """Groups of hostile names."""
    return group_weeks(*hostile_fleet(machines), "tag:team", CPU)


def hostile_overview(machines: int) -> Overview:
    """The overview of a hostile fleet."""
    return overview(*hostile_fleet(machines), CPU)
