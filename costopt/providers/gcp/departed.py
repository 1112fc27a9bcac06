"""Projects that earlier collects looked into and this one does not: deleted, moved away, or hidden.

What lies in them is listed no more, and yet stands in the lake. Each is asked for its state, as its
absence says little: a permission may be lacking, or a folder not have been listed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from google.api_core import exceptions
from google.cloud.resourcemanager_v3 import ProjectsClient

from costopt.parallel import in_threads
from costopt.providers.base import Known, Problem
from costopt.providers.gcp.access import FAILURES, Access, said
from costopt.providers.gcp.inventory.gone import LISTED
from costopt.providers.gcp.projects import ACTIVE, SERVICE, TO_BE_DELETED, Project, roots_of
from costopt.providers.gone import GONE, UNSEEN, is_there

_NOTE: Final = "projects below "
"""How the names of notes begin; the folders and the organization that were asked for follow."""
_ROOTS: Final = ("folders", "organizations")
_LEFT: Final = "what the lake holds of it is not advised on"


class Departed(NamedTuple):
    """What became of projects that are not looked into any more."""

    states: Mapping[str, str]  # GONE or UNSEEN, by project
    notes: Mapping[str, str]  # for the next collect


class _Asked(NamedTuple):
    """What is to be said of a project; without a state it stays as it is."""

    state: str | None = None
    problem: Problem | None = None


def departed(
    access: Access, known: Known, found: Sequence[Project], problems: list[Problem]
) -> Departed:
    """Of the projects that are named, or that an earlier collect found below the same folders or
    organization: those that are not among the present ones.

    One to be deleted is gone: nothing in it runs or is billed. One that does not show itself is
    unseen, and told as a fatal problem, as nobody knows what becomes of it. So is one that was
    moved elsewhere, unless that is collected, too; which is told once. Where a folder could not be
    listed, a project may lie there still.

    Args:
        found: those that are looked into.
        problems: of this collect so far; what is to be said is added.
    """
    roots, named = roots_of(access.settings), set(access.settings.project)
    note = f"{_NOTE}{' '.join(roots)}"
    ours = _noted(known, note)
    elsewhere = {
        one
        for name in known.notes
        if name.startswith(_NOTE) and name != note
        for one in _noted(known, name)
    }
    listed_all = not any(one.fatal and one.where.split("/")[0] in _ROOTS for one in problems)
    held = {row["SubAccountId"] for row in known.resources if is_there(row, LISTED)}
    missing = sorted((ours | named) & held - {one.project_id for one in found})

    def asked(name: str) -> _Asked:
        return _asked(access, name, sure=listed_all, collected=name in elsewhere)

    answers = in_threads(asked, missing, access.settings.max_concurrency)
    states = {}
    for name, answer in zip(missing, answers, strict=True):
        if answer.state is not None:
            states[name] = answer.state
        if answer.problem and answer.problem.where not in {one.where for one in problems}:
            problems.append(answer.problem)
    below = {one.project_id for one in found} - named
    return Departed(states, {note: json.dumps(sorted(below | ours - set(states)))} if roots else {})


def _asked(access: Access, name: str, *, sure: bool, collected: bool) -> _Asked:
    """What Resource Manager says of it now.

    Args:
        sure: it is not below what was asked for: all of that was listed.
        collected: it is below something else that is collected into the same lake.
    """
    client = access.rest(SERVICE, ProjectsClient, transport="rest")
    try:
        answer = access.asked(client.get_project, name=f"projects/{name}")
    except FAILURES as error:
        # Google says 403 of what is not there as well
        hidden = isinstance(error, (exceptions.Forbidden, exceptions.NotFound))
        what = f"no longer visible: {said(error)}"
        if hidden and not sure:
            return _Asked()
        return _Asked(UNSEEN if hidden else None, Problem(name, what, fatal=True))
    if answer.state != ACTIVE:
        return _Asked(GONE, Problem(name, f"{TO_BE_DELETED}: {_LEFT}"))
    if not sure or collected:
        return _Asked()
    what = f"no longer below what is asked for: {_LEFT}, until it is collected by its new place"
    return _Asked(UNSEEN, Problem(name, what))


def _noted(known: Known, name: str) -> set[str]:
    """Whom an earlier collect found there; a note not to be read is none."""
    try:
        told = json.loads(known.notes.get(name, "[]"))
    except ValueError:
        return set()
    return {one for one in told if isinstance(one, str)} if isinstance(told, list) else set()
