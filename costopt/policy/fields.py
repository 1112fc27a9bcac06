"""What policies can ask of: every variable with its fields, their units and where they come from.

A field that is not known is unknown, never 0 and never "" (docs/policies.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from costopt.policy.expression import Described, Kind, Record


def _fields(of: Kind, /, **helps: str) -> dict[str, Described | Record]:
    return {name: Described(of, text) for name, text in helps.items()}


def _demand(what: str, unit: str) -> Record:
    """Figures of one metric over the window."""
    return Record(
        _fields(
            Kind.NUMBER,
            mean=f"{unit}",
            p50=f"{unit}: half of the samples lie below",
            p95=f"{unit}",
            p99=f"{unit}",
            p99_5=f"{unit}",
            max=f"{unit}",
            under_5="share of samples below 5, 0..1",
        ),
        what,
    )


RESOURCE: Final = Record(
    {
        **_fields(
            Kind.TEXT,
            id="ResourceId",
            name="ResourceName, else its id",
            type="Instance, Disk, Snapshot, IP address, NAT gateway, Load balancer, Database, ...",
            service="ServiceName",
            provider="AWS, GCP, Azure, OnPrem, ...",
            account="SubAccountId: account, project or subscription",
            region="RegionId",
            state="as its provider says: running, stopped, available, ...",
            group="scaling group",
            instance_type="machine type",
            family="of its machine type: m5, n2-standard, Dsv5",
            gpu_model="A100, T4, ...",
            architecture="x86_64 or arm64",
            operating_system="",
            pricing="Standard, Dynamic (spot) or Committed",
            volume_type="of a disk: gp2, gp3, pd-ssd, Premium_LRS",
        ),
        **_fields(
            Kind.NUMBER,
            vcpus="",
            memory_gib="GiB",
            gpu_count="cards; 0 = none",
            size_gib="of a disk or snapshot, GiB",
            age_days="since it was launched or made",
        ),
        **_fields(
            Kind.BOOL,
            machine="whether it has vCPUs: an instance, a node",
            stopped="whether it does not run now",
            billed="whether its computing costs; an Azure machine that is not deallocated does",
            attached="of a disk or an address: whether something holds it",
            current_generation="of its machine type",
            burstable="whether its machine type runs on CPU credits",
        ),
        **_fields(Kind.TAGS, tags="its tags or labels"),
    },
    "the resource",
)
PROFILE: Final = Record(
    {
        **_fields(Kind.NUMBER, days="days of history with CPU samples"),
        "cpu": _demand("CPU of the whole machine", "percent"),
        "memory": _demand("memory of the whole machine", "percent"),
        "gpu": _demand("time in which any kernel ran, mean of the cards", "percent"),
        "sm": _demand("SM activity, mean of the cards", "percent"),
        "gpu_memory": _demand("memory of the cards", "percent"),
        "network_in": _demand("received", "bytes a second"),
        "network_out": _demand("sent", "bytes a second"),
        "requests": _demand("requests", "a second"),
    },
    "what it does, over the window; of metrics that pass the quality gate",
)
CHARGES: Final = Record(
    {
        **_fields(
            Kind.NUMBER,
            monthly="effective cost a month, after discounts and commitments",
            compute="of it what ends when the machine stops",
            list="the same computing at list price",
            hourly="effective computing cost of a running hour",
            running_share="share of the window's hours in which it was billed as running, 0..1",
            committed_share="share of its computing that a commitment covers, 0..1",
        ),
        **_fields(
            Kind.TEXT,
            currency="ISO 4217",
            basis="charges (a bill names it) or list (no bill does)",
        ),
    },
    "what it costs",
)
RECOMMENDATION: Final = Record(
    {
        **_fields(
            Kind.TEXT,
            action="Stop, Rightsize, x_Schedule, x_Spot, x_MoveRegion, ...; of the largest saving",
            rule="idle, rightsize, schedule, move",
            target="machine type that it should be",
        ),
        **_fields(
            Kind.NUMBER,
            monthly_savings="of all that the plan advises for it",
            undo_risk="chance that a smaller size must be undone, 0..1",
        ),
    },
    "what the plan advises for it; unknown where it advises nothing",
)
CHANGE: Final = Record(
    {
        **_fields(
            Kind.TEXT,
            action="create, update, delete, replace or no-op",
            kind="as its tool calls it: aws_instance, google_compute_disk",
            address="where it stands in the plan: module.web.aws_instance.app[0]",
            provider="AWS, GCP, Azure, ...",
            region="RegionId; unknown where the plan does not know it yet",
            instance_type="machine type",
            volume_type="of a disk",
            gpu_model="",
            why_unpriced="what the amounts do not hold, and why: root disk: its size is not known",
        ),
        **_fields(
            Kind.NUMBER,
            vcpus="of all its machines",
            memory_gib="GiB, of all its machines",
            gpu_count="cards of all its machines; 0 = none",
            count="machines that it stands for",
            size_gib="GiB of disks",
            hourly="once done, at list",
            monthly_before="at list, on demand; of the parts that have a price before and after",
            monthly="once done, likewise",
            monthly_difference="once done, less before",
        ),
        **_fields(
            Kind.BOOL,
            priced="whether a price is known, be it without all that why_unpriced names",
            current_generation="of its machine type",
            undoes_advice="whether it makes or keeps what the plan of costopt recommend ends",
        ),
        **_fields(Kind.TAGS, tags="tags or labels, once done"),
    },
    "a planned change (costopt check --plan)",
)
FLEET: Final = Record(
    {
        **_fields(
            Kind.NUMBER,
            resources="how many there are",
            monthly_spend="at the pace of the bill",
            monthly_savings="that the plan advises",
            unused_commitments="a month, paid for nothing",
            uncommitted_steady="a month on demand that was there in every hour of the bill",
            yesterday="spend of the newest complete day",
            usual_day="median spend of the same weekday in the eight weeks before",
            month_forecast="spend of this calendar month at the pace of its complete days",
            planned_monthly="of all planned changes together, once done, less before",
            planned_unpriced="planned changes of which the price is not known",
        ),
        **_fields(Kind.TEXT, currency="ISO 4217"),
    },
    "the whole fleet, or all of a plan's changes",
)

VARIABLES: Final[Mapping[str, Mapping[str, Record]]] = MappingProxyType(
    {
        "resource": {
            "resource": RESOURCE,
            "profile": PROFILE,
            "charges": CHARGES,
            "recommendation": RECOMMENDATION,
            "fleet": FLEET,
        },
        "change": {
            "change": CHANGE,
            "resource": RESOURCE,
            "profile": PROFILE,
            "charges": CHARGES,
            "recommendation": RECOMMENDATION,
            "fleet": FLEET,
        },
        "fleet": {"fleet": FLEET},
    }
)
"""What a policy judges -> the variables that it can ask of."""
