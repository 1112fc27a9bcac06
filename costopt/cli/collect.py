"""`costopt collect`: fill the lake from a provider; each registered one is a subcommand.

A provider that declares `Settings` (a pydantic model) gets one: its fields become the options,
their descriptions the help. What a file or an account could not give is told on stderr, the rest
is kept.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin

import click
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from costopt import pipeline, registry
from costopt.cli import options
from costopt.cli.progress import steps
from costopt.errors import ConfigError, CostoptError
from costopt.providers.base import Estimate, Problem, Provider
from costopt.units import counted

_SHOWN: Final = 20
"""Problems that the summary lists; the others are counted."""
_FORMATS: Final = ("text", "json")


class _Providers(click.Group):
    """A subcommand for every registered provider that has settings, and check-focus."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        named = [name for name in registry.names("provider") if _settings(name) is not None]
        return [*named, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in registry.names("provider"):
            settings = _settings(cmd_name)
            return None if settings is None else _command(cmd_name, settings)
        return super().get_command(ctx, cmd_name)


@click.group(cls=_Providers)
def collect() -> None:
    """Fill the lake from a provider or from files. Collecting twice gives the same tables."""


@collect.command("check-focus")
@click.argument("bill", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "format_name",
    type=click.Choice(_FORMATS),
    help="How it is written. Default: as --output ends, else text.",
)
@options.output
def check_focus(bill: Path, format_name: str | None, output: Path | None) -> None:
    """Say which rules of the FOCUS specification BILL breaks, by column and row.

    BILL is a CSV or Parquet file, or a folder of them. Nothing is collected. Exit code 1 where a
    rule that FOCUS makes a MUST is broken.
    """
    from costopt.cli import focus_pages
    from costopt.providers.files.checking import checked

    format_name = options.format_of(format_name, output, _FORMATS)
    with steps() as step:
        step(f"checking {bill}")
        found = list(checked(bill))
    page = focus_pages.as_json if format_name == "json" else focus_pages.as_text
    options.deliver(page(found).encode(), output)
    if any(v.level == "MUST" for one in found for v, _ in one.violations):
        sys.exit(1)


def _settings(name: str) -> type[BaseModel] | None:
    found = getattr(registry.find("provider", name), "Settings", None)
    assert found is None or issubclass(found, BaseModel)
    return found


def _command(name: str, settings: type[BaseModel]) -> click.Command:
    """The subcommand that collects from that provider."""

    def run(home: Path | None, config_path: Path | None, **given: Any) -> None:
        chosen = {key: value for key, value in given.items() if value not in (None, ())}
        try:
            made = settings.model_validate(chosen)
        except ValidationError as error:
            raise click.UsageError(_sentence(error)) from None
        _collect(registry.find("provider", name)(made), home, config_path)

    help_text = (settings.__doc__ or "").strip()
    parameters: list[click.Parameter] = [
        _option(key, field) for key, field in settings.model_fields.items()
    ]
    command = click.Command(name, params=parameters, callback=run, help=help_text)
    return options.project(command)


def _option(name: str, field: FieldInfo) -> click.Option:
    kind = _plain(field.annotation)
    flag = f"--{name.replace('_', '-')}"
    shown = "" if field.is_required() or not field.default else f" Default: {field.default}"
    about = field.description or ""
    text = f"{about[:1].upper()}{about[1:]}.{shown}"
    if kind is bool:
        return click.Option([flag, name], is_flag=True, default=None, help=text)
    if get_origin(kind) is tuple:
        return click.Option([flag, name], multiple=True, help=f"{text} May be given again.")
    return click.Option([flag, name], type=_type(kind), help=text, required=field.is_required())


def _plain(annotation: Any) -> Any:
    """The annotation without its `| None`."""
    if get_origin(annotation) in (Union, UnionType):
        inner = [part for part in get_args(annotation) if part is not NoneType]
        return inner[0] if len(inner) == 1 else str
    return annotation


def _type(kind: Any) -> click.ParamType[Any]:
    if get_origin(kind) is Literal:
        return click.Choice([str(value) for value in get_args(kind)])
    known = {Path: click.Path(path_type=Path), int: click.INT, float: click.FLOAT}
    return known.get(kind, click.STRING)  # pydantic reads the others from text


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    name = "".join(f"--{str(part).replace('_', '-')}: " for part in first["loc"][:1])
    return name + str(first["msg"]).removeprefix("Value error, ")


def _collect(provider: Provider, home: Path | None, config_path: Path | None) -> None:
    _, lake = options.settings_and_lake(home, config_path)
    if (lake.root / options.DEMO_MARK).exists():
        raise ConfigError(
            "the lake here holds the demo fleet, which would be mixed with your own",
            where=str(lake.root),
            hint="costopt collect ... --home DIR, or remove that folder first",
        )
    try:
        with steps() as step:
            collected = pipeline.collect(provider, lake, progress=step, announce=_announce)
    except CostoptError:
        _tell(provider.problems)
        raise
    new = {table: rows for table, rows in collected.rows.items() if rows}
    click.echo(f"collected from {provider.name} into {lake.root}", err=True)
    for table, rows in new.items():
        what = "sample" if table == "metrics" else "new row"  # of samples the first one stands
        click.echo(f"  {table:<10} {counted(rows, what, '>14,')}", err=True)
    if not new:
        click.echo("  nothing new: the lake already holds it all, or there was nothing", err=True)
    if collected.compacted_days:
        click.echo(f"  {counted(collected.compacted_days, 'day')} of metrics packed", err=True)
    _tell(collected.problems)
    where = "" if home is None else f" --home {shlex.quote(str(home))}"
    click.echo(f"next: costopt recommend{where}", err=True)
    if any(problem.fatal for problem in collected.problems):
        sys.exit(4)


def _announce(estimate: Estimate) -> None:
    """What the paid calls will cost, before the first of them."""
    for line in estimate.lines:
        click.echo(line, err=True)


def _tell(problems: Sequence[Problem]) -> None:
    """The problems on stderr, the gravest first."""
    if not problems:
        return
    ordered = sorted(problems, key=lambda p: not p.fatal)
    click.echo(f"{counted(len(problems), 'problem')}; what could be used was kept:", err=True)
    for problem in ordered[:_SHOWN]:
        mark = "MISSING " if problem.fatal else ""
        rows = f" ({problem.count:,} rows)" if problem.count > 1 else ""
        click.echo(f"  {mark}{problem.where}: {problem.what}{rows}", err=True)
    if len(ordered) > _SHOWN:
        click.echo(f"  and {len(ordered) - _SHOWN} more", err=True)
