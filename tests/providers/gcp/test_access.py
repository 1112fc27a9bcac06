"""The ways in: what is tried again and what is not, addresses, errors in plain words."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from google.api_core import exceptions
from google.auth.exceptions import DefaultCredentialsError, RefreshError, TransportError
from google.cloud.compute_v1 import InstancesClient

from costopt.errors import ConfigError, ProviderError
from costopt.providers.base import Problem
from costopt.providers.gcp import access as ways
from costopt.providers.gcp.access import Access, denied, endpoint, not_enabled, said, told
from costopt.providers.gcp.settings import GcpSettings
from tests.fakes.gcp_cloud import Cloud
from tests.fakes.gcp_rest import Answer, error
from tests.providers.gcp.conftest import Opened

PROJECT = "shop-prod-1"
LIST = "compute.instances.aggregatedList"


def listed(access: Access) -> list[str]:
    """Names of the instances, by pages of the client itself."""
    call = access.rest("compute", InstancesClient).aggregated_list
    pages = access.pages(call, {"project": PROJECT, "max_results": 500})
    scopes = (scope for page in pages for scope in page.items.values())
    return [one.name for scope in scopes for one in scope.instances]


def refusal(opened: Opened, **more: Any) -> Exception:
    """What the list raises."""
    with pytest.raises(exceptions.GoogleAPICallError) as caught:
        listed(opened(**more))
    return caught.value


def test_a_client_serves_all_projects(opened: Opened) -> None:
    access = opened()
    assert access.rest("compute", InstancesClient) is access.rest("compute", InstancesClient)


def test_throttled_calls_wait_as_long_as_they_are_told(
    gcp: Cloud, opened: Opened, waits: list[float]
) -> None:
    gcp.project(PROJECT).instance("web-1")
    gcp.fail(LIST, error(429, "slow down", headers={"Retry-After": "7"}))
    gcp.fail(LIST, error(429, "slow down", headers={"Retry-After": "3600"}))
    assert listed(opened()) == ["web-1"]
    assert waits == [7.0, 60.0]  # an hour is not waited for at a time
    assert gcp.rest.counted()[LIST] == 3


@pytest.mark.parametrize(
    "answer",
    [
        error(403, "Rate Limit Exceeded", "rateLimitExceeded"),  # Compute Engine's way of 429
        error(500, "backend error", "backendError"),
        error(503, "try later", "backendError"),
    ],
)
def test_what_passes_is_tried_again_after_growing_waits(
    gcp: Cloud, opened: Opened, waits: list[float], answer: Any
) -> None:
    gcp.project(PROJECT).instance("web-1")
    gcp.fail(LIST, answer, times=3)
    assert listed(opened()) == ["web-1"]
    assert [1 <= 2 * wait / 2**n <= 2 for n, wait in enumerate(waits)] == [True] * 3


@pytest.mark.parametrize(
    "answer",
    [
        error(408, "Request Timeout"),
        Answer(200, {"items": {}, "id": "projects/shop-prod-1/aggregated/instances"}, cut=True),
        Answer(200, b"no gzip", {"Content-Encoding": "gzip"}),
    ],
)
def test_a_connection_that_breaks_off_is_tried_again(
    gcp: Cloud, opened: Opened, waits: list[float], answer: Any
) -> None:
    gcp.project(PROJECT).instance("web-1")
    gcp.fail(LIST, answer)
    assert listed(opened()) == ["web-1"]
    assert len(waits) == 1


@pytest.mark.parametrize(
    ("failure", "tries"),
    [
        (TransportError("no connection"), 3),
        (RefreshError("internal_failure", {"error": "internal_failure"}, retryable=True), 3),
        (RefreshError("invalid_grant", {"error": "invalid_grant"}), 1),
        (exceptions.Conflict("it exists"), 1),
    ],
)
def test_a_token_that_is_not_had_at_once_is_asked_for_again(
    opened: Opened, failure: Exception, tries: int
) -> None:
    asked: list[object] = []

    def refused(**more: object) -> None:
        asked.append(more)
        raise failure

    with pytest.raises(type(failure)):
        opened(max_attempts=3).asked(refused)
    assert len(asked) == tries


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_refusal_is_not_tried_again(
    gcp: Cloud, opened: Opened, waits: list[float], status: int
) -> None:
    gcp.fail(LIST, error(status, "no", "forbidden"), times=9)
    refusal(opened)
    assert gcp.rest.counted()[LIST] == 1
    assert waits == []


def test_it_gives_up_after_the_attempts_that_are_allowed(
    gcp: Cloud, opened: Opened, waits: list[float]
) -> None:
    gcp.fail(LIST, error(429, "slow down"), times=99)
    refused = refusal(opened, max_attempts=4)
    assert gcp.rest.counted()[LIST] == 4
    assert len(waits) == 3
    assert not denied(refused)


def test_a_page_that_fails_is_asked_for_alone(gcp: Cloud, opened: Opened) -> None:
    for number in range(5):
        gcp.project(PROJECT).instance(f"web-{number}")
    gcp.page = 2
    seen: list[str] = []
    last = [error(503, "try later")]
    gcp.rest.rules.append(lambda call: seen.append(call.query.get("pageToken", "")))
    gcp.rest.rules.append(
        lambda call: last.pop() if last and call.query.get("pageToken") == "after-4" else None
    )
    assert listed(opened()) == [f"web-{number}" for number in range(5)]
    assert seen == ["", "after-2", "after-4", "after-4"]


def test_a_list_whose_page_expired_is_read_once_more(gcp: Cloud, opened: Opened) -> None:
    for number in range(5):
        gcp.project(PROJECT).instance(f"web-{number}")
    gcp.page = 2
    access = opened()
    call = access.rest("compute", InstancesClient).aggregated_list
    gcp.expire(LIST)
    pages = list(access.listing(call, {"project": PROJECT}))
    names = [one.name for page in pages for part in page.items.values() for one in part.instances]
    assert set(names) == {f"web-{number}" for number in range(5)}
    gcp.expire(LIST, times=2)
    with pytest.raises(exceptions.BadRequest, match="expired"):
        list(access.listing(call, {"project": PROJECT}))


def test_what_is_wrong_with_the_question_is_no_expired_page(gcp: Cloud, opened: Opened) -> None:
    gcp.fail(LIST, error(400, "Invalid value for field 'filter'", "invalid"), times=9)
    access = opened()
    call = access.rest("compute", InstancesClient).aggregated_list
    with pytest.raises(exceptions.BadRequest):
        list(access.listing(call, {"project": PROJECT}))
    assert gcp.rest.counted()[LIST] == 1


def test_denied_is_what_has_to_be_granted(gcp: Cloud, opened: Opened) -> None:
    gcp.refuse(PROJECT)
    refused = refusal(opened)
    assert denied(refused)
    assert said(refused) == f"403: Required permission is lacking for 'projects/{PROJECT}'"
    assert not not_enabled(refused, PROJECT)


def test_an_api_is_off_in_the_project_that_the_error_names(gcp: Cloud, opened: Opened) -> None:
    project = gcp.project(PROJECT)
    gcp.disable(PROJECT)
    refused = refusal(opened)
    assert not_enabled(refused, PROJECT, project.number)
    assert not not_enabled(refused, "another-1", "12")  # it pays for the calls: its API is off
    assert not not_enabled(refused, PROJECT, None)  # by the number, which is not known


def test_a_failure_is_a_problem_and_shows_no_secret(gcp: Cloud, opened: Opened) -> None:
    gcp.fail(LIST, error(403, "bad token ya29.a0AfH6SMBx-y_z in\nAuthorization: Bearer abc"))
    problems: list[Problem] = []
    with told(problems, f"{PROJECT} compute.instances.list"):
        listed(opened())
    (problem,) = problems
    assert problem.where == f"{PROJECT} compute.instances.list"
    assert problem.fatal
    assert "ya29" not in problem.what
    assert "abc" not in problem.what
    assert "\n" not in problem.what


def test_what_libraries_hand_on_is_told_in_plain_words(gcp: Cloud, opened: Opened) -> None:
    gcp.fail(LIST, Answer(200, {"items": {}}, cut=True))
    with pytest.raises(requests.exceptions.ChunkedEncodingError) as caught:
        listed(opened(max_attempts=1))
    assert said(caught.value) == (
        "Connection broken: IncompleteRead(6 bytes read, 7 more expected)"
    )
    garbled = ValueError("Expecting value: line 1 column 1 (char 0)")
    key = DefaultCredentialsError("File key.json is not a valid json file.", garbled)
    assert said(key) == "File key.json is not a valid json file."
    refused = RefreshError("invalid_grant: Bad Request", {"error": "invalid_grant"})
    assert said(refused) == "invalid_grant: Bad Request"


def test_an_address_that_does_not_answer_is_told_without_its_query(opened: Opened) -> None:
    access = opened(max_attempts=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE", "http://127.0.0.1:9")
        with pytest.raises(requests.ConnectionError) as caught:
            listed(access)
    assert "maxResults" in str(caught.value)
    assert said(caught.value).startswith("HTTPConnection(host='127.0.0.1', port=9): Failed to")
    assert "maxResults" not in said(caught.value)
    assert said(TransportError(caught.value)) == said(caught.value)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost:8080/", "http://localhost:8080"),
        ("https://compute-x.p.googleapis.com/compute/v1/", "https://compute-x.p.googleapis.com"),
        ("", None),
    ],
)
def test_addresses(monkeypatch: pytest.MonkeyPatch, address: str, expected: str | None) -> None:
    monkeypatch.setenv("CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE", address)
    assert endpoint("compute") == expected


@pytest.mark.parametrize("address", ["http://example.com", "ftp://127.0.0.1", "127.0.0.1:80"])
def test_credentials_go_nowhere_unsafe(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE", address)
    with pytest.raises(ConfigError, match="no https address"):
        endpoint("compute")


def test_nobody_is_shown_credentials_over_plain_http(gcp: Cloud, opened: Opened) -> None:
    listed(opened())
    assert "authorization" not in gcp.rest.calls[0].headers


def test_without_credentials_it_is_said_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(**_: object) -> None:
        raise DefaultCredentialsError("Your default credentials were not found.")

    monkeypatch.setattr(ways.google.auth, "default", nobody)
    monkeypatch.delenv("GOOGLE_CLOUD_PROJECT", raising=False)
    with pytest.raises(ProviderError, match="does not let us in") as caught:
        Access(GcpSettings()).own_project  # noqa: B018
    assert "gcloud auth application-default login" in str(caught.value.hint)
