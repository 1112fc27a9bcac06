"""`costopt demo`: a generated multi-cloud fleet through the whole way, and where to look then."""

from __future__ import annotations

import json
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from costopt import pipeline, registry
from costopt.backtest.windows import TEST_DAYS, TRAIN_DAYS
from costopt.cli import options
from costopt.cli.progress import steps
from costopt.errors import ConfigError
from costopt.lake.atomic import write_atomically
from costopt.lake.store import Lake
from costopt.pipeline import Analysis
from costopt.profile.heatmap import group_weeks, overview
from costopt.providers.demo import DemoProvider
from costopt.report.heatmap import overview_png, overview_svg, weeks_png, weeks_svg
from costopt.report.text import WIDTH
from costopt.report.text import render as table

_FORMATS: Final = (
    ("markdown", "md", "the report"),
    ("json", "json", "the same for programs (costopt recommend --schema)"),
    ("csv", "csv", "the same for spreadsheets"),
)
_METRIC: Final = "cpu_utilization"


@dataclass(frozen=True, slots=True)
class _Fleet:
    instances: int
    days: int
    seed: int


@click.command()
@click.option("--instances", type=click.IntRange(1, 100_000), default=133, show_default=True)
@click.option("--days", type=click.IntRange(8, 400), default=42, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=7, show_default=True)
@click.option(
    "--output",
    "-o",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("costopt-demo"),
    show_default=True,
    help="Folder for the report, the heatmaps and the JSON.",
)
@options.project
def demo(
    instances: int,
    days: int,
    seed: int,
    output: Path,
    home: Path | None,
    config_path: Path | None,
) -> None:
    """A realistic multi-cloud fleet: generated, analysed, reported. No account, no network.

    The fleet fills the project's lake, so that every other command then works on it. The same
    numbers give the same fleet, whenever and wherever it is made.
    """
    settings, lake = options.settings_and_lake(home, config_path)
    with steps() as progress:
        _fill(lake, _Fleet(instances, days, seed), progress)
        analysis = pipeline.analyse(lake, settings, None, progress)
        progress("pictures")
        written = _write(analysis, output)
    look = options.look(None, WIDTH)
    where = "" if home is None else f"--home {shlex.quote(str(home))}"
    text = table(analysis.report, **look._asdict(), limit=5, options=where)
    click.echo(text.decode(), nl=False)
    click.echo("\n  Written")
    for path, what in written:
        click.echo(f"    {path}  {what}")
    if days >= TRAIN_DAYS + TEST_DAYS:
        command = f"costopt backtest {where}".rstrip()
        click.echo("\n  How these sizes, and every published rule, would have done before")
        click.echo(f"    {command} --baseline all -o backtest.png")


def _fill(lake: Lake, fleet: _Fleet, progress: pipeline.Progress) -> None:
    """Put the fleet where the lake is: aside first, so that a killed demo leaves what was there."""
    if lake.root.exists() and not (lake.root / options.DEMO_MARK).exists():
        raise ConfigError(
            "the lake here holds data of your own, which the demo would replace",
            where=str(lake.root),
            hint="costopt demo --home demo-home",
        )
    aside = Lake(lake.root.with_name(f"{lake.root.name}.demo-in-making"))
    shutil.rmtree(aside.root, ignore_errors=True)
    provider = DemoProvider(instances=fleet.instances, days=fleet.days, seed=fleet.seed)
    pipeline.collect(provider, aside, progress=progress)
    mark = {"instances": fleet.instances, "days": fleet.days, "seed": fleet.seed}
    write_atomically(aside.root / options.DEMO_MARK, json.dumps(mark).encode())
    shutil.rmtree(lake.root, ignore_errors=True)
    aside.root.rename(lake.root)


def _write(analysis: Analysis, folder: Path) -> list[tuple[Path, str]]:
    """Every format of the report and the pictures; returns what lies where."""
    known, seen = analysis.resources, analysis.profiles
    fleet = overview(known, seen, _METRIC, "mean")
    teams = group_weeks(known, seen, "tag:team", _METRIC, "mean")
    files: list[tuple[str, str, bytes]] = [
        *(
            (f"recommendations.{end}", what, registry.find("format", name)(analysis.report))
            for name, end, what in _FORMATS
        ),
        (
            "overview.png",
            "every machine's week, look-alikes together",
            overview_png(fleet),
        ),
        ("overview.svg", "the same, scalable", overview_svg(fleet)),
        ("teams.png", "the weeks of the largest teams", weeks_png(teams, fit=True)),
        ("teams.svg", "the same, scalable", weeks_svg(teams, fit=True)),
    ]
    for name, _, data in files:
        write_atomically(folder / name, data)
    return [(folder / name, what) for name, what, _ in files]
