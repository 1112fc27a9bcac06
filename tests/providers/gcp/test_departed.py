"""Projects that were looked into once and are no longer: deleted, moved away, or hidden."""

from __future__ import annotations

from typing import Any

import pytest

from costopt.providers.base import Known, Problem
from costopt.providers.gcp import GcpProvider
from costopt.providers.gcp.settings import GcpSettings
from tests.fakes.gcp_cloud import Cloud
from tests.fakes.gcp_rest import error

GET = "cloudresourcemanager.projects.get"
SHOP, LAB, DEEP = "shop-prod-1", "lab-test-1", "deep-prod-1"


class Lake:
    """What one collect after the other leaves behind."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        self.notes: dict[str, str] = {}

    def collect(self, **settings: Any) -> list[Problem]:
        """The problems of one more collect."""
        made = GcpProvider(GcpSettings(**{"max_attempts": 1, **settings}))
        made.resume(Known(resources=list(self.rows.values()), notes=self.notes))
        table = made.resources().to_pylist(maps_as_pydicts="strict")
        self.rows |= {row["ResourceId"]: row for row in table}
        self.notes |= made.notes
        return made.problems

    def states(self) -> dict[str, set[str]]:
        """By project."""
        found: dict[str, set[str]] = {}
        for row in self.rows.values():
            found.setdefault(row["SubAccountId"], set()).add(row["x_State"])
        return found


@pytest.fixture
def lake(gcp: Cloud) -> Lake:
    """A folder with two projects and a third in a folder below, each of one machine; collected."""
    top = gcp.folder("111", "organizations/1")
    for name, parent in ((SHOP, top), (LAB, top), (DEEP, gcp.folder("112", top))):
        gcp.project(name, parent=parent).instance(f"web-{name}")
    made = Lake()
    assert made.collect(folder=("111",)) == []
    assert made.states() == {SHOP: {"running"}, LAB: {"running"}, DEEP: {"running"}}
    return made


def told(problems: list[Problem]) -> list[tuple[str, str, bool]]:
    return [(one.where, one.what.split(":")[0], one.fatal) for one in problems]


def test_what_lay_in_a_deleted_project_is_terminated(gcp: Cloud, lake: Lake) -> None:
    gcp.projects[LAB].state = "DELETE_REQUESTED"
    assert told(lake.collect(folder=("111",))) == [(LAB, "the project is to be deleted", False)]
    assert lake.states() == {SHOP: {"running"}, LAB: {"terminated"}, DEEP: {"running"}}
    assert lake.collect(folder=("111",)) == []  # told once
    gcp.projects[LAB].state = "ACTIVE"  # within thirty days it may be restored
    assert lake.collect(folder=("111",)) == []
    assert lake.states()[LAB] == {"running"}


def test_also_where_it_was_named_or_the_only_one(gcp: Cloud, lake: Lake) -> None:
    for name in (SHOP, LAB, DEEP):
        gcp.projects[name].state = "DELETE_REQUESTED"
    assert [one.fatal for one in lake.collect(project=(SHOP,))] == [True]
    assert lake.states() == {SHOP: {"terminated"}, LAB: {"running"}, DEEP: {"running"}}
    assert len(lake.collect(folder=("111",))) == 2
    assert lake.states() == {SHOP: {"terminated"}, LAB: {"terminated"}, DEEP: {"terminated"}}


def test_what_was_moved_away_is_unseen_until_it_is_collected_again(gcp: Cloud, lake: Lake) -> None:
    gcp.projects[LAB].parent = gcp.folder("222", "organizations/1")
    what = "no longer below what is asked for"
    assert told(lake.collect(folder=("111",))) == [(LAB, what, False)]
    assert lake.states()[LAB] == {"unseen"}
    assert lake.collect(folder=("222",)) == []
    assert lake.states()[LAB] == {"running"}
    assert lake.collect(folder=("111",)) == []
    assert lake.states()[LAB] == {"running"}


def test_what_is_collected_from_its_new_place_is_not_lost_at_the_old_one(
    gcp: Cloud, lake: Lake
) -> None:
    gcp.projects[LAB].parent = gcp.folder("222", "organizations/1")
    assert lake.collect(folder=("222",)) == []
    assert lake.collect(folder=("111",)) == []
    assert lake.states()[LAB] == {"running"}


def test_a_project_that_is_hidden_now_is_unseen_not_deleted(gcp: Cloud, lake: Lake) -> None:
    del gcp.projects[LAB]
    assert told(lake.collect(folder=("111",))) == [(LAB, "no longer visible", True)]
    assert lake.states() == {SHOP: {"running"}, LAB: {"unseen"}, DEEP: {"running"}}
    assert lake.collect(folder=("111",)) == []  # told once


def test_where_a_folder_is_not_listed_only_what_is_deleted_is_gone(gcp: Cloud, lake: Lake) -> None:
    refused = error(403, "The caller does not have permission", "forbidden")
    gcp.rest.rules.append(
        lambda call: refused if call.query.get("parent") == "folders/112" else None
    )
    gcp.projects[LAB].state = "DELETE_REQUESTED"
    problems = lake.collect(folder=("111",))
    assert [one.where.split()[0] for one in problems] == ["folders/112", "folders/112", LAB]
    assert lake.states() == {SHOP: {"running"}, LAB: {"terminated"}, DEEP: {"running"}}
    gcp.refuse(DEEP, "cloudresourcemanager")
    lake.collect(folder=("111",))
    assert lake.states()[DEEP] == {"running"}
    gcp.rest.rules.clear()
    gcp.projects[DEEP].state = "DELETE_REQUESTED"  # it was not forgotten meanwhile
    assert told(lake.collect(folder=("111",))) == [(DEEP, "the project is to be deleted", False)]
    assert lake.states()[DEEP] == {"terminated"}


def test_an_answer_that_fails_says_nothing(gcp: Cloud, lake: Lake) -> None:
    gcp.projects[LAB].state = "DELETE_REQUESTED"
    gcp.fail(GET, error(500, "backend error"))
    assert told(lake.collect(folder=("111",))) == [(LAB, "no longer visible", True)]
    assert lake.states()[LAB] == {"running"}
    assert told(lake.collect(folder=("111",))) == [(LAB, "the project is to be deleted", False)]
    assert lake.states()[LAB] == {"terminated"}


@pytest.mark.parametrize("note", ["{", "7", "[7]"])
def test_projects_of_other_collects_are_not_asked_for(gcp: Cloud, lake: Lake, note: str) -> None:
    """Neither are those of a note that cannot be read."""
    lake.notes = dict.fromkeys(lake.notes, note)
    gcp.folder("333", "organizations/1")
    gcp.project("else-prod-1", parent="folders/333").instance("web")
    del gcp.projects[LAB]
    assert lake.collect(folder=("333",)) == []
    assert lake.collect(folder=("111",)) == []
    assert gcp.rest.counted()[GET] == 0
    assert lake.states()[LAB] == {"running"}
