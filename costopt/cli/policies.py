"""Which policies are asked; what they are: --list, --explain, --test."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from costopt.cli import options
from costopt.errors import ConfigError
from costopt.lake.atomic import write_atomically
from costopt.policy import cases, editing, pack
from costopt.policy.expression import paths
from costopt.policy.fields import VARIABLES
from costopt.policy.pack import Policy
from costopt.registry import suggest
from costopt.report.check import pages
from costopt.report.json import written
from costopt.units import counted

_OWN: Final = Path("policies")
F = TypeVar("F", bound=Callable[..., Any])


def _print_fields(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if not wanted or ctx.resilient_parsing:
        return
    known = {path: field for of in VARIABLES.values() for path, field in paths(of).items()}
    rows = [(path, field.kind.words, field.help) for path, field in known.items()]
    options.deliver(pages.fields(rows, **options.look(None, pages.WIDTH)._asdict()), None)
    ctx.exit()


def _print_schema(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        options.deliver(written(editing.schema()), None)
        ctx.exit()


def _start(ctx: click.Context, option: click.Parameter, name: str | None) -> None:
    """Write policies/NAME.yml, and the schema beside it."""
    if name is None or ctx.resilient_parsing:
        return
    if not re.fullmatch(pack.ID, name):
        raise click.BadParameter(f"{name!r} is not kebab-case, like big-dev-machine", param=option)
    path, schema = _OWN / f"{name}.yml", _OWN / "policies.schema.json"
    if path.exists():
        raise ConfigError("there is one already", where=str(path), hint="choose another name")
    _OWN.mkdir(exist_ok=True)
    write_atomically(path, editing.starting(name, schema.name).encode())
    write_atomically(schema, written(editing.schema()))
    click.echo(f"wrote {path} and {schema}: costopt check --test runs its examples", err=True)
    ctx.exit()


def about(command: F) -> F:
    """Which are asked, and what they are."""
    for option in (
        click.option(
            "--test", "tested", is_flag=True, help="Run the policies' own examples, and leave."
        ),
        click.option("--explain", "explained", metavar="ID", help="Tell all of one policy."),
        click.option(
            "--fields",
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_print_fields,
            help="List what policies can ask of, and leave.",
        ),
        click.option(
            "--policy-schema",
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_print_schema,
            help="Print the JSON Schema of policies, for editors, and leave.",
        ),
        click.option(
            "--new",
            metavar="ID",
            is_eager=True,
            expose_value=False,
            callback=_start,
            help="Write policies/ID.yml to start from, and leave.",
        ),
        click.option("--list", "listed", is_flag=True, help="List the policies that are asked."),
        click.option(
            "--pack",
            "packs",
            multiple=True,
            metavar="NAME",
            help="Of the shipped packs only this. Repeatable; none = no shipped one.",
        ),
    ):
        command = option(command)
    return command


def gathered(paths: Sequence[Path], packs: Sequence[str]) -> tuple[Policy, ...]:
    """The shipped policies, and over them those of ./policies and of these paths.

    Raises:
        ConfigError: there is no such pack.
        InputError: a file is no pack, or a policy of it is wrong: which line and column.
    """
    shipped = {path.stem: path for path in sorted(pack.shipped().glob("*.yml"))}
    for name in packs:
        if name != "none" and name not in shipped:
            near = suggest(name, shipped)
            raise ConfigError(f"there is no pack {name!r}", where="--pack", hint=near)
    mine = [shipped[name] for name in packs if name != "none"] if packs else shipped.values()
    own = [_OWN] if _OWN.is_dir() and _OWN.resolve() != pack.shipped().resolve() else []
    found = pack.gathered([*mine, *own, *paths])
    if not found:
        raise ConfigError(
            "there is no policy to ask", hint="leave --pack none away, or name a file"
        )
    return found


def told(
    asked: Sequence[Policy], explained: str | None, output: Path | None, *, tested: bool
) -> int:
    """What the policies are; the exit code."""
    look = options.look(output, pages.WIDTH)._asdict()
    if tested:
        failures = [line for policy in asked for line in cases.failures(policy)]
        for line in failures:
            click.echo(line)
        many = f"{len(asked):,} policies" if len(asked) != 1 else "1 policy"
        click.echo(f"{many}: {counted(len(failures), 'example')} not as listed", err=True)
        return int(bool(failures))
    if explained is None:
        options.deliver(pages.listed([one.about for one in asked], **look), output)
        return 0
    found = next((one for one in asked if one.text.id == explained), None)
    if found is None:
        names = [one.text.id for one in asked]
        raise ConfigError(f"there is no policy {explained!r}", hint=suggest(explained, names))
    text = found.text
    expressions = {"over": text.over, "match": text.match, "require": text.require}
    if text.monthly:
        expressions["monthly"] = text.monthly
    options.deliver(pages.story(found.about, expressions, **look), output)
    return 0
