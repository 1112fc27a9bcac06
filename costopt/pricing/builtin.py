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
    return tuple(sorted({path.name.split(".")[0] for path in FOLDER.glob("*.shapes.parquet")}))


def read(provider_key: str, name: Literal["prices", "shapes"]) -> pa.Table:
    """The provider's rows, strings dictionary-encoded; no rows where the snapshot has none."""
    path = FOLDER / f"{provider_key}.{name}.parquet"
    expected = schema.SCHEMAS[name]
    if provider_key not in provider_keys() or not path.exists():
        return expected.empty_table()
    strings = [field.name for field in expected if pa.types.is_string(field.type)]
    return pq.read_table(path, read_dictionary=strings, use_threads=False)
