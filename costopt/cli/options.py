"""Options that commands share, and what they turn into: settings, the lake, `as_of`, output."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import click

from costopt import config
from costopt.lake.atomic import write_atomically
from costopt.lake.store import Lake
from costopt.optimize.cost import ROLLBACK_COSTS

_WIDEST: Final = 160  # columns; wider pages are hard to read across
F = TypeVar("F", bound=Callable[..., Any])


class Moment(click.ParamType[datetime]):
    """An ISO date or date-time; without an offset it is UTC. A date means its midnight."""

    name = "moment"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not an ISO date or date-time, like 2026-11-01", param, ctx)
        if not 1970 <= moment.year < 2200:
            self.fail(f"{value!r} is not a moment that metrics are kept of", param, ctx)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def project(command: F) -> F:
    """--home and --config: where the project's lake and settings are."""
    command = click.option(
        "--config",
        "config_path",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Settings file. Default: ./costopt.toml where there is one.",
    )(command)
    return click.option(
        "--home",
        type=click.Path(file_okay=False, path_type=Path),
        help="Folder of the project's lake and state. Default: .costopt",
    )(command)


def as_of(command: F) -> F:
    """--as-of: the moment the advice speaks from."""
    return click.option(
        "--as-of",
        type=Moment(),
        help="Judge as of this UTC moment. Default: the newest final data in the lake.",
    )(command)


def output(command: F) -> F:
    """--output: a file instead of stdout, written all or nothing."""
    return click.option(
        "--output",
        "-o",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Write to this file instead of stdout.",
    )(command)


class _RollbackCost(click.ParamType[float]):
    """A price of one rollback: a number, or a word for it."""

    name = "kappa"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return f"KAPPA|{'|'.join(ROLLBACK_COSTS)}"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        if value in ROLLBACK_COSTS:
            return ROLLBACK_COSTS[value]
        try:
            kappa = float(value)
        except ValueError:
            self.fail(f"{value!r} is neither a number nor {', '.join(ROLLBACK_COSTS)}", param, ctx)
        if not 0 < kappa <= 1000:  # NaN, too, is not
            self.fail(f"{value} is not above 0 and at most 1000", param, ctx)
        return kappa


def risk(command: F) -> F:
    """--rollback-cost and --risk-budget: how bold the sizes may be."""
    command = click.option(
        "--risk-budget",
        metavar="PERCENT",
        type=click.FloatRange(min=0, max=100, min_open=True),
        help="At most so many percent of the machines may be rolled back in a window of 14 days, "
        "by the fleet's own past: where --rollback-cost does not keep that, advice gets more "
        "cautious. Default: as costopt.toml says, else no bound.",
    )(command)
    return click.option(
        "--rollback-cost",
        type=_RollbackCost(),
        help="What one rollback costs, in windows of 14 days of the machine that holds the highest "
        "demand seen: "
        + ", ".join(f"{name} {kappa:g}" for name, kappa in ROLLBACK_COSTS.items())
        + ". Default: as costopt.toml says, else 0.5.",
    )(command)


def with_risk(
    settings: config.Settings, rollback_cost: float | None, risk_budget: float | None
) -> config.Settings:
    """The settings with those flags over what costopt.toml says of the rightsize rule."""
    given = {"rollback_cost": rollback_cost, "risk_budget_percent": risk_budget}
    flags = {name: value for name, value in given.items() if value is not None}
    rule = {**settings.rules.get("rightsize", {}), **flags}
    return settings.model_copy(update={"rules": {**settings.rules, "rightsize": rule}})


def settings_and_lake(
    home: Path | None, config_path: Path | None, **flags: Any
) -> tuple[config.Settings, Lake]:
    """The settings in force and the lake they name."""
    settings = config.load(config_path, home=home, **flags)
    return settings, Lake(settings.lake)


DEMO_MARK: Final = "demo.json"
"""The file by which a lake says that `costopt demo` made it."""


class Look(NamedTuple):
    """How a page is drawn: columns, and whether with ANSI colours."""

    width: int
    colour: bool


def look(output: Path | None, width: int) -> Look:
    """The screen's width and colours; `width` and none for a file or a pipe."""
    if output is not None or sys.stdout is None or not sys.stdout.isatty():
        return Look(width, colour=False)
    columns = shutil.get_terminal_size((width, 40)).columns
    coloured = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return Look(min(columns, _WIDEST), colour=coloured)


def format_of(given: str | None, output: Path | None, known: Sequence[str]) -> str:
    """The format that was asked for, else the one --output ends in; the first known where it ends
    in none, or in .txt.

    Raises:
        click.UsageError: --output ends in no format known: a page of text in a .pdf opens nowhere.
    """
    if given:
        return given
    ending = output.suffix.lower().removeprefix(".") if output else ""
    wanted = {"md": "markdown", "": known[0], "txt": known[0]}.get(ending, ending)
    if wanted not in known:
        others = ", ".join(name for name in dict.fromkeys(known) if name != known[0])
        raise click.UsageError(f".{ending} is no format here: {others} or .txt, or add --format")
    return wanted


def deliver(data: bytes, path: Path | None) -> None:
    """Data to stdout, or to the file named by --output."""
    if path is not None and not path.name:
        raise click.UsageError("--output needs the name of a file")
    if path is None and sys.stdout is None:
        raise click.UsageError("standard output is closed: add --output FILE")
    if path is None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    write_atomically(path, data)
    click.echo(f"wrote {path}", err=True)
