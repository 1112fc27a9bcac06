"""A door of Azure on loopback: it counts the calls, refuses what it is told to, and asks services.

A service is a function from a call to an answer, or None where the call is not its own. Those in
`rules` are asked before those in `services`; what nobody answers is not found.

    with serve(Door(services=[my_service])) as door:
        AzureSettings(endpoint=door.url)
"""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from tests.fakes.loopback import Quiet, served

_SUBSCRIPTION = re.compile(r"/subscriptions/([^/]+)")
_RESOURCES = "Microsoft.Resources"
BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"


@dataclass(frozen=True)
class Call:
    """One request as the server sees it."""

    method: str
    path: str  # decoded
    query: Mapping[str, str]
    headers: Mapping[str, str]  # names in lower case
    body: bytes = b""

    @property
    def subscription(self) -> str:
        """Its id, in lower case; "" = the call names none."""
        found = _SUBSCRIPTION.match(self.path)
        return found[1].lower() if found else ""

    @property
    def action(self) -> str:
        """What a role calls the permission for it: Microsoft.Compute/virtualMachines/read."""
        if self.path.endswith("/metrics:getBatch"):
            return "Microsoft.Insights/metrics/read"
        if "x-ms-version" in self.headers:
            return BLOBS
        _, found, last = self.path.rpartition("/providers/")
        if found:
            namespace, *parts = last.split("/")
            namespace = namespace.replace("microsoft.insights", "Microsoft.Insights")  # as some ask
            return "/".join([namespace, *parts[::2], "read"])
        kinds = [part for part in self.path.split("/")[1::2] if part]
        return "/".join([_RESOURCES, *kinds, "read"])


@dataclass(frozen=True)
class Answer:
    """What the door says."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


Service = Callable[[Call], "Answer | None"]


def said(document: Any, status: int = 200, **headers: str) -> Answer:
    """An answer in JSON."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, json.dumps(document).encode(), names)


def refusal(status: int, code: str, message: str, **headers: str) -> Answer:
    """An error as Resource Manager words it."""
    return said({"error": {"code": code, "message": message}}, status, **headers)


@dataclass
class Pages:
    """How lists are cut; each page's token is opaque, and may be made to expire."""

    size: int = 2
    expiring: int = 0  # so many of the next tokens shown have expired by then

    def page(
        self,
        call: Call,
        url: str,
        things: Sequence[Any],
        shown: Callable[[Any], Any] = lambda thing: thing,
    ) -> Answer:
        """The page of the things that the call asks for, with the link to the next one.

        Args:
            shown: what the call sees of a thing.
        """
        token = call.query.get("$skiptoken")
        if token and self.expiring:
            self.expiring -= 1
            return refusal(400, "InvalidSkipToken", "The skip token has expired.")
        start = int(token.removeprefix("page-")) if token else 0
        end = start + self.size
        document: dict[str, Any] = {"value": [shown(thing) for thing in things[start:end]]}
        if end < len(things):
            query = {**call.query, "$skiptoken": f"page-{end}"}
            document["nextLink"] = f"{url}{call.path}?{urlencode(query)}"
        return said(document)


@dataclass
class Door:
    """The switchboard."""

    services: list[Service] = field(default_factory=list)
    rules: list[Service] = field(default_factory=list)
    pages: Pages = field(default_factory=Pages)
    url: str = ""
    calls: list[Call] = field(default_factory=list)
    most_at_once: int = 0
    _open: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def counted(self) -> Counter[str]:
        """Calls by action."""
        return Counter(call.action for call in self.calls)

    def reset(self) -> None:
        """As if nothing had been asked or told."""
        self.calls.clear()
        self.rules.clear()
        self.most_at_once = 0

    def answer(self, call: Call) -> Answer:
        """Of the first that has one."""
        with self._lock:
            self.calls.append(call)
            self._open += 1
            self.most_at_once = max(self.most_at_once, self._open)
        try:
            for service in (*self.rules, *self.services):
                if (answer := service(call)) is not None:
                    return answer
            return refusal(404, "ResourceNotFound", f"The resource {call.path} was not found.")
        finally:
            with self._lock:
                self._open -= 1


# -- what may go wrong ----------------------------------------------------------------------------


def forbidding(subscription: str = "", action: str = "") -> Service:
    """HTTP 403 to everything of a subscription, or to one action, or to that of that."""
    return _to(
        subscription,
        action,
        lambda call: refusal(
            403,
            "AuthorizationFailed",
            f"The client 'c' does not have authorization to perform action '{call.action}' over "
            f"scope '/subscriptions/{call.subscription}'.",
        ),
    )


def unregistered(subscription: str, namespace: str, status: int = 404) -> Service:
    """What Azure says where a subscription never used a service."""
    code = "MissingSubscriptionRegistration"
    text = f"The subscription is not registered to use namespace '{namespace}'."
    return _to(subscription, f"{namespace}/", lambda call: refusal(status, code, text))


def throttling(times: int, action: str = "", retry_after: str = "0.01") -> Service:
    """HTTP 429 to so many of the next calls (of that action)."""
    left = [None] * times

    def answer(call: Call) -> Answer | None:
        try:
            left.pop()
        except IndexError:
            return None
        code = "OperationNotAllowed"
        return refusal(429, code, "Too many requests.", Retry_After=retry_after)

    return _to("", action, answer)


def _to(subscription: str, action: str, answer: Service) -> Service:
    def rule(call: Call) -> Answer | None:
        if subscription and call.subscription != subscription.lower():
            return None
        wanted = call.action.startswith(action) if action.endswith("/") else call.action == action
        return answer(call) if wanted or not action else None

    return rule


# -- the server -----------------------------------------------------------------------------------


@contextmanager
def serve(door: Door) -> Iterator[Door]:
    """The door, open on loopback."""

    class Handler(Quiet):
        def _serve(self) -> None:
            parts = urlsplit(self.path)
            call = Call(
                self.command,
                unquote(parts.path),
                dict(parse_qsl(parts.query, keep_blank_values=True)),
                {name.lower(): value for name, value in self.headers.items()},
                self.body(),
            )
            answer = door.answer(call)
            self.send_response(answer.status)
            headers = {"Content-Type": "application/json", **answer.headers}
            for name, value in (headers | {"Content-Length": str(len(answer.body))}).items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)

        do_GET = do_POST = do_HEAD = do_PUT = do_DELETE = _serve  # noqa: N815

    with served(Handler) as door.url:
        yield door
