"""Which projects are looked into: named, below folders and an organization, one's own."""

from __future__ import annotations

import pytest

from costopt.errors import ProviderError
from costopt.providers.base import Problem
from costopt.providers.gcp.access import Access
from costopt.providers.gcp.projects import projects
from tests.fakes.gcp_cloud import Cloud
from tests.fakes.gcp_rest import error
from tests.providers.gcp.conftest import Opened

ORGANIZATION = "organizations/400"


def ids(access: Access, problems: list[Problem] | None = None) -> list[str]:
    """Their ids; without a list for them, no problem is expected."""
    noted: list[Problem] = []
    found = [one.project_id for one in projects(access, noted if problems is None else problems)]
    assert noted == []
    return found


@pytest.fixture
def company(gcp: Cloud) -> Cloud:
    """Two projects at the top, a folder with one, and another in a folder in it."""
    gcp.project("top-one-1", parent=ORGANIZATION)
    gcp.project("top-two-1", parent=ORGANIZATION)
    shop = gcp.folder("51", ORGANIZATION)
    gcp.project("shop-prod-1", parent=shop)
    gcp.project("shop-test-1", parent=gcp.folder("52", shop))
    gcp.project("elsewhere-1", parent="organizations/999")
    return gcp


def test_those_named_with_their_numbers(company: Cloud, opened: Opened) -> None:
    found = projects(opened(project=("top-two-1", "shop-prod-1", "top-two-1")), [])
    assert [(one.project_id, one.number, one.name) for one in found] == [
        ("shop-prod-1", company.projects["shop-prod-1"].number, "shop prod 1"),
        ("top-two-1", company.projects["top-two-1"].number, "top two 1"),
    ]


def test_all_of_an_organization(company: Cloud, opened: Opened) -> None:
    company.page = 1  # every list comes in pages
    assert ids(opened(organization="400")) == [
        "shop-prod-1",
        "shop-test-1",
        "top-one-1",
        "top-two-1",
    ]


def test_all_of_a_folder_and_one_more(company: Cloud, opened: Opened) -> None:
    access = opened(folder=("51",), project=("elsewhere-1",))
    assert ids(access) == ["elsewhere-1", "shop-prod-1", "shop-test-1"]


def test_a_folder_within_a_folder_asked_for_is_read_once(company: Cloud, opened: Opened) -> None:
    assert ids(opened(folder=("52", "51"))) == ["shop-prod-1", "shop-test-1"]
    assert company.rest.counted()["cloudresourcemanager.projects.list"] == 2


def test_the_own_one_where_none_is_named(
    company: Cloud, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "shop-prod-1")
    assert ids(opened()) == ["shop-prod-1"]


def test_what_is_to_be_deleted_is_left_out(company: Cloud, opened: Opened) -> None:
    company.projects["top-one-1"].state = "DELETE_REQUESTED"
    assert "top-one-1" not in ids(opened(organization="400"))
    problems: list[Problem] = []
    assert ids(opened(project=("top-one-1", "top-two-1")), problems) == ["top-two-1"]
    assert problems == [
        Problem("top-one-1", "the project is to be deleted: not looked into", fatal=True)
    ]


def test_a_folder_that_refuses_stops_no_other(company: Cloud, opened: Opened) -> None:
    refused = error(403, "The caller does not have permission", "forbidden")
    company.rest.rules.append(
        lambda call: refused if call.query.get("parent") == "folders/52" else None
    )
    problems: list[Problem] = []
    assert ids(opened(organization="400"), problems) == ["shop-prod-1", "top-one-1", "top-two-1"]
    assert [problem.where for problem in problems] == [
        "folders/52 resourcemanager.projects.list",
        "folders/52 resourcemanager.folders.list",
    ]
    assert all(problem.fatal for problem in problems)


def test_a_project_whose_entry_is_hidden_is_looked_into(company: Cloud, opened: Opened) -> None:
    problems: list[Problem] = []
    (found,) = projects(opened(project=("hidden-one-1",)), problems)
    assert (found.project_id, found.number) == ("hidden-one-1", None)
    (problem,) = problems
    assert problem.where == "hidden-one-1 resourcemanager.projects.get"
    assert not problem.fatal  # nothing is missing yet: its machines may be listed


def test_folders_that_lead_in_a_circle_end(company: Cloud, opened: Opened) -> None:
    company.folders["51"] = "folders/52"
    company.folders["52"] = "folders/51"
    assert ids(opened(folder=("51",))) == ["shop-prod-1", "shop-test-1"]


def test_no_project_at_all(company: Cloud, opened: Opened) -> None:
    company.folder("60", ORGANIZATION)
    with pytest.raises(ProviderError, match="no project to look into") as caught:
        projects(opened(folder=("60",)), [])
    assert "--organization" in str(caught.value.hint)


def test_no_project_because_it_is_refused(company: Cloud, opened: Opened) -> None:
    company.rest.rules.append(lambda _: error(403, "The caller does not have permission"))
    with pytest.raises(ProviderError, match=r"folders/51 .*list: 403: The caller"):
        projects(opened(folder=("51",)), [])
