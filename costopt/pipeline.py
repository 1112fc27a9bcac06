"""The straight way: collect -> lake -> quality gate -> profile -> rules -> plan -> report.

I/O happens at the two ends (providers and the lake here, formats and the command line after); the
middle is a function of tables, prices, settings and `as_of`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import pyarrow as pa

from costopt import registry, units
from costopt.backtest.result import Backtest
from costopt.config import Settings
from costopt.errors import CostoptError, InputError, InsufficientData, ProviderError
from costopt.frame import metered, quality, signals
from costopt.frame.cost import COLUMNS, Bill, fleet_cost, read_bill
from costopt.frame.inventory import newest, present
from costopt.frame.series import chosen
from costopt.hindsight import Wanted, replayed, with_outlooks, with_weeks
from costopt.lake import packed
from costopt.lake.held import held
from costopt.lake.store import Lake
from costopt.lake.turns import turn
from costopt.model import (
    Disputed,
    Finding,
    Profile,
    Report,
    Resource,
    Skip,
    Window,
)
from costopt.pricing.catalogue import Catalogue
from costopt.profile import kernel
from costopt.providers.base import (
    Advised,
    Estimate,
    Known,
    Paid,
    Problem,
    Provider,
    Rehearsing,
    Resuming,
)
from costopt.rules.asleep import named
from costopt.rules.base import Case, Outcome, Rule
from costopt.rules.billing import billings, unreconciled
from costopt.rules.cases import build
from costopt.rules.judgement import judge, judges_of, refused_prices, shown_budget, summed_up
from costopt.rules.plan import planned
from costopt.rules.rightsize import Rightsize
from costopt.rules.schedule import Schedule
from costopt.rules.threads import unknown_names

Progress = Callable[[str], None]

_PORTION_ROWS = 1_000_000
"""A portion of samples that is kept whatever becomes of the rest: a few minutes of collecting."""


@dataclass(frozen=True, slots=True)
class Collected:
    """What a collect added to the lake, and what it could not."""

    rows: Mapping[str, int]  # table -> rows new to the lake
    problems: tuple[Problem, ...]
    compacted_days: int


@dataclass(frozen=True, slots=True)
class Observed:
    """What was collected of the fleet, and how far one can rely on it."""

    window: Window
    resources: Mapping[str, Resource]
    profiles: Mapping[str, tuple[Profile, ...]]  # the series to judge by
    findings: Mapping[str, tuple[Finding, ...]]
    disputed: Mapping[str, Disputed]


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


def collect(
    provider: Provider,
    lake: Lake,
    window: Window | None = None,
    progress: Progress = lambda step: None,
    *,
    announce: Callable[[Estimate], None] = lambda estimate: None,
    waits: Callable[[datetime | None], None] = lambda since: None,
) -> Collected:
    """Bring a provider's tables into the lake; what one of them lacks does not stop the others.

    Two collects of one provider into one lake take turns: the second asks only for what the first
    did not bring. A dry run announces its estimate and brings nothing.

    Args:
        announce: told what the paid calls will cost, once it is known and before the first of them.
        waits: told before waiting for another collect, and since when that is at work (UTC).
    Raises:
        InputError, ProviderError: the first failure, where no table could be had at all.
    """
    with turn(lake.root, provider.name, waits):
        return _collect(provider, lake, window, progress, announce)


def _collect(
    provider: Provider,
    lake: Lake,
    window: Window | None,
    progress: Progress,
    announce: Callable[[Estimate], None],
) -> Collected:
    resuming = provider if isinstance(provider, Resuming) else None
    if resuming:
        packed.compact(lake)  # what a killed collect left is known, too
        resuming.resume(
            Known(
                held(lake),
                tuple(newest(lake.read("resources"))),
                lake.notes(provider.name),
                lake.read("prices"),
                lake.read("shapes"),
            )
        )
    rows: dict[str, int] = {}
    failures: list[CostoptError] = []
    if isinstance(provider, Paid):
        progress("what there is")
        try:
            announce(provider.estimate())
        except (InputError, ProviderError) as error:
            failures.append(error)
    if isinstance(provider, Rehearsing) and provider.dry_run:
        if failures:
            raise failures[0]
        return Collected({}, tuple(provider.problems), 0)
    for name, step in _steps(provider, lake, window, progress).items():
        progress(name)
        try:
            rows[name] = step()
        except (InputError, ProviderError) as error:
            failures.append(error)
    progress("compaction")
    compacted = packed.compact(lake)
    if failures and not any(rows.values()):
        raise failures[0]
    lost = [Problem(e.where or provider.name, _told(e), fatal=True) for e in failures]
    return Collected(rows, (*provider.problems, *lost), compacted.days)


def _told(error: CostoptError) -> str:
    return f"{error.what} ({error.hint})" if error.hint else error.what


def _steps(
    provider: Provider,
    lake: Lake,
    window: Window | None,
    progress: Progress,
) -> dict[str, Callable[[], int]]:
    """What a collect does, in order; each gives the rows that are new to the lake."""
    resuming = provider if isinstance(provider, Resuming) else None

    def counted(what: str, tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
        rows = 0
        for table in tables:
            rows += table.num_rows
            progress(f"{what}: {units.counted(rows, 'row')}")
            yield table

    def charges() -> int:
        tables = counted("charges", provider.charges(window))
        committed = lake.append_charges(tables, whole_periods=resuming is not None)
        if resuming:
            lake.note(provider.name, resuming.notes)
        return committed.rows

    def metrics() -> int:
        samples = counted("metrics", provider.metrics(window))
        if resuming is None:
            return lake.append_metrics(provider.name, samples).rows
        before = dict(resuming.notes)  # those of charges may be of a bill that was not committed
        committed = lake.append_metrics(provider.name, samples, portion_rows=_PORTION_ROWS)
        new = {name: text for name, text in resuming.notes.items() if before.get(name) != text}
        lake.note(provider.name, new)
        return committed.rows

    steps = {
        "resources": lambda: lake.append("resources", provider.resources()).rows,
        "shapes": lambda: lake.append("shapes", provider.shapes()).rows,
        "prices": lambda: lake.append("prices", provider.prices()).rows,
        "charges": charges,
        "metrics": metrics,
    }
    if isinstance(provider, Advised):
        steps["advice"] = partial(_advice, provider, provider.problems, lake)
    return steps


def _advice(provider: Advised, problems: list[Problem], lake: Lake) -> int:
    """The vendor's own recommendations: a collect without them lacks no data."""
    try:
        return lake.append_listings(provider.advice()).rows
    except (InputError, ProviderError) as error:
        problems.append(Problem(error.where or "advice", _told(error)))
        return 0


def moment(lake: Lake, as_of: datetime | None) -> datetime:
    """`as_of`, or how far the lake's newest final data reach, a few clocks ahead left aside.

    Raises:
        InsufficientData: nothing was collected yet.
    """
    packed.compact(lake)  # what a killed collect left uncompacted
    reach = packed.reach(lake)
    if reach is None:
        raise InsufficientData(
            "the lake holds no metrics",
            where=str(lake.root),
            hint="costopt collect aws, gcp, azure, prometheus or files; or costopt demo",
        )
    ends = [end for metrics in lake.watermarks().values() for end in metrics.values()]
    return as_of or min(reach, max(ends, default=reach))


def lookback(lake: Lake, settings: Settings, as_of: datetime | None) -> Window:
    """The window that is judged: `lookback_days` up to `as_of`."""
    end = moment(lake, as_of)
    return Window(end - timedelta(days=settings.lookback_days), end)


def resources(lake: Lake, settings: Settings, as_of: datetime | None) -> dict[str, Resource]:
    """Every resource as it was at `as_of`, by id."""
    return present(lake.read("resources"), moment(lake, as_of), settings.time_zone)


def profiles(lake: Lake, settings: Settings, as_of: datetime | None) -> pa.Table:
    """The profiles table over the lookback (schema.PROFILES)."""
    window = lookback(lake, settings, as_of)
    known = resources(lake, settings, as_of)
    return kernel.profile(
        packed.scan(lake, window),
        window,
        clocks={r.resource_id: r.time_zone for r in known.values()},
        since={r.resource_id: r.resized_at for r in known.values() if r.resized_at},
        default_clock=settings.time_zone,
        threads=settings.workers,
    )


def observe(
    lake: Lake,
    settings: Settings,
    as_of: datetime | None,
    progress: Progress = lambda step: None,
) -> Observed:
    """Profile the fleet and look through its data, however good or bad they are.

    Raises:
        InsufficientData: nothing was collected yet.
    """
    window = lookback(lake, settings, as_of)
    progress("profiles")
    known = resources(lake, settings, as_of)
    seen = {
        resource_id: chosen(rows, settings.quality)
        for resource_id, rows in kernel.profiles_of(profiles(lake, settings, as_of)).items()
    }
    progress("quality")
    shards = packed.scan(lake, window)
    told = signals.read(shards, known, seen, window, settings.quality)
    findings = quality.assess(known, seen, window.end, settings.quality, told)
    return Observed(window, known, seen, findings, told.disputed)


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
    charges = lake.read_charges(tuple(sorted({*COLUMNS, *metered.COLUMNS})))
    bill = read_bill(charges, window.end, _currency(settings))
    cases = _cases(lake, settings, seen, bill)
    progress("backtest")
    judges = judges_of(rules or registry.names("rule"), settings)
    groups: dict[str, Case] = {}
    for judge_ in judges:
        if isinstance(judge_, Rightsize):
            shards = packed.scan(lake, window)
            cases = with_outlooks(cases, shards, judge_.settings, window, threads=settings.workers)
        if isinstance(judge_, Schedule):
            shards, slot = packed.scan(lake, window), judge_.settings.slot_minutes
            cases, groups = with_weeks(cases, shards, slot, window, threads=settings.workers)
    progress("rules")
    costs = ((units.provider_key(c.resource.provider_name), c.cost) for c in cases.values())
    spend = fleet_cost(bill, costs, _currency(settings))
    barred = {skip.resource_id: skip for skip in quality.gate_skips(seen.findings)}
    outcomes = _judged(cases, groups, barred, judges, spend.currency)
    progress("plan")
    bills = billings(charges, bill, cases.values(), spend.currency)
    found = planned(outcomes, {**groups, **cases}, bills)
    catalogue = next((case.catalogue for case in cases.values()), None)
    notes = (*spend.notes, *unreconciled(bills), *shown_budget(cases.values()))
    if catalogue:
        unknown = unknown_names(_speedups(settings), catalogue.shapes(), seen.resources.values())
        notes = (*notes, *refused_prices(catalogue), *unknown)
    report = summed_up(window, outcomes, found, findings=seen.findings, spend=spend, notes=notes)
    return Analysis(
        window,
        window.end,
        {**{group: case.resource for group, case in groups.items()}, **seen.resources},
        seen.profiles,
        seen.findings,
        {**groups, **cases},
        outcomes,
        report,
    )


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
    cases = _cases(lake, settings, seen, bill=None)
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


def _cases(lake: Lake, settings: Settings, seen: Observed, bill: Bill | None) -> dict[str, Case]:
    return build(
        seen.resources,
        seen.profiles,
        seen.findings,
        seen.disputed,
        bill=bill,
        catalogue=Catalogue.load(lake.read("prices"), lake.read("shapes")),
        window=seen.window,
        min_monthly_savings=settings.min_monthly_savings,
        currency=_currency(settings),
    )


def _currency(settings: Settings) -> str | None:
    """The currency that was asked for; None = the bill's own."""
    return settings.currency if "currency" in settings.model_fields_set else None
