"""`costopt heatmap`: demand over the week, of a machine, of groups, or of the whole fleet."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import click
import pyarrow.compute as pc

from costopt import pipeline
from costopt.cli import options
from costopt.cli.lookup import resource_named
from costopt.config import Settings
from costopt.errors import ConfigError, InsufficientData
from costopt.lake.store import Lake
from costopt.model import Profile, Resource
from costopt.pricing.catalogue import Catalogue
from costopt.profile.clock import zone
from costopt.profile.grouping import FLEET
from costopt.profile.heatmap import (
    Statistic,
    WeekMap,
    group_weeks,
    machine_week_map,
    overview,
)
from costopt.profile.kernel import profiles_of
from costopt.profile.overview import MAX_ROWS
from costopt.report import heatmap as draw
from costopt.report.safe import terminal
from costopt.units import counted

_FORMATS: Final = ("terminal", "png", "svg", "json", "csv")
_TERMINAL_ROWS: Final = 40


@dataclass(frozen=True, slots=True)
class _Fleet:
    """What is drawn from: the machines, and what was measured of them."""

    resources: Mapping[str, Resource]
    profiles: Mapping[str, Sequence[Profile]]
    metric: str
    statistic: Statistic
    view: Mapping[str, Any]  # time_zone and thin_below, as the heatmaps take them


@dataclass(frozen=True, slots=True)
class _Look:
    """How it is drawn."""

    kind: str  # one of _FORMATS
    fit: bool
    screen: Mapping[str, Any]  # colour, width and depth of the terminal


@click.command()
@click.argument("resource", required=False)
@click.option(
    "--group-by",
    metavar="tag:KEY|region|type|provider|account",
    help="One heatmap a group; with --overview, what the second strip shows.",
)
@click.option("--overview", "whole_fleet", is_flag=True, help="Every machine as one line.")
@click.option("--metric", default="cpu_utilization", show_default=True, help="What to show.")
@click.option(
    "--statistic",
    type=click.Choice(["mean", "p95"]),
    default="mean",
    show_default=True,
    help="Of the samples in each hour of the week.",
)
@click.option(
    "--time-zone",
    metavar="ZONE",
    help="Show every machine by this IANA clock, moved by the difference in mid-window. "
    "Default: each by its own.",
)
@click.option(
    "--fit", is_flag=True, help="Colours reach to the highest value. Default: percentages to 100."
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(_FORMATS),
    help="Default: by the ending of --output, else terminal.",
)
@options.output
@options.as_of
@options.project
def heatmap(
    resource: str | None,
    group_by: str | None,
    whole_fleet: bool,
    metric: str,
    statistic: Statistic,
    time_zone: str | None,
    fit: bool,
    kind: str | None,
    output: Path | None,
    as_of: datetime | None,
    home: Path | None,
    config_path: Path | None,
) -> None:
    """Demand over the week: of RESOURCE (id or name), of groups, or of the fleet as one.

    An hour without data stays empty, one with too few samples is hatched. A group's percentage is
    demand over capacity, over the machines that were measured in that hour.
    """
    if resource and (group_by or whole_fleet):
        raise click.UsageError("name a RESOURCE, or --group-by or --overview, not both")
    kind = options.format_of(kind, output, _FORMATS)
    if kind in ("png", "svg") and output is None and sys.stdout.isatty():
        raise click.UsageError(f"a {kind.upper()} is not for a terminal: add --output FILE")
    if time_zone:
        zone(time_zone, where="--time-zone")
    settings, lake = options.settings_and_lake(home, config_path)
    view = {"time_zone": time_zone, "thin_below": settings.quality.min_coverage}
    fleet = _Fleet(*_measured(lake, settings, as_of, metric), metric, statistic, view)
    look = _Look(kind, fit, _screen(to_file=output is not None))
    if whole_fleet:
        data = _overview(fleet, group_by or "tag:team", look)
    else:
        weeks = [_machine(fleet, resource)] if resource else _groups(fleet, group_by or FLEET)
        data = _weeks(weeks, look)
    options.deliver(data, output)


def _measured(
    lake: Lake, settings: Settings, as_of: datetime | None, metric: str
) -> tuple[dict[str, Resource], dict[str, tuple[Profile, ...]]]:
    """The machines with their sizes, and the metric's profiles."""
    table = pipeline.profiles(lake, settings, as_of)
    known = sorted(pc.unique(table["MetricName"]).to_pylist())
    if metric not in known:
        listed = ", ".join(terminal(name) for name in known)
        raise InsufficientData(
            f"no machine has {metric} in the last {counted(settings.lookback_days, 'day', 'g')}",
            hint=f"--metric with one that is measured: {listed}"
            if known
            else "costopt collect, or an earlier --as-of",
        )
    catalogue = Catalogue.load(lake.read("prices"), lake.read("shapes"))
    machines = pipeline.resources(lake, settings, as_of)
    sized = {key: _sized(machine, catalogue) for key, machine in machines.items()}
    return sized, profiles_of(table.filter(pc.equal(table["MetricName"], metric)))


def _sized(resource: Resource, catalogue: Catalogue) -> Resource:
    """The resource with the sizes that only the catalogue knows; groups are weighted by them."""
    shape = (
        catalogue.shape(resource.provider_name, resource.instance_type)
        if resource.instance_type
        else None
    )
    if shape is None:
        return resource
    return replace(
        resource,
        vcpus=resource.vcpus or shape.vcpus,
        memory_gib=resource.memory_gib or shape.memory_gib,
        gpu_count=resource.gpu_count or shape.gpu_count,
        gpu_memory_gib=resource.gpu_memory_gib or shape.gpu_memory_gib,
    )


def _machine(fleet: _Fleet, wanted: str) -> WeekMap:
    resource = resource_named(fleet.resources, wanted)
    profiles = fleet.profiles.get(resource.resource_id, ())
    week = machine_week_map(resource, profiles, fleet.metric, fleet.statistic, **fleet.view)
    if week is None:
        raise InsufficientData(
            f"{fleet.metric} of {terminal(wanted)} is not measured",
            hint="costopt profile lists what is measured",
        )
    return week


def _groups(fleet: _Fleet, by: str) -> list[WeekMap]:
    _, tag, key = by.partition("tag:")
    tags = {name for resource in fleet.resources.values() for name in resource.tags}
    if tag and key not in tags:
        known = ", ".join(terminal(name) for name in sorted(tags)) or "none"
        raise ConfigError(f"no machine has the tag {terminal(key)!r}", hint=f"tags: {known}")
    weeks = group_weeks(
        fleet.resources, fleet.profiles, by, fleet.metric, fleet.statistic, **fleet.view
    )
    if not weeks:
        raise InsufficientData(
            f"{fleet.metric} is measured, but of no resource that the lake knows",
            hint="costopt collect with the resources these metrics belong to",
        )
    return weeks


def _weeks(weeks: Sequence[WeekMap], look: _Look) -> bytes:
    one = len(weeks) == 1
    match look.kind:
        case "png":
            fit = look.fit
            return draw.week_png(weeks[0], fit=fit) if one else draw.weeks_png(weeks, fit=fit)
        case "svg":
            fit = look.fit
            return draw.week_svg(weeks[0], fit=fit) if one else draw.weeks_svg(weeks, fit=fit)
        case "json":
            return draw.weeks_json(weeks)
        case "csv":
            return draw.weeks_csv(weeks)
    texts = (draw.week_text(week, fit=look.fit, **look.screen) for week in weeks)
    return "\n".join(texts).encode()


def _overview(fleet: _Fleet, by: str, look: _Look) -> bytes:
    everyone = len(fleet.resources)
    rows = {"terminal": _TERMINAL_ROWS, "json": everyone, "csv": everyone}
    picture = overview(
        fleet.resources,
        fleet.profiles,
        fleet.metric,
        fleet.statistic,
        by=by,
        max_rows=rows.get(look.kind, MAX_ROWS),
        **fleet.view,
    )
    match look.kind:
        case "png":
            return draw.overview_png(picture, fit=look.fit)
        case "svg":
            return draw.overview_svg(picture, fit=look.fit)
        case "json":
            return draw.overview_json(picture)
        case "csv":
            return draw.overview_csv(picture)
    return draw.overview_text(picture, fit=look.fit, **look.screen).encode()


def _screen(*, to_file: bool) -> dict[str, Any]:
    """Width and colours of what is written to (no colours in a file, a pipe, under NO_COLOR)."""
    from rich.console import Console

    console = Console()
    plain = to_file or console.no_color or not console.is_terminal
    colours = None if plain else console.color_system
    depth = "256" if colours == "256" else "truecolor"
    width = shutil.get_terminal_size((80, 24)).columns
    return {"colour": colours in ("256", "truecolor"), "width": width, "depth": depth}
