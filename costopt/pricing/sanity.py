"""The sanity gate: prices that cannot be what they say are refused, and shown.

Price lists carry zeros, prices of another thing under a machine's name (dedicated hosts), slips of
a factor of 100, 730 or 1,000, and the wrong currency. Sizes of one family cost nearly the same per
vCPU, GiB or GPU in one region, so a price that no measure of its size explains is refused. Prices
in several currencies are compared in dollars, where a rate is known (`money.Exchanges`). What is
merely a few percent off (another tenancy, say) cannot be told from a real difference here;
`scripts/build_snapshot.py` cleans its sources of that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from costopt.model import Price, Shape
from costopt.pricing.exchange_gate import is_currency
from costopt.pricing.layer import Layer
from costopt.pricing.money import Exchanges
from costopt.pricing.multiples import multiple

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

# How many times the usual is too far. Measured on the built-in snapshot: within one family and
# region no on-demand price lies further than 2.1 times from the median per vCPU, GiB and GPU at
# once (spot 5), and no type further than 2.3 times from what it costs in other regions, less what
# the region costs (spot 6.7). The next were wrong by 10: a whole series in one Azure region.
FACTOR: Final = 4.0
SPOT_FACTOR: Final = 10.0
# Types alone in family and region, against the provider's median per vCPU-equivalent: 30 times
# on-demand, 40 spot (from t4g.nano to GB200).
PROVIDER_FACTOR: Final = 80.0
# Spot against on demand. AWS and Azure say "up to 90 %" off, Google 91 %; in the built-in snapshot
# the lowest are at 6 %, but for 27 of Azure's: its v3 in one region at 2 %, one v6 series at 3 %.
SPOT_FLOOR: Final = 20.0
FEWEST: Final = 4
_GIB_PER_EQUIVALENT: Final = 8.0  # a vCPU costs about what 8 GiB do


@dataclass(frozen=True, slots=True)
class Refusal:
    """A price that was not taken, and why."""

    price: Price
    reason: str  # unknown-currency | not-positive | off-list | below-floor | out-of-family |
    # out-of-region | implausible
    detail: str  # one sentence for people


@dataclass(frozen=True)
class Screened:
    """What the gate let through, in the order given, and what it refused."""

    kept: pa.Table
    refused: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class _Check:
    """How many times the usual each row is (NaN: nothing to compare with), and how far is fair."""

    reason: str
    usual: str  # completes "7.3 times ..."
    times: Floats
    factor: Floats | float

    @property
    def failed(self) -> Mask:
        return np.abs(np.log(self.times)) > np.log(self.factor)  # NaN compares false

    def told(self, price: Price, row: int) -> Refusal:
        """The refusal of that row."""
        return Refusal(price, self.reason, multiple(float(self.times[row]), self.usual))


def screen(
    prices: pa.Table, shapes: Mapping[str, Shape], trusted: pa.Table | None = None
) -> Screened:
    """Refuse prices of zero or less, in no currency, and those far from what is known of the type,
    or from what family, region or provider suggest.

    A type without a known shape is compared between regions only.

    Args:
        prices: schema.PRICES columns, one provider.
        shapes: type key (layer.type_key) -> shape.
        trusted: prices of the same provider that passed before; where they hold at least
            `FEWEST` to compare with, they alone say what is usual.
    """
    if not len(prices):
        return Screened(prices, ())
    layer = Layer(prices if trusted is None else _together(prices, trusted))
    judged = np.arange(len(layer.hourly)) < len(prices)
    sound = (layer.hourly > 0) & _paid_in_money(layer)
    checks = _checks(layer, shapes, _Usual(sound, sound & ~judged))
    failed = [judged & check.failed for check in checks]
    bad = np.logical_or.reduce([judged & ~sound, *failed])
    rows = np.flatnonzero(bad)
    refused = [
        _refusal(price, next((c for c, f in zip(checks, failed, strict=True) if f[row]), None), row)
        for row, price in zip(rows.tolist(), layer.take(rows), strict=True)
    ]
    return Screened(prices.filter(pa.array(~bad[: len(prices)])), tuple(refused))


def _paid_in_money(layer: Layer) -> Mask:
    """Which rows are in a currency of ISO 4217."""
    known = np.array([is_currency(key) for key in layer.currency.keys])
    return np.asarray(known[layer.currency.values], np.bool_)


def _together(prices: pa.Table, trusted: pa.Table) -> pa.Table:
    """The prices, and of the trusted ones those that can be compared with any of them: of spot
    prices those on demand, too."""
    named = set(prices.column("PricingCategory").unique().to_pylist())
    wanted = pc.is_in(
        trusted.column("PricingCategory").cast(pa.string()),
        value_set=pa.array(sorted(named | ({"Standard"} if "Dynamic" in named else set()))),
    )
    return pa.concat_tables([prices, trusted.filter(wanted).cast(prices.schema)])


def _refusal(price: Price, check: _Check | None, row: int) -> Refusal:
    if check is not None:
        return check.told(price, row)
    if not is_currency(price.currency):
        return Refusal(price, "unknown-currency", f"{price.currency!r} is no currency of ISO 4217")
    return Refusal(price, "not-positive", "a price is above zero")


def _checks(layer: Layer, shapes: Mapping[str, Shape], usual: _Usual) -> list[_Check]:
    vcpus, memory, gpus = _sizes(layer, shapes)
    spot = layer.category.values == layer.category.code("Dynamic")
    fair = np.where(spot, SPOT_FACTOR, FACTOR)
    # Prices that name no system are compared with Linux, as they are used.
    system = np.where(layer.system.any_of([None]), layer.system.code("linux"), layer.system.values)
    hourly, currency = _in_dollars(layer)
    market = _combine(layer.category.values, currency, system)
    region = _combine(market, layer.region.values)
    with np.errstate(divide="ignore", invalid="ignore"):
        # Not on spot, where prices differ by the hour; nor of commitments, where terms do.
        demand = layer.category.values == layer.category.code("Standard")
        listed = usual.known(hourly, _combine(region, layer.type.values))
        there = _combine(currency, system, layer.region.values, layer.type.values)
        on_demand = usual.beside(hourly, there, demand)
        family = usual.nearest(
            [hourly / size for size in (vcpus, memory, gpus)],
            _combine(region, _families(layer, shapes)),
        )
        elsewhere = usual.times(hourly, _combine(market, layer.type.values))
        levelled = usual.times(elsewhere, region)
        equivalents = vcpus + np.nan_to_num(memory) / _GIB_PER_EQUIVALENT
        return [
            _Check(
                "off-list",
                "what is known of the type there",
                np.where(demand, listed, np.nan),
                FACTOR,
            ),
            _Check(
                "below-floor",
                "what it costs on demand there",
                np.where(spot, on_demand, np.nan),
                SPOT_FLOOR,
            ),
            _Check(
                "out-of-family",
                "its family's price per vCPU, GiB and GPU there",
                family,
                fair,
            ),
            _Check(
                "out-of-region",
                "what the type costs elsewhere, as regions go",
                np.where(np.isnan(levelled), elsewhere, levelled),
                fair,
            ),
            _Check(
                "implausible",
                "the provider's usual price per vCPU and GiB",
                usual.times(hourly / equivalents, market),
                PROVIDER_FACTOR,
            ),
        ]


def _in_dollars(layer: Layer) -> tuple[Floats, Codes]:
    """Each row's price, in dollars where a rate is known; and which currency it is in then."""
    rates = Exchanges.load()
    worth = [rates.rate(key, "USD") for key in layer.currency.keys]
    factor = np.array([float(one.rate) if one else 1.0 for one in worth])
    code = np.array([layer.currency.code("USD" if one else key)
                     for one, key in zip(worth, layer.currency.keys, strict=True)])  # fmt: skip
    rows = layer.currency.values
    return layer.hourly * factor[rows], code[rows]


class _Usual:
    """Medians of groups: over the trusted rows where they suffice, else over all usable ones."""

    def __init__(self, usable: Mask, trusted: Mask) -> None:
        self._usable = usable
        self._trusted = trusted
        self._layers = (usable, trusted)

    def known(self, rate: Floats, groups: Codes) -> Floats:
        """How many times the trusted row of its group each rate is; NaN where there is none. Of
        several the first counts."""
        return self._beside(rate, groups, self._trusted)

    def beside(self, rate: Floats, groups: Codes, others: Mask) -> Floats:
        """How many times such another row of its group each rate is, trusted ones first."""
        usable = self._beside(rate, groups, self._usable & others)
        trusted = self._beside(rate, groups, self._trusted & others)
        return np.where(np.isnan(trusted), usable, trusted)

    def _beside(self, rate: Floats, groups: Codes, others: Mask) -> Floats:
        known = np.full(int(groups.max(initial=-1)) + 1, np.nan)
        rows = np.flatnonzero(others)[::-1]
        known[groups[rows]] = rate[rows]
        return np.where(self._usable, rate / known[groups], np.nan)

    def times(self, rate: Floats, groups: Codes) -> Floats:
        """How many times its group's median each rate is; NaN in groups below `FEWEST`."""
        median = np.full(int(groups.max(initial=-1)) + 1, np.nan)
        for rows in self._layers:  # the trusted override
            order = np.flatnonzero(rows & np.isfinite(rate))
            order = order[np.lexsort((rate[order], groups[order]))]
            sizes = np.bincount(groups[order], minlength=len(median))
            starts = np.cumsum(sizes) - sizes
            enough = sizes >= FEWEST
            low = order[starts[enough] + (sizes[enough] - 1) // 2]
            high = order[starts[enough] + sizes[enough] // 2]
            median[enough] = np.sqrt(rate[low] * rate[high])
        return np.where(self._usable, rate / median[groups], np.nan)

    def nearest(self, rates: list[Floats], groups: Codes) -> Floats:
        """The least distance from the median by any of the measures."""
        best = np.full(len(groups), np.nan)
        for rate in rates:
            times = self.times(rate, groups)
            nearer = np.isnan(best) | (np.abs(np.log(times)) < np.abs(np.log(best)))
            best = np.where(np.isfinite(times) & nearer, times, best)
        return best


def _sizes(layer: Layer, shapes: Mapping[str, Shape]) -> list[Floats]:
    """vCPUs, GiB and GPUs of every row; NaN = unknown, or none."""
    known = [shapes.get(key) for key in layer.type.keys]
    measures = (
        [s.vcpus if s else None for s in known],
        [s.memory_gib if s else None for s in known],
        [s.gpu_count if s else None for s in known],
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


def _combine(*columns: Codes) -> Codes:
    """One code, from 0 on, per distinct tuple."""
    combined = np.zeros(len(columns[0]), np.int64)
    for codes in columns:
        pairs = combined * (int(codes.max()) + 3) + codes + 2  # codes start at -2
        combined = np.unique(pairs, return_inverse=True)[1]
    return combined
