"""What a collect has to be granted: the least role, and each permission tried by a harmless call.

Every permission that the code's calls need is in `PERMISSIONS`, and nothing more: a test holds one
against the other. All of them read; the calls tried cost nothing, but for one time series of each
project, a 2,000,000th of a dollar.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final, Literal, NamedTuple

from google.cloud import compute_v1
from google.cloud.recommender_v1 import RecommenderClient
from google.cloud.resourcemanager_v3 import FoldersClient, ProjectsClient

from costopt.parallel import in_threads
from costopt.providers.base import Check
from costopt.providers.gcp import advice
from costopt.providers.gcp import projects as _projects
from costopt.providers.gcp.access import FAILURES, Access, denied, not_enabled, said
from costopt.providers.gcp.projects import Project, projects
from costopt.providers.gcp.settings import GcpSettings

Where = Literal["project", "parent", "prices", "table", "export"]
Attempt = Callable[[Access, str], object]
ROLE: Final = "costopt"


class Permission(NamedTuple):
    """One permission."""

    action: str  # as IAM spells it
    attempt: Attempt | None  # a call that needs it; None: it is tried along with the one before
    where: Where = "project"
    """Asked of each project, of each folder and organization, of the price list (which needs no
    permission, but the API enabled), of the bill's table or its files."""
    wanted: Callable[[GcpSettings], bool] = lambda settings: True


def _first(client: Any, method: str, access: Access, project: str) -> object:
    """One thing of all that Compute Engine lists."""
    call = getattr(access.rest("compute", client), method)
    asked = {"project": project, "max_results": 1}
    return access.asked(call, request=asked)


def _everywhere(client: Any) -> Attempt:
    return partial(_first, client, "aggregated_list")


def _machine_types(access: Access, project: str) -> object:
    """Of a zone that every project has."""
    client = access.rest("compute", compute_v1.MachineTypesClient)
    asked = {"project": project, "zone": "us-central1-a", "max_results": 1}
    return access.asked(client.list, request=asked)


def _project(access: Access, project: str) -> object:
    client = access.rest(_projects.SERVICE, ProjectsClient, transport="rest")
    return access.asked(client.get_project, name=f"projects/{project}")


def _projects_of(access: Access, parent: str) -> object:
    client = access.rest(_projects.SERVICE, ProjectsClient, transport="rest")
    return access.asked(client.list_projects, request={"parent": parent, "page_size": 1})


def _folders_of(access: Access, parent: str) -> object:
    client = access.rest(_projects.SERVICE, FoldersClient, transport="rest")
    return access.asked(client.list_folders, request={"parent": parent, "page_size": 1})


def _metric_service(access: Access) -> Any:
    from google.cloud.monitoring_v3 import MetricServiceClient
    from google.cloud.monitoring_v3.services.metric_service.transports import (
        MetricServiceGrpcTransport,
    )

    return access.grpc("monitoring", MetricServiceClient, MetricServiceGrpcTransport)


def _descriptors(access: Access, project: str) -> object:
    asked = {
        "name": f"projects/{project}",
        "filter": 'metric.type = starts_with("agent.googleapis.com/")',
        "page_size": 1,
    }
    return access.asked(_metric_service(access).list_metric_descriptors, request=asked)


def _series(access: Access, project: str) -> object:
    """The last ten minutes of one series."""
    from google.cloud.monitoring_v3 import Aggregation

    now = datetime.now(UTC)
    return access.asked(
        _metric_service(access).list_time_series,
        request={
            "name": f"projects/{project}",
            "filter": 'metric.type = "compute.googleapis.com/instance/cpu/utilization"',
            "interval": {"start_time": now - timedelta(minutes=10), "end_time": now},
            "aggregation": {
                "alignment_period": timedelta(minutes=5),
                "per_series_aligner": Aggregation.Aligner.ALIGN_MEAN,
            },
            "page_size": 1,
        },
    )


def _advice(recommender: advice.Recommender) -> Attempt:
    """Of a place that every project has."""
    place = "us-central1" if recommender.collection == "addresses" else "us-central1-a"

    def attempt(access: Access, project: str) -> object:
        client = access.rest(advice.SERVICE, RecommenderClient, transport="rest")
        parent = f"projects/{project}/locations/{place}/recommenders/{recommender.name}"
        asked = {"parent": parent, "page_size": 1}
        return access.asked(client.list_recommendations, request=asked)

    return attempt


def _table(access: Access, name: str) -> object:
    """A query that is only estimated: free, and it needs what the real one needs."""
    from google.cloud import bigquery

    client = access.rest("bigquery", bigquery.Client, project=_payer(access.settings))
    job = bigquery.QueryJobConfig(dry_run=True, use_query_cache=False)
    return client.query(f"SELECT cost FROM `{name}`", job_config=job, retry=None)  # noqa: S608


def _files(access: Access, address: str) -> object:
    """One byte of the first file; the first of two may be an empty one that stands for a folder."""
    from google.cloud.storage import Client  # type: ignore[import-untyped]

    bucket, prefix = _bucket(address)
    client = access.rest("storage", Client, project=None)
    listed = client.list_blobs(bucket, prefix=prefix or None, max_results=2, retry=None)
    for blob in (blob for blob in listed if blob.size):
        return blob.download_as_bytes(start=0, end=0, retry=None)
    raise _Lacking("nothing below this prefix")


class _Lacking(Exception):
    """What a collect would look for is not there, though nothing is refused."""


def _skus(access: Access, _: str) -> object:
    """One price of all that Google publishes."""
    from costopt.providers.gcp.prices import skus

    client = access.rest(skus.SERVICE, skus.SkuList)
    return access.asked(client.list_skus, request={"parent": skus.COMPUTE_ENGINE, "page_size": 1})


def _with_prices(settings: GcpSettings) -> bool:
    return "prices" not in settings.skip


def _with_metrics(settings: GcpSettings) -> bool:
    return "metrics" not in settings.skip


def _with_advice(settings: GcpSettings) -> bool:
    return "advice" not in settings.skip


def _with_table(settings: GcpSettings) -> bool:
    return settings.billing_table is not None and "charges" not in settings.skip


def _with_export(settings: GcpSettings) -> bool:
    return bool(_buckets(settings)) and "charges" not in settings.skip


def _with_parents(settings: GcpSettings) -> bool:
    return bool(_parents(settings))


_COMPUTE: Final = (
    Permission("compute.addresses.list", _everywhere(compute_v1.AddressesClient)),
    Permission("compute.commitments.list", _everywhere(compute_v1.RegionCommitmentsClient)),
    Permission("compute.disks.list", _everywhere(compute_v1.DisksClient)),
    Permission("compute.forwardingRules.list", _everywhere(compute_v1.ForwardingRulesClient)),
    Permission("compute.instances.list", _everywhere(compute_v1.InstancesClient)),
    Permission("compute.machineTypes.list", _machine_types),
    Permission("compute.reservations.list", _everywhere(compute_v1.ReservationsClient)),
    Permission("compute.routers.list", _everywhere(compute_v1.RoutersClient)),
    Permission("compute.snapshots.list", partial(_first, compute_v1.SnapshotsClient, "list")),
)

PERMISSIONS: Final = (
    Permission("resourcemanager.projects.list", _projects_of, "parent", _with_parents),
    Permission("resourcemanager.folders.list", _folders_of, "parent", _with_parents),
    Permission("resourcemanager.projects.get", _project),
    *_COMPUTE,
    Permission("monitoring.metricDescriptors.list", _descriptors, wanted=_with_metrics),
    Permission("monitoring.timeSeries.list", _series, wanted=_with_metrics),
    *(Permission(one.permission, _advice(one), wanted=_with_advice) for one in advice.RECOMMENDERS),
    Permission("cloudbilling.skus.list", _skus, "prices", _with_prices),
    Permission("bigquery.jobs.create", _table, "table", _with_table),
    Permission("bigquery.tables.getData", None, "table", _with_table),
    Permission("storage.objects.list", _files, "export", _with_export),
    Permission("storage.objects.get", None, "export", _with_export),
)


_GRANT: Final = "; grant it (costopt doctor gcp --policy)"
_HINTS: Final[Mapping[Where, str]] = {
    "prices": "; it needs no role, but the Cloud Billing API enabled in the project that pays for "
    "the calls"
}


class _Trial(NamedTuple):
    permission: Permission
    place: str
    project: Project | None = None


def checks(settings: GcpSettings) -> Iterator[Check]:
    """Each permission tried in every place that a collect would look into.

    Several at a time, and told in the order of permissions and places.

    Raises:
        ProviderError: there are no credentials, or there is no project.
    """
    access = Access(settings)
    entered = projects(access, [])  # what is refused there, the checks of it say
    try:
        trials = _trials(settings, entered)
        yield from in_threads(partial(_tried, access), trials, settings.max_concurrency)
    finally:
        access.close()


def _trials(settings: GcpSettings, entered: Sequence[Project]) -> Iterator[_Trial]:
    places: dict[Where, list[str]] = {
        "parent": _parents(settings),
        "prices": ["Cloud Billing Catalogue"],
        "table": [settings.billing_table] if settings.billing_table else [],
        "export": _buckets(settings),
    }
    for permission in PERMISSIONS:
        if permission.attempt is None or not permission.wanted(settings):
            continue
        for place in places.get(permission.where, ()):
            yield _Trial(permission, place)
        if permission.where == "project":
            yield from (_Trial(permission, one.project_id, one) for one in entered)


def _tried(access: Access, trial: _Trial) -> Check:
    permission, place, project = trial
    assert permission.attempt
    try:
        permission.attempt(access, place)
    except _Lacking as lacking:
        return Check(permission.action, place, False, str(lacking))
    except FAILURES as error:
        if project and not_enabled(error, project.project_id, project.number):
            return Check(permission.action, place, True, "the API is not enabled: nothing there")
        refused = denied(error)
        hint = _HINTS.get(permission.where, _GRANT) if refused else ""
        return Check(permission.action, place, False, f"{said(error)}{hint}", refused)
    return Check(permission.action, place, True, "")


def role(settings: GcpSettings) -> str:
    """The custom role as `gcloud iam roles create --file` takes it, with the commands that grant it
    as comments. What the bill needs is granted by Google's own roles, on table or bucket alone."""
    wanted = [one for one in PERMISSIONS if one.wanted(settings)]
    listed = sorted(one.action for one in wanted if one.where in ("project", "parent"))
    lines = [
        "# Save this as costopt-role.yaml; MEMBER is like serviceAccount:NAME or user:NAME.",
        *(f"#   {line}" for line in (*_grants(settings), *_bill_grants(settings))),
        f"title: {ROLE}",
        "description: Lists machines and what belongs to them, and reads their metrics.",
        "stage: GA",
        "includedPermissions:",
        *(f"- {action}" for action in listed),
    ]
    return "\n".join(lines) + "\n"


def _grants(settings: GcpSettings) -> Iterator[str]:
    """A role for folders can be made in their organization only."""
    file = "--file=costopt-role.yaml"
    if parents := _parents(settings):
        above = settings.organization or "ORGANIZATION"
        name = f"organizations/{above}/roles/{ROLE}"
        yield f"gcloud iam roles create {ROLE} --organization={above} {file}"
        for parent in parents:
            kind, _, number = parent.partition("/")
            group = "organizations" if kind == "organizations" else "resource-manager folders"
            yield f"gcloud {group} {_binding(number, name)}"
        yield from (f"gcloud projects {_binding(one, name)}" for one in settings.project)
        return
    for project in settings.project or ("PROJECT",):
        yield f"gcloud iam roles create {ROLE} --project={project} {file}"
        yield f"gcloud projects {_binding(project, f'projects/{project}/roles/{ROLE}')}"


def _bill_grants(settings: GcpSettings) -> Iterator[str]:
    if _with_table(settings):
        project, dataset, table = str(settings.billing_table).rsplit(".", 2)
        yield f"gcloud projects {_binding(_payer(settings), 'roles/bigquery.jobUser')}"
        read = "--member=MEMBER --role=roles/bigquery.dataViewer"
        yield f"bq add-iam-policy-binding {read} '{project}:{dataset}.{table}'"
    if _with_export(settings):
        for bucket in sorted({_bucket(one)[0] for one in _buckets(settings)}):
            name = _binding(f"gs://{bucket}", "roles/storage.objectViewer")
            yield f"gcloud storage buckets {name}"


def _binding(place: str, name: str) -> str:
    return f"add-iam-policy-binding {place} --member=MEMBER --role={name} --condition=None"


def _parents(settings: GcpSettings) -> list[str]:
    above = [f"organizations/{settings.organization}"] if settings.organization else []
    return above + [f"folders/{number}" for number in settings.folder]


def _payer(settings: GcpSettings) -> str:
    """The project in which the bill's query runs."""
    return settings.billing_project or str(settings.billing_table).rsplit(".", 2)[0]


def _buckets(settings: GcpSettings) -> list[str]:
    return [one for one in settings.export if one.startswith("gs://")]


def _bucket(address: str) -> tuple[str, str]:
    bucket, _, prefix = address.removeprefix("gs://").partition("/")
    return bucket, prefix
