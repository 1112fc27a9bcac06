"""How far each series of a lake reaches: where a collect that is repeated takes up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from costopt.lake import day
from costopt.lake.series import KEYS, Vocabulary
from costopt.lake.store import Lake
from costopt.model import Series
from costopt.schema import MISSING_U16, is_percent
from costopt.units import SECONDS_PER_DAY

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def held(lake: Lake, since: datetime | None = None) -> dict[Series, datetime]:
    """The end of the newest packed sample of each series (UTC); of several periods the latest end.

    Newest day first: a day's samples are read only where a series was not met yet.

    Args:
        since: days that end before are not looked at.
    Raises:
        InputError: a day's file is damaged; where.
    """
    vocabulary, met = Vocabulary(lake.shards), np.zeros(0, np.int64)
    found: dict[Series, datetime] = {}
    first = since.date().isoformat() if since else ""
    for path in sorted((lake.root / "packed").glob("[0-9]*.parquet"), reverse=True):
        if path.stem < first:
            break
        codes, ids = vocabulary.batch(_keys(path))
        new = np.flatnonzero(~np.isin(ids[codes], met))
        if len(new):
            rows = day.read(path, range(lake.shards), shards=lake.shards).take(pa.array(new))
            full = _add(found, rows)
            met = np.union1d(met, ids[codes[new[full]]])
    return found


def _add(found: dict[Series, datetime], rows: pa.Table) -> NDArray[np.bool_]:
    """Note these rows' last samples; returns which rows hold any."""
    full = np.zeros(rows.num_rows, np.bool_)
    for n, row in enumerate(rows.select([*KEYS, "Day", "Samples"]).to_pylist()):
        slots = _slots(row["Samples"], percent=is_percent(row["MetricName"]))
        if slots:
            full[n] = True
            seconds = (row["Day"] - _EPOCH.date()).days * SECONDS_PER_DAY
            end = _EPOCH + timedelta(seconds=seconds + slots * row["PeriodSeconds"])
            key = Series(row["ResourceId"], row["MetricName"], row["Statistic"], row["x_Device"])
            found[key] = max(found.get(key, end), end)
    return full


def _slots(samples: bytes, *, percent: bool) -> int:
    """How many slots of the day there are up to the last sample; 0 = none."""
    if percent:
        there = np.flatnonzero(np.frombuffer(samples, "<u2") != MISSING_U16)
    else:
        there = np.flatnonzero(~np.isnan(np.frombuffer(samples, "<f4")))
    return int(there[-1]) + 1 if len(there) else 0


def _keys(path: Path) -> pa.Table:
    try:
        return pq.read_table(path, columns=list(KEYS), use_threads=False)
    except (pa.ArrowInvalid, OSError) as error:
        raise day.damaged(path, str(error)) from None
