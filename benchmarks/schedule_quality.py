"""What schedules save and miss on weeks that they have not seen, beside simpler rules.

    python benchmarks/schedule_quality.py [--replica 20]

A web server's log (NASA, July and August 1995, New York's clock): each of its last six whole weeks,
with all weeks before it known. Gaps of up to 30 minutes are no requests, longer ones (a hurricane)
missing. Savings are against the replicas that bear the highest minute of all, at all times; a
violation is a minute with more demand than what runs. What reacts does so after 5 minutes and
settles for 15 (costopt/backtest/schedules.py).

A hosting provider's 300 machines (Bitbrains, July and August 2013, Amsterdam's clock, CPU only):
schedules made of July by the rule's defaults: how many machines it leaves alone and why, and how
those that it proposes came out in August's four weeks.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import traces
from costopt import schema
from costopt.backtest.schedules import (
    Held,
    autoscaler,
    demand_of,
    guarded,
    held_out,
    hours_off,
    office_hours,
    planned,
    static,
)
from costopt.backtest.series import Subject
from costopt.backtest.weekly import Ask, machine_weeks
from costopt.model import Resource, Shape, Window
from costopt.model.spoken_week import in_words
from costopt.optimize.timetable import came_to
from costopt.optimize.weekly import Weekly
from costopt.pricing.catalogue import Catalogue
from costopt.profile.weeks import local_weeks
from costopt.rules import timetables
from costopt.rules.base import Case
from costopt.rules.schedule_settings import ScheduleSettings

AUGUST = datetime(2013, 8, 1, tzinfo=UTC)
TRAINED = 5  # weeks that July touches; of the fifth, the days of August are left out
SETTINGS = ScheduleSettings()


def web_demand(data: Path, replica: float) -> npt.NDArray[np.float64]:
    """(weeks, slots, minutes) in replicas of so many requests a minute."""
    table = pd.read_parquet(data / "web_demand" / "nasa_http_1995_1min.parquet")
    by_minute = table.set_index("minute_utc").requests.asfreq("min")
    counts = demand_of(by_minute.to_numpy(np.float64), longest_gap=30) / replica
    first = int(by_minute.index[0].timestamp())
    return local_weeks(counts, first, 60, "America/New_York", slot_minutes=SETTINGS.slot_minutes)


def web(data: Path, replica: float = 20.0) -> dict[str, Held]:
    """Each policy on the six test weeks."""
    demand = web_demand(data, replica)
    most = int(np.ceil(np.nanmax(demand)))
    ours = planned(most, replace(SETTINGS.wishes, least=1))
    policies = {
        "plan": ours,
        "plan, guarded": guarded(ours, most),
        "static p99": static(0.99),
        "office hours": office_hours(most),
        "optscale-schedule": hours_off(most),
        "autoscaler 60 %": autoscaler(0.6, most),
        "autoscaler 70 %": autoscaler(0.7, most),
    }
    return held_out(demand, policies, most, weeks=6)


@dataclass(frozen=True)
class August:
    """How the schedule of one machine came out."""

    name: str
    runs: str
    promised: float  # share of hours off
    saved: float  # the same in August, starts paid for
    missed_hours: float
    known_hours: float


def machines(data: Path) -> tuple[Counter[str], list[August]]:
    """Why machines are left alone, by reason; and those that have a schedule, in August."""
    fleet = traces.bitbrains(data)
    window = Window(traces.BITBRAINS_START, datetime(2013, 9, 1, tzinfo=UTC))
    reasons: Counter[str] = Counter()
    proposed = []
    for history in fleet.machines:
        name = history.subject.resource_id
        vcpus = float(fleet.vcpus[name])
        ask = Ask(Subject(name, traces.PERIOD), "Europe/Amsterdam", vcpus)
        weekly = machine_weeks(history, ask, window, SETTINGS.slot_minutes)
        assert weekly is not None
        found = timetables.planned(_case(name, vcpus), _july(weekly), SETTINGS)
        if not found.hours_then:
            reasons["never in use"] += 1
        elif not found.is_worth(SETTINGS):
            reasons["in use"] += 1
        elif refused := timetables.unreliable(found, SETTINGS):
            reasons[refused[0]] += 1
        else:
            proposed.append(_in_august(found, weekly))
    return reasons, proposed


def _july(weekly: Weekly) -> Weekly:
    """The weeks up to the end of July; 1 August was a Thursday."""
    packed = weekly.packed[:TRAINED].copy()
    packed[-1, 3 * packed.shape[1] // 7 :] = 0
    return replace(weekly, packed=packed)


def _in_august(found: timetables.Planned, weekly: Weekly) -> August:
    levels = np.array(found.plan.levels, np.int16)
    running = np.ones(len(levels))
    came = [came_to(levels, week, running, found.wishes) for week in weekly.demand[TRAINED:]]
    today = sum(one.today for one in came)
    return August(
        name=found.case.resource.resource_id,
        runs=in_words(found.plan),
        promised=1 - found.kept,
        saved=sum(one.saved(found.wishes) for one in came) / today if today else 0.0,
        missed_hours=sum(one.missed for one in came),
        known_hours=sum(one.known for one in came),
    )


def _case(name: str, vcpus: float) -> Case:
    return Case(
        resource=Resource(name, "Bitbrains", vcpus=vcpus, time_zone="Europe/Amsterdam"),
        shape=Shape("Bitbrains", "", vcpus),
        price=None,
        profiles=(),
        findings=(),
        disputed=None,
        cost=None,
        catalogue=Catalogue.load(schema.PRICES.empty_table(), schema.SHAPES.empty_table()),
        window=Window(traces.BITBRAINS_START, AUGUST),
        as_of=AUGUST,
        min_monthly_savings=0.0,
    )


def main() -> None:
    """Both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replica", type=float, default=20.0, help="requests a minute of one")
    options = parser.parse_args()
    print(f"web log, six held-out weeks, {options.replica:g} requests a minute a replica")
    for name, came in web(traces.DATA, options.replica).items():
        print(
            f"  {name:18} {came.saved:6.1%} saved  {came.violated:7.3%} violated  "
            f"{came.steps:6.0f} steps a week"
        )
    reasons, proposed = machines(traces.DATA)
    print(f"Bitbrains, schedules of July: {len(proposed)} of {reasons.total() + len(proposed)}")
    for reason, count in reasons.most_common():
        print(f"  {count:4} {reason}")
    for one in proposed:
        print(
            f"  {one.name}: {one.promised:.0%} promised, {one.saved:.0%} saved in August, "
            f"{one.missed_hours:.1f} of {one.known_hours:.0f} hours missed; {one.runs}"
        )


if __name__ == "__main__":
    main()
