"""A whole answer over HTTP, or none: tried again where that may help, and not waited for for ever.

Throttling and failures on their side are waited for, as long as they ask. One who does not answer
is asked twice, one who answers drop by drop once: it is no failure that passes.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx

from costopt.errors import ProviderError

Say = Callable[[str], None]
"""Called with a line for people before each further attempt."""

ATTEMPTS: Final = 6
TIMEOUT: Final = httpx.Timeout(30, connect=10)
"""Seconds in which a server must say something; an API on which a region is told answers in two."""
_CONNECT_ATTEMPTS: Final = 3  # where nobody answers at all
_SILENT_ATTEMPTS: Final = 2  # where somebody does, and says nothing
_LONGEST: Final = 180.0  # seconds of one answer: 64 MB at 3 Mbit/s
_BACKOFF: Final = 0.5  # seconds, doubled at each attempt
_LONGEST_BACKOFF: Final = 30.0
_LONGEST_PATIENCE: Final = 300.0  # seconds; where it asks for more, that is told instead
_AGAIN: Final = (408, 429, 500, 502, 503, 504)


def quiet(line: str) -> None:
    """Nobody is told."""


@dataclass(frozen=True)
class Asking:
    """How one host is asked."""

    client: httpx.Client
    failure: Callable[[str], ProviderError]  # an error that says where
    refusal: Callable[[httpx.Response], ProviderError]  # of an answer that is none
    largest: int  # bytes of one answer
    too_large: str  # what to say of a larger one
    attempts: int = ATTEMPTS
    told: Say = quiet

    def whole(self, url: httpx.URL, query: Mapping[str, str | int]) -> bytes:
        """One answer.

        Raises:
            ProviderError: no whole answer.
        """
        attempt = 1
        while True:
            found, pause, most = self._tried(url, query, attempt)
            if isinstance(found, bytes):
                return found
            attempt, most = attempt + 1, min(most, self.attempts)
            if attempt > most:
                raise found
            again = f"asked again in {pause:.3g} seconds ({attempt} of {most})"
            self.told(f"{url.host}: {found.what}; {again}")
            time.sleep(pause)

    def _tried(
        self, url: httpx.URL, query: Mapping[str, str | int], attempt: int
    ) -> tuple[bytes | ProviderError, float, int]:
        """The answer, or what was wrong with it; how long to wait then, and how often to try."""
        pause = min(_BACKOFF * 2 ** (attempt - 1), _LONGEST_BACKOFF)
        try:
            with self.client.stream("GET", url, params=query) as response:
                if response.is_success:
                    return self._read(response), 0.0, 1
                pause = _patience(response, pause)
                helps = response.status_code in _AGAIN and pause <= _LONGEST_PATIENCE
                return self.refusal(response), pause, self.attempts if helps else 1
        except httpx.HTTPError as error:
            what = f"no whole answer: {type(error).__name__}: {error}"
            return self.failure(what[:200]), pause, self._most(error)

    def _read(self, response: httpx.Response) -> bytes:
        """Piece by piece as they come: in larger portions a slow one would not be noticed."""
        data = bytearray()
        until = time.monotonic() + _LONGEST
        for part in response.iter_bytes():
            data += part
            if len(data) > self.largest:
                raise self.failure(self.too_large)
            if time.monotonic() > until:
                raise self.failure(f"no whole answer within {_LONGEST:.0f} seconds")
        return bytes(data)

    def _most(self, error: httpx.HTTPError) -> int:
        """How often to try in all."""
        if isinstance(error, httpx.TimeoutException):
            return _SILENT_ATTEMPTS
        return _CONNECT_ATTEMPTS if isinstance(error, httpx.ConnectError) else self.attempts


def _patience(response: httpx.Response, otherwise: float) -> float:
    """Seconds that the server asks to be left alone for: a number, or a date."""
    told = response.headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}", told):
        return float(told)
    try:
        moment = parsedate_to_datetime(told)
    except ValueError:
        return otherwise
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())


def no_number(text: str) -> Any:
    """For `json.loads(parse_constant=...)`: NaN and Infinity are no numbers of JSON.

    Raises:
        ValueError: always.
    """
    raise ValueError(f"{text} is no number of JSON")
