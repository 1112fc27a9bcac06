"""A Google Cloud on loopback: Resource Manager and Compute Engine with the rules of the real ones.

Lists come in pages, aggregated ones over all zones; a page holds 500 things at the most, or fewer
if a test says so. Machine types are those of the built-in snapshot, in every zone.

    with cloud() as made:
        web = made.project("shop-prod-1").instance("web-1", machine_type="n2-standard-8")
        made.refuse("shop-prod-1", "compute.disks")
        GcpProvider(GcpSettings(project=("shop-prod-1",))).resources()
        made.rest.counted()  # {"compute.instances.aggregatedList": 1, ...}

Other services (BigQuery) add their methods to `made.rest`: see tests.fakes.gcp_rest.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any, Final

from costopt.pricing import builtin
from tests.fakes.gcp_advice import Advice
from tests.fakes.gcp_catalogue import Catalogue
from tests.fakes.gcp_rest import Answer, Call, Rest, environment, error, page, serve

ZONE: Final = "europe-west1-b"
ZONES: Final = (ZONE, "europe-west1-c", "us-central1-a", "us-east1-b")
COLLECTIONS: Final = (
    "addresses",
    "commitments",
    "disks",
    "forwardingRules",
    "instances",
    "reservations",
    "routers",
)
"""Those that are listed over all zones and regions."""

_MOST: Final = 500
_CREATED: Final = "2026-01-31T01:00:00.000-08:00"
_URL: Final = "https://www.googleapis.com/compute/v1/"

Thing = dict[str, Any]
"""A resource as the API writes it: a test may change it."""


@dataclass
class Project:
    """One project and what lies in it, by scope (zones/europe-west1-b, global) and collection.

    What is made is given back as the document that will be listed; `more` are fields of it, as the
    API names them.
    """

    project_id: str
    number: str
    parent: str = ""
    state: str = "ACTIVE"
    things: dict[tuple[str, str], list[Thing]] = field(default_factory=dict)

    def add(self, scope: str, collection: str, name: str, **more: Any) -> Thing:
        """Anything."""
        path = f"projects/{self.project_id}/{scope}/{collection}/{name}"
        thing = {
            "kind": f"compute#{collection}",
            "id": str(zlib.crc32(path.encode()) + 10**18),
            "name": name,
            "selfLink": _URL + path,
            "creationTimestamp": _CREATED,
            **more,
        }
        self.things.setdefault((scope, collection), []).append(thing)
        return thing

    def instance(
        self, name: str, *, zone: str = ZONE, machine_type: str = "n2-standard-4", **more: Any
    ) -> Thing:
        """A machine that runs Debian."""
        here = f"{_URL}projects/{self.project_id}/zones/{zone}"
        disk = {
            "boot": True,
            "type": "PERSISTENT",
            "source": f"{here}/disks/{name}",
            "diskSizeGb": "20",
            "licenses": [f"{_URL}projects/debian-cloud/global/licenses/debian-12-bookworm"],
            "guestOsFeatures": [{"type": "UEFI_COMPATIBLE"}],
        }
        given = {
            "status": "RUNNING",
            "machineType": f"{here}/machineTypes/{machine_type}",
            "zone": here,
            "cpuPlatform": "Intel Ice Lake",
            "scheduling": {"provisioningModel": "STANDARD", "preemptible": False},
            "disks": [disk],
            "lastStartTimestamp": _CREATED,
        }
        return self.add(f"zones/{zone}", "instances", name, **(given | more))

    def disk(self, name: str, *, scope: str = f"zones/{ZONE}", **more: Any) -> Thing:
        """A balanced disk of 100 GiB that nothing holds."""
        here = f"{_URL}projects/{self.project_id}/{scope}"
        given = {"status": "READY", "sizeGb": "100", "type": f"{here}/diskTypes/pd-balanced"}
        return self.add(scope, "disks", name, **(given | more))

    def snapshot(self, name: str, **more: Any) -> Thing:
        """A snapshot of a disk of 100 GiB, 10 of them stored."""
        given = {
            "status": "READY",
            "diskSizeGb": "100",
            "storageBytes": str(10 * 2**30),
            "sourceDisk": f"{_URL}projects/{self.project_id}/zones/{ZONE}/disks/{name}",
            "storageLocations": ["eu"],
            "snapshotType": "STANDARD",
        }
        return self.add("global", "snapshots", name, **(given | more))

    def address(self, name: str, *, scope: str = "regions/europe-west1", **more: Any) -> Thing:
        """An external address that nothing uses."""
        given = {"status": "RESERVED", "addressType": "EXTERNAL", "address": "203.0.113.7"}
        return self.add(scope, "addresses", name, **(given | more))

    def reference(self, thing: Mapping[str, Any]) -> str:
        """How another resource refers to the thing."""
        return str(thing["selfLink"])


@dataclass
class Cloud:
    """What a test sees of it."""

    rest: Rest
    page: int = _MOST  # things on a page, at the most
    projects: dict[str, Project] = field(default_factory=dict)
    folders: dict[str, str] = field(default_factory=dict)  # number -> parent
    warned: dict[str, str] = field(default_factory=dict)  # zones/... -> code, in every list
    catalogue: Catalogue = field(default_factory=Catalogue)  # prices
    advice: Advice = field(init=False)  # what Google's recommenders say: nothing

    def __post_init__(self) -> None:
        self.advice = Advice(self.rest)

    def project(self, project_id: str, *, parent: str = "", state: str = "ACTIVE") -> Project:
        """The project of that id; the first time it is made."""
        number = str(zlib.crc32(project_id.encode()) + 10**11)
        return self.projects.setdefault(
            project_id, Project(project_id, number, parent=parent, state=state)
        )

    def folder(self, number: str, parent: str) -> str:
        """A folder's full name; made there."""
        self.folders[number] = parent
        return f"folders/{number}"

    # -- what goes wrong: `what` begins the names of the calls concerned -----------------------

    def refuse(self, project: str, what: str = "") -> None:
        """Every call of that project: no permission."""
        said = error(403, f"Required permission is lacking for 'projects/{project}'", "forbidden")
        self.rest.rules.append(
            lambda call: said if call.project == project and call.name.startswith(what) else None
        )

    def disable(self, project: str, service: str = "compute") -> None:
        """The API was never enabled in that project."""
        number = self.projects[project].number
        said = error(
            403,
            f"API has not been used in project {number} before or it is disabled.",
            "accessNotConfigured",
            info={
                "reason": "SERVICE_DISABLED",
                "metadata": {"consumer": f"projects/{number}", "service": service},
            },
        )
        self.rest.rules.append(
            lambda call: said if call.project == project and call.name.startswith(service) else None
        )

    def fail(self, what: str, said: Answer, times: int = 1) -> None:
        """The next so many calls are answered so: error(429, ...), error(503, ...)."""
        left = [said] * times
        self.rest.rules.append(
            lambda call: left.pop() if left and call.name.startswith(what) else None
        )

    def expire(self, what: str, times: int = 1) -> None:
        """The next so many tokens of pages are not known any more."""
        said = error(400, "Invalid value for field 'pageToken': expired", "invalid")
        left = [said] * times
        self.rest.rules.append(
            lambda call: (
                left.pop()
                if left and call.name.startswith(what) and "pageToken" in call.query
                else None
            )
        )

    # -- Resource Manager ----------------------------------------------------------------------

    def _get_project(self, call: Call) -> Any:
        found = self.projects.get(call.parts["project"])
        if found is None:  # Google does not tell whether it exists
            return error(403, "The caller does not have permission", "forbidden")
        return _project(found)

    def _list_projects(self, call: Call) -> Any:
        deleted = call.query.get("showDeleted") == "true"
        inside = [
            one
            for one in self.projects.values()
            if one.parent == call.query["parent"] and (deleted or one.state == "ACTIVE")
        ]
        return self._listed("projects", [_project(one) for one in inside], call)

    def _list_folders(self, call: Call) -> Any:
        inside = [
            {"name": f"folders/{number}", "parent": parent, "state": "ACTIVE"}
            for number, parent in self.folders.items()
            if parent == call.query["parent"]
        ]
        return self._listed("folders", inside, call)

    # -- Compute Engine ------------------------------------------------------------------------

    def _aggregated(self, collection: str, call: Call) -> Any:
        """Things of all scopes, one after the other; scopes without any are named, too."""
        if self.warned and call.query.get("returnPartialSuccess") != "true":
            return error(503, f"{', '.join(self.warned)} does not answer", "backendError")
        held = self._of(call)
        all_things = [
            (scope, thing)
            for (scope, kind), things in sorted(held.things.items())
            if kind == collection and scope not in self.warned
            for thing in things
        ]
        found = page(all_things, call, most=self.page, size="maxResults")
        if isinstance(found, Answer):
            return found
        scopes = [f"zones/{zone}" for zone in ZONES] + sorted(
            {f"regions/{zone.rpartition('-')[0]}" for zone in ZONES}
        )
        items: dict[str, Any] = {scope: _nothing(scope) for scope in (*scopes, "global")}
        for scope, code in self.warned.items():
            items[scope] = {"warning": {"code": code, "message": f"'{scope}' does not answer"}}
        for scope, thing in found[0]:
            if "warning" in items.get(scope, {"warning": 0}):
                items[scope] = {collection: []}
            items[scope][collection].append(thing)
        return {"items": items, **found[1]}

    def _snapshots(self, call: Call) -> Any:
        held = self._of(call).things.get(("global", "snapshots"), [])
        return self._listed("items", held, call, size="maxResults")

    def _machine_types(self, call: Call) -> Any:
        asked = re.fullmatch(r'name eq "(.*)"', call.query.get("filter", 'name eq ".*"'))
        if asked is None:
            return error(400, "Invalid value for field 'filter'", "invalid")
        held = [one for name, one in machine_types().items() if re.fullmatch(asked[1], name)]
        return self._listed("items", held, call, size="maxResults")

    def _of(self, call: Call) -> Project:
        return self.projects.get(call.project) or Project(call.project, "0")

    def _listed(
        self, key: str, things: Sequence[Any], call: Call, size: str = "pageSize"
    ) -> Answer | dict[str, Any]:
        found = page(things, call, most=self.page, size=size)
        return found if isinstance(found, Answer) else {key: list(found[0]), **found[1]}

    def routes(self) -> None:
        """Have the calls of these services answered."""
        self.catalogue.routes(self.rest)
        manager, compute = "cloudresourcemanager", "/compute/v1/projects/{project}"
        add = self.rest.route
        add(f"{manager}.projects.get", "GET", "/v3/projects/{project}", self._get_project)
        add(f"{manager}.projects.list", "GET", "/v3/projects", self._list_projects)
        add(f"{manager}.folders.list", "GET", "/v3/folders", self._list_folders)
        types = f"{compute}/zones/{{zone}}/machineTypes"
        add("compute.machineTypes.list", "GET", types, self._machine_types)
        add("compute.snapshots.list", "GET", f"{compute}/global/snapshots", self._snapshots)
        for collection in COLLECTIONS:
            handler = partial(self._aggregated, collection)
            name = f"compute.{collection}.aggregatedList"
            add(name, "GET", f"{compute}/aggregated/{collection}", handler)


def _project(one: Project) -> dict[str, str]:
    return {
        "name": f"projects/{one.number}",
        "parent": one.parent,
        "projectId": one.project_id,
        "displayName": one.project_id.replace("-", " "),
        "state": one.state,
    }


def _nothing(scope: str) -> dict[str, Any]:
    message = f"There are no results for scope '{scope}' on this page."
    return {"warning": {"code": "NO_RESULTS_ON_PAGE", "message": message}}


@cache
def machine_types() -> Mapping[str, Thing]:
    """As machineTypes.list gives them, by name: those of the built-in snapshot."""
    table = builtin.read("gcp", "shapes")
    assert table is not None
    return {row["x_InstanceType"]: _machine_type(row) for row in table.to_pylist()}


def _machine_type(row: Mapping[str, Any]) -> Thing:
    baseline = row["x_BurstableBaselinePercent"]
    return {
        "kind": "compute#machineType",
        "name": row["x_InstanceType"],
        "guestCpus": int(row["x_vCPUs"]),
        "memoryMb": int(row["x_MemoryGiB"] * 1024),
        "isSharedCpu": baseline is not None,
        "architecture": "ARM64" if row["x_Architecture"] == "arm64" else "X86_64",
    }


@contextmanager
def cloud() -> Iterator[Cloud]:
    """Serve it, empty, to every client of Google's made meanwhile, here and in processes started
    here."""
    with serve(Rest()) as rest, environment(rest.url):
        made = Cloud(rest)
        made.routes()
        yield made
