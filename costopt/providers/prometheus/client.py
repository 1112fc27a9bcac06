"""Prometheus's HTTP API: bounded, patient, and silent about secrets.

Queries go by POST, so that no proxy's log shows them and none is too long. A server that is busy is
asked again after a while; a query that is too much for it is told apart, so that less can be asked.
"""

from __future__ import annotations

import json
import random
import ssl
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx

from costopt.errors import ProviderError
from costopt.providers.plain import plain
from costopt.providers.prometheus import access, handshake
from costopt.providers.prometheus.settings import PrometheusSettings
from costopt.providers.prometheus.wire import (
    LARGEST,
    Answer,
    DamagedError,
    LargeError,
    LateError,
    Parameters,
    Wire,
)

_BUSY: Final = frozenset({429, 502, 503, 504})
_LONGEST_WAIT: Final = 30.0  # seconds, of our own choice
_LONGEST_ASKED: Final = 300.0  # seconds that a server may ask us to stay away
_SAID: Final = 300  # characters of a server's text that are shown
_LOOKED: Final = 20 * _SAID  # that are searched for secrets which are not ours
_PREFIX: Final = (
    "give the whole address: Mimir has its API under /prometheus, VictoriaMetrics clusters under "
    "/select/0/prometheus, and a proxy may add a path of its own"
)
_CLOSED: Final[Mapping[int, tuple[str, str]]] = {
    401: (
        "it does not know us (HTTP 401)",
        "check --token-file or --username; a token may have run out",
    ),
    403: ("it does not let us in (HTTP 403)", "this token or user may not query"),
    404: ("there is no such page (HTTP 404)", _PREFIX),
}
# As Prometheus, Thanos, Mimir and VictoriaMetrics put it.
_TOO_MUCH: Final = (
    *("too many", "too much", "too large", "exceed", "timed out", "timeout", "limit"),
    *("cannot select more than", "not enough memory"),
)
_OF_THE_QUERY: Final = ("PromQL warning", "PromQL info")


class TooMuchError(ProviderError):
    """The server gives up on that much at once; a part of it may work."""


class PartialError(ProviderError):
    """The answer says itself that it is not whole."""


class Client:
    """One server. Usable from several threads."""

    def __init__(
        self, settings: PrometheusSettings, pause: Callable[[float], None] = time.sleep
    ) -> None:
        """Reads secrets and certificates; nothing is sent yet.

        Args:
            pause: waits that many seconds between tries.
        Raises:
            ConfigError: a secret or certificate that cannot be used.
        """
        given = access.credentials(settings)
        self._secrets = given.secrets
        self._settings = settings
        self._pause = pause
        self._url = httpx.URL(settings.url)
        self._tls = access.tls(settings) if self._url.scheme == "https" else None
        self._wire = Wire(
            f"{settings.url}/api/v1/",
            given,
            tls=self._tls,
            seconds=settings.timeout,
            connections=settings.max_concurrency,
        )
        self.server_time: datetime | None = None
        """What the server's clock showed in its last answer."""
        self.warnings: list[str] = []
        """What answers that were taken say of themselves, for people."""

    @property
    def unprotected(self) -> bool:
        """Whether secrets travel in plain text to another machine."""
        local = self._url.host in ("localhost", "127.0.0.1", "::1")
        return bool(self._secrets) and self._url.scheme == "http" and not local

    def ask(self, path: str, given: Parameters, *, method: str = "POST") -> Any:
        """The `data` of an answer.

        Args:
            path: below /api/v1/.
        Raises:
            TooMuchError: the server can do less at once.
            PartialError: it answers, but not wholly.
            ProviderError: it does not answer, or not like a Prometheus.
        """
        for attempt in range(1, self._settings.max_attempts + 1):
            last = attempt == self._settings.max_attempts
            try:
                answer = self._wire.send(method, path, given)
            except (httpx.RequestError, ssl.SSLError, LateError) as error:
                if why := self._untrusted(error):
                    raise handshake.told(why, self._settings, self._where(path)) from None
                if last:
                    raise self._unreachable(path, error) from None
                self._pause(_wait(attempt, None))
                continue
            except (LargeError, DamagedError) as error:
                raise self._spoilt(path, error) from None
            self._note_time(answer)
            if answer.status not in _BUSY or last or _gave_up(answer):
                return self._data(path, answer)
            self._pause(self._asked_to_wait(path, attempt, answer))
        raise AssertionError("every last try returns or raises")

    def _asked_to_wait(self, path: str, attempt: int, answer: Answer) -> float:
        """Seconds before a busy server is asked again."""
        asked = _retry_after(answer, self.server_time)
        if asked is not None and asked > _LONGEST_ASKED:
            raise ProviderError(
                f"it is busy, and asks us to come back in {asked:.0f} s (HTTP {answer.status})",
                where=self._where(path),
                hint=_hint(answer.status),
            )
        return _wait(attempt, asked)

    def _note_time(self, answer: Answer) -> None:
        self.server_time = _moment(answer.headers.get("Date", "")) or self.server_time

    def _data(self, path: str, answer: Answer) -> Any:
        status = answer.status
        said = _parsed(answer.body)
        if said is None or status in _CLOSED or _redirects(answer):
            raise self._refused(path, answer)
        if said.get("status") != "success":
            why = self.shown(str(said.get("error", f"HTTP {status}")))
            kind = TooMuchError if _gave_up(answer) else ProviderError
            raise kind(f"Prometheus says: {why}", where=self._where(path), hint=_hint(status))
        self._warned(path, said)
        return said.get("data")

    def _warned(self, path: str, said: Mapping[str, Any]) -> None:
        """Take in what an answer says of itself.

        Thanos and Mimir tell of stores that are away in `warnings`, VictoriaMetrics by `isPartial`.
        Prometheus 3 tells there of doubts about the query, which leave the answer whole.
        """
        told = said.get("warnings") or []
        listed = [self.shown(str(one)) for one in (told if isinstance(told, list) else [told])]
        doubts = [one for one in listed if one.startswith(_OF_THE_QUERY)]
        lacking = [one for one in listed if one not in doubts]
        if said.get("isPartial") is True:
            lacking.append("it says that it is partial")
        if lacking and not self._settings.accept_partial:
            raise PartialError(
                f"the answer is not whole: {'; '.join(lacking)}",
                where=self._where(path),
                hint="collect again when all stores answer, or give --accept-partial",
            )
        self.warnings += doubts + [f"not whole: {one}" for one in lacking]

    def _refused(self, path: str, answer: Answer) -> ProviderError:
        """The error of an answer that is none of Prometheus's."""
        status, body = answer.status, answer.body
        if _redirects(answer):
            target = httpx.URL(answer.headers.get("Location", ""))
            place = (
                f"{target.scheme}://{_host(target)}{target.path}" if target.host else target.path
            )
            what = f"it sends us on to {self.shown(place)}, which is not followed"
            hint = "give the final address, or a token where it asks to sign in"
        elif status in _CLOSED:
            what, hint = _CLOSED[status]
        elif body.lstrip()[:1] == b"<":
            what = f"it answers with a web page (HTTP {status}), not as Prometheus does"
            hint = _PREFIX
        elif status >= 400:
            said = self.shown(body.decode("utf-8", "replace"))
            what, hint = f"HTTP {status}: {said or 'without a word'}", _hint(status)
        else:
            what, hint = "its answer is no JSON, or is cut off", "is this a Prometheus?"
        return ProviderError(what, where=self._where(path), hint=hint)

    def _untrusted(self, error: Exception) -> str:
        """What TLS says of the failure; "" = it is another, and may be gone next time."""
        found = handshake.reason(error)
        late = isinstance(error, (LateError, httpx.TimeoutException))
        if found or late or self._tls is None or self.server_time:
            return found
        return handshake.refusal(self._tls, self._url.host, self._url.port or 443)

    def _spoilt(self, path: str, error: LargeError | DamagedError) -> ProviderError:
        if isinstance(error, LargeError):
            return TooMuchError(
                f"the answer is larger than {LARGEST // 1024**2} MiB",
                where=self._where(path),
                hint="narrow it with --only, or a longer --period",
            )
        return ProviderError(
            "its answer is damaged: it is not packed as it says",
            where=self._where(path),
            hint="does a proxy between change answers?",
        )

    def _unreachable(self, path: str, error: Exception) -> ProviderError:
        where = self._where(path)
        if isinstance(error, LateError):
            return ProviderError(
                f"the answer was not whole after {self._settings.timeout:g} s",
                where=where,
                hint="--timeout waits longer; --only asks for less",
            )
        kind = "no answer in time" if isinstance(error, httpx.TimeoutException) else "no connection"
        said = self.shown(str(error))
        hint = "check the address and the network; --timeout waits longer"
        return ProviderError(f"{kind}: {said}" if said else kind, where=where, hint=hint)

    def _where(self, path: str) -> str:
        """The address asked, without query, user or secret."""
        return f"{self._settings.url}/api/v1/{path}"

    def shown(self, text: str) -> str:
        """One line, without any secret that the other side may have echoed, and then cut."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        text = "".join(c for c in " ".join(text.split()) if c.isprintable())
        for secret in self._secrets:  # one that a steering character cut in two
            text = text.replace(secret, "***")
        return plain(text[:_LOOKED])[:_SAID]


def _host(url: httpx.URL) -> str:
    """Host and port, without the user."""
    host = f"[{url.host}]" if ":" in url.host else url.host
    return f"{host}:{url.port}" if url.port else host


def _moment(text: str) -> datetime | None:
    """The time of an HTTP header; None = it is none, as of a proxy without a clock."""
    try:
        told = parsedate_to_datetime(text)
    except ValueError:
        return None
    return told if told.tzinfo else told.replace(tzinfo=UTC)


def _retry_after(answer: Answer, now: datetime | None) -> float | None:
    """Seconds that the server asks for, as such or up to a moment; None = it asks for none.

    Source: RFC 9110, 10.2.3.
    """
    asked = answer.headers.get("Retry-After", "").strip()
    if asked.isdecimal() and asked.isascii():
        return float(asked)
    moment = _moment(asked)
    return max(0.0, (moment - (now or datetime.now(UTC))).total_seconds()) if moment else None


def _redirects(answer: Answer) -> bool:
    return 300 <= answer.status < 400 and "Location" in answer.headers


def _parsed(body: bytearray) -> dict[str, Any] | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _gave_up(answer: Answer) -> bool:
    """Whether the query was too much, so that asking the same again would only do harm."""
    if answer.status == 413:
        return True
    parsed = _parsed(answer.body) if answer.status in (400, 422, 503) else None
    said = str(parsed.get("error", "")).casefold() if parsed else ""
    return any(word in said for word in _TOO_MUCH)


def _wait(attempt: int, asked: float | None) -> float:
    """Seconds before the next try: what was asked for, or up to twice as long each time.

    Anywhere up to the bound, so that many clients do not come back at one moment.
    """
    if asked is not None:
        return asked
    return random.uniform(0, min(_LONGEST_WAIT, 0.5 * 2**attempt))  # noqa: S311  (no secret)


def _hint(status: int) -> str:
    if status in _BUSY:
        return "collect again later: what is there is kept; a smaller --max-concurrency loads less"
    return "docs/providers/prometheus.md says what is asked of it"
