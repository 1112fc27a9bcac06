"""What commands that advise share: which part of the fleet, in which format, how much of it."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from costopt import registry
from costopt.cli import options
from costopt.cli.lookup import resource_named
from costopt.errors import ConfigError
from costopt.model import Report, Resource
from costopt.report.scope import first, narrow
from costopt.units import provider_key

if TYPE_CHECKING:
    from costopt.pipeline import Analysis
    from costopt.rules.base import Case

SHOWN: Final = 20  # recommendations on a terminal; files and pipes get all
F = TypeVar("F", bound=Callable[..., Any])


class _Tag(click.ParamType[tuple[str, str]]):
    """A tag and its value, as key=value."""

    name = "key=value"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        key, equals, wanted = value.partition("=")
        if not key or not equals:
            self.fail(f"{value!r} is not key=value, like team=web", param, ctx)
        return key, wanted


def number(_: click.Context, option: click.Parameter, value: float | None) -> float | None:
    """A callback: a number that is finite."""
    if value is not None and not isfinite(value):  # which no bound of click's refuses
        raise click.BadParameter(f"{value} is no number to go by", param=option)
    return value


# -- options ---------------------------------------------------------------------------------


def part(command: F) -> F:
    """--provider and --tag: which part of the fleet; and what is judged of it."""
    for option in (
        click.option(
            "--lookback-days",
            type=click.FloatRange(min=0, min_open=True),
            help="Days of history judged.",
        ),
        click.option(
            "--min-monthly-savings",
            type=click.FloatRange(min=0),
            callback=number,
            help="Smallest saving a month worth a change.",
        ),
        click.option(
            "--tag",
            "tags",
            type=_Tag(),
            multiple=True,
            help="Only resources with this tag. Repeatable.",
        ),
        click.option(
            "--provider",
            "providers",
            multiple=True,
            metavar="NAME",
            help="Only resources of this provider. Repeatable.",
        ),
    ):
        command = option(command)
    return command


def page(command: F) -> F:
    """--skips, --explain and --limit: what a page shows."""
    for option in (
        click.option(
            "--limit",
            type=click.IntRange(min=0),
            help="Show the N largest savings, and so many larger machines; 0 = all. "
            f"Default: {SHOWN} on a terminal, else all.",
        ),
        click.option(
            "--explain",
            "resource",
            metavar="RESOURCE",
            help="The whole story of one resource: id or name.",
        ),
        click.option("--skips", is_flag=True, help="List every resource without advice, and why."),
    ):
        command = option(command)
    return command


# -- formats ---------------------------------------------------------------------------------


def format_wanted(
    wanted: str | None,
    output: Path | None,
    known: Sequence[str],
    *,
    explained: bool,
    emitted: bool,
    skips: bool,
) -> str:
    """In which format the report is written.

    Args:
        known: every format there is, the default first.
    Raises:
        UsageError: other options do not go with it.
    """
    if explained and wanted not in (None, "table"):
        raise click.UsageError("--explain tells a story in words: leave --format away")
    file = None if emitted else output  # --emit writes into a folder of any name
    found = "table" if explained else options.format_of(wanted, file, known)
    if skips and found not in ("table", "json"):
        raise click.UsageError("--skips lists them in the table; json always holds them all")
    return found


def deliver_file(report: Report, format_name: str, limit: int, output: Path | None) -> None:
    """For programs and spreadsheets; what --limit leaves out is said on stderr too."""
    short = first(report, limit)
    options.deliver(registry.find("format", format_name)(short), output)
    for note in short.notes[len(report.notes) :]:  # csv has no place for it
        click.echo(f"note: {note}", err=True)


def shown(output: Path | None) -> int:
    """How many stand in the table where --limit does not say: few on a screen, else all (0)."""
    return 0 if output or not sys.stdout or not sys.stdout.isatty() else SHOWN


def given(home: Path | None, config_path: Path | None) -> str:
    """What the next command needs to find the same data: `--home X`; "" where nothing is needed."""
    flags = {"--home": home, "--config": config_path}
    return shlex.join(part for flag, path in flags.items() if path for part in (flag, str(path)))


def called(analysis: Analysis, report: Report) -> str:
    """The name of the first recommendation's resource, which is shorter than its id; "" where it
    has none, or --explain would not find that resource by it."""
    first_one = next(iter(report.recommendations), None)
    name = first_one.resource_name if first_one else None
    if first_one is None or not name or name.startswith("-"):
        return ""
    try:
        found = resource_named(analysis.resources, name)
    except ConfigError:  # several are called so
        return ""
    return name if found.resource_id == first_one.resource_id else ""


# -- which part of the fleet -----------------------------------------------------------------


def narrowed(
    analysis: Analysis,
    providers: Sequence[str],
    tags: Sequence[tuple[str, str]],
    resources: Sequence[str] = (),
) -> tuple[Report, Mapping[str, Case]]:
    """The report and its cases, or the part of them that the filters choose.

    Args:
        resources: ids or names.
    Raises:
        ConfigError: no such resource, the fleet has no such provider, or nothing matches.
    """
    if not providers and not tags and not resources:
        return analysis.report, analysis.cases
    named = {resource_named(analysis.resources, name).resource_id for name in resources}
    keys = {provider_key(name) for name in providers}
    wanted: dict[str, set[str]] = {}
    for key, value in tags:
        wanted.setdefault(key, set()).add(value)
    cases = {
        resource_id: case
        for resource_id, case in analysis.cases.items()
        if (not named or resource_id in named)
        and (not keys or provider_key(case.resource.provider_name) in keys)
        and all(case.resource.tags.get(key) in values for key, values in wanted.items())
    }
    parts = [
        *([f"name ({', '.join(sorted(resources))})"] if resources else []),
        *(f"provider {name}" for name in providers),
        *(f"tag {key}={value}" for key, value in tags),
    ]
    chosen_by = ", ".join(parts)
    if not cases:
        raise ConfigError(f"no resource with {chosen_by}", hint=_fleet(analysis.resources.values()))
    whole = () if tags or resources else keys  # a purchase serves all of a provider's machines
    return narrow(analysis.report, cases, analysis.outcomes, chosen_by, providers=whole), cases


def _fleet(resources: Iterable[Resource]) -> str:
    held = list(resources)
    providers = sorted({resource.provider_name for resource in held})
    tags = sorted({key for resource in held for key in resource.tags})
    return f"providers: {', '.join(providers)}; tags: {', '.join(tags) or 'none'}"
