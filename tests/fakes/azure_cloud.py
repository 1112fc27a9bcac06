"""A tenant of Azure on loopback: subscriptions, and what there is in them, behind one door.

    with cloud() as azure:
        one = azure.subscription("shop")
        azure.machine(one, "web", "Standard_D4s_v5")

Other services (metrics, prices, blobs) are added to `azure.door.services`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.azure_advice import Advisor
from tests.fakes.azure_arm import Answer, Call, Door, refusal, said, serve

REGION = "westeurope"
CREATED = "2026-01-05T08:30:00.1234567+00:00"
Thing = dict[str, Any]


def guid(number: int) -> str:
    """An id as Azure's: 00000000-0000-0000-0000-000000000001."""
    return f"00000000-0000-0000-0000-{number:012}"


@dataclass
class Tenant:
    """What there is. Ids keep the case they are given; paths know no case, as with Azure."""

    door: Door = field(default_factory=Door)
    subscriptions: dict[str, Thing] = field(default_factory=dict)
    things: dict[str, Thing] = field(default_factory=dict)  # by id in lower case
    hidden: set[str] = field(default_factory=set)  # subscriptions that are not listed
    sizes: dict[str, list[Thing]] = field(default_factory=dict)  # resource SKUs by region
    advisor: Advisor = field(init=False)  # recommends nothing

    def __post_init__(self) -> None:
        self.advisor = Advisor(self.door)

    @property
    def url(self) -> str:
        return self.door.url

    # -- what a test puts there -------------------------------------------------------------------

    def subscription(self, name: str, state: str = "Enabled") -> str:
        """A subscription; its id."""
        made = guid(len(self.subscriptions) + 1)
        self.subscriptions[made] = {
            "id": f"/subscriptions/{made}",
            "subscriptionId": made,
            "displayName": name,
            "state": state,
        }
        return made

    def add(
        self, subscription: str, kind: str, name: str, *, group: str = "Shop-RG", **more: Any
    ) -> str:
        """A resource of a kind like Microsoft.Compute/disks; its id.

        Args:
            kind: what is inside another thing names it: .../virtualMachineScaleSets/pool/
                virtualMachines.
            more: of its JSON; `properties`, say.
        """
        namespace, *parts = kind.split("/")
        made = f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{kind}/{name}"
        self.things[made.lower()] = {
            "id": made,
            "name": name,
            "type": "/".join([namespace, *parts[::2]]),
            "location": REGION,
            **more,
        }
        return made

    def machine(
        self,
        subscription: str,
        name: str,
        size: str,
        *,
        power: str = "running",
        system: str = "Linux",
        properties: Thing | None = None,
        **more: Any,
    ) -> str:
        """A virtual machine; its id."""
        inside = _machine(size, power, system) | (properties or {})
        kind = "Microsoft.Compute/virtualMachines"
        return self.add(subscription, kind, name, properties=inside, **more)

    def scale_set(
        self,
        subscription: str,
        name: str,
        size: str,
        *,
        count: int = 0,
        mode: str = "Uniform",
        priority: str = "Regular",
    ) -> str:
        """A scale set and, of a uniform one, so many running instances; the set's id."""
        kind = "Microsoft.Compute/virtualMachineScaleSets"
        made = self.add(
            subscription,
            kind,
            name,
            sku={"name": size, "tier": "Standard", "capacity": count},
            properties={
                "orchestrationMode": mode,
                "provisioningState": "Succeeded",
                "timeCreated": CREATED,
                "virtualMachineProfile": {"priority": priority},
            },
        )
        for number in range(count if mode == "Uniform" else 0):
            one = self.add(
                subscription,
                f"{kind}/{name}/virtualMachines",
                str(number),
                instanceId=str(number),
                sku={"name": size, "tier": "Standard"},
                properties=_machine(size, "running", "Linux"),
            )
            self.things[one.lower()]["name"] = f"{name}_{number}"
        return made

    # -- what a client sees -----------------------------------------------------------------------

    def resource_manager(self, call: Call) -> Answer | None:
        """What every call must have; then subscriptions, lists of resources, and sizes."""
        if not call.path.lower().startswith("/subscriptions"):
            return None
        if not call.headers.get("authorization", "").startswith("Bearer "):
            return refusal(401, "AuthenticationFailed", "The 'Authorization' header is missing.")
        if "api-version" not in call.query:
            return refusal(400, "MissingApiVersionParameter", "The api-version is required.")
        parts = call.path.strip("/").split("/")
        if len(parts) == 1:
            shown = [one for name, one in self.subscriptions.items() if name not in self.hidden]
            return self.door.pages.page(call, self.url, shown)
        found = self.subscriptions.get(call.subscription)
        if found is None:
            return refusal(404, "SubscriptionNotFound", f"'{parts[1]}' could not be found.")
        return said(found) if len(parts) == 2 else self._listed(call)

    def _listed(self, call: Call) -> Answer | None:
        path = call.path.lower()
        if path.endswith("/providers/microsoft.compute/skus"):
            return self._sizes(call)
        parent, _, kind = path.rpartition("/")
        if "/resourcegroups/" in path:  # what is inside another thing
            if parent not in self.things:
                return None
            inside = [one for key, one in self.things.items() if key.rpartition("/")[0] == path]
        else:
            scope, _, namespace = parent.rpartition("/providers/")
            wanted = f"{namespace}/{kind}"
            if wanted not in _LISTED:
                return None
            inside = [
                one
                for key, one in self.things.items()
                if key.startswith(f"{scope}/") and one["type"].lower() == wanted
            ]
        return self.door.pages.page(call, self.url, inside, lambda one: _shown(one, call))

    def _sizes(self, call: Call) -> Answer:
        region = call.query.get("$filter", "").partition("location eq '")[2].rstrip("'")
        chosen = [region] if region else sorted(self.sizes)
        return said({"value": [sku for name in chosen for sku in self.sizes.get(name, ())]})


_LISTED = frozenset(
    {
        "microsoft.compute/virtualmachines",
        "microsoft.compute/virtualmachinescalesets",
        "microsoft.compute/disks",
        "microsoft.compute/snapshots",
        "microsoft.network/publicipaddresses",
        "microsoft.network/natgateways",
        "microsoft.network/loadbalancers",
    }
)


@contextmanager
def cloud() -> Iterator[Tenant]:
    """An empty tenant, served."""
    tenant = Tenant()
    tenant.door.services.append(tenant.resource_manager)
    with serve(tenant.door):
        yield tenant


def _machine(size: str, power: str, system: str) -> Thing:
    """Properties of a machine, its instance view included."""
    return {
        "vmId": guid(99),
        "provisioningState": "Succeeded",
        "timeCreated": CREATED,
        "hardwareProfile": {"vmSize": size},
        "storageProfile": {
            "imageReference": {
                "publisher": "Canonical",
                "offer": "ubuntu-24_04-lts",
                "sku": "server",
            },
            "osDisk": {"osType": system, "name": "disk"},
        },
        "instanceView": {
            "statuses": [
                {"code": "ProvisioningState/succeeded", "level": "Info"},
                {"code": f"PowerState/{power}", "level": "Info"},
            ]
        },
    }


def _shown(thing: Thing, call: Call) -> Thing:
    """The thing as that call shows it: what a machine is, or how it runs, never both."""
    kind = thing["type"].lower()
    shown = deepcopy(thing)
    if kind == "microsoft.compute/virtualmachines":
        if call.query.get("statusOnly") == "true":
            view = shown["properties"].get("instanceView")
            return {
                **{name: shown[name] for name in ("id", "name", "type", "location")},
                "properties": {"vmId": shown["properties"]["vmId"], "instanceView": view},
            }
        shown["properties"].pop("instanceView", None)
    elif call.query.get("$expand") != "instanceView":
        shown.get("properties", {}).pop("instanceView", None)
    return shown


def sku(
    name: str,
    family: str,
    vcpus: int,
    memory_gib: float,
    *,
    region: str = REGION,
    restrictions: Iterable[Thing] = (),
    **capabilities: object,
) -> Thing:
    """A size as the list of resource SKUs has it; capabilities are text."""
    named: dict[str, object] = {
        "vCPUs": vcpus,
        "vCPUsAvailable": vcpus,
        "vCPUsPerCore": 2,
        "MemoryGB": memory_gib,
        "CpuArchitectureType": "x64",
        "MaxResourceVolumeMB": 0,
        **capabilities,
    }
    return {
        "resourceType": "virtualMachines",
        "name": name,
        "tier": "Standard",
        "size": name.removeprefix("Standard_"),
        "family": family,
        "locations": [region],
        "locationInfo": [{"location": region, "zones": ["1", "2", "3"]}],
        "capabilities": [{"name": key, "value": str(value)} for key, value in named.items()],
        "restrictions": list(restrictions),
    }


def closed(region: str = REGION, reason: str = "NotAvailableForSubscription") -> Thing:
    """A restriction of a size in a region."""
    return {
        "type": "Location",
        "values": [region],
        "restrictionInfo": {"locations": [region]},
        "reasonCode": reason,
    }


def usual_sizes(region: str = REGION) -> list[Thing]:
    """Two families and a disk, as a region lists them."""
    dsv5 = [
        sku(f"Standard_D{n}s_v5", "standardDSv5Family", n, 4.0 * n, region=region)
        for n in (2, 4, 8, 16)
    ]
    esv5 = [
        sku(f"Standard_E{n}s_v5", "standardESv5Family", n, 8.0 * n, region=region)
        for n in (2, 4, 8)
    ]
    disk = {"resourceType": "disks", "name": "Premium_LRS", "locations": [region]}
    return [*dsv5, *esv5, disk]


def populate(azure: Tenant, subscription: str) -> dict[str, str]:
    """One of each thing that the inventory lists; ids as Azure spells them, by a nickname."""
    web = azure.machine(
        subscription, "Web-1", "Standard_D4s_v5", tags={"team": "shop", "Env": ""}, zones=["1"]
    )
    compute, network = "Microsoft.Compute", "Microsoft.Network"
    ids = {
        "web": web,
        "stopped": azure.machine(subscription, "stopped", "Standard_D2s_v5", power="stopped"),
        "off": azure.machine(subscription, "off", "Standard_E2s_v5", power="deallocated"),
        "spot": azure.machine(
            subscription,
            "spot",
            "Standard_D8s_v5",
            properties={"priority": "Spot", "evictionPolicy": "Deallocate"},
        ),
        "windows": azure.machine(subscription, "win", "Standard_D2s_v5", system="Windows"),
        "hybrid": azure.machine(
            subscription,
            "hybrid",
            "standard_d2s_v5",
            system="Windows",
            properties={"licenseType": "Windows_Server"},
        ),
        "pool": azure.scale_set(
            subscription, "aks-pool-vmss", "Standard_D4s_v5", count=3, priority="Spot"
        ),
        "flexible": azure.scale_set(subscription, "flex", "Standard_D2s_v5", mode="Flexible"),
    }
    ids["member"] = azure.machine(
        subscription,
        "flex_1a2b",
        "Standard_D2s_v5",
        properties={"virtualMachineScaleSet": {"id": ids["flexible"]}},
    )
    ids["data"] = azure.add(
        subscription,
        f"{compute}/disks",
        "data",
        managedBy=web,
        sku={"name": "Premium_LRS", "tier": "Premium"},
        properties={
            "diskState": "Attached", "diskSizeGB": 128, "diskIOPSReadWrite": 500,
            "diskMBpsReadWrite": 100, "tier": "P10", "timeCreated": CREATED,
        },
    )  # fmt: skip
    ids["loose"] = azure.add(
        subscription,
        f"{compute}/disks",
        "loose",
        sku={"name": "StandardSSD_LRS"},
        properties={
            "diskState": "Unattached", "diskSizeGB": 512,
            "LastOwnershipUpdateTime": "2026-02-01T00:00:00+00:00",
        },
    )  # fmt: skip
    ids["snapshot"] = azure.add(
        subscription,
        f"{compute}/snapshots",
        "before",
        sku={"name": "Standard_LRS"},
        properties={
            "provisioningState": "Succeeded", "diskSizeGB": 512, "incremental": True,
            "timeCreated": CREATED, "creationData": {"sourceResourceId": ids["loose"]},
        },
    )  # fmt: skip
    ids |= _network(azure, subscription, network)
    azure.sizes.setdefault(REGION, usual_sizes())
    return ids


def _network(azure: Tenant, subscription: str, network: str) -> dict[str, str]:
    held = azure.add(
        subscription,
        f"{network}/publicIPAddresses",
        "held",
        sku={"name": "Standard"},
        properties={
            "publicIPAllocationMethod": "Static", "ipAddress": "203.0.113.7",
            "ipConfiguration": {"id": f"/subscriptions/{subscription}/NIC/ipConfigurations/a"},
        },
    )  # fmt: skip
    spare = azure.add(
        subscription,
        f"{network}/publicIPAddresses",
        "spare",
        sku={"name": "Standard"},
        properties={"publicIPAllocationMethod": "Static"},
    )
    nat = azure.add(
        subscription,
        f"{network}/natGateways",
        "nat",
        sku={"name": "Standard"},
        properties={"provisioningState": "Succeeded", "subnets": [{"id": "a"}, {"id": "b"}]},
    )
    balancer = azure.add(
        subscription,
        f"{network}/loadBalancers",
        "shop",
        sku={"name": "Standard"},
        properties={
            "provisioningState": "Succeeded",
            "loadBalancingRules": [{"name": "http"}],
            "outboundRules": [{"name": "out"}],
            "backendAddressPools": [
                {"properties": {"loadBalancerBackendAddresses": [{}, {}]}},
                {"properties": {"backendIPConfigurations": [{}]}},
            ],
        },
    )
    return {"held": held, "spare": spare, "nat": nat, "balancer": balancer}
