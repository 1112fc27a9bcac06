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
_IDLE: Final = """
with marked as (
    select ResourceId, MetricName, Timestamp, Value < 4.995 as idle,
           coalesce(lag(Value < 4.995) over series and Value < 4.995 and
                    Timestamp - lag(Timestamp) over series = interval 5 minutes, false) as joined
    from samples window series as (partition by ResourceId, MetricName order by Timestamp)
), numbered as (
    select *, count(*) filter (not joined)
                  over (partition by ResourceId, MetricName order by Timestamp) as run
    from marked
), runs as (
    select ResourceId, MetricName, run, count(*) as length from numbered where idle group by all
)
select ResourceId, MetricName, max(length) as longest from runs group by all
"""
_WEEK: Final = """
select ResourceId, MetricName, isodow(Timestamp) * 24 + hour(Timestamp) as hour_of_week,
       avg(Value), quantile_disc(Value, 0.95)
from samples group by all
"""


def duckdb_sql(files: Sequence[Path]) -> Check:
    """Three queries."""
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
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
    step = pl.col("Timestamp").diff() == pl.duration(minutes=5)
    idle = pl.col("Value") < _IDLE_UNDER
    joined = (idle & idle.shift() & step).fill_null(value=False)
    runs = (
        samples.sort(*key, "Timestamp")
        .with_columns(run=(~joined).cum_sum().over(key), idle=idle)
        .filter("idle")
        .group_by(*key, "run")
        .len()
        .group_by(key)
        .agg(pl.col("len").max())
    )
    hour = pl.col("Timestamp").dt.weekday() * 24 + pl.col("Timestamp").dt.hour()
    week = samples.group_by(*key, hour.alias("hour")).agg(
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
    samples = pd.concat([pd.read_parquet(path, columns=columns) for path in files])
    samples = samples.astype({"ResourceId": "category", "MetricName": "category"})
    samples = samples.sort_values(["ResourceId", "MetricName", "Timestamp"], ignore_index=True)
    key = [samples["ResourceId"], samples["MetricName"]]
    value = samples["Value"].astype("float64")
    series = value.groupby(key, observed=True)
    statistics = series.agg(["count", "mean", "min", "max"])
    series.std(ddof=0)
    quantiles = series.quantile(list(_QUANTILES), interpolation="nearest").unstack()
    idle = value < _IDLE_UNDER
    step = samples["Timestamp"].diff() == pd.Timedelta(minutes=5)
    same = (samples["ResourceId"] == samples["ResourceId"].shift()) & (
        samples["MetricName"] == samples["MetricName"].shift()
    )
    run = (~(idle & idle.shift(fill_value=False) & step & same)).cumsum()
    lengths = idle[idle].groupby([*(k[idle] for k in key), run[idle]], observed=True).size()
    hour = samples["Timestamp"].dt.dayofweek * 24 + samples["Timestamp"].dt.hour
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
