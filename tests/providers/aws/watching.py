"""A fleet in front of the CloudWatch stub, and what must be collected of it, worked out apart."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import boto3
import pyarrow as pa
import pyarrow.compute as pc
from botocore.config import Config

from costopt import schema
from costopt.model import Series as Key
from costopt.providers.aws import metrics
from costopt.providers.aws.access import Account
from costopt.providers.aws.settings import AwsSettings
from costopt.providers.base import Known, Problem
from tests.fakes import cloudwatch

NOW = datetime(2026, 10, 5, 9, 12, 34, tzinfo=UTC)
ACCOUNT = "123456789012"
REGION = "eu-west-1"

_SERIES = ["ResourceId", "MetricName", "Statistic", "x_Device", "PeriodSeconds"]
_KEY = [*_SERIES, "Timestamp"]

Sample = tuple[str, str, str, int, int, str | None]
"""ResourceId, MetricName, Statistic, seconds since 1970, PeriodSeconds, x_Device."""


class StubbedAccount(Account):
    """The stub's clients, whose own tries are few: botocore waits for seconds between them."""

    def lead_to(self, url: str, attempts: int) -> None:
        self.url, self.attempts = url, attempts
        self.made: dict[str, object] = {}
        self.making = threading.Lock()

    def client(self, service: str, region: str = REGION) -> object:
        with self.making:
            if region not in self.made:
                config = Config(retries={"mode": "standard", "total_max_attempts": self.attempts})
                self.made[region] = self.session.client(
                    service, region_name=region, endpoint_url=self.url, config=config
                )
            return self.made[region]


@dataclass
class Collected:
    """What one collect gave."""

    tables: list[pa.Table]
    problems: list[Problem]
    pauses: list[float] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)

    @property
    def samples(self) -> dict[Sample, float]:
        """The samples; a doubled one is an error."""
        found: dict[Sample, float] = {}
        for key, value in self.rows():
            assert key not in found, key
            found[key] = value
        return found

    def table(self, *others: Collected) -> pa.Table:
        """All samples of these collects, by series and time: for comparing many."""
        whole = pa.concat_tables([*self.tables, *(t for other in others for t in other.tables)])
        return whole.sort_by([(name, "ascending") for name in _KEY])

    def only(self, metric: str) -> Collected:
        """The samples of one metric."""
        kept = [t.filter(pc.equal(t.column("MetricName"), metric)) for t in self.tables]
        return Collected(kept, self.problems)

    def rows(self) -> Iterator[tuple[Sample, float]]:
        """Key and value of every row, in the order given."""
        for table in self.tables:
            columns = dict(zip(schema.METRICS.names, table.columns, strict=True))
            micros = columns["Timestamp"].cast(pa.int64()).to_pylist()
            yield from zip(
                zip(
                    columns["ResourceId"].to_pylist(),
                    columns["MetricName"].to_pylist(),
                    columns["Statistic"].to_pylist(),
                    [micro // 1_000_000 for micro in micros],
                    columns["PeriodSeconds"].to_pylist(),
                    columns["x_Device"].to_pylist(),
                    strict=True,
                ),
                columns["Value"].to_pylist(),
                strict=True,
            )

    def held(self) -> Known:
        """What the lake would hold after it."""
        newest = self.table().group_by(_SERIES).aggregate([("Timestamp", "max")]).to_pylist()
        ends: dict[Key, datetime] = {}
        for row in newest:
            key = Key(*(row[name] or "" for name in _SERIES[:4]))
            end = row["Timestamp_max"] + timedelta(seconds=row["PeriodSeconds"])
            ends[key] = max(end, ends.get(key, end))
        return Known(ends, notes=self.notes)


@dataclass
class Watched:
    """A stub, the accounts that lead to it, and their resources."""

    service: cloudwatch.CloudWatch
    url: str
    rows: list[dict[str, object]]
    settings: AwsSettings
    attempts: int = 1

    def accounts(self) -> list[Account]:
        """One for each account of the resources; its access key tells the stub which."""
        return [
            self._account(name) for name in sorted({str(row["SubAccountId"]) for row in self.rows})
        ]

    def prepared(
        self, known: Known | None = None, *, now: datetime = NOW, **more: object
    ) -> tuple[metrics.Prepared, list[Problem]]:
        """Everything before the paid calls."""
        problems: list[Problem] = []
        table = schema.conform(
            pa.Table.from_pylist(self.rows, schema=schema.RESOURCES), schema.RESOURCES
        )
        accounts = self.accounts()
        made = metrics.prepare(
            accounts, table, self.settings, known or Known(), problems, now=now, **more
        )
        return made, problems

    def collect(
        self, known: Known | None = None, *, now: datetime = NOW, tables: int | None = None
    ) -> Collected:
        """All of it, or only so many tables, then killed."""
        prepared, problems = self.prepared(known, now=now)
        collected = Collected([], problems)
        stream = metrics.read(
            prepared, self.settings, problems, collected.notes, pause=collected.pauses.append
        )
        for table in stream:
            assert table.schema.equals(schema.METRICS)
            collected.tables.append(table)
            if len(collected.tables) == tables:
                stream.close()
                break
        return collected

    def _account(self, name: str) -> Account:
        session = boto3.Session(f"KEY{name}", "secret", region_name=REGION)
        account = StubbedAccount(name, "", session, self.settings)
        account.lead_to(self.url, self.attempts)
        return account


@contextmanager
def watched(rows: list[dict[str, object]], **more: object) -> Iterator[Watched]:
    """The fleet, served."""
    settings = AwsSettings(**{"days": 2, **more})
    service = cloudwatch.CloudWatch(NOW, account_of=lambda key: key.removeprefix("KEY"))
    with cloudwatch.served(service) as url:
        yield Watched(service, url, rows, settings)


def machine(number: int, kind: str = "m5.large", **more: object) -> dict[str, object]:
    """A row of an instance."""
    return _row(f"i-{number:017x}", x_InstanceType=kind, **more)


def thing(resource_id: str, **more: object) -> dict[str, object]:
    """A row of anything else."""
    return _row(resource_id, **more)


def _row(resource_id: str, **more: object) -> dict[str, object]:
    placed = {"ProviderName": "AWS", "SubAccountId": ACCOUNT, "RegionId": REGION}
    return {**placed, "ResourceId": resource_id, **more}


def measured(
    series: cloudwatch.Series, slots: Iterable[int], period: int, native: int
) -> dict[int, list[float]]:
    """The datapoints of each slot that has any, by its start: a loop over single ones."""
    found = {}
    for start in slots:
        numbers = range(-(-start // native), -(-(start + period) // native))
        values = [
            cloudwatch.datapoint(series, n) for n in numbers if not cloudwatch.missing(series, n)
        ]
        if values:
            found[start] = values
    return found


def mean(values: list[float]) -> float:
    return math.fsum(values) / len(values)


def window(days: float, period: int = 300) -> range:
    """The starts of what is asked for by default: the settled periods of the last days."""
    settled = int(NOW.timestamp() - 1800) // 300 * 300
    first = -(-int((NOW - timedelta(days=days)).timestamp()) // period) * period
    return range(first, settled, period)
