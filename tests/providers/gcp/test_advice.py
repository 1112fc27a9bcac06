"""What Google's recommenders say, as Google's own client reads it over REST."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from costopt import schema
from costopt.providers.base import Advised
from costopt.providers.gcp import GcpProvider
from costopt.providers.gcp.advice import RECOMMENDERS
from costopt.providers.gcp.settings import GcpSettings
from tests.fakes.gcp_advice import MACHINE_TYPE, METHODS
from tests.fakes.gcp_cloud import ZONE, Cloud
from tests.fakes.gcp_rest import error

PROJECT = "shop-prod-1"
HERE = f"//compute.googleapis.com/projects/{PROJECT}"


def provider(**more: Any) -> GcpProvider:
    return GcpProvider(GcpSettings(**{"project": (PROJECT,), "max_attempts": 1, **more}))


def rows(table: pa.Table) -> list[dict[str, Any]]:
    schema.conform(table, schema.VENDOR_RECOMMENDATIONS)
    told: list[dict[str, Any]] = table.to_pylist(maps_as_pydicts="strict")
    return [row for row in told if row["x_RecommendationId"]]


def test_the_recommenders_are_those_that_the_fake_knows() -> None:
    assert {one.name: one.permission for one in RECOMMENDERS} == METHODS


def test_a_machine_of_another_type(gcp: Cloud) -> None:
    project = gcp.project(PROJECT)
    project.instance("web-1", machine_type="n1-standard-4")
    told = gcp.advice.machine_type(project, "web-1", "n1-standard-4", "custom-2-5120", units=-73)
    told["primaryImpact"]["costProjection"]["cost"]["nanos"] = -500_000_000
    made = provider()
    assert isinstance(made, Advised)
    (row,) = rows(made.advice())
    row.pop("x_ObservedAt")
    assert row == {
        "ProviderName": "GCP",
        "SubAccountId": PROJECT,
        "x_Source": "Google Cloud Recommender",
        "x_Scope": f"{ZONE} {MACHINE_TYPE}",
        "x_RecommendationId": f"projects/{project.number}/locations/{ZONE}/recommenders/"
        f"{MACHINE_TYPE}/recommendations/r0",
        "ResourceId": f"{HERE}/zones/{ZONE}/instances/web-1",
        "x_Action": "resize",  # a custom type without a series is an N1
        "x_InstanceType": "custom-2-5120",
        # 73.50 in 720 hours; a month has 730
        "x_MonthlySavings": Decimal("74.520833"),
        "BillingCurrency": "USD",
        "x_Finding": "CHANGE_MACHINE_TYPE",
        "x_Reasons": [
            "Save cost by changing machine type from n1-standard-4 to custom-2-5120."
        ],
        "x_LookbackDays": 8.0,
        "x_UpdatedAt": datetime(2026, 10, 27, 6, 41, 17, tzinfo=UTC),
        "x_Attributes": {"current_type": "n1-standard-4", "priority": "P2"},
    }  # fmt: skip
    assert made.problems == []


def test_what_is_idle_is_joined_by_the_projects_id(gcp: Cloud) -> None:
    project = gcp.project(PROJECT)
    project.instance("web-1")
    project.disk("old")
    project.address("spare")
    project.address("world", scope="global")
    advise = gcp.advice.idle
    advise(project, f"zones/{ZONE}", "instances", "web-1", "STOP_VM", -50)
    advise(project, f"zones/{ZONE}", "disks", "old", "SNAPSHOT_AND_DELETE_DISK", -4)
    advise(project, "regions/europe-west1", "addresses", "spare", "DELETE_ADDRESS", -7)
    advise(project, "global", "addresses", "world", "DELETE_ADDRESS", -7)
    advise(project, f"zones/{ZONE}", "disks", "odd", "FORMAT_DISK", 3)
    made = provider()
    listed = set(made.resources().column("ResourceId").to_pylist())
    found = {row["ResourceId"]: row for row in rows(made.advice())}
    told = {key.removeprefix(f"{HERE}/"): row["x_Action"] for key, row in found.items()}
    assert told == {
        f"zones/{ZONE}/instances/web-1": "stop",
        f"zones/{ZONE}/disks/old": "delete",
        "regions/europe-west1/addresses/spare": "delete",
        "global/addresses/world": "delete",
        f"zones/{ZONE}/disks/odd": "other",
    }
    assert found.keys() - listed == {f"{HERE}/zones/{ZONE}/disks/odd"}
    assert found[f"{HERE}/zones/{ZONE}/disks/odd"]["x_MonthlySavings"] < 0  # it costs more


@pytest.mark.parametrize(
    ("units", "span", "month"),
    [
        ("-100", "2592000s", "101.388889"),  # 30 days
        ("-1200", "31536000s", "100"),
        ("-1", "0.5s", "5256000"),  # 2 x 3600 x 730
        ("-9223372036854775807", "1s", None),  # the largest there can be
        ("-100", "0s", None),
        ("-100", "-2592000s", None),
    ],
)
def test_what_it_saves_is_of_a_month(gcp: Cloud, units: str, span: str, month: str | None) -> None:
    project = gcp.project(PROJECT)
    project.instance("web-1")
    told = gcp.advice.machine_type(project, "web-1", "n2-standard-8", "n2-standard-4", units=-1)
    told["primaryImpact"]["costProjection"] = {
        "cost": {"currencyCode": "usd", "units": units},
        "duration": span,
    }
    made = provider()
    (row,) = rows(made.advice())
    stated = None if month is None else (Decimal(month), "USD")
    assert (row["x_MonthlySavings"] and (row["x_MonthlySavings"], row["BillingCurrency"])) == stated
    assert made.problems == []


def test_what_is_done_is_left_out_and_what_was_dismissed_is_marked(gcp: Cloud) -> None:
    project = gcp.project(PROJECT)
    project.instance("web-1")
    for number, state in enumerate(("ACTIVE", "CLAIMED", "DISMISSED", "SUCCEEDED", "FAILED")):
        gcp.advice.machine_type(
            project, f"m-{number}", "n2-standard-8", "e2-standard-4", units=-1,
            stateInfo={"state": state},
        )  # fmt: skip
    told = rows(provider().advice())
    assert [row["x_Attributes"].get("state") for row in told] == [None, "CLAIMED", "DISMISSED"]
    assert {row["x_Action"] for row in told} == {"change-family"}


def test_pages_are_read_to_the_end(gcp: Cloud) -> None:
    project = gcp.project(PROJECT)
    project.instance("web-1")
    gcp.advice.most = 2
    for number in range(5):
        gcp.advice.machine_type(project, f"m-{number}", "n2-standard-8", "n2-standard-4", units=-1)
    assert len(rows(provider().advice())) == 5
    assert gcp.rest.counted()[METHODS[MACHINE_TYPE]] == 3


def test_it_is_asked_only_where_there_is_something(gcp: Cloud) -> None:
    project = gcp.project(PROJECT)
    project.instance("web-1")
    project.instance("web-2", zone="us-central1-a")
    provider().advice()
    asked = [call for call in gcp.rest.calls if call.name.startswith("recommender.")]
    assert {call.parts["location"] for call in asked} == {ZONE, "us-central1-a"}
    assert len(asked) == 4  # two recommenders of instances in two zones


def test_projects_that_refuse_are_told_once_and_stop_no_other(gcp: Cloud) -> None:
    for name in ("is-off-1", "is-shut-1", PROJECT):
        one = gcp.project(name)
        one.instance("web-1")
        one.instance("web-2", zone="us-central1-a")
        gcp.advice.machine_type(one, "web-1", "n2-standard-8", "n2-standard-4", units=-1)
    gcp.disable("is-off-1", "recommender")
    gcp.refuse("is-shut-1", METHODS[MACHINE_TYPE])
    made = provider(project=("is-off-1", "is-shut-1", PROJECT))
    assert {row["SubAccountId"] for row in rows(made.advice())} == {PROJECT}
    assert [(one.where, one.count, one.fatal) for one in made.problems] == [
        ("is-off-1 recommender.googleapis.com", 4, False),
        (f"is-shut-1 {METHODS[MACHINE_TYPE]}", 2, False),
    ]
    assert "not enabled" in made.problems[0].what
    assert "costopt doctor gcp --policy" in made.problems[1].what


def test_a_failure_that_passes_is_no_listing(gcp: Cloud) -> None:
    gcp.project(PROJECT).instance("web-1")
    gcp.fail(METHODS[MACHINE_TYPE], error(503, "try later"))
    made = provider()
    scopes = made.advice().column("x_Scope").to_pylist()
    assert scopes == [f"{ZONE} google.compute.instance.IdleResourceRecommender"]
    assert [problem.fatal for problem in made.problems] == [False]


@pytest.mark.parametrize("more", [{"skip": ("advice",)}, {"dry_run": True}])
def test_it_can_be_left_out(gcp: Cloud, more: dict[str, Any]) -> None:
    assert provider(**more).advice().num_rows == 0
    assert gcp.rest.calls == []
