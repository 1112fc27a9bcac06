"""The command line: parse, print, exit. One file a command group; nothing else prints.

Commands are imported when they run, so that `costopt --help` loads click and nothing more.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Final, NamedTuple

import click

from costopt import __version__
from costopt.errors import CostoptError


class _Entry(NamedTuple):
    target: str  # module:attribute
    short_help: str


COMMANDS: Final = {
    "demo": _Entry("demo:demo", "A realistic multi-cloud fleet: generated, analysed, reported."),
    "init": _Entry("init:init", "Write a starting costopt.toml."),
    "doctor": _Entry("doctor:doctor", "Check the data: coverage, gaps, units, freshness."),
    "collect": _Entry("collect:collect", "Fill the lake from a provider or from files."),
    "profile": _Entry(
        "profile:profile", "What each machine does: percentiles, idle runs, coverage."
    ),
    "heatmap": _Entry("heatmap:heatmap", "Demand over the week, in the terminal, PNG or SVG."),
    "recommend": _Entry("recommend:recommend", "What to change, what it saves, and why."),
    "schedule": _Entry(
        "schedule:schedule", "When machines and groups should run, and what that saves."
    ),
    "commit": _Entry(
        "commit:commit", "What to buy ahead, for how long, and what is held for nothing."
    ),
    "move": _Entry("move:move", "Where it should run: provider, region, spot."),
    "check": _Entry("check:check", "Policies as code: what breaks one, for people and for CI."),
    "backtest": _Entry(
        "backtest:backtest", "How these sizes, and the vendors' rules, would have done."
    ),
    "prices": _Entry("prices:prices", "Find and show machine types and their prices."),
}


class _LazyGroup(click.Group):
    """A group that knows its commands' names and help without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module, _, attribute = entry.target.partition(":")
        command = getattr(import_module(f"costopt.cli.{module}"), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.short_help) for name, entry in COMMANDS.items()])


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version")
def costopt() -> None:
    """Reads what a fleet of machines does and what it costs, on any cloud or in one's own data
    centre, and says what to change, by how much the bill falls, and how sure it is.

    Exit codes: 0 clean, 1 a policy failed, 2 usage, configuration or input, 3 data below the
    quality gate, 4 a provider failed.
    """


def main() -> None:
    """Run a command; show errors as text, and leave with the exit code that README names."""
    try:
        code = costopt(standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except CostoptError as error:
        click.echo(f"costopt: {error}", err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:  # Ctrl-C: as shells count it, not 1, which says that a policy failed
        click.echo("costopt: interrupted; what was collected before is kept", err=True)
        sys.exit(130)
    except BrokenPipeError:  # the reader has seen enough
        sys.stdout = None  # nothing to flush into at exit
        sys.exit(141)
    except OSError as error:  # a disk that is full, a folder one may not write to
        click.echo(f"costopt: {error.filename or 'input/output'}: {error.strerror}", err=True)
        sys.exit(2)
