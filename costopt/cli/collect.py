"""`costopt collect`: fill the lake from a provider; each registered one is a subcommand.

What a file or an account could not give is told on stderr, the rest is kept.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from costopt import pipeline
from costopt.cli import options
from costopt.cli.progress import steps
from costopt.cli.provider_commands import ProviderCommands
from costopt.errors import ConfigError, CostoptError
from costopt.lake import packed
from costopt.lake.store import Lake
from costopt.providers.base import Estimate, Problem, Provider, Rehearsing
from costopt.report.safe import terminal
from costopt.units import counted

_SHOWN: Final = 20
"""Problems that the summary lists; the others are counted."""
_FORMATS: Final = ("text", "json")


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
            collected = pipeline.collect(
                provider,
                lake,
                progress=step,
                announce=_announce,
                waits=lambda since: _wait(provider.name, since),
            )
    except CostoptError:
        _tell(provider.problems)
        raise
    if isinstance(provider, Rehearsing) and provider.dry_run:
        click.echo("nothing was collected", err=True)
    else:
        _tell_what_is_new(provider, lake, collected)
    _tell(collected.problems)
    where = "" if home is None else f" --home {shlex.quote(str(home))}"
    if packed.days(lake):
        click.echo(f"next: costopt recommend{where}", err=True)
    if any(problem.fatal for problem in collected.problems):
        sys.exit(4)


def _tell_what_is_new(provider: Provider, lake: Lake, collected: pipeline.Collected) -> None:
    """How much of what the lake got."""
    new = {table: rows for table, rows in collected.rows.items() if rows}
    click.echo(f"collected from {provider.name} into {lake.root}", err=True)
    for table, rows in new.items():
        what = "sample" if table == "metrics" else "new row"  # of samples the first one stands
        click.echo(f"  {table:<10} {counted(rows, what, '>14,')}", err=True)
    if not new:
        click.echo("  nothing new: the lake already holds it all, or there was nothing", err=True)
    if collected.compacted_days:
        click.echo(f"  {counted(collected.compacted_days, 'day')} of metrics packed", err=True)


@click.group(cls=ProviderCommands, run=_collect)
def collect() -> None:
    """Fill the lake from a provider or from files. Collecting twice gives the same tables."""


@collect.command("check-focus", short_help="Check a bill against the FOCUS specification.")
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


def _announce(estimate: Estimate) -> None:
    """What the paid calls will cost, before the first of them."""
    for line in estimate.lines:
        click.echo(terminal(line), err=True)


def _wait(provider: str, since: datetime | None) -> None:
    """For whom this collect waits."""
    begun = ""
    if since is not None:
        day = "" if since.date() == datetime.now(UTC).date() else f"{since:%Y-%m-%d} "
        begun = f" (since {day}{since:%H:%M} UTC)"
    click.echo(f"another collect of {provider} is writing to this lake{begun}: waiting", err=True)


def _tell(problems: Sequence[Problem]) -> None:
    """The problems on stderr, the gravest first."""
    if not problems:
        return
    ordered = sorted(problems, key=lambda p: not p.fatal)
    click.echo(f"{counted(len(problems), 'problem')}; what could be used was kept:", err=True)
    for problem in ordered[:_SHOWN]:
        mark = "MISSING " if problem.fatal else ""
        rows = f" ({problem.count:,} rows)" if problem.count > 1 else ""
        click.echo(f"  {mark}{terminal(problem.where)}: {terminal(problem.what)}{rows}", err=True)
    if len(ordered) > _SHOWN:
        click.echo(f"  and {len(ordered) - _SHOWN} more", err=True)
