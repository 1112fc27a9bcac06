"""The least role against the calls that the code really makes, and each permission tried."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from costopt.errors import ProviderError
from costopt.providers.base import Check
from costopt.providers.gcp import GcpProvider
from costopt.providers.gcp.permissions import PERMISSIONS, role
from costopt.providers.gcp.settings import GcpSettings
from tests.fakes import gcp_monitoring
from tests.fakes.gcp_cloud import Cloud
from tests.fakes.gcp_rest import Answer, Call, error

PROJECT = "shop-prod-1"
TABLE = "shop-prod-1.billing.gcp_billing_export_resource_v1_A"
EXPORT = "gs://bills/exports"
LIKE = {"compute.regionCommitments": "compute.commitments"}
"""Collections that IAM calls otherwise."""


@pytest.fixture
def monitored(gcp: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[gcp_monitoring.Monitoring]:
    """Everything that a collect asks: a project in an organization, metrics, a bill."""
    gcp.project(PROJECT, parent="organizations/400")
    made = gcp.project(PROJECT).instance("web-1")
    gcp.project(PROJECT).disk("data")
    gcp.project(PROJECT).address("spare")
    series = gcp_monitoring.machine(PROJECT, str(made["id"]))
    service = gcp_monitoring.Monitoring(datetime.now(UTC), series)
    gcp.rest.route("bigquery.jobs.insert", "POST", "/bigquery/v2/projects/{payer}/jobs", estimated)
    gcp.rest.route("storage.objects.list", "GET", "/storage/v1/b/{bucket}/o", stored)
    gcp.rest.route("storage.objects.get", "GET", "/download/storage/v1/b/bills/o/{name+}", one_byte)
    with ExitStack() as open_:
        url = open_.enter_context(gcp_monitoring.served(service))
        monkeypatch.setenv("CLOUDSDK_API_ENDPOINT_OVERRIDES_MONITORING", url)
        yield service


def estimated(call: Call) -> Any:
    """A query's dry run."""
    asked = json.loads(call.body)
    assert asked["configuration"]["dryRun"] is True
    assert asked["configuration"]["query"]["query"] == f"SELECT cost FROM `{TABLE}`"
    statistics = {"totalBytesProcessed": "10", "query": {"totalBytesProcessed": "10"}}
    return {**asked, "status": {"state": "DONE"}, "statistics": statistics}


def stored(call: Call) -> Any:
    assert call.query["prefix"] == "exports"
    folder = {"name": "exports/", "size": "0", "bucket": "bills"}
    return {"items": [folder, {"name": "exports/a.csv", "size": "10", "bucket": "bills"}]}


def one_byte(call: Call) -> Answer:
    assert call.headers["range"] == "bytes=0-0"
    return Answer(206, b"x", {"Content-Range": "bytes 0-0/10"})


def permission(call: Call) -> str:
    """What IAM calls the permission for it: aggregated lists need that of lists."""
    service, collection, method = call.name.split(".")
    return f"{service.replace('cloudresourcemanager', 'resourcemanager')}.{collection}." + (
        "list" if method == "aggregatedList" else method
    )


def settings(**more: Any) -> GcpSettings:
    return GcpSettings(**{"days": 1, "max_attempts": 1, **more})


def tried(**more: Any) -> list[Check]:
    return list(GcpProvider(settings(**more)).checks())


def test_the_role_is_what_the_code_calls_and_nothing_more(
    gcp: Cloud, monitored: gcp_monitoring.Monitoring
) -> None:
    """Named and found below an organization: every call that the inventory and metrics make."""
    for asked in (settings(project=(PROJECT,)), settings(organization="400")):
        provider = GcpProvider(asked)
        assert provider.resources().num_rows == 3
        assert provider.shapes().num_rows
        assert sum(table.num_rows for table in provider.metrics(None))
        assert provider.advice().num_rows == 4  # each recommender was asked
        assert provider.problems == []
    called = {permission(call) for call in gcp.rest.calls}
    called |= {
        {
            "ListTimeSeries": "monitoring.timeSeries.list",
            "ListMetricDescriptors": "monitoring.metricDescriptors.list",
        }[one.method]
        for one in monitored.asked
    }
    of_the_fleet = [one for one in PERMISSIONS if one.where in ("project", "parent")]
    assert called == {one.action for one in of_the_fleet}


def test_each_is_tried_where_it_is_needed(gcp: Cloud, monitored: gcp_monitoring.Monitoring) -> None:
    gcp.project("another-1", parent=gcp.folder("51", "organizations/400"))
    checks = tried(organization="400", export=(EXPORT,))
    assert [one for one in checks if not one.passed] == []
    assert {one.name for one in checks} == {
        one.action for one in PERMISSIONS if one.attempt and one.where != "table"
    }
    where = {one.name: [] for one in checks}
    for one in checks:
        where[one.name].append(one.where)
    assert where["resourcemanager.projects.list"] == ["organizations/400"]
    assert where["compute.instances.list"] == ["another-1", PROJECT]
    assert where["storage.objects.list"] == [EXPORT]
    bill = tried(project=(PROJECT,), billing_table=TABLE, billing_project="payer-one-1")
    assert [(one.where, one.passed) for one in bill if one.name.startswith("bigquery")] == [
        (TABLE, True)
    ]
    (query,) = [call for call in gcp.rest.calls if "payer" in call.parts]
    assert query.parts["payer"] == "payer-one-1"


def test_what_is_refused_is_told_with_what_to_do(
    gcp: Cloud, monitored: gcp_monitoring.Monitoring
) -> None:
    gcp.refuse(PROJECT, "compute.disks")
    monitored.denied = lambda project: project == PROJECT
    failed = [one for one in tried(project=(PROJECT,)) if not one.passed]
    assert [(one.name, one.where, one.refused) for one in failed] == [
        ("compute.disks.list", PROJECT, True),
        ("monitoring.metricDescriptors.list", PROJECT, True),
        ("monitoring.timeSeries.list", PROJECT, True),
    ]
    assert all(one.detail.endswith("grant it (costopt doctor gcp --policy)") for one in failed)
    assert "://" not in failed[0].detail


def test_a_price_list_that_is_refused_needs_an_api_and_no_role(
    gcp: Cloud, monitored: gcp_monitoring.Monitoring
) -> None:
    name = "cloudbilling.skus.list"
    gcp.fail(name, error(403, "Cloud Billing API has not been used in project 1"))
    (failed,) = [one for one in tried(project=(PROJECT,)) if not one.passed]
    assert (failed.name, failed.where, failed.refused) == (name, "Cloud Billing Catalogue", True)
    assert failed.detail.endswith("the Cloud Billing API enabled in the project that pays for the "
                                  "calls")  # fmt: skip
    assert name not in role(settings())
    assert name not in {one.name for one in tried(project=(PROJECT,), skip=("prices",))}


def test_what_passes_by_itself_is_no_refusal(
    gcp: Cloud, monitored: gcp_monitoring.Monitoring
) -> None:
    gcp.fail("compute.disks", error(503, "try later"), times=1)
    (failed,) = [one for one in tried(project=(PROJECT,)) if not one.passed]
    assert not failed.refused


def test_an_api_that_is_off_has_nothing_to_tell(
    gcp: Cloud, monitored: gcp_monitoring.Monitoring
) -> None:
    gcp.disable(PROJECT)
    checks = [one for one in tried(project=(PROJECT,)) if one.name.startswith("compute.")]
    assert all(one.passed for one in checks)
    assert {one.detail for one in checks} == {"the API is not enabled: nothing there"}


def test_an_export_without_files(gcp: Cloud, monitored: gcp_monitoring.Monitoring) -> None:
    gcp.rest.rules.append(lambda call: Answer(200, {}) if "/b/" in call.path else None)
    checks = tried(project=(PROJECT,), export=(EXPORT,), skip=("metrics",))
    (failed,) = [one for one in checks if not one.passed]
    assert failed == Check("storage.objects.list", EXPORT, False, "nothing below this prefix")


def test_no_project_is_an_error_with_a_hint(gcp: Cloud) -> None:
    with pytest.raises(ProviderError, match="no project"):
        tried(folder=("51",))


def test_the_role_follows_the_settings() -> None:
    plain = yaml.safe_load(role(settings()))
    assert plain["stage"] == "GA"
    assert plain["includedPermissions"] == sorted(plain["includedPermissions"])
    assert "compute.instances.list" in plain["includedPermissions"]
    assert "monitoring.timeSeries.list" in plain["includedPermissions"]
    assert all(name.endswith((".list", ".get")) for name in plain["includedPermissions"])
    # these two cannot be granted on a project
    above = {"resourcemanager.projects.list", "resourcemanager.folders.list"}
    assert not above & set(plain["includedPermissions"])
    whole = yaml.safe_load(role(settings(organization="400")))
    assert above <= set(whole["includedPermissions"])
    assert not any(
        name.startswith("monitoring")
        for name in yaml.safe_load(role(settings(skip=("metrics",))))["includedPermissions"]
    )


@pytest.mark.parametrize(
    ("given", "commands"),
    [
        (
            {},
            [
                "gcloud iam roles create costopt --project=PROJECT --file=costopt-role.yaml",
                "gcloud projects add-iam-policy-binding PROJECT --member=MEMBER "
                "--role=projects/PROJECT/roles/costopt --condition=None",
            ],
        ),
        (
            {"organization": "400"},
            [
                "gcloud iam roles create costopt --organization=400 --file=costopt-role.yaml",
                "gcloud organizations add-iam-policy-binding 400 --member=MEMBER "
                "--role=organizations/400/roles/costopt --condition=None",
            ],
        ),
        (
            {"folder": ("51",)},
            [
                "gcloud iam roles create costopt --organization=ORGANIZATION "
                "--file=costopt-role.yaml",
                "gcloud resource-manager folders add-iam-policy-binding 51 --member=MEMBER "
                "--role=organizations/ORGANIZATION/roles/costopt --condition=None",
            ],
        ),
        (
            {"project": (PROJECT,), "billing_table": TABLE},
            [
                f"gcloud iam roles create costopt --project={PROJECT} --file=costopt-role.yaml",
                f"gcloud projects add-iam-policy-binding {PROJECT} --member=MEMBER "
                f"--role=projects/{PROJECT}/roles/costopt --condition=None",
                f"gcloud projects add-iam-policy-binding {PROJECT} --member=MEMBER "
                "--role=roles/bigquery.jobUser --condition=None",
                "bq add-iam-policy-binding --member=MEMBER --role=roles/bigquery.dataViewer "
                "'shop-prod-1:billing.gcp_billing_export_resource_v1_A'",
            ],
        ),
        (
            {"project": (PROJECT,), "export": (EXPORT, "gs://bills/other")},
            [
                f"gcloud iam roles create costopt --project={PROJECT} --file=costopt-role.yaml",
                f"gcloud projects add-iam-policy-binding {PROJECT} --member=MEMBER "
                f"--role=projects/{PROJECT}/roles/costopt --condition=None",
                "gcloud storage buckets add-iam-policy-binding gs://bills --member=MEMBER "
                "--role=roles/storage.objectViewer --condition=None",
            ],
        ),
    ],
)
def test_the_commands_that_grant_it(given: dict[str, Any], commands: list[str]) -> None:
    lines = role(settings(**given)).splitlines()
    assert [line.removeprefix("#   ") for line in lines if line.startswith("#   ")] == commands


def test_the_documentation_shows_the_role_as_it_is() -> None:
    text = (Path(__file__).parents[3] / "docs/providers/gcp.md").read_text()
    shown = text.split("```yaml\n")[1].split("```")[0]
    assert shown == role(GcpSettings(organization="123456789012"))
