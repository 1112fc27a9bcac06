"""Cases built by hand: a machine, its samples, its prices and its cost, for the rules' tests.

What the past says of a case (its outlook) is made by the real code from the same samples.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from costopt import schema
from costopt.hindsight import with_outlooks
from costopt.model import (
    Cost,
    Disputed,
    Finding,
    Profile,
    Recommendation,
    Resource,
    Shape,
    Window,
)
from costopt.optimize.features import hundredths
from costopt.pricing.catalogue import Catalogue
from costopt.rules.base import Case, Outcome
from costopt.rules.billing import billings
from costopt.rules.plan import planned
from costopt.rules.prices import unbilled_cost
from costopt.rules.rightsize_settings import RightsizeSettings
from costopt.units import SECONDS_PER_DAY

END = datetime(2026, 10, 5, tzinfo=UTC)  # a Monday
WINDOW = Window(END - timedelta(days=60), END)
DEFAULTS = RightsizeSettings()
CPU = ("cpu_utilization", "mean")
Values = npt.NDArray[np.float64]
Metric = str | tuple[str, str]
"""A metric's name, its statistic too unless it is the mean."""


@dataclass(frozen=True)
class Type:
    """A machine type and its hourly price."""

    name: str
    vcpus: float
    hourly: str
    memory_gib: float | None = 64.0
    spot: str | None = None
    more: tuple[tuple[str, Any], ...] = ()  # further shape columns


def kind(name: str, vcpus: float, hourly: str, memory_gib: float | None, **columns: Any) -> Type:
    """A type of the family its name begins with, and further shape columns (without their x_)."""
    family = (("x_Family", name.partition(".")[0]),)
    more = tuple((f"x_{column}", value) for column, value in columns.items())
    return Type(name, vcpus, hourly, memory_gib, more=family + more)


def ladder(memory_gib: float | None = 64.0) -> tuple[Type, ...]:
    """g1 .. g64: 0.05 an hour and vCPU, all with one and the same memory figure or none."""
    sizes = (1, 2, 4, 8, 16, 32, 64)
    return tuple(Type(f"g{n}", n, str(Decimal("0.05") * n), memory_gib) for n in sizes)


def m6i(*sizes: int) -> tuple[Type, ...]:
    """Types as AWS's m6i: 4 GiB and 0.048 an hour a vCPU, two threads a core."""
    names = {2: "large", 4: "xlarge", 8: "2xlarge", 16: "4xlarge", 32: "8xlarge", 64: "16xlarge"}
    return tuple(
        kind(
            f"m6i.{names[n]}",
            n,
            str(Decimal("0.048") * n),
            4.0 * n,
            Architecture="x86_64",
            PhysicalCores=n / 2,
            CurrentGeneration=True,
        )
        for n in sizes or names
    )


@lru_cache(maxsize=64)
def catalogue(provider: str, *types: Type) -> Catalogue:
    """A catalogue in which the provider sells those types, in every region."""
    names = ("ProviderName", "x_InstanceType")
    shapes, prices = [], []
    for sold in types:
        key = dict(zip(names, (provider, sold.name), strict=True))
        shapes.append(key | {"x_vCPUs": sold.vcpus, "x_MemoryGiB": sold.memory_gib})
        shapes[-1] |= dict(sold.more)
        for category, price in (("Standard", sold.hourly), ("Dynamic", sold.spot)):
            if price is not None:
                prices.append(
                    key
                    | {"PricingCategory": category, "ListUnitPrice": Decimal(price)}
                    | {"PricingCurrency": "USD"}
                )
    return Catalogue.load(
        pa.Table.from_pylist(prices, schema=schema.PRICES),
        pa.Table.from_pylist(shapes, schema=schema.SHAPES),
    )


def samples(
    days: float = 28,
    level: float = 10.0,
    *,
    spread: float = 0.0,
    burst: float | None = None,
    burst_share: float = 0.0,
    seed: int = 0,
) -> Values:
    """Five-minute means: a level with even noise of +-spread, and bursts in a share of them."""
    chance = np.random.default_rng(seed)
    values = level + spread * chance.uniform(-1, 1, round(days * 288))
    if burst is not None:
        every = max(1, round(1 / burst_share))
        values[::every] = burst
    return np.round(np.clip(values, 0, None), 2)


def profile(
    values: Values,
    metric: str = "cpu_utilization",
    *,
    statistic: str = "mean",
    device: str = "",
    period: int = 300,
    refused_high: int = 0,
) -> Profile:
    """The profile of those samples, ending at END; NaN = missing. Plain NumPy, no kernel."""
    start = END - timedelta(seconds=period * len(values))
    there = ~np.isnan(values)
    kept = values[there]
    ranked = np.sort(kept)

    def rank(share: float) -> float:
        return float(ranked[int(np.ceil(share * len(ranked))) - 1])

    hours = ((start.weekday() * 24 + start.hour) + np.arange(len(values)) * period // 3600) % 168
    slots = np.asarray(hours[there], int)
    counts = np.bincount(slots, minlength=168).tolist()
    sums = np.bincount(slots, kept, minlength=168)
    highest = np.full(168, -np.inf)
    np.maximum.at(highest, slots, kept)
    percent = schema.is_percent(metric)
    bins = np.minimum(kept.astype(int), schema.HISTOGRAM_BINS - 1)
    places = np.flatnonzero(there)
    dates = (start.timestamp() + period * places) // 86_400
    return Profile(
        resource_id="m-1",
        metric_name=metric,
        statistic=statistic,
        device=device,
        period_seconds=period,
        time_zone="UTC",
        count=len(kept),
        expected=len(values),
        coverage=len(kept) / len(values),
        first=start + timedelta(seconds=period * int(places[0])),
        last=start + timedelta(seconds=period * int(places[-1])),
        mean=float(kept.mean()),
        std=float(kept.std()),
        min=float(ranked[0]),
        max=float(ranked[-1]),
        p50=rank(0.5),
        p90=rank(0.9),
        p95=rank(0.95),
        p99=rank(0.99),
        p99_5=rank(0.995),
        share_under_1=float((kept < 1).mean()) if percent else None,
        share_under_5=float((kept < 5).mean()) if percent else None,
        longest_idle_seconds=0 if percent else None,
        longest_gap_seconds=0,
        longest_flat_seconds=0,
        days=len(np.unique(dates)),
        duplicates=0,
        conflicts=0,
        refused_low=0,
        refused_high=refused_high,
        not_finite=0,
        off_grid=0,
        histogram=(
            tuple(int(n) for n in np.bincount(bins, minlength=schema.HISTOGRAM_BINS))
            if percent
            else None
        ),
        week_mean=tuple(t / n if n else np.nan for t, n in zip(sums.tolist(), counts, strict=True)),
        week_p95=tuple(v if n else np.nan for v, n in zip(highest.tolist(), counts, strict=True)),
        week_count=tuple(counts),
    )


def without(cpu: Values, spikes: Sequence[int]) -> Disputed:
    """The dispute over the samples at those positions, in ascending order."""
    kept = profile(np.delete(cpu, spikes))
    assert kept.histogram is not None
    starts = [int(END.timestamp()) - 300 * (len(cpu) - spike) for spike in spikes]
    return Disputed(
        samples=len(spikes),
        example_at=datetime.fromtimestamp(starts[0], UTC),
        example_value=float(cpu[spikes[0]]),
        mean=kept.mean,
        std=kept.std,
        max=kept.max,
        p50=kept.p50,
        p90=kept.p90,
        p95=kept.p95,
        p99=kept.p99,
        p99_5=kept.p99_5,
        histogram=kept.histogram,
        times=starts,
    )


@dataclass(frozen=True)
class Recorded:
    """A machine as it is judged, but for its outlook, and its packed days."""

    case: Case
    shard: pa.Table


def recorded(
    instance_type: str | None = "g16",
    cpu: Values | None = None,
    *,
    resource_id: str = "m-1",
    provider: str = "Generic",
    types: Iterable[Type] = (),
    metrics: Mapping[Metric, Values] | None = None,
    profiles: Iterable[Profile] = (),
    period: int = 300,
    refused: Sequence[int] = (),
    cost: Cost | None = None,
    free: bool = False,
    findings: tuple[Finding, ...] = (),
    disputed: Disputed | None = None,
    min_monthly_savings: float = 5.0,
    shape: Mapping[str, Any] | None = None,
    **resource: Any,
) -> Recorded:
    """One machine with its past.

    Args:
        types: what its provider sells; default `ladder()`.
        metrics: means, or another statistic, beside `cpu`.
        profiles: further ones, without samples.
        period: seconds, of every series.
        refused: positions of CPU samples that were refused as above 105 %.
        cost: default: its list price. `free`: neither a bill nor a price.
        shape: what of its shape differs from its type's.
        resource: further Resource fields.
    """
    sold = catalogue(provider, *(types or ladder()))
    known = sold.shape(provider, instance_type) if instance_type else None
    price = sold.price(
        provider,
        resource.get("region_id"),
        instance_type or "",
        pricing_category=(
            "Dynamic" if resource.get("pricing_category") == "Dynamic" else "Standard"
        ),
    )
    machine = Resource(resource_id, provider, instance_type=instance_type, **resource)
    series = {m if isinstance(m, tuple) else (m, "mean"): v for m, v in (metrics or {}).items()}
    if cpu is not None:
        series[CPU] = _without_refused(cpu, refused)
    all_profiles = [
        profile(v, key[0], statistic=key[1], period=period, refused_high=_refused(key, refused))
        for key, v in series.items()
    ]
    bare = Case(
        resource=machine,
        shape=replace(known, **(shape or {})) if known else _own_shape(machine),
        price=None if free else price,
        profiles=(*all_profiles, *profiles),
        findings=findings,
        disputed=disputed,
        cost=None if free else cost or unbilled_cost(machine, price),
        catalogue=sold,
        window=WINDOW,
        as_of=END,
        min_monthly_savings=min_monthly_savings,
    )
    rows = [
        row
        for key, values in series.items()
        if schema.is_percent(key[0])
        for row in _packed(resource_id, key, values, period, refused if key == CPU else ())
    ]
    return Recorded(bare, pa.Table.from_pylist(rows, schema=schema.PACKED))


def case(
    instance_type: str | None = "g16",
    cpu: Values | None = None,
    *,
    settings: RightsizeSettings = DEFAULTS,
    **more: Any,
) -> Case:
    """One machine as the pipeline hands it to a rule: `recorded`, and its outlook.

    Args:
        settings: what the outlook is asked for with; to be judged by the same.
    """
    return fleet([recorded(instance_type, cpu, **more)], settings)[0]


def fleet(machines: Sequence[Recorded], settings: RightsizeSettings = DEFAULTS) -> list[Case]:
    """Many of them, judged by one another's past."""
    cases = {one.case.resource.resource_id: one.case for one in machines}
    shards = [one.shard for one in machines]
    return list(with_outlooks(cases, shards, settings, WINDOW, threads=1).values())


def _refused(series: tuple[str, str], refused: Sequence[int]) -> int:
    return len(refused) if series == CPU else 0


def _without_refused(cpu: Values, refused: Sequence[int]) -> Values:
    kept = cpu.copy()
    kept[list(refused)] = np.nan
    return kept


def _packed(
    resource_id: str, series: tuple[str, str], values: Values, period: int, refused: Sequence[int]
) -> Iterator[dict[str, Any]]:
    """The packed days of a utilization that ends at END."""
    slots = SECONDS_PER_DAY // period
    days = -(-len(values) // slots)
    grid = hundredths(np.concatenate([np.full(days * slots - len(values), np.nan), values]))
    high = np.bincount(
        (np.asarray(refused, int) + days * slots - len(values)) // slots, minlength=days
    )
    for day, samples_of_day in enumerate(grid.reshape(days, slots)):
        yield {
            "ResourceId": resource_id,
            "MetricName": series[0],
            "Statistic": series[1],
            "x_Device": "",
            "PeriodSeconds": period,
            "Day": (END - timedelta(days=days - day)).date(),
            "Samples": samples_of_day.astype("<u2").tobytes(),
            **dict.fromkeys(schema.PACKED.names[7:], 0),
            "RefusedHigh": int(high[day]),
        }


def _own_shape(machine: Resource) -> Shape | None:
    if machine.vcpus is None:
        return None
    return Shape(
        machine.provider_name,
        machine.instance_type or "",
        machine.vcpus,
        machine.memory_gib,
        gpu_count=machine.gpu_count,
    )


def billed(
    compute: str,
    *,
    monthly: str | None = None,
    listed: str | None = None,
    committed_share: float = 0.0,
    running_share: float = 1.0,
    currency: str = "USD",
) -> Cost:
    """A cost from charges."""
    amount = Decimal(compute)
    return Cost(
        monthly=Decimal(monthly or compute),
        compute=amount,
        compute_list=Decimal(listed or compute),
        hourly_effective=amount / 730,
        running_share=running_share,
        committed_share=committed_share,
        currency=currency,
        basis="charges",
    )


def plan_of(said: Mapping[str, Sequence[Outcome]], *cases: Case) -> tuple[Recommendation, ...]:
    """The plan of what rules said of these cases, without a bill."""
    bills = billings(schema.CHARGES.empty_table(), None, cases, "USD")
    known = {one.resource.resource_id: one for one in cases}
    return planned(said, known, bills).recommendations
