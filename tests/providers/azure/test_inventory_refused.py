"""Pages that expire, throttling, and subscriptions that refuse: the rest is there all the same."""

from __future__ import annotations

from itertools import count

import pytest

from tests.fakes.azure_arm import (
    Answer,
    Call,
    forbidding,
    refusal,
    said,
    throttling,
    unregistered,
)
from tests.fakes.azure_cloud import guid, populate

DISKS = "Microsoft.Compute/disks/read"
MACHINES = "Microsoft.Compute/virtualMachines/read"


@pytest.fixture
def many(azure) -> tuple[str, list[str]]:
    """A subscription of seven disks: four pages."""
    name = azure.subscription("shop")
    kind = "Microsoft.Compute/disks"
    return name, sorted(azure.add(name, kind, f"d{n}", properties={}).lower() for n in range(7))


def test_a_page_that_expired_is_asked_for_anew_and_nothing_comes_twice(azure, many, look) -> None:
    azure.door.pages.expiring = 2
    found = look()
    assert list(found.rows) == many[1]
    assert found.problems == []
    assert azure.door.counted()[DISKS] == 2 + 2 + 4  # two vain starts, then all of it


def test_pages_that_always_expire_are_told_and_what_was_listed_is_kept(azure, many, look) -> None:
    azure.door.pages.expiring = 99
    found = look()
    assert list(found.rows) == many[1][:2]
    (problem,) = found.problems
    assert problem.where == f"{many[0]} {DISKS}"
    assert problem.what.startswith("InvalidSkipToken")
    assert problem.fatal


def test_a_bad_request_that_no_page_explains_is_not_repeated(azure, many, look) -> None:
    def bad(call: Call) -> Answer | None:
        return refusal(400, "BadRequest", "no") if call.action == DISKS else None

    azure.door.rules.append(bad)
    assert [one.what for one in look().problems] == ["BadRequest: no"]
    assert azure.door.counted()[DISKS] == 1


def test_throttling_is_waited_for(azure, many, look) -> None:
    azure.door.rules.append(throttling(1, DISKS))
    found = look()
    assert list(found.rows) == many[1]
    assert found.problems == []


def test_throttling_without_end_is_told(azure, many, look) -> None:
    azure.door.rules.append(throttling(99, DISKS))
    (problem,) = look(max_attempts=3).problems
    assert problem.what == "OperationNotAllowed: Too many requests."
    assert azure.door.counted()[DISKS] == 3


def test_one_subscription_of_many_refuses_everything(azure, look) -> None:
    shut = azure.subscription("shut")
    open_ones = [azure.subscription(f"open{n}") for n in range(3)]
    for name in (shut, *open_ones):
        populate(azure, name)
    azure.door.rules.append(forbidding(shut))
    found = look()
    assert {row["SubAccountId"] for row in found.rows.values()} == set(open_ones)
    (problem,) = found.problems
    assert (problem.where, problem.count, problem.fatal) == (shut, 7, True)
    assert problem.what.startswith("every call is refused (AuthorizationFailed: ")


def test_one_call_that_is_refused_leaves_the_others(azure, look) -> None:
    name = azure.subscription("shop")
    populate(azure, name)
    azure.door.rules.append(forbidding(action=DISKS))
    found = look()
    kinds = {row["ResourceType"] for row in found.rows.values()}
    assert "Disk" not in kinds
    assert "Virtual machine" in kinds
    assert [one.where for one in found.problems] == [f"{name} {DISKS}"]


@pytest.mark.parametrize("status", [404, 409])
def test_a_service_that_was_never_used_holds_nothing(azure, look, status: int) -> None:
    name = azure.subscription("shop")
    populate(azure, name)
    azure.door.rules.append(unregistered(name, "Microsoft.Network", status))
    found = look()
    assert found.problems == []
    assert {row["ResourceType"] for row in found.rows.values()} == {
        "Virtual machine",
        "Scale set",
        "Disk",
        "Snapshot",
    }
    # Azure's own clients would register the service, which changes the subscription
    assert {call.method for call in azure.door.calls} == {"GET"}


def test_a_scale_set_that_refuses_is_told_by_name(azure, look) -> None:
    name = azure.subscription("shop")
    azure.scale_set(name, "good", "Standard_D2s_v5", count=1)
    azure.scale_set(name, "bad", "Standard_D2s_v5", count=1)

    def refusing(call: Call) -> Answer | None:
        shut = call.path.endswith("/bad/virtualMachines")
        return refusal(403, "AuthorizationFailed", "no") if shut else None

    azure.door.rules.append(refusing)
    found = look()
    action = "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/read"
    assert [one.where for one in found.problems] == [f"{name} {action} bad"]
    groups = {row["x_ScalingGroup"] for row in found.rows.values() if row["x_ScalingGroup"]}
    assert groups == {"good"}


def test_a_scale_set_that_went_meanwhile_is_no_problem(azure, look) -> None:
    made = azure.scale_set(azure.subscription("shop"), "pool", "Standard_D2s_v5", count=1)

    def going(call: Call) -> Answer | None:
        if call.path.endswith("/pool/virtualMachines"):
            return refusal(404, "ResourceNotFound", "gone")
        return None

    azure.door.rules.append(going)
    found = look()
    assert set(found.rows) == {made.lower()}
    assert found.problems == []


def test_machines_without_their_states_are_told(azure, look) -> None:
    name = azure.subscription("shop")
    populate(azure, name)

    def stateless(call: Call) -> Answer | None:
        if call.action == MACHINES and "statusOnly" in call.query:
            return refusal(500, "InternalServerError", "try later")
        return None

    azure.door.rules.append(stateless)
    found = look(max_attempts=1)
    assert [one.where for one in found.problems] == [f"{name} {MACHINES}"]
    machines = [row for row in found.rows.values() if row["x_InstanceType"]]
    alone = [row["x_State"] for row in machines if row["ServiceName"] == "Virtual Machines"]
    assert alone == [None] * 7
    assert {row["x_State"] for row in machines} == {None, "running"}  # a set's members tell theirs


DISK = f"/subscriptions/{guid(1)}/resourceGroups/RG/providers/Microsoft.Compute/disks/d"
HTML = {"Content-Type": "text/html"}


@pytest.mark.parametrize(
    "garbled",
    [
        Answer(200, b"<html>sign in</html>", HTML),
        Answer(200, b"<html>sign in</html>"),  # as if it were JSON
        Answer(200, b""),
        said([]),
        said({}),
        said({"value": None}),
        said({"value": "x"}),
        said({"value": [None]}),
        said({"value": [{"name": "d"}]}),
        said({"value": [{"id": DISK, "name": "d", "properties": "large"}]}),
    ],
    ids=["html", "html as json", "empty", "list", "no value", "null", "text", "null thing", "no id",
         "properties"],
)  # fmt: skip
def test_an_answer_that_is_none_leaves_the_others(azure, look, garbled: Answer) -> None:
    name = azure.subscription("shop")
    ids = populate(azure, name)
    action = "Microsoft.Compute/disks/read"
    azure.door.rules.append(lambda call: garbled if call.action == action else None)
    found = look()
    assert [(one.where, one.fatal) for one in found.problems] == [(f"{name} {action}", True)]
    assert found.problems[0].what.startswith("Unreadable: ")
    assert set(ids) - {nick for nick, id_ in ids.items() if id_.lower() in found.rows} == {
        "data", "loose"
    }  # fmt: skip


@pytest.mark.parametrize("things", [[], [{"id": DISK, "name": "d"}]])
def test_a_page_that_leads_back_to_itself_is_told(azure, look, things: list[object]) -> None:
    azure.subscription("shop")

    def round_and_round(call: Call) -> Answer | None:
        if call.action != "Microsoft.Compute/disks/read":
            return None
        link = f"{azure.url}{call.path}?api-version=2024-01-01&$skiptoken=same"
        return said({"value": things, "nextLink": link})

    azure.door.rules.append(round_and_round)
    found = look()
    (problem,) = found.problems
    assert "leads back" in problem.what
    assert len(found.rows) == len(things)


def test_pages_that_go_round_are_told(azure, look) -> None:
    azure.subscription("shop")
    turns = count()

    def round_and_round(call: Call) -> Answer | None:
        if call.action != "Microsoft.Compute/disks/read":
            return None
        link = f"{azure.url}{call.path}?$skiptoken={next(turns) % 2}"
        return said({"value": [{"id": DISK, "name": "d"}], "nextLink": link})

    azure.door.rules.append(round_and_round)
    found = look()
    (problem,) = found.problems
    assert "repeat without an end" in problem.what
    assert len(found.rows) == 1


def test_values_of_other_types_are_text_or_missing(azure, look) -> None:
    name = azure.subscription("shop")
    one = azure.add(
        name, "Microsoft.Compute/disks", "d", tags={"a": 5, "b": None, "c": 0},
        properties={"diskSizeGB": "big", "timeCreated": "garbage"},
    )  # fmt: skip
    azure.add(name, "Microsoft.Compute/disks", "e", sku=None, tags=None, location=None)
    found = look()
    assert found.problems == []
    assert found.rows[one.lower()]["Tags"] == {"a": "5", "b": "", "c": "0"}
    assert found.rows[one.lower()]["x_LaunchedAt"] is None
