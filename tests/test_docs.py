"""The documents cannot drift: links resolve, commands and options that they name exist."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from costopt import cli
from tests.conftest import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def by_name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("document", DOCUMENTS, ids=by_name)
def test_links_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", document.read_text())
    missing = [link for link in links if not (document.parent / link).exists()]
    assert missing == []


def _commands(text: str) -> list[list[str]]:
    """Every `costopt ...` line of an indented block or a code fence, without comments."""
    lines = re.findall(r"^(?: {4,}|\$ )(costopt [^\n#`]*)$", text, re.MULTILINE)
    return [line.split() for line in lines]


@pytest.mark.parametrize("document", DOCUMENTS, ids=by_name)
def test_commands_and_options_exist(document: Path) -> None:
    for words in _commands(document.read_text()):
        command: click.Command = cli.costopt
        context = click.Context(command)
        for word in words[1:]:
            if not isinstance(command, click.Group) or word.startswith("-"):
                break  # a group's own option may have a value: costopt doctor --resource web-1
            found = command.get_command(context, word)
            assert found is not None, " ".join(words)
            command = found
        known = {option for param in command.params for option in param.opts} | {"--help", "-h"}
        used = {word.split("=")[0] for word in words if word.startswith("-") and word != "-"}
        assert used <= known | {"--version", "-V"}, " ".join(words)


def test_short_help_is_each_commands_own() -> None:
    context = click.Context(cli.costopt)
    for name in cli.costopt.list_commands(context):
        command = cli.costopt.get_command(context, name)
        assert command is not None
        assert command.name == name
        assert command.help, name


def test_no_machine_of_ours_is_named() -> None:
    pattern = re.compile(r"(?<![\w.])/(?:work|root)/")
    for path in [*DOCUMENTS, *ROOT.glob("costopt/**/*.py"), *ROOT.glob("scripts/*")]:
        assert not path.is_file() or not pattern.search(path.read_text()), path
