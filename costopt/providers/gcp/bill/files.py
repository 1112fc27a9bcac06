"""The export saved to a bucket or a folder: which files there are, and how each is read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from google.api_core import exceptions
from google.cloud.storage import Client  # type: ignore[import-untyped]
from google.cloud.storage.exceptions import DataCorruption  # type: ignore[import-untyped]

from costopt.errors import InputError
from costopt.providers.base import Problem
from costopt.providers.bills import focus
from costopt.providers.bills.counts import Manner
from costopt.providers.bills.part import Batch, Layout, NoBill, Part
from costopt.providers.bills.places import SUFFIXES, Changed, Folder, Place, Stored
from costopt.providers.bills.reading import Columns
from costopt.providers.bills.whose import is_detailed
from costopt.providers.gcp.access import FAILURES, Access, said
from costopt.providers.gcp.bill.map import Detailed
from costopt.providers.gcp.bill.things import Things

_MONTH: Final = re.compile(
    r"(?<!\d)(20\d\d)-?(0[1-9]|1[0-2])(?:-?[0-3]\d)?(?!\d)|year=(20\d\d)/month=(\d\d?)(?!\d)"
)
_PARTITION: Final = re.compile(r"[^/]+=[^/]*|[\d-]+")
_PAGE: Final = 1000
MANNER: Final = Manner(best="FocusCost")


class Bucket:
    """What lies below a prefix of a bucket."""

    def __init__(self, access: Access, address: str) -> None:
        self.address = address.rstrip("/")
        self._access = access
        self._client = access.rest("storage", Client, project=None)
        self._name, _, path = self.address.removeprefix("gs://").partition("/")
        self._prefix = f"{path}/" if path else ""

    def objects(self) -> Iterator[Stored]:
        """Everything there is.

        Raises:
            one of FAILURES: the bucket does not say.
        """
        token: str | None = None
        while True:
            blobs, token = self._access.asked(self._page, token)
            for blob in blobs:
                name = blob.name.removeprefix(self._prefix)
                yield Stored(name, str(blob.generation), blob.size, blob.updated)
            if token is None:
                return

    def fetch(self, stored: Stored, target: Path) -> Path:
        """The object's bytes, as they are stored, if it is still what the listing saw."""
        blob = self._client.bucket(self._name).blob(self._prefix + stored.name)
        try:
            self._access.asked(
                blob.download_to_filename,
                str(target),
                if_generation_match=int(stored.tag),
                raw_download=True,
            )
        except (exceptions.PreconditionFailed, exceptions.NotFound):
            raise Changed(f"{stored.name} was overwritten") from None
        except FAILURES as error:
            raise InputError(said(error), where=self.where(stored)) from None
        except DataCorruption:
            raise InputError(
                "its checksum is not that of its bytes", where=self.where(stored)
            ) from None
        return target

    def where(self, stored: Stored) -> str:
        """gs://bucket/path."""
        return f"gs://{self._name}/{self._prefix}{stored.name}"

    def _page(self, token: str | None, **ways: Any) -> tuple[list[Any], str | None]:
        found = self._client.list_blobs(
            self._name, prefix=self._prefix or None, page_token=token, page_size=_PAGE, **ways
        )
        return list(next(found.pages, ())), found.next_page_token


def parts(access: Access, addresses: Sequence[str], problems: list[Problem]) -> list[Part]:
    """The files below these addresses that may be a bill's; each once."""
    found: dict[str, Part] = {}
    for address in addresses:
        place: Place = Folder(Path(address))
        if address.startswith("gs://"):
            place = Bucket(access, address)
        try:
            listed = sorted(place.objects(), key=lambda one: one.name)
        except FAILURES as error:
            where = f"{address} storage.objects.list"
            problems.append(Problem(where, said(error), fatal=True))
            continue
        bills = [one for one in listed if one.size and one.name.lower().endswith(SUFFIXES)]
        if not bills:
            problems.append(Problem(address, _NOTHING, fatal=True))
        for one in bills:
            part = Part(place, one, export=_export(place, one), hint=_hint(one.name))
            found.setdefault(part.where, part)
    return list(found.values())


class Focus:
    """Google's own FOCUS export: its columns are ours already."""

    kind = MANNER.best

    def __init__(self, things: Things) -> None:
        self._things = things

    def chosen(self, names: Sequence[str]) -> Sequence[str]:
        """All: what has no place of its own is kept as an attribute."""
        return names

    def batch(self, columns: Columns) -> Batch:
        """Rows as charges."""
        spelled = focus.spelled(columns)
        if {"ResourceId", "ResourceName", "SubAccountId"} <= spelled.keys():
            ids, _ = self._things.named(
                *(spelled[name] for name in ("ResourceId", "ResourceName", "SubAccountId"))
            )
            spelled["ResourceId"] = ids
        intake, unread = focus.normalised(spelled)
        costs = [one for one in unread if one.column in focus.COSTS]
        return Batch(intake, costs, [one for one in unread if one not in costs])


def layout(things: Things, names: Sequence[str]) -> Layout:
    """How to read a file of those columns.

    Raises:
        NoBill: it is none.
    """
    if focus.is_focus(names):
        return Focus(things)
    if is_detailed(names):
        return Detailed(things)
    raise NoBill


def _export(place: Place, one: Stored) -> str:
    """The folder of the file: another one is another export, but where it is named by a month
    (month=2026-09, 202609)."""
    folders = one.name.split("/")[:-1]
    while folders and _PARTITION.fullmatch(folders[-1]):
        folders.pop()
    return "/".join((place.address, *folders))


def _hint(name: str) -> str | None:
    found = _MONTH.search(name)
    if found is None:
        return None
    return f"{found[1] or found[3]}-{(found[2] or found[4]).zfill(2)}"


_NOTHING: Final = (
    "no file of a bill below this address (Parquet, CSV or lines of JSON); BigQuery saves one by "
    "EXPORT DATA, or bq extract"
)
