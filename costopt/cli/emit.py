"""`--emit KIND --output DIR`: files that people deploy themselves, and how, on stderr."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from costopt.cli import options
from costopt.lake.atomic import write_atomically
from costopt.model import Report
from costopt.report.artefacts import alarms
from costopt.report.artefacts.base import Artefact
from costopt.report.artefacts.schedules import forms
from costopt.units import counted

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for on the command line, for whichever kind it concerns."""

    changed_at: datetime | None
    instance_label: str


NOTHING_SAID: Final = Wanted(None, "instance")


@dataclass(frozen=True, slots=True)
class Emission:
    """The files of one kind, and what to tell about them."""

    artefacts: list[Artefact]
    notes: list[str]


def _alarms(report: Report, wanted: Wanted) -> Emission:
    made = alarms.artefacts(
        report, changed_at=wanted.changed_at, instance_label=wanted.instance_label
    )
    notes = alarms.left_out(report)
    if count := alarms.elsewhere(report):
        notes.append(
            f"Prometheus's rules stand for {counted(count, 'cloud resource')} whose id is not a "
            "machine's of that cloud"
        )
    notes += _too_late(report, wanted.changed_at)
    if made and wanted.changed_at is None:
        notes.append(
            f"counted from {report.as_of:%Y-%m-%d %H:%M} UTC; changed at another time: "
            "run again with the same --as-of and --changed-at MOMENT"
        )
    return Emission(made, notes)


def _too_late(report: Report, changed_at: datetime | None) -> list[str]:
    """That the time of the guards was over at as_of, so that no alarm ever speaks."""
    spans = [guard.horizon_days for one in report.recommendations for guard in one.guards]
    if changed_at is None or not spans:
        return []
    over = changed_at + timedelta(days=max(spans))
    if over > report.as_of:
        return []
    return [
        f"warning: {counted(max(spans), 'day', ',.4g')} after --changed-at were over on "
        f"{over:%Y-%m-%d %H:%M} UTC, and it is {report.as_of:%Y-%m-%d %H:%M} UTC (--as-of): "
        "these alarms watch nothing any more"
    ]


def _schedules(report: Report, _: Wanted, form: str | None = None) -> Emission:
    now = datetime.now(UTC)  # the report's moment is its data's, which lie days back
    made = forms.artefacts(report, form=form, now=now)
    notes = forms.left_out(report, form=form, now=now)
    if first := forms.first_date(report, form=form, now=now):
        notes.append(
            f"deploy before {first:%Y-%m-%d}, the first single date in these files, or emit again: "
            "a service that is given a past moment refuses it"
        )
    if made:
        notes.append(_GUARD)
    return Emission(made, notes)


_GUARD: Final = (
    "before you deploy: tell the users of a machine how to start it when it is off; of a scaling "
    "group keep its own scaling, with the plan as its floor (docs/schedules.md)"
)
OWN: Final = "own"
"""In place of a form of schedules: for each resource the form of its own cloud."""
_ALARMS, _SCHEDULES = "alarms", "schedules"
_Emit = Callable[[Report, Wanted], Emission]
_KINDS: Final[Mapping[str, _Emit]] = {_ALARMS: _alarms, _SCHEDULES: _schedules}
"""What can be emitted; another kind is a function here and an artefact module in report/."""
_FORMS: Final[Mapping[str, _Emit]] = {
    OWN: _schedules,
    **{form: partial(_schedules, form=form) for form in forms.FORMS},
}
"""The forms in which schedules can be."""


_FOLDER: Final = click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path),
    help="Write to this file instead of stdout; with --emit, into this folder.",
)


def emission(command: F) -> F:
    """--output, --emit KIND, and what concerns its kinds."""
    for option in (
        click.option(
            "--instance-label",
            default="instance",
            metavar="LABEL",
            callback=_label,
            help="Prometheus label that names a machine, for --emit. Default: instance",
        ),
        click.option(
            "--changed-at",
            type=options.Moment(),
            help="When the changes were or will be made, for --emit alarms. Default: --as-of",
        ),
        click.option(
            "--emit",
            "kind",
            type=click.Choice(sorted(_KINDS)),
            help="Write files to deploy into the folder --output: alarms that say when to undo, or "
            "schedules, each for its own cloud (costopt schedule has more forms).",
        ),
        _FOLDER,
    ):
        command = option(command)
    return command


def form(command: F) -> F:
    """--output, and --emit FORM of schedules."""
    command = _FOLDER(command)
    return click.option(
        "--emit",
        "form",
        type=click.Choice(list(_FORMS)),
        help=f"Write the schedules to deploy into the folder --output, in this form; {OWN}: each "
        "for its own cloud.",
    )(command)


def check(
    kind: str | None,
    output: Path | None,
    others: Mapping[str, object],
    changed_at: datetime | None = None,
) -> None:
    """Refuse what does not go together.

    Args:
        others: the flags that shape a page, each with what was given (None or False: not).
        changed_at: what was given of --changed-at, which means nothing but of alarms.
    Raises:
        click.UsageError: which flag, and what to do.
    """
    if changed_at is not None and kind != _ALARMS:
        raise click.UsageError("--changed-at is for --emit alarms: add that, or leave it away")
    if kind is None:
        if output is not None and output.is_dir():
            raise click.UsageError(f"--output: {output} is a folder; name a file in it")
        return
    for flag, given in others.items():
        if given is not None and given is not False:
            raise click.UsageError(f"--emit writes files to deploy: leave {flag} away")
    if output is None:
        raise click.UsageError(f"--emit {kind} needs a folder to write to: add --output DIR")
    if output.exists() and not output.is_dir():
        raise click.UsageError(f"--emit {kind} writes several files: {output} is not a folder")


def emit(kind: str, report: Report, folder: Path, wanted: Wanted = NOTHING_SAID) -> None:
    """Write that kind's files, or schedules in that form, into the folder, each all or nothing, and
    say how to deploy them."""
    made = {**_KINDS, **_FORMS}[kind](report, wanted)
    what = kind if kind in _KINDS else _SCHEDULES
    for artefact in made.artefacts:
        write_atomically(folder / artefact.path, artefact.data)
    if not made.artefacts:
        made.notes.insert(0, f"nothing to write: no {what} for these recommendations")
    for line in (*_told(made.artefacts, folder), *made.notes):
        click.echo(line, err=True)


def _told(artefacts: Iterable[Artefact], folder: Path) -> Iterable[str]:
    for deploy, same in groupby(artefacts, key=lambda one: one.deploy):
        paths = [folder / one.path for one in same]
        yield (
            f"wrote {paths[0]}"
            if len(paths) == 1
            else (f"wrote {len(paths):,} files in {paths[0].parent}")
        )
        yield f"  deploy: {deploy.replace('DIR/', f'{shlex.quote(str(folder))}/')}"


def _label(_: click.Context, option: click.Parameter, value: str) -> str:
    if not value.isascii() or not value.isidentifier():
        raise click.BadParameter(f"{value!r} is no Prometheus label name", param=option)
    return value
