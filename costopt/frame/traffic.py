"""What a bill says that resources send: GiB a month to the internet, to other regions and zones;
and what comes to them from outside, which is free and on most bills all the same.

A row is told by its text, as the providers write their meters; rows in other units than bytes are
no traffic. AWS, Google and Azure count a GB of 2^30 bytes.

Sources (read 2026-11): AWS, "Understanding data transfer charges" (usage types `DataTransfer-Out-
Bytes` to the internet, `<REGION>-<REGION>-AWS-Out-Bytes` to another region, `DataTransfer-Regional-
Bytes` to another zone, where each side is billed for both ways). Google's and Azure's meters by
names in the price lists: "Network Internet Data Transfer Out ...", "Network Inter Region ...",
"Network Inter Zone ..." (older ones say "Egress"); "Standard Data Transfer Out", "Inter Continent
Data Transfer Out", "Intra Continent Data Transfer Out", "Inter-Availability Zone Data Transfer".

What comes in costs nothing: on AWS's bills as `DataTransfer-In-Bytes` and, from another region,
`<REGION>-<REGION>-AWS-In-Bytes` ("there's no charge for the data transferred into the destination
Region", the same page; with one region alone it may be peering within it, and does not count); on
Google's as "Network Internet Ingress from APAC to Americas" ("no charge for inbound data transfer",
VPC pricing; intra and inter zone ingress is of neighbours, and does not count); on Azure's as
"Standard Data Transfer In" (product "Rtn Preference: MGN", 0 a GB, Azure Retail Prices).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Final

import duckdb
import pyarrow as pa

from costopt.frame.cost import resource_key
from costopt.model import Window
from costopt.units import HOURS_PER_MONTH, provider_key

COLUMNS: Final = (
    "ChargeCategory",
    "ChargeDescription",
    "ChargePeriodStart",
    "ConsumedQuantity",
    "ConsumedUnit",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "ResourceId",
    "SkuId",
    "SkuMeter",
)
"""What `traffic` needs of a bill."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """What one resource sends and is sent from outside, GiB a month of 730 hours."""

    internet: float = 0.0
    regions: float = 0.0  # to other regions of its provider
    zones: float = 0.0  # to other zones of its region
    received: float = 0.0  # from the internet and other regions: free wherever it runs

    def __add__(self, other: Traffic) -> Traffic:
        return Traffic(
            self.internet + other.internet,
            self.regions + other.regions,
            self.zones + other.zones,
            self.received + other.received,
        )

    @property
    def total(self) -> float:
        """All that it sends and is billed for."""
        return self.internet + self.regions + self.zones


@dataclass(frozen=True, slots=True)
class Sent:
    """All that a bill tells of traffic."""

    of_each: Mapping[str, Traffic]  # by `resource_key`
    nameless: Mapping[str, Traffic]  # by `provider_key`: billed without a resource


_NOTHING: Final[Mapping[str, float]] = MappingProxyType({})

# The first that matches counts. Texts are compared without case.
_ZONES: Final = r"regional-bytes|regional data transfer|inter[- ]?(availability[- ]?)?zone"
_REGIONS: Final = (
    r"-aws-out-bytes|inter[- ]?region|(inter|intra)[- ]?continent|egress between|"
    r"data transfer out between|between .* and .* regions"
)
_INTERNET: Final = r"datatransfer-out-bytes|data transfer[- ]\(?out|egress"
_INWARD: Final = r"-in-bytes|data transfer[- ]in\b|data transfer from|ingress"
_RECEIVED: Final = (
    r"datatransfer-in-bytes|[a-z0-9]+-[a-z0-9]+-aws-in-bytes|data transfer[- ]in\b|"
    r"data transfer from|(internet|inter region) ingress"
)
_NEAR: Final = r"regional|(intra|inter)[- ]?(availability[- ]?)?zone"
_UNITS: Final[Mapping[str, float]] = {
    "b": 2.0**-30, "byte": 2.0**-30, "bytes": 2.0**-30,
    "mb": 2.0**-10, "mib": 2.0**-10, "mebibyte": 2.0**-10,
    "gb": 1.0, "gib": 1.0, "gibibyte": 1.0, "gigabyte": 1.0, "gigabytes": 1.0,
    "tb": 1024.0, "tib": 1024.0, "tebibyte": 1024.0,
}  # fmt: skip

_QUERY: Final = """
with rows as (
    select ProviderName, ResourceId, ChargePeriodStart,
        lower(concat_ws(' ', SkuMeter, SkuId, ChargeDescription)) as told,
        lower(trim(coalesce(ConsumedUnit, PricingUnit))) as unit,
        case when ConsumedUnit is not null then ConsumedQuantity else PricingQuantity end as amount
    from charges where ChargeCategory = 'Usage'
)
select ProviderName, ResourceId,
    case when regexp_matches(told, $inward) then 'received'
         when regexp_matches(told, $zones) then 'zones'
         when regexp_matches(told, $regions) then 'regions' else 'internet' end as way,
    sum(amount * units.gib)::double as gib
from rows join units on rows.unit = units.name
join spans on rows.ProviderName = spans.provider
    and ChargePeriodStart >= spans.since and ChargePeriodStart < spans.until
where case when regexp_matches(told, $inward)
    then regexp_matches(told, $received) and not regexp_matches(told, $near)
    else regexp_matches(told, $zones || '|' || $regions || '|' || $internet) end
group by all order by all
"""


def traffic(
    charges: pa.Table, spans: Mapping[str, Window], missing: Mapping[str, float] = _NOTHING
) -> Sent:
    """GiB a month that each resource sends, and is sent from outside, by the bill.

    Args:
        charges: schema.CHARGES, at least `COLUMNS` of it.
        spans: by `provider_key`, what a month is reckoned from (frame.cost.Bill.spans).
        missing: hours of them of which there is no bill (frame.cost.Bill.missing): they are no
            time in which nothing was sent.
    """
    names = {
        name: provider_key(name)
        for name in charges.column("ProviderName").unique().to_pylist()
        if name
    }
    told = [(name, spans[key].start, spans[key].end) for name, key in names.items() if key in spans]
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.register("charges", charges)
        connection.execute("create table units (name varchar, gib double)")
        connection.executemany("insert into units values (?, ?)", list(_UNITS.items()))
        connection.execute(
            "create table spans (provider varchar, since timestamptz, until timestamptz)"
        )
        if told:
            connection.executemany("insert into spans values (?, ?, ?)", told)
        patterns = {
            "zones": _ZONES, "regions": _REGIONS, "internet": _INTERNET,
            "inward": _INWARD, "received": _RECEIVED, "near": _NEAR,
        }  # fmt: skip
        rows = connection.execute(_QUERY, patterns).fetchall()
    of_each: dict[str, Traffic] = {}
    nameless: dict[str, Traffic] = {}
    for provider, resource, way, gib in rows:
        at = names[provider]
        hours = (spans[at].end - spans[at].start) / timedelta(hours=1) - missing.get(at, 0.0)
        monthly = gib * HOURS_PER_MONTH / hours
        into, key = (of_each, resource_key(resource)) if resource else (nameless, at)
        into[key] = into.get(key, Traffic()) + Traffic(**{way: monthly})
    return Sent(of_each, nameless)
