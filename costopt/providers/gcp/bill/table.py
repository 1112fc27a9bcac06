"""BigQuery: what a query would cost, one query, and its answer a part at a time."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, Final

import pyarrow as pa
from google.api_core import exceptions
from google.cloud import bigquery

from costopt.providers.gcp.access import Access

USD_PER_TIB: Final = Decimal("6.25")
"""On demand, in the US and the EU; the first TiB of a month is free, which is not taken off here.
Source: BigQuery pricing, "On-demand compute pricing", read 2026-11."""
_TIB: Final = 1 << 40
_LEAST: Final = 10 << 20  # bytes that any query is billed for
_ROWS: Final = 20_000
_PAUSE: Final = 1.0  # seconds between looks at a query under way; each look itself waits, too

Values = Mapping[str, str | datetime]


def dollars(scanned: int) -> Decimal:
    """What a query of so many bytes is billed."""
    return max(scanned, _LEAST) * USD_PER_TIB / _TIB


@dataclass
class Table:
    """One table, asked by queries that a project pays for."""

    access: Access
    name: str  # project.dataset.table
    payer: str

    @cached_property
    def _client(self) -> Any:
        return self.access.rest("bigquery", bigquery.Client, project=self.payer)

    @cached_property
    def described(self) -> Any:
        """bigquery.Table: schema, partitions, when it was last changed. Free."""
        return self.access.asked(self._client.get_table, self.name)

    @property
    def partition(self) -> str | None:
        """By which column its parts are kept, so that a query reads only some; None = it has none.

        Without a field they are those of the day when Google delivered.
        """
        kept = self.described.time_partitioning
        return None if kept is None else kept.field or "_PARTITIONTIME"

    @property
    def by_date(self) -> bool:
        """Whether that column holds dates, not times."""
        named = {field.name: field.field_type for field in self.described.schema}
        return named.get(self.partition) == "DATE"

    def has(self, path: str) -> bool:
        """Whether there is such a column, single or repeated, nowhere inside of a repeated one."""
        fields: Sequence[Any] = self.described.schema
        for number, name in enumerate(names := path.split("."), start=1):
            field = next((one for one in fields if one.name == name), None)
            if field is None or (field.mode == "REPEATED" and number < len(names)):
                return False
            fields = field.fields
        return True

    def scanned(self, query: str, values: Values) -> int:
        """Bytes that the query would be billed for, before it is rounded up. Free."""
        config = bigquery.QueryJobConfig(
            dry_run=True, use_query_cache=False, query_parameters=_given(values)
        )
        job = self.access.asked(self._client.query, query, job_config=config, job_retry=None)
        return int(job.total_bytes_processed)

    def asked(self, query: str, values: Values, most: Decimal) -> Answer:
        """Run it.

        Args:
            most: dollars that it may cost; beyond, BigQuery refuses it and bills nothing.
        """
        config = bigquery.QueryJobConfig(
            maximum_bytes_billed=max(0, int(most / USD_PER_TIB * _TIB)),
            use_query_cache=True,
            query_parameters=_given(values),
        )
        name = f"costopt-{uuid.uuid4()}"  # ours, so that a second try does not pay twice
        try:
            job = self.access.asked(
                self._client.query, query, job_config=config, job_id=name, job_retry=None
            )
        except exceptions.Conflict:
            job = self.access.asked(self._client.get_job, name, location=self.described.location)
        while not self.access.asked(job.done):
            self.access.pause(_PAUSE)
        if (error := job.exception()) is not None:
            raise error
        table = self.access.asked(self._client.get_table, job.destination)
        return Answer(self.access, self._client, table, dollars(job.total_bytes_billed or 0))


@dataclass(frozen=True)
class Answer:
    """A query's answer, which BigQuery keeps for a day."""

    access: Access
    client: Any
    table: Any
    usd: Decimal  # what the query was billed

    @property
    def rows(self) -> int:
        """How many there are."""
        return int(self.table.num_rows)

    def batches(self) -> Iterator[dict[str, pa.Array]]:
        """The rows by column, some ten thousand at a time."""
        start = 0
        while start < self.rows:
            for batch in self.access.asked(self._part, start):
                start += batch.num_rows
                yield dict(zip(batch.schema.names, batch.columns, strict=True))

    def _part(self, start: int, **ways: Any) -> list[pa.RecordBatch]:
        found = self.client.list_rows(self.table, start_index=start, max_results=_ROWS, **ways)
        return list(found.to_arrow_iterable())


def _given(values: Values) -> list[Any]:
    return [
        bigquery.ScalarQueryParameter(
            name, "STRING" if isinstance(value, str) else "TIMESTAMP", value
        )
        for name, value in values.items()
    ]
