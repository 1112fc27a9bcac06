"""Scaling groups as cases of their own: judged as one resource that costs what its members do."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final

from costopt.model import Cost, Resource, is_machine, is_stopped
from costopt.rules.base import Case

KIND: Final = "scaling group"

_SCALE_SET: Final = re.compile(r"(.*/virtualMachineScaleSets/[^/]+)/virtualMachines/.*", re.I)
_INSTANCE: Final = re.compile(r"(.*/projects/[^/]+)/(zones/[^/]+)/instances/[^/]+")


def group_of(resource: Resource) -> str:
    """The id of the group that it is a member of, as far as its own tells; "" = of none.

    AWS names a group within an account and region; Azure's id is in its members', or what they are
    billed as; a Google member tells the zone of its zonal group.
    """
    name = resource.scaling_group
    if not name or not is_machine(resource):
        return ""
    billed_as = resource.attributes.get("billed_as", "")
    if billed_as.casefold().endswith(f"/{name}".casefold()):
        return billed_as
    if found := _SCALE_SET.fullmatch(resource.resource_id):
        return found[1]
    if found := _INSTANCE.fullmatch(resource.resource_id):
        return f"{found[1]}/{found[2]}/instanceGroupManagers/{name}"
    return name


def by_group(cases: Iterable[Case]) -> dict[str, list[Case]]:
    """The members of each group, by id; a name that means groups in several places tells where."""
    placed: dict[str, dict[tuple[str, str, str], list[Case]]] = {}
    for case in cases:
        resource = case.resource
        if group := group_of(resource):
            place = (
                resource.provider_name,
                resource.sub_account_id or "",
                resource.region_id or "",
            )
            placed.setdefault(group, {}).setdefault(place, []).append(case)
    found = {}
    for group, places in sorted(placed.items()):
        for place, members in sorted(places.items()):
            told = group if len(places) == 1 else "/".join((*place[1:], group))
            found[told] = sorted(members, key=lambda case: case.resource.resource_id)
    return found


def group_case(group: str, members: Sequence[Case]) -> Case | None:
    """The group as a case; None where no member runs now.

    It has no type of its own, so that rules on machines pass it by. Its shape and price are those
    of the member that most are like.
    """
    running = [case for case in members if not is_stopped(case.resource)]
    if not running:
        return None
    one = _typical(running)
    resource = one.resource
    return Case(
        resource=Resource(
            group,
            resource.provider_name,
            resource_name=resource.scaling_group,
            resource_type=KIND,
            service_name=resource.service_name,
            sub_account_id=resource.sub_account_id,
            region_id=resource.region_id,
            pricing_category=resource.pricing_category,
            scaling_group=resource.scaling_group,
            time_zone=resource.time_zone,
            tags=_shared(case.resource.tags for case in running),
        ),
        shape=one.shape,
        price=one.price,
        profiles=(),
        findings=tuple(f for case in running for f in case.findings),
        disputed=None,
        cost=_sum([case.cost for case in members if case.cost]) if one.cost else None,
        catalogue=one.catalogue,
        window=one.window,
        as_of=one.as_of,
        min_monthly_savings=one.min_monthly_savings,
        replica=one.current,
        replicas=len(running),
    )


def _typical(running: Sequence[Case]) -> Case:
    kinds = Counter(case.resource.instance_type or "" for case in running)
    common = min(kinds, key=lambda kind: (-kinds[kind], kind))
    return next(case for case in running if (case.resource.instance_type or "") == common)


def _shared(tags: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """The tags that all members have alike."""
    first, *others = (dict(one) for one in tags)
    return {key: v for key, v in first.items() if all(one.get(key) == v for one in others)}


def _sum(costs: Sequence[Cost]) -> Cost | None:
    """What the members cost together; None where they are not of one currency."""
    if len({cost.currency for cost in costs}) != 1:
        return None
    compute = sum((cost.compute for cost in costs), Decimal(0))
    committed = sum(float(cost.compute) * cost.committed_share for cost in costs)
    return Cost(
        monthly=sum((cost.monthly for cost in costs), Decimal(0)),
        compute=compute,
        compute_list=sum((cost.compute_list for cost in costs), Decimal(0)),
        hourly_effective=max(
            (c.hourly_effective for c in costs if c.hourly_effective), default=None
        ),
        running_share=1.0,
        committed_share=committed / float(compute) if compute > 0 else 0.0,
        currency=costs[0].currency,
        basis="charges" if any(cost.basis == "charges" for cost in costs) else "list",
    )
