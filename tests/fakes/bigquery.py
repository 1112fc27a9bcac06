"""BigQuery on loopback: tables in DuckDB, which runs the very queries that are sent.

    bigquery = BigQuery(rest)
    bigquery.put("shop.billing.export", table, partition="_PARTITIONTIME")

Bytes are counted as BigQuery does: of the columns that a query names, of the partitions left.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa

from tests.fakes.gcp_rest import Call, Rest, error

_V2 = "/bigquery/v2/projects/{project}"
_MACROS = "create macro if not exists DATE(t) as cast(t as date)"


@dataclass
class _Kept:
    table: pa.Table
    partition: str | None
    modified: int = 1_790_000_000_000


@dataclass
class BigQuery:
    """What there is, and what was billed."""

    rest: Rest
    tables: dict[str, _Kept] = field(default_factory=dict)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    queries: list[str] = field(default_factory=list)  # those that ran
    billed: int = 0
    page: int = 1000  # rows of one answer at the most
    weight: int = 1  # bytes are taken so many times
    views: set[str] = field(default_factory=set)  # tables that are views of others

    def __post_init__(self) -> None:
        add = self.rest.route
        one = f"{_V2}/datasets/{{dataset}}/tables/{{table}}"
        add("bigquery.tables.get", "GET", one, self._get_table)
        add("bigquery.tabledata.list", "GET", f"{one}/data", self._list_rows)
        add("bigquery.jobs.insert", "POST", f"{_V2}/jobs", self._insert)
        add("bigquery.jobs.get", "GET", f"{_V2}/jobs/{{job}}", self._get_job)
        add("bigquery.jobs.getQueryResults", "GET", f"{_V2}/queries/{{job}}", self._results)

    def put(self, name: str, table: pa.Table, partition: str | None = None) -> None:
        """A table, or its new content.

        Args:
            partition: by which column it is kept in parts; _PARTITIONTIME is none of the schema's.
        """
        before = self.tables.get(name)
        modified = before.modified + 1000 if before else 1_790_000_000_000
        self.tables[name] = _Kept(table, partition, modified)

    # -- tables ----------------------------------------------------------------------------------

    def _get_table(self, call: Call) -> Any:
        name = _name(call)
        kept = self.tables.get(name)
        if kept is None:
            return error(404, f"Not found: Table {name}", "notFound")
        fields = [_field(one) for one in kept.table.schema if one.name != "_PARTITIONTIME"]
        parts: dict[str, Any] = {}
        if kept.partition:
            by = {} if kept.partition == "_PARTITIONTIME" else {"field": kept.partition}
            parts = {"timePartitioning": {"type": "DAY", **by}}
        told = {"type": "TABLE", "numRows": str(kept.table.num_rows)}
        told["lastModifiedTime"] = str(kept.modified)
        if name in self.views:  # as old as its definition; how many rows it has nobody knows
            told = {"type": "VIEW", "lastModifiedTime": "1790000000000"}
        project, dataset, table = name.split(".")
        return {
            "tableReference": {"projectId": project, "datasetId": dataset, "tableId": table},
            "schema": {"fields": fields},
            "location": "EU",
            **told,
            **parts,
        }

    def _list_rows(self, call: Call) -> Any:
        kept = self.tables[_name(call)]
        start = int(call.query.get("pageToken") or call.query.get("startIndex") or 0)
        most = min(self.page, int(call.query.get("maxResults") or self.page))
        rows = kept.table.slice(start, most).to_pylist()
        kinds = list(kept.table.schema)
        found: dict[str, Any] = {
            "totalRows": str(kept.table.num_rows),
            "rows": [{"f": [{"v": _said(row[k.name], k.type)} for k in kinds]} for row in rows],
        }
        if start + most < kept.table.num_rows:
            found["pageToken"] = str(start + most)
        return found

    # -- jobs ------------------------------------------------------------------------------------

    def _insert(self, call: Call) -> Any:
        document = json.loads(call.body)
        config = document["configuration"]
        asked = config["query"]
        given = {p["name"]: _value(p) for p in asked.get("queryParameters", ())}
        name = document["jobReference"]["jobId"]
        if name in self.jobs:
            return error(409, f"Already Exists: Job {name}", "duplicate")
        scanned = self._scanned(asked["query"], given)
        job = {
            "jobReference": {"projectId": call.project, "jobId": name, "location": "EU"},
            "configuration": config,
            "status": {"state": "DONE"},
            "statistics": {
                "totalBytesProcessed": str(scanned),
                "query": {"totalBytesProcessed": str(scanned), "statementType": "SELECT"},
            },
        }
        if config.get("dryRun"):
            return job
        most = int(asked.get("maximumBytesBilled") or 1 << 62)
        billed = max(scanned, 10 << 20)
        if billed > most:
            said = f"Query exceeded limit for bytes billed: {most}. {billed} or higher required."
            failed = {"reason": "bytesBilledLimitExceeded", "message": said}
            job["status"] = {"state": "DONE", "errorResult": failed, "errors": [failed]}
        else:
            self.billed += billed
            self.queries.append(asked["query"])
            answer = f"{call.project}._anon.{name.replace('-', '_')}"
            self.tables[answer] = _Kept(self._ran(asked["query"], given), None)
            job["statistics"]["query"]["totalBytesBilled"] = str(billed)
            project, dataset, table = answer.split(".")
            config["query"]["destinationTable"] = {
                "projectId": project,
                "datasetId": dataset,
                "tableId": table,
            }
        self.jobs[name] = job
        return job

    def _get_job(self, call: Call) -> Any:
        return self.jobs.get(call.parts["job"]) or error(404, "Not found: Job", "notFound")

    def _results(self, call: Call) -> Any:
        job = self.jobs[call.parts["job"]]
        failed = job["status"].get("errorResult")
        if failed:
            return error(400, failed["message"], failed["reason"])
        target = job["configuration"]["query"]["destinationTable"]
        kept = self.tables[".".join(target[n] for n in ("projectId", "datasetId", "tableId"))]
        return {
            "jobReference": job["jobReference"],
            "jobComplete": True,
            "totalRows": str(kept.table.num_rows),
            "schema": {"fields": [_field(one) for one in kept.table.schema]},
            "totalBytesProcessed": "0",
        }

    def _kept(self, query: str) -> _Kept:
        return self.tables[re.findall("`([^`]+)`", query)[0]]

    def _scanned(self, query: str, given: Mapping[str, Any]) -> int:
        """Bytes of the columns that the query names, in the partitions that it leaves."""
        kept = self._kept(query)
        table = kept.table
        if kept.partition and "first" in given:
            left = f"SELECT * FROM t WHERE {kept.partition} BETWEEN $first AND $last"
            table = _duck(table, left, {name: given[name] for name in ("first", "last")})
        named = [name for name in table.column_names if re.search(rf"\b{name}\b", query)]
        return table.select(named).nbytes * self.weight

    def _ran(self, query: str, given: Mapping[str, Any]) -> pa.Table:
        text = re.sub("`[^`]+`", "t", query)
        text = re.sub(r"@(\w+)", r"$\1", text)
        used = {name: value for name, value in given.items() if f"${name}" in text}
        return _duck(self._kept(query).table, text, used)


def _duck(table: pa.Table, query: str, given: Mapping[str, Any]) -> pa.Table:
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(_MACROS)
        connection.register("t", table)
        return connection.execute(query, dict(given)).to_arrow_table()


def _name(call: Call) -> str:
    return ".".join(call.parts[part] for part in ("project", "dataset", "table"))


def _value(parameter: Mapping[str, Any]) -> Any:
    value = parameter["parameterValue"]["value"]
    if parameter["parameterType"]["type"] == "TIMESTAMP":
        return datetime.fromisoformat(value.replace(" ", "T", 1))
    return value


def _field(one: pa.Field) -> dict[str, Any]:
    kind, mode = one.type, "NULLABLE"
    if pa.types.is_list(kind):
        kind, mode = kind.value_type, "REPEATED"
    said: dict[str, Any] = {"name": one.name, "mode": mode, "type": _kind(kind)}
    if pa.types.is_struct(kind):
        said["fields"] = [_field(part) for part in kind]
    return said


def _kind(kind: pa.DataType) -> str:
    for holds, name in (
        (pa.types.is_struct, "RECORD"),
        (pa.types.is_timestamp, "TIMESTAMP"),
        (pa.types.is_date, "DATE"),
        (pa.types.is_floating, "FLOAT"),
        (pa.types.is_integer, "INTEGER"),
        (pa.types.is_decimal, "NUMERIC"),
        (pa.types.is_boolean, "BOOLEAN"),
    ):
        if holds(kind):
            return name
    return "STRING"


def _said(value: Any, kind: pa.DataType) -> Any:
    """As BigQuery's JSON writes a value: text, but for records and lists."""
    if pa.types.is_list(kind):  # there is no null list
        return [{"v": _said(one, kind.value_type)} for one in value or ()]
    if value is None:
        return None
    if pa.types.is_struct(kind):
        return {"f": [{"v": _said(value[part.name], part.type)} for part in kind]}
    if isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=UTC)
        return str(round(moment.timestamp() * 1_000_000))
    if isinstance(value, bool):
        return str(value).lower()
    return (
        str(value)
        if not isinstance(value, (float, Decimal))
        else repr(value).removeprefix("Decimal('").removesuffix("')")
    )
