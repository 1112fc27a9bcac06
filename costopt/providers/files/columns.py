"""Which column of a file is which of ours: by mapping, by name, or by a name people use for it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import Final

from costopt import schema
from costopt.errors import InputError
from costopt.frame import bill
from costopt.providers.bills.whose import collector
from costopt.providers.mapping import Source, Table

REQUIRED: Final[Mapping[schema.TableName, tuple[str, ...]]] = MappingProxyType(
    {
        "resources": ("ProviderName", "ResourceId"),
        "metrics": ("ResourceId", "Timestamp"),
        "charges": bill.REQUIRED,
        "prices": ("ProviderName", "x_InstanceType", "ListUnitPrice", "PricingCurrency"),
        "shapes": ("ProviderName", "x_InstanceType", "x_vCPUs"),
        "rates": ("ProviderName", "x_RateKind", "ListUnitPrice", "PricingCurrency"),
        "exchange": ("x_Currency", "x_ToCurrency", "x_Rate", "x_ValidFrom"),
    }
)
"""Columns without which a file of that table cannot be used; the others have a default or not."""

# Only names with one meaning: "memory" says no unit, "type" may be anything.
_MACHINE: Final = {
    "provider": "ProviderName",
    "cloud": "ProviderName",
    "cloudprovider": "ProviderName",
    "region": "RegionId",
    "machinetype": "x_InstanceType",
    "vmsize": "x_InstanceType",
    "vcpu": "x_vCPUs",
    "vcpucount": "x_vCPUs",
    "cpus": "x_vCPUs",
    "arch": "x_Architecture",
    "os": "x_OperatingSystem",
    "memorygb": "x_MemoryGiB",  # clouds say GB and mean GiB
    "gpus": "x_GPUCount",
    "gpu": "x_GPUModel",
}
_ALIASES: Final[Mapping[schema.TableName, Mapping[str, str]]] = MappingProxyType(
    {
        "resources": {
            **_MACHINE,
            "instanceid": "ResourceId",
            "vmid": "ResourceId",
            "account": "SubAccountId",
            "accountid": "SubAccountId",
            "project": "SubAccountId",
            "subscription": "SubAccountId",
            "service": "ServiceName",
            "status": "x_State",
        },
        "metrics": {
            "instanceid": "ResourceId",
            "vmid": "ResourceId",
            "metric": "MetricName",
            "stat": "Statistic",
            "aggregation": "Statistic",
            "time": "Timestamp",
            "datetime": "Timestamp",
            "period": "PeriodSeconds",
        },
        "charges": {},
        "prices": {
            **_MACHINE,
            "hourlyprice": "ListUnitPrice",
            "priceperhour": "ListUnitPrice",
            "currency": "PricingCurrency",
            "category": "PricingCategory",
        },
        "shapes": {
            **_MACHINE,
            "family": "x_Family",
            "cores": "x_PhysicalCores",
        },
        "rates": {
            "provider": "ProviderName",
            "cloud": "ProviderName",
            "region": "RegionId",
            "kind": "x_RateKind",
            "pricepergib": "ListUnitPrice",
            "currency": "PricingCurrency",
            "fromgb": "x_FromGiB",  # clouds say GB and mean GiB
            "source": "x_Source",
        },
        "exchange": {
            "from": "x_Currency",
            "to": "x_ToCurrency",
            "date": "x_ValidFrom",
            "day": "x_ValidFrom",
            "source": "x_Source",
        },
    }
)


@dataclass(frozen=True, slots=True)
class Plan:
    """Where each of our columns comes from in one file."""

    sources: Mapping[str, Source]
    unknown: tuple[str, ...]  # the file's columns that none of ours takes
    tested: tuple[str, ...]  # the file's columns that say whether a row counts

    @property
    def wanted(self) -> tuple[str, ...]:
        """The file's columns that are read for our own."""
        read = (c for s in self.sources.values() for c in s.columns)
        return tuple(dict.fromkeys((*self.tested, *read)))


def key(name: str) -> str:
    """The name without case, punctuation and our x_: x_vCPUs, vcpus and V CPUs are one."""
    plain = re.sub(r"^x_", "", name.strip(), flags=re.IGNORECASE)
    return re.sub(r"[^0-9a-z]", "", plain.casefold())


def plan(table: schema.TableName, names: Sequence[str], part: Table, where: str) -> Plan:
    """The file's columns laid against ours.

    Args:
        names: the file's columns.
        where: file and line of its header, for messages.
    Raises:
        InputError: two columns claim one of ours, the mapping names a column that is not there.
    """
    tested = [condition.column for condition in part.skip_where]
    for column in (*tested, *(c for s in part.columns.values() for c in s.columns)):
        require(column, names, where)
    mapped = {c for s in part.columns.values() for c in s.columns}
    sources = dict(part.columns)
    for ours, column in _by_name(table, [n for n in names if n not in mapped], where):
        sources.setdefault(ours, Source(column=column))
    taken = {c for s in sources.values() for c in s.columns}
    return Plan(sources, tuple(n for n in names if n not in taken), tuple(tested))


def require(column: str, names: Sequence[str], where: str) -> None:
    """Refuse a mapping that names a column which the file has not."""
    if column in names:
        return
    near = nearest(column, names)
    raise InputError(
        f"the mapping names the column {column!r}, which is not there{near}",
        where=where,
        hint=f"the file has: {', '.join(names[:20])}",
    )


def check_complete(table: schema.TableName, found: Plan, names: Sequence[str], where: str) -> None:
    """Refuse a file without a required column, naming the nearest that it has."""
    missing = [name for name in REQUIRED[table] if name not in found.sources]
    if not missing:
        return
    name = missing[0]
    source = collector(names) if table == "charges" else None
    instead = f"costopt collect {source} --export FILE reads such a bill; " if source else ""
    others = f" (nor {', '.join(missing[1:])})" if len(missing) > 1 else ""
    raise InputError(
        f"no column {name} for the {table} table{others}{nearest(name, found.unknown)}",
        where=where,
        hint=f"{instead}the file has: {', '.join(names[:20])}; rename one, or say in a mapping "
        f"file (--mapping) which it is: {table}: {{columns: {{{name}: ...}}}}",
    )


def nearest(name: str, names: Sequence[str]) -> str:
    """ "; the nearest is ..." for the name most like it, or nothing."""
    keys = {key(n): n for n in reversed(names)}
    near = get_close_matches(key(name), list(keys), n=1, cutoff=0.5)
    return f"; the nearest is {keys[near[0]]!r}" if near else ""


def _by_name(
    table: schema.TableName, names: Sequence[str], where: str
) -> Iterator[tuple[str, str]]:
    """Our columns found under their own name, then under an alias."""
    ours = [*schema.SCHEMAS[table].names, *(["ServiceProviderName"] if table == "charges" else [])]
    own = {key(name): name for name in ours}
    found: dict[str, str] = {}
    for claims in (own, _ALIASES[table]):
        fresh: dict[str, str] = {}
        for name in names:
            column = claims.get(key(name))
            if column is None or column in found:
                continue
            if column in fresh:
                raise InputError(
                    f"the columns {fresh[column]!r} and {name!r} both mean {column}",
                    where=where,
                    hint="rename one, or name the right one in a mapping file (--mapping)",
                )
            fresh[column] = name
        found |= fresh
    yield from found.items()
