"""One project, zone or call that is refused stops nothing else; and what is no longer there."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from costopt.providers.base import Known, Problem
from costopt.providers.gcp import GcpProvider
from costopt.providers.gcp.inventory import KINDS
from costopt.providers.gcp.settings import GcpSettings
from tests.fakes.gcp_cloud import Cloud
from tests.fakes.gcp_rest import Answer, error

PROJECTS = tuple(f"shop-prod-{number}" for number in range(1, 6))


@pytest.fixture
def shops(gcp: Cloud) -> Cloud:
    """Five projects with a machine and a disk each."""
    for name in PROJECTS:
        gcp.project(name).instance("web-1")
        gcp.project(name).disk("data")
    return gcp


def provider(**more: Any) -> GcpProvider:
    return GcpProvider(GcpSettings(**{"project": PROJECTS, "max_attempts": 1, **more}))


def things(table: pa.Table) -> list[tuple[str, str]]:
    columns = (table.column(name).to_pylist() for name in ("SubAccountId", "ResourceName"))
    return sorted(zip(*columns, strict=True))


def everything() -> list[tuple[str, str]]:
    return sorted((project, name) for project in PROJECTS for name in ("data", "web-1"))


def test_one_project_among_many(shops: Cloud) -> None:
    shops.refuse("shop-prod-3", "compute")
    one = provider()
    assert things(one.resources()) == [
        (project, name) for project, name in everything() if project != "shop-prod-3"
    ]
    (problem,) = one.problems
    assert problem.where == "shop-prod-3"
    assert problem.what.startswith("every call is refused (403: Required permission")
    assert problem.count == len(KINDS)
    assert problem.fatal


def test_one_kind_in_one_project(shops: Cloud) -> None:
    shops.refuse("shop-prod-3", "compute.disks")
    one = provider()
    assert things(one.resources()) == [
        each for each in everything() if each != ("shop-prod-3", "data")
    ]
    assert [problem.where for problem in one.problems] == ["shop-prod-3 compute.disks.list"]


def test_a_project_without_compute_engine_has_nothing(shops: Cloud) -> None:
    for name in ("shop-prod-2", "shop-prod-4"):
        shops.disable(name)
    one = provider()
    assert len(things(one.resources())) == 6
    assert one.problems == [
        Problem(
            "compute.googleapis.com",
            "not enabled, so nothing there, in: shop-prod-2, shop-prod-4",
            2,
        )
    ]
    asked = [call.project for call in shops.rest.calls if call.name.startswith("compute.")]
    assert asked.count("shop-prod-2") == 1  # the first answer says it all


def test_an_api_that_is_off_elsewhere_is_a_failure(shops: Cloud) -> None:
    """That of the project which pays for the calls: nothing is known of the others' machines."""
    off = {"reason": "SERVICE_DISABLED", "metadata": {"consumer": "projects/764086051850"}}
    said = error(403, "API has not been used in project 764086051850", info=off)
    shops.rest.rules.append(lambda call: said if call.name.startswith("compute") else None)
    one = provider()
    assert one.resources().num_rows == 0
    assert len(one.problems) == len(PROJECTS)
    assert all(problem.fatal for problem in one.problems)


@pytest.mark.parametrize("code", ["UNREACHABLE", "PARTIAL_SUCCESS"])
def test_a_zone_that_does_not_answer(shops: Cloud, code: str) -> None:
    shops.project("shop-prod-1").instance("far-1", zone="us-east1-b")
    shops.warned["zones/us-east1-b"] = code
    one = provider(project=("shop-prod-1",))
    assert things(one.resources()) == [("shop-prod-1", "data"), ("shop-prod-1", "web-1")]
    first = one.problems[0]
    assert first.where == "shop-prod-1 us-east1 compute.instances.list"
    assert first.what == f"zones/us-east1-b: {code}: 'zones/us-east1-b' does not answer"
    assert first.fatal
    other = provider(project=("shop-prod-1",), region=("europe-west1",))
    assert other.resources().num_rows == 2
    assert other.problems == []  # nobody asked for that region


def test_a_list_that_is_not_whole_says_so(shops: Cloud) -> None:
    warning = {"code": "UNREACHABLE", "message": "some are missing"}
    said = Answer(200, {"items": [], "warning": warning})
    shops.rest.rules.append(lambda call: said if call.name == "compute.snapshots.list" else None)
    one = provider(project=("shop-prod-1",))
    one.resources()
    what = "UNREACHABLE: some are missing"
    assert one.problems == [Problem("shop-prod-1 compute.snapshots.list", what, fatal=True)]


def test_each_page_says_it_again_and_it_is_told_once(shops: Cloud) -> None:
    for number in range(9):
        shops.project("shop-prod-1").instance(f"more-{number}")
    shops.warned["zones/us-east1-b"] = "UNREACHABLE"
    shops.page = 2
    one = provider(project=("shop-prod-1",))
    one.resources()
    assert len({problem.where for problem in one.problems}) == len(one.problems) == 7


def test_what_is_named_unreachable_on_top(shops: Cloud) -> None:
    said = Answer(200, {"items": {}, "unreachables": ["projects/shop-prod-1/zones/us-east1-b"]})
    shops.rest.rules.append(lambda call: said if call.name.startswith("compute.disks") else None)
    one = provider(project=("shop-prod-1",))
    one.resources()
    assert one.problems == [
        Problem(
            "shop-prod-1 us-east1 compute.disks.list",
            "zones/us-east1-b: unreachable",
            fatal=True,
        )
    ]


@pytest.mark.parametrize("body", [b"<html>Sign in</html>", b'{"items": 7}', b'["items"]'])
def test_an_answer_that_is_none(shops: Cloud, body: bytes) -> None:
    """Of a proxy on the way, say."""
    shops.rest.rules.append(
        lambda call: Answer(200, body) if call.name.startswith("compute.disks") else None
    )
    one = provider(project=("shop-prod-1",))
    assert things(one.resources()) == [("shop-prod-1", "web-1")]
    (problem,) = one.problems
    assert problem.where == "shop-prod-1 compute.disks.list"
    assert problem.fatal


def test_machine_types_that_are_refused_are_the_built_in_ones(shops: Cloud) -> None:
    for name in PROJECTS:
        shops.refuse(name, "compute.machineTypes")
    one = provider()
    row = next(row for row in one.resources().to_pylist() if row["x_InstanceType"])
    assert (row["x_vCPUs"], row["x_MemoryGiB"]) == (4.0, 16.0)
    assert [problem.fatal for problem in one.problems] == [False] * len(PROJECTS)


# -- what the lake holds and is no longer there --------------------------------------------------


def known(shops: Cloud) -> list[dict[str, Any]]:
    """The lake after an earlier collect, in which there was one machine more."""
    shops.project("shop-prod-1").instance("gone-1")
    held = provider().resources().to_pylist(maps_as_pydicts="strict")
    shops.project("shop-prod-1").things["zones/europe-west1-b", "instances"].pop()
    return held


def lost(shops: Cloud, held: list[dict[str, Any]], **more: Any) -> list[str]:
    one = provider(**more)
    one.resume(Known(resources=held))
    table = one.resources().to_pylist()
    return [row["ResourceName"] for row in table if row["x_State"] == "terminated"]


def test_what_is_not_listed_any_more_is_terminated(shops: Cloud) -> None:
    held = known(shops)
    foreign = [dict(held[0], ResourceId="//compute.googleapis.com/projects/shop-prod-1/global/x/y")]
    assert lost(shops, held + foreign) == ["gone-1"]
    assert lost(shops, held, region=("us-east1",)) == []  # not looked into
    assert lost(shops, held, project=("shop-prod-2",)) == []


def test_where_something_is_refused_nothing_is_gone(shops: Cloud) -> None:
    held = known(shops)
    shops.warned["zones/us-east1-b"] = "UNREACHABLE"
    assert lost(shops, held) == ["gone-1"]  # another region
    shops.warned["zones/europe-west1-c"] = "UNREACHABLE"
    assert lost(shops, held) == []
    shops.warned.clear()
    shops.refuse("shop-prod-1", "compute.disks")
    assert lost(shops, held) == []


def test_a_list_that_breaks_off_makes_nothing_gone(shops: Cloud) -> None:
    held = known(shops)
    shops.page = 1
    shops.project("shop-prod-1").instance("zz-new")
    broken = error(500, "backend error")
    shops.rest.rules.append(
        lambda call: (
            broken
            if call.name.startswith("compute.instances")
            and "after-1" in call.query.get("pageToken", "")
            else None
        )
    )
    assert lost(shops, held) == []
