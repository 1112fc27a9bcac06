"""`costopt move`: where every group of machines should run, and what it takes to go there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

import click

from costopt import config, pipeline
from costopt.cli import advice, options
from costopt.cli import own as own_machines
from costopt.cli.progress import steps
from costopt.errors import ConfigError
from costopt.model import Report
from costopt.pipeline import Analysis
from costopt.report import move as pages
from costopt.report.move.text import WIDTH
from costopt.report.safe import terminal
from costopt.rules.move import Moves
from costopt.rules.move.own import Owned
from costopt.rules.move.reported import reported
from costopt.rules.move.settings import CODE

_FORMATS: Final = ("table", "json", "csv", "markdown")
_PICTURES: Final = (".png", ".svg")
_ASKED: Final = 10  # groups that a name may mean


@dataclass(frozen=True, slots=True)
class _Found:
    """Where everything should run, and what stands behind it."""

    moves: Moves
    analysis: Analysis
    report: Report
    owned: Owned | None = None  # what machines of one's own should take over


@click.command()
@click.option(
    "--format",
    "format_name",
    type=click.Choice(_FORMATS),
    help="How the report is written. Default: as --output ends, else table.",
)
@options.output
@click.option(
    "--picture",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.png|FILE.svg",
    help="Draw spend by provider and region, once the plan is done and with the moves, beside what "
    "is printed.",
)
@advice.part
@click.option(
    "--to",
    multiple=True,
    metavar="PROVIDER",
    help="Where it may go: a provider, or any. Repeatable. Default: as costopt.toml says, else "
    "those that the fleet runs on.",
)
@click.option(
    "--place",
    "--region",
    "places",
    multiple=True,
    metavar="PLACE",
    help="Where it may go: a region, country, continent, EU, EEA or UK. Repeatable. Default: as "
    "costopt.toml says, else the continent where it runs.",
)
@click.option(
    "--horizon-months",
    type=click.FloatRange(min=0, max=120, min_open=True),
    help="Over how long a move must pay. Default: as costopt.toml says, else 24.",
)
@own_machines.flags
@click.option("--skips", is_flag=True, help="List every machine that stays for a reason, and why.")
@click.option(
    "--explain",
    "wanted",
    metavar="GROUP|MACHINE|CLASS",
    help="One group: both places side by side, what going takes, and why not elsewhere. "
    "One class of --on-prem: everything that its answer rests on.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    help=f"Show the N largest savings; 0 = all. Default: {advice.SHOWN} on a terminal, else all.",
)
@options.as_of
@options.project
def move(
    format_name: str | None,
    output: Path | None,
    picture: Path | None,
    providers: tuple[str, ...],
    tags: tuple[tuple[str, str], ...],
    min_monthly_savings: float | None,
    lookback_days: float | None,
    to: tuple[str, ...],
    places: tuple[str, ...],
    horizon_months: float | None,
    on_prem: Path | None,
    own_picture: Path | None,
    skips: bool,
    wanted: str | None,
    limit: int | None,
    as_of: datetime | None,
    home: Path | None,
    config_path: Path | None,
) -> None:
    """Where it should run: each group stays, or goes to another region or provider, or on spot.

    By demand, on what the plan of costopt recommend leaves, with all that going takes: data,
    people's time, both places at once, commitments left behind. Nothing is moved.
    """
    if picture and picture.suffix.lower() not in _PICTURES:
        raise click.UsageError("--picture needs a file that ends in .png or .svg")
    name = advice.format_wanted(
        format_name, output, _FORMATS, explained=wanted is not None, emitted=False, skips=skips
    )
    if wanted is not None and (providers or tags):
        raise click.UsageError("--explain tells of one group: filter none")
    site = own_machines.checked(on_prem, own_picture)
    settings, lake = options.settings_and_lake(
        home, config_path, min_monthly_savings=min_monthly_savings, lookback_days=lookback_days
    )
    settings = _with(settings, to=to, places=places, horizon_months=horizon_months)
    with steps() as progress:
        moves, analysis = pipeline.move(lake, settings, as_of, progress)
        moves, owned = own_machines.with_own(moves, analysis, site)
    own_machines.drawn(owned, own_picture)
    found = _narrowed(moves, analysis, providers, tags, settings.min_monthly_savings)
    found = replace(found, report=own_machines.noted(found.report, owned), owned=owned)
    if picture:
        _draw(found, picture)
    if wanted is not None:
        options.deliver(_story(wanted, found, options.look(output, WIDTH)._asdict()), output)
        return
    if limit is None:
        limit = advice.shown(output) if name == "table" else 0
    _deliver(replace(found, report=pages.first(found.report, limit)), name, output,
             skips=skips, given=advice.given(home, config_path))  # fmt: skip


def _deliver(found: _Found, name: str, output: Path | None, *, skips: bool, given: str) -> None:
    if name == "table":
        look = options.look(output, WIDTH)._asdict()
        page = pages.render(found.report, **look, skips=skips, options=given)
        options.deliver(page + own_machines.section(found.owned, **look), output)
    elif name == "markdown":
        page = pages.as_markdown(found.report) + own_machines.markdown(found.owned)
        options.deliver(page, output)
    else:
        advice.deliver_file(found.report, name, 0, output)


def _draw(found: _Found, picture: Path) -> None:
    shown = pages.spending(found.report, found.analysis.report, found.analysis.cases)
    kind = pages.spending_png if picture.suffix.lower() == ".png" else pages.spending_svg
    options.deliver(kind(shown), picture)


def _story(wanted: str, found: _Found, look: Mapping[str, Any]) -> bytes:
    labels = pages.meanings(wanted, found.moves)
    if len(labels) > 1:
        raise ConfigError(
            f"{terminal(wanted)!r} means {len(labels):,} groups",
            hint=f"--explain one of them: {', '.join(map(terminal, labels[:_ASKED]))}",
        )
    page = pages.story(
        wanted,
        found.moves,
        found.report,
        names=lambda resource_id: (
            found.analysis.resources[resource_id].resource_name or resource_id
        ),
        **look,
    )
    of_class = own_machines.story(found.owned, wanted, **look)
    if page is not None and not of_class:
        return page.encode() + own_machines.section(found.owned, **look)
    if of_class:
        return (page or "").encode() + of_class
    known = {ground.group.label for ground in found.moves.grounds}
    known |= {
        one.resource.resource_name or one.resource.resource_id
        for ground in found.moves.grounds
        for one in ground.group.members
    }
    known |= own_machines.named(found.owned)
    nearest = get_close_matches(wanted, sorted(known), n=5, cutoff=0.4)
    hint = f"did you mean {' or '.join(map(terminal, nearest))}?" if nearest else ""
    raise ConfigError(
        f"no group and no machine is called {terminal(wanted)!r}",
        hint=hint or "costopt move --skips lists what stays for a reason",
    )


def _with(settings: config.Settings, **flags: Any) -> config.Settings:
    """The settings with those flags over what costopt.toml says of the rule."""
    given = {name: value for name, value in flags.items() if value not in (None, ())}
    rule = {**settings.rules.get(CODE, {}), **given}
    return settings.model_copy(update={"rules": {**settings.rules, CODE: rule}})


def _narrowed(
    moves: Moves,
    analysis: Analysis,
    providers: Sequence[str],
    tags: Sequence[tuple[str, str]],
    least: float,
) -> _Found:
    """The part of the fleet that the filters choose."""
    plan, cases = advice.narrowed(analysis, providers, tags)
    report = reported(moves, plan, chosen=cases, min_monthly_savings=least)
    return _Found(moves, replace(analysis, cases=cases, report=plan), report)
