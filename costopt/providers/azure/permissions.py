"""What a collect has to be granted: the least role, and each action tried by a harmless call.

Every action that the code calls is in `PERMISSIONS`, and nothing more: a test holds one against the
other. All of them read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, NamedTuple

from azure.core.exceptions import HttpResponseError
from azure.mgmt.advisor import AdvisorManagementClient
from azure.mgmt.monitor import MonitorManagementClient
from azure.mgmt.resource.subscriptions import SubscriptionClient
from azure.monitor.querymetrics import MetricsClient

from costopt.errors import ProviderError
from costopt.parallel import in_threads
from costopt.providers.azure import advice, subscriptions
from costopt.providers.azure.access import FAILURES, Access, arm_id, denied, said
from costopt.providers.azure.inventory.place import Place, Thing, at, region, unregistered
from costopt.providers.azure.inventory.scale_sets import ScaleSet
from costopt.providers.azure.metrics import discovery
from costopt.providers.azure.metrics.asking import is_refusal
from costopt.providers.azure.prices.refresh import CHINA, is_chinas
from costopt.providers.azure.prices.source import RetailPrices, is_region
from costopt.providers.azure.settings import AzureSettings
from costopt.providers.base import Check, Problem

ROLE: Final = "costopt"
_NOBODY: Final = "/subscriptions/SUBSCRIPTION-ID"
_UNENTERED: Final = ("AuthorizationFailed", "SubscriptionNotFound")
"""How Azure says that one has no part in a subscription."""

_PRICES: Final = "Retail Prices API"
_A_REGION: Final = "westeurope"
"""Where sizes and prices are asked for if no region is named: what there is does not matter."""

Attempt = Callable[[Place, str], object]
Where = Literal["subscription", "export"]


class _Lacking(Exception):
    """What a collect would look for is not there, though nothing is refused."""


class _Untried(Exception):
    """There is nothing yet to try it on."""


class _Slower(Exception):
    """It is refused, and there is another way."""


class Permission(NamedTuple):
    """One action."""

    action: str  # as roles spell it
    attempt: Attempt  # a call that needs it
    where: Where = "subscription"
    wanted: Callable[[AzureSettings], bool] = lambda settings: True
    on_data: bool = False  # on what a resource holds, rather than on the resource


def _first(listing: Callable[[Place], Iterable[Any]]) -> Attempt:
    """Only the first page is asked for."""
    return lambda place, _: next(iter(listing(place)), None)


def _subscription(place: Place, _: str) -> object:
    client = place.access.management(SubscriptionClient)
    return client.subscriptions.get(place.subscription.subscription_id)


def _members(place: Place, _: str) -> object:
    """Of the first uniform scale set.

    Raises:
        _Untried: there is none.
    """
    for thing in place.compute.virtual_machine_scale_sets.list_all():
        if at(thing, "properties.orchestrationMode") != "Flexible":
            members = place.compute.virtual_machine_scale_set_vms
            return next(iter(members.list(ScaleSet(place, thing).group, thing["name"])), None)
    raise _Untried("there is no uniform scale set")


def _sizes(place: Place, _: str) -> object:
    where = next(iter(place.access.settings.region), _A_REGION)
    return next(iter(place.compute.resource_skus.list(filter=f"location eq '{where}'")), None)


def _of_a_machine(asked: Callable[[Any, str], object]) -> Attempt:
    """Of the first machine; where there is none, there is nothing to measure yet."""

    def attempt(place: Place, _: str) -> object:
        machine = _machine(place)
        name = place.subscription.subscription_id
        return asked(place.access.management(MonitorManagementClient, name), arm_id(machine))

    return attempt


def _machine(place: Place) -> Thing:
    """The first one.

    Raises:
        _Untried: there is none.
    """
    for machine in place.compute.virtual_machines.list_all():
        found: Thing = machine
        return found
    raise _Untried("there is no machine")


def _batch(place: Place, _: str) -> object:
    """Fifty machines at once, asked of one.

    Raises:
        _Slower: that is not for us; then each is asked by itself.
    """
    machine = _machine(place)
    where = region(machine) or ""
    if not is_region(where):  # it becomes part of the address
        raise _Untried("there is no machine in a region of a name")
    end = datetime.now(UTC).replace(microsecond=0)
    try:
        return place.access.metrics(MetricsClient, where).query_resources(
            resource_ids=[arm_id(machine)],
            metric_namespace="Microsoft.Compute/virtualMachines",
            metric_names=["Percentage CPU"],
            timespan=(end - timedelta(minutes=10), end),
            granularity=timedelta(minutes=5),
            aggregations=["average"],
            stream=True,  # what it says does not matter, only that it answers
            cls=lambda *_: {"values": []},
        )
    except FAILURES as error:
        if is_refusal(error):
            raise _Slower(f"{said(error)}; machines are asked for one by one") from None
        raise


def _metrics(client: Any, machine: str) -> object:
    end = datetime.now(UTC).replace(microsecond=0, tzinfo=None)
    return client.metrics.list(
        machine,
        timespan=f"{(end - timedelta(minutes=10)).isoformat()}Z/{end.isoformat()}Z",
        interval="PT5M",
        metricnames="Percentage CPU",
        aggregation="average",
    )


def _namespaces(client: Any, machine: str) -> object:
    return next(iter(client.metric_namespaces.list(machine)), None)


def _definitions(client: Any, machine: str) -> object:
    return next(iter(client.metric_definitions.list(machine)), None)


def _advice(place: Place, _: str) -> object:
    client = place.access.management(AdvisorManagementClient, place.subscription.subscription_id)
    return next(iter(client.recommendations.list(top=1)), None)


def _export(place: Place, address: str) -> object:
    """Empty blobs are passed over: storage with folders shows each of them as one."""
    container, prefix = place.access.blobs(address)
    listed = container.list_blobs(name_starts_with=prefix, results_per_page=10)
    filled = next((blob.name for blob in listed if blob.size), None)
    if filled is None:
        raise _Lacking("nothing below this prefix; a new export's first run takes up to a day")
    return container.download_blob(filled, offset=0, length=1).readall()


def _with_metrics(settings: AzureSettings) -> bool:
    return "metrics" not in settings.skip


def _with_advice(settings: AzureSettings) -> bool:
    return "advice" not in settings.skip


def _with_export(settings: AzureSettings) -> bool:
    return bool(_addresses(settings)) and "charges" not in settings.skip


PERMISSIONS: Final = (
    Permission(subscriptions.CALL, _subscription),
    Permission(
        "Microsoft.Compute/virtualMachines/read",
        _first(lambda place: place.compute.virtual_machines.list_all()),
    ),
    Permission(
        "Microsoft.Compute/virtualMachineScaleSets/read",
        _first(lambda place: place.compute.virtual_machine_scale_sets.list_all()),
    ),
    Permission("Microsoft.Compute/virtualMachineScaleSets/virtualMachines/read", _members),
    Permission("Microsoft.Compute/disks/read", _first(lambda place: place.compute.disks.list())),
    Permission(
        "Microsoft.Compute/snapshots/read", _first(lambda place: place.compute.snapshots.list())
    ),
    Permission("Microsoft.Compute/skus/read", _sizes),
    Permission(
        "Microsoft.Network/publicIPAddresses/read",
        _first(lambda place: place.network.public_ip_addresses.list_all()),
    ),
    Permission(
        "Microsoft.Network/natGateways/read",
        _first(lambda place: place.network.nat_gateways.list_all()),
    ),
    Permission(
        "Microsoft.Network/loadBalancers/read",
        _first(lambda place: place.network.load_balancers.list_all()),
    ),
    Permission("Microsoft.Insights/metrics/read", _of_a_machine(_metrics), wanted=_with_metrics),
    Permission(discovery.NAMESPACES, _of_a_machine(_namespaces), wanted=_with_metrics),
    Permission(discovery.DEFINITIONS, _of_a_machine(_definitions), wanted=_with_metrics),
    Permission(advice.CALL, _advice, wanted=_with_advice),
    Permission(
        "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read",
        _export,
        "export",
        _with_export,
        on_data=True,
    ),
)
"""The list prices need no permission."""
_BATCHES: Final = Permission("metrics:getBatch", _batch, wanted=_with_metrics)
"""Its permission is that of metrics; what may lack is the way there, or the role in the whole
subscription."""


def checks(settings: AzureSettings) -> Iterator[Check]:
    """Each action tried in every subscription that a collect would look into; then, whether the
    list prices can be had.

    Several at a time, and told in the order of subscriptions, actions and exports.

    Raises:
        ProviderError: there are no credentials, or no subscription lets us in.
    """
    problems: list[Problem] = []
    access = Access(settings)
    entered = subscriptions.subscriptions(access, problems)
    yield from (_unentered(problem) for problem in problems)
    places = [Place(access, one) for one in entered]
    yield from in_threads(_tried, _trials(places, settings), settings.max_concurrency)
    if "prices" not in settings.skip:
        yield _listed_prices(settings)


class _Trial(NamedTuple):
    permission: Permission
    place: Place
    address: str  # of an export; "" otherwise

    @property
    def where(self) -> str:
        return self.address or self.place.subscription.subscription_id


def _trials(places: list[Place], settings: AzureSettings) -> Iterator[_Trial]:
    wanted = [one for one in (*PERMISSIONS, _BATCHES) if one.wanted(settings)]
    for place in places:
        yield from (_Trial(one, place, "") for one in wanted if one.where == "subscription")
    for one in wanted:
        if one.where == "export":
            yield from (_Trial(one, places[0], address) for address in _addresses(settings))


def _unentered(problem: Problem) -> Check:
    refused = problem.what.partition(":")[0] in _UNENTERED  # what Azure said begins with its code
    where = problem.where.partition(" ")[0]
    return Check(subscriptions.CALL, where, False, problem.what, refused)


def _tried(trial: _Trial) -> Check:
    action = trial.permission.action
    try:
        trial.permission.attempt(trial.place, trial.address)
    except _Lacking as lacking:
        return Check(action, trial.where, False, str(lacking))
    except _Slower as slower:
        return Check(action, trial.where, True, str(slower))
    except _Untried as untried:
        return Check(action, trial.where, True, f"not tried: {untried}", tried=False)
    except FAILURES as error:
        if isinstance(error, HttpResponseError) and unregistered(error):
            return Check(action, trial.where, True, "the subscription never used this service")
        refused = denied(error)
        hint = "; grant it (costopt doctor azure --policy)" if refused else ""
        return Check(action, trial.where, False, f"{said(error)}{hint}", refused)
    return Check(action, trial.where, True, "")


def _listed_prices(settings: AzureSettings) -> Check:
    """They are public, so that only the way there may lack."""
    place = next(iter(settings.region), _A_REGION)
    with RetailPrices(settings.endpoint, settings.max_attempts) as source:
        where = source.host
        if settings.cloud == "china" or is_chinas(place):
            return Check(_PRICES, where, True, f"not tried: {CHINA}", tried=False)
        try:
            next(source.machines(place, settings.currency))
        except ProviderError as error:
            return Check(_PRICES, where, False, error.what)
    return Check(_PRICES, where, True, "")


def role(settings: AzureSettings) -> str:
    """The custom role as JSON, for az role definition create; its description says how."""
    wanted = [one for one in PERMISSIONS if one.wanted(settings)]
    scopes = [f"/subscriptions/{name}" for name in sorted(set(settings.subscription))] or [_NOBODY]
    document = {
        "Name": ROLE,
        "IsCustom": True,
        "Description": "What costopt reads. az role definition create --role-definition @FILE; then"
        f" for each scope: az role assignment create --role {ROLE} --assignee WHO --scope SCOPE",
        "Actions": sorted(one.action for one in wanted if not one.on_data),
        "NotActions": [],
        "DataActions": sorted(one.action for one in wanted if one.on_data),
        "NotDataActions": [],
        "AssignableScopes": scopes,
    }
    return json.dumps(document, indent=2) + "\n"


def _addresses(settings: AzureSettings) -> list[str]:
    """The exports that lie in a storage account; the others are files here."""
    return [place for place in settings.export if "://" in place]
