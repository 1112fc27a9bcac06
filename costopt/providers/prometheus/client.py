"""Prometheus's HTTP API: bounded, patient, and silent about secrets.

Queries go by POST, so that no proxy's log shows them and none is too long. A server that is busy is
asked again after a while; a query that is too much for it is told apart, so that less can be asked.
"""

from __future__ import annotations

import json
import random
import ssl
import time
import weakref
import zlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx

from costopt.errors import ProviderError
from costopt.providers.prometheus import access
from costopt.providers.prometheus.settings import PrometheusSettings

Parameters = Mapping[str, str | list[str]]

_BUSY: Final = frozenset({429, 502, 503, 504})
_LARGEST: Final = 64 * 1024 * 1024
"""Bytes of one answer, as sent or unpacked; ours are asked for in parts of about 10 MB."""
_NO_TLS: Final = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"})
"""What OpenSSL calls an answer that is none of TLS."""
_LONGEST_WAIT: Final = 30.0
_SAID: Final = 300  # characters of a server's text that are shown
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
_TOO_MUCH: Final = ("too many", "too much", "too large", "exceed", "timed out", "timeout", "limit")


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
        self._http = httpx.Client(
            base_url=f"{settings.url}/api/v1/",
            headers={"Accept-Encoding": "gzip", **given.headers},
            auth=httpx.BasicAuth(*given.basic) if given.basic else None,
            verify=access.tls(settings) if settings.url.startswith("https:") else True,
            timeout=httpx.Timeout(settings.timeout, connect=min(10.0, settings.timeout)),
            limits=httpx.Limits(max_connections=settings.max_concurrency),
            follow_redirects=False,  # a redirect would take the token elsewhere
        )
        weakref.finalize(self, self._http.close)
        self.server_time: datetime | None = None
        """What the server's clock showed in its last answer."""
        self.warnings: list[str] = []
        """What accepted answers said that they lack."""

    @property
    def unprotected(self) -> bool:
        """Whether secrets travel in plain text to another machine."""
        local = self._http.base_url.host in ("localhost", "127.0.0.1", "::1")
        return bool(self._secrets) and self._http.base_url.scheme == "http" and not local

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
                response, body = self._send(method, path, given)
            except httpx.RequestError as error:
                if last or _tls_error(error):
                    raise self._unreachable(path, error) from None
                self._pause(_wait(attempt, None))
                continue
            if response.status_code in _BUSY and not last and not _gave_up(response, body):
                self._pause(_wait(attempt, response.headers.get("Retry-After")))
                continue
            return self._data(path, response, body)
        raise AssertionError("every last try returns or raises")

    def _send(self, method: str, path: str, given: Parameters) -> tuple[httpx.Response, bytearray]:
        form = {"data": given} if method == "POST" else {"params": given}
        deadline = time.monotonic() + self._settings.timeout
        body, sent = bytearray(), 0
        with self._http.stream(method, path, **form) as response:  # type: ignore[arg-type]
            self._note_time(response)
            unpacked = _unpacking(response)
            for part in response.iter_raw():
                sent += len(part)
                try:
                    body += unpacked(part, _LARGEST + 1 - len(body))
                except zlib.error:
                    raise ProviderError(
                        "its answer is damaged: it is not packed as it says",
                        where=self._where(path),
                        hint="does a proxy between change answers?",
                    ) from None
                if max(len(body), sent) > _LARGEST:
                    raise TooMuchError(
                        f"the answer is larger than {_LARGEST // 1024**2} MiB",
                        where=self._where(path),
                        hint="narrow it with --only, or a longer --period",
                    )
                if time.monotonic() > deadline:  # httpx bounds each read, but not all of them
                    raise ProviderError(
                        f"the answer was not whole after {self._settings.timeout:g} s",
                        where=self._where(path),
                        hint="--timeout waits longer; --only asks for less",
                    )
            return response, body

    def _note_time(self, response: httpx.Response) -> None:
        try:
            told = parsedate_to_datetime(response.headers.get("Date", ""))
        except ValueError:
            return  # a proxy without a clock
        self.server_time = told if told.tzinfo else told.replace(tzinfo=UTC)

    def _data(self, path: str, response: httpx.Response, body: bytearray) -> Any:
        status = response.status_code
        answer = _parsed(body)
        if answer is None or status in _CLOSED or response.is_redirect:
            raise self._refused(path, response, body)
        if answer.get("status") != "success":
            said = self._plain(str(answer.get("error", f"HTTP {status}")))
            kind = TooMuchError if _gave_up(response, body) else ProviderError
            raise kind(f"Prometheus says: {said}", where=self._where(path), hint=_hint(status))
        if warnings := answer.get("warnings"):
            self._warned(path, warnings)
        return answer.get("data")

    def _warned(self, path: str, warnings: Any) -> None:
        listed = warnings if isinstance(warnings, list) else [warnings]
        said = self._plain("; ".join(map(str, listed)))
        if not self._settings.accept_partial:
            raise PartialError(
                f"the answer is not whole: {said}",
                where=self._where(path),
                hint="collect again when all stores answer, or give --accept-partial",
            )
        self.warnings.append(said)

    def _refused(self, path: str, response: httpx.Response, body: bytearray) -> ProviderError:
        """The error of an answer that is none of Prometheus's."""
        status = response.status_code
        if response.is_redirect:
            target = httpx.URL(response.headers.get("Location", ""))
            place = f"{target.scheme}://{target.host}{target.path}" if target.host else target.path
            what = f"it sends us on to {self._plain(place)}, which is not followed"
            hint = "give the final address, or a token where it asks to sign in"
        elif status in _CLOSED:
            what, hint = _CLOSED[status]
        elif body.lstrip()[:1] == b"<":
            what = f"it answers with a web page (HTTP {status}), not as Prometheus does"
            hint = _PREFIX
        elif status >= 400:
            said = self._plain(body[:_SAID].decode("utf-8", "replace"))
            what, hint = f"HTTP {status}: {said or 'without a word'}", _hint(status)
        else:
            what, hint = "its answer is no JSON, or is cut off", "is this a Prometheus?"
        return ProviderError(what, where=self._where(path), hint=hint)

    def _unreachable(self, path: str, error: httpx.RequestError) -> ProviderError:
        where = self._where(path)
        if reason := _tls_error(error):
            if reason in _NO_TLS:
                hint = "if that is meant, give the address with http://; or another port"
                return ProviderError("it speaks no TLS at this port", where=where, hint=hint)
            hint = "--ca-file names the authority that signed it; --cert-file shows yours"
            return ProviderError(f"no trusted connection: {reason}", where=where, hint=hint)
        kind = "no answer in time" if isinstance(error, httpx.TimeoutException) else "no connection"
        said = self._plain(str(error))
        hint = "check the address and the network; --timeout waits longer"
        return ProviderError(f"{kind}: {said}" if said else kind, where=where, hint=hint)

    def _where(self, path: str) -> str:
        """The address asked, without query, user or secret."""
        return f"{self._settings.url}/api/v1/{path}"

    def _plain(self, text: str) -> str:
        """One line, cut, without any secret that the other side may have echoed."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return "".join(c for c in " ".join(text.split()) if c.isprintable())[:_SAID]


def _unpacking(response: httpx.Response) -> Callable[[bytes, int], bytes]:
    """What unpacks the next part of an answer, to no more than so many bytes."""
    if response.headers.get("Content-Encoding", "").casefold() not in ("gzip", "deflate"):
        return lambda part, most: part
    return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress  # 32: by its head


def _parsed(body: bytearray) -> dict[str, Any] | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _gave_up(response: httpx.Response, body: bytearray) -> bool:
    """Whether the query was too much, so that asking the same again would only do harm."""
    if response.status_code == 413:
        return True
    answer = _parsed(body) if response.status_code in (400, 422, 503) else None
    said = str(answer.get("error", "")).casefold() if answer else ""
    return any(word in said for word in _TOO_MUCH)


def _wait(attempt: int, asked: str | None) -> float:
    """Seconds before the next try: what was asked for, or up to twice as long each time.

    Anywhere up to the bound, so that many clients do not come back at one moment.
    """
    if asked and asked.isdigit():
        return min(float(asked), 2 * _LONGEST_WAIT)
    return random.uniform(0, min(_LONGEST_WAIT, 0.5 * 2**attempt))  # noqa: S311  (no secret)


def _tls_error(error: BaseException | None) -> str:
    """What the TLS library says, or "" where the failure is another."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            detail = getattr(error, "verify_message", "") or error.reason or "TLS failed"
            return str(detail)
        error = error.__cause__ or error.__context__
    return ""


def _hint(status: int) -> str:
    if status in _BUSY:
        return "collect again later: what is there is kept; a smaller --max-concurrency loads less"
    return "docs/providers/prometheus.md says what is asked of it"
