"""`costopt commit`: what to buy ahead, of whom, for how long, and what is held for nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final, get_args

import click

from costopt import config, pipeline, registry
from costopt.cli import advice, options
from costopt.cli.progress import steps
from costopt.errors import ConfigError
from costopt.model import Report
from costopt.registry import suggest
from costopt.report import commitment
from costopt.report.commitment.text import WIDTH
from costopt.rules.commit import Commitments
from costopt.rules.commit.settings import Payment, TermName

_PICTURES: Final = (".png", ".svg")


@click.command()
@click.option(
    "--format",
    "format_name",
    type=click.Choice(registry.names("format")),
    help="How the report is written. Default: as --output ends, else table.",
)
@options.output
@click.option(
    "--picture",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.png|FILE.svg",
    help="Draw demand by hours against what is held and to be bought, and where it pays.",
)
@click.option(
    "--provider",
    "providers",
    multiple=True,
    metavar="NAME",
    help="Only what this provider bills. Repeatable.",
)
@click.option(
    "--as-is",
    is_flag=True,
    help="For all that runs today, not for what remains once costopt recommend's plan is done.",
)
@click.option(
    "--term",
    type=click.Choice(get_args(TermName)),
    help="How long you are willing to be bound. Default: as costopt.toml says, else any.",
)
@click.option(
    "--payment",
    type=click.Choice(get_args(Payment)),
    help="How you are willing to pay. Default: as costopt.toml says, else any.",
)
@click.option(
    "--min-monthly-savings",
    type=click.FloatRange(min=0),
    help="Smallest saving a month worth a purchase.",
)
@click.option("--skips", is_flag=True, help="List everything that is not bought, and why.")
@click.option(
    "--explain",
    "wanted",
    metavar="ID",
    help="All figures of one purchase, or of one commitment held: its id, scope or name.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    help=f"Show the N largest savings; 0 = all. Default: {advice.SHOWN} on a terminal, else all.",
)
@options.as_of
@options.project
def commit(
    format_name: str | None,
    output: Path | None,
    picture: Path | None,
    providers: tuple[str, ...],
    as_is: bool,
    term: str | None,
    payment: str | None,
    min_monthly_savings: float | None,
    skips: bool,
    wanted: str | None,
    limit: int | None,
    as_of: datetime | None,
    home: Path | None,
    config_path: Path | None,
) -> None:
    """What to buy ahead: reservations, savings plans, committed use; and what is held for nothing.

    By the whole history of the bill, on what still runs on demand once the plan of costopt
    recommend is done, at prices that a list or the bill itself names. Nothing is bought.
    """
    if picture and picture.suffix.lower() not in _PICTURES:
        raise click.UsageError("--picture needs a file that ends in .png or .svg")
    known = ("table", *registry.names("format"))
    name = advice.format_wanted(
        format_name, output, known, explained=wanted is not None, emitted=False, skips=skips
    )
    settings, lake = options.settings_and_lake(
        home, config_path, min_monthly_savings=min_monthly_savings
    )
    settings = _with(settings, term=term, payment=payment)
    with steps() as progress:
        found, report = pipeline.commit(
            lake, settings, as_of, progress, providers=providers, planned=not as_is
        )
    if picture:
        draw = {".png": commitment.coverage_png, ".svg": commitment.coverage_svg}
        options.deliver(draw[picture.suffix.lower()](found.curves), picture)
        if format_name is None and output is None and wanted is None:
            return
    look = options.look(output, WIDTH)._asdict()
    if wanted is not None:
        options.deliver(_story(wanted, found, report, look), output)
        return
    limit = advice.shown(output) if limit is None and name == "table" else limit or 0
    if name != "table":
        advice.deliver_file(report, name, limit, output)
        return
    given = advice.given(home, config_path)
    page = commitment.render(report, **look, skips=skips, limit=limit, options=given)
    options.deliver(page, output)


def _with(settings: config.Settings, **flags: str | None) -> config.Settings:
    """The settings with those flags over what costopt.toml says of the rule."""
    given = {name: value for name, value in flags.items() if value is not None}
    rule = {**settings.rules.get("commit", {}), **given}
    return settings.model_copy(update={"rules": {**settings.rules, "commit": rule}})


def _story(wanted: str, found: Commitments, report: Report, look: Mapping[str, Any]) -> bytes:
    page = commitment.story(wanted, found, report, **look)
    if page is None:
        hint = suggest(wanted, commitment.known(found, report))
        raise ConfigError(f"nothing here is called {wanted!r}", hint=hint)
    return page.encode()
