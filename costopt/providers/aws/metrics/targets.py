"""The things that CloudWatch measures, of all that was listed. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import pyarrow as pa

from costopt.providers.aws.metrics.catalogue import DIMENSION, ENTRIES, Entry, Kind

Dimensions = tuple[tuple[str, str], ...]
"""(name, value), by name."""
Place = tuple[str, str]
"""Account id and region."""


@dataclass(frozen=True, slots=True)
class Target:
    """One thing that has metrics of its own."""

    account_id: str
    region: str
    resource_id: str
    kinds: tuple[Kind, ...]
    value: str  # of its dimension
    instance_type: str = ""
    silent_since: int | None = None
    """Seconds since 1970: stopped then, so that nothing was measured since. None = it runs."""

    def asked(self) -> list[tuple[Entry, Dimensions]]:
        """What AWS itself measures of it."""
        return [
            (entry, ((DIMENSION[kind], self.value),))
            for kind in self.kinds
            for entry in ENTRIES[kind]
        ]


# Machine types that are not built on Nitro: they send no EBS metrics of the instance. There will be
# no new ones. Source: EC2 instance types guide, "Instances built on the Nitro System".
_XEN: Final = frozenset(
    {"c1", "c3", "c4", "cc2", "cr1", "d2", "f1", "g2", "g3", "g3s", "h1", "hs1", "i2", "i3"}
    | {"m1", "m2", "m3", "m4", "p2", "p3", "r3", "r4", "t1", "t2", "x1", "x1e"}
)
_BURSTABLE: Final = frozenset(["t2", "t3", "t3a", "t4g"])

_FORMS: Final[tuple[tuple[re.Pattern[str], tuple[Kind, ...]], ...]] = (
    (re.compile(r"(i-[0-9a-f]+)"), ("machine",)),
    (re.compile(r"(vol-[0-9a-f]+)"), ("volume",)),
    (re.compile(r"(?:arn:.*:natgateway/)?(nat-[0-9a-f]+)"), ("nat",)),
    (re.compile(r"arn:[^:]*:rds:[^:]*:\d*:db:(.+)"), ("database",)),
    (re.compile(r"arn:[^:]*:elasticloadbalancing:.*:loadbalancer/(app/.+)"), ("alb",)),
    (re.compile(r"arn:[^:]*:elasticloadbalancing:.*:loadbalancer/(net/.+)"), ("nlb",)),
    (re.compile(r"arn:[^:]*:elasticloadbalancing:.*:loadbalancer/(gwy/.+)"), ("gwlb",)),
    (re.compile(r"arn:[^:]*:elasticloadbalancing:.*:loadbalancer/([^/]+)"), ("clb",)),
)
"""What a thing is, by the form of its id, and in it the value of its dimension."""


def targets(resources: pa.Table) -> list[Target]:
    """What of the table (schema.RESOURCES) has metrics, by account, region and id."""
    wanted = ["SubAccountId", "RegionId", "ResourceId", "x_InstanceType", "x_State", "x_Attributes"]
    rows = resources.select(wanted).to_pylist()
    found = {
        target.resource_id: target
        for row in rows
        if not _unattached(row) and (target := _target(row)) is not None
    }
    return sorted(found.values(), key=lambda one: (one.account_id, one.region, one.resource_id))


def _target(row: dict[str, Any]) -> Target | None:
    attributes = dict(row["x_Attributes"] or ())
    for form, kinds in _FORMS:
        if row["SubAccountId"] and row["RegionId"] and (same := form.fullmatch(row["ResourceId"])):
            kind = row["x_InstanceType"] or ""
            return Target(
                row["SubAccountId"],
                row["RegionId"],
                row["ResourceId"],
                (*kinds, *_also(kind)) if kinds == ("machine",) else kinds,
                same[1],
                kind,
                _silent_since(row["x_State"], attributes),
            )
    return None


def _also(instance_type: str) -> tuple[Kind, ...]:
    family = instance_type.partition(".")[0]
    nitro: tuple[Kind, ...] = ("nitro",) if family and family not in _XEN else ()
    return (*nitro, "burstable") if family in _BURSTABLE else nitro


def _unattached(row: dict[str, Any]) -> bool:
    """A volume that serves no machine: EBS measures it only while it is attached."""
    return bool(row["x_State"] == "available" and row["ResourceId"].startswith("vol-"))


def _silent_since(state: str | None, attributes: dict[str, str]) -> int | None:
    stopped = attributes.get("stopped_at")
    if state != "stopped" or stopped is None:
        return None
    return int(datetime.fromisoformat(stopped).timestamp())
