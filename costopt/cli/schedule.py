"""`costopt schedule`: when machines and scaling groups should run, and what that saves."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from costopt import pipeline
from costopt.cli import advice, emit, options
from costopt.cli.lookup import resource_named
from costopt.cli.progress import steps
from costopt.errors import InsufficientData
from costopt.model import Report, Skip
from costopt.report import json
from costopt.report import schedule as draw
from costopt.report.safe import terminal
from costopt.report.scope import first
from costopt.rules.base import Fit
from costopt.rules.schedule import Schedule

if TYPE_CHECKING:
    from datetime import datetime

    from costopt.config import Settings
    from costopt.lake.store import Lake
    from costopt.pipeline import Analysis
    from costopt.rules.schedule_settings import ScheduleSettings

_PICTURES: Final = ("png", "svg")
_FORMATS: Final = ("table", "json", "csv", "markdown", *_PICTURES)


@dataclass(frozen=True, slots=True)
class _Found:
    """The schedules, and what stands behind them."""

    analysis: Analysis
    report: Report
    settings: ScheduleSettings
    named: Sequence[str]  # ids of the resources that were asked for; none: whichever there are


def _print_schema(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        options.deliver(json.schema(), None)
        ctx.exit()


@click.command()
@click.argument("names", metavar="[RESOURCE]...", nargs=-1)
@click.option(
    "--format",
    "format_name",
    type=click.Choice(_FORMATS),
    help="How it is written. Default: as --output ends, else table.",
)
@emit.form
@click.option(
    "--picture",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Draw demand against the plan into this .png or .svg, too.",
)
@advice.part
@advice.page
@options.as_of
@options.project
@click.option(
    "--schema",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_schema,
    help="Print the JSON Schema of --format json, which is that of recommend, and leave.",
)
def schedule(
    names: tuple[str, ...],
    format_name: str | None,
    form: str | None,
    output: Path | None,
    picture: Path | None,
    providers: tuple[str, ...],
    tags: tuple[tuple[str, str], ...],
    min_monthly_savings: float | None,
    lookback_days: float | None,
    skips: bool,
    resource: str | None,
    limit: int | None,
    as_of: datetime | None,
    home: Path | None,
    config_path: Path | None,
) -> None:
    """When machines and scaling groups should run: all, or each RESOURCE (id or name).

    The cheapest week that bears what the past weeks needed, where those are alike and the plan made
    of the earlier ones held in the last. Nothing is changed in any account.
    """
    shaping = {"--format": format_name, "--explain": resource, "--skips": skips, "--limit": limit}
    emit.check(form, output, {**shaping, "--picture": picture})
    format_name = advice.format_wanted(
        format_name, output, _FORMATS, explained=bool(resource), emitted=bool(form), skips=skips
    )
    drawn = _picture_kind(picture)
    if format_name in _PICTURES and output is None and sys.stdout and sys.stdout.isatty():
        raise click.UsageError(f"a {format_name.upper()} is not for a terminal: add --output FILE")
    if resource is not None and (names or providers or tags):
        raise click.UsageError("--explain tells of one resource: name no other, filter none")
    found = _found(
        [resource] if resource is not None else names,
        (providers, tags),
        as_of,
        options.settings_and_lake(
            home, config_path, min_monthly_savings=min_monthly_savings, lookback_days=lookback_days
        ),
    )
    if picture is not None:
        options.deliver(_picture(found, drawn), picture)
    if form is not None and output is not None:
        emit.emit(form, found.report, output)
    elif resource is not None:
        options.deliver(_story(found, output), output)
    elif format_name in _PICTURES:
        options.deliver(_picture(found, format_name), output)
    elif format_name in ("json", "csv"):
        advice.deliver_file(found.report, format_name, limit or 0, output)
    elif format_name == "markdown":
        options.deliver(draw.as_markdown(first(found.report, limit or 0)), output)
    else:
        page = draw.as_text(
            found.report,
            **options.look(output, draw.WIDTH)._asdict(),
            skips=skips,
            limit=advice.shown(output) if limit is None else limit,
            options=advice.given(home, config_path),
            called=advice.called(found.analysis, found.report),
        )
        options.deliver(page, output)


def _found(
    names: Sequence[str],
    filters: tuple[Sequence[str], Sequence[tuple[str, str]]],
    as_of: datetime | None,
    project: tuple[Settings, Lake],
) -> _Found:
    settings, lake = project
    with steps() as progress:
        analysis = pipeline.analyse(lake, settings, as_of, progress, (Schedule.code,))
    named = [resource_named(analysis.resources, name).resource_id for name in names]
    report, _ = advice.narrowed(analysis, *filters, names)
    wanted = settings.of_rule(Schedule.code, Schedule.Settings)
    return _Found(analysis, report, wanted, named)


# -- one resource, and its picture -----------------------------------------------------------


def _weeks(found: _Found) -> dict[str, draw.Week]:
    """The weeks of the resources that were named, else of those with a schedule, by id."""
    planned = {one.resource_id: one for one in found.report.recommendations}
    made = {}
    for id_ in dict.fromkeys(found.named or planned):
        case, said = found.analysis.cases[id_], found.analysis.outcomes[id_]
        if id_ in planned:  # whose money is the plan's, not the rule's own estimate
            said = (planned[id_],)
        if week := draw.week_of(case, said, found.settings):
            made[id_] = week
    return made


def _only(found: _Found) -> draw.Week:
    """The week of the one resource that was named.

    Raises:
        InsufficientData: it has none, and why.
    """
    (id_,) = found.named
    weeks = _weeks(found)
    if id_ not in weeks:
        said = (one for one in found.analysis.outcomes[id_] if one is not None)
        why = next((one.detail for one in said if isinstance(one, (Skip, Fit))), "")
        raise InsufficientData(
            f"{terminal(id_)} has no week to show" + (f": {terminal(why)}" if why else ""),
            hint="costopt schedule --skips lists every resource without a schedule, and why",
        )
    return weeks[id_]


def _story(found: _Found, output: Path | None) -> bytes:
    return draw.story(_only(found), **options.look(output, draw.WIDTH)._asdict())


def _picture_kind(picture: Path | None) -> str:
    """png or svg, as the file ends.

    Raises:
        UsageError: it ends in neither.
    """
    kind = picture.suffix.lower().removeprefix(".") if picture else _PICTURES[0]
    if kind not in _PICTURES:
        raise click.UsageError(f"--picture: {picture} ends neither in .png nor in .svg")
    return kind


def _picture(found: _Found, kind: str) -> bytes:
    weeks = [_only(found)] if len(found.named) == 1 else list(_weeks(found).values())
    if not weeks:
        raise InsufficientData(
            "no schedule is advised, so there is none to draw",
            hint="name a RESOURCE to see its weeks; --skips says why there is no schedule",
        )
    return draw.as_svg(weeks) if kind == "svg" else draw.as_png(weeks)
