"""The Cloud Billing Catalogue's list of SKUs, decoded as far as somebody needs it.

The list is one document of some 33,000 SKUs, most of them of no machine, or of regions in which
nobody runs any. Google's own client makes a message of each, which takes five times as long as to
read the JSON; so the JSON is read here, and messages are made of what concerns us.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from typing import Any, Final, NamedTuple

from google.api_core import exceptions
from google.auth.transport.requests import AuthorizedSession
from google.cloud.billing_v1 import Sku
from google.protobuf import json_format  # type: ignore[import-untyped]

from costopt.providers.gcp.access import Access
from costopt.providers.gcp.prices.parse import CURRENCY

SERVICE: Final = "cloudbilling"
CALL: Final = "cloudbilling.skus.list"
COMPUTE_ENGINE: Final = "services/6F81-5844-456A"
_HOST: Final = "https://cloudbilling.googleapis.com"
_PAGE: Final = 5000
_FIELDS: Final = (
    "nextPageToken,skus(skuId,description,category,serviceRegions,geoTaxonomy(regions),"
    "pricingInfo(effectiveTime,pricingExpression(usageUnit,tieredRates)))"
)
_WHERE_USED: Final = frozenset({"CPU", "RAM", "N1Standard"})
"""Groups of SKUs that say something of their own regions only. That a series has disks with a price
of their own, or is sold by the card, counts everywhere."""

Document = dict[str, Any]


class Page(NamedTuple):
    """One answer."""

    skus: list[Document]
    next_page_token: str

    @property
    def pages(self) -> Iterator[Page]:
        """Itself, as one of Google's pagers has it."""
        return iter((self,))


class SkuList:
    """Asks for the list, a page at a time; made and called as Google's clients are."""

    def __init__(self, *, credentials: Any, client_options: Mapping[str, str] | None = None):
        self._session: Any = AuthorizedSession(credentials)  # type: ignore[no-untyped-call]
        self._host = (client_options or {}).get("api_endpoint", _HOST)

    def list_skus(self, request: Mapping[str, Any], retry: None, timeout: float) -> Page:
        """One page of the SKUs of a service, in the currency asked for.

        Args:
            request: parent, page_size, page_token, currency_code.
            retry: none: see Access.
        Raises:
            GoogleAPICallError, GoogleAuthError, RequestException: it did not come.
            ParseError: the answer is no list of SKUs.
        """
        asked = {
            "currencyCode": request.get("currency_code", ""),
            "pageSize": request["page_size"],
            "pageToken": request.get("page_token", ""),
            "fields": _FIELDS,
            "prettyPrint": "false",
        }
        answer = self._session.get(
            f"{self._host}/v1/{request['parent']}/skus",
            params={name: value for name, value in asked.items() if value},
            timeout=timeout,
        )
        if not answer.ok:
            raise exceptions.from_http_response(answer)  # type: ignore[no-untyped-call]
        return _page(answer.json())

    def close(self) -> None:
        """Let the connection go."""
        self._session.close()


def _page(told: Any) -> Page:
    found = told.get("skus", []) if isinstance(told, dict) else None
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise json_format.ParseError("the answer is no list of SKUs")
    return Page(found, str(told.get("nextPageToken", "")))


def listed(
    access: Access, regions: Container[str] | None, told: Callable[[int], None]
) -> Iterator[Any]:
    """The SKUs of machines and their parts as messages (google.cloud.billing.v1.Sku), to the last
    page; each once, though a list that broke off is read from the start.

    Args:
        regions: where prices are wanted; None = everywhere.
        told: called with how many were read, a page at a time.
    Raises:
        one of access.FAILURES: the list did not come whole.
    """
    client = access.rest(SERVICE, SkuList)
    asked = {"parent": COMPUTE_ENGINE, "currency_code": CURRENCY, "page_size": _PAGE}
    seen: set[str] = set()
    for page in access.listing(client.list_skus, asked):
        for document in page.skus:
            name = str(document.get("skuId"))
            if name not in seen and _concerns(document, regions):
                yield json_format.ParseDict(document, Sku.pb()(), ignore_unknown_fields=True)
            seen.add(name)
        told(len(seen))


def _concerns(document: Document, regions: Container[str] | None) -> bool:
    """Whether it is of machines, and says something of these regions."""
    category = document.get("category", {})
    group = category.get("resourceGroup")
    if category.get("resourceFamily") != "Compute" and group != "LocalSSD":
        return False
    if regions is None or group not in _WHERE_USED:
        return True
    places = document.get("serviceRegions") or document.get("geoTaxonomy", {}).get("regions", ())
    return any(place in regions for place in places)
