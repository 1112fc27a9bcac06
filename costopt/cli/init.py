"""`costopt init`: a starting costopt.toml with every setting explained."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import click
from pydantic import BaseModel

from costopt import registry
from costopt.config import CONFIG_NAME, SECTIONS, Settings
from costopt.errors import ConfigError
from costopt.lake.atomic import write_atomically
from costopt.rules.judgement import OF_FLEETS

_HEAD: Final = """\
# Settings of costopt in this folder. Every line that is commented out shows the default: take the
# "#" away to change it. Flags win over COSTOPT_* variables, which win over this file.
"""
_HEADED: Final = {*SECTIONS, "rules"}
_LIMITS: Final = {
    "minimum": "at least",
    "exclusiveMinimum": "more than",
    "maximum": "at most",
    "exclusiveMaximum": "less than",
}
_PARAGRAPH: Final = "\n\n"
_WIDTH: Final = 96


@click.command()
@click.option("--force", is_flag=True, help="Overwrite a costopt.toml that is there.")
def init(force: bool) -> None:
    """Write a starting costopt.toml here, with every setting explained.

    It changes nothing by itself: all settings in it are the defaults.
    """
    path = Path(CONFIG_NAME)
    if path.exists() and not force:
        raise ConfigError(
            "there is one already", where=str(path), hint="costopt init --force overwrites it"
        )
    write_atomically(path, starting_toml().encode())
    click.echo(f"wrote {path}", err=True)


def starting_toml() -> str:
    """Every setting of costopt and of each rule, commented out at its default, with its help."""
    parts = [_HEAD, *_lines(Settings)]
    for name, section in SECTIONS.items():
        parts += [_title(name, section.__doc__), *_lines(section)]
    for name in registry.names("rule"):
        rule = registry.find("rule", name)
        parts += [_title(f"rules.{rule.code}", rule.__doc__), *_lines(rule.Settings)]
    for name, settings in OF_FLEETS.items():
        parts += [_title(f"rules.{name}", settings.__doc__), *_lines(settings)]
    return "\n".join(parts)


def _title(name: str, doc: str | None) -> str:
    return f"{_comment((doc or '').split(_PARAGRAPH)[0])}[{name}]\n"


def _lines(section: type[BaseModel]) -> Iterator[str]:
    """Its settings; those that are sections themselves come under their own heads."""
    for name, said in section.model_json_schema()["properties"].items():
        if name in _HEADED:
            continue
        help_ = "; ".join(part for part in (said.get("description", ""), _bounds(said)) if part)
        default = said.get("default", {})  # of those that are made anew: all are mappings
        if default is None:  # which TOML cannot say
            yield f"{_comment(f'{name}, unset by default: {help_}')}"
        else:
            yield f"{_comment(help_)}#{name} = {_toml(default)}\n"


def _comment(text: str) -> str:
    lines = textwrap.wrap(" ".join(text.split()), _WIDTH, break_on_hyphens=False)
    return "".join(f"# {line}\n" for line in lines)


def _bounds(said: Mapping[str, Any]) -> str:
    """What values it takes, where that is limited."""
    if "enum" in said:
        return "one of " + ", ".join(map(_toml, said["enum"]))
    return ", ".join(f"{words} {said[key]:g}" for key, words in _LIMITS.items() if key in said)


def _toml(value: Any) -> str:
    """A plain value as TOML, which writes text, numbers and booleans as JSON does."""
    return json.dumps(value, ensure_ascii=False)
