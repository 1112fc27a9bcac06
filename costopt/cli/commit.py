"""`costopt commit`: what to buy ahead, of whom, for how long, and what is held for nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, get_args

import click
import pyarrow as pa
import pyarrow.compute as pc

from costopt import config, pipeline, registry
from costopt.cli import advice, options
from costopt.cli.progress import steps
from costopt.errors import ConfigError, InsufficientData
from costopt.frame import metered
from costopt.frame.cost import COLUMNS, fleet_cost, read_bill
from costopt.frame.inventory import present
from costopt.lake.store import Lake
from costopt.model import Report, Window
from costopt.model.bill import Metered
from costopt.pricing.catalogue import Catalogue
from costopt.pricing.scenario import Change
from costopt.registry import suggest
from costopt.report import commitment
from costopt.report.commitment.text import WIDTH
from costopt.rules.changes import of_plan
from costopt.rules.commit import Commitments, commitments, reported
from costopt.rules.commit_settings import CommitSettings, Payment, TermName
from costopt.units import counted, provider_key

_PICTURES: Final = (".png", ".svg")
_AS_IS: Final = "for all that runs today: nothing is made smaller first"


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
        progress("bill")
        found, report = _found(
            lake, settings, as_of, providers, planned=not as_is, progress=progress
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


def _found(
    lake: Lake,
    settings: config.Settings,
    as_of: datetime | None,
    providers: Sequence[str],
    *,
    planned: bool,
    progress: pipeline.Progress,
) -> tuple[Commitments, Report]:
    """What the rule says of the lake's bill.

    Args:
        planned: after what `costopt recommend` would change first.
    Raises:
        InsufficientData: there is no bill.
        ConfigError: it names no such provider.
    """
    rule = settings.of_rule("commit", CommitSettings)
    charges = lake.read_charges(tuple(sorted({*COLUMNS, *metered.COLUMNS})))
    charges = _of_providers(charges, providers)
    window = _window(charges, as_of)
    asked = settings.currency if "currency" in settings.model_fields_set else None
    bill = read_bill(charges, window.end, asked) if window else None
    if window is None or bill is None:
        raise InsufficientData(
            "the lake holds no bill, and commitments are bought by the bill",
            where=str(lake.root),
            hint="costopt collect aws, gcp, azure, or files --charges; or costopt demo",
        )
    bills = metered.read(charges, window, bill.currency)
    changes, note = _first(lake, settings, as_of, bills, progress) if planned else ({}, _AS_IS)
    found = commitments(
        bills,
        present(lake.read("resources"), window.end, settings.time_zone),
        Catalogue.load(lake.read("prices"), lake.read("shapes")),
        rule,
        changes=changes,
        min_monthly_savings=settings.min_monthly_savings,
        as_of=as_of,
    )
    found = replace(found, notes=(note, *found.notes))
    return found, reported(found, bills, fleet_cost(bill, ()), window)


def _first(
    lake: Lake,
    settings: config.Settings,
    as_of: datetime | None,
    bills: Mapping[str, Metered],
    progress: pipeline.Progress,
) -> tuple[Mapping[str, Mapping[str, Change]], str]:
    """What `costopt recommend` would change before anything is bought, and a note on it."""
    try:
        analysis = pipeline.analyse(lake, settings, as_of, progress)
    except InsufficientData as error:
        return {}, f"{_AS_IS}: {error.what}"
    outcomes = [analysis.outcomes[key] for key in sorted(analysis.outcomes)]
    made = of_plan(analysis.report.recommendations, outcomes, analysis.cases, bills)
    count = sum(len(of_it) for of_it in made.values())
    return made, (
        f"for what remains once the plan of costopt recommend is done, which concerns "
        f"{counted(count, 'machine')} on these bills; --as-is buys for all that runs today"
    )


def _of_providers(charges: pa.Table, providers: Sequence[str]) -> pa.Table:
    names = charges.column("ProviderName").unique().to_pylist()
    keys = {provider_key(name) for name in providers}
    known = {provider_key(name or ""): name for name in names}
    for key in sorted(keys):
        if key not in known and names:
            hint = suggest(key, sorted(known))
            raise ConfigError(f"the bill names no provider {key!r}", hint=hint)
    if not keys:
        return charges
    wanted = [name for name in names if provider_key(name or "") in keys]
    return charges.filter(pc.is_in(charges.column("ProviderName"), value_set=pa.array(wanted)))


def _window(charges: pa.Table, as_of: datetime | None) -> Window | None:
    """All of the bill: from its first to the end of its last usage, up to `as_of`."""
    used = charges.filter(pc.equal(charges.column("ChargeCategory"), "Usage"))
    start = pc.min(used.column("ChargePeriodStart")).as_py()
    end = pc.max(used.column("ChargePeriodEnd")).as_py()
    if start is None or end is None:
        return None
    end = end if as_of is None else min(end, as_of)
    return Window(start, end) if start < end else None


def _story(wanted: str, found: Commitments, report: Report, look: Mapping[str, Any]) -> bytes:
    page = commitment.story(wanted, found, report, **look)
    if page is None:
        scopes = [one.resource_id for one in report.recommendations]
        known = sorted({*scopes, *(s.resource_id for s in report.skips)})
        known += sorted(one.name for one in found.held)
        raise ConfigError(f"nothing here is called {wanted!r}", hint=suggest(wanted, known))
    return page.encode()
