"""What commands share: the format that --output ends in, and where data go."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from costopt.cli import costopt, options

KNOWN = ("table", "json", "markdown")


def _writers(group: click.Group, *path: str) -> Iterator[tuple[str, ...]]:
    """Every command that writes one document, in a format that its --output may say."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from _writers(command, *path, name)
        if command and {"--format", "--output"} <= {o for p in command.params for o in p.opts}:
            arguments = [p for p in command.params if isinstance(p, click.Argument) and p.required]
            yield (*path, name, *("x" for _ in arguments))


WRITERS = list(_writers(costopt))


def test_the_commands_are_found() -> None:
    assert {" ".join(one) for one in WRITERS} >= {
        "recommend", "backtest", "heatmap", "profile", "doctor", "prices find",
        "collect check-focus x",
    }  # fmt: skip


@pytest.mark.parametrize("command", WRITERS, ids=" ".join)
def test_every_command_refuses_an_ending_it_cannot_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(costopt, [*command, "-o", "report.pdf"])
    assert result.exit_code == 2, result.output
    assert ".pdf is no format here: " in result.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("given", "name", "expected"),
    [
        (None, None, "table"),
        (None, "advice", "table"),
        (None, "advice.txt", "table"),
        (None, "advice.JSON", "json"),
        (None, "advice.md", "markdown"),
        (None, "advice.tar.json", "json"),
        ("json", "advice.pdf", "json"),
        ("table", "advice.json", "table"),
    ],
)
def test_the_format_is_the_one_asked_for_else_the_ending(
    given: str | None, name: str | None, expected: str
) -> None:
    assert options.format_of(given, Path(name) if name else None, KNOWN) == expected


@pytest.mark.parametrize("name", ["advice.pdf", "advice.html", "advice.2026", "advice.json.bak"])
def test_an_unknown_ending_is_refused(name: str) -> None:
    with pytest.raises(click.UsageError, match=r"is no format here: json, markdown or \.txt"):
        options.format_of(None, Path(name), KNOWN)


def test_data_go_into_a_pipe_that_output_names(tmp_path: Path) -> None:
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    end = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    try:
        options.deliver(b"data", fifo)
        assert os.read(end, 100) == b"data"
    finally:
        os.close(end)
    assert fifo.is_fifo()
