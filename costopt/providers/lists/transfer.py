"""A provider's public price list over HTTP: read-only, one host, whole answers or none.

Only the address asked for is spoken to: redirects are refused, and so is everything in an answer
that would lead elsewhere. An answer that is cut, too slow, too large or not JSON gives nothing at
all (answers.py).
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

import httpx

from costopt import __version__
from costopt.errors import ConfigError, ProviderError
from costopt.providers.answers import TIMEOUT, Asking, Say, no_number, quiet

_LARGEST: Final = 64 << 20  # bytes of one answer; OVHcloud's whole catalogue has some eight million
_MOST_PAGES: Final = 200  # the longest list has some tens
_TOKEN: Final = re.compile(r"[\x21-\x7e]{8,512}")

Document = Mapping[str, Any]
"""An answer as JSON has it; numbers are int or Decimal. It is untrusted."""
Query = Mapping[str, str | int]
Following = Callable[[Document, int], Query | None]
"""Of a page and how many there were so far: what the next one is asked for with; None = no more."""


class Page(NamedTuple):
    """An answer, or a part of one."""

    document: Document
    size: int  # bytes


class PriceList:
    """A way to one host; close it after use."""

    def __init__(
        self, address: str, override: str, token: str | None = None, told: Say = quiet
    ) -> None:
        """
        Args:
            address: the provider's own: https://HOST.
            override: the environment variable that names another one, http(s)://HOST[:PORT].
            token: sent as bearer to that host and nobody else.
            told: of each further attempt.
        Raises:
            ConfigError: no such address, or one that the token is not safe with.
        """
        self._url = _address(os.environ.get(override) or address, override)
        if token and not _is_private(self._url):
            raise ConfigError(
                f"{override}: a token is sent over https only", hint=f"https://{self._url.host}"
            )
        self._told = told
        self._client = httpx.Client(  # without a transport of its own, so that proxies count
            timeout=TIMEOUT,
            follow_redirects=False,
            headers={"User-Agent": f"costopt/{__version__}"}
            | ({"Authorization": f"Bearer {token}"} if token else {}),
        )

    def __enter__(self) -> PriceList:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    @property
    def host(self) -> str:
        """Whom the prices are from."""
        return self._url.host

    def pages(self, path: str, query: Query, following: Following) -> Iterator[Page]:
        """The answer, page by page.

        Raises:
            ProviderError: no whole answer, or pages that repeat. What was given before it belongs
                to half a list.
        """
        asked: Query | None = query
        contents: set[bytes] = set()
        while asked is not None:
            page = self.page(path, asked)
            content = hashlib.sha256(repr(page.document).encode()).digest()
            if content in contents:
                raise self.failure(path, "a page comes a second time")
            contents.add(content)
            yield page
            if len(contents) == _MOST_PAGES:
                raise self.failure(path, f"there is no end to it after {_MOST_PAGES} pages")
            asked = following(page.document, len(contents))

    def page(self, path: str, query: Query) -> Page:
        """One answer in JSON.

        Raises:
            ProviderError: no whole answer, or not an object of JSON.
        """
        data = self.content(path, query)
        try:
            document = json.loads(data, parse_float=Decimal, parse_constant=no_number)
        except (ValueError, ArithmeticError, RecursionError):
            raise self.failure(path, "not JSON") from None
        if not isinstance(document, dict):
            raise self.failure(path, "not a list of prices")
        return Page(document, len(data))

    def content(self, path: str, query: Query) -> bytes:
        """One answer, tried again as long as that may help.

        Raises:
            ProviderError: no whole answer.
        """
        asking = Asking(
            client=self._client,
            failure=lambda what: self.failure(path, what),
            refusal=lambda response: self._refusal(path, response),
            largest=_LARGEST,
            too_large="an answer too large to be a list of prices",
            told=self._told,
        )
        return asking.whole(self._url.copy_with(path=self._url.path.rstrip("/") + path), query)

    def failure(self, path: str, what: str) -> ProviderError:
        """An error that says where; nothing of the answer is repeated in it."""
        return ProviderError(what, where=f"{self.host}{path}")

    def _refusal(self, path: str, response: httpx.Response) -> ProviderError:
        if response.has_redirect_location:
            return self.failure(path, "it sends us to another address")
        if response.status_code in (401, 403):
            return self.failure(path, f"the server answers {response.status_code}: no right token")
        return self.failure(path, f"the server answers {response.status_code}")


def token_of(names: tuple[str, ...], provider_name: str) -> str | None:
    """What the first of these environment variables that is set holds; None = none is wanted.

    Raises:
        ConfigError: none is set, or what is set cannot be a token. It is never repeated.
    """
    if not names:
        return None
    found = next((value for name in names if (value := os.environ.get(name, "").strip())), "")
    if not found:
        raise ConfigError(
            f"{provider_name} tells its prices to its customers only: no token",
            hint=f"make one that may only read, and set {' or '.join(names)}",
        )
    if not _TOKEN.fullmatch(found):
        raise ConfigError(f"what {' or '.join(names)} holds is no token")
    return found


def _address(base: str, override: str) -> httpx.URL:
    try:
        url = httpx.URL(base)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in ("http", "https") or not url.host:
        raise ConfigError(f"{override}: not an address like https://prices.example.com")
    return url.copy_with(query=None, fragment=None)


def _is_private(url: httpx.URL) -> bool:
    """Whether nobody on the way can read what is sent there."""
    if url.scheme == "https" or url.host == "localhost":
        return True
    try:
        return ipaddress.ip_address(url.host).is_loopback
    except ValueError:
        return False
