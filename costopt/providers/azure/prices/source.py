"""The Retail Prices API: list prices page by page, without credentials.

Only the address asked for is spoken to: redirects, and links to next pages that lead elsewhere, are
refused. A list whose pages repeat, or that breaks off, is refused as a whole.

The API's filters know upper and lower case, and its links to next pages leave out parameters of the
query (version, currency), so each page is asked for with all of ours.

Source: Microsoft, "Azure Retail Prices overview", learn.microsoft.com/rest/api/cost-management/
retail-prices/azure-retail-prices (2023-01-01-preview).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

import httpx

from costopt import __version__
from costopt.errors import ConfigError, ProviderError
from costopt.providers.answers import ATTEMPTS, TIMEOUT, Asking, Say, no_number, quiet

OVERRIDE: Final = "COSTOPT_AZURE_PRICE_LIST"
"""Variable that names another address of the API: a gateway, or a test's own server."""
PATH: Final = "/api/retail/prices"
_HOST: Final = "https://prices.azure.com"
_VERSION: Final = "2023-01-01-preview"  # others say nothing of savings plans
_SERVICE: Final = "serviceName eq 'Virtual Machines'"
_EVERYWHERE: Final = ("Standard_B2s", "Standard_D2s_v5", "Standard_D2s_v3")
"""Sizes that tell which regions there are: by karpenter-provider-azure's list of June 2026 the
first two are sold in all 57, the third in 55."""
_LARGEST_PAGE: Final = 32 << 20  # bytes; one of 1,000 items has about 1 MB
_MOST_PAGES: Final = 1000  # a region has some tens

Item = Mapping[str, Any]
"""An entry of a page, as JSON has it; numbers are int or Decimal. It is untrusted."""


class Page(NamedTuple):
    """A part of a list."""

    items: list[Item]
    size: int  # bytes


class RetailPrices:
    """A way to the API; close it after use. Safe among threads."""

    def __init__(
        self, address: str | None = None, attempts: int = ATTEMPTS, told: Say = quiet
    ) -> None:
        """
        Args:
            address: of the host, http(s)://HOST[:PORT]; None = `OVERRIDE`, else Azure's own.
            attempts: tries of a page that is throttled or fails on their side, at most.
            told: of each further attempt.
        Raises:
            ConfigError: no such address.
        """
        base = address or os.environ.get(OVERRIDE) or _HOST
        try:
            url = httpx.URL(base)
        except httpx.InvalidURL:
            url = httpx.URL("")
        if url.scheme not in ("http", "https") or not url.host:
            raise ConfigError(f"{OVERRIDE}: not an address like https://prices.example.com")
        self._url = url.copy_with(path=url.path.rstrip("/") + PATH, query=None)
        self._client = httpx.Client(  # without a transport of its own, so that proxies count
            timeout=TIMEOUT,
            follow_redirects=False,
            headers={"User-Agent": f"costopt/{__version__}"},
        )
        self._asking = Asking(
            client=self._client,
            failure=self._failure,
            refusal=self._refusal,
            largest=_LARGEST_PAGE,
            too_large="a page is too large to be one",
            attempts=attempts,
            told=told,
        )

    def __enter__(self) -> RetailPrices:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    @property
    def host(self) -> str:
        """Whom the prices are from."""
        return self._url.host

    def regions(self) -> list[str]:
        """The regions in which sizes are sold that are sold everywhere, sorted.

        Raises:
            ProviderError: no answer, or not a list of prices.
        """
        found = set()
        for size in _EVERYWHERE:
            for page in self._pages(f"{_SERVICE} and armSkuName eq '{size}'", "USD"):
                found |= {item.get("armRegionName") for item in page.items}
        return sorted(name for name in found if isinstance(name, str) and is_region(name))

    def machines(self, region: str, currency: str) -> Iterator[Page]:
        """Everything that is listed of virtual machines in a region, page by page.

        Args:
            region: as Resource Manager spells it, in lower case: westeurope.
            currency: ISO code.
        Raises:
            ProviderError: no whole answer, or one in another currency. What was given before it
                belongs to half a list.
        """
        if not is_region(region):
            raise ProviderError("not a region's name, like westeurope", where=self.host)
        return self._pages(f"{_SERVICE} and armRegionName eq '{region}'", currency)

    def _pages(self, wanted: str, currency: str) -> Iterator[Page]:
        ours = {"api-version": _VERSION, "currencyCode": currency, "$filter": wanted}
        asked: Mapping[str, str] | None = ours
        queries: set[frozenset[tuple[str, str]]] = set()
        contents: set[bytes] = set()
        while asked is not None:
            queries.add(frozenset(asked.items()))
            document, size = self._page(asked)
            items = self._items(document, currency)
            content = hashlib.sha256(repr(items).encode()).digest()
            if content in contents:
                raise self._failure("a page comes a second time")
            contents.add(content)
            yield Page(items, size)
            asked = self._next(document.get("NextPageLink"), ours)
            if asked is not None and frozenset(asked.items()) in queries:
                raise self._failure("the link to the next page leads back")
            if len(queries) == _MOST_PAGES:
                raise self._failure(f"there is no end to it after {_MOST_PAGES:,} pages")

    def _items(self, document: Mapping[str, Any], currency: str) -> list[Item]:
        items = document.get("Items")
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise self._failure("not a list of prices")
        billed = document.get("BillingCurrency")
        if billed != currency:
            told = (
                billed if isinstance(billed, str) and re.fullmatch("[A-Z]{3}", billed) else "none"
            )
            raise self._failure(f"prices in {currency} were asked for, these are in {told}")
        return items

    def _next(self, link: object, ours: Mapping[str, str]) -> Mapping[str, str] | None:
        """The query of the next page; None = this was the last one."""
        if not link:
            return None
        try:
            url = self._url.join(str(link))
        except httpx.InvalidURL:
            raise self._failure("the link to the next page is none") from None
        here = (self._url.scheme, self._url.host, _port(self._url), self._url.path)
        if (url.scheme, url.host, _port(url), url.path) != here:
            raise self._failure("the link to the next page leads to another address")
        known = {name.casefold() for name in ours}
        theirs = {name: url.params[name] for name in url.params if name.casefold() not in known}
        return {**ours, **theirs}

    def _page(self, asked: Mapping[str, str]) -> tuple[Mapping[str, Any], int]:
        """One page, tried again as long as that may help."""
        data = self._asking.whole(self._url, asked)
        try:
            document = json.loads(data, parse_float=Decimal, parse_constant=no_number)
        except (ValueError, ArithmeticError, RecursionError):
            raise self._failure("not JSON") from None
        if not isinstance(document, dict):
            raise self._failure("not a list of prices")
        return document, len(data)

    def _refusal(self, response: httpx.Response) -> ProviderError:
        if response.has_redirect_location:
            return self._failure("it sends us to another address")
        return self._failure(f"the server answers {response.status_code}")

    def _failure(self, what: str) -> ProviderError:
        return ProviderError(what, where=f"{self.host}{PATH}")


def is_region(name: str) -> bool:
    """Whether it may be a region's name, and nothing else: it stands in a filter, in quotes."""
    return re.fullmatch(r"[a-z][a-z0-9]{2,40}", name) is not None


def _port(url: httpx.URL) -> int | None:
    """Links name the port that is the scheme's own."""
    return url.port or {"https": 443, "http": 80}.get(url.scheme)
