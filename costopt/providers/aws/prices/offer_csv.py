"""Offer files, block by block in bounded memory: only columns and rows that are wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from costopt.errors import ProviderError
from costopt.providers.aws.prices.source import OfferFile

_BLOCK: Final = 1 << 20  # bytes; pyarrow holds up to 32 ahead
Progress = Callable[[int], None]  # bytes read so far


def rows(
    file: OfferFile,
    columns: Sequence[str],
    wanted: Mapping[str, Sequence[str]],
    progress: Progress,
) -> Iterator[dict[str, str]]:
    """The rows whose columns hold one of the values wanted, as the file writes them.

    Args:
        columns: read besides those of `wanted`; absent ones are an error.
    Raises:
        ProviderError: the file breaks off, is no CSV file, or lacks a column. What was given
            before it belongs to half a file.
    """
    names = list(dict.fromkeys([*wanted, *columns]))
    values = {name: pa.array(options) for name, options in wanted.items()}
    try:
        with _reader(file, names) as reader:
            for batch in reader:
                yield from batch.filter(_mask(batch, values)).to_pylist()
                progress(file.transfer.read_bytes)
    except (pa.ArrowException, OSError) as error:
        raise ProviderError(
            f"not read, as it is not whole or not as expected: {_first_line(error)}",
            where=file.stamp.path,
        ) from None


def _reader(file: OfferFile, names: list[str]) -> Any:
    return csv.open_csv(
        file.body,
        # One thread: a second one gains nothing beside the network, and holds more blocks.
        read_options=csv.ReadOptions(block_size=_BLOCK, use_threads=False),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            include_columns=names,
            column_types=dict.fromkeys(names, pa.string()),
            strings_can_be_null=False,
        ),
    )


def _mask(batch: pa.RecordBatch, values: Mapping[str, pa.Array]) -> pa.Array:
    mask = None
    for name, options in values.items():
        held = pc.is_in(batch.column(name), value_set=options)
        mask = held if mask is None else pc.and_(mask, held)
    return mask


def _first_line(error: BaseException) -> str:
    text = str(error).strip("'\"").splitlines()
    return "".join(c if c.isprintable() else "?" for c in text[0])[:200] if text else "no reason"
