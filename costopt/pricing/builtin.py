"""The built-in snapshot: two or three small Parquet files a provider, read only when asked for.

`scripts/build_snapshot.py` writes prices and shapes, `scripts/build_commitments.py` beside them
what commitments cost at some providers; every row carries x_Source and x_ValidFrom. There, too, lie
what is paid beside machines (rates.csv, see rates.py) and exchange rates (exchange.csv, money.py).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from costopt import schema

FOLDER: Final = Path(__file__).parent / "snapshot"


@cache
def provider_keys() -> tuple[str, ...]:
    """The providers (as `units.provider_key`) that the snapshot knows, sorted."""
    return tuple(sorted(path.name.split(".")[0] for path in FOLDER.glob("*.shapes.parquet")))


def read(provider_key: str, name: Literal["prices", "commitments", "shapes"]) -> pa.Table | None:
    """The provider's rows, strings dictionary-encoded; None where the snapshot has none.

    Commitments have the columns of prices; they are a file of their own, since few ask for them.
    """
    path = FOLDER / f"{provider_key}.{name}.parquet"
    if provider_key not in provider_keys() or not path.is_file():
        return None
    fields = schema.SHAPES if name == "shapes" else schema.PRICES
    strings = [field.name for field in fields if pa.types.is_string(field.type)]
    # Not pq.read_table: that loads pandas (0.2 s), and one thread is quicker on so small a file.
    return pq.ParquetFile(path, read_dictionary=strings).read(use_threads=False)
