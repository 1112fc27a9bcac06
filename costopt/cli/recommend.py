"""`costopt recommend`: what to change, what it saves, and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from costopt import config, pipeline, registry
from costopt.cli import advice, compare_vendor, emit, options
from costopt.cli.lookup import resource_named
from costopt.cli.progress import steps
from costopt.model import PURCHASES, Recommendation, Report
from costopt.report import commitment, json, text, vendor
from costopt.report.explain import explain
from costopt.rules import judgement
from costopt.rules.definitions import DefinitionName
from costopt.rules.rightsize import Rightsize
from costopt.rules.rightsize_settings import RightsizeSettings

if TYPE_CHECKING:
    from datetime import datetime

    from costopt.pipeline import Analysis


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
@advice.part
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
@click.option(
    "--independent",
    is_flag=True,
    help="All that rules advise, each as if it stood alone, in place of one plan that adds up.",
)
@advice.page
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
    independent: bool,
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
    format_name = advice.format_wanted(
        format_name,
        output,
        ("table", *registry.names("format")),
        explained=resource is not None,
        emitted=bool(kind),
        skips=skips,
    )
    if beside_vendor:
        compare_vendor.check(
            {
                "--independent": independent,
                "--rule": rules,
                "--emit": kind,
                "--skips": skips,
                "--explain": resource,
            },
            format_name,
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
    report, cases = advice.narrowed(analysis, providers, tags)
    limit = advice.shown(output) if limit is None and format_name == "table" else limit or 0
    if beside_vendor:
        found = vendor.compare(told, cases, analysis.outcomes, report, sized_by)
        options.deliver(compare_vendor.page(found, format_name, limit, output), output)
        return
    if independent:
        report = judgement.independent(report, [analysis.outcomes[key] for key in sorted(cases)])
    if kind is not None and output is not None:
        emit.emit(kind, report, output, emit.Wanted(changed_at, instance_label))
        return
    if format_name != "table":
        advice.deliver_file(report, format_name, limit, output)
        return
    look = options.look(output, text.WIDTH)._asdict()
    page = text.render(
        report,
        **look,
        skips=skips,
        limit=limit,
        options=advice.given(home, config_path),
        called=advice.called(analysis, report),
    )
    options.deliver(page, output)


def _with_definition(settings: config.Settings, definition: str | None) -> config.Settings:
    """The settings with --idle-definition over what costopt.toml says of the rule."""
    if definition is None:
        return settings
    idle = {**settings.rules.get("idle", {}), "definition": definition}
    return settings.model_copy(update={"rules": {**settings.rules, "idle": idle}})


def _story(
    analysis: Analysis,
    wanted: str,
    output: Path | None,
    told: vendor.Told,
    sized_by: RightsizeSettings,
) -> bytes:
    """With what a vendor says of it, where one was asked."""
    look = options.look(output, text.WIDTH)._asdict()
    if analysis.ahead and any(one.resource_id == wanted for one in _purchases(analysis.report)):
        ahead = analysis.ahead.after(analysis.done())
        return (commitment.story(wanted, ahead, analysis.report, **look) or "").encode()
    found = resource_named(analysis.resources, wanted).resource_id
    case, said = analysis.cases[found], analysis.outcomes[found]
    if analysis.elsewhere:
        said = (*said, *analysis.elsewhere.after(analysis.before_moves()).said(found))
    planned = {one.recommendation_id: one for one in analysis.report.recommendations}
    said = tuple(
        planned.get(one.recommendation_id, one) if isinstance(one, Recommendation) else one
        for one in said
    )
    page = explain(case, said, analysis.report, **look)
    ours = next((r for r in analysis.report.recommendations if r.resource_id == found), None)
    if row := vendor.compared(told, case, said, ours, sized_by):
        page += vendor.story(row, **look)
    return page.encode()


def _purchases(report: Report) -> list[Recommendation]:
    return [one for one in report.recommendations if one.action_type in PURCHASES]
