"""One project, and the rows of the inventory that are found there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from costopt.providers.base import Problem
from costopt.providers.gcp.access import Access
from costopt.providers.gcp.names import full_name, referred, region
from costopt.providers.gcp.projects import Project
from costopt.providers.plain import plain
from costopt.providers.rows import Row

SERVICE: Final = "Compute Engine"
NETWORKING: Final = "Networking"
"""As Google's bills have them."""

_PAGE: Final = 500  # the most that Compute Engine gives
_EMPTY: Final = ("", "NO_RESULTS_ON_PAGE")


@dataclass(frozen=True)
class Place:
    """Where one thread looks; what it cannot have is noted in `problems`."""

    access: Access
    project: Project
    problems: list[Problem] = field(default_factory=list)

    def everywhere(self, client: Any, collection: str, call: str) -> Iterator[tuple[str, Any]]:
        """What there is in all zones and regions asked for, with its scope (zones/...).

        A zone or region that does not answer is a problem.

        Args:
            client: a class of Google's that has aggregated_list.
            collection: where the answer has them: instances.
            call: the permission, for people.
        """
        asked = {"project": self.project.project_id, "max_results": _PAGE}
        made = self.access.rest("compute", client)
        for page in self.access.listing(made.aggregated_list, asked):
            self._complain(page, call)
            for scope, scoped in page.items.items():
                if not self.covers(region(scope)):
                    continue
                self._warn(scope, scoped.warning, call)
                for one in getattr(scoped, collection):
                    yield scope, one

    def everything(self, client: Any, call: str) -> Iterator[Any]:
        """What there is outside of zones and regions.

        Args:
            client: a class of Google's that has list.
            call: the permission, for people.
        """
        asked = {"project": self.project.project_id, "max_results": _PAGE}
        for page in self.access.listing(self.access.rest("compute", client).list, asked):
            self._complain(page, call)
            yield from page.items

    def covers(self, name: str | None) -> bool:
        """Whether that region was asked for; without any being named, all and the global ones."""
        return not self.access.settings.region or name in self.access.settings.region

    def where(self, call: str = "", name: str | None = None) -> str:
        """Project, region and call, for people."""
        return " ".join(filter(None, (self.project.project_id, name, call)))

    def row(self, scope: str, collection: str, one: Any, **columns: Any) -> Row:
        """A thing of this place."""
        project = self.project.project_id
        return {
            "ProviderName": "GCP",
            "SubAccountId": project,
            "RegionId": region(scope),
            "ResourceId": full_name(project, scope, collection, one.name),
            "ResourceName": one.name,
            "ServiceName": SERVICE,
        } | columns

    def _complain(self, page: Any, call: str) -> None:
        """What the page as a whole says is missing from it."""
        if page.warning.code not in _EMPTY:
            self._missing(None, f"{page.warning.code}: {page.warning.message}", call)
        for scope in getattr(page, "unreachables", ()):
            self._lacks(scope, "unreachable", call)

    def _warn(self, scope: str, warning: Any, call: str) -> None:
        if warning.code not in _EMPTY:
            self._lacks(scope, f"{warning.code}: {warning.message}", call)

    def _lacks(self, scope: str, what: str, call: str) -> None:
        name = "/".join(scope.split("/")[-2:])  # also told as .../projects/P/zones/Z
        if self.covers(region(name)):
            self._missing(region(name), f"{name}: {what}", call)

    def _missing(self, name: str | None, what: str, call: str) -> None:
        problem = Problem(self.where(call, name), plain(what)[:300], fatal=True)
        if problem not in self.problems:  # each page says it anew
            self.problems.append(problem)


def tags(labels: Mapping[str, str]) -> dict[str, str] | None:
    """Labels as the column Tags has them."""
    return dict(sorted(labels.items())) or None


def names(urls: Any) -> str | None:
    """Full names of the things referred to, in one text."""
    return ", ".join(sorted(filter(None, map(referred, urls)))) or None
