"""`costopt recommend`: what to change, what it saves, and why."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args

import click

from costopt import config, pipeline, registry
from costopt.cli import compare_vendor, emit, options
from costopt.cli.lookup import resource_named
from costopt.cli.progress import steps
from costopt.errors import ConfigError
from costopt.model import Report
from costopt.report import json, text, vendor
from costopt.report.explain import explain
from costopt.report.scope import first, narrow
from costopt.rules.definitions import DefinitionName
from costopt.rules.rightsize import Rightsize
from costopt.rules.rightsize_settings import RightsizeSettings
from costopt.units import provider_key

if TYPE_CHECKING:
    from datetime import datetime

    from costopt.pipeline import Analysis
    from costopt.rules.base import Case

_SHOWN: Final = 20  # recommendations on a terminal; files and pipes get all


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


def _print_schema(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        compared = ctx.params.get("beside_vendor")
        options.deliver(vendor.schema() if compared else json.schema(), None)
        ctx.exit()


@click.command()
@click.option(
    "--format",
    "format_name",
    type=click.Choice(registry.names("format")),
    help="How the report is written. Default: as --output ends, else table.",
)
@emit.emission
@click.option(
    "--rule", "rules", multiple=True, metavar="RULE", help="Ask this rule only. Repeatable."
)
@click.option(
    "--provider",
    "providers",
    multiple=True,
    metavar="NAME",
    help="Only resources of this provider. Repeatable.",
)
@click.option(
    "--tag", "tags", type=_Tag(), multiple=True, help="Only resources with this tag. Repeatable."
)
@click.option(
    "--min-monthly-savings",
    type=click.FloatRange(min=0),
    help="Smallest saving a month worth a change.",
)
@click.option(
    "--lookback-days", type=click.FloatRange(min=0, min_open=True), help="Days of history judged."
)
@click.option(
    "--idle-definition",
    type=click.Choice(get_args(DefinitionName)),
    help="Which published definition of idle decides (docs/rules/idle.md).",
)
@options.risk
@click.option(
    "--compare-vendor",
    "beside_vendor",
    is_flag=True,
    is_eager=True,
    help="Beside it what the cloud itself recommends (Compute Optimizer, Recommender, Advisor), "
    "where the two differ, and why.",
)
@click.option("--skips", is_flag=True, help="List every resource without advice, and why.")
@click.option(
    "--explain", "resource", metavar="RESOURCE", help="The whole story of one resource: id or name."
)
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    help="Show the N largest savings, and so many larger machines; 0 = all. "
    f"Default: {_SHOWN} on a terminal, else all.",
)
@options.as_of
@options.project
@click.option(
    "--schema",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_schema,
    help="Print the JSON Schema of --format json (after --compare-vendor: of that), and leave.",
)
def recommend(
    format_name: str | None,
    output: Path | None,
    rules: tuple[str, ...],
    providers: tuple[str, ...],
    tags: tuple[tuple[str, str], ...],
    min_monthly_savings: float | None,
    lookback_days: float | None,
    idle_definition: str | None,
    rollback_cost: float | None,
    risk_budget: float | None,
    beside_vendor: bool,
    skips: bool,
    resource: str | None,
    limit: int | None,
    as_of: datetime | None,
    home: Path | None,
    config_path: Path | None,
    kind: str | None,
    changed_at: datetime | None,
    instance_label: str,
) -> None:
    """What to change, what it saves, and why; what was not judged, and why not.

    Savings are a month (730 hours) and after discounts where a bill was collected. No two
    recommendations save the same money. Nothing is changed in any account.
    """
    shaping = {"--format": format_name, "--explain": resource, "--skips": skips, "--limit": limit}
    emit.check(kind, output, shaping, changed_at)
    format_name = _format(format_name, output, resource, emitted=bool(kind), skips=skips)
    if beside_vendor:
        compare_vendor.check(
            {"--rule": rules, "--emit": kind, "--skips": skips, "--explain": resource}, format_name
        )
    settings, lake = options.settings_and_lake(
        home, config_path, min_monthly_savings=min_monthly_savings, lookback_days=lookback_days
    )
    settings = options.with_risk(settings, rollback_cost, risk_budget)
    told = compare_vendor.told(lake, needed=beside_vendor)
    with steps() as progress:
        analysis = pipeline.analyse(
            lake, _with_definition(settings, idle_definition), as_of, progress, sorted(set(rules))
        )
    sized_by = settings.of_rule(Rightsize.code, Rightsize.Settings)
    if resource is not None:
        options.deliver(_story(analysis, resource, output, told, sized_by), output)
        return
    report, cases = _narrowed(analysis, providers, tags)
    limit = _shown(output) if limit is None and format_name == "table" else limit or 0
    if beside_vendor:
        found = vendor.compare(told, cases, analysis.outcomes, report, sized_by)
        options.deliver(compare_vendor.page(found, format_name, limit, output), output)
        return
    if kind is not None and output is not None:
        emit.emit(kind, report, output, emit.Wanted(changed_at, instance_label))
        return
    if format_name != "table":
        _deliver_file(report, format_name, limit, output)
        return
    given = shlex.join(_given({"--home": home, "--config": config_path}))
    look = options.look(output, text.WIDTH)._asdict()
    called = _called(analysis, report)
    page = text.render(report, **look, skips=skips, limit=limit, options=given, called=called)
    options.deliver(page, output)


def _format(
    wanted: str | None, output: Path | None, resource: str | None, *, emitted: bool, skips: bool
) -> str:
    """In which format the report is written.

    Raises:
        UsageError: other options do not go with it.
    """
    if resource is not None and wanted not in (None, "table"):
        raise click.UsageError("--explain tells a story in words: leave --format away")
    known = ("table", *registry.names("format"))
    file = None if emitted else output  # --emit writes into a folder of any name
    found = "table" if resource else options.format_of(wanted, file, known)
    if skips and found in ("csv", "markdown"):
        raise click.UsageError("--skips lists them in the table; json always holds them all")
    return found


def _deliver_file(report: Report, format_name: str, limit: int, output: Path | None) -> None:
    """For programs and spreadsheets; what --limit leaves out is said on stderr too."""
    short = first(report, limit)
    options.deliver(registry.find("format", format_name)(short), output)
    for note in short.notes[len(report.notes) :]:  # csv has no place for it
        click.echo(f"note: {note}", err=True)


def _shown(output: Path | None) -> int:
    """How many stand in the table where --limit does not say: few on a screen, else all (0)."""
    return 0 if output or not sys.stdout or not sys.stdout.isatty() else _SHOWN


def _with_definition(settings: config.Settings, definition: str | None) -> config.Settings:
    """The settings with --idle-definition over what costopt.toml says of the rule."""
    if definition is None:
        return settings
    idle = {**settings.rules.get("idle", {}), "definition": definition}
    return settings.model_copy(update={"rules": {**settings.rules, "idle": idle}})


def _given(flags: Mapping[str, Path | None]) -> list[str]:
    return [part for flag, path in flags.items() if path for part in (flag, str(path))]


def _called(analysis: Analysis, report: Report) -> str:
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


def _narrowed(
    analysis: Analysis, providers: Sequence[str], tags: Sequence[tuple[str, str]]
) -> tuple[Report, Mapping[str, Case]]:
    """The report and its cases, or the part of them that the filters choose.

    Raises:
        ConfigError: the fleet has no such provider, or nothing matches.
    """
    if not providers and not tags:
        return analysis.report, analysis.cases
    keys = {provider_key(name) for name in providers}
    wanted: dict[str, set[str]] = {}
    for key, value in tags:
        wanted.setdefault(key, set()).add(value)
    cases = {
        resource_id: case
        for resource_id, case in analysis.cases.items()
        if (not keys or provider_key(case.resource.provider_name) in keys)
        and all(case.resource.tags.get(key) in values for key, values in wanted.items())
    }
    parts = [f"provider {name}" for name in providers] + [f"tag {key}={v}" for key, v in tags]
    chosen_by = ", ".join(parts)
    if not cases:
        raise ConfigError(f"no resource with {chosen_by}", hint=_fleet(analysis.resources.values()))
    return narrow(analysis.report, cases, analysis.outcomes, chosen_by), cases


def _fleet(resources: Any) -> str:
    held = list(resources)
    providers = sorted({resource.provider_name for resource in held})
    tags = sorted({key for resource in held for key in resource.tags})
    return f"providers: {', '.join(providers)}; tags: {', '.join(tags) or 'none'}"


# -- one resource ----------------------------------------------------------------------------


def _story(
    analysis: Analysis,
    wanted: str,
    output: Path | None,
    told: vendor.Told,
    sized_by: RightsizeSettings,
) -> bytes:
    """With what a vendor says of it, where one was asked."""
    found = resource_named(analysis.resources, wanted).resource_id
    case, said = analysis.cases[found], analysis.outcomes[found]
    look = options.look(output, text.WIDTH)._asdict()
    page = explain(case, said, analysis.report, **look)
    ours = next((r for r in analysis.report.recommendations if r.resource_id == found), None)
    if row := vendor.compared(told, case, said, ours, sized_by):
        page += vendor.story(row, **look)
    return page.encode()
