"""The hosts file: what one's own machines are and cost, as YAML, checked on loading.

docs/providers/prometheus.md explains every field; docs/examples/hosts.yml is a working one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from costopt.errors import InputError
from costopt.providers.prometheus import amortisation
from costopt.providers.prometheus.amortisation import HourlyCost, Ownership

_READ: Final = "docs/providers/prometheus.md explains the hosts file"
_COSTS: Final = ("currency", "years", "discount_rate", "pue", "power_price_kwh")


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is no IANA time zone, like Europe/Amsterdam") from None
    return name


def _exact(value: object) -> object:
    """Amounts as they are written: 0.1 is a tenth."""
    if isinstance(value, bool):
        raise ValueError("needs a number")  # noqa: TRY004  (pydantic tells ValueErrors)
    if isinstance(value, (int, float, str)):
        try:
            return Decimal(str(value))
        except InvalidOperation:
            raise ValueError(f"{value!r} is not a number") from None
    return value


_Amount = Annotated[Decimal, BeforeValidator(_exact), Field(ge=0, le=10**10, allow_inf_nan=False)]
_Count = Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Gpus(_Part):
    """The cards of one machine."""

    model: str = Field(min_length=1)
    count: int = Field(ge=1, le=64)
    memory_gib: _Count | None = None  # of one card


class Costs(_Part):
    """What all or most machines have in common, or one entry's own."""

    currency: str | None = Field(None, pattern=r"^[A-Z]{3}$")
    years: _Amount | None = None
    discount_rate: _Amount | None = None  # percent a year
    salvage: _Amount | None = None
    kw: _Amount | None = None
    pue: _Amount | None = None
    power_price_kwh: _Amount | None = None
    hosting_monthly: _Amount | None = None
    maintenance_yearly: _Amount | None = None
    site: str | None = Field(None, min_length=1)
    time_zone: Annotated[str, AfterValidator(_zone)] | None = None
    architecture: Literal["x86_64", "arm64"] | None = None
    tags: dict[str, str] = Field(default_factory=dict)

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
        if self.salvage and self.purchase_price is not None and self.salvage > self.purchase_price:
            raise ValueError("is worth more at the end than it cost: salvage > purchase_price")
        return self

    def covers(self, *names: str | None) -> bool:
        """Whether any of the names matches; case does not matter."""
        wanted = [pattern.casefold() for pattern in self.match]
        return any(fnmatchcase(n.casefold(), p) for n in names if n for p in wanted)


class HostsFile(_Part):
    """A hosts file."""

    about: str = ""
    defaults: Costs = Costs()
    hosts: tuple[Host, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _priced(self) -> HostsFile:
        for host in self.hosts:
            lacking = [n for n in _COSTS if _of(host, self.defaults, n) is None]
            if host.purchase_price is not None and _of(host, self.defaults, "kw") is None:
                lacking.append("kw")
            if host.purchase_price is not None and lacking:
                raise ValueError(
                    f"{host.match[0]!r} has a purchase_price, but neither it nor defaults say: "
                    + ", ".join(lacking)
                )
        return self


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


def load(path: Path) -> tuple[Entry, ...]:
    """The entries of a hosts file, in its order: the first that matches a machine counts.

    Raises:
        InputError: no such file, not YAML, an unknown or unusable field (which, and in what line).
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        given = yaml.safe_load(text)
    except FileNotFoundError:
        raise InputError("no such hosts file", where=str(path)) from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InputError(f"not YAML: {error.problem}", where=f"{path}:{line}") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValueError) as error:
        what = f"not a readable YAML file: {str(error).splitlines()[0]}"
        raise InputError(what, where=str(path)) from None
    try:
        file = HostsFile.model_validate({} if given is None else given)
    except ValidationError as error:
        # a field misspelt is told before what is then missing
        found = sorted(
            error.errors(include_url=False), key=lambda one: one["type"] != "extra_forbidden"
        )
        first = found[0]
        where = f"{path}:{_line(text, first['loc'])}"
        raise InputError(_sentence(first), where=where, hint=_READ) from None
    return tuple(
        _entry(host, file.defaults, _line(text, ("hosts", index)))
        for index, host in enumerate(file.hosts)
    )


def entry_of(entries: tuple[Entry, ...], *names: str | None) -> Entry | None:
    """The first entry that covers a machine of these names."""
    return next((entry for entry in entries if entry.host.covers(*names)), None)


def _of(host: Host, defaults: Costs, name: str) -> Any:
    own = getattr(host, name)
    return getattr(defaults, name) if own is None else own


def _entry(host: Host, defaults: Costs, line: int) -> Entry:
    filled = {name: _of(host, defaults, name) for name in Costs.model_fields if name != "tags"}
    costs = Costs.model_construct(**filled, tags={**defaults.tags, **host.tags})
    return Entry(host, costs, line, _ownership(host, costs))


def _ownership(host: Host, costs: Costs) -> Ownership | None:
    if host.purchase_price is None:
        return None
    assert costs.years is not None  # HostsFile has seen to these
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
    )


_FIELDS: Final[Mapping[str, type[BaseModel]]] = {
    "defaults": Costs,
    "hosts": Host,
    "gpus": Gpus,
}


def _sentence(error: Any) -> str:
    where = error["loc"]
    name = ".".join(str(part) for part in where) or "the file"
    if error["type"] == "extra_forbidden":
        parents = [str(step) for step in where[:-1] if not isinstance(step, int)]
        model = _FIELDS.get(parents[-1], HostsFile) if parents else HostsFile
        near = get_close_matches(str(where[-1]), list(model.model_fields), n=1, cutoff=0.5)
        return f"{name}: no such field" + (f"; did you mean {near[0]!r}?" if near else "")
    return f"{name}: {re.sub('^Value error, ', '', error['msg'])}"


def _line(text: str, where: tuple[int | str, ...]) -> int:
    """The line at which a field stands, or the innermost part of it that the file has."""
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    line = 1
    for step in where:
        if isinstance(node, yaml.MappingNode):
            found = [(k, v) for k, v in node.value if k.value == str(step)]
            if not found:
                break
            key, node = found[-1]
            line = key.start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            node = node.value[step]
            line = node.start_mark.line + 1
    return line
