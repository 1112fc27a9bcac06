"""Where AWS puts bills in S3: which objects are one month of one export, and which of them count.

Three layouts are known; a prefix may hold several exports of any of them, at any depth:

    <name>/data/BILLING_PERIOD=2026-09/[<run>/]<name>-00001.snappy.parquet      AWS Data Exports
    <name>/metadata/BILLING_PERIOD=2026-09/[<run>/]<name>-Manifest.json
    <name>/20260901-20261001/[<assembly>/]<name>-1.csv.gz                       legacy CUR
    <name>/20260901-20261001/[<assembly>/]<name>-Manifest.json
    <name>/<name>/year=2026/month=9/<name>-00001.snappy.parquet                 legacy CUR, Athena

With "create new" versions each run has a folder of its own and the old ones stay, so only what the
newest manifest lists counts. AWS writes the manifest last: files newer than it are a delivery under
way. Where it overwrites, an export that shrinks leaves files behind that no manifest lists.

Source: AWS Data Exports user guide, "Understanding export delivery" and "Understanding your report
versions" (legacy CUR).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from costopt.model import Window
from costopt.providers.bills.counts import MONTH_NOTE

SETTLED: Final = timedelta(hours=1)
"""A delivery takes minutes. A manifest older than its files for longer than this is one that
somebody copied in another order, and is believed."""

_SUFFIXES: Final = (".parquet", ".csv", ".csv.gz", ".csv.zip", ".gz", ".zip")
_DATA_EXPORT: Final = re.compile(
    r"(?P<export>.+)/(?:data|metadata)/BILLING_PERIOD=(?P<year>\d{4})-(?P<month>\d\d)"
    r"/(?:(?P<run>[^/]+)/)?[^/]+",
    re.IGNORECASE,
)
_LEGACY: Final = re.compile(
    r"(?P<export>.+)/(?P<year>\d{4})(?P<month>\d\d)\d\d-\d{8}/(?:(?P<run>[^/]+)/)?[^/]+"
)
_ATHENA: Final = re.compile(
    r"(?P<export>.+)/year=(?P<year>\d{4})/month=(?P<month>\d\d?)/(?P<run>)[^/]+"
)


@dataclass(frozen=True, slots=True)
class Stored:
    """One object as the listing tells it."""

    key: str
    etag: str
    size: int
    modified: datetime


@dataclass(frozen=True, slots=True)
class Month:
    """One billing period of one export."""

    bucket: str
    export: str  # path of the export in the bucket
    start: datetime  # the month's first moment, UTC
    manifest: Stored | None  # the newest
    runs: dict[str, list[Stored]] = field(compare=False)  # data by run folder; "" = overwritten

    @property
    def name(self) -> str:
        """For notes: the same from one collect to the next."""
        return f"{MONTH_NOTE}s3://{self.bucket}/{self.export} {self.start:%Y-%m}"

    @property
    def where(self) -> str:
        """For messages."""
        return f"s3://{self.bucket}/{self.export}, {self.start:%Y-%m}"

    @property
    def newest(self) -> list[Stored]:
        """The files of the run that was written last."""
        last = max(self.runs, key=lambda run: (max(o.modified for o in self.runs[run]), run))
        return self.runs[last]

    @property
    def size(self) -> int:
        """Bytes of these files."""
        return sum(one.size for one in self.newest) if self.runs else 0

    @property
    def digest(self) -> str:
        """Changes when the month is restated, and not when old runs are deleted."""
        told = [(o.key, o.etag, o.size) for o in self.newest] if self.runs else []
        if self.manifest:
            told.append((self.manifest.key, self.manifest.etag, self.manifest.size))
        return hashlib.blake2b(json.dumps(sorted(told)).encode(), digest_size=16).hexdigest()

    @property
    def following(self) -> datetime:
        """The next month's first moment."""
        return following(self.start)

    def touches(self, window: Window | None) -> bool:
        """Whether any of the month lies in the window."""
        return window is None or (self.start < window.end and self.following > window.start)


def following(month: datetime) -> datetime:
    """The first moment of the month after the one that begins then."""
    return (month.replace(day=28) + timedelta(days=7)).replace(day=1)


def months(bucket: str, objects: Iterable[Stored]) -> list[Month]:
    """The months of every export among the objects, by export and month."""
    data: dict[tuple[str, datetime], dict[str, list[Stored]]] = defaultdict(dict)
    # Of manifests of the same second that outside the runs' folders is the newest run's, always.
    manifests: dict[tuple[str, datetime], list[tuple[datetime, bool, Stored]]] = defaultdict(list)
    for one in sorted(objects, key=lambda o: o.key):
        placed = _placed(one.key)
        if placed is None:
            continue
        export, start, run = placed
        if re.search(r"[-/]Manifest\.json$", one.key):  # not -RedshiftManifest.json
            manifests[export, start].append((one.modified, not run, one))
        elif one.key.lower().endswith(_SUFFIXES):
            data[export, start].setdefault(run, []).append(one)
    found = []
    for export, start in sorted({*data, *manifests}):
        told = manifests.get((export, start))
        newest = max(told, key=lambda m: (m[0], m[1], m[2].key))[2] if told else None
        found.append(Month(bucket, export, start, newest, data.get((export, start), {})))
    return found


def listed(manifest: bytes) -> list[str] | None:
    """The keys (or s3:// addresses) that a manifest lists; None where it has no list.

    Args:
        manifest: JSON; Data Exports say `dataFiles`, legacy CUR `reportKeys`.
    Raises:
        ValueError: it is no JSON, nested beyond what can be read, or its list is none of files:
            which count cannot be known.
    """
    try:
        told = json.loads(manifest)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if isinstance(told, dict) and not {"dataFiles", "reportKeys"} & told.keys():
        return None
    files = told.get("dataFiles", told.get("reportKeys")) if isinstance(told, dict) else None
    if not isinstance(files, list) or not all(isinstance(one, str) for one in files):
        raise ValueError("no list of files in it")
    return [re.sub(r"^s3://[^/]+/", "", one).lstrip("/") for one in files]


def unfinished(month: Month, files: Iterable[Stored], now: datetime, *, manifests: bool) -> bool:
    """Whether AWS seems to be delivering the month just now.

    Args:
        files: those that count.
        now: the server's clock.
        manifests: whether other months of the export have one.
    """
    last = max((one.modified for one in files), default=now - 2 * SETTLED)
    if now - last > SETTLED:
        return False
    return last > month.manifest.modified if month.manifest else manifests


def _placed(key: str) -> tuple[str, datetime, str] | None:
    """Export, month and run of an object; None = no part of a bill."""
    found = _DATA_EXPORT.fullmatch("/" + key) or _LEGACY.fullmatch("/" + key)
    if found is None:
        found = _ATHENA.fullmatch("/" + key)
        if found is None:
            return None
    export = found["export"].strip("/")
    parts = export.split("/")
    if found.re is _ATHENA and len(parts) > 1 and parts[-1] == parts[-2]:
        export = "/".join(parts[:-1])  # its manifest lies in <name>/20260901-20261001/
    try:
        start = datetime(int(found["year"]), int(found["month"]), 1, tzinfo=UTC)
    except ValueError:
        return None
    return export, start, found["run"] or ""
