"""The built-in snapshot: two small Parquet files a provider, read only when asked for.

`scripts/build_snapshot.py` writes them; every row carries x_Source and x_ValidFrom.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from costopt import schema

FOLDER: Final = Path(__file__).parent / "snapshot"


def provider_keys() -> tuple[str, ...]:
    """The providers (as `units.provider_key`) that the snapshot knows, sorted."""
    return tuple(sorted(path.name.split(".")[0] for path in FOLDER.glob("*.shapes.parquet")))


def read(provider_key: str, name: Literal["prices", "shapes"]) -> pa.Table | None:
    """The provider's rows, strings dictionary-encoded; None where the snapshot has none."""
    if provider_key not in provider_keys():
        return None
    strings = [field.name for field in schema.SCHEMAS[name] if pa.types.is_string(field.type)]
    # Not pq.read_table: that loads pandas (0.2 s), and one thread is quicker on so small a file.
    path = FOLDER / f"{provider_key}.{name}.parquet"
    return pq.ParquetFile(path, read_dictionary=strings).read(use_threads=False)
