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
    """The format that was asked for, else the one --output ends in, else the first known."""
    ending = output.suffix.lower().removeprefix(".") if output else ""
    wanted = given or {"md": "markdown"}.get(ending, ending)
    return wanted if wanted in known else known[0]


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
