"""What the templates of AWS share: their frame, places and limits.

Source: CloudFormation quotas (500 resources, 1 MB).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from costopt.report.artefacts.base import Artefact, numbered, portions, pretty, slug
from costopt.report.artefacts.schedules.base import token

_RESOURCES, _BYTES = 500, 1_000_000


def logical(name: str) -> str:
    """A name in letters and digits only, as ids in a template are."""
    return "".join(part.capitalize() for part in name.split("-"))


def timestamp(moment: datetime) -> str:
    """2026-12-24T07:00:00Z."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def stem_of(stem: str, place: tuple[str, ...], places: int) -> str:
    """The file's stem, with its place where there are several."""
    return stem if places == 1 else f"{stem}-{slug(*place)}"


def templates(
    resources: Sequence[tuple[str, Any]], stem: str, description: str, place: tuple[str, str]
) -> Iterator[Artefact]:
    """Those resources in as few templates as the limits allow."""
    parts = list(portions(resources, most=_RESOURCES, most_bytes=_BYTES))
    for number, part in enumerate(parts, 1):
        yield template(part, numbered(stem, number, len(parts)), description, place)


def template(
    resources: Mapping[str, Any],
    path: str,
    description: str,
    place: tuple[str, str],
    *,
    parameters: Mapping[str, Any] | None = None,
    options: str = "",
) -> Artefact:
    """One template and how it is deployed.

    Args:
        place: account and region.
        options: of `aws cloudformation deploy`.
    """
    frame: dict[str, Any] = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": description,
        **({"Parameters": parameters} if parameters else {}),
        "Resources": resources,
    }
    account, region = place
    deploy = (
        f"aws cloudformation deploy --region {token(region, 'REGION')} --template-file DIR/{path} "
        f"--stack-name costopt-{path.removesuffix('.json')}{options}"
    )
    if account:
        deploy += f"  # account {token(account, 'of the resource')}"
    return Artefact(path, pretty(frame), deploy)
