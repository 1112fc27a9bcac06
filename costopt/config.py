"""Settings: costopt.toml and the environment become one frozen object.

Order, later wins: defaults, `costopt.toml` (or `--config`), `COSTOPT_*` variables, flags.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from costopt.errors import ConfigError

CONFIG_NAME = "costopt.toml"
LONGEST_DAYS = 36_500  # a century: more passes what moments and lengths of time can be
R = TypeVar("R", bound=BaseModel)


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class QualitySettings(_Section):
    """When data are too thin, too old or too odd to advise on."""

    min_days: float = Field(
        7.0, ge=0, le=LONGEST_DAYS, description="fewest days of history a resource needs"
    )
    min_coverage: float = Field(0.5, ge=0, le=1, description="least share of samples present")
    min_week_coverage: float = Field(
        0.95, ge=0, le=1, description="least share of the week's 168 hours with any sample"
    )
    max_age_days: float = Field(
        3.0, gt=0, le=LONGEST_DAYS, description="oldest acceptable last sample"
    )
    max_period_seconds: int = Field(
        900,
        gt=0,
        le=604_800,
        description="coarsest acceptable sampling; hourly averages hide peaks",
    )
    stuck_hours: float = Field(
        72.0,
        gt=0,
        le=LONGEST_DAYS * 24,
        description="a sensor that repeats one non-zero value this long is stuck",
    )


SECTIONS: Mapping[str, type[BaseModel]] = {"quality": QualitySettings}
"""Settings that stand under a head of their own."""


class Settings(_Section):
    """Everything a run depends on besides its tables and `as_of`."""

    home: Path = Field(Path(".costopt"), description="where the lake and state of a project live")
    lookback_days: float = Field(60.0, gt=0, le=455, description="days of history to judge on")
    currency: str = Field(
        "USD",
        pattern="^[A-Z]{3}$",
        description="currency of all sums; where it is not set, the bill's own, else the prices'",
    )
    time_zone: str = Field("UTC", description="clock of resources that name none")
    min_monthly_savings: float = Field(
        5.0, ge=0, description="smallest saving a month worth a person's time, in `currency`"
    )
    threads: int = Field(0, ge=0, le=4096, description="worker threads; 0 = one per processor")
    quality: QualitySettings = QualitySettings()
    rules: Mapping[str, Mapping[str, Any]] = Field(
        default_factory=dict, description="settings of each rule, under its code"
    )

    @property
    def lake(self) -> Path:
        """The folder of the lake."""
        return self.home / "lake"

    @property
    def workers(self) -> int:
        """Threads to use."""
        return self.threads or len(os.sched_getaffinity(0))

    @property
    def asked_currency(self) -> str | None:
        """The currency that was asked for; None = the bill's own."""
        return self.currency if "currency" in self.model_fields_set else None

    def of_rule(self, code: str, section: type[R]) -> R:
        """The settings of one rule, given under `[rules.<code>]`, as its own Settings class.

        Raises:
            ConfigError: an unknown or unusable setting.
        """
        return _checked(section, self.rules.get(code, {}), CONFIG_NAME, f"rules.{code}.")


def load(
    path: Path | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    **flags: object,
) -> Settings:
    """The settings from `path` (default: ./costopt.toml where there is one), variables and flags.

    Args:
        path: a TOML file; it must exist when named.
        environ: `COSTOPT_<FIELD>` overrides top-level fields; default os.environ.
        flags: top-level fields from the command line; None = not given.
    Raises:
        ConfigError: no such file, not TOML, an unknown or unusable setting (which, and where).
    """
    values = _read(path)
    for name in Settings.model_fields:
        given = (os.environ if environ is None else environ).get(f"COSTOPT_{name.upper()}")
        if given is not None and name not in ("quality", "rules"):
            values[name] = given
    values.update({name: value for name, value in flags.items() if value is not None})
    return _checked(Settings, values, str(path or CONFIG_NAME))


def _checked(section: type[R], values: Mapping[str, Any], where: str, prefix: str = "") -> R:
    for name in _switches(section, values):
        raise _unusable(prefix + name, "it is no switch: give a value, not true or false", where)
    try:
        return section.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = prefix + ".".join(str(part) for part in first["loc"])
        raise _unusable(name, first["msg"], where) from None


def _switches(section: type[BaseModel], values: Mapping[str, Any]) -> Iterator[str]:
    """Names of the settings that are given true or false but take neither.

    pydantic takes true as 1 where a number is wanted, and being strict it would refuse the numbers
    that come as text from the environment.
    """
    for name, value in values.items():
        field = section.model_fields.get(name)
        if isinstance(value, bool) and field is not None and field.annotation is not bool:
            yield name
        elif isinstance(value, Mapping) and name in SECTIONS:
            yield from (f"{name}.{inner}" for inner in _switches(SECTIONS[name], value))
        elif isinstance(value, Mapping):
            yield from (f"{name}.{inner}" for inner, one in value.items() if isinstance(one, bool))


def _unusable(name: str, why: str, where: str) -> ConfigError:
    return ConfigError(
        f"setting {name!r}: {why}",
        where=where,
        hint="costopt init writes a costopt.toml with every setting explained",
    )


def _read(path: Path | None) -> dict[str, Any]:
    chosen = path or Path(CONFIG_NAME)
    if path is None and not chosen.exists():
        return {}
    try:
        return tomllib.loads(chosen.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError("no such file", where=str(chosen)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigError(f"not a readable TOML file: {error}", where=str(chosen)) from None
