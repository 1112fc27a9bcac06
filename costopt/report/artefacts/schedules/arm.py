"""What the templates of Azure share: their frame, limits and deployment.

Source: learn.microsoft.com, Azure Resource Manager limits (800 resources, 4 MB a template).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from costopt.report.artefacts.base import Artefact, numbered, portions, pretty, slug
from costopt.report.artefacts.schedules.base import Scheduled, by_place
from costopt.report.artefacts.schedules.ids import AzureId

_RESOURCES, _BYTES = 800, 4_000_000
_SCHEMA: Final = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
_LOCATION: Final = "[resourceGroup().location]"


def templates(
    held: Sequence[Scheduled],
    stem: str,
    description: str,
    id_of: Callable[[Scheduled], AzureId | None],
    resource: Callable[[Scheduled], dict[str, Any]],
) -> list[Artefact]:
    """A template a subscription and resource group, more where one would pass Azure's limits."""

    def place(one: Scheduled) -> tuple[str, str]:
        found = id_of(one)
        assert found is not None, "only what a target stands for comes here"
        return (found.subscription, found.group.lower())

    places = by_place(held, place)
    made = []
    for (subscription, group), ones in places.items():
        start = stem if len(places) == 1 else f"{stem}-{slug(subscription, group)}"
        resources = [(one.name, resource(one)) for one in ones]
        parts = list(portions(resources, most=_RESOURCES, most_bytes=_BYTES))
        for number, part in enumerate(parts, 1):
            path = numbered(start, number, len(parts))
            frame = {
                "$schema": _SCHEMA,
                "contentVersion": "1.0.0.0",
                "metadata": {"description": description},
                "resources": list(part.values()),
            }
            # a group's name may have parentheses
            deploy = (
                f"az deployment group create --subscription {subscription} "
                f"--resource-group '{group}' --template-file DIR/{path}"
            )
            made.append(Artefact(path, pretty(frame), deploy))
    return made


def location(one: Scheduled) -> str:
    """The resource's region, or the resource group's where it is unknown."""
    return region(one) or _LOCATION


def region(one: Scheduled) -> str:
    """The resource's region; "" where it is unknown."""
    return one.region if one.region.isascii() and one.region.isalnum() else ""
