"""Commitments: what rules of buying save on held-out history, and how fast a portfolio is found.

    python -m benchmarks.commitments [--classes 50] [--hours 8760] [--some 720]

Held out, on the real fleets of ../shared/data where they are: at each origin, a week apart, each
rule sees the past only, commits at c/p = 0.63, and is judged by the week or fortnight after.
Savings are of what on demand costs; worst is the worst stretch of them all.

Time, on a generated year of a fleet on one cloud (families of five sizes; a reservation and a plan
for each, one plan for all): `portfolio` in the real order of application, against HiGHS reading the
same problem as one linear programme of all hours, and, on some of the hours, solving it. Prints
seconds, the gap, `ratio portfolio_vs_reading: X` and `ratio portfolio_vs_programme: X`.
"""

from __future__ import annotations

import argparse
import gzip
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from costopt.errors import InsufficientData
from costopt.optimize.commitment import (
    Caution,
    Offer,
    Term,
    Usage,
    best_quantity,
    by_greatest_discount,
    ladder,
    portfolio,
    rolling,
    trailing,
)
from tests.optimize.commitment import naive

SHARED = Path(__file__).parents[2] / "shared" / "data"
RATE = 0.63
DAY = 24

Floats = npt.NDArray[np.float64]
Rule = Callable[[Floats], float]


def azure() -> list[Floats]:
    """Cores in use by the fleet of 2019: 30 days."""
    with gzip.open(SHARED / "fleet_aggregates" / "azure_v2_fleet_5min_30d.csv.gz", "rt") as file:
        cores = np.loadtxt(file, delimiter=",", skiprows=1, usecols=1) / 100
    return [cores.reshape(-1, 12).mean(axis=1)]


def bitbrains(*, pools: bool) -> list[Floats]:
    """Cores in use by 300 machines, 62 days; together, or by number of cores."""
    import pandas as pd

    path = SHARED / "bitbrains" / "dev_300vms_jul_aug.parquet"
    table = pd.read_parquet(path).drop_duplicates(["vm_id", "ts_unix_s"])
    table["hour"] = table.ts_unix_s // 3600
    table["used"] = table.cores.astype(float) * table.cpu_usage_pct / 100
    table["pool"] = table.cores if pools else 0
    by_machine = table.groupby(["pool", "hour", "vm_id"]).used.mean()
    total = by_machine.groupby(level=["pool", "hour"]).sum().unstack("hour")
    # A pool whose machines all miss an hour misses it.
    return [np.asarray(row, np.float64) for row in total.sort_index(axis=1).to_numpy()]


def web() -> list[Floats]:
    """Requests a minute of a web server, 59 days."""
    import pandas as pd

    table = pd.read_parquet(SHARED / "web_demand" / "nasa_http_1995_1min.parquet")
    hourly = table.set_index("minute_utc").requests.resample("h").mean()
    return [hourly.to_numpy(np.float64)]


def _ladder(past: Floats) -> float:
    try:
        return ladder(past, 1.0, [Term("1y", 12, RATE)], caution=Caution()).committed(11)
    except InsufficientData:
        return 0.0


RULES: dict[str, Rule] = {
    "full history": lambda past: best_quantity(past, 1.0, RATE),
    "last 28 d": trailing(28 * DAY, 1.0, RATE),
    "last 7 d": trailing(7 * DAY, 1.0, RATE),
    "mean demand": lambda past: float(np.nanmean(past)),
    "ladder": _ladder,
}


def saved(name: str, series: Sequence[Floats], first: int, horizon: int) -> None:
    """A table of one fleet: origins from day `first`, a week apart."""
    last = max(map(len, series)) // DAY
    origins = [day * DAY for day in range(first, last - horizon + 1, 7)]
    print(f"{name}: {len(series)} series, {len(origins)} origins, {horizon} d held out")
    for rule, chosen in RULES.items():
        found = rolling(
            series, origins=origins, horizon=horizon * DAY, price=1.0, rate=RATE, rule=chosen
        )
        part = found.share / found.oracle_share
        figures = f"{found.share:6.1%} saved  {part:6.1%} of the oracle's  worst {found.worst:+.1%}"
        print(f"  {rule:14} {figures}")
    print(f"  {'oracle':14} {found.oracle_share:6.1%}")


def fleet(classes: int, hours: int) -> tuple[Usage, list[Offer]]:
    """A year of families of five sizes: days, weeks, growth and noise of their own."""
    random = np.random.default_rng(0)
    sizes, now = 5, np.arange(hours)[:, None]
    office = np.sin(2 * np.pi * (now % 24 - 8) / 24) * (now % 168 < 120)
    swing, trend = random.uniform(0, 0.6, classes), random.uniform(-0.3, 0.3, classes)
    noise = random.normal(0, 0.1, (hours, classes))
    amounts = random.lognormal(2, 1, classes) * (1 + swing * office + noise)
    amounts = np.maximum(amounts * (1 + trend * now / hours), 0.0)
    size = 2.0 ** (np.arange(classes) % sizes)
    per_unit = random.uniform(0.02, 0.1, classes // sizes)
    prices = size * np.repeat(per_unit, sizes)
    offers = []
    for f, price in enumerate(per_unit):
        mine = tuple(range(f * sizes, (f + 1) * sizes))
        units = tuple(size[list(mine)].tolist())
        offers.append(Offer(f"reserved {f:02}", price * 0.6, mine, units, 1, 1.0))
        plan = by_greatest_discount(prices, prices * 0.63, mine)
        offers.append(Offer(f"family plan {f:02}", 1.0, *plan, 2, 0.001))
    rates = prices * np.repeat(random.uniform(0.68, 0.8, len(per_unit)), sizes)
    every = by_greatest_discount(prices, rates, range(classes))
    return Usage(amounts, prices), [*offers, Offer("plan for all", 1.0, *every, 3, 0.001)]


def timed(usage: Usage, offers: Sequence[Offer], rounds: int) -> tuple[float, float]:
    """Median seconds of a portfolio, and what it saves an hour."""
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        found = portfolio(usage, offers)
        seconds.append(time.perf_counter() - start)
    part = found.outcome.saving / found.before
    print(f"  {len(usage.amounts):5} hours  portfolio {statistics.median(seconds):7.2f} s", end="")
    print(f"  saves {part:.2%}, at most {found.gap:.3%} of the cost from the best")
    return statistics.median(seconds), found.outcome.saving


def speed(classes: int, hours: int, some: int, rounds: int) -> None:
    """Against one linear programme: read only, of all hours; solved, of some."""
    usage, offers = fleet(classes, hours)
    print(f"{classes} classes, {len(offers)} offers")
    first = Usage(usage.amounts[:some].copy(), usage.prices)
    portfolio(Usage(usage.amounts[:24].copy(), usage.prices), offers)  # compiles
    mine, _ = timed(usage, offers, rounds)
    read = naive.read(usage, offers)
    print(f"  {hours:5} hours  HiGHS reads {read:7.2f} s")
    short, saving = timed(first, offers, rounds)
    whole = naive.best(first, offers)
    lost = (whole.saving - saving) / float((first.amounts @ first.prices).mean())
    print(
        f"  {some:5} hours  HiGHS solves {whole.seconds:6.2f} s, saves {lost:.3%} of the cost more"
    )
    print(f"ratio portfolio_vs_reading: {mine / read:.2f}")
    print(f"ratio portfolio_vs_programme: {short / whole.seconds:.4f}")


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--classes", type=int, default=50)
    parser.add_argument("--hours", type=int, default=8760)
    parser.add_argument("--some", type=int, default=720)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if SHARED.is_dir():
        saved("Azure fleet", azure(), 14, 7)
        saved("Azure fleet", azure(), 14, 14)
        saved("Bitbrains, all machines", bitbrains(pools=False), 28, 14)
        saved("Bitbrains, by number of cores", bitbrains(pools=True), 28, 14)
        saved("Bitbrains, by number of cores", bitbrains(pools=True), 28, 7)
        saved("NASA web server", web(), 28, 14)
    else:
        print("../shared/data is not here: nothing held out")
    speed(options.classes, options.hours, options.some, options.rounds)


if __name__ == "__main__":
    main()
