"""How long it takes to find the cheapest type for every machine at every place.

    python benchmarks/placement.py [--needs 10000] [--sample 20] [--threads 2]

The whole built-in catalogue (on demand and spot, every region) against needs drawn from its own
shapes, each a share of one. Reading the catalogue is timed apart. The naive way looks at every
price for each need, with numpy (a sample of needs). Prints seconds, the peak of memory, whether
both agree, and `ratio naive_vs_pruned: X` a need.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from costopt.optimize.placement import NONE, Cheapest, Needs, Offers, cheapest
from costopt.optimize.placement.dominance import undominated
from costopt.pricing.catalogue import Catalogue, Market

ARM, SPOT = 1, 2
GIB_PER_CARD = 16.0  # of shapes that do not say; only speed is measured here
RATES = {"USD": 1.0, "EUR": 1.16, "CNY": 0.14, "GBP": 1.34}  # rough, likewise


class Table(NamedTuple):
    """The catalogue as the kernel takes it."""

    offers: Offers
    names: list[str]  # of the places


def catalogue() -> Table:
    """Every type with a shape and a price, at every region of every provider."""
    known = Catalogue.load()
    names, parts = [], []
    for provider in known.providers():
        for region in known.regions(provider):
            names.append(f"{provider}/{region}")
            parts += [
                (market, len(names) - 1, SPOT * (category == "Dynamic"), rate)
                for category in ("Standard", "Dynamic")
                for currency, rate in RATES.items()
                if (
                    market := known.market(
                        provider, region, pricing_category=category, currency=currency
                    )
                ).shapes
            ]
    sizes = [len(market.shapes) for market, *_ in parts]
    offers = Offers(
        has=np.concatenate([_measures(market) for market, *_ in parts]),
        hourly=np.concatenate([market.hourly * rate for market, *_, rate in parts]),
        place=np.repeat([place for _, place, *_ in parts], sizes),
        traits=np.concatenate([spot | _architecture(market) for market, _, spot, _ in parts]),
        places=len(names),
    )
    return Table(offers, names)


def _measures(market: Market) -> np.ndarray:
    cards = [s.gpu_memory_gib or (GIB_PER_CARD if s.gpu_count else 0.0) for s in market.shapes]
    tensor = np.array(cards) * 10  # stands for a table of GPU models
    return np.column_stack(
        (
            market.vcpus,
            market.memory_gib,
            market.gpu_count,
            cards,
            tensor,
            tensor,
            market.local_disk_gib,
            market.network_gbps,
        )
    )


def _architecture(market: Market) -> np.ndarray:
    return np.array([ARM if s.architecture == "arm64" else 0 for s in market.shapes], np.int64)


def needs_of(offers: Offers, count: int) -> Needs:
    """Each a part of what some offer has; no two alike. Half refuse spot, half Arm."""
    random = np.random.default_rng(0)
    whole = np.nan_to_num(offers.has[random.integers(0, len(offers.has), count)])
    least = whole * random.uniform(0.1, 1.0, (count, 1))
    least[:, 2] = np.ceil(least[:, 2])
    # Most machines do not use the disk that came with them, nor ask for bandwidth.
    least[:, 6:] *= random.random((count, 2)) < 0.2
    return Needs(least, random.integers(0, 4, count))


def naive(needs: Needs, offers: Offers) -> Cheapest:
    """Every offer looked at for each need, vectorised over offers."""
    order = np.argsort(offers.place, kind="stable")
    has, traits, hourly = np.nan_to_num(offers.has)[order], offers.traits[order], offers.hourly
    starts = np.searchsorted(offers.place[order], np.arange(offers.places))
    price, found = [], []
    for least, refuses in zip(needs.least, needs.refuses, strict=True):
        fits = (has >= least).all(axis=1) & ((traits & refuses) == 0)
        costs = np.where(fits, hourly[order], np.inf)
        lowest = np.minimum.reduceat(costs, starts)
        here = np.flatnonzero(costs == lowest[offers.place[order]])
        _, first = np.unique(offers.place[order][here], return_index=True)
        price.append(lowest)
        found.append(np.where(np.isfinite(lowest), order[here[first]], NONE))
    return Cheapest(np.array(found, np.int32), np.array(price))


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Read, place, compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--needs", type=int, default=10_000)
    parser.add_argument("--sample", type=int, default=20)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    start = time.perf_counter()
    offers, names = catalogue()
    reading = time.perf_counter() - start
    needs = needs_of(offers, options.needs)
    some = Needs(needs.least[: options.sample], needs.refuses[: options.sample])
    cheapest(some, offers)  # compiled
    left = undominated(
        offers.place, len(names), offers.hourly, np.nan_to_num(offers.has), offers.traits
    )
    start = time.perf_counter()
    found = cheapest(needs, offers, options.threads)
    seconds = time.perf_counter() - start
    peak = _peak_mb()
    start = time.perf_counter()
    expected = naive(some, offers)
    by_naive = (time.perf_counter() - start) / options.sample
    agree = np.array_equal(found.offer[: options.sample], expected.offer)
    share = (found.offer != NONE).mean()
    print(
        f"{len(offers.hourly):,} prices at {len(names)} places, read in {reading:.1f} s; "
        f"{len(left.choices):,} could ever be chosen"
    )
    print(
        f"{options.needs:,} needs placed in {seconds:.2f} s, {options.threads} threads, "
        f"peak {peak:,.0f} MB; {share:.0%} of needs and places fit"
    )
    print(f"naive: {by_naive * 1000:.1f} ms a need; same answers: {agree}")
    print(f"ratio naive_vs_pruned: {by_naive / (seconds / options.needs):.0f}")


if __name__ == "__main__":
    main()
