"""Which projects to look into: those named, all below folders or organizations, else one's own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from google.cloud.resourcemanager_v3 import FoldersClient, ProjectsClient
from google.cloud.resourcemanager_v3 import Project as _Answer

from costopt.errors import ProviderError
from costopt.parallel import in_threads
from costopt.providers.base import Problem
from costopt.providers.gcp.access import Access, told
from costopt.providers.gcp.settings import GcpSettings

SERVICE: Final = "cloudresourcemanager"
ACTIVE: Final = _Answer.State.ACTIVE
TO_BE_DELETED: Final = "the project is to be deleted"
_DEEPEST: Final = 10
"""Levels that folders may be nested: Google's own limit (Resource Manager, "Quotas")."""


class Project(NamedTuple):
    """A project by the name that calls go by."""

    project_id: str
    number: str | None = None  # None: it is not told to us
    name: str = ""  # for people


def projects(access: Access, problems: list[Problem]) -> list[Project]:
    """The projects asked for that are active, by id: see `active`.

    Raises:
        ProviderError: there are no credentials, or there is no project at all.
    """
    found = active(access, problems)
    if not found:
        raise no_project(problems)
    return found


def no_project(problems: Sequence[Problem]) -> ProviderError:
    """What to say where there is none at all."""
    why = f": {problems[-1].where}: {problems[-1].what}" if problems else ""
    return ProviderError(
        f"there is no project to look into{why}",
        hint="name one with --project, or all of them with --folder or --organization; "
        "without, it is that of the credentials (GOOGLE_CLOUD_PROJECT, gcloud config)",
    )


def active(access: Access, problems: list[Problem]) -> list[Project]:
    """The projects asked for that are active, by id; there may be none.

    A folder or a project that refuses is a problem, and the rest go on. A project whose own entry
    is hidden is looked into nevertheless: whoever lists machines need not see it.

    Args:
        problems: what is missing is added, by project, folder or organization.
    Raises:
        ProviderError: there are no credentials.
    """
    roots, named = roots_of(access.settings), set(access.settings.project)
    if not named and not roots and (own := access.own_project):
        named = {own}
    found = _named(access, sorted(named), problems)
    found += _below(access, roots, problems)
    by_id = {one.project_id: one for one in found}
    return [by_id[name] for name in sorted(by_id)]


def roots_of(settings: GcpSettings) -> list[str]:
    """The folders and the organization asked for, by their full names."""
    roots = [f"folders/{number}" for number in sorted(set(settings.folder))]
    return roots + ([f"organizations/{settings.organization}"] if settings.organization else [])


def _named(access: Access, names: Iterable[str], problems: list[Problem]) -> list[Project]:
    def found(name: str) -> tuple[list[Project], list[Problem]]:
        refusals: list[Problem] = []
        with told(refusals, f"{name} resourcemanager.projects.get", fatal=False):
            client = access.rest(SERVICE, ProjectsClient, transport="rest")
            answer = access.asked(client.get_project, name=f"projects/{name}")
            if answer.state != ACTIVE:
                return [], [Problem(name, f"{TO_BE_DELETED}: not looked into", fatal=True)]
            return [_project(answer)], []
        return [Project(name)], refusals

    made: list[Project] = []
    for projects_, refusals in in_threads(found, names, access.settings.max_concurrency):
        made += projects_
        problems += refusals
    return made


def _below(access: Access, roots: list[str], problems: list[Problem]) -> list[Project]:
    """Those right in the folders or organizations, and in all folders below, level by level."""
    found: list[Project] = []
    seen: set[str] = set()

    def inside(parent: str) -> tuple[list[Project], list[str], list[Problem]]:
        return _inside(access, parent)

    for _ in range(_DEEPEST + 1):
        level = sorted(set(roots) - seen)
        seen |= set(level)
        roots = []
        for projects_, folders, refusals in in_threads(
            inside, level, access.settings.max_concurrency
        ):
            found += projects_
            roots += folders
            problems += refusals
    return found


def _inside(access: Access, parent: str) -> tuple[list[Project], list[str], list[Problem]]:
    """Projects and folders that lie right in it; the list of one may be refused, or of both."""
    found: dict[str, Project] = {}
    folders: list[str] = []
    refusals: list[Problem] = []
    with told(refusals, f"{parent} resourcemanager.projects.list"):
        client = access.rest(SERVICE, ProjectsClient, transport="rest")
        for page in access.listing(client.list_projects, {"parent": parent}):
            active = (one for one in page.projects if one.state == ACTIVE)
            found |= {one.project_id: _project(one) for one in active}
    with told(refusals, f"{parent} resourcemanager.folders.list"):
        client = access.rest(SERVICE, FoldersClient, transport="rest")
        for page in access.listing(client.list_folders, {"parent": parent}):
            folders += [one.name for one in page.folders]
    return list(found.values()), folders, refusals


def _project(answer: Any) -> Project:
    number = answer.name.removeprefix("projects/")
    return Project(answer.project_id, number or None, answer.display_name)
