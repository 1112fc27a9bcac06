"""The sanity gate: prices that cannot be what they say are refused, and shown.

Price lists carry zeros, prices of another thing under a machine's name (dedicated hosts), and slips
of a factor of 100, 730 or 1,000. Sizes of one family cost nearly the same per vCPU, GiB or GPU in
one region, so a price that no measure of its size explains is refused. What is merely a few percent
off (another tenancy, say) cannot be told from a real difference here; `scripts/build_snapshot.py`
cleans its sources of that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from costopt.model import Price, Shape
from costopt.pricing.layer import Layer

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

# Measured on the 140,000 clean rows of the built-in snapshot: within one family and region no
# on-demand price lies further than 3 times from the median per vCPU, per GiB and per GPU at once;
# spot, which follows demand, up to 7 times.
FAMILY_FACTOR: Final = 4.0
SPOT_FACTOR: Final = 10.0
# Families too small to compare: against the provider's median per vCPU-equivalent. Real ones lie
# within 20 times, from a t4g.nano to eight B200.
PROVIDER_FACTOR: Final = 50.0
FEWEST: Final = 4
_GIB_PER_EQUIVALENT: Final = 8.0  # a vCPU costs about what 8 GiB do


@dataclass(frozen=True, slots=True)
class Refusal:
    """A price that was not taken, and why."""

    price: Price
    reason: str  # not-positive | out-of-family | implausible
    detail: str  # one sentence for people


@dataclass(frozen=True)
class Screened:
    """What the gate let through, in the order given, and what it refused."""

    kept: pa.Table
    refused: tuple[Refusal, ...]


def screen(
    prices: pa.Table, shapes: Mapping[str, Shape], trusted: pa.Table | None = None
) -> Screened:
    """Refuse prices of zero or less and prices far out of their family.

    A type without a known shape cannot be judged and passes.

    Args:
        prices: schema.PRICES columns, one provider.
        shapes: type key (layer.type_key) -> shape.
        trusted: prices of the same provider that passed before; where they hold at least
            `FEWEST` of a family, they alone say what is usual.
    """
    count = len(prices)
    table = prices if trusted is None else pa.concat_tables([prices, trusted.cast(prices.schema)])
    layer = Layer(table)
    sizes = _sizes(layer, shapes)
    judged = np.arange(len(table)) < count
    positive = layer.hourly > 0
    spot = layer.category.values == layer.category.code("Dynamic")
    factor = np.where(spot, SPOT_FACTOR, FAMILY_FACTOR)
    market = _combine(layer.category.values, layer.currency.values, layer.system.values)
    family = _combine(market, layer.region.values, _families(layer, shapes))

    times, compared = _furthest(layer.hourly, sizes, family, positive, judged)
    out_of_family = compared & ((times > factor) | (times < 1 / factor))
    equivalent = sizes[0] + np.nan_to_num(sizes[1]) / _GIB_PER_EQUIVALENT
    usual, known = _furthest(layer.hourly, [equivalent], market, positive, judged)
    implausible = known & ((usual > PROVIDER_FACTOR) | (usual < 1 / PROVIDER_FACTOR))

    bad = (~positive | out_of_family | implausible) & judged
    rows = np.flatnonzero(bad)
    refused = []
    for row, price in zip(rows.tolist(), layer.take(rows), strict=True):
        if not positive[row]:
            reason, detail = "not-positive", "a price is above zero"
        elif out_of_family[row]:
            reason = "out-of-family"
            detail = f"{_times(times[row])} its family's price per vCPU, GiB and GPU there"
        else:
            reason = "implausible"
            detail = f"{_times(usual[row])} the provider's usual price per vCPU and GiB"
        refused.append(Refusal(price, reason, detail))
    return Screened(prices.filter(pa.array(~bad[:count])), tuple(refused))


def _times(ratio: float) -> str:
    return f"{ratio:.3g} times" if ratio >= 1 else f"1/{1 / ratio:.3g} of"


def _sizes(layer: Layer, shapes: Mapping[str, Shape]) -> list[Floats]:
    """vCPUs, GiB and GPUs of every row; NaN = unknown, or none."""
    known = [shapes.get(key) for key in layer.type.keys]
    measures = (
        [s.vcpus if s else None for s in known],
        [s.memory_gib if s else None for s in known],
        [s.gpu_count or None if s else None for s in known],
    )
    rows = layer.type.values
    return [np.array([v or np.nan for v in values], np.float64)[rows] for values in measures]


def _families(layer: Layer, shapes: Mapping[str, Shape]) -> Codes:
    codes: dict[str, int] = {}
    of_type = []
    for key in layer.type.keys:
        shape = shapes.get(key)
        family = (shape.family if shape else None) or family_of(key)
        of_type.append(codes.setdefault(family, len(codes)))
    return np.array(of_type, np.int64)[layer.type.values]


def family_of(instance_type: str) -> str:
    """The family that a type's own name suggests: "m5" of m5.large, "g#" of g16."""
    before, dot, _ = instance_type.partition(".")
    return before if dot else re.sub(r"\d+", "#", instance_type)


def _combine(*codes: npt.NDArray[np.signedinteger]) -> Codes:
    """One code per distinct tuple."""
    _, combined = np.unique(np.stack(codes), axis=1, return_inverse=True)
    return combined.reshape(-1).astype(np.int64)


def _furthest(
    hourly: Floats, sizes: list[Floats], groups: Codes, usable: npt.NDArray[np.bool_],
    judged: npt.NDArray[np.bool_],
) -> tuple[Floats, npt.NDArray[np.bool_]]:  # fmt: skip
    """How many times the group's median each price is, by the measure that explains it best."""
    best = np.full(len(hourly), np.inf)
    compared = np.zeros(len(hourly), np.bool_)
    with np.errstate(divide="ignore", invalid="ignore"):
        for size in sizes:
            usual = _medians(hourly / size, groups, usable & np.isfinite(size), judged)
            distance = np.log(hourly / size / usual)
            measured = np.isfinite(distance)
            nearer = measured & (np.abs(distance) < np.abs(best))
            best = np.where(nearer, distance, best)
            compared |= measured
    return np.exp(np.where(compared, best, 0.0)), compared


def _medians(
    rate: Floats, groups: Codes, usable: npt.NDArray[np.bool_], judged: npt.NDArray[np.bool_]
) -> Floats:
    """Each row's group median, of trusted rows where those suffice; NaN below `FEWEST` rows."""
    count = int(groups.max(initial=-1)) + 1
    result = np.full(count, np.nan)
    for rows in (usable, usable & ~judged):  # the second, trusted, overrides
        order = np.flatnonzero(rows)
        order = order[np.lexsort((rate[order], groups[order]))]
        sizes = np.bincount(groups[order], minlength=count)
        starts = np.cumsum(sizes) - sizes
        enough = sizes >= FEWEST
        low = order[starts[enough] + (sizes[enough] - 1) // 2]
        high = order[starts[enough] + sizes[enough] // 2]
        result[enough] = np.sqrt(rate[low] * rate[high])
    return result[groups]
