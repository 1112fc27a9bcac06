"""`costopt backtest`: how the decisions, and named rules of others, would have done."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import click

from costopt import pipeline
from costopt.backtest.baselines import baselines, find
from costopt.backtest.fleet import LADDER
from costopt.backtest.result import Backtest
from costopt.cli import options
from costopt.cli.progress import steps
from costopt.hindsight import Wanted
from costopt.report import backtest as draw

_FORMATS: Final = ("table", "json", "csv", "png", "svg")
_RENDER: Final[Mapping[str, Callable[[Backtest], bytes]]] = {
    "json": draw.as_json,
    "csv": draw.as_csv,
    "png": draw.as_png,
    "svg": draw.as_svg,
}
_EVERY, _NONE = "all", "none"
TELLING: Final = ("aws-co", "azure-resize", "krr-simple", "vpa", "max-15", "p99.5-x1.25")
"""A cloud's rule each, two of Kubernetes, and the two ends of what a plain rule can do."""
_LADDER: Final = ",".join(f"{size:g}" for size in LADDER)
_MOST_RUNGS: Final = 16


class _Ladder(click.ParamType[tuple[float, ...]]):
    """Sizes as shares of today's: descending from 1, above 0."""

    name = "sizes"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...]:
        if isinstance(value, tuple):
            return value
        try:
            sizes = tuple(_size(part) for part in value.split(","))
        except (ValueError, ZeroDivisionError):
            self.fail(f"{value!r} is not a list like {_LADDER}", param, ctx)
        if sizes[0] != 1:
            self.fail(f"{value!r} must begin with 1, today's size", param, ctx)
        if len(sizes) == 1:
            self.fail(f"{value!r} leaves nothing to choose from: like {_LADDER}", param, ctx)
        if not all(0 < size < before for before, size in pairwise(sizes)):
            self.fail(f"{value!r} must descend, and stay above 0", param, ctx)
        if len(sizes) > _MOST_RUNGS:
            self.fail(f"{len(sizes)} sizes are more than {_MOST_RUNGS}", param, ctx)
        return sizes


def _size(text: str) -> float:
    """0.5 or 1/2."""
    part, slash, whole = text.partition("/")
    return float(part) / float(whole) if slash else float(part)


def _print_schema(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        options.deliver(draw.schema(), None)
        ctx.exit()


@click.command()
@click.option(
    "--baseline",
    "named",
    multiple=True,
    metavar=f"{_EVERY}|{_NONE}|NAME",
    help="Replay this published rule, too. Repeatable. Default: " + ", ".join(TELLING) + ".",
)
@click.option(
    "--list",
    "only_list",
    is_flag=True,
    help="List the baselines with what they stand for and where they are published, and leave.",
)
@options.risk
@click.option(
    "--train-days",
    type=click.IntRange(min=1),
    default=14,
    show_default=True,
    help="Days of history that each decision sees.",
)
@click.option(
    "--gap-days",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Days between a decision and its test.",
)
@click.option(
    "--test-days",
    type=click.IntRange(min=1),
    default=14,
    show_default=True,
    help="Days that judge each decision.",
)
@click.option(
    "--step-days",
    type=click.IntRange(min=1),
    default=7,
    show_default=True,
    help="Days from one decision of a machine to its next.",
)
@click.option(
    "--ladder",
    type=_Ladder(),
    default=_LADDER,
    show_default=True,
    help="Sizes on offer as shares of today's, largest first: 1,1/2 or 1,0.5.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Of the resampling behind the ranges.",
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(_FORMATS),
    help="How it is written. Default: as --output ends, else table.",
)
@options.output
@options.as_of
@options.project
@click.option(
    "--schema",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_schema,
    help="Print the JSON Schema of --format json, and leave.",
)
def backtest(
    named: tuple[str, ...],
    only_list: bool,
    rollback_cost: float | None,
    risk_budget: float | None,
    train_days: int,
    gap_days: int,
    test_days: int,
    step_days: int,
    ladder: tuple[float, ...],
    seed: int,
    kind: str | None,
    output: Path | None,
    as_of: datetime | None,
    home: Path | None,
    config_path: Path | None,
) -> None:
    """How costopt's sizes, and those of published rules, would have done on your own fleet.

    Each decision sees only the days before it and is judged by the days after it. Nothing is
    changed in any account.
    """
    kind = options.format_of(kind, output, _FORMATS)
    if only_list:
        options.deliver(_listed(kind, output), output)
        return
    chosen = _chosen(named)
    if kind in ("png", "svg") and output is None and sys.stdout and sys.stdout.isatty():
        raise click.UsageError(f"a {kind.upper()} is not for a terminal: add --output FILE")
    settings, lake = options.settings_and_lake(home, config_path)
    settings = options.with_risk(settings, rollback_cost, risk_budget)
    wanted = Wanted(
        baselines=tuple(find(name) for name in chosen),
        train_days=train_days,
        gap_days=gap_days,
        test_days=test_days,
        step_days=step_days,
        ladder=ladder,
        seed=seed,
    )
    with steps() as progress:
        result = pipeline.backtest(lake, settings, as_of, wanted, progress)
    if kind == "table":
        look = options.look(output, draw.WIDTH)
        options.deliver(draw.as_text(result, **look._asdict()), output)
        return
    options.deliver(_RENDER[kind](result), output)


def _listed(kind: str, output: Path | None) -> bytes:
    """Every baseline, as a page or as JSON."""
    known = baselines().values()
    if kind == "json":
        return draw.listed_as_json(known)
    if kind != "table":
        raise click.UsageError(f"--list is a table or json, not {kind}")
    return draw.listed(known, **options.look(output, draw.WIDTH)._asdict())


def _chosen(given: Sequence[str]) -> tuple[str, ...]:
    """The baselines that were asked for, each once; where none was, the telling ones.

    Raises:
        ConfigError: no baseline of that name.
    """
    words = [name.strip().casefold() for name in given]
    named = [word if word in (_EVERY, _NONE) else find(word).name for word in words]
    if _NONE in named and len(set(named)) > 1:
        raise click.UsageError(f"--baseline {_NONE} stands alone")
    if _NONE in named:
        return ()
    return tuple(baselines()) if _EVERY in named else tuple(dict.fromkeys(named or TELLING))
