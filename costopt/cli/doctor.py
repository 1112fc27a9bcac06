"""`costopt doctor`: what the lake holds, and how far its data can be relied on; and, with the name
of a provider, whether it would let us collect, and what it has to grant.
"""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import click
from click.core import ParameterSource

from costopt import pipeline
from costopt.cli import doctor_documents, doctor_pages, options
from costopt.cli.lookup import resource_named
from costopt.cli.progress import steps
from costopt.cli.provider_commands import ProviderCommands
from costopt.config import CONFIG_NAME, Settings
from costopt.errors import InsufficientData
from costopt.frame.quality import require_usable
from costopt.lake.holdings import holdings
from costopt.lake.store import Lake
from costopt.model import is_machine
from costopt.pipeline import Observed
from costopt.providers.base import Checked, Provider
from costopt.providers.plain import plain
from costopt.report.safe import terminal

_FORMATS: Final = ("table", "json")


def _try(provider: Provider, policy: bool, **_: object) -> None:
    """Each thing that a collect needs, tried; then what has to be granted.

    Raises:
        ProviderError: the provider cannot be asked at all.
    """
    assert isinstance(provider, Checked)
    if policy:
        options.deliver(provider.permissions().encode(), None)
        return
    with steps() as progress:
        progress(f"trying what a collect from {provider.name} needs")
        tried = list(provider.checks())
    click.echo(doctor_pages.checks(tried))
    click.echo(doctor_pages.verdict(f"{provider.name}{_given()}", tried))
    sys.exit(0 if all(check.passed for check in tried) else 4)


def _given() -> str:
    """The options that the user gave, as the next command takes them."""
    ctx = click.get_current_context()
    words: list[str] = []
    for option in ctx.command.params:
        name = option.name or ""
        if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE and name != "policy":
            value = ctx.params[name]
            many = value if isinstance(value, tuple) else (value,)
            for one in many:
                words += [option.opts[0]] if one is True else [option.opts[0], str(one)]
    return terminal(f" {plain(shlex.join(words))}") if words else ""


def _about(name: str, text: str) -> str:
    """What `doctor NAME --help` says; of the provider what follows its first sentence."""
    return (
        f"Try what `costopt collect {name}` needs.\n\n"
        "By harmless calls, with the options of that collect. Exit code 4 where anything is "
        "refused or not there."
        f"\n\n{text.partition(chr(10) * 2)[2]}"
    )


@click.group(
    cls=ProviderCommands,
    run=_try,
    about=_about,
    unsaid=("dry_run", "max_api_cost", "home", "config_path"),
    more=[
        click.Option(
            ["--policy"],
            is_flag=True,
            help="Print the least that has to be granted; try nothing.",
        )
    ],
    wanted=lambda provider: hasattr(provider, "checks"),
    invoke_without_command=True,
)
@click.pass_context
@click.option(
    "--format",
    "format_name",
    type=click.Choice(_FORMATS),
    help="How it is written. Default: as --output ends, else table.",
)
@click.option(
    "--resource", "wanted", metavar="ID", help="Everything seen of one resource: id or name."
)
@options.output
@options.as_of
@options.project
def doctor(
    ctx: click.Context,
    format_name: str | None,
    wanted: str | None,
    output: Path | None,
    as_of: datetime | None,
    home: Path | None,
    config_path: Path | None,
) -> None:
    """Check the data: what was collected, how fresh it is, and what is wrong with it.

    Exit code 0 where at least one machine can be judged, 3 where none can. Every check, with its
    threshold and the evidence for it, is in docs/quality.md.

    With a provider's name: try what a collect from it needs, by harmless calls. Exit code 4 where
    something is refused.
    """
    if ctx.invoked_subcommand is not None:
        return
    format_name = options.format_of(format_name, output, _FORMATS)
    settings, lake = options.settings_and_lake(home, config_path)
    if wanted is not None:
        with steps() as progress:
            seen = pipeline.observe(lake, settings, as_of, progress)
        options.deliver(_one(_resource_id(seen, wanted), seen, format_name, output), output)
        return
    _whole(lake, settings, as_of, format_name, output, str(config_path or CONFIG_NAME))


def _whole(
    lake: Lake,
    settings: Settings,
    as_of: datetime | None,
    format_name: str,
    output: Path | None,
    file: str,
) -> None:
    """The lake as a whole, and what in the settings' file has no effect; what makes the lake
    unusable is raised when the page is out."""
    seen, failure = None, None
    try:
        with steps() as progress:
            seen = pipeline.observe(lake, settings, as_of, progress)
    except InsufficientData as error:
        failure = error
    held = holdings(lake)
    found = pipeline.doubts(lake, settings, seen.resources if seen else {})
    doubts = [f"{file}: {text}" for text in found]
    if format_name == "json":
        options.deliver(_json(doctor_documents.fleet(held, seen, doubts)), output)
    else:
        look = options.look(output, doctor_pages.WIDTH)
        options.deliver(doctor_pages.fleet(held, seen, doubts, **look._asdict()), output)
    if failure is not None:
        raise failure
    if seen is not None:
        require_usable(seen.resources, seen.findings)


def _one(resource_id: str, seen: Observed, format_name: str, output: Path | None) -> bytes:
    if format_name == "json":
        return _json(doctor_documents.resource(resource_id, seen))
    look = options.look(output, doctor_pages.WIDTH)
    return doctor_pages.resource(resource_id, seen, **look._asdict())


def _json(document: Mapping[str, Any]) -> bytes:
    """ASCII: names cannot steer a terminal, and nothing of them is lost."""
    return (json.dumps(document, indent=2, allow_nan=False) + "\n").encode()


def _resource_id(seen: Observed, wanted: str) -> str:
    """The id itself, of whatever has samples, or the machine so named (its disks may be, too).

    Raises:
        ConfigError: none, with the nearest; or several, with their ids.
    """
    if wanted in seen.findings:
        return wanted
    machines = {name: one for name, one in seen.resources.items() if is_machine(one)}
    return resource_named(machines, wanted).resource_id
