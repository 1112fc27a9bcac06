"""Which files are a bill: of each month of each export its newest run that was delivered whole.

    <export>/20260901-20260930/<run>/manifest.json, part_0_0001.csv        exports since 2023
    <export>/20260901-20260930/202609141200/<run>/part_0_0001.csv.gz
    <export>/20260901-20260930/<export>_<guid>.csv                         one file a run, before

Every run of a month has all of the month so far, and the old ones stay. The manifest is written
last, and lists the run's files and their rows. When a run was made its folder says, or its
manifest: files that were copied to a disk are as old as the copy. Files outside of this layout
(downloads) are taken as they are.

Source: Cost Management, "Tutorial: Create and manage exports" and the manifests it describes.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from pydantic import BaseModel, Field, ValidationError

from costopt.errors import InputError
from costopt.providers.azure.access import FAILURES, Access, said
from costopt.providers.azure.bill.blobs import Container
from costopt.providers.base import Problem
from costopt.providers.bills.part import Part
from costopt.providers.bills.places import SUFFIXES, Changed, Folder, Place, Stored

FOCUS: Final = "FocusCost"
ACTUAL: Final = "ActualCost"
AMORTIZED: Final = "AmortizedCost"

_RANGE: Final = re.compile(
    r"(?P<export>.*)/(?P<first>\d{8})-(?P<last>\d{8})/(?:(?P<run>.+)/)?(?P<file>[^/]+)"
)
_KINDS: Final = {
    "focuscost": FOCUS,
    "actualcost": ACTUAL,
    "usage": ACTUAL,  # as ActualCost was called before
    "amortizedcost": AMORTIZED,
}
_WORDS: Final = ((r"(?i)amorti[sz]ed", AMORTIZED), (r"(?i)actual", ACTUAL), (r"(?i)focus", FOCUS))
_MADE: Final = re.compile(r"(?:^|/)(\d{12})(?:/|$)")  # 202609141200
_PART: Final = re.compile(r"(?i)part[-_]")
_LARGEST_MANIFEST: Final = 16 << 20


@dataclass
class _Range:
    """One period of one export."""

    place: Place
    export: str
    first: str  # 20260901
    last: str
    runs: dict[str, list[Stored]] = field(default_factory=lambda: defaultdict(list))
    manifests: dict[str, Stored] = field(default_factory=dict)
    costless: bool = False  # its newest run says that there is nothing in it

    @property
    def newest_first(self) -> list[str]:
        """The names of its runs."""
        runs = sorted(self.runs.keys() | self.manifests.keys())
        named = {run: found[1] for run in runs if (found := _MADE.search(run))}
        if len(named) < len(runs) and isinstance(self.place, Folder):
            named = {run: made for run in runs if (made := _submitted(self, run))}
        if len(named) < len(runs):
            named = {run: f"{self._written(run):%Y%m%d%H%M%S%f}" for run in runs}
        return sorted(runs, key=lambda run: (named[run], run), reverse=True)

    def _written(self, run: str) -> datetime:
        manifest = [self.manifests[run]] if run in self.manifests else []
        return max(one.modified for one in self.runs.get(run, manifest))

    @property
    def month(self) -> str | None:
        """2026-09; None = it is not one whole month."""
        year, month = int(self.first[:4]), int(self.first[4:6])
        if not 1 <= month <= 12 or self.first[6:] != "01":
            return None
        whole = f"{self.first[:6]}{monthrange(year, month)[1]:02}"
        return f"{year}-{month:02}" if self.last == whole else None

    @property
    def where(self) -> str:
        return f"{self.place.address}{self.export}, {self.first}-{self.last}"


class _Config(BaseModel):
    type: str = ""  # FocusCost, PriceSheet, ...


class _Blob(BaseModel):
    name: str = Field(alias="blobName")
    rows: int | None = Field(None, alias="dataRowCount")


class _Run(BaseModel):
    submitted: str | None = Field(None, alias="submittedTime")  # 2026-09-14T12:00:00.1234567Z


class _Manifest(BaseModel):
    """As far as it matters."""

    run: _Run = Field(default_factory=_Run, alias="runInfo")
    config: _Config = Field(default_factory=_Config, alias="exportConfig")
    blobs: tuple[_Blob, ...] | None = None  # none at all: a month without costs

    @property
    def rows(self) -> dict[str, int | None]:
        """By name of file."""
        return {blob.name.rsplit("/", 1)[-1]: blob.rows for blob in self.blobs or ()}


class _NotWhole(Exception):
    """The run is under way, or was broken off."""


def parts(access: Access, addresses: Sequence[str], problems: list[Problem]) -> list[Part]:
    """The files that make up the bill, each once.

    Args:
        problems: gets what could not be listed, or is no bill.
    """
    found: dict[str, Part] = {}
    for address in addresses:
        place: Place = Container(access, address) if "://" in address else Folder(Path(address))
        try:
            listed = [one for one in place.objects() if one.size]
        except FAILURES as error:
            where = f"{address} {_READ}"
            problems.append(Problem(where, said(error), fatal=True))
            continue
        of_place, costless = _of(place, sorted(listed, key=lambda one: one.name), problems)
        if not of_place and not costless:
            problems.append(Problem(address, _NOTHING, fatal=True))
        for part in of_place:
            found.setdefault(part.where, part)
    return list(found.values())


def _of(place: Place, listed: Iterable[Stored], problems: list[Problem]) -> tuple[list[Part], bool]:
    """The files, and whether there is a month that has none, as nothing was charged."""
    ranges: dict[tuple[str, str, str], _Range] = {}
    found = []
    for one in listed:
        placed = _RANGE.fullmatch(f"/{one.name}")
        if placed is None:
            if one.name.lower().endswith(SUFFIXES) and not one.name.endswith("anifest.json"):
                folder = "/".join((place.address, *one.name.split("/")[:-1]))
                found.append(Part(place, one, export=folder, kind=_kind(one.name)))
            continue
        key = (placed["export"], placed["first"], placed["last"])
        period = ranges.setdefault(key, _Range(place, *key))
        run = placed["run"] or ""
        if placed["file"].lower() == "manifest.json":
            period.manifests[run] = one
        elif placed["file"].lower().endswith(SUFFIXES):
            period.runs[run].append(one)
    for period in ranges.values():
        found += _newest(period, problems)
    return found, any(period.costless for period in ranges.values())


def _newest(period: _Range, problems: list[Problem]) -> list[Part]:
    """The files of the newest run that is whole."""
    if period.month is None:
        what = "not a whole month: left out (daily or weekly exports do not make up a month)"
        problems.append(Problem(period.where, what))
        return []
    ordered = period.newest_first
    with_manifest = [run for run in ordered if run in period.manifests]
    for run in with_manifest or ordered:
        try:
            return _run(period, run, problems)
        except _NotWhole:
            continue
    what = "being delivered just now: left for the next collect"
    problems.append(Problem(period.where, what, fatal=True))
    return []


def _run(period: _Range, run: str, problems: list[Problem]) -> list[Part]:
    files, manifest = period.runs.get(run, []), None
    if run in period.manifests:
        manifest = _manifest(period, period.manifests[run], problems)
        there = {one.name.rsplit("/", 1)[-1]: one for one in files}
        if manifest is None or not there.keys() >= manifest.rows.keys():
            raise _NotWhole
        files = [there[name] for name in manifest.rows] if manifest.rows else files
        if not files and manifest.blobs is None:
            raise _NotWhole
        period.costless = not files
    elif not all(_PART.search(one.name) for one in files):  # each is a run of its own
        files = [max(files, key=lambda one: (one.modified, one.name))]
    kind = (
        _kind(period.export) if manifest is None else _KINDS.get(manifest.config.type.lower(), "")
    )
    if manifest is not None and manifest.config.type and not kind:
        return []  # an export of prices, of reservations
    export = f"{period.place.address}{period.export}"
    rows = manifest.rows if manifest else {}
    return [
        Part(
            period.place,
            one,
            export=export,
            kind=kind,
            month=period.month,
            rows=rows.get(one.name.rsplit("/", 1)[-1]),
        )
        for one in sorted(files, key=lambda one: one.name)
    ]


def _manifest(period: _Range, stored: Stored, problems: list[Problem]) -> _Manifest | None:
    """What it says; None = it is being written or damaged, which is told."""
    where = period.place.where(stored)
    if stored.size > _LARGEST_MANIFEST:
        problems.append(Problem(where, "no manifest: it is larger than 16 MiB"))
        return None
    try:
        with TemporaryDirectory(prefix="costopt-bill-") as folder:
            raw = period.place.fetch(stored, Path(folder) / "manifest").read_bytes()
        return _Manifest.model_validate_json(raw.removeprefix(b"\xef\xbb\xbf"))
    except Changed:
        return None
    except InputError as error:
        problems.append(Problem(where, error.what))
    except ValidationError as error:
        what = error.errors(include_url=False, include_input=False)[0]["msg"]
        problems.append(Problem(where, f"no manifest of an export: {what[:100]}"))
    return None


def _submitted(period: _Range, run: str) -> str:
    """When its manifest says that it was made; "" = it does not say."""
    stored = period.manifests.get(run)
    manifest = None if stored is None else _manifest(period, stored, [])
    return "" if manifest is None else manifest.run.submitted or ""


def _kind(name: str) -> str:
    return next((kind for word, kind in _WORDS if re.search(word, name)), "")


_READ: Final = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"
_NOTHING: Final = (
    "no file of a bill below this address; a new export's first run takes up to a day (Cost "
    "Management, Exports)"
)
