"""Analyse: costs, rules and the plan over what was observed; and the replay of the past."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import pyarrow as pa

from costopt import registry, units
from costopt.backtest.result import Backtest
from costopt.config import Settings
from costopt.frame import metered, quality, traffic
from costopt.frame.cost import COLUMNS, Bill, fleet_cost, read_bill
from costopt.hindsight import Wanted, replayed, with_outlooks, with_weeks
from costopt.lake import packed
from costopt.lake.store import Lake
from costopt.model import Finding, Profile, Recommendation, Report, Resource, Skip, Window
from costopt.pipeline.observing import Observed, observe
from costopt.pipeline.progress import Progress
from costopt.pricing.catalogue import Catalogue
from costopt.pricing.equivalence import Facts
from costopt.pricing.interruptions import Interruptions
from costopt.pricing.money import Exchanges
from costopt.pricing.places import Places
from costopt.rules.asleep import named
from costopt.rules.base import Case, Outcome, Rule
from costopt.rules.billing import Billing, billings, overfull, reckoned, unreconciled
from costopt.rules.cases import build
from costopt.rules.changes import of_plan
from costopt.rules.commit.ahead import Ahead
from costopt.rules.commit.grounds import CODE as COMMIT
from costopt.rules.judgement import (
    OF_FLEETS,
    judge,
    judges_of,
    refused_prices,
    shown_budget,
    summed_up,
)
from costopt.rules.move.elsewhere import Elsewhere
from costopt.rules.move.market import World
from costopt.rules.move.settings import CODE as MOVE
from costopt.rules.move.settings import MoveSettings
from costopt.rules.plan import marked, planned
from costopt.rules.rightsize import Rightsize
from costopt.rules.schedule import Schedule
from costopt.rules.threads import unknown_names


@dataclass(frozen=True, slots=True)
class Analysis:
    """Everything a run knows: the report, and what stands behind it for --explain."""

    window: Window
    as_of: datetime
    resources: Mapping[str, Resource]
    profiles: Mapping[str, tuple[Profile, ...]]
    findings: Mapping[str, tuple[Finding, ...]]
    cases: Mapping[str, Case]
    outcomes: Mapping[str, tuple[Outcome, ...]]  # in the order of the rules' names
    report: Report
    bill: Bill | None = None
    billings: Mapping[str, Billing] = field(default_factory=dict)  # by `provider_key`: the plan's
    ahead: Ahead | None = None  # None = no bill, or nobody asked what to buy ahead
    elsewhere: Elsewhere | None = None  # None = nobody asked where it should run

    def before_moves(self) -> list[Recommendation]:
        """What the plan does before anything moves, as the rules advised it."""
        return _before(self.report.recommendations, self.outcomes)

    def done(self) -> list[Recommendation]:
        """All that it does but what it buys: the same, and what moves."""
        before = self.before_moves()
        if self.elsewhere is None:
            return before
        moves = self.elsewhere.after(before).recommendations
        return [*before, *of_plan(self.report.recommendations, [moves])]


def analyse(
    lake: Lake,
    settings: Settings,
    as_of: datetime | None,
    progress: Progress = lambda step: None,
    rules: Sequence[str] = (),
) -> Analysis:
    """Judge the fleet: quality, profiles, costs, rules, plan.

    Args:
        rules: names of the rules to ask; none named = every one.
    Raises:
        ConfigError: no rule of that name.
        InsufficientData: nothing usable is left above the quality gate.
    """
    seen = observe(lake, settings, as_of, progress)
    quality.require_usable(seen.resources, seen.findings)
    window = seen.window
    progress("prices")
    books = _Books.read(lake, settings, window)
    cases = _cases(books.catalogue, settings, seen, books.bill)
    progress("backtest")
    alone = [name for name in rules if name not in OF_FLEETS]
    judges = judges_of(alone if rules else registry.names("rule"), settings)
    cases, groups = _with_past(lake, settings, cases, judges, window)
    progress("rules")
    costs = ((units.provider_key(c.resource.provider_name), c.cost) for c in cases.values())
    spend = fleet_cost(books.bill, costs, settings.asked_currency)
    barred = {skip.resource_id: skip for skip in quality.gate_skips(seen.findings)}
    outcomes = _judged(cases, groups, barred, judges, spend.currency)
    progress("plan")
    every = {**groups, **cases}
    bills = billings(books.charges, books.bill, cases.values(), spend.currency)
    wanted = [name for name in OF_FLEETS if not rules or name in rules]
    ahead = _ahead(books, settings, seen, every, as_of) if COMMIT in wanted else None
    moving = MOVE in wanted
    elsewhere = _elsewhere(lake, settings, seen, every, books, bills=bills) if moving else None
    told = reckoned(bills)
    found = planned(
        outcomes,
        every,
        bills,
        ahead.buy if ahead else None,
        elsewhere.place if elsewhere else None,
    )
    notes = (
        *spend.notes,
        *unreconciled(told),
        *overfull(bills, cases.values()),
        *shown_budget(cases.values()),
        *refused_prices(books.catalogue),
        *unknown_names(_speedups(settings), books.catalogue.shapes(), seen.resources.values()),
        *(elsewhere.notes() if elsewhere else ()),
        *(
            ahead.notes(found.recommendations, _before(found.recommendations, outcomes))
            if ahead
            else ()
        ),
    )
    report = summed_up(
        window, outcomes, marked(found, told), findings=seen.findings, spend=spend, notes=notes
    )
    return Analysis(
        window=window,
        as_of=window.end,
        resources={**{group: case.resource for group, case in groups.items()}, **seen.resources},
        profiles=seen.profiles,
        findings=seen.findings,
        cases=every,
        outcomes=outcomes,
        report=replace(report, bills=told),
        bill=books.bill,
        billings=bills,
        ahead=ahead,
        elsewhere=elsewhere,
    )


@dataclass(frozen=True, slots=True)
class _Books:
    """What was paid, and what things cost."""

    charges: pa.Table
    bill: Bill | None
    catalogue: Catalogue

    @classmethod
    def read(cls, lake: Lake, settings: Settings, window: Window) -> _Books:
        charges = lake.read_charges(tuple(sorted({*COLUMNS, *metered.COLUMNS})))
        return cls(
            charges,
            read_bill(charges, window.end, settings.asked_currency),
            Catalogue.load(lake.read("prices"), lake.read("shapes"), lake.read("rates")),
        )


def _ahead(
    books: _Books,
    settings: Settings,
    seen: Observed,
    cases: Mapping[str, Case],
    as_of: datetime | None,
) -> Ahead | None:
    """What purchases rest on; None = there is no bill."""
    if books.bill is None:
        return None
    return Ahead.of(
        books.charges,
        books.bill,
        resources=seen.resources,
        cases=cases,
        catalogue=books.catalogue,
        settings=settings,
        as_of=as_of,
    )


def _elsewhere(
    lake: Lake,
    settings: Settings,
    seen: Observed,
    cases: Mapping[str, Case],
    books: _Books,
    *,
    bills: Mapping[str, Billing],
) -> Elsewhere | None:
    """What moves rest on; None = there is no machine."""
    currency = next((one.bill.currency for one in bills.values()), None)
    if not cases or currency is None:
        return None
    world = World(
        books.catalogue,
        Facts.load(),
        Places.load(),
        Exchanges.load(lake.read("exchange")),
        Interruptions.load(),
        currency,
    )
    return Elsewhere(
        cases=cases,
        resources=seen.resources,
        sent=_sent(lake.read_charges(traffic.COLUMNS), books.bill),
        bills={name: one.bill for name, one in bills.items()},
        spend={name: one.spend for name, one in bills.items()},
        world=world,
        settings=settings.of_rule(MOVE, MoveSettings),
        window=seen.window,
        min_monthly_savings=settings.min_monthly_savings,
        threads=settings.workers,
    )


def _before(
    plan: Sequence[Recommendation], outcomes: Mapping[str, tuple[Outcome, ...]]
) -> list[Recommendation]:
    """What the plan does before anything moves, as the rules advised it."""
    return of_plan(plan, [outcomes[key] for key in sorted(outcomes)])


def _sent(charges: pa.Table, bill: Bill | None) -> traffic.Sent:
    return traffic.traffic(charges, bill.spans, bill.missing) if bill else traffic.Sent({}, {})


def _with_past(
    lake: Lake,
    settings: Settings,
    cases: dict[str, Case],
    judges: Sequence[Rule],
    window: Window,
) -> tuple[dict[str, Case], dict[str, Case]]:
    """The cases with what these rules want to know of the past; and those of scaling groups."""
    groups: dict[str, Case] = {}
    for judge_ in judges:
        if isinstance(judge_, Rightsize):
            shards = packed.scan(lake, window)
            cases = with_outlooks(cases, shards, judge_.settings, window, threads=settings.workers)
        if isinstance(judge_, Schedule):
            shards, slot = packed.scan(lake, window), judge_.settings.slot_minutes
            cases, groups = with_weeks(cases, shards, slot, window, threads=settings.workers)
    return cases, groups


def _judged(
    cases: Mapping[str, Case],
    groups: Mapping[str, Case],
    barred: Mapping[str, Skip],
    judges: Sequence[Rule],
    currency: str,
) -> dict[str, tuple[Outcome, ...]]:
    """What every rule says of every machine and group."""
    outcomes = {
        resource_id: judge(case, named(case, barred.get(resource_id)), judges, currency)
        for resource_id, case in cases.items()
    }
    for group, case in groups.items():  # which the inventory may list, too
        outcomes[group] = (*outcomes.get(group, ()), *judge(case, None, judges, currency))
    return outcomes


def backtest(
    lake: Lake,
    settings: Settings,
    as_of: datetime | None,
    wanted: Wanted,
    progress: Progress = lambda step: None,
) -> Backtest:
    """Our decisions, and those of published rules, on the fleet's own past.

    Raises:
        InsufficientData: nothing was collected yet, or no machine has a past to be judged by.
    """
    seen = observe(lake, settings, as_of, progress)
    quality.require_usable(seen.resources, seen.findings)
    catalogue = Catalogue.load(lake.read("prices"), lake.read("shapes"))
    cases = _cases(catalogue, settings, seen, bill=None)
    progress("backtest")
    return replayed(
        cases,
        packed.scan(lake, seen.window),
        settings.of_rule(Rightsize.code, Rightsize.Settings),
        seen.window,
        wanted,
        threads=settings.workers,
    )


def doubts(lake: Lake, settings: Settings, known: Mapping[str, Resource]) -> tuple[str, ...]:
    """What in the settings has no effect, in sentences: names that nothing has.

    Raises:
        ConfigError: an unusable setting of the rightsize rule.
    """
    catalogue = Catalogue.load(lake.read("prices"), lake.read("shapes"))
    return unknown_names(_speedups(settings), catalogue.shapes(), known.values())


def _speedups(settings: Settings) -> Mapping[str, float]:
    return settings.of_rule(Rightsize.code, Rightsize.Settings).smt_speedups


def _cases(
    catalogue: Catalogue, settings: Settings, seen: Observed, bill: Bill | None
) -> dict[str, Case]:
    return build(
        seen.resources,
        seen.profiles,
        seen.findings,
        seen.disputed,
        bill=bill,
        catalogue=catalogue,
        window=seen.window,
        min_monthly_savings=settings.min_monthly_savings,
        currency=settings.asked_currency,
    )
