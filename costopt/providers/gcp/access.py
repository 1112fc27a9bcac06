"""Ways into Google Cloud: credentials, clients with bounded retries, errors as problems.

Addresses other than Google's own (Private Service Connect, an emulator) are taken from the
variables that gcloud reads: CLOUDSDK_API_ENDPOINT_OVERRIDES_<SERVICE>. One that begins with http://
may only be of this machine, and is asked without credentials.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import google.auth
import grpc
import requests
from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import GoogleAuthError, TransportError
from google.protobuf.json_format import ParseError  # type: ignore[import-untyped]
from urllib3.exceptions import MaxRetryError

from costopt.errors import ConfigError, ProviderError
from costopt.providers.base import Problem
from costopt.providers.gcp.settings import GcpSettings
from costopt.providers.plain import plain, silenced

_SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform.read-only"
_OVERRIDE: Final = "CLOUDSDK_API_ENDPOINT_OVERRIDES_"

FAILURES: Final = (
    exceptions.GoogleAPIError,
    GoogleAuthError,
    requests.RequestException,
    ParseError,  # the answer is none of Google's: a proxy's page
)
"""Everything by which Google's libraries say that a call failed."""

_AGAIN: Final = (
    exceptions.TooManyRequests,  # ResourceExhausted is one
    exceptions.InternalServerError,
    exceptions.BadGateway,
    exceptions.ServiceUnavailable,
    exceptions.GatewayTimeout,  # DeadlineExceeded is one
    exceptions.Unknown,  # "Stream removed": gRPC's word for a connection that was reset
    exceptions.Aborted,
    exceptions.Cancelled,  # by a proxy: we cancel nothing
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,  # it broke off in the middle of an answer
    requests.exceptions.ContentDecodingError,  # also a packed one
    TransportError,  # no token could be asked for
)
_TIMED_OUT: Final = 408  # Google's libraries have no class for it
_TOO_FAST: Final = frozenset({"rateLimitExceeded", "userRateLimitExceeded"})
"""Reasons by which Compute Engine says 403 where others say 429."""
_REQUEST: Final = re.compile(r"\A[A-Z]+ https?://\S+: ")
"""So messages of REST begin; the address holds tokens of pages."""
_JOB: Final = re.compile(r"\s+Location: \S*\s+Job ID: \S*\s*\Z")
"""So those of BigQuery's jobs end; the id is ours, and another one at each try."""
_FIRST_WAIT: Final = 1.0
_LONGEST_WAIT: Final = 60.0
_DEADLINE: Final = 60.0  # seconds for one answer

T = TypeVar("T")


@dataclass
class Access:
    """The user's credentials, and clients made with them. Safe among threads."""

    settings: GcpSettings
    pause: Callable[[float], None] = time.sleep
    _channels: dict[str, grpc.Channel] = field(default_factory=dict)
    _clients: dict[Callable[..., Any], Any] = field(default_factory=dict)
    _making: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        silenced()

    @cached_property
    def _found(self) -> tuple[Any, str | None]:
        try:
            return google.auth.default(scopes=[_SCOPE])
        except GoogleAuthError as error:
            raise ProviderError(
                f"Google Cloud does not let us in: {said(error)}",
                hint="gcloud auth application-default login, or GOOGLE_APPLICATION_CREDENTIALS",
            ) from None

    @property
    def own_project(self) -> str | None:
        """The project that the credentials name."""
        return os.environ.get("GOOGLE_CLOUD_PROJECT") or self._found[1]

    def rest(self, service: str, client: Callable[..., Any], **more: Any) -> Any:
        """A client that speaks REST, one of each class for all projects.

        Args:
            service: its name in gcloud's variables, in lower case: "compute".
            client: a class of Google's; `transport="rest"` for one that speaks gRPC, too.
        """
        with self._making:
            if client not in self._clients:
                made = self._clients[client] = self._made(service, client, more)
                if service == "compute":
                    made.transport._session.auth = _in_part
            return self._clients[client]

    def _made(self, service: str, client: Callable[..., Any], more: dict[str, Any]) -> Any:
        address = endpoint(service)
        if address is None:
            return client(credentials=self._found[0], **more)
        return client(
            credentials=self.credentials(address),
            client_options={"api_endpoint": address},
            **more,
        )

    def grpc(self, service: str, client: Callable[..., Any], transport: Any) -> Any:
        """A client that speaks gRPC.

        Args:
            transport: its class of gRPC transport.
        """
        address = endpoint(service)
        if address is None:
            return client(credentials=self._found[0])
        if not address.startswith("http://"):
            host = urlsplit(address).netloc
            return client(credentials=self._found[0], client_options={"api_endpoint": host})
        channel = self._channels.setdefault(
            service, grpc.insecure_channel(urlsplit(address).netloc)
        )
        return client(transport=transport(channel=channel))

    def credentials(self, address: str | None) -> Any:
        """What to show at that address."""
        plainly = address is not None and address.startswith("http://")
        if plainly:
            return AnonymousCredentials()  # type: ignore[no-untyped-call]
        return self._found[0]

    def asked(self, call: Callable[..., T], *given: Any, **more: Any) -> T:
        """What a call answers; one that is throttled or fails on Google's side is tried again.

        The call is one request: see `pages`.

        Raises:
            one of FAILURES: it failed for good.
        """
        for attempt in range(1, self.settings.max_attempts + 1):
            try:
                return call(*given, retry=None, timeout=_DEADLINE, **more)
            except FAILURES as error:
                if attempt == self.settings.max_attempts or not _passes(error):
                    raise
                self.pause(_wait(error, attempt))
        raise AssertionError("max_attempts is at least 1")

    def pages(self, call: Callable[..., Any], request: dict[str, Any]) -> Iterator[Any]:
        """The answers of a call that comes in pages, each asked for by itself: one that fails is
        tried again alone.

        Args:
            call: a client's method whose answer is one of Google's pagers.
            request: as a mapping; its page_token is ours.
        Raises:
            one of FAILURES: as `asked`.
        """
        token = ""
        while True:
            page = next(iter(self.asked(call, request={**request, "page_token": token}).pages))
            yield page
            token = page.next_page_token
            if not token:
                return

    def listing(self, call: Callable[..., Any], request: dict[str, Any]) -> Iterator[Any]:
        """As `pages`, of things that have names: where a page has expired, once more from the
        start, so that the same may come twice.

        Raises:
            one of FAILURES: as `asked`.
        """
        read = 0
        try:
            for page in self.pages(call, request):
                read += 1
                yield page
        except exceptions.BadRequest:
            if not read:
                raise
            yield from self.pages(call, request)

    def close(self) -> None:
        """Let connections go."""
        while self._channels:
            self._channels.popitem()[1].close()
        while self._clients:
            client = self._clients.popitem()[1]
            getattr(client, "transport", client).close()


def _in_part(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """For lists of Compute Engine: a zone that does not answer is named in the answer, rather than
    fail it for all zones.

    Google recommends it in the very text of `aggregated_list`, whose requests have no field for it
    (google-cloud-compute 1.57); what signs a request may change it.
    """
    request.prepare_url(request.url or "", {"returnPartialSuccess": "true"})
    return request


def endpoint(service: str) -> str | None:
    """Where a service is asked instead of at Google's address.

    Raises:
        ConfigError: plain HTTP to another machine.
    """
    name = f"{_OVERRIDE}{service.upper()}"
    address = os.environ.get(name, "").rstrip("/")
    if not address:
        return None
    parts = urlsplit(address)
    if parts.scheme == "http" and _local(parts.hostname or ""):
        return f"http://{parts.netloc}"
    if parts.scheme != "https" or not parts.hostname:
        raise ConfigError(
            f"{name}={plain(address)}: no https address",
            hint="http:// is for emulators on this machine: http://127.0.0.1:8080",
        )
    return f"https://{parts.netloc}"  # gcloud's names a path, too, which Google's clients add


def _local(host: str) -> bool:
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def _passes(error: Exception) -> bool:
    """Whether another try may succeed."""
    return (
        isinstance(error, _AGAIN)
        or (isinstance(error, GoogleAuthError) and error.retryable)
        or getattr(error, "code", None) == _TIMED_OUT
        or bool(_TOO_FAST & _reasons(error))
    )


def _reasons(error: Exception) -> set[str]:
    """Why, in the words of Google's older APIs."""
    if not isinstance(error, exceptions.GoogleAPICallError):
        return set()
    return {str(one.get("reason")) for one in error.errors if isinstance(one, dict)}


def _wait(error: Exception, attempt: int) -> float:
    """Seconds: what the answer asks for, else ever longer ones, by chance."""
    asked = _asked_wait(error)
    if asked is not None:
        return min(asked, _LONGEST_WAIT)
    longest = min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** (attempt - 1))
    return random.uniform(0.5, 1) * longest  # noqa: S311


def _asked_wait(error: Exception) -> float | None:
    """Seconds that RetryInfo or Retry-After name."""
    for detail in getattr(error, "details", None) or ():
        delay = getattr(detail, "retry_delay", None)
        if delay is not None:
            seconds: float = delay.seconds + delay.nanos / 1e9
            return seconds
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    told = str(headers.get("Retry-After", ""))
    return int(told) if told.isdigit() else None


@contextlib.contextmanager
def told(problems: list[Problem], where: str, *, fatal: bool = True) -> Iterator[None]:
    """What Google refuses inside the block becomes a problem, and the rest goes on.

    Args:
        where: project and call: "my-project compute.instances.aggregatedList".
    """
    try:
        yield
    except FAILURES as error:
        problems.append(Problem(where, said(error), fatal=fatal))


def said(error: Exception) -> str:
    """What Google said, in one line and without secrets."""
    if isinstance(error, exceptions.GoogleAPICallError):
        code = error.grpc_status_code.name if error.grpc_status_code else error.code
        message = _JOB.sub("", _REQUEST.sub("", error.message or ""))
        return f"{code}: {plain(message)}"[:300]
    return (plain(_innermost(error)) or type(error).__name__)[:300]


def _innermost(error: Exception) -> str:
    """What the first error said: libraries hand it on among others' arguments, next to the whole
    answer, or to the address with its tokens."""
    first = error.reason if isinstance(error, MaxRetryError) else next(iter(error.args), None)
    if isinstance(first, Exception):
        return _innermost(first)
    return first if isinstance(first, str) else str(error)


def denied(error: Exception) -> bool:
    """Whether it is a permission that lacks (or an API not enabled), not something that passes."""
    refused = isinstance(error, (exceptions.Forbidden, exceptions.Unauthorized))
    return refused and not _passes(error)


def not_enabled(error: Exception, *consumers: str | None) -> bool:
    """Whether the API is off in that project, so that nothing of it can be there.

    The error may concern another project: that which pays for the calls (its quota project).

    Args:
        consumers: the project's id and number.
    """
    if not isinstance(error, exceptions.Forbidden) or error.reason != "SERVICE_DISABLED":
        return False
    concerned = (error.metadata or {}).get("consumer", "")
    return concerned.removeprefix("projects/") in {one for one in consumers if one}
