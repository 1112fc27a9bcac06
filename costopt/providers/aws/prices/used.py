"""The prices that a collect brings: those of what is in use, where the catalogue is wrong or bare.

Spot prices move, so those of the types in use are asked for. On-demand prices stand in the built-in
catalogue; only of types that it lacks the price is asked for. All these calls are free.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from costopt import schema
from costopt.model import Price
from costopt.pricing.catalogue import Catalogue
from costopt.providers import listed
from costopt.providers.aws.access import Account, told
from costopt.providers.aws.prices import products, rows, spot
from costopt.providers.aws.prices.systems import ON_SPOT, System, system
from costopt.providers.aws.settings import AwsSettings
from costopt.providers.base import Problem
from costopt.providers.held import Held

_COLUMNS: Final = (
    "ResourceId", "SubAccountId", "RegionId", "x_InstanceType", "x_OperatingSystem",
    "x_PricingCategory",
)  # fmt: skip


class _Use(NamedTuple):
    """A type in use somewhere; spot or on demand."""

    region: str
    instance_type: str
    system: System
    spot: bool


class _Look(NamedTuple):
    """One look-up: where it is told if it fails, and what it is."""

    where: str
    call: Callable[[], list[Price]]


def in_use(
    accounts: Sequence[Account],
    resources: pa.Table,
    held: Held,
    settings: AwsSettings,
    problems: list[Problem],
) -> pa.Table:
    """Prices of the EC2 machines among the resources that are new to the lake (schema.PRICES),
    sorted.

    Spot prices of spot machines' types, region and system; on-demand prices of types that the
    built-in catalogue does not price there. Where a price of the user's own holds, none is given.
    What AWS refuses becomes a problem.

    Args:
        accounts: who may ask; prices are the same for all, so the first that has such a machine
            is asked.
        resources: in schema.RESOURCES columns.
        held: what the lake has.
    """
    if not accounts:
        return schema.empty(schema.PRICES)
    owners = {account.account_id: account for account in accounts}
    uses = {use: owners.get(owner, accounts[0]) for use, owner in _uses(resources).items()}
    catalogue = Catalogue.load()
    bare = [use for use in sorted(uses) if not use.spot and not _priced(use, catalogue)]
    lookups = [
        *_spot(uses, settings.until or datetime.now(UTC)),
        *(_product(use, uses[use]) for use in bare),
    ]
    found = _looked_up(lookups, settings.max_concurrency, problems)
    return listed.table(held.sift(found).fresh)


def _uses(resources: pa.Table) -> dict[_Use, str]:
    """Each use, and the first of the accounts (by id) that has one."""
    machines = resources.select(_COLUMNS).filter(
        pc.starts_with(resources.column("ResourceId"), "i-")
    )
    uses: dict[_Use, str] = {}
    for row in machines.to_pylist():
        known = system(row["x_OperatingSystem"])
        name, region = row["x_InstanceType"], row["RegionId"]
        if known and region and name and rows.is_type(name):
            use = _Use(region, name, known, row["x_PricingCategory"] == "Dynamic")
            owner = row["SubAccountId"] or ""
            uses[use] = min(uses.get(use, owner), owner)
    return uses


def _spot(uses: dict[_Use, Account], until: datetime) -> list[_Look]:
    """One look-up a region: all types and systems that run there on the spot market."""
    regions: dict[str, list[_Use]] = {}
    for use in sorted(use for use in uses if use.spot and use.system in ON_SPOT):
        regions.setdefault(use.region, []).append(use)
    return [_spot_of(region, here, uses[here[0]], until) for region, here in regions.items()]


def _spot_of(region: str, here: list[_Use], account: Account, until: datetime) -> _Look:
    types = sorted({use.instance_type for use in here})
    systems = sorted({use.system for use in here})
    return _Look(
        f"{account.account_id} {region} ec2:DescribeSpotPriceHistory",
        lambda: spot.prices(account, region, until, types, systems),
    )


def _product(use: _Use, account: Account) -> _Look:
    def ask() -> list[Price]:
        found = products.price(account, use.instance_type, use.region, use.system)
        return [found] if found else []

    return _Look(f"{account.account_id} {use.region} pricing:GetProducts {use.instance_type}", ask)


def _priced(use: _Use, catalogue: Catalogue) -> bool:
    known = catalogue.price(
        rows.PROVIDER, use.region, use.instance_type, operating_system=use.system.name
    )
    return known is not None


def _looked_up(lookups: list[_Look], at_a_time: int, problems: list[Problem]) -> list[Price]:
    """All answers, in the order of the look-ups; each failure a problem of its own."""

    def answer(look: _Look) -> tuple[list[Price], list[Problem]]:
        failed: list[Problem] = []
        found: list[Price] = []
        with told(failed, look.where):
            found = look.call()
        return found, failed

    prices: list[Price] = []
    with ThreadPoolExecutor(at_a_time) as pool:
        for found, failed in pool.map(answer, lookups):
            prices += found
            problems += failed
    return prices
