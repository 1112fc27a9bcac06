"""What planned changes cost a month before and after: at list price, on demand.

Every part (machine, each disk) has its price or the reason why none is known. A part of which no
price is known on one side is left out of both, so that their difference is of the same things; it
is named, and never counted as nothing. Use (traffic, requests) is no part: a plan tells none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, TypeAlias

from costopt.model import Price, RateKind, Shape
from costopt.policy.planned import aws, azure, gcp
from costopt.policy.planned.contents import Contents, Disk, Machine, Reader, Seen
from costopt.policy.planned.terraform import Plan, Planned, Side
from costopt.policy.planned.unbilled import is_free
from costopt.pricing.catalogue import Catalogue
from costopt.units import HOURS_PER_MONTH, money, per_month, provider_key

KINDS: Final[Mapping[str, Reader]] = {**aws.KINDS, **azure.KINDS, **gcp.KINDS}
"""Kinds whose machines and disks are read."""
_REGIONS: Final = {"AWS": aws.region, "Azure": azure.region, "GCP": gcp.region}
_GENERAL: Final = {"aws": "gp3", "azure": "premiumv2_lrs", "gcp": "pd-balanced"}
"""The general-purpose disk that `RateKind.BLOCK_STORAGE` prices (pricing/snapshot/rates.csv)."""

Parts: TypeAlias = Mapping[str, Decimal | str]
"""By what people call them: money a month, or why it is not known."""


@dataclass(frozen=True, slots=True, eq=False)
class Priced:
    """One change with its price; None = not known."""

    planned: Planned
    contents: Contents | None  # once done; of what is deleted before; None = not read
    region: str | None  # RegionId
    shape: Shape | None  # of one of its machines
    monthly_before: Decimal | None
    monthly: Decimal | None  # once done
    unpriced: tuple[str, ...]  # "root disk: its size is not known": what the amounts do not hold

    @property
    def difference(self) -> Decimal | None:
        """Money a month that it adds."""
        if self.monthly is None or self.monthly_before is None:
            return None
        return self.monthly - self.monthly_before

    @property
    def hourly(self) -> Decimal | None:
        """Once done."""
        return None if self.monthly is None else money(self.monthly / HOURS_PER_MONTH)


def priced(plan: Plan, catalogue: Catalogue, currency: str = "USD") -> tuple[Priced, ...]:
    """Every change of the plan, in its order.

    Args:
        currency: prices in others are unknown: amounts are not converted.
    Raises:
        InputError: an attribute that is needed is of another kind than its provider has it.
    """
    counted = _Pricing(catalogue, currency)
    return tuple(counted.of(one, plan) for one in plan.changes)


@dataclass(frozen=True, slots=True)
class _Pricing:
    catalogue: Catalogue
    currency: str

    def of(self, one: Planned, plan: Plan) -> Priced:
        before, after = _contents(one, plan, "before"), _contents(one, plan, "after")
        sides = (
            self._parts(one, before) if one.before else {},
            self._parts(one, after) if one.after else {},
        )
        why = {
            name: amount
            for side in sides
            for name, amount in side.items()
            if isinstance(amount, str)
        }
        contents = after if one.after else before
        machine = contents.machine if contents else None
        return Priced(
            planned=one,
            contents=contents,
            region=contents.region if contents else _region(one, plan),
            shape=self._shape(one, machine),
            monthly_before=_sum(sides[0], why),
            monthly=_sum(sides[1], why),
            unpriced=tuple(f"{name}: {reason}" if name else reason for name, reason in why.items()),
        )

    def _parts(self, one: Planned, contents: Contents | None) -> Parts:
        if contents is None:
            return {} if is_free(one.kind) else {"": f"no list price of {one.kind} is known"}
        found: dict[str, Decimal | str] = dict(contents.others)
        if contents.machine:
            found["machine"] = self._machine(one, contents.region, contents.machine)
        for name, disk in contents.disks.items():
            found[name] = self._disk(one, contents.region, disk)
        return {name: _times(amount, contents.count) for name, amount in found.items()}

    def _machine(self, one: Planned, region: str | None, machine: Machine) -> Decimal | str:
        """A month of one."""
        if machine.apart:
            return machine.apart
        if machine.instance_type is None:
            return "its type is not known"
        if region is None:
            return "its region is not known"
        shape = self._shape(one, machine)
        if machine.gpu_count != 0 and not (shape and shape.gpu_count):
            return "no list price of cards that are added to a type is known"
        price = self._price(one, region, machine)
        system = "" if machine.system == "Linux" else f" with {machine.system}"
        what = f"no list price of {machine.instance_type}{system} in {region} is known"
        return per_month(price.list_unit_price) if price else what

    def _price(self, one: Planned, region: str, machine: Machine) -> Price | None:
        return self.catalogue.price(
            one.provider,
            region,
            machine.instance_type or "",
            operating_system=machine.system,
            currency=self.currency,
        )

    def _disk(self, one: Planned, region: str | None, disk: Disk) -> Decimal | str:
        """A month of one."""
        known = _GENERAL.get(provider_key(one.provider))
        if disk.volume_type is None or disk.size_gib is None:
            return f"its {'type' if disk.size_gib is not None else 'size'} is not known"
        if region is None:
            return "its region is not known"
        if disk.volume_type.casefold() != known:
            return f"no list price of {disk.volume_type} is known"
        rates = self.catalogue.rates(
            one.provider, RateKind.BLOCK_STORAGE, region, currency=self.currency
        )
        if not rates:
            return f"no list price of {disk.volume_type} in {region} is known"
        if disk.apart:
            return disk.apart
        ends = [*(rate.from_gib for rate in rates[1:]), disk.size_gib]
        return money(
            sum(
                (
                    rate.list_unit_price * max(min(end, disk.size_gib) - rate.from_gib, Decimal(0))
                    for rate, end in zip(rates, ends, strict=True)
                ),
                Decimal(0),
            )
        )

    def _shape(self, one: Planned, machine: Machine | None) -> Shape | None:
        if machine is None or machine.instance_type is None:
            return None
        return self.catalogue.shape(one.provider, machine.instance_type)


def _contents(one: Planned, plan: Plan, side: Side) -> Contents | None:
    """None of what is not there then, and of kinds that are not read."""
    values, reader = one.values(side), KINDS.get(one.kind)
    return reader(Seen(one, values, side, plan)) if values and reader else None


def _region(one: Planned, plan: Plan) -> str | None:
    """Of a kind that is not read."""
    side: Side = "after" if one.after else "before"
    values, of_provider = one.values(side), _REGIONS.get(one.provider)
    return of_provider(Seen(one, values, side, plan)) if values and of_provider else None


def _times(amount: Decimal | str, count: Decimal | None) -> Decimal | str:
    if isinstance(amount, str):
        return amount
    return "how many there are is not known" if count is None else money(amount * count)


def _sum(parts: Parts, without: Mapping[str, str]) -> Decimal | None:
    """Of those that have a price on both sides; None where there are parts, but none of these."""
    amounts = [
        amount
        for name, amount in parts.items()
        if name not in without and not isinstance(amount, str)
    ]
    return None if parts and not amounts else sum(amounts, Decimal(0))
