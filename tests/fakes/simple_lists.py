"""Providers' simple price lists, on loopback, with the layout and the paging of the real ones.

    with site() as list_:
        list_.vultr([vultr_plan("vc2-1c-1gb", 1, 1024, 5.0)])

Entries are written by hand after the documentation named in costopt/providers/lists; the amounts
are chosen so that tests can be worked by hand.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.fakes.loopback import Quiet, served

Entry = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """What was asked."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]


@dataclass(frozen=True)
class Answer:
    """What is said, if not 200 with JSON."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: int = 0  # bytes promised and not sent


Reply = Callable[[Call], object]


@dataclass
class Site:
    """One provider's host: who answers at which path, and who before them."""

    url: str = ""
    replies: dict[str, Reply] = field(default_factory=dict)
    rules: list[Callable[[Call], Answer | None]] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    token: str = ""  # wanted where set

    def answer(self, call: Call) -> Answer:
        self.calls.append(call)
        for rule in self.rules:
            if (said := rule(call)) is not None:
                return said
        if self.token and call.headers.get("authorization") != f"Bearer {self.token}":
            return Answer(401, b'{"error": {"code": "unauthorized"}}')
        if call.path not in self.replies:
            return Answer(404, b'{"error": "not found"}')
        told = self.replies[call.path](call)
        return told if isinstance(told, Answer) else Answer(200, json.dumps(told).encode())

    def says(self, path: str, document: object) -> None:
        """The same document to everybody."""
        self.replies[path] = lambda call: document

    # -- the lists, each with its own way of paging -------------------------------------------

    def vultr(self, plans: Sequence[Entry]) -> None:
        def reply(call: Call) -> object:
            size = int(call.query.get("per_page", 100))
            start = int(call.query.get("cursor", "0"))
            more = str(start + size) if start + size < len(plans) else ""
            meta = {"total": len(plans), "links": {"next": more, "prev": ""}}
            return {"plans": plans[start : start + size], "meta": meta}

        self.replies["/v2/plans"] = reply

    def linode(self, path: str, data: Sequence[Entry]) -> None:
        def reply(call: Call) -> object:
            size, page = int(call.query.get("page_size", 100)), int(call.query.get("page", 1))
            pages = -(-len(data) // size)
            some = data[(page - 1) * size : page * size]
            return {"data": some, "page": page, "pages": pages, "results": len(data)}

        self.replies[path] = reply

    def scaleway(self, zone: str, servers: dict[str, Entry]) -> None:
        def reply(call: Call) -> object:
            size = min(int(call.query.get("per_page", 50)), 100)
            page = int(call.query.get("page", 1))
            return {"servers": dict(list(servers.items())[(page - 1) * size : page * size])}

        self.replies[f"/instance/v1/zones/{zone}/products/servers"] = reply

    def hetzner(self, types: Sequence[Entry], pricing: Entry) -> None:
        def reply(call: Call) -> object:
            size = min(int(call.query.get("per_page", 25)), 50)
            page = int(call.query.get("page", 1))
            after = page + 1 if page * size < len(types) else None
            some = types[(page - 1) * size : page * size]
            paging = {"page": page, "per_page": size, "next_page": after}
            return {"server_types": some, "meta": {"pagination": paging}}

        self.replies["/v1/server_types"] = reply
        self.says("/v1/pricing", {"pricing": pricing})

    def digitalocean(self, sizes: Sequence[Entry]) -> None:
        def reply(call: Call) -> object:
            size = min(int(call.query.get("per_page", 20)), 200)
            page = int(call.query.get("page", 1))
            after = f"https://api.digitalocean.com/v2/sizes?page={page + 1}"
            pages = {"pages": {"next": after}} if page * size < len(sizes) else {}
            some = sizes[(page - 1) * size : page * size]
            return {"sizes": some, "links": pages, "meta": {"total": len(sizes)}}

        self.replies["/v2/sizes"] = reply


@contextmanager
def site() -> Iterator[Site]:
    """A host without lists, served."""
    here = Site()

    class Handler(Quiet):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            said = here.answer(Call(parts.path, dict(parse_qsl(parts.query)), headers))
            self.send_response(said.status)
            for name, value in said.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(said.body) + said.cut))
            self.end_headers()
            self.wfile.write(said.body)
            self.close_connection = bool(said.cut)

    with served(Handler) as here.url:
        yield here


# -- entries ---------------------------------------------------------------------------------


def vultr_plan(name: str, vcpus: int, ram: int, monthly: float, **other: Any) -> Entry:
    return {
        "id": name,
        "vcpu_count": vcpus,
        "ram": ram,
        "disk": 25,
        "disk_count": 1,
        "bandwidth": 1024,
        "monthly_cost": monthly,
        "hourly_cost": round(monthly / 672, 3),
        "monthly_cost_preemptible": 0,
        "hourly_cost_preemptible": 0,
        "invoice_type": "monthly",
        "type": name.partition("-")[0],
        "locations": ["ewr", "fra"],
        "cpu_vendor": "Intel",
        "storage_type": "local_storage",
        "deploy_ondemand": True,
        "deploy_preemptible": False,
        "location_cost": {},
    } | other


def linode_type(name: str, vcpus: int, memory: int, monthly: float | None, **other: Any) -> Entry:
    hourly = 1.5 if monthly is None else round(monthly / 672, 4)
    return {
        "id": name,
        "label": name,
        "price": {"hourly": hourly, "monthly": monthly},
        "region_prices": [],
        "addons": {"backups": {"price": {"hourly": 0.003, "monthly": 2.0}}},
        "memory": memory,
        "disk": 81920,
        "transfer": 4000,
        "vcpus": vcpus,
        "gpus": 0,
        "network_out": 4000,
        "class": "standard",
        "successor": None,
    } | other


def linode_region(name: str, *capabilities: str, **other: Any) -> Entry:
    return {
        "id": name,
        "country": "de",
        "capabilities": ["Linodes", "Block Storage", *capabilities],
        "status": "ok",
        "site_type": "core",
    } | other


def scaleway_server(vcpus: int, ram_gib: int, hourly: float, **other: Any) -> Entry:
    return {
        "alt_names": [],
        "arch": "x86_64",
        "ncpus": vcpus,
        "ram": ram_gib * 2**30,
        "gpu": None,
        "gpu_info": None,
        "mig_profile": None,
        "volumes_constraint": {"min_size": 0, "max_size": 0},
        "hourly_price": hourly,
        "monthly_price": round(hourly * 730, 2),
        "network": {"sum_internet_bandwidth": 400_000_000, "interfaces": []},
        "baremetal": False,
        "end_of_service": False,
    } | other


def ovh_addon(plan: str, cores: int, memory: int, price: int, **other: Any) -> Entry:
    """A plan of a machine; `regions` names those of its configuration, `technical` adds."""
    regions = other.pop("regions", ())
    interval = "month" if ".monthly" in plan else "hour"
    named = [{"name": "region", "isCustom": False, "values": list(regions)}] if regions else []
    return {
        "planCode": plan,
        "invoiceName": plan.partition(".")[0],
        "product": "publiccloud-instance",
        "configurations": named,
        "pricings": [
            {"commitment": 0, "interval": 1, "intervalUnit": interval, "price": price, "tax": 0}
        ],
        "blobs": {
            "technical": {
                "name": plan.partition(".")[0],
                "cpu": {"cores": cores, "frequency": 2.3, "type": "vCore"},
                "memory": {"size": memory},
                "storage": {"disks": [{"capacity": 50, "number": 1, "technology": "NVMe"}]},
                "os": {"family": "linux"},
                **other.pop("technical", {}),
            }
        },
    } | other


def ovh_catalogue(addons: Sequence[Entry], currency: str = "EUR") -> Entry:
    locale = {"currencyCode": currency, "subsidiary": "DE", "taxRate": 19}
    disk = {"planCode": "volume.classic.consumption", "product": "publiccloud-volume"}
    return {
        "catalogId": 1,
        "locale": locale,
        "plans": [],
        "products": [],
        "addons": [disk, *addons],
    }


def stackit_sku(flavor: str, price: str, month: str, **other: Any) -> Entry:
    return {
        "id": "1",
        "sku": f"ST-{flavor}",
        "name": f"General Purpose Server-{flavor}-EU01",
        "region": "eu01",
        "category": "Compute",
        "product": "Server",
        "price": price,
        "monthlyPrice": month,
        "currency": "EUR",
        "maturityModelState": "ga",
        "deprecated": "No",
        "attributes": {"flavor": flavor, "metro": False},
    } | other


def hetzner_price(location: str, hour: str, month: str, **other: Any) -> Entry:
    def both(net: str) -> Entry:
        return {"net": net, "gross": f"{float(net) * 1.19:.10f}"}

    return {
        "location": location,
        "price_hourly": both(hour),
        "price_monthly": both(month),
        "included_traffic": 20 * 2**40,
        "price_per_tb_traffic": both("1.0000000000"),
    } | other


def hetzner_type(name: str, cores: int, memory: float, *prices: Entry, **other: Any) -> Entry:
    return {
        "id": 1,
        "name": name,
        "description": name.upper(),
        "cores": cores,
        "memory": memory,
        "disk": 40,
        "deprecated": False,
        "prices": list(prices),
        "storage_type": "local",
        "cpu_type": "shared",
        "architecture": "x86",
    } | other


def digitalocean_size(slug: str, vcpus: int, memory: int, monthly: float, **other: Any) -> Entry:
    return {
        "slug": slug,
        "memory": memory,
        "vcpus": vcpus,
        "disk": 80,
        "transfer": 4.0,
        "price_monthly": monthly,
        "price_hourly": round(monthly / 672, 5),
        "regions": ["ams3", "fra1"],
        "available": True,
        "description": "Basic",
    } | other


def ecb_daily(day: str, **rates: str) -> bytes:
    """The bank's file of a day; ten currencies at least, unless told otherwise."""
    usual = {
        "USD": "1.1000", "JPY": "170.00", "CZK": "25.000", "DKK": "7.4600", "GBP": "0.8500",
        "HUF": "390.00", "PLN": "4.2500", "SEK": "11.000", "CHF": "0.9400", "NOK": "11.500",
    }  # fmt: skip
    cubes = "\n".join(
        f"\t\t\t<Cube currency='{code}' rate='{rate}'/>" for code, rate in (usual | rates).items()
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" \
xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
\t<gesmes:subject>Reference rates</gesmes:subject>
\t<gesmes:Sender>
\t\t<gesmes:name>European Central Bank</gesmes:name>
\t</gesmes:Sender>
\t<Cube>
\t\t<Cube time='{day}'>
{cubes}
\t\t</Cube>
\t</Cube>
</gesmes:Envelope>
""".encode()
