"""onprem.toml: what machines of one's own cost, by class, as a person writes it down.

Every figure is of one machine of the class (a server with all its GPUs), in one currency; units
stand in the names. See docs/examples/onprem.toml.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, Strict, ValidationError, model_validator

from costopt.errors import InputError
from costopt.model import Shape
from costopt.pricing.onprem_bounds import Steps, faults, in_words, near

NAME: Final = "onprem.toml"
PROVIDER: Final = "own"
"""The provider_name of one's own machines."""

Range = Annotated[tuple[float, float], Strict(False)]  # TOML has lists, no tuples


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)


Cost = Annotated[float, Field(ge=0)]


class MachineClass(_Part):
    """One kind of machine, bought or to be bought."""

    vcpus: float = Field(gt=0, description="hyper-threads of one machine")
    memory_gib: float = Field(gt=0, description="memory of one machine, GiB")
    architecture: str = Field("x86_64", pattern="^(x86_64|arm64)$", description="x86_64 or arm64")
    physical_cores: float | None = Field(None, gt=0, description="cores of one machine")
    gpu_model: str | None = Field(None, description="like H100; left out without GPUs")
    gpu_count: int = Field(0, ge=0, description="GPUs of one machine")
    gpu_memory_gib: float | None = Field(None, gt=0, description="memory of one GPU, GiB")
    local_disk_gib: float | None = Field(None, ge=0, description="disks in the machine, GiB")
    network_gbps: float | None = Field(None, gt=0, description="of the machine's network card")
    vcpu_speed: float | None = Field(
        None, gt=0, description="of one busy vCPU, in the unit of docs/equivalence.md"
    )
    speed_like: str | None = Field(
        None,
        pattern="^[^/]+/[^/]+$",
        description='a machine in the cloud with the same processor: "aws/m7i"',
    )

    price: Cost = Field(description="what one machine costs to buy, installed and cabled")
    life_years: float = Field(gt=0, le=20, description="years until it is replaced")
    salvage_price: Cost = Field(0.0, description="what it is sold for at the end of its life")
    busy_kw: Cost = Field(description="power at full work, kW, as the machine's plug has it")
    idle_kw: Cost = Field(description="power when it runs and has nothing to do, kW")
    hosting_yearly: Cost = Field(description="rack space, network, remote hands, without power")
    maintenance_yearly: Cost = Field(description="support contract and parts")
    staff_yearly: Cost = Field(description="people's time")
    spares_percent: float = Field(
        0.0, ge=0, le=1000, description="machines bought to stand ready, percent of those in use"
    )

    owned: int = Field(0, ge=0, description="machines that are owned already")
    bought_on: date | None = Field(None, description="the day that the owned ones were bought")
    salvage_price_now: Cost | None = Field(None, description="what an owned one would fetch today")
    hosting_until: date | None = Field(None, description="the end of the hosting contract")
    most: int | None = Field(None, ge=0, description="machines that there is room and power for")
    resources: tuple[str, ...] = Field(
        (),
        strict=False,
        description="what runs on the owned ones: ids or names, with * and ?, or tag=value",
    )

    pue: float | None = Field(None, ge=1, le=5, description="where it is not the site's")
    power_price_kwh: Cost | None = Field(None, description="where it is not the site's")
    rate_percent: float | None = Field(None, ge=0, le=100, description="where not the site's")
    ranges: Mapping[str, Range] = Field(
        default_factory=dict, description="the low and the high that a figure may have"
    )

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if self.idle_kw > self.busy_kw:
            raise ValueError("idle_kw is above busy_kw")
        if self.salvage_price > self.price:
            raise ValueError("salvage_price is above price")
        if bool(self.gpu_model) != bool(self.gpu_count):
            raise ValueError("gpu_model and gpu_count go together")
        if self.owned and (self.bought_on is None or self.salvage_price_now is None):
            raise ValueError("machines that are owned need bought_on and salvage_price_now")
        if self.resources and not self.owned:
            raise ValueError("resources run on owned machines, and owned tells none")
        if self.vcpu_speed and self.speed_like:
            raise ValueError("vcpu_speed and speed_like tell the same thing: give one")
        if self.most is not None and self.owned > self.most:
            raise ValueError("owned is above most")
        return self

    def shape(self, name: str) -> Shape:
        """One machine of the class as a machine type that can be chosen."""
        return Shape(
            provider_name=PROVIDER,
            instance_type=name,
            vcpus=self.vcpus,
            memory_gib=self.memory_gib,
            physical_cores=self.physical_cores,
            architecture=self.architecture,
            gpu_model=self.gpu_model,
            gpu_count=self.gpu_count,
            gpu_memory_gib=self.gpu_memory_gib,
            local_disk_gib=self.local_disk_gib or 0.0,
            network_gbps=self.network_gbps,
        )


RANGED: Final = (
    *("price", "life_years", "salvage_price", "busy_kw", "idle_kw", "hosting_yearly"),
    *("maintenance_yearly", "staff_yearly", "spares_percent", "pue", "power_price_kwh"),
    *("rate_percent", "vcpu_speed", "cloud_price_hourly"),
)
"""What `ranges` may name; cloud_price_hourly is of what the class takes the place of."""


class Site(_Part):
    """The file: what all classes share, and each class under its name."""

    currency: str = Field(pattern="^[A-Z]{3}$", description="of every amount here")
    pue: float = Field(
        ge=1, le=5, description="power of the building over power of the machines in it"
    )
    power_price_kwh: Cost = Field(description="a kWh, with grid fees and taxes")
    rate_percent: float = Field(ge=0, le=100, description="cost of capital, percent a year")
    name: str = Field("racks", min_length=1, description="of the place, as it is to be called")
    country: str | None = Field(
        None, pattern="^[A-Z]{2}$", description="where it stands, like DE: what must stay is kept"
    )
    latitude: float | None = Field(None, ge=-90, le=90, description="degrees, north above 0")
    longitude: float | None = Field(None, ge=-180, le=180, description="degrees, east above 0")
    classes: Mapping[str, MachineClass] = Field(min_length=1)

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        if (self.latitude is None) != (self.longitude is None):
            raise ValueError("latitude and longitude go together")
        return self

    def bought_by(self, day: date) -> Self:
        """The same, once every machine that is owned has been bought by that day.

        Raises:
            InputError: one is bought later.
        """
        for name, told in sorted(self.classes.items()):
            if told.bought_on and told.bought_on > day:
                raise InputError(
                    f"classes.{name}.bought_on: {told.bought_on} is after {day}, of which all is "
                    "told here",
                    where=NAME,
                    hint="machines that are to be bought are not owned yet",
                )
        return self

    def of_class(self, name: str) -> MachineClass:
        """The class with the site's figures where it has none of its own.

        Raises:
            InputError: no class of that name; the hint has the nearest.
        """
        if name not in self.classes:
            known = ", ".join(sorted(self.classes))
            raise InputError(
                f"no class {name!r}{near(name, self.classes)}", hint=f"there are: {known}"
            )
        found = self.classes[name]
        shared = {key: getattr(self, key) for key in ("pue", "power_price_kwh", "rate_percent")}
        missing = {key: value for key, value in shared.items() if getattr(found, key) is None}
        return found.model_copy(update=missing)


def load(path: Path) -> Site:
    """The file as a Site.

    Raises:
        InputError: no such file, not TOML, an unknown or unusable figure: which, and in what line.
    """
    text = _text(path)
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"not TOML: {error}", where=str(path)) from None
    try:
        site = Site.model_validate(given)
    except ValidationError as error:
        # a name misspelt is told before what is then missing
        found = sorted(
            error.errors(include_url=False), key=lambda one: one["type"] != "extra_forbidden"
        )
        steps = _told(found[0]["loc"])
        raise _wrong(path, text, steps, _sentence(found[0])) from None
    for steps, words in faults(site):
        raise _wrong(path, text, steps, f"{'.'.join(map(str, steps))}: {words}")
    return site


def _wrong(path: Path, text: str, steps: Steps, what: str) -> InputError:
    return InputError(
        what,
        where=f"{path}:{_line(text, steps)}",
        hint="docs/examples/onprem.toml has every figure, explained",
    )


def _told(steps: Steps) -> Steps:
    """Without the place in a range: the range is what is told."""
    return steps[:-1] if "ranges" in steps and isinstance(steps[-1], int) else steps


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError(
            "no such file", where=str(path), hint="docs/examples/onprem.toml is one to start from"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read: {error}", where=str(path)) from None


def _sentence(error: Any) -> str:
    steps = _told(error["loc"])
    name = ".".join(map(str, steps)) or NAME
    if error["type"] == "extra_forbidden":
        model: type[BaseModel] = MachineClass if steps[0] == "classes" else Site
        return f"{name}: no such figure{near(str(steps[-1]), model.model_fields)}"
    if error["type"] == "missing" and steps == error["loc"]:
        return f"{name} is missing"
    return f"{name}: {in_words(error)}"


def _line(text: str, steps: Steps) -> int:
    """The line in which a figure stands, or the innermost part around it that the file has."""
    places = dict(_places(text))
    return next(
        (places[steps[:count]] for count in range(len(steps), 0, -1) if steps[:count] in places), 1
    )


_HEADER: Final = re.compile(r"\s*(\[[^\[\]]+\])\s*(#.*)?")
_KEY: Final = re.compile(r"""\s*((?:[\w.-]|"[^"]*"|'[^']*')+)\s*=""")


def _places(text: str) -> Iterator[tuple[Steps, int]]:
    """Each table and key of a TOML file without arrays of tables, and its line, from 1."""
    table: Steps = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if found := _HEADER.fullmatch(line):
            table = _steps(found[1])
            yield table, number
        elif found := _KEY.match(line):
            yield (*table, *_steps(f"{found[1]} = 0")), number


def _steps(line: str) -> Steps:
    """The names in a header or a key; none where it is neither (a line within a text, say)."""
    try:
        node: Any = tomllib.loads(line)
    except tomllib.TOMLDecodeError:
        return ()
    steps: list[str | int] = []
    while isinstance(node, dict) and node:
        steps.append(next(iter(node)))
        node = node[steps[-1]]
    return tuple(steps)
