"""A door of Google Cloud's REST APIs on loopback: counts the calls, refuses what it is told to.

A service adds its methods with `route`: the name of the method, a path with {parts}, and a function
from the call to a document (JSON) or an Answer. `rules` are asked before any of them.

    rest = Rest()
    rest.route("cloudbilling.skus.list", "GET", "/v1/services/{service}/skus", my_function)
    with serve(rest), environment(rest.url):
        ...
"""

from __future__ import annotations

import json
import os
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

SERVICES: Final = (
    "compute",
    "cloudresourcemanager",
    "cloudbilling",
    "bigquery",
    "recommender",
    "storage",
)
"""All that speak REST, as gcloud's variables name them."""


@dataclass(frozen=True)
class Call:
    """One request as the server sees it."""

    name: str  # compute.instances.aggregatedList; "" = no route has it
    method: str
    path: str  # decoded
    parts: Mapping[str, str]  # of the path: project, zone, ...
    query: Mapping[str, str]
    headers: Mapping[str, str]  # names in lower case
    body: bytes = b""

    @property
    def project(self) -> str:
        """Whose call it is; "" = the path names none."""
        return self.parts.get("project", "")


class Answer(NamedTuple):
    """What the door says: JSON, or bytes as they are."""

    status: int
    body: Any
    headers: Mapping[str, str] = {}
    cut: bool = False  # the connection ends in the middle of the body


Handler = Callable[[Call], Any]
Rule = Callable[[Call], "Answer | None"]


class _Route(NamedTuple):
    name: str
    method: str
    path: re.Pattern[str]
    handler: Handler


@dataclass
class Rest:
    """The door's switchboard. `rules` are asked in order; the first answer stands."""

    url: str = ""
    calls: list[Call] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    most_at_once: int = 0
    _routes: list[_Route] = field(default_factory=list)
    _open: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def route(self, name: str, method: str, path: str, handler: Handler) -> None:
        """Have a method answered.

        Args:
            name: service.collection.method, by which calls are counted and refused.
            path: with {parts}; one ends at a slash, {parts+} does not.
        """
        pattern = re.sub(
            r"\\\{(\w+)(\\\+)?\\\}",
            lambda part: f"(?P<{part[1]}>{'.+' if part[2] else '[^/]+'})",
            re.escape(path),
        )
        self._routes.append(_Route(name, method, re.compile(pattern), handler))

    def counted(self) -> Counter[str]:
        """Calls by name."""
        return Counter(call.name for call in self.calls)

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """What is said to one request."""
        call, handler = self._call(method, target, headers, body)
        with self._lock:
            self.calls.append(call)
            self._open += 1
            self.most_at_once = max(self.most_at_once, self._open)
        try:
            ruled = next((said for rule in self.rules if (said := rule(call)) is not None), None)
            said = handler(call) if ruled is None else ruled
        finally:
            with self._lock:
                self._open -= 1
        return said if isinstance(said, Answer) else Answer(200, said)

    def _call(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[Call, Handler]:
        address = urlsplit(target)
        path = unquote(address.path)
        query = dict(parse_qsl(address.query))
        for route in self._routes:
            found = route.path.fullmatch(path)
            if found and route.method == method:
                parts = found.groupdict()
                return Call(route.name, method, path, parts, query, headers, body), route.handler
        return Call("", method, path, {}, query, headers, body), _not_found


def _not_found(call: Call) -> Answer:
    return error(404, f"no method {call.method} {call.path}", "notFound")


def error(
    status: int,
    message: str,
    reason: str = "",
    *,
    info: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """An error as Google's REST APIs write it.

    Args:
        reason: of the older kind (rateLimitExceeded).
        info: google.rpc.ErrorInfo (reason, domain, metadata).
    """
    said: dict[str, Any] = {
        "code": status,
        "message": message,
        "errors": [{"message": message, "domain": "global", "reason": reason}],
    }
    if info:
        kind = "type.googleapis.com/google.rpc.ErrorInfo"
        said["details"] = [{"@type": kind, "domain": "googleapis.com", **info}]
    return Answer(status, {"error": said}, headers or {})


def page(
    things: Sequence[Any], call: Call, *, most: int, size: str = "pageSize"
) -> tuple[Sequence[Any], dict[str, str]] | Answer:
    """The part of all things that a call asks for, and the token of the next one, if any.

    Args:
        most: things on a page, whatever was asked for.
        size: the parameter that asks for fewer; a larger one is taken for the most.
    """
    token = call.query.get("pageToken", "")
    found = re.fullmatch(r"after-(\d+)", token)
    if token and not found:
        return error(400, "Invalid value for field 'pageToken'", "invalid")
    start = int(found[1]) if found else 0
    end = start + min(most, int(call.query.get(size) or most))
    return things[start:end], {"nextPageToken": f"after-{end}"} if end < len(things) else {}


@contextmanager
def serve(rest: Rest) -> Iterator[Rest]:
    """The door, open on loopback; `rest.url` is its address."""

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, *_: object) -> None:
            pass

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            said = rest.answer(self.command, self.path, headers, body)
            raw = said.body if isinstance(said.body, bytes) else json.dumps(said.body).encode()
            self.send_response(said.status)
            for name, value in {"Content-Type": "application/json", **said.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw[: len(raw) // 2] if said.cut else raw)
            self.close_connection |= said.cut

        do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Door)
    rest.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield rest
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def environment(url: str) -> Iterator[pytest.MonkeyPatch]:
    """Every client of the REST services made meanwhile talks to that address, with nothing of this
    machine's own configuration of Google Cloud."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT"):
            patch.delenv(name, raising=False)
        patch.setenv("CLOUDSDK_CONFIG", os.devnull)
        patch.setenv("NO_GCE_CHECK", "true")
        for service in SERVICES:
            patch.setenv(f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{service.upper()}", url)
        yield patch
