"""Google Cloud's recommendations, to be compared with ours: machine types, and what is idle.

Asked of each project in the zones and regions in which the inventory found something; the calls are
free. A project that has the Recommender API off, or does not let us ask, is told once.

x_Attributes, all of them text: current_type; priority (P1 to P4); state, where it is
not ACTIVE: CLAIMED, DISMISSED. What was done already, or failed, is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

import pyarrow as pa
from google.cloud.recommender_v1 import RecommenderClient

from costopt.parallel import in_threads
from costopt.providers import advised
from costopt.providers.advised import Listing
from costopt.providers.base import Problem
from costopt.providers.gcp.access import FAILURES, Access, denied, not_enabled, said
from costopt.providers.gcp.names import last
from costopt.providers.gcp.projects import Project
from costopt.providers.rows import Row, attributes
from costopt.schema import GCP_ADVICE
from costopt.units import HOURS_PER_MONTH

SERVICE: Final = "recommender"


class Recommender(NamedTuple):
    """One of Google's recommenders."""

    name: str
    permission: str
    collection: str  # of what it speaks of
    lookback_days: float
    """What it looks back on unless it is configured otherwise; recommendations do not tell.
    Source: cloud.google.com/compute/docs, "Apply machine type recommendations", "Idle VM",
    "Idle resources" (disks, addresses)."""


RECOMMENDERS: Final = (
    Recommender(
        "google.compute.instance.MachineTypeRecommender",
        "recommender.computeInstanceMachineTypeRecommendations.list",
        "instances",
        8,
    ),
    Recommender(
        "google.compute.instance.IdleResourceRecommender",
        "recommender.computeInstanceIdleResourceRecommendations.list",
        "instances",
        14,
    ),
    Recommender(
        "google.compute.disk.IdleResourceRecommender",
        "recommender.computeDiskIdleResourceRecommendations.list",
        "disks",
        15,
    ),
    Recommender(
        "google.compute.address.IdleResourceRecommender",
        "recommender.computeAddressIdleResourceRecommendations.list",
        "addresses",
        15,
    ),
)

_THING: Final = re.compile(
    r"//compute\.googleapis\.com/projects/([^/]+)/(?:(?:zones|regions)/([^/]+)|(global))/([^/]+)/"
)
_OPEN: Final = frozenset({"ACTIVE", "CLAIMED", "DISMISSED"})
_ACTIONS: Final = {
    "STOP_VM": "stop",
    "SNAPSHOT_AND_DELETE_DISK": "delete",
    "DELETE_DISK": "delete",
    "DELETE_ADDRESS": "delete",
}
_NANO: Final = Decimal("1e-9")
_MONTH: Final = Decimal(timedelta(hours=HOURS_PER_MONTH) // timedelta(microseconds=1))


class _Place(NamedTuple):
    project: Project
    location: str  # a zone, a region or global
    recommender: Recommender

    @property
    def scope(self) -> str:
        return f"{self.location} {self.recommender.name}"

    @property
    def parent(self) -> str:
        named = f"projects/{self.project.project_id}/locations/{self.location}"
        return f"{named}/recommenders/{self.recommender.name}"


def advice(
    access: Access,
    projects: Sequence[Project],
    things: pa.Table,
    problems: list[Problem],
    now: datetime,
) -> pa.Table:
    """What Google recommends (schema.VENDOR_RECOMMENDATIONS).

    Args:
        things: the inventory (schema.RESOURCES): where it has nothing, nothing is asked.
        problems: what is not permitted or fails, once for each project and reason.
        now: when it is asked (UTC).
    """
    places = _places(projects, things.column("ResourceId").to_pylist())
    listings: list[list[Row]] = []
    refusals: list[Problem] = []

    def listed(place: _Place) -> tuple[list[Row] | None, Problem | None]:
        return _listed(access, place, now)

    for rows, refused in in_threads(listed, places, access.settings.max_concurrency):
        listings += [rows] if rows is not None else []
        refusals += [refused] if refused else []
    problems += advised.once(refusals)
    return advised.table(listings)


def _places(projects: Sequence[Project], ids: Iterable[str]) -> Iterator[_Place]:
    by_id = {project.project_id: project for project in projects}
    found = {one.groups() for name in ids if (one := _THING.match(name))}
    for name, location, everywhere, collection in sorted(found, key=str):
        for recommender in RECOMMENDERS:
            if recommender.collection == collection and name in by_id:
                yield _Place(by_id[name], location or everywhere, recommender)


def _listed(
    access: Access, place: _Place, now: datetime
) -> tuple[list[Row] | None, Problem | None]:
    project = place.project
    listing = Listing("GCP", GCP_ADVICE, project.project_id, place.scope, now)
    client = access.rest(SERVICE, RecommenderClient, transport="rest")
    try:
        rows = [
            _row(one, place)
            for page in access.listing(client.list_recommendations, {"parent": place.parent})
            for one in page.recommendations
            if one.state_info.state.name in _OPEN
        ]
    except FAILURES as error:
        return None, _refusal(error, place)
    return listing.rows(rows), None


def _refusal(error: Exception, place: _Place) -> Problem:
    project, permission = place.project, place.recommender.permission
    if not_enabled(error, project.project_id, project.number):
        what = "the Recommender API is not enabled there: no advice to compare with"
        return Problem(f"{project.project_id} {SERVICE}.googleapis.com", what)
    if denied(error):
        hint = "no advice to compare with; grant it (costopt doctor gcp --policy)"
        return Problem(f"{project.project_id} {permission}", f"{said(error)}; {hint}")
    return Problem(f"{project.project_id} {place.scope}", said(error))


# -- what it says ----------------------------------------------------------------------------


def _row(one: Any, place: _Place) -> Row:
    operations = [
        operation for group in one.content.operation_groups for operation in group.operations
    ]
    chosen = _machine_type(operations)
    before = _before(operations)
    targets = [*one.target_resources, *(operation.resource for operation in operations)]
    state = one.state_info.state.name
    return {
        "x_RecommendationId": one.name,
        "ResourceId": _own_id(targets[0], place.project) if targets else None,
        "x_Action": _action(one.recommender_subtype, before, chosen),
        "x_InstanceType": chosen,
        **_savings(one.primary_impact.cost_projection),
        "x_Finding": one.recommender_subtype,
        "x_Reasons": [one.description] if one.description else [],
        "x_LookbackDays": place.recommender.lookback_days,
        "x_UpdatedAt": one.last_refresh_time or None,
        "x_Attributes": attributes(
            current_type=before,
            priority=one.priority.name if one.priority else None,
            state=None if state == "ACTIVE" else state,
        ),
    }


def _machine_type(operations: Sequence[Any]) -> str | None:
    """The type that a replacement of /machineType names: zones/Z/machineTypes/e2-medium."""
    for operation in operations:
        if operation.action.lower() == "replace" and operation.path == "/machineType":
            return last(str(operation.value)) or None
    return None


def _before(operations: Sequence[Any]) -> str | None:
    """The type that it is tested for first: .*zones/Z/machineTypes/n1-standard-4."""
    for operation in operations:
        if operation.action.lower() == "test" and operation.path == "/machineType":
            pattern = operation.value_matcher.matches_pattern or str(operation.value or "")
            return last(pattern) or None
    return None


def _action(subtype: str, before: str | None, chosen: str | None) -> str:
    if chosen is None:
        return _ACTIONS.get(subtype, "other")
    if before is None or _family(before) == _family(chosen):
        return "resize"
    return "change-family"


def _family(machine_type: str) -> str:
    """n2 of n2-standard-4 and n2-custom-2-4096; custom-2-4096 is an N1."""
    first = machine_type.partition("-")[0]
    return "n1" if first == "custom" else first


def _own_id(name: str, project: Project) -> str:
    """As the inventory has it: the project by its id, also where Google writes its number."""
    if project.number:
        name = name.replace(f"/projects/{project.number}/", f"/projects/{project.project_id}/", 1)
    return name


def _savings(projection: Any) -> Row:
    """Of a month of 730 hours: the projected cost is below zero where it saves."""
    cost, span = projection.cost, projection.duration
    if not span or span < timedelta(0):
        return {}
    stated = -(Decimal(cost.units) + cost.nanos * _NANO)
    months = Decimal(span // timedelta(microseconds=1)) / _MONTH
    return advised.savings(stated / months, cost.currency_code)
