"""The least role against the calls that the code really makes, and each action tried."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from costopt.providers.azure import AzureProvider
from costopt.providers.azure.permissions import PERMISSIONS, role
from costopt.providers.azure.settings import AzureSettings
from tests.conftest import ROOT
from tests.fakes import azure_retail
from tests.fakes.azure_arm import BLOBS, Answer, Call, forbidding, refusal, said, unregistered
from tests.fakes.azure_cloud import Tenant, guid, populate

BATCH = "metrics:getBatch"
METRICS = "Microsoft.Insights/metrics/read"
ADVICE = "Microsoft.Advisor/recommendations/read"
SOURCES = {f"Microsoft.Insights/{kind}/read" for kind in ("metricNamespaces", "metricDefinitions")}


@pytest.fixture
def whole(azure: Tenant) -> Tenant:
    """A tenant with one of each thing; what others collect of it is empty, but answered."""
    populate(azure, azure.subscription("shop"))
    azure.door.services += [_quiet, _Bills(azure.door.url)]
    return azure


def settings(azure: Tenant, **more: object) -> AzureSettings:
    given = {"endpoint": azure.url, "max_attempts": 1, "skip": ("prices",), **more}
    return AzureSettings(**given)


def _quiet(call: Call) -> Answer | None:
    if call.action == METRICS:
        return said({"cost": 0, "timespan": "a/b", "value": []})
    return said({"value": []}) if call.action in {ADVICE, *SOURCES} else None


class _Bills:
    """A storage account `acct`, whose container `bills` holds an empty folder and one blob."""

    def __init__(self, url: str) -> None:
        self.address = f"{url}/acct/bills"

    def __call__(self, call: Call) -> Answer | None:
        if call.action != BLOBS:
            return None
        if call.query.get("comp") != "list":
            headers = {"Content-Range": "bytes 0-0/4", "x-ms-blob-type": "BlockBlob", "ETag": '"1"'}
            return Answer(206, b"b", headers)
        sizes = {"focus/": 0, "focus/part.csv": 4, "marked/": 0}
        blobs = "".join(
            f"<Blob><Name>{name}</Name><Properties><Content-Length>{size}</Content-Length>"
            "<BlobType>BlockBlob</BlobType></Properties></Blob>"
            for name, size in sizes.items()
            if name.startswith(call.query.get("prefix", ""))
        )
        text = f"<EnumerationResults><Blobs>{blobs}</Blobs><NextMarker/></EnumerationResults>"
        return Answer(200, text.encode(), {"Content-Type": "application/xml"})


def test_the_role_is_what_the_code_calls_and_nothing_more(whole: Tenant) -> None:
    address = f"{whole.url}/acct/bills/focus"
    provider = AzureProvider(settings(whole, export=(address,)))
    provider.resources()
    provider.shapes()
    assert all(check.passed for check in provider.checks())
    called = set(whole.door.counted())
    assert called == {one.action for one in PERMISSIONS}
    changing = [call.path for call in whole.door.calls if call.method != "GET"]
    assert [path.rpartition("/")[2] for path in changing] == ["metrics:getBatch"]


def test_the_role_follows_the_settings() -> None:
    plain = json.loads(role(AzureSettings(skip=("metrics",))))
    assert METRICS not in plain["Actions"]
    assert plain["DataActions"] == []
    assert plain["AssignableScopes"] == ["/subscriptions/SUBSCRIPTION-ID"]
    everything = AzureSettings(
        subscription=(guid(2), guid(1)), export=("https://a.blob.core.windows.net/bills",)
    )
    full = json.loads(role(everything))
    assert METRICS in full["Actions"]
    assert full["DataActions"] == [BLOBS]
    assert full["AssignableScopes"] == [f"/subscriptions/{guid(n)}" for n in (1, 2)]
    assert "az role definition create --role-definition" in full["Description"]
    assert "az role assignment create --role costopt" in full["Description"]
    assert len(full["Description"]) <= 1024  # more is refused


def test_it_grants_reading_and_no_wildcards() -> None:
    for one in PERMISSIONS:
        assert one.action.endswith("/read")
        assert "*" not in one.action


def test_an_export_on_disk_needs_no_permission(tmp_path: Path) -> None:
    assert json.loads(role(AzureSettings(export=(str(tmp_path),))))["DataActions"] == []


@pytest.mark.parametrize(
    "action",
    [one.action for one in PERMISSIONS if one.where == "subscription"],
)
def test_what_is_refused_is_named_with_what_to_do(whole: Tenant, action: str) -> None:
    name = next(iter(whole.subscriptions))

    def deny(call: Call) -> Answer | None:
        if call.action != action or call.path == "/subscriptions":
            return None
        return refusal(403, "AuthorizationFailed", "does not have authorization")

    whole.door.rules.append(deny)
    failed = [one for one in AzureProvider(settings(whole)).checks() if not one.passed]
    assert action in {one.name for one in failed}
    # who may not list machines or scale sets can be asked nothing about what is inside them
    assert all(
        one.name.startswith((action.removesuffix("/read"), "Microsoft.Insights/", BATCH))
        for one in failed
    )
    (found,) = [one for one in failed if one.name == action]
    assert found.where == name
    assert found.refused
    assert "costopt doctor azure --policy" in found.detail


def test_a_service_that_was_never_used_is_no_failure(whole: Tenant) -> None:
    name = next(iter(whole.subscriptions))
    whole.door.rules.append(unregistered(name, "Microsoft.Network", 409))
    found = list(AzureProvider(settings(whole)).checks())
    assert all(one.passed for one in found)
    (balancers,) = [one for one in found if one.name.endswith("/loadBalancers/read")]
    assert balancers.detail == "the subscription never used this service"


def test_a_subscription_that_refuses_is_a_failed_check(whole: Tenant) -> None:
    shop = next(iter(whole.subscriptions))
    shut = whole.subscription("shut")
    whole.door.rules.append(forbidding(shut))
    found = list(AzureProvider(settings(whole, subscription=(shop, shut, guid(9)))).checks())
    failed = [one for one in found if not one.passed]
    assert [(one.where, one.refused) for one in failed] == [(shut, True), (guid(9), True)]


def test_an_export_without_anything_is_a_failed_check(whole: Tenant) -> None:
    base = f"{whole.url}/acct/bills"
    places = (f"{base}/focus", base, f"{base}/foc", f"{base}/marked")
    found = [
        one for one in AzureProvider(settings(whole, export=places)).checks() if one.name == BLOBS
    ]
    assert [one.where for one in found] == list(places)
    assert [one.passed for one in found] == [True, True, False, False]
    assert all("nothing below this prefix" in one.detail for one in found[2:])


def test_what_there_is_nothing_to_try_on_is_told(azure: Tenant) -> None:
    azure.subscription("bare")
    azure.door.services.append(_quiet)
    found = list(AzureProvider(settings(azure)).checks())
    untried = {one.name: one.detail for one in found if not one.tried}
    assert all(one.passed for one in found)
    members = "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/read"
    assert untried == {
        BATCH: "not tried: there is no machine",
        members: "not tried: there is no uniform scale set",
        **dict.fromkeys((METRICS, *SOURCES), "not tried: there is no machine"),
    }


def test_the_way_to_the_list_prices_is_tried(azure: Tenant) -> None:
    azure.subscription("bare")
    azure.door.services.append(_quiet)
    prices = azure_retail.behind(azure.door)

    def told(**more: object) -> tuple[bool, bool, str]:
        asked = AzureProvider(settings(azure, **{"skip": (), **more}))
        (one,) = [one for one in asked.checks() if one.name == "Retail Prices API"]
        return one.passed, one.tried, one.detail

    prices.items = azure_retail.around(azure_retail.item("Standard_D4s_v5", 0.23))
    assert told() == (True, True, "")
    passed, tried, detail = told(cloud="china")
    assert (passed, tried) == (True, False)
    assert "Azure China" in detail
    azure.door.rules.append(
        lambda call: refusal(403, "Proxy", "no") if "/retail/" in call.path else None
    )
    assert told() == (False, True, "the server answers 403")


def test_checks_come_in_order_however_many_are_tried_at_a_time(whole: Tenant) -> None:
    populate(whole, whole.subscription("other"))
    one, many = (list(AzureProvider(settings(whole, max_concurrency=n)).checks()) for n in (1, 8))
    assert one == many
    wanted = [p for p in PERMISSIONS if p.where == "subscription"]
    assert len(one) == 2 * (len(wanted) + 1)  # and batches


def test_the_page_of_the_docs_shows_this_role() -> None:
    page = (ROOT / "docs" / "providers" / "azure.md").read_text()
    shown: dict[str, Any] = json.loads(page.split("```json\n")[1].split("```")[0])
    asked = AzureSettings(
        subscription=(guid(1),), export=("https://mybills.blob.core.windows.net/exports/focus",)
    )
    assert shown == json.loads(role(asked))


@pytest.mark.parametrize(
    ("answer", "passed", "detail"),
    [
        (None, True, ""),
        (
            refusal(403, "AuthorizationFailed", "No."),
            True,
            "AuthorizationFailed: No.; machines are ",
        ),
        (refusal(404, "ResourceNotFound", "No."), True, "asked for one by one"),
        (Answer(403, b"<html>", {"Content-Type": "text/html"}), True, "asked for one by one"),
        (refusal(500, "InternalServerError", "Oh."), False, "InternalServerError: Oh."),
    ],
)
def test_the_way_to_batches_is_tried(
    whole: Tenant, answer: Answer | None, passed: bool, detail: str
) -> None:
    whole.door.rules.append(lambda call: answer if call.path.endswith(BATCH) else None)
    checks = {one.name: one for one in AzureProvider(settings(whole)).checks()}
    assert checks[BATCH].passed is passed
    assert detail in checks[BATCH].detail
    assert checks[METRICS].passed
