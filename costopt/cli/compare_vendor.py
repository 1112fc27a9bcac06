"""`costopt recommend --compare-vendor`: our advice beside what the clouds themselves recommend."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import click

from costopt.cli import options
from costopt.errors import InsufficientData
from costopt.lake.store import Lake
from costopt.report import vendor
from costopt.report.text import WIDTH

_FORMATS: Final[Mapping[str, Callable[[vendor.Comparison], bytes]]] = {
    "json": vendor.as_json,
    "csv": vendor.as_csv,
    "markdown": vendor.as_markdown,
}


def check(given: Mapping[str, object], format_name: str) -> None:
    """What goes together with it.

    Args:
        given: options that do not, and their values.
    Raises:
        click.UsageError: one of them is given, or a format that it has not.
    """
    if unfit := [flag for flag, value in given.items() if value]:
        story = "; --explain tells of the vendor without it" if "--explain" in unfit else ""
        raise click.UsageError(
            f"--compare-vendor compares all advice: leave {unfit[0]} away{story}"
        )
    if format_name not in ("table", *_FORMATS):
        raise click.UsageError(f"--compare-vendor has no {format_name}: {', '.join(_FORMATS)}")


def told(lake: Lake, *, needed: bool) -> vendor.Told:
    """What the vendors said.

    Raises:
        InsufficientData: it is needed, and none was asked.
    """
    found = vendor.told(lake.vendor_recommendations())
    if needed and not found.asked:
        raise InsufficientData(
            "no vendor's recommendations were collected",
            where=str(lake.root),
            hint="costopt collect aws, gcp or azure, which asks for them where it is permitted; "
            "what that takes: costopt doctor aws --policy",
        )
    return found


def page(found: vendor.Comparison, format_name: str, limit: int, output: Path | None) -> bytes:
    """The comparison as it was asked for; `limit` 0 = every resource."""
    if format_name != "table":
        return _FORMATS[format_name](vendor.first(found, limit))
    return vendor.as_text(found, **options.look(output, WIDTH)._asdict(), limit=limit)
