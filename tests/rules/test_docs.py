"""The rules' pages name every setting with its default, every definition and every skip code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from costopt import registry
from costopt.rules.definitions import DEFINITIONS

ROOT = Path(__file__).parents[2]
SOURCES = {
    "idle": ("idle.py", "verdict.py"),
    "rightsize": ("rightsize.py", "sizing.py", "scope.py", "prices.py"),
    "schedule": ("schedule.py", "timetables.py", "asleep.py"),
}
CODE = re.compile(r'"([a-z]+(?:-[a-z]+)+|undersized)"')  # every such literal there is a code


def page(rule: str) -> str:
    return (ROOT / "docs" / "rules" / f"{rule}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("rule", SOURCES)
def test_every_setting_is_documented_with_its_default(rule: str) -> None:
    text = page(rule)
    for name, field in registry.find("rule", rule).Settings.model_fields.items():
        default = field.default
        shown = f"{default:g}" if isinstance(default, float) else str(default)
        shown = shown.lower() if isinstance(default, bool) else shown
        assert re.search(rf"^\| `{name}` \| `?{re.escape(shown)}`? \|", text, re.MULTILINE), name


def test_every_definition_is_documented() -> None:
    text = page("idle")
    for name, definition in DEFINITIONS.items():
        assert f"| `{name}`" in text
        assert re.search(rf"^\| `{name}`[^|]* \| {definition.days} \|", text, re.MULTILINE), name


@pytest.mark.parametrize(("rule", "files"), SOURCES.items())
def test_every_skip_code_is_documented(rule: str, files: tuple[str, ...]) -> None:
    text = page(rule)
    codes = {
        code
        for file in files
        for code in CODE.findall((ROOT / "costopt" / "rules" / file).read_text(encoding="utf-8"))
    }
    assert len(codes) >= 12
    assert {code for code in codes if f"`{code}`" not in text} == set()
