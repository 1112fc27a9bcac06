"""`costopt profile`: what each machine does, as the profiles table has it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

import click
import pyarrow as pa
import pyarrow.compute as pc

from costopt import pipeline
from costopt.cli import options
from costopt.cli.lookup import resource_named
from costopt.errors import ConfigError, InsufficientData
from costopt.model import Resource
from costopt.profile.kernel import profiles_of
from costopt.report import profiles as draw
from costopt.report.safe import terminal

_FORMATS: Final = ("table", "json", "csv", "parquet")
_SHOWN: Final = 40  # series on a terminal; files and pipes get all


@click.command()
@click.argument("resource", required=False)
@click.option("--metric", help="Only this metric, like cpu_utilization.")
@click.option(
    "--format",
    "kind",
    type=click.Choice(_FORMATS),
    help="csv has no histogram and no hours of the week; json and parquet have everything. "
    "Default: as --output ends, else table.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    help=f"Show the first N series; 0 = all. Default: {_SHOWN} on a terminal, else all.",
)
@options.output
@options.as_of
@options.project
def profile(
    resource: str | None,
    metric: str | None,
    kind: str | None,
    limit: int | None,
    output: Path | None,
    as_of: datetime | None,
    home: Path | None,
    config_path: Path | None,
) -> None:
    """What every machine does, or RESOURCE (id or name) alone in full: level, percentiles, idle
    runs, gaps, and the shape of its week in its own time zone.

    Percentiles are nearest rank over the lookback. A missing sample is missing, never zero.
    """
    kind = options.format_of(kind, output, _FORMATS)
    if kind == "parquet" and output is None and sys.stdout.isatty():
        raise click.UsageError("parquet is not for a terminal: add --output FILE")
    settings, lake = options.settings_and_lake(home, config_path)
    table = pipeline.profiles(lake, settings, as_of)
    known = pipeline.resources(lake, settings, as_of)
    look = options.look(output, draw.WIDTH)
    if resource is not None:
        found = _measured(table, known, resource)
        table = _only(table, "ResourceId", found.resource_id)
    table = table if metric is None else _only(table, "MetricName", metric)
    if kind != "table":
        options.deliver(draw.data(table.slice(0, limit or None), kind), output)
        return
    if resource is not None:
        profiles = profiles_of(table)[found.resource_id]
        options.deliver(draw.machine_text(found, profiles, **look._asdict()).encode(), output)
        return
    names = {key: one.resource_name or key for key, one in known.items()}
    lines = [one for of_machine in profiles_of(table).values() for one in of_machine]
    lines.sort(key=lambda one: (names.get(one.resource_id, one.resource_id), one.resource_id))
    on_terminal = output is None and sys.stdout.isatty()
    shown = lines[: limit or None] if limit is not None or not on_terminal else lines[:_SHOWN]
    options.deliver(draw.fleet_text(shown, names, **look._asdict()).encode(), output)
    if len(shown) < len(lines):
        click.echo(
            f"{len(shown)} of {len(lines):,} series; --limit 0 shows all, and the id or name of a "
            "machine all of that one",
            err=True,
        )


def _measured(table: pa.Table, known: Mapping[str, Resource], wanted: str) -> Resource:
    """The resource meant: of several with that name (a machine and its disk) the measured one."""
    ids = pc.unique(table["ResourceId"]).to_pylist()
    measured = {key: known.get(key) or Resource(key, provider_name="") for key in ids}
    try:
        return resource_named(measured, wanted)
    except ConfigError:
        return resource_named({**known, **measured}, wanted)


def _only(table: pa.Table, column: str, wanted: str) -> pa.Table:
    found = table.filter(pc.equal(table[column], wanted))
    if not found.num_rows:
        there = sorted(pc.unique(table["MetricName"]).to_pylist())
        raise InsufficientData(
            f"nothing is measured of {terminal(wanted)} in the lookback",
            hint=f"measured: {', '.join(terminal(name) for name in there)}"
            if column == "MetricName" and there
            else "costopt profile lists what is measured, costopt doctor what was refused",
        )
    return found
