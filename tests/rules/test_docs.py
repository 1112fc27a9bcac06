"""The rules' pages name every setting with its default, every definition and every skip code."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from costopt import registry
from costopt.rules.commit.settings import CommitSettings
from costopt.rules.definitions import DEFINITIONS
from costopt.rules.move.settings import MoveSettings

ROOT = Path(__file__).parents[2]
PAGES = {
    **{
        f"rules/{rule}.md": registry.find("rule", rule).Settings
        for rule in ("idle", "rightsize", "schedule")
    },
    "commitments.md": CommitSettings,
    "moves.md": MoveSettings,
}
SOURCES = {
    "rules/idle.md": ("idle.py", "verdict.py"),
    "rules/rightsize.md": ("rightsize.py", "sizing.py", "scope.py", "prices.py"),
    "rules/schedule.md": ("schedule.py", "timetables.py", "asleep.py"),
    "moves.md": ("move/subjects.py", "move/stays.py", "move/spot.py", "move/own_sums.py",
                 "move/own_fit.py", "move/own.py", "move/groups.py"),
}  # fmt: skip
CODE = re.compile(r'"([a-z]+(?:-[a-z]+)+|undersized)"')  # every such literal there is a code


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PAGES)
def test_every_setting_is_documented_with_its_default(name: str) -> None:
    table = page(name).partition("\n| Setting | Default |")[2].partition("\n\n")[0]
    told = dict(re.findall(r"^\| `(\w+)` \| `?(.*?)`? \|", table, re.MULTILINE))
    fields = PAGES[name].model_fields
    defaults = {
        name: field.get_default(call_default_factory=True) for name, field in fields.items()
    }
    assert told == {name: shown(default) for name, default in defaults.items()}


def shown(default: object) -> str:
    """As it is written in costopt.toml."""
    if default is None:
        return "none"
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, float):
        return f"{default:g}"
    if isinstance(default, tuple):
        return json.dumps(default)
    return "{}" if isinstance(default, Mapping) else str(default)


def test_every_definition_is_documented() -> None:
    text = page("rules/idle.md")
    for name, definition in DEFINITIONS.items():
        assert f"| `{name}`" in text
        assert re.search(rf"^\| `{name}`[^|]* \| {definition.days} \|", text, re.MULTILINE), name


@pytest.mark.parametrize(("name", "files"), SOURCES.items())
def test_every_skip_code_is_documented(name: str, files: tuple[str, ...]) -> None:
    text = page(name)
    codes = {
        code
        for file in files
        for code in CODE.findall((ROOT / "costopt" / "rules" / file).read_text(encoding="utf-8"))
    }
    assert len(codes) >= 12
    assert {code for code in codes if f"`{code}`" not in text} == set()
