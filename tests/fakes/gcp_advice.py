"""Google's recommenders on loopback, as documents of the REST API, by project and location.

made.advice.machine_type(project, "web-1", "n2-standard-8", "n2-standard-4", units=-73)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from tests.fakes.gcp_rest import Answer, Call, Rest, page

if TYPE_CHECKING:
    from tests.fakes.gcp_cloud import Project

ZONE: Final = "europe-west1-b"
_MONTH: Final = f"{30 * 86_400}s"
MACHINE_TYPE: Final = "google.compute.instance.MachineTypeRecommender"
IDLE: Final = "google.compute.{}.IdleResourceRecommender"
METHODS: Final = {
    MACHINE_TYPE: "recommender.computeInstanceMachineTypeRecommendations.list",
    IDLE.format("instance"): "recommender.computeInstanceIdleResourceRecommendations.list",
    IDLE.format("disk"): "recommender.computeDiskIdleResourceRecommendations.list",
    IDLE.format("address"): "recommender.computeAddressIdleResourceRecommendations.list",
}
"""Recommender -> the permission to list it, by which calls are counted and refused."""
Item = dict[str, Any]


@dataclass
class Advice:
    """What is recommended; asked for by the routes of a door."""

    rest: Rest
    most: int = 100
    items: dict[tuple[str, str, str], list[Item]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for recommender, name in METHODS.items():
            path = f"/v1/projects/{{project}}/locations/{{location}}/recommenders/{recommender}"
            handler = partial(self._listed, recommender)
            self.rest.route(name, "GET", f"{path}/recommendations", handler)

    def _listed(self, recommender: str, call: Call) -> Answer | Item:
        held = self.items.get((call.project, call.parts["location"], recommender), [])
        found = page(held, call, most=self.most)
        return found if isinstance(found, Answer) else {"recommendations": found[0], **found[1]}

    def machine_type(
        self, project: Project, name: str, before: str, after: str, *, units: int, **more: Any
    ) -> Item:
        """Of a machine in ZONE; `units` is what it costs more in 30 days."""
        instance = f"//compute.googleapis.com/projects/{project.project_id}/zones/{ZONE}"
        operation = {
            "resourceType": "compute.googleapis.com/Instance",
            "resource": f"{instance}/instances/{name}",
            "path": "/machineType",
        }
        types = f"zones/{ZONE}/machineTypes"
        test = {"action": "test", "valueMatcher": {"matchesPattern": f".*{types}/{before}"}}
        replace = {"action": "replace", "value": f"{types}/{after}"}
        return self.add(
            project, ZONE, MACHINE_TYPE, "CHANGE_MACHINE_TYPE", units,
            [operation | test, operation | replace],
            description=f"Save cost by changing machine type from {before} to {after}.", **more,
        )  # fmt: skip

    def idle(
        self, project: Project, scope: str, collection: str, name: str, subtype: str, units: int
    ) -> Item:
        """Of a thing that is not used; Google names the project by its number here."""
        thing = f"//compute.googleapis.com/projects/{project.number}/{scope}/{collection}/{name}"
        kind = {"instances": "instance", "disks": "disk", "addresses": "address"}[collection]
        operations = [{"action": "remove", "path": "/", "resource": thing}]
        location = scope.rpartition("/")[2]
        return self.add(project, location, IDLE.format(kind), subtype, units, operations)

    def add(
        self,
        project: Project,
        location: str,
        recommender: str,
        subtype: str,
        units: int,
        operations: list[Item],
        **more: Any,
    ) -> Item:
        """Anything."""
        held = self.items.setdefault((project.project_id, location, recommender), [])
        place = f"projects/{project.number}/locations/{location}/recommenders/{recommender}"
        item = {
            "name": f"{place}/recommendations/r{len(held)}",
            "description": "Save cost.",
            "recommenderSubtype": subtype,
            "lastRefreshTime": "2026-10-27T06:41:17Z",
            "priority": "P2",
            "primaryImpact": {
                "category": "COST",
                "costProjection": {
                    "cost": {"currencyCode": "USD", "units": str(units)},
                    "duration": _MONTH,
                },
            },
            "content": {"operationGroups": [{"operations": operations}]},
            "stateInfo": {"state": "ACTIVE"},
            **more,
        }
        held.append(item)
        return item
