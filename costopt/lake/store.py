"""The lake: a folder of Parquet tables that a kill, a re-run or a second writer cannot harm.

Layout below the root:

    lake.json                       format version and shard count
    resources/ charges/ prices/ shapes/ rates/ exchange/ vendor_recommendations/
                                    one file a commit: <sequence>-<content>.parquet
    metrics/<provider>/             long samples not yet compacted, one file a commit
    packed/<YYYY-MM-DD>.parquet     packed days, one row group a shard (see packed.py)
    watermarks.json                 how far each provider's metric is final
    notes.json                      what each provider asked to be reminded of
    collecting/<provider>           locked while a collect from it is at work (see turns.py)
    staging/                        what writers at work have not committed yet (see staging.py)

Every file is written beside its place, fsynced and renamed, so a reader sees all of it or nothing.
Writers take turns by a lock, which no slow source holds: streams are written aside first. What a
killed writer left behind is swept by the next one. A commit
that says nothing new writes nothing: collecting twice gives the same tables.

Which write wins:
  - metrics: the first. A sample that was final is never overwritten (re-sent quiet samples are
    how advice is poisoned).
  - resources: the latest observation is the present, the earlier ones the history.
  - prices, shapes, rates, exchange: the latest row of a key.
  - charges: bills restate, so the newest commit wins per provider, account and charge day; one of
    whole billing periods, over everything of these.
  - vendor_recommendations: a listing replaces the one before it, also where it says nothing more.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Literal
from urllib.parse import quote, unquote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from costopt import schema
from costopt.errors import InputError
from costopt.lake.atomic import sync_folder, write_atomically, write_parquet
from costopt.lake.incoming import Portions, hashed, watched
from costopt.lake.staging import staging, sweep
from costopt.lake.versions import (
    CHARGE_COLUMNS,
    KEYS,
    PERIOD,
    changed,
    changed_listings,
    latest,
    new_observations,
    newest_commit,
    newest_listings,
)

FORMAT: Final = 1
SHARDS: Final = 16
_WHOLE: Final = "whole"  # in the name of a commit of whole billing periods
Dimension = Literal["resources", "prices", "shapes", "rates", "exchange"]


@dataclass(frozen=True, slots=True)
class Committed:
    """What one commit added."""

    rows: int  # rows written; 0 = nothing new
    path: Path | None  # None when nothing was written


class Lake:
    """A project's tables on disk. Cheap to make; nothing is touched before the first write."""

    def __init__(self, root: Path) -> None:
        self.root = root

    # -- writing -----------------------------------------------------------------------------

    def append(
        self, name: Dimension, table: pa.Table, *, observed_at: datetime | None = None
    ) -> Committed:
        """Add the rows that differ from what the lake holds under the same key.

        Args:
            table: in `schema.SCHEMAS[name]`'s columns. Of rows with one key the first wins, but
                resources keep every row with its own x_ObservedAt as history.
            observed_at: resources only: stamped on rows that name no x_ObservedAt and differ from
                a row already held (UTC). None = how far the metrics held reach, as the change came
                after them; before there are any, such a row replaces the one held.
        """
        rows = schema.conform(table, schema.SCHEMAS[name])
        with self.writing():
            held = self.read(name)
            fresh = (
                new_observations(rows, held, observed_at or self._newest_mark())
                if name == "resources"
                else changed(rows, held, KEYS[name])
            )
            if not fresh.num_rows:
                return Committed(0, None)
            path = _next(self.root / name, os.urandom(8).hex())
            return Committed(write_parquet(path, [fresh]), path)

    def append_charges(
        self, tables: Iterable[pa.Table], *, whole_periods: bool = False
    ) -> Committed:
        """Stream a bill, or a restatement of one, into one commit; what counts already adds
        nothing, and a return to an earlier statement does.

        Args:
            tables: in CHARGES columns. All that one collect knows of a day belongs in one call:
                the newest commit wins per provider, account and charge day.
            whole_periods: of each account and billing period that occurs, these are all charges:
                earlier ones go, also those of days that do not occur any more.
        """
        folder = self.root / "charges"
        digest = hashlib.blake2b(digest_size=8)
        with staging(self.root, self.writing) as aside:
            rows = write_parquet(aside / "charges.parquet", hashed(tables, digest))
            with self.writing():
                content = digest.hexdigest()
                name = f"{_WHOLE}-{content}" if whole_periods else content
                if not rows or _counts(_files(folder), name):
                    return Committed(0, None)
                return Committed(rows, _moved(aside / "charges.parquet", folder, name))

    def append_listings(self, table: pa.Table) -> Committed:
        """Let listings of a vendor's recommendations replace the earlier ones of the same source,
        account and scope; those that say the same again stay as they were first told.

        Args:
            table: schema.VENDOR_RECOMMENDATIONS, each listing whole.
        Returns:
            Its rows are the recommendations written.
        """
        rows = schema.conform(table, schema.VENDOR_RECOMMENDATIONS)
        with self.writing():
            fresh = changed_listings(rows, self.vendor_recommendations())
            if not fresh.num_rows:
                return Committed(0, None)
            path = _next(self.root / "vendor_recommendations", os.urandom(8).hex())
            write_parquet(path, [fresh])
        return Committed(fresh.num_rows - fresh.column("x_RecommendationId").null_count, path)

    def append_metrics(
        self,
        provider: str,
        tables: Iterable[pa.Table],
        *,
        final_until: datetime | None = None,
        portion_rows: int | None = None,
    ) -> Committed:
        """Stream long samples into the lake and move the provider's watermarks.

        Args:
            provider: whose samples these are; one folder each.
            tables: in METRICS columns, any order, any number, never all in memory at once.
            final_until: samples ending after this moment may still change (UTC); None = all final.
            portion_rows: commit whenever so many rows have come: they stay, whatever becomes of the
                rest of the stream. None = all or nothing. Watermarks move at the end.
        """
        ends: dict[str, datetime] = {}
        stream = Portions(watched(tables, ends), portion_rows)
        folder = self.root / "metrics" / quote(provider, safe=" ")
        total, path = 0, None
        with staging(self.root, self.writing) as aside:
            for portion in stream:
                if rows := write_parquet(aside / "samples.parquet", portion):
                    with self.writing():
                        path = _moved(aside / "samples.parquet", folder, os.urandom(8).hex())
                    total += rows
        if stream.failure is not None:
            raise stream.failure
        if path is not None:
            self._move_marks(provider, ends, final_until)
        return Committed(total, path)

    def note(self, provider: str, notes: Mapping[str, str]) -> None:
        """Keep what a provider wants to be reminded of, beside what it noted before."""
        if not notes:
            return
        with self.writing():
            held = self._notes()
            held[provider] = {**held.get(provider, {}), **notes}
            self._write_json("notes.json", held)

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the lake's only write lock, with a dead writer's remains swept."""
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / ".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.shards  # noqa: B018  (refuse a lake of another format before writing into it)
            sweep(self.root)
            if not (self.root / "lake.json").exists():
                self._write_json("lake.json", {"format": FORMAT, "shards": SHARDS})
            yield

    def _move_marks(
        self, provider: str, ends: Mapping[str, datetime], final_until: datetime | None
    ) -> None:
        with self.writing():
            marks = self._marks()
            of_provider = marks.setdefault(provider, {})
            for metric, end in ends.items():
                final = min(end, final_until) if final_until else end
                of_provider[metric] = max(of_provider.get(metric, final), final)
            self._write_json("watermarks.json", _iso(marks))

    def _write_json(self, name: str, value: object) -> None:
        data = json.dumps(value, indent=1, sort_keys=True).encode()
        write_atomically(self.root / name, data)

    # -- reading -----------------------------------------------------------------------------

    @property
    def shards(self) -> int:
        """Into how many shards resources are hashed; fixed when the lake is made."""
        path = self.root / "lake.json"
        if not path.exists():
            return SHARDS
        try:
            found = json.loads(path.read_bytes())
            version, shards = int(found["format"]), int(found["shards"])
        except (ValueError, KeyError, TypeError):
            raise InputError("not a lake: unreadable lake.json", where=str(self.root)) from None
        if version != FORMAT:
            raise InputError(
                f"the lake has format {version}; this costopt reads {FORMAT}",
                where=str(self.root),
                hint="use the costopt version that wrote it, or collect into a new --home",
            )
        return shards

    def read(self, name: Dimension) -> pa.Table:
        """Every resource observation, oldest first; or the latest row of each key of the others."""
        tables = [_read(path, schema.SCHEMAS[name]) for path in _files(self.root / name)]
        if not tables:
            return schema.empty(schema.SCHEMAS[name])
        table = pa.concat_tables(tables)
        if name == "resources" or len(tables) == 1:
            return table
        return latest(table, KEYS[name])

    def read_charges(self, columns: Sequence[str] = tuple(schema.CHARGES.names)) -> pa.Table:
        """The bill as last stated: the newest commit per provider, account and charge day."""
        read = pa.schema([f for f in schema.CHARGES if f.name in {*columns, *CHARGE_COLUMNS}])
        tables = []
        for number, path in enumerate(_files(self.root / "charges")):
            table = _read(path, read)
            day = pc.floor_temporal(table.column("ChargePeriodStart"), unit="day")
            commit = pa.repeat(pa.scalar(number, pa.int32()), table.num_rows)
            whole = pa.repeat(pa.scalar(f"-{_WHOLE}-" in path.stem), table.num_rows)
            added = {"_day": day, "_commit": commit, "_whole": whole}
            for name, column in added.items():
                table = table.append_column(name, column)
            tables.append(table)
        if not tables:
            return schema.empty(schema.CHARGES).select(columns)
        table = pa.concat_tables(tables)
        if len(tables) > 1:
            table = newest_commit(table)
        return table.select(columns)

    def vendor_recommendations(self) -> pa.Table:
        """The newest listing of each source, account and scope; none = nobody asked yet."""
        expected = schema.VENDOR_RECOMMENDATIONS
        commits = [_read(path, expected) for path in _files(self.root / "vendor_recommendations")]
        return newest_listings(commits) if commits else schema.empty(expected)

    def watermarks(self) -> dict[str, dict[str, datetime]]:
        """Provider -> metric -> up to when its samples are final (UTC)."""
        return self._marks()

    def _newest_mark(self) -> datetime | None:
        return max((end for ends in self._marks().values() for end in ends.values()), default=None)

    def _marks(self) -> dict[str, dict[str, datetime]]:
        path = self.root / "watermarks.json"
        if not path.exists():
            return {}
        try:
            return {
                provider: {metric: datetime.fromisoformat(end) for metric, end in ends.items()}
                for provider, ends in json.loads(path.read_bytes()).items()
            }
        except (ValueError, AttributeError, TypeError):
            hint = "remove it and collect again: the samples are unharmed"
            raise InputError("unreadable watermarks", where=str(path), hint=hint) from None

    def notes(self, provider: str) -> dict[str, str]:
        """What the provider noted."""
        return self._notes().get(provider, {})

    def _notes(self) -> dict[str, dict[str, str]]:
        path = self.root / "notes.json"
        if not path.exists():
            return {}
        try:
            return {name: dict(notes) for name, notes in json.loads(path.read_bytes()).items()}
        except (ValueError, AttributeError, TypeError):
            hint = "remove it and collect again: bills are then read anew"
            raise InputError("unreadable notes", where=str(path), hint=hint) from None

    def pending(self) -> tuple[tuple[str, Path], ...]:
        """Long metric files not yet compacted, as (provider, path), oldest first."""
        folders = sorted(p for p in (self.root / "metrics").glob("*") if p.is_dir())
        found = [(unquote(folder.name), path) for folder in folders for path in _files(folder)]
        return tuple(sorted(found, key=lambda item: item[1].name))


# -- pieces ----------------------------------------------------------------------------------


def _next(folder: Path, name: str) -> Path:
    """The place of the next file of a folder; its name sorts after those of all before it."""
    folder.mkdir(parents=True, exist_ok=True)
    sequence = max(time.time_ns(), *(int(p.stem.split("-")[0]) + 1 for p in _files(folder)), 0)
    return folder / f"{sequence:020d}-{name}.parquet"


def _moved(staged: Path, folder: Path, name: str) -> Path:
    """Commit a staged file, durable already, with the write lock held."""
    path = staged.replace(_next(folder, name))
    sync_folder(folder)
    return path


def _counts(commits: Sequence[Path], name: str) -> bool:
    """Whether these charges were committed, and nothing since speaks of an account and period of
    theirs."""
    same = [number for number, path in enumerate(commits) if path.stem.partition("-")[2] == name]
    if not same:
        return False
    mine = _periods(commits[same[-1]])
    return all(mine.isdisjoint(_periods(path)) for path in commits[same[-1] + 1 :])


def _periods(charges: Path) -> set[tuple[object, ...]]:
    read = pa.schema([schema.CHARGES.field(name) for name in PERIOD])
    rows = _read(charges, read).group_by(list(PERIOD)).aggregate([]).to_pylist()
    return {tuple(row[name] for name in PERIOD) for row in rows}


def _files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.glob("*.parquet") if not p.name.startswith("."))


def _read(path: Path, expected: pa.Schema) -> pa.Table:
    try:
        with pq.ParquetFile(path) as file:
            # A file written before a column came to be lacks it: there it is null.
            names = [name for name in expected.names if name in file.schema_arrow.names]
        return schema.conform(pq.read_table(path, columns=names), expected)
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(
            f"damaged lake file: {error}",
            where=str(path),
            hint="move it away and collect again; the other files are unharmed",
        ) from None


def _iso(marks: Mapping[str, Mapping[str, datetime]]) -> dict[str, dict[str, str]]:
    return {p: {m: end.isoformat() for m, end in ends.items()} for p, ends in marks.items()}
