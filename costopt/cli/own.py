"""Machines of one's own in `costopt move`: their options, and their part of its pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import click

from costopt import pipeline
from costopt.cli import options
from costopt.errors import InsufficientData
from costopt.model import Report
from costopt.pipeline import Analysis
from costopt.pricing import onprem
from costopt.report import move as pages
from costopt.rules.move import Moves
from costopt.rules.move.own import Owned, joined
from costopt.rules.move.own_reported import own_classes

_DRAW: Final[dict[str, Any]] = {".png": pages.own_png, ".svg": pages.own_svg}


def flags(command: Callable[..., Any]) -> Callable[..., Any]:
    """--on-prem and --own-picture."""
    on_prem = click.option(
        "--on-prem",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE.toml",
        help="What machines of your own cost, like docs/examples/onprem.toml: what should run on "
        "them, and which of those you own should be closed.",
    )
    picture = click.option(
        "--own-picture",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE.png|FILE.svg",
        help="Draw what own machines' break-even hangs on, and how soon they pay. With --on-prem.",
    )
    return on_prem(picture(command))


def checked(on_prem: Path | None, picture: Path | None) -> onprem.Site | None:
    """The file, before anything is reckoned.

    Raises:
        UsageError: a picture of nothing, or in a format that is not drawn.
        InputError: the file is no such file.
    """
    if picture and on_prem is None:
        raise click.UsageError("--own-picture draws what --on-prem tells: give both")
    if picture and picture.suffix.lower() not in _DRAW:
        raise click.UsageError("--own-picture needs a file that ends in .png or .svg")
    return onprem.load(on_prem) if on_prem else None


def with_own(
    moves: Moves, analysis: Analysis, site: onprem.Site | None
) -> tuple[Moves, Owned | None]:
    """The moves with those to machines of one's own among them."""
    if site is None:
        return moves, None
    owned = pipeline.own(moves, analysis, site)
    return joined(moves, owned), owned


def noted(report: Report, owned: Owned | None) -> Report:
    """With what is found of own machines, and what is to be known of that; what both say once."""
    if owned is None:
        return report
    notes = tuple(dict.fromkeys((*owned.notes, *report.notes)))
    return replace(report, notes=notes, own_machines=own_classes(owned))


def section(owned: Owned | None, *, width: int, colour: bool) -> bytes:
    """What stands below the page; nothing without the file."""
    return pages.own_section(owned, width=width, colour=colour) if owned else b""


def markdown(owned: Owned | None) -> bytes:
    """The same in Markdown."""
    return pages.own_markdown(owned) if owned else b""


def story(owned: Owned | None, wanted: str, *, width: int, colour: bool) -> bytes:
    """Everything of the class of that name; nothing where there is none of it."""
    told = pages.own_story(owned, wanted, width=width, colour=colour) if owned else None
    return (told or "").encode()


def named(owned: Owned | None) -> set[str]:
    """The classes of the file."""
    answers = owned.answers if owned else ()
    return {one.kind.name for one in answers}


def drawn(owned: Owned | None, picture: Path | None) -> None:
    """The picture, where one is wanted.

    Raises:
        InsufficientData: nothing of the fleet could run on any class.
    """
    if owned is None or picture is None:
        return
    race = pages.own_race(owned)
    if race is None:
        raise InsufficientData(
            "nothing of the fleet could run on any class of the file: there is nothing to draw",
            hint="costopt move --on-prem without --own-picture says why",
        )
    options.deliver(_DRAW[picture.suffix.lower()](race), picture)
