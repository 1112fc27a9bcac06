"""One subscription, and the rows of the inventory that are found there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from azure.core.exceptions import HttpResponseError
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.network import NetworkManagementClient

from costopt.pricing.layer import region_key
from costopt.providers.azure.access import Access, arm_id, listed
from costopt.providers.azure.subscriptions import Subscription
from costopt.providers.rows import Row

Thing = Mapping[str, Any]
"""A resource as ARM has it in JSON."""
Listing = Callable[[], Iterable[Thing]]
_Thing = TypeVar("_Thing")

_UNREGISTERED: Final = frozenset(
    {"MissingSubscriptionRegistration", "SubscriptionNotRegistered", "InvalidResourceNamespace"}
)
"""What Azure says where a subscription never used a service (409, or 404). It holds nothing of it
then: a resource provider cannot be unregistered while there is anything of its types.
Source: "Azure resource providers and types", learn.microsoft.com/azure/azure-resource-manager."""


@dataclass(frozen=True)
class Place:
    """Where one thread looks."""

    access: Access
    subscription: Subscription

    @property
    def compute(self) -> Any:
        """The client of machines and disks."""
        return self._client(ComputeManagementClient)

    @property
    def network(self) -> Any:
        """The client of addresses, gateways and load balancers."""
        return self._client(NetworkManagementClient)

    def _client(self, client: Callable[..., Any]) -> Any:
        return self.access.management(client, self.subscription.subscription_id)

    def things(self, listing: Listing) -> Iterator[Thing]:
        """What is listed, all pages of it, in the regions asked for; each thing once."""
        wanted = self.access.settings.region
        for thing in self.listed(listing):
            if not wanted or region(thing) in wanted:
                yield thing

    def listed(
        self, listing: Callable[[], Iterable[_Thing]], name: Callable[[_Thing], str] = arm_id
    ) -> Iterator[_Thing]:
        """As `access.listed`; nothing where the subscription never used the service."""
        try:
            yield from listed(listing, name)
        except HttpResponseError as error:
            if not unregistered(error):
                raise

    def row(self, thing: Thing, **columns: Any) -> Row:
        """A thing of this place."""
        given = (thing.get("tags") or {}).items()
        tags = {key: "" if value is None else str(value) for key, value in given}
        return {
            "ProviderName": "Azure",
            "SubAccountId": self.subscription.subscription_id,
            "RegionId": region(thing),
            "ResourceId": thing["id"].lower(),
            "ResourceName": thing.get("name"),
            "Tags": dict(sorted(tags.items())) or None,
        } | columns


def unregistered(error: HttpResponseError) -> bool:
    """Whether the subscription never used that service: there is nothing of it."""
    return error.error is not None and error.error.code in _UNREGISTERED


def region(thing: Thing) -> str | None:
    """Its region's name: westeurope, also where it says "West Europe"."""
    location = thing.get("location")
    return region_key(location) if location else None


def at(thing: Thing | None, path: str) -> Any:
    """What stands at the end of the names, which dots part; None where any of them lacks."""
    found: Any = thing
    for name in path.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(name)
    return found


def moment(text: str | None) -> datetime | None:
    """A moment in UTC; None where it is none."""
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
