"""Waivers: findings that somebody lets stand until a day; and the baseline, those that were there
before anybody checked.

A waiver has an owner, a reason and an end, so that a person can be asked. Once its last day is over
the finding counts again, as an error: what was to be temporary is never forgotten.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Final

import yaml
from pydantic import Field

from costopt.documents.yaml_model import Part, load
from costopt.errors import InputError
from costopt.lake.atomic import write_atomically
from costopt.model.check import Verdict, Waiver
from costopt.units import counted

WAIVERS_NAME: Final = "waivers.yml"
_HINT: Final = "docs/policies.md#waivers"
_FINDING: Final = r"^[0-9a-f]{16}$"
_HEAD: Final = (
    "# Findings of costopt check that may stand: until when, by whom, and why.\nwaivers:\n"
)
_BASELINE_VERSION: Final = 1


class WaiverText(Part):
    """One waiver, as it is written."""

    finding: str = Field(pattern=_FINDING, description="its id, as costopt check tells it")
    policy: str = Field("", description="for people: which policy it breaks")
    subject: str = Field("", description="for people: which resource it is of")
    owner: str = Field(min_length=1, description="who is asked about it")
    reason: str = Field(min_length=1, description="why it may stand")
    until: date = Field(description="the last day that it may, like 2026-12-31")


class WaiversText(Part):
    """A file of waivers."""

    waivers: tuple[WaiverText, ...] = ()


def read(path: Path) -> tuple[Waiver, ...]:
    """The waivers of a file.

    Raises:
        InputError: it is none (which field, line and column), or has a finding twice.
    """
    text, document = load(path, WaiversText, called="file of waivers", hint=_HINT, numbers=False)
    found: dict[str, Waiver] = {}
    for number, one in enumerate(text.waivers):
        where = document.where(("waivers", number))
        if first := found.get(one.finding):
            what = f"the finding {one.finding} is waived twice, first at {first.where}"
            raise InputError(what, where=where, hint="take one of them away")
        found[one.finding] = Waiver(one.finding, one.owner, one.reason, one.until, where)
    return tuple(found.values())


def waived(
    verdicts: Iterable[Verdict], waivers: Sequence[Waiver], today: date
) -> tuple[Verdict, ...]:
    """The verdicts with the waiver of each; where its last day is over, as an error."""
    of = {one.finding: one for one in waivers}
    found = []
    for verdict in verdicts:
        if (waiver := of.get(verdict.finding_id)) is None:
            found.append(verdict)
        elif waiver.lapsed(today):
            found.append(replace(verdict, waiver=waiver, lapsed=True, severity="error"))
        else:
            found.append(replace(verdict, waiver=waiver))
    return tuple(found)


def of_nothing(verdicts: Iterable[Verdict], waivers: Sequence[Waiver]) -> list[str]:
    """What to tell of waivers that nothing needs any more."""
    needed = {one.finding_id for one in verdicts}
    idle = [one for one in waivers if one.finding not in needed]
    if not idle:
        return []
    places = ", ".join(f"{one.finding} ({one.where})" for one in idle[:3])
    more = f" and {len(idle) - 3:,} more" if len(idle) > 3 else ""
    verb = "waives" if len(idle) == 1 else "waive"
    return [f"{counted(len(idle), 'waiver')} {verb} no finding any more: {places}{more}"]


def add(path: Path, verdict: Verdict, *, owner: str, reason: str, until: date) -> None:
    """Write a waiver of that finding at the end of the file; all that stands there stays as it is.

    Raises:
        InputError: the file is no file of waivers, has one for that finding, or is written in a
            way that a waiver cannot be added to.
    """
    mine = {
        "finding": verdict.finding_id,
        "policy": verdict.policy,
        "subject": verdict.name,
        "owner": owner,
        "reason": reason,
        "until": until.isoformat(),
    }
    before = path.read_text("utf-8") if path.exists() else _HEAD
    if path.exists():
        there = next((one for one in read(path) if one.finding == verdict.finding_id), None)
        if there:
            what = f"the finding {verdict.finding_id} is waived already, until {there.until}"
            raise InputError(what, where=there.where, hint="change its day there")
    item = _item(mine)
    text = f"{before.rstrip()}\n{item}"
    if _findings(text) != [*(_findings(before) or ()), verdict.finding_id]:
        hint = f"add to it by hand:\n{item}"
        raise InputError("its list is written in one line", where=str(path), hint=hint)
    write_atomically(path, text.encode())


def _item(fields: Mapping[str, str]) -> str:
    """As a block of YAML; every value in quotes, so that none is read as something else."""
    lines = [f"{name}: {_quoted(value)}" for name, value in fields.items()]
    return "  - " + "\n    ".join(lines) + "\n"


def _quoted(text: str) -> str:
    return yaml.safe_dump(text, default_style='"', width=math.inf).removesuffix("\n")


def _findings(text: str) -> list[str] | None:
    try:
        given = yaml.safe_load(text) or {}
        return [str(one["finding"]) for one in given.get("waivers") or ()]
    except (yaml.YAMLError, AttributeError, KeyError, TypeError):
        return None


# -- the baseline ----------------------------------------------------------------------------


def baseline(path: Path) -> frozenset[str]:
    """The findings that were there before.

    Raises:
        InputError: there is no such file, or it is no baseline.
    """
    hint = f"costopt check --write-baseline {path} writes one"
    try:
        given = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise InputError("there is no such baseline", where=str(path), hint=hint) from None
    except (ValueError, RecursionError):
        raise InputError("it is no JSON", where=str(path), hint=hint) from None
    known = given.get("findings") if isinstance(given, dict) else None
    if not isinstance(known, dict) or given.get("version") != _BASELINE_VERSION:
        raise InputError("it is no baseline of costopt check", where=str(path), hint=hint)
    return frozenset(map(str, known))


def known(verdicts: Iterable[Verdict], before: frozenset[str]) -> tuple[Verdict, ...]:
    """The verdicts, those of the baseline marked."""
    return tuple(replace(one, known=one.finding_id in before) for one in verdicts)


def write_baseline(path: Path, verdicts: Iterable[Verdict]) -> int:
    """All that stands today, by id, with what it is for people; how many there are."""
    found = {one.finding_id: f"{one.policy}: {one.name}" for one in verdicts}
    text = json.dumps({"version": _BASELINE_VERSION, "findings": found}, indent=2, sort_keys=True)
    write_atomically(path, text.encode() + b"\n")
    return len(found)
