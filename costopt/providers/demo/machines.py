"""The machines and what they left behind: names, ids, lives."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from costopt.model import Shape
from costopt.providers.demo import tariff
from costopt.providers.demo.clock import hour_within, local_day
from costopt.providers.demo.company import LOOSE, Loose, Role, Site, deal
from costopt.providers.demo.truth import Label, Placement, Wart

# When things happen, before the fleet's `end`. Whole hours, so that bills come in whole hours.
RESIZED: Final = timedelta(days=20, hours=-13)
NEW: Final = timedelta(days=3, hours=-9)
STOPPED: Final = timedelta(days=17, hours=-6)
STALE: Final = timedelta(days=6, hours=-3)
STUCK: Final = timedelta(days=12)
POISONED: Final = timedelta(days=10)

_HOSTILE_NAME: Final = (
    "<img src=x onerror=alert('portal')>\x1b[31m =cmd|'/C calc'!A1, \"quoted\"\nsecond line"
)
_HOSTILE_TAGS: Final = {
    "team": '=HYPERLINK("http://example.invalid","partners")',
    "note": 'a,b;"c"\r\n\x1b[2J</td><script>alert(1)</script>',
    "env": "prod",
}

_ACCOUNTS: Final[Mapping[str, tuple[tuple[str, str], tuple[str, str]]]] = {
    # provider -> production, everything else: (id, name)
    "AWS": (("410200000017", "windrose-prod"), ("410200000025", "windrose-nonprod")),
    "GCP": (("windrose-prod-4711", "windrose-prod"), ("windrose-lab-0815", "windrose-lab")),
    "Azure": (
        ("7d1e0c52-0000-4000-8000-000000000001", "Windrose Production"),
        ("7d1e0c52-0000-4000-8000-000000000002", "Windrose Dev-Test"),
    ),
    "OnPrem": (("ams-dc1-shared", "Data centre"), ("ams-dc1-shared", "Data centre")),
}


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine of the fleet."""

    number: int  # its place; the seed of its samples
    role: Role
    key: str  # harmless name, unique in the fleet
    resource_id: str
    disk_id: str  # the machine's own id where the provider bills disks on it
    account_id: str
    account_name: str
    network_id: str  # as its provider names networks, as the next
    subnet_id: str
    shape: Shape
    old_shape: Shape | None  # before the resize
    launched_at: datetime
    resized_at: datetime | None
    stopped_at: datetime | None

    @property
    def site(self) -> Site:
        """Where it stands."""
        return self.role.site

    @property
    def name(self) -> str:
        """Its display name, which may hold anything."""
        return _HOSTILE_NAME if self.role.wart is Wart.HOSTILE else self.key

    @property
    def tags(self) -> dict[str, str]:
        """Its tags; none where nobody cared."""
        if self.role.wart is Wart.HOSTILE:
            return _HOSTILE_TAGS
        if not self.role.tagged:
            return {}
        tags = {"team": self.role.team, "env": self.role.env, "app": self.role.app}
        return tags | ({"residency": self.role.residency} if self.role.residency else {})

    def runs(self, day: date) -> list[tuple[int, int, Shape]]:
        """When it runs on a UTC day: (from hour, to hour, as what), in order."""
        begin, end = hour_within(self.launched_at, day), 24
        if self.stopped_at is not None:
            end = hour_within(self.stopped_at, day)
        if self.role.wart is Wart.SCHEDULED:
            begin, end = _office_hours(self.role.clock, day)
        parts = [(begin, end, self.shape)]
        if self.old_shape is not None and self.resized_at is not None:
            split = hour_within(self.resized_at, day)
            parts = [(begin, min(end, split), self.old_shape), (max(begin, split), end, self.shape)]
        return [part for part in parts if part[0] < part[1]]


def _office_hours(zone: str, day: date) -> tuple[int, int]:
    """UTC hours of the day between 07:00 and 19:00 on working days there."""
    local = local_day(zone, day)
    open_ = ((local.hour >= 7) & (local.hour < 19) & ~local.weekend)[::12].nonzero()[0]
    return (int(open_[0]), int(open_[-1]) + 1) if open_.size else (0, 0)


def machines(instances: int, seed: int, end: datetime) -> tuple[Machine, ...]:
    """The first `instances` machines; machine n is the same in every fleet that has it."""
    order = deal()
    seen: dict[str, int] = {}
    fleet = []
    for number in range(instances):
        role = order[number % len(order)]
        seen[role.app] = seen.get(role.app, 0) + 1
        fleet.append(_machine(number, role, seen[role.app], seed, end))
    return tuple(fleet)


def _machine(number: int, role: Role, ordinal: int, seed: int, end: datetime) -> Machine:
    key = f"{role.app}-{role.site.code}-{ordinal:02d}"
    provider = role.site.provider
    account_id, account_name = _account(provider, role.env)
    network = role.network or account_name.lower().replace(" ", "-")
    # 400 days to 4 years ago, at a whole hour.
    age = timedelta(hours=9600 + int(_digest(seed, key, "age")[:6], 16) % 25_000)
    return Machine(
        number=number,
        role=role,
        key=key,
        resource_id=resource_id(role.site, account_id, "machine", key, seed),
        disk_id=resource_id(
            role.site, account_id, "machine" if provider == "OnPrem" else "disk", key, seed
        ),
        account_id=account_id,
        account_name=account_name,
        network_id=_network_id(role.site, "vpc", network, seed),
        subnet_id=_network_id(role.site, "subnet", network, seed),
        shape=tariff.shape(provider, role.instance_type),
        old_shape=tariff.shape(provider, role.was) if role.was else None,
        launched_at=end - (NEW if role.wart is Wart.NEW else age),
        resized_at=end - RESIZED if role.was else None,
        stopped_at=end - STOPPED if role.label is Label.STOPPED else None,
    )


def _account(provider: str, env: str) -> tuple[str, str]:
    production, other = _ACCOUNTS[provider]
    return production if env in {"prod", "unknown"} else other


def _digest(seed: int, *words: str) -> str:
    text = "\x1f".join((str(seed), *words))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def resource_id(site: Site, account: str, kind: str, key: str, seed: int) -> str:
    """An id as the provider forms them; `kind`: machine | disk | address."""
    unique = _digest(seed, kind, key)
    if site.provider == "AWS":
        prefix = {"machine": "i", "disk": "vol", "address": "eipalloc"}[kind]
        return f"{prefix}-{unique[:17]}"
    if site.provider == "GCP":
        folder = {"machine": "instances", "disk": "disks", "address": "addresses"}[kind]
        place = f"regions/{site.region}" if kind == "address" else f"zones/{site.zone}"
        return f"//compute.googleapis.com/projects/{account}/{place}/{folder}/{key}"
    if site.provider == "Azure":
        service = {
            "machine": "Microsoft.Compute/virtualMachines",
            "disk": "Microsoft.Compute/disks",
            "address": "Microsoft.Network/publicIPAddresses",
        }[kind]
        return f"/subscriptions/{account}/resourceGroups/rg-{site.code}/providers/{service}/{key}"
    return f"{site.region}/vm/{key}"


def _network_id(site: Site, kind: str, network: str, seed: int) -> str:
    """A network's name as the provider forms them; `kind`: vpc | subnet."""
    if site.provider == "AWS":
        return f"{kind}-{_digest(seed, kind, site.region, network)[:17]}"
    # Google's networks span regions, their parts do not; an Azure subnet's name is its network's.
    return f"{network}-{site.region}" if site.provider != "GCP" or kind == "subnet" else network


@dataclass(frozen=True, slots=True)
class Leftover:
    """An unattached disk or unused address, with the id it is billed under."""

    loose: Loose
    key: str
    resource_id: str
    account_id: str
    account_name: str


def leftovers(instances: int, seed: int) -> tuple[Leftover, ...]:
    """The loose disks and addresses of a fleet that size, seven per 120 machines of the mix."""
    order = deal()
    mixed = [role.placement is Placement.STAY for role in order]
    whole, part = divmod(instances, len(order))
    found = []
    for number in range(round((whole + sum(mixed[:part]) / sum(mixed)) * len(LOOSE))):
        loose = LOOSE[number % len(LOOSE)]
        kind = "disk" if loose.disk_gib else "address"
        key = f"{loose.app}-{kind}-{number // len(LOOSE) + 1:02d}"
        account_id, name = _account(loose.site.provider, "prod")
        unique = resource_id(loose.site, account_id, kind, key, seed)
        found.append(Leftover(loose, key, unique, account_id, name))
    return tuple(found)
