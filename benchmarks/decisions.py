"""What costopt's sizes would have saved, and how often they would have been undone, on real fleets.

    python benchmarks/decisions.py [--shapes] [--data FOLDER]

Every window of every fleet is decided from what was known before it, and judged by what came after
(costopt/backtest). A fleet is judged with a prior that was fitted on the other fleets only; of
itself it knows its own past up to each origin, as the product does. Prints a table a fleet, the
unweighted mean of the fleets, risk budgets, and lines `check NAME: VALUE (TARGET) ok|MISSED`.

`--shapes` adds Bitbrains at the sizes its machines could really get: half, a quarter and so on of
their vCPUs, of which one at least remains.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
from budgets import budgeted, shrunk_again
from fitting import fit
from shapes import scores_at_shapes
from traces import DATA, Fleet, bitbrains, planetlab

from costopt.backtest.base import Baseline, Need, Past
from costopt.backtest.baselines import baselines
from costopt.backtest.baselines.samples import nearest_rank, ordered
from costopt.backtest.calibration import BINS
from costopt.backtest.choices import OURS
from costopt.backtest.plan import Plan
from costopt.backtest.replay import of_histories
from costopt.backtest.result import Backtest, Bin, MethodScore
from costopt.backtest.windows import of_history
from costopt.optimize.risk import Risk

END = datetime(2013, 9, 1, tzinfo=UTC)
"""Of the histories; nothing depends on it."""

KRR, MAX_15 = "krr-p99", "max-15"
BUDGETS = (0.03, 0.05, 0.1)
PERCENTILES = (90, 95, 98, 99, 99.5, 99.8, 99.9, 100)
FACTORS = (1.0, 1.05, 1.1, 1.15, 1.2, 1.25, 1.3, 1.4, 1.5, 1.75, 2.0)


class Row(NamedTuple):
    """A method on a fleet, or on the mean of fleets; percent."""

    net: float
    rolled_back: float
    saved: float
    over_90: float
    worst: tuple[float, ...]  # guarded window, at each lead


class Judged(NamedTuple):
    """A fleet, replayed."""

    fleet: Fleet
    prior: Risk
    found: Backtest
    seconds: float  # replaying ours and every baseline
    seconds_of_ours: float

    @property
    def rows(self) -> dict[str, Row]:
        """Every method's."""
        return {score.name: row(score) for score in self.found.scores}

    @property
    def bins(self) -> tuple[Bin, ...]:
        """Predicted risks and what happened."""
        return self.found.calibration.bins if self.found.calibration else ()

    @property
    def error(self) -> float:
        """The expected calibration error, percent."""
        return pooled_error([self])


def judged(fleet: Fleet, others: Sequence[Fleet]) -> Judged:
    """The fleet's replay, with the prior of the others."""
    prior = fit(others)
    days = len(fleet.machines[0].cpu) // fleet.machines[0].slots_a_day
    every = Plan(fleet.table, prior, baselines=tuple(baselines().values()))
    start = time.perf_counter()
    found = of_histories(fleet.machines, END, days, every)
    then = time.perf_counter()
    of_histories(fleet.machines, END, days, Plan(fleet.table, prior))
    return Judged(fleet, prior, found, then - start, time.perf_counter() - then)


def row(score: MethodScore) -> Row:
    """A score in percent."""
    return Row(
        net=100 * score.net.value,
        rolled_back=100 * score.rolled_back.value,
        saved=100 * score.saved.value,
        over_90=100 * score.over_90,
        worst=tuple(100 * guarded.worst for guarded in score.guarded),
    )


def mean(rows: Sequence[Row]) -> Row:
    """Unweighted; of worst windows the worst."""
    of_each = [float(np.mean(values)) for values in zip(*(r[:4] for r in rows), strict=True)]
    worst = np.max([r.worst for r in rows], axis=0)
    return Row(*of_each, worst=tuple(worst.tolist()))


def pooled_error(fleets: Iterable[Judged]) -> float:
    """The expected calibration error over all fleets' pairs of machine and size, percent.

    From the fleets' bins, which are of the same tenths of predicted risk.
    """
    bins: dict[int, list[Bin]] = defaultdict(list)
    for one in fleets:
        for each in one.bins:
            bins[min(int(each.predicted * BINS), BINS - 1)].append(each)
    apart = [abs(sum(b.count * (b.predicted - b.observed) for b in of)) for of in bins.values()]
    return 100 * sum(apart) / sum(b.count for of in bins.values() for b in of)


# -- what is printed -------------------------------------------------------------------------


def print_table(title: str, rows: Mapping[str, Row], note: str = "") -> None:
    """Ours first, then by net saving."""
    print(f"\n{title}" + (f"\n{note}" if note else ""))
    leads = "".join(f"{lead:>8}" for lead in ("10 min", "4 h", "24 h"))
    print(f"  {'method':24}{'net':>7}{'rolled':>8}{'saved':>7}{'V':>7}  worst guarded:{leads}")
    for name in sorted(rows, key=lambda n: (not n.startswith(OURS), -rows[n].net, n)):
        net, rolled, saved, over, worst = rows[name]
        at = "".join(f"{share:8.2f}" for share in worst)
        print(f"  {name:24}{net:7.1f}{rolled:8.1f}{saved:7.1f}{over:7.2f}{'':17}{at}")


def print_fleet(one: Judged) -> None:
    """Its table."""
    found, table = one.found, one.fleet.table
    note = (
        f"  {table.train_days} d -> {table.test_days} d, {len(table.origins)} origins, "
        f"{found.windows:,} windows; replayed in {one.seconds:.1f} s, ours alone in "
        f"{one.seconds_of_ours:.1f} s; expected calibration error {one.error:.1f} %"
    )
    print_table(one.fleet.title, one.rows, note)
    bins = ", ".join(f"{b.predicted:.2f}/{b.observed:.2f} ({b.count})" for b in one.bins)
    print(f"  risk predicted/observed (pairs of machine and size): {bins}")
    for memory in found.memory:
        saved, failed = 100 * memory.saved.value, 100 * memory.out_of_memory.value
        print(f"  memory, {memory.name:24} saved {saved:5.1f}, ran out in {failed:5.1f} %")


def print_longer(one: Judged) -> None:
    """The same as advice looks back: up to twice as far, where there is as much."""
    days = len(one.fleet.machines[0].cpu) // one.fleet.machines[0].slots_a_day
    table = of_history(days)
    if table.origins == one.fleet.table.origins:
        return
    found = of_histories(one.fleet.machines, END, days, Plan(table, one.prior))
    ours = row(found.scores[0])
    longest = max(at.train_days for at in table.origins)
    error = pooled_error([one._replace(found=found)])
    print(
        f"  {one.fleet.name}, deciding on up to {longest} d as advice does: net {ours.net:.1f}, "
        f"rolled back {ours.rolled_back:.1f}, calibration error {error:.1f} %"
    )


def print_shapes(one: Judged) -> None:
    """The same at sizes of at least one vCPU."""
    single = sum(vcpus == 1 for vcpus in one.fleet.vcpus.values())
    title = f"{one.fleet.title}, at sizes of at least one vCPU, which {single} have today"
    scores = scores_at_shapes(one.fleet, one.prior)
    print_table(title, {score.name: row(score) for score in scores})


def print_fixed(one: Judged) -> None:
    """What percentile rules could have reached, chosen on the very windows they are judged by."""
    rules = tuple(_fixed(percent, factor) for percent in PERCENTILES for factor in FACTORS)
    days = len(one.fleet.machines[0].cpu) // one.fleet.machines[0].slots_a_day
    found = of_histories(
        one.fleet.machines, END, days, Plan(one.fleet.table, one.prior, baselines=rules)
    )
    of_rules = [score for score in found.scores if not score.name.startswith(OURS)]
    for most, words in (
        (one.rows[OURS].rolled_back, "at most our rollbacks"),
        (0.6 * one.rows[KRR].rolled_back, f"at most 60 % of {KRR}'s rollbacks"),
        (100.0, "any rollbacks"),
    ):
        best = max(
            (row(score).net, row(score).rolled_back, score.name)
            for score in of_rules
            if row(score).rolled_back <= most
        )
        print(f"  {one.fleet.name}, {words}: {best[2]} nets {best[0]:.1f}, rolled {best[1]:.1f}")


def _fixed(percent: float, factor: float) -> Baseline:
    def need(past: Past) -> Need:
        return Need.sized(nearest_rank(ordered(past, "cpu"), percent) * factor / 100)

    return Baseline(f"P{percent:g} x {factor:g}", "", "", need)


def print_budgets(one: Judged) -> None:
    """What risk budgets came to, and whether answers last."""
    for budget in BUDGETS:
        kept = budgeted(one.fleet, one.prior, budget)
        if not kept:
            print(f"  {one.fleet.name}, budget {budget:.0%}: no past to show it: nothing shrinks")
            continue
        rolled, net = (100 * np.array(each) for each in zip(*kept, strict=True))
        print(
            f"  {one.fleet.name}, budget {budget:.0%}: realised {rolled.mean():.1f} % on average "
            f"of {len(kept)} origins, worst {rolled.max():.1f} %; net {net.mean():.1f} %"
        )


def checks(name: str, rows: Mapping[str, Row], error: float) -> Iterator[str]:
    """The criteria, on a fleet or on the mean of fleets (whose error is that of all pairs)."""
    ours, krr = rows[OURS], rows[KRR]
    more, share = ours.net - krr.net, 100 * ours.rolled_back / krr.rolled_back
    yield check(f"{name} net_minus_krr_p99", f"{more:+.1f} points", ">= 0", more >= 0)
    yield check(f"{name} rollbacks_of_krr_p99", f"{share:.0f} %", "<= 60", share <= 60)
    more = ours.net - rows[MAX_15].net
    yield check(f"{name} net_minus_max_15", f"{more:+.1f} points", ">= 10", more >= 10)
    worst = ours.worst[0]
    yield check(f"{name} worst_guarded_10min", f"{worst:.2f} %", "<= 0.8", worst <= 0.8)
    yield check(f"{name} calibration_error", f"{error:.1f} %", "<= 3", error <= 3)


def check(name: str, value: str, target: str, holds: bool) -> str:
    """One line."""
    return f"check {name}: {value} ({target}) {'ok' if holds else 'MISSED'}"


def main() -> None:
    """Replay, judge, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the traces")
    parser.add_argument("--shapes", action="store_true", help="also at sizes that exist")
    options = parser.parse_args()
    fleets = [bitbrains(options.data), planetlab(options.data)]
    found = [judged(one, [other for other in fleets if other is not one]) for one in fleets]
    for one in found:
        print_fleet(one)
        print_longer(one)
    means = {name: mean([one.rows[name] for one in found]) for name in found[0].rows}
    print_table("Unweighted mean of the fleets; of worst windows the worst", means)
    for one in found:
        if options.shapes and one.fleet.vcpus:
            print_shapes(one)
    print("\nThe best of 88 fixed rules, percentile x factor, in hindsight")
    for one in found:
        print_fixed(one)
    print("\nRisk budgets alone (no rollback cost), decided at each origin by the past before it")
    for one in found:
        print_budgets(one)
    print("\nAsked again after the change, at the same demand: answers that would be smaller yet")
    for one in found:
        ours, today = shrunk_again(one.fleet, one.prior)
        print(f"  {one.fleet.name}: ours {ours:.1f} %; priced in today's machine {today:.1f} %")
    print()
    for one in found:
        print(*checks(one.fleet.name, one.rows, one.error), sep="\n")
    print(*checks("mean", means, pooled_error(found)), sep="\n")


if __name__ == "__main__":
    main()
