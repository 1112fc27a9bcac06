"""`costopt check`: policies as code."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

import click

from costopt import pipeline, registry
from costopt.cli import advice, options, policies
from costopt.cli.progress import steps
from costopt.errors import ConfigError
from costopt.model.check import SEVERITIES, Check, Severity, Waiver
from costopt.policy import waivers
from costopt.policy.planned import terraform
from costopt.report.check import json, text

_NEVER: Final = "never"
_ENDINGS: Final = {".sarif": "sarif", ".xml": "junit"}
_FORMATS: Final = ("text", *registry.names("check-format"))


class _Day(click.ParamType[date]):
    """An ISO date."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no day, like 2026-12-31", param, ctx)


def _print_schema(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        options.deliver(json.schema(), None)
        ctx.exit()


def _format(given: str | None, output: Path | None) -> str:
    if not given and output and (found := _ENDINGS.get(output.suffix.lower())):
        return found
    return options.format_of(given, output, _FORMATS)


class _Also(click.ParamType[tuple[str, Path]]):
    """A file, and the format that it is written in."""

    name = "[format=]file"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, Path]:
        given, equals, name = value.partition("=")
        if equals and given in _FORMATS:
            return given, Path(name)
        return _format(None, Path(value)), Path(value)


class _Counting(NamedTuple):
    """Which findings count."""

    waivers: Sequence[Waiver]
    baseline: frozenset[str]
    min_monthly: Decimal


@dataclass(frozen=True, slots=True)
class _Waive:
    """A waiver that is to be written."""

    finding: str
    until: date
    reason: str
    owner: str

    @classmethod
    def of(
        cls, finding: str | None, until: date | None, reason: str | None, owner: str | None
    ) -> _Waive | None:
        if finding is None:
            if until or reason or owner:
                raise click.UsageError("--until, --reason and --owner go with --waive FINDING")
            return None
        if until is None or not reason:
            raise click.UsageError("a waiver needs --until DAY and --reason TEXT")
        return cls(finding, until, reason, owner or getpass.getuser())


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@policies.about
@click.option(
    "--format",
    "format_name",
    type=click.Choice(_FORMATS),
    help="How findings are written. Default: as --output ends (.json, .sarif, .xml, .md), or text.",
)
@options.output
@click.option(
    "--also",
    type=_Also(),
    multiple=True,
    help="Write it to this file, too, in the format named or the one that the file ends in. "
    "Repeatable.",
)
@click.option(
    "--fail-on",
    type=click.Choice([*SEVERITIES, _NEVER]),
    default="error",
    show_default=True,
    help="Leave with exit code 1 where anything so severe is found, or more so.",
)
@click.option(
    "--min-monthly",
    type=click.FloatRange(min=0),
    callback=advice.number,
    default=0.0,
    help="Leave out findings that come to less a month.",
)
@click.option(
    "--waivers",
    "waivers_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help=f"File of waivers. Default: ./{waivers.WAIVERS_NAME} where there is one.",
)
@click.option("--waive", metavar="FINDING", help="Write a waiver of that finding.")
@click.option("--until", type=_Day(), help="The waiver's last day, like 2026-12-31.")
@click.option("--reason", help="Why the finding may stand.")
@click.option("--owner", help="Who is asked about it. Default: you.")
@click.option(
    "--baseline",
    "baseline_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Count only what is not in this file.",
)
@click.option(
    "--write-baseline",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write all that stands today into this file.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=text.SHOWN,
    show_default=True,
    help="In text: so many findings of each policy; 0 = all.",
)
@click.option(
    "--plan",
    "plan_path",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Judge what a Terraform or OpenTofu plan would change instead of what runs: the output of "
    "terraform show -json. Needs no data; what was collected is joined.",
)
@options.as_of
@options.project
@click.option(
    "--schema",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_schema,
    help="Print the JSON Schema of --format json, and leave.",
)
def check(
    paths: tuple[Path, ...],
    format_name: str | None,
    output: Path | None,
    also: tuple[tuple[str, Path], ...],
    fail_on: str,
    min_monthly: float,
    waivers_path: Path | None,
    waive: str | None,
    until: date | None,
    reason: str | None,
    owner: str | None,
    baseline_path: Path | None,
    write_baseline: Path | None,
    limit: int,
    plan_path: Path | None,
    as_of: datetime | None,
    home: Path | None,
    config_path: Path | None,
    packs: tuple[str, ...],
    listed: bool,
    explained: str | None,
    tested: bool,
) -> int:
    """Ask policies of everything that was collected; PATHS are files and folders of your own.

    Shipped policies are asked too, and those of ./policies where that is; one of yours with the
    same id takes the place of a shipped one. Leaves with exit code 1 where one fails.
    """
    asked = policies.gathered(paths, packs)
    if listed or explained or tested:
        return policies.told(asked, explained, output, tested=tested)
    wanted = _Waive.of(waive, until, reason, owner)
    format_name = _format(format_name, output)
    file = waivers_path or Path(waivers.WAIVERS_NAME)
    given = waivers.read(file) if file.exists() or (waivers_path and not wanted) else ()
    before = waivers.baseline(baseline_path) if baseline_path else frozenset()
    settings, lake = options.settings_and_lake(home, config_path)
    moment = as_of or datetime.now(UTC)
    plan = terraform.read(plan_path) if plan_path else None
    counting = _Counting(given, before, Decimal(repr(min_monthly)))
    with steps() as progress:
        nothing = plan is not None and not lake.read("resources").num_rows
        analysis = None if nothing else pipeline.analyse(lake, settings, as_of, progress)
        progress("policies")
        if plan is not None:
            found = pipeline.check_plan(
                plan,
                lake,
                asked,
                analysis=analysis,
                currency=settings.currency,
                moment=moment,
                **counting._asdict(),
            )
        else:
            assert analysis is not None
            found = pipeline.check(analysis, asked, today=moment.date(), **counting._asdict())
    if wanted:
        _waive(file, found, wanted)
        return 0
    if write_baseline:
        count = waivers.write_baseline(write_baseline, found.verdicts)
        click.echo(f"wrote {write_baseline}: {count:,} findings", err=True)
        return 0
    for name, path in ((format_name, output), *also):
        _deliver(found, name, path, limit)
    return int(fail_on != _NEVER and found.fails(_severity(fail_on)))


def _severity(text_: str) -> Severity:
    return next(one for one in SEVERITIES if one == text_)


def _deliver(found: Check, format_name: str, path: Path | None, limit: int) -> None:
    if format_name == "text":
        look = options.look(path, text.WIDTH)._asdict()
        options.deliver(text.render(found, **look, limit=limit), path)
    else:
        options.deliver(registry.find("check-format", format_name)(found), path)


def _waive(path: Path, found: Check, wanted: _Waive) -> None:
    verdict = next((one for one in found.verdicts if one.finding_id == wanted.finding), None)
    if verdict is None:
        raise ConfigError(
            f"there is no finding {wanted.finding!r} now",
            hint="costopt check --limit 0 shows them all, each with its id",
        )
    if wanted.until < datetime.now(UTC).date():
        raise ConfigError(f"{wanted.until} is over", hint="give --until a day to come")
    waivers.add(path, verdict, owner=wanted.owner, reason=wanted.reason, until=wanted.until)
    click.echo(
        f"{verdict.policy} of {verdict.name} is waived until {wanted.until}: {path}", err=True
    )
