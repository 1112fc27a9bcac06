"""A door in front of moto: counts the calls on the server's side, and refuses what it is told to.

moto never refuses, throttles or times out; this does, and passes everything else on unchanged.
"""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit
from xml.sax.saxutils import escape

import httpx

from tests.fakes.loopback import Quiet, served

_SCOPE = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/aws4_request")
_HOP_BY_HOP = frozenset({"host", "connection", "content-length", "transfer-encoding", "expect"})


@dataclass(frozen=True)
class Call:
    """One request as the server sees it."""

    service: str  # as it is signed for: ec2, elasticloadbalancing, rds, sts, organizations
    region: str
    action: str
    fields: dict[str, str]  # of a query-protocol body; {} otherwise
    key_id: str
    method: str = "POST"
    path: str = "/"
    body: bytes = b""

    @property
    def name(self) -> str:
        """ "ec2:DescribeInstances"."""
        return f"{self.service}:{self.action}"


@dataclass(frozen=True)
class Answer:
    """What the door says itself."""

    status: int
    body: bytes
    content_type: str = "text/xml"


Rule = Callable[[Call], "Answer | None"]


@dataclass
class Front:
    """The door's switchboard. `rules` are asked in order; the first answer stands."""

    url: str = ""
    calls: list[Call] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    most_at_once: int = 0
    _open: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def counted(self) -> Counter[str]:
        """Calls by name."""
        return Counter(call.name for call in self.calls)

    def reset(self) -> None:
        """As if nothing had been asked or told."""
        self.calls.clear()
        self.rules.clear()
        self.most_at_once = 0

    def enter(self, call: Call) -> Answer | None:
        with self._lock:
            self.calls.append(call)
            self._open += 1
            self.most_at_once = max(self.most_at_once, self._open)
        return next((said for rule in self.rules if (said := rule(call)) is not None), None)

    def leave(self) -> None:
        with self._lock:
            self._open -= 1


def refused(call: Call, code: str, message: str, status: int = 403) -> Answer:
    """An error in the protocol of the call's service."""
    error = f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
    if call.service == "ec2":
        text = f"<Response><Errors>{error}</Errors><RequestID>r</RequestID></Response>"
    elif call.fields:
        text = f"<ErrorResponse>{error}<RequestId>r</RequestId></ErrorResponse>"
    else:
        body = json.dumps({"__type": code, "message": message}).encode()
        return Answer(status, body, "application/x-amz-json-1.1")
    return Answer(status, text.encode())


@contextmanager
def opened(behind: str = "") -> Iterator[Front]:
    """The door, open on loopback.

    Args:
        behind: the URL that what no rule answers goes on to.
    """
    front = Front()
    # one pool for all: moto forgets nothing between requests, but connections are slow to make
    with httpx.Client(base_url=behind or "http://127.0.0.1", timeout=60) as onward:

        class Door(Quiet):
            def _serve(self) -> None:
                body = self.body()
                call = _call(self.command, self.path, dict(self.headers.items()), body)
                said = front.enter(call)
                try:
                    if said is None:
                        said = self._passed_on(body)
                finally:
                    front.leave()
                self.reply(said.status, said.body, said.content_type)

            def _passed_on(self, body: bytes) -> Answer:
                headers = {k: v for k, v in self.headers.items() if k.lower() not in _HOP_BY_HOP}
                got = onward.request(self.command, self.path, content=body, headers=headers)
                return Answer(got.status_code, got.content, got.headers.get("Content-Type", ""))

            do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = _serve  # noqa: N815

        with served(Door) as front.url:
            yield front


def _call(method: str, path: str, headers: dict[str, str], body: bytes) -> Call:
    lower = {name.lower(): value for name, value in headers.items()}
    found = _SCOPE.search(lower.get("authorization", ""))
    key_id, region, service = found.groups() if found else ("", "", "")
    fields = {}
    if "x-www-form-urlencoded" in lower.get("content-type", ""):
        fields = dict(parse_qsl(body.decode()))
    target = lower.get("x-amz-target", "").rpartition(".")[2]
    action = fields.get("Action") or target or f"{method} {urlsplit(path).path}"
    return Call(service, region, action, fields, key_id, method, path, body)
