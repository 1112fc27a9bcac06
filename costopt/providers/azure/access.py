"""Ways into Azure: credentials, clients with bounded retries, errors as problems.

With `endpoint` every call goes to that one address: management, the metrics of every region, and
the list prices. One on this machine is an emulator and is shown no credentials of the user's.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from json import JSONDecodeError
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

from azure.core import AzureClouds
from azure.core.credentials import AccessToken, AccessTokenInfo
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    DecodeError,
    DeserializationError,
    HttpResponseError,
    IncompleteReadError,
)
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import (
    ContentDecodePolicy,
    HeadersPolicy,
    RedirectPolicy,
    RequestIdPolicy,
    RetryPolicy,
    SansIOHTTPPolicy,
    SensitiveHeaderCleanupPolicy,
    UserAgentPolicy,
)
from azure.identity import AzureAuthorityHosts, DefaultAzureCredential
from azure.mgmt.core.policies import ARMChallengeAuthenticationPolicy
from azure.mgmt.core.tools import get_arm_endpoints

from costopt.providers.azure.settings import AzureSettings, CloudName
from costopt.providers.base import Problem
from costopt.providers.plain import plain, silenced

FAILURES: Final = (AzureError, DeserializationError, JSONDecodeError)
"""Everything by which Azure's libraries say that a call failed."""

_CLOUDS: Final[dict[CloudName, AzureClouds]] = {
    "public": AzureClouds.AZURE_PUBLIC_CLOUD,
    "china": AzureClouds.AZURE_CHINA_CLOUD,
    "usgov": AzureClouds.AZURE_US_GOVERNMENT,
}
_AUTHORITIES: Final[dict[CloudName, str]] = {
    "public": AzureAuthorityHosts.AZURE_PUBLIC_CLOUD,
    "china": AzureAuthorityHosts.AZURE_CHINA,
    "usgov": AzureAuthorityHosts.AZURE_GOVERNMENT,
}
_METRICS: Final[dict[CloudName, str]] = {
    "public": "metrics.monitor.azure.com",
    "china": "metrics.monitor.azure.cn",
    "usgov": "metrics.monitor.azure.us",
}
_AGENT: Final = "costopt"
_LONGEST_WAIT: Final = 60
_LONGEST_PATIENCE: Final = 300
"""Seconds that Azure may ask to be left alone for. Limits are refilled by the minute; where it asks
for more, the hour's share is used up, and that is told rather than waited for."""
_DEADLINE: Final = 60  # seconds for one answer
_LISTINGS: Final = 3
"""Tries of a listing whose next page expires under way."""
_REPEATS: Final = 100  # things that come again, beyond those that there are: the pages go round
_UNREADABLE: Final = "Unreadable: what came is no answer of Azure's (a proxy in between?)"
_INSIDE: Final = ("properties", "sku", "tags")
_BLOBS: Final = b"<EnumerationResults"
"""What a list of blobs begins with, after the prolog."""

_TRIED: Final = re.compile(r"^\t(\w+Credential): (.+)$", re.MULTILINE)
_SIGN_INS: Final = {
    "EnvironmentCredential": "environment",
    "WorkloadIdentityCredential": "workload identity",
    "ManagedIdentityCredential": "managed identity",
    "AzureCliCredential": "az",
}
"""Of the ways in that DefaultAzureCredential tries, those that are used unattended or told to be in
the documentation; each says "unavailable" where it was not set up at all."""

_Thing = TypeVar("_Thing")


class Unreadable(AzureError):
    """An answer that says that all is well and is none."""


class _NoCredential:
    """What an emulator is shown."""

    def get_token(self, *scopes: str, **more: Any) -> AccessToken:
        return AccessToken("emulator", int(time.time()) + 3600)

    def get_token_info(self, *scopes: str, options: Any = None) -> AccessTokenInfo:
        return AccessTokenInfo("emulator", int(time.time()) + 3600)


class _Plainly(SansIOHTTPPolicy[Any, Any]):
    """Lets an emulator be asked by plain HTTP."""

    def on_request(self, request: Any) -> None:
        request.context.options["enforce_https"] = False


class _Readable(SansIOHTTPPolicy[Any, Any]):
    """Takes no answer that the clients would break on: what is not streamed is a thing, or a list
    of things whose link leads on."""

    def on_response(self, request: Any, response: Any) -> None:
        told = ContentDecodePolicy.CONTEXT_NAME
        if response.http_response.status_code != 200 or told not in response.context:
            return
        document = response.context[told]
        things = document.get("value") if isinstance(document, Mapping) else None
        if not isinstance(things, list):
            if isinstance(document, Mapping) and "value" not in document and "id" in document:
                return
            raise Unreadable(_UNREADABLE)
        if not all(map(_is_thing, things)):
            raise Unreadable(_UNREADABLE)
        link = document.get("nextLink")
        if link and _page(str(link)) == _page(request.http_request.url):
            raise Unreadable("Unreadable: the link to the next page leads back to the same")


def _is_thing(one: Any) -> bool:
    return isinstance(one, Mapping) and all(
        isinstance(one.get(name) or {}, Mapping) for name in _INSIDE
    )


def _page(address: str) -> tuple[str, list[tuple[str, str]]]:
    """Which page it is, however the address is spelt."""
    parts = urlsplit(address)
    return unquote(parts.path).lower(), sorted(parse_qsl(parts.query))


class _Patiently(RetryPolicy[Any, Any]):
    """Azure's own retries, but for what asks for more patience than there is."""

    def is_retry(self, settings: dict[str, Any], response: PipelineResponse[Any, Any]) -> bool:
        wait = self.get_retry_after(response)
        return (wait or 0) <= _LONGEST_PATIENCE and super().is_retry(settings, response)


class _PatientlyWithBlobs(_Patiently):
    """The same for blobs, in place of the storage client's own retries: those take 429 for an
    answer, and wait for as long as they like whatever Retry-After says. What the client hands to
    its retries alone is kept from the transport: an account has a second address, which is not
    asked."""

    def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        options = request.context.options
        mode = options.pop("location_mode", None)
        for name in ("hosts", "retry_to_secondary", "retry_hook"):
            options.pop(name, None)
        response = super().send(request)
        http = response.http_response
        if http.status_code == 200 and _lists(request) and _BLOBS not in http.content[:200]:
            raise Unreadable(_UNREADABLE)
        http.location_mode = mode  # of whom the next page is asked
        return response


def _lists(request: PipelineRequest[Any]) -> bool:
    """Whether it asks for a list of blobs."""
    return ("comp", "list") in parse_qsl(urlsplit(request.http_request.url).query)


@dataclass
class Access:
    """The user's credentials, and clients made with them. Safe among threads."""

    settings: AzureSettings
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        silenced()

    @property
    def is_emulated(self) -> bool:
        """Whether every call stays on this machine."""
        return (self.settings.endpoint or "").startswith("http://")

    @cached_property
    def credential(self) -> Any:
        """What is shown to Azure."""
        if self.is_emulated:
            return _NoCredential()
        return DefaultAzureCredential(authority=_AUTHORITIES[self.settings.cloud])

    def management(self, client: Callable[..., Any], subscription: str = "") -> Any:
        """A client of Azure Resource Manager; one for each class and subscription.

        Args:
            subscription: its id; "" = of a class that has none.
        """
        key = (getattr(client, "__name__", ""), subscription)
        if key not in self._clients:
            given = [subscription] if subscription else []
            where = self._where()
            ways = {"policies": self._policies(where["credential_scopes"]), **self._ways()}
            self._clients[key] = client(self.credential, *given, **where, **ways)
        return self._clients[key]

    def metrics(self, client: Callable[..., Any], region: str) -> Any:
        """A client of the metrics of one region."""
        key = (getattr(client, "__name__", ""), region)
        if key not in self._clients:
            suffix = _METRICS[self.settings.cloud]
            address = self.settings.endpoint or f"https://{region}.{suffix}"
            audience = f"https://{suffix}"
            ways = {"retry_policy": self._retries(), **self._ways()}
            self._clients[key] = client(address, self.credential, audience=audience, **ways)
        return self._clients[key]

    def container(self, client: Callable[..., Any], account_url: str, container: str) -> Any:
        """A client of one container of blobs; an emulator's is asked without a name."""
        credential = None if urlsplit(account_url).scheme == "http" else self.credential
        retries = _PatientlyWithBlobs(**self._tries())
        ways = {"retry_policy": retries, **self._ways()}
        return client(account_url, container, credential=credential, **ways)

    def blobs(self, address: str) -> tuple[Any, str]:
        """A client of the container that the address of an export names, and the prefix below it.

        Args:
            address: https://ACCOUNT.blob.core.windows.net/CONTAINER/prefix; of an emulator
                http://127.0.0.1:PORT/ACCOUNT/CONTAINER/prefix. What is escaped in it (%20) is read.
        """
        from azure.storage.blob import ContainerClient

        parts = urlsplit(address)
        account = 1 if parts.scheme == "http" else 0  # an emulator has it in the path
        names = unquote(parts.path).strip("/").split("/")
        url = "/".join([f"{parts.scheme}://{parts.netloc}", *names[:account]])
        prefix = "/".join(names[account + 1 :])
        return self.container(ContainerClient, url, names[account]), prefix and f"{prefix}/"

    def _where(self) -> dict[str, Any]:
        told = get_arm_endpoints(_CLOUDS[self.settings.cloud])
        return {
            "base_url": self.settings.endpoint or told["resource_manager"],
            "credential_scopes": told["credential_scopes"],
        }

    def _policies(self, scopes: list[str]) -> list[Any]:
        """Those of the management clients, but for the one that *registers* a service in a
        subscription that never used it: costopt changes nothing."""
        return [
            RequestIdPolicy(),
            HeadersPolicy(),
            UserAgentPolicy(_AGENT),
            _Readable(),
            ContentDecodePolicy(),
            RedirectPolicy(),
            self._retries(),
            ARMChallengeAuthenticationPolicy(self.credential, *scopes),
            SensitiveHeaderCleanupPolicy(),
        ]

    def _retries(self) -> _Patiently:
        """Of 408, 429 and 5xx, as long as Retry-After asks."""
        return _Patiently(**self._tries())

    def _tries(self) -> dict[str, int]:
        tries = self.settings.max_attempts - 1
        return {
            "retry_total": tries,
            "retry_status": tries,
            "retry_connect": min(3, tries),
            "retry_backoff_max": _LONGEST_WAIT,
        }

    def _ways(self) -> dict[str, Any]:
        ways: dict[str, Any] = {
            "connection_timeout": 10,
            "read_timeout": _DEADLINE,
            "user_agent": _AGENT,
        }
        if self.is_emulated:
            ways["per_call_policies"] = [_Plainly()]
        return ways


def arm_id(thing: Any) -> str:
    """Of a thing in JSON.

    Raises:
        Unreadable: it has none.
    """
    found = thing.get("id")
    if not isinstance(found, str) or not found:
        raise Unreadable("Unreadable: a list names a thing without an id")
    return found


def listed(
    listing: Callable[[], Iterable[_Thing]], name: Callable[[_Thing], str] = arm_id
) -> Iterator[_Thing]:
    """What is listed, all pages of it; each thing once.

    A page's token expires after some minutes (HTTP 400): then the list is asked for anew.

    Args:
        listing: asks for it.
        name: which thing is which, in whatever case.
    Raises:
        one of FAILURES.
    """
    seen: set[str] = set()
    for attempt in range(_LISTINGS):
        repeats = 0
        try:
            for thing in listing():
                if (key := name(thing).lower()) not in seen:
                    seen.add(key)
                    yield thing
                elif (repeats := repeats + 1) > len(seen) + _REPEATS:
                    raise Unreadable("Unreadable: the pages of the list repeat without an end")
        except HttpResponseError as error:
            expired = seen and error.status_code in (400, 410)
            if not expired or attempt == _LISTINGS - 1:
                raise
        else:
            return


@contextlib.contextmanager
def told(problems: list[Problem], where: str, *, fatal: bool = True) -> Iterator[None]:
    """What Azure refuses inside the block becomes a problem, and the rest goes on.

    Args:
        where: subscription and call: "0000-... Microsoft.Compute/virtualMachines/read".
    """
    try:
        yield
    except FAILURES as error:
        problems.append(Problem(where, said(error), fatal=fatal))


def said(error: Exception) -> str:
    """What Azure said, in one line and without secrets."""
    garbled = isinstance(error, (DecodeError, DeserializationError, JSONDecodeError))
    if garbled and not isinstance(error, IncompleteReadError):
        return _UNREADABLE
    if isinstance(error, ClientAuthenticationError) and error.response is None:
        return plain(_unsigned(error.message))[:300]
    if isinstance(error, HttpResponseError) and error.error is not None:
        return f"{error.error.code}: {plain(error.error.message or '')}"[:300]
    if isinstance(error, HttpResponseError) and error.response is not None:
        status = f"HTTP {error.status_code}"
        response: Any = error.response
        code = plain(response.headers.get("x-ms-error-code") or "")  # of storage
        return f"{code or status}: {plain(error.reason or '')}{f' ({status})' * bool(code)}"[:300]
    return (plain(str(error)) or type(error).__name__)[:300]


def _unsigned(message: str) -> str:
    """Why nobody signed in: what those ways in say that were set up; each says it at length."""
    met = [
        f"{_SIGN_INS[name]}: {text}"
        for name, text in _TRIED.findall(message)
        if name in _SIGN_INS and "unavailable" not in text
    ]
    return "; ".join(met) or message


def denied(error: Exception) -> bool:
    """Whether it is a permission that lacks, rather than something that may pass."""
    if isinstance(error, ClientAuthenticationError):
        return True
    return isinstance(error, HttpResponseError) and error.status_code in (401, 403)
