"""`costopt init`: a starting costopt.toml with every setting explained."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin

import click
from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from costopt import registry
from costopt.config import CONFIG_NAME, QualitySettings, Settings
from costopt.errors import ConfigError
from costopt.lake.store import write_atomically

_HEAD: Final = """\
# Settings of costopt in this folder. Every line that is commented out shows the default: take the
# "#" away to change it. Flags win over COSTOPT_* variables, which win over this file.
"""
_SECTIONS: Final[Mapping[str, type[BaseModel]]] = {"quality": QualitySettings}
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
    top = {name: f for name, f in Settings.model_fields.items() if name not in ("quality", "rules")}
    parts = [_HEAD, *_lines(top)]
    for name, section in _SECTIONS.items():
        parts += [_title(name, section.__doc__), *_lines(section.model_fields)]
    for name in registry.names("rule"):
        rule = registry.find("rule", name)
        parts += [_title(f"rules.{rule.code}", rule.__doc__), *_lines(rule.Settings.model_fields)]
    return "\n".join(parts)


def _title(name: str, doc: str | None) -> str:
    said = (doc or "").strip().split("\n\n")[0].replace("\n", " ")
    return f"{_comment(said)}[{name}]\n"


def _lines(fields: Mapping[str, FieldInfo]) -> Iterator[str]:
    for name, field in fields.items():
        said = "; ".join(part for part in (field.description or "", _bounds(field)) if part)
        default = field.get_default(call_default_factory=True)
        yield f"{_comment(said)}#{name} = {_toml(default)}\n"


def _comment(text: str) -> str:
    return "".join(f"# {line}\n" for line in _wrapped(text))


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(" ".join(text.split()), _WIDTH, break_on_hyphens=False)


def _bounds(field: FieldInfo) -> str:
    """What values it takes, where that is limited."""
    if get_origin(field.annotation) is Literal:
        return "one of " + ", ".join(json.dumps(choice) for choice in get_args(field.annotation))
    said = []
    for bound in field.metadata:
        match bound:
            case Ge(ge=least):
                said.append(f"at least {least}")
            case Gt(gt=below):
                said.append(f"more than {below}")
            case Le(le=most):
                said.append(f"at most {most}")
            case Lt(lt=above):
                said.append(f"less than {above}")
            case _:
                pass
    return ", ".join(said)


def _toml(value: Any) -> str:
    """A plain value as TOML, which writes text, numbers and booleans as JSON does."""
    return json.dumps(str(value) if isinstance(value, Path) else value, ensure_ascii=False)
