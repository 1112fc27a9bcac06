"""Ways into Azure: credentials, retries, and errors without secrets."""

from __future__ import annotations

import pytest
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceNotFoundError,
)
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.resource.subscriptions import SubscriptionClient

from costopt.errors import ProviderError
from costopt.providers.azure.access import Access, denied, said, told
from costopt.providers.azure.bill.blobs import Container
from costopt.providers.azure.settings import AzureSettings
from costopt.providers.azure.subscriptions import subscriptions
from costopt.providers.base import Problem
from tests.fakes.azure_arm import Answer, Call, forbidding, refusal, throttling, unregistered
from tests.fakes.blobs import Blobs


def disks(access: Access, subscription: str) -> list[object]:
    return list(access.management(ComputeManagementClient, subscription).disks.list())


def test_an_emulator_is_shown_no_credentials_of_the_users(azure, access) -> None:
    azure.subscription("shop")
    assert access().is_emulated
    subscriptions(access(), [])
    assert {call.headers["authorization"] for call in azure.door.calls} == {"Bearer emulator"}
    assert not Access(AzureSettings(endpoint="https://gateway.example.com")).is_emulated


def test_without_credentials_it_says_what_to_do(monkeypatch) -> None:
    for name in ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"):
        monkeypatch.delenv(name, raising=False)
    # else the whole chain is tried, which asks programs and addresses of this machine
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")
    with pytest.raises(ProviderError, match="cannot be listed") as caught:
        subscriptions(Access(AzureSettings()), [])
    assert "az login" in caught.value.hint


def test_one_client_for_each_class_and_subscription(access) -> None:
    way = access()
    assert way.management(SubscriptionClient) is way.management(SubscriptionClient)
    one, other = (way.management(ComputeManagementClient, name) for name in ("a", "b"))
    assert one is not other


@pytest.mark.parametrize("code", [429, 500, 503])
def test_what_may_pass_is_tried_again(azure, access, code: int) -> None:
    name = azure.subscription("shop")
    answers = [refusal(code, "Busy", "later", Retry_After="0.01")] * 2

    def busy(call: Call) -> Answer | None:
        return answers.pop() if answers else None

    azure.door.rules.append(busy)
    assert disks(access(max_attempts=3), name) == []
    assert len(azure.door.calls) == 3


def test_tries_are_counted(azure, access) -> None:
    name = azure.subscription("shop")
    azure.door.rules.append(throttling(99))
    with pytest.raises(HttpResponseError, match="Too many"):
        disks(access(max_attempts=4), name)
    assert len(azure.door.calls) == 4


def test_nobody_waits_for_an_hour(azure, access) -> None:
    name = azure.subscription("shop")
    azure.door.rules.append(throttling(99, retry_after="3600"))
    with pytest.raises(HttpResponseError, match="Too many"):
        disks(access(max_attempts=4), name)
    assert len(azure.door.calls) == 1


def test_what_is_refused_is_not_tried_again(azure, access) -> None:
    name = azure.subscription("shop")
    azure.door.rules.append(forbidding(name))
    with pytest.raises(HttpResponseError) as caught:
        disks(access(max_attempts=4), name)
    assert denied(caught.value)
    assert len(azure.door.calls) == 1


def test_no_service_is_registered_where_it_was_never_used(azure, access) -> None:
    """Azure's own clients would, by a POST, and wait till it is done: that changes something."""
    name = azure.subscription("shop")
    azure.door.rules.append(unregistered(name, "Microsoft.Compute", 409))
    with pytest.raises(HttpResponseError, match="not registered"):
        disks(access(), name)
    assert [call.method for call in azure.door.calls] == ["GET"]


def test_what_is_refused_becomes_a_problem_and_the_rest_goes_on(azure, access) -> None:
    name = azure.subscription("shop")
    azure.door.rules.append(forbidding(name))
    problems: list[Problem] = []
    with told(problems, f"{name} disks"):
        disks(access(), name)
    (problem,) = problems
    assert problem.where == f"{name} disks"
    assert problem.what.startswith("AuthorizationFailed: The client 'c' does not have")
    assert problem.fatal


def test_what_is_said_holds_no_secret_and_no_line_break() -> None:
    token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
    text = f"bad token\n{token} for https://a.blob.core.windows.net/c/b?sv=1&sig=abc%3D"
    words = said(AzureError(text))
    assert token not in words
    assert "abc%3D" not in words
    assert "\n" not in words
    assert len(said(AzureError("x " * 500))) <= 300
    assert said(AzureError("")) == "AzureError"


def test_who_is_not_let_in_is_denied() -> None:
    assert denied(ClientAuthenticationError("no token"))
    assert not denied(AzureError("connection reset"))


@pytest.mark.parametrize(
    ("address", "account", "container", "prefix"),
    [
        ("https://a.blob.core.windows.net/bills", "https://a.blob.core.windows.net", "bills", ""),
        (
            "https://a.blob.core.windows.net/bills/daily/focus/",
            "https://a.blob.core.windows.net",
            "bills",
            "daily/focus/",
        ),
        ("http://127.0.0.1:10000/dev/bills/x", "http://127.0.0.1:10000/dev", "bills", "x/"),
    ],
)
def test_the_parts_of_an_exports_address(
    address: str, account: str, container: str, prefix: str, monkeypatch
) -> None:
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")
    client, below = Access(AzureSettings()).blobs(address)
    assert client.url == f"{account}/{container}"
    assert client.container_name == container
    assert below == prefix


@pytest.fixture
def bills(azure) -> Blobs:
    """A blob of some bytes in a container."""
    made = Blobs.of(azure.door)
    made.put("focus/part.csv", b"BilledCost\n1.5\n")
    return made


def blob(way: Access, bills: Blobs) -> bytes:
    """Listed and read."""
    container, prefix = way.blobs(bills.address("focus"))
    (found,) = container.list_blobs(name_starts_with=prefix)
    content: bytes = container.download_blob(found.name).readall()
    return content


@pytest.mark.parametrize("code", [429, 500, 503])
def test_a_busy_storage_account_is_tried_again(azure, access, bills, code: int) -> None:
    busy = [refusal(code, "ServerBusy", "later", Retry_After="0.01")] * 2
    azure.door.rules.append(lambda call: busy.pop() if busy else None)
    assert blob(access(max_attempts=3), bills) == b"BilledCost\n1.5\n"
    assert len(azure.door.calls) == 2 + 2


@pytest.mark.parametrize(
    ("retry_after", "calls"), [("0.01", 4), ("3600", 1)], ids=["as it asks", "not for an hour"]
)
def test_tries_of_a_storage_account_are_counted(
    azure, access, bills, retry_after: str, calls: int
) -> None:
    azure.door.rules.append(throttling(99, retry_after=retry_after))
    with pytest.raises(HttpResponseError):
        blob(access(max_attempts=4), bills)
    assert len(azure.door.calls) == calls


def test_a_storage_account_is_waited_for_as_long_as_it_asks(
    azure, access, bills, monkeypatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("azure.core.pipeline.transport.RequestsTransport.sleep",
                        lambda _, seconds: waits.append(seconds))  # fmt: skip
    azure.door.rules.append(throttling(2, retry_after="7"))
    assert blob(access(max_attempts=3), bills)
    assert waits == [7.0, 7.0]


def test_a_blob_that_is_gone_is_not_asked_for_again(azure, access, bills) -> None:
    container, _ = access(max_attempts=4).blobs(bills.address())
    with pytest.raises(ResourceNotFoundError):
        container.download_blob("focus/other.csv")
    assert len(azure.door.calls) == 1


@pytest.mark.parametrize("written", ["my exports/K\u00e4se", "my%20exports/K%C3%A4se"])
def test_what_is_escaped_in_an_exports_address_is_read(azure, access, bills, written) -> None:
    bills.put("my exports/K\u00e4se/part.csv", b"BilledCost\n")
    container = Container(access(), bills.address(written))
    (found,) = container.objects()
    assert found.name == "part.csv"
    assert container.where(found).endswith("/acct/bills/my exports/K\u00e4se/part.csv")


@pytest.mark.parametrize("body", [b"", b"<html>sign in</html>", b"<?xml version='1.0'?><Error/>"])
def test_a_list_of_blobs_that_is_none_is_told(azure, access, bills, body: bytes) -> None:
    garbled = Answer(200, body, {"Content-Type": "text/html"})
    azure.door.rules.append(lambda call: garbled if "comp" in call.query else None)
    problems: list[Problem] = []
    with told(problems, "bills"):
        list(Container(access(), bills.address("focus")).objects())
    (problem,) = problems
    assert problem.what.startswith("Unreadable: ")


def test_a_storage_account_says_why_it_refuses(azure, access, bills) -> None:
    code = "AuthorizationPermissionMismatch"
    refused = Answer(403, b"<Error/>", {"x-ms-error-code": code, "Content-Type": "application/xml"})
    azure.door.rules.append(lambda call: refused)
    problems: list[Problem] = []
    with told(problems, "bills"):
        list(Container(access(), bills.address("focus")).objects())
    assert [one.what for one in problems] == [f"{code}: Forbidden (HTTP 403)"]


_HEAD = "DefaultAzureCredential failed to retrieve a token from the included credentials."
_NEVER = (
    "\tEnvironmentCredential: EnvironmentCredential authentication unavailable. Environment ..."
)
_AADSTS = "Authentication failed: AADSTS7000215: Invalid client secret provided."


@pytest.mark.parametrize(
    ("tried", "words"),
    [
        (
            [_NEVER, "\tAzureCliCredential: Please run 'az login' to set up an account"],
            "az: Please run 'az login' to set up an account",
        ),
        ([f"\tEnvironmentCredential: {_AADSTS}"], f"environment: {_AADSTS}"),
        ([_NEVER, "\tAzurePowerShellCredential: PowerShell is not installed"], _HEAD),
    ],
)
def test_who_is_not_signed_in_is_told_which_way_in_failed(tried: list[str], words: str) -> None:
    text = "\n".join([_HEAD, "Attempted credentials:", *tried, "To mitigate this issue, ..."])
    assert said(ClientAuthenticationError(message=text)).startswith(words)
    assert said(ClientAuthenticationError(message=_AADSTS)) == _AADSTS
