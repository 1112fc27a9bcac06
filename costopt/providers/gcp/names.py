"""Names of things in Compute Engine: full ones, which bills carry, and the parts of them."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

_HOST: Final = "//compute.googleapis.com/"


def full_name(project: str, scope: str, collection: str, name: str) -> str:
    """As inventories, metrics and bills know the thing.

    Args:
        scope: zones/europe-west1-b, regions/europe-west1 or global.
        collection: instances, disks, ...
    """
    return f"{_HOST}projects/{project}/{scope}/{collection}/{name}"


def referred(url: str) -> str | None:
    """The full name of what a reference (https://www.googleapis.com/compute/v1/projects/...) says;
    None where it says nothing."""
    start = url.find("projects/")
    return f"{_HOST}{url[start:]}" if start >= 0 else (url or None)


def last(url: str) -> str:
    """What the reference is called: n2-standard-4 of .../machineTypes/n2-standard-4."""
    return url.rstrip("/").rpartition("/")[2]


def region(scope: str) -> str | None:
    """Of zones/europe-west1-b and regions/europe-west1, or anything below: europe-west1; None where
    it is global."""
    parts = scope.split("/")
    for kind, name in pairwise(parts):
        if kind == "regions":
            return name
        if kind == "zones":
            return name.rpartition("-")[0]
    return None


def moment(text: str) -> datetime | None:
    """A time as Compute Engine writes it (2026-01-31T09:00:00.000-08:00), in UTC; None: none."""
    with contextlib.suppress(ValueError, OverflowError):
        return datetime.fromisoformat(text).astimezone(UTC)
    return None
