"""The two ways to ask for metrics: many machines at once, or one; and what a refusal means."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from json import JSONDecodeError
from typing import Any, Final, NamedTuple

from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceResponseError,
    map_error,
)
from azure.core.rest import HttpRequest
from azure.mgmt.core import ARMPipelineClient
from azure.mgmt.core.exceptions import ARMErrorFormat
from azure.monitor.querymetrics import MetricsClient

from costopt.providers.azure.access import Access, said
from costopt.providers.azure.metrics.pace import REMAINING
from costopt.providers.azure.metrics.plan import Call, Part
from costopt.providers.azure.metrics.retention import GRAIN, PERIOD

_MOST_DEVICES: Final = 100
"""Cards of a machine; without a number there would be ten."""
_THROTTLED: Final = frozenset({429, 529})
_PASSING: Final = _THROTTLED | {408, 502}
"""What the SDK does not try again of a POST, or at all: the batch endpoint's throttling is 529."""
_REFUSED: Final = frozenset({401, 403, 404, 405})

_VERSION: Final = "2024-02-01"  # as MonitorManagementClient 7.0
_ERRORS: Final = {401: ClientAuthenticationError}
_VALID: Final = re.compile(r"Valid metrics: ([^\"\r\n]*)")


class Told(NamedTuple):
    """An answer."""

    body: bytes
    remaining: str | None  # reads that Resource Manager leaves, where it says so


def ask(access: Access, call: Call, parts: Sequence[Part], names: Sequence[str]) -> Told:
    """Make one request.

    Args:
        parts: of the call, those that it is about.
        names: of the call, those that Azure has.
    Raises:
        AzureError: what `access.FAILURES` holds.
    """
    raws = [raw for raw in call.raws if raw.name in names]
    aggregations = sorted({raw.aggregation for raw in raws})
    if call.batch:
        return _many(access, call, parts, names, aggregations)
    return _one(access, call, parts[0], names, aggregations)


def _many(
    access: Access,
    call: Call,
    parts: Sequence[Part],
    names: Sequence[str],
    aggregations: Sequence[str],
) -> Told:
    """The SDK hands over the body unread; it is given nothing to make objects of."""
    bodies: list[bytes] = []

    def keep(_: Any, chunks: Iterator[bytes], __: Any) -> dict[str, list[object]]:
        bodies.append(b"".join(chunks))
        return {"values": []}

    access.metrics(MetricsClient, call.group.place.region).query_resources(
        resource_ids=[part.target.resource_id for part in parts],
        metric_namespace=call.group.namespace,
        metric_names=list(names),
        timespan=(_moment(call.start), _moment(call.end)),
        granularity=timedelta(seconds=PERIOD),
        aggregations=aggregations,
        stream=True,
        cls=keep,
    )
    return Told(bodies[0], None)


def _one(
    access: Access, call: Call, part: Part, names: Sequence[str], aggregations: Sequence[str]
) -> Told:
    group = call.group
    by_device = {"$filter": f"{group.dimension} eq '*'", "top": str(_MOST_DEVICES)}
    client = access.management(MetricsOfOne, group.place.subscription)
    told: Told = client.list(
        part.target.resource_id,
        timespan=f"{_text(call.start)}/{_text(call.end)}",
        interval=GRAIN,
        metricnames=",".join(names),
        metricnamespace=group.namespace,
        aggregation=",".join(aggregations),
        **(by_device if group.dimension else {}),
    )
    return told


class MetricsOfOne:
    """`metrics.list` of MonitorManagementClient, which makes objects of all points before it hands
    over anything: ten times the time of all else together. This one hands over the body."""

    def __init__(
        self, credential: object, subscription: str, *, base_url: str, **ways: Any
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._client: Any = ARMPipelineClient(base_url=base_url, **ways)

    def list(self, resource_id: str, **query: str) -> Told:
        """Metrics - List, one resource.

        Raises:
            AzureError: as any client does.
        """
        url = f"{self._base_url}{resource_id}/providers/Microsoft.Insights/metrics"
        request = HttpRequest("GET", url, params={**query, "api-version": _VERSION})
        response = self._client.send_request(request, stream=True)
        body = response.read()
        if response.status_code != 200:
            map_error(response.status_code, response, _ERRORS)
            raise HttpResponseError(response=response, error_format=ARMErrorFormat)
        return Told(body, response.headers.get(REMAINING))


def is_refusal(error: Exception) -> bool:
    """Whether it says that the batch endpoint is not for us: absent, not granted, or somebody else
    refuses in words that are not Azure's."""
    if isinstance(error, (ClientAuthenticationError, ServiceRequestError, JSONDecodeError)):
        return True
    return isinstance(error, HttpResponseError) and error.status_code in _REFUSED


def is_general(error: Exception) -> bool:
    """Whether the next request to the same place would fail for the same reason: no credentials, no
    network, and throttling that outlasted all patience."""
    if isinstance(error, (ClientAuthenticationError, ServiceRequestError)):
        return True
    return isinstance(error, HttpResponseError) and error.status_code in _THROTTLED


def is_passing(error: Exception) -> bool:
    """Whether it is worth another try after what the SDK tried. Where Azure said how long to wait,
    the SDK waited."""
    if isinstance(error, (ServiceResponseError, IncompleteReadError)):
        return True
    if not isinstance(error, HttpResponseError) or error.status_code not in _PASSING:
        return False
    response: Any = error.response
    return response is None or "Retry-After" not in response.headers


def is_counted(error: Exception) -> bool:
    """Whether the request may be billed though no whole answer came: it was taken, and broke off.
    One that is refused, or throttled, is none of "API calls" that did anything."""
    if isinstance(error, (ServiceResponseError, IncompleteReadError)):
        return True
    if not isinstance(error, HttpResponseError) or error.status_code in _THROTTLED:
        return False
    return error.status_code == 408 or (error.status_code or 0) >= 500


def is_gone(error: Exception) -> bool:
    """Whether there is no such machine."""
    return isinstance(error, HttpResponseError) and error.status_code == 404


def unknown(error: Exception, names: Sequence[str]) -> set[str]:
    """Those of the names that Azure does not have there, where that is what the error says."""
    valid = _VALID.search(str(error))
    return set(names) - set(valid[1].split(",")) if valid else set()


def reason(error: Exception) -> tuple[str, str]:
    """Code and text of an error, without secrets."""
    text = said(error)
    return text.partition(":")[0], text


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _text(seconds: int) -> str:
    return f"{_moment(seconds):%Y-%m-%dT%H:%M:%SZ}"
