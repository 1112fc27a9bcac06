"""What others do for the numbers of a profile: the same questions to DuckDB, Polars and pandas.

Each gives, per machine and metric: count, mean, deviation, minimum, maximum, five percentiles, the
longest idle run, and mean and P95 of the 168 hours of the week (of UTC, which is less work than the
local time that costopt reckons in). Each returns what the benchmark checks against costopt's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

Check = dict[str, float]
"""Series, samples, sum of maxima, sum of P95, longest idle run of any series in samples."""

# Under 5 % once it is rounded to hundredths, as costopt packs it.
_IDLE_UNDER: Final = 4.995
_QUANTILES: Final = (0.5, 0.9, 0.95, 0.99, 0.995)

_STATISTICS: Final = """
select ResourceId, MetricName, count(Value) as n, avg(Value), stddev_pop(Value), min(Value),
       max(Value) as largest,
       quantile_disc(Value, [0.5, 0.9, 0.95, 0.99, 0.995]) as q
from samples group by all
"""
# Idle samples of one run lie as far apart in time as in number: their difference names the run.
_IDLE: Final = """
with idle as (
    select ResourceId, MetricName, epoch_us(Timestamp) // 300_000_000 - row_number() over (
               partition by ResourceId, MetricName order by Timestamp) as run
    from samples where Value < 4.995
), runs as (
    select ResourceId, MetricName, count(*) as length from idle group by ResourceId, MetricName, run
)
select ResourceId, MetricName, max(length) as longest from runs group by all
"""
# 1970 began on a Thursday: hours since then, modulo a week, are the hour of some week.
_WEEK: Final = """
select ResourceId, MetricName, epoch_us(Timestamp) // 3_600_000_000 % 168 as hour_of_week,
       avg(Value), quantile_disc(Value, 0.95)
from samples group by all
"""


def duckdb_sql(files: Sequence[Path]) -> Check:
    """Three queries."""
    import duckdb

    with duckdb.connect() as connection:
        paths = [str(path) for path in files]
        connection.read_parquet(paths).create_view("samples")
        statistics = connection.sql(_STATISTICS).fetch_arrow_table()
        idle = connection.sql(_IDLE).fetch_arrow_table()
        connection.sql(_WEEK).fetch_arrow_table()
    return {
        "series": float(statistics.num_rows),
        "count": float(sum(statistics["n"].to_pylist())),
        "maxima": sum(statistics["largest"].to_pylist()),
        "p95": sum(q[2] for q in statistics["q"].to_pylist()),
        "idle": float(max(idle["longest"].to_pylist(), default=0)),
    }


def polars(files: Sequence[Path]) -> Check:
    """Three lazy queries on the streaming engine."""
    import polars as pl

    key = ["ResourceId", "MetricName"]
    samples = pl.scan_parquet(list(files)).select(*key, "Timestamp", "Value")
    value = pl.col("Value").cast(pl.Float64)  # sums of float32 would be of float32
    statistics = samples.group_by(key).agg(
        n=value.count(),
        mean=value.mean(),
        std=value.std(ddof=0),
        smallest=value.min(),
        largest=value.max(),
        **{f"q{q}": value.quantile(q, interpolation="nearest") for q in _QUANTILES},
    )
    at = pl.col("Timestamp").dt.timestamp("us")
    runs = (
        samples.filter(pl.col("Value") < _IDLE_UNDER)
        .sort(*key, "Timestamp")
        .with_columns(run=at // 300_000_000 - pl.int_range(pl.len()).over(key))
        .group_by(*key, "run")
        .len()
        .group_by(key)
        .agg(pl.col("len").max())
    )
    week = samples.group_by(*key, (at // 3_600_000_000 % 168).alias("hour")).agg(
        mean=value.mean(), p95=value.quantile(0.95, interpolation="nearest")
    )
    first, second, _ = pl.collect_all([statistics, runs, week], engine="streaming")
    return {
        "series": float(first.height),
        "count": float(first["n"].sum()),
        "maxima": float(first["largest"].sum()),
        "p95": float(first["q0.95"].sum()),
        "idle": float(second["len"].max() or 0),
    }


def pandas(files: Sequence[Path]) -> Check:
    """Group by group, in memory."""
    import pandas as pd

    columns = ["ResourceId", "MetricName", "Timestamp", "Value"]
    samples = pd.concat(
        [pd.read_parquet(path, columns=columns) for path in files], ignore_index=True
    )
    samples = samples.astype({"ResourceId": "category", "MetricName": "category"})
    key = [samples["ResourceId"], samples["MetricName"]]
    value = samples["Value"].astype("float64")
    series = value.groupby(key, observed=True)
    statistics = series.agg(["count", "mean", "min", "max"])
    series.std(ddof=0)
    quantiles = series.quantile(list(_QUANTILES), interpolation="nearest").unstack()
    at = samples["Timestamp"].astype("int64")
    idle = samples[value < _IDLE_UNDER].sort_values(["ResourceId", "MetricName", "Timestamp"])
    of = [idle["ResourceId"], idle["MetricName"]]
    run = at[idle.index] // 300_000_000 - idle.groupby(of, observed=True).cumcount()
    lengths = idle.groupby([*of, run], observed=True).size()
    hour = at // 3_600_000_000 % 168
    week = value.groupby([*key, hour], observed=True)
    week.mean()
    week.quantile(0.95, interpolation="nearest")
    return {
        "series": float(len(statistics)),
        "count": float(statistics["count"].sum()),
        "maxima": float(statistics["max"].sum()),
        "p95": float(quantiles[0.95].sum()),
        "idle": float(lengths.max() if len(lengths) else 0),
    }


PEERS: Final[Mapping[str, Callable[[Sequence[Path]], Check]]] = {
    "duckdb_sql": duckdb_sql,
    "polars": polars,
    "pandas": pandas,
}
