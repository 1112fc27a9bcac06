"""The hosts file: what one's own machines are and cost, as YAML, checked on loading.

docs/providers/prometheus.md explains every field; docs/examples/hosts.yml is a working one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import (
    BeforeValidator,
    Field,
    field_validator,
    model_validator,
)

from costopt.documents import yaml_model
from costopt.documents.yaml_file import Document
from costopt.documents.yaml_model import Part, Zone
from costopt.errors import InputError
from costopt.providers.prometheus import amortisation
from costopt.providers.prometheus.amortisation import HourlyCost, Ownership

_READ: Final = "docs/providers/prometheus.md explains the hosts file"
_MOST_KW: Final = 100  # a whole rack of GPUs
_YEAR: Final = Decimal("365.25")  # days
_COSTS: Final = ("currency", "years", "discount_rate", "pue", "power_price_kwh", "kw")


def _no_yes(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("needs a number")  # noqa: TRY004  (pydantic tells ValueErrors)
    return value


def _exact(value: object) -> object:
    """Amounts as they are written: 0.1 is a tenth."""
    _no_yes(value)
    if isinstance(value, (int, float, str)):
        try:
            return Decimal(str(value))
        except InvalidOperation:
            raise ValueError(f"{value!r} is not a number") from None
    return value


def _day(value: object) -> object:
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        raise ValueError(f"{value!r} is no day, like 2026-12-31")
    return value


_Amount = Annotated[Decimal, BeforeValidator(_exact), Field(ge=0, le=10**10, allow_inf_nan=False)]
_Count = Annotated[float, BeforeValidator(_no_yes), Field(gt=0, le=1e6, allow_inf_nan=False)]


class Gpus(Part):
    """The cards of one machine."""

    model: str = Field(min_length=1)
    count: int = Field(ge=1, le=64)
    memory_gib: _Count | None = None  # of one card


class Costs(Part):
    """What all or most machines have in common, or one entry's own."""

    currency: str | None = None
    years: _Amount | None = None
    discount_rate: _Amount | None = None  # percent a year
    salvage: _Amount | None = None
    kw: _Amount | None = None
    pue: _Amount | None = None
    power_price_kwh: _Amount | None = None
    hosting_monthly: _Amount | None = None
    maintenance_yearly: _Amount | None = None
    site: str | None = Field(None, min_length=1)
    time_zone: Zone | None = None
    architecture: Literal["x86_64", "arm64"] | None = None
    tags: dict[str, str] = Field(default_factory=dict)

    @field_validator("currency")
    @classmethod
    def _a_code(cls, given: str | None) -> str | None:
        if given is not None and not re.fullmatch("[A-Z]{3}", given):
            raise ValueError(f"{given!r} is no code of three letters, like EUR")
        return given

    @field_validator("years")
    @classmethod
    def _some_years(cls, given: Decimal | None) -> Decimal | None:
        if given is not None and not Decimal("0.5") <= given <= 30:
            raise ValueError("needs between 0.5 and 30 years")
        return given

    @field_validator("discount_rate")
    @classmethod
    def _a_percentage(cls, given: Decimal | None) -> Decimal | None:
        if given is not None and (given > 50 or 0 < given < Decimal("0.25")):
            raise ValueError("is in percent a year: 8 is 8 %")
        return given

    @field_validator("kw")
    @classmethod
    def _kilowatts(cls, given: Decimal | None) -> Decimal | None:
        if given is not None and given > _MOST_KW:
            raise ValueError(f"is above {_MOST_KW}: kW, not W?")
        return given

    @field_validator("pue")
    @classmethod
    def _a_ratio(cls, given: Decimal | None) -> Decimal | None:
        if given is not None and not 1 <= given <= 5:
            raise ValueError("is the site's power over its machines' power: between 1 and 5")
        return given


class Host(Costs):
    """One machine, or all whose id or name matches a pattern."""

    match: tuple[str, ...] = Field(min_length=1)
    type: str | None = Field(None, min_length=1)
    cores: _Count | None = None
    threads: _Count | None = None
    memory_gib: _Count | None = None
    gpus: Gpus | None = None
    network_gbps: _Count | None = None
    purchase_price: _Amount | None = None
    bought: Annotated[date, BeforeValidator(_day)] | None = None  # past its years it is paid off
    until: Annotated[date, BeforeValidator(_day)] | None = None  # from then on it is not there

    @field_validator("match", mode="before")
    @classmethod
    def _several(cls, given: Any) -> Any:
        return (given,) if isinstance(given, str) else given

    @model_validator(mode="after")
    def _sound(self) -> Host:
        if self.threads and self.cores and self.threads < self.cores:
            raise ValueError("has fewer threads than cores; threads are what the system counts")
        if self.cores and not self.threads:
            raise ValueError("cores needs threads beside it: twice as many with hyper-threading")
        if self.threads and not self.memory_gib:
            raise ValueError("threads needs memory_gib beside it: a shape is both")
        return self

    def covers(self, *names: str | None) -> bool:
        """Whether any of the names matches; case does not matter."""
        wanted = [pattern.casefold() for pattern in self.match]
        return any(fnmatchcase(n.casefold(), p) for n in names if n for p in wanted)

    def names(self, *names: str | None) -> bool:
        """Whether it says one of them itself, and not by a pattern: that such a machine exists."""
        own = {pattern.casefold() for pattern in self.match if not re.search(r"[*?\[]", pattern)}
        return any(name.casefold() in own for name in names if name)


class HostsFile(Part):
    """A hosts file."""

    about: str = ""
    defaults: Costs = Costs()
    hosts: tuple[Host, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry with the file's defaults filled in."""

    host: Host
    costs: Costs
    line: int
    owned: Ownership | None  # None where the file names no price

    @property
    def cost(self) -> HourlyCost | None:
        """An hour of one such machine."""
        return amortisation.hourly(self.owned) if self.owned else None

    @property
    def price(self) -> tuple[HourlyCost, str | None] | None:
        """That cost and its currency: what machines of one type at one site have in common."""
        return (self.cost, self.costs.currency) if self.cost else None


def load(path: Path, on: date = date.min) -> tuple[Entry, ...]:
    """The entries of a hosts file, in its order: the first that matches a machine counts.

    Args:
        on: the day by which the capital of a machine whose years are over has ended.
    Raises:
        InputError: no such file, not YAML, an unknown or unusable field (which, and in what line).
    """
    file, document = yaml_model.load(
        path, HostsFile, called="hosts file", hint=_READ, numbers=False
    )
    entries = tuple(
        _entry(host, file.defaults, document, index, on) for index, host in enumerate(file.hosts)
    )
    for index, entry in enumerate(entries):
        if any(_clash(entry, earlier) for earlier in entries[:index]):
            raise clash(entry, document.where(("hosts", index)))
    return entries


def clash(entry: Entry, where: str) -> InputError:
    """The error of an entry whose type another one names for another machine."""
    return InputError(
        f"two entries name the type {entry.host.type!r} and differ in shape or cost",
        where=where,
        hint="give one of them another type, or leave it out",
    )


def _clash(one: Entry, other: Entry) -> bool:
    """Whether two entries of one type cannot both be right, whatever is measured."""
    if one.host.type is None or one.host.type != other.host.type:
        return False
    here, there = one.host, other.host
    shapes = [(h.threads, h.cores, h.memory_gib) for h in (here, there)]
    sized = bool(here.threads and there.threads) and shapes[0] != shapes[1]
    carded = bool(here.gpus and there.gpus) and here.gpus != there.gpus
    return sized or carded or (one.costs.site == other.costs.site and one.price != other.price)


def entry_of(entries: tuple[Entry, ...], *names: str | None) -> Entry | None:
    """The first entry that covers a machine of these names."""
    return next((entry for entry in entries if entry.host.covers(*names)), None)


def _of(host: Host, defaults: Costs, name: str) -> Any:
    own = getattr(host, name)
    return getattr(defaults, name) if own is None else own


def _entry(host: Host, defaults: Costs, document: Document, index: int, on: date) -> Entry:
    """The entry with the file's defaults.

    Raises:
        InputError: its costs lack something, or do not fit together.
    """
    filled = {name: _of(host, defaults, name) for name in Costs.model_fields if name != "tags"}
    costs = Costs.model_construct(**filled, tags={**defaults.tags, **host.tags})
    price = host.purchase_price
    wrong = ""
    if price is not None and (lacking := [n for n in _COSTS if filled[n] is None]):
        wrong = "has a purchase_price, but neither it nor defaults say: " + ", ".join(lacking)
    elif price is not None and costs.salvage is not None and costs.salvage > price:
        wrong = (
            f"is worth more at the end than it cost: salvage {costs.salvage} > "
            f"purchase_price {price}"
        )
    if wrong:
        where = document.where(("hosts", index))
        raise InputError(f"{host.match[0]!r} {wrong}", where=where, hint=_READ)
    line = document.place(("hosts", index)).line
    return Entry(host, costs, line, _ownership(host, costs, on))


def _ownership(host: Host, costs: Costs, on: date) -> Ownership | None:
    if host.purchase_price is None:
        return None
    assert costs.years is not None  # _entry has seen to these
    assert costs.discount_rate is not None
    assert costs.kw is not None
    assert costs.pue is not None
    assert costs.power_price_kwh is not None
    return Ownership(
        purchase_price=host.purchase_price,
        years=costs.years,
        salvage=costs.salvage or Decimal(0),
        discount_rate=costs.discount_rate / 100,
        kw=costs.kw,
        pue=costs.pue,
        power_price_kwh=costs.power_price_kwh,
        hosting_monthly=costs.hosting_monthly or Decimal(0),
        maintenance_yearly=costs.maintenance_yearly or Decimal(0),
        paid_off=host.bought is not None and (on - host.bought).days >= costs.years * _YEAR,
    )
