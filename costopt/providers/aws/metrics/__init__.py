"""CloudWatch's metrics: what is asked, what it costs, and the samples.

prepared = prepare(accounts, resources, settings, known, problems, now=now)  # free calls only
plan.estimate(prepared.plan, prepared.listing)                               # what they cost
yield from read(prepared, settings, problems, notes)                                # the paid calls
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import pyarrow as pa

from costopt.model import Window
from costopt.providers.aws.access import Account
from costopt.providers.aws.metrics import begun, discovery, plan
from costopt.providers.aws.metrics.plan import Plan, Unit
from costopt.providers.aws.metrics.reading import Pause, Reader
from costopt.providers.aws.metrics.silence import Answer, Silence, remembered
from costopt.providers.aws.metrics.targets import targets
from costopt.providers.aws.settings import AwsSettings
from costopt.providers.base import Known, Problem


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is to be asked, and through which accounts."""

    plan: Plan
    accounts: Mapping[str, Account]
    listing: int  # places whose agents' series were listed
    silence: Silence  # what was asked in vain before
    lacking: Mapping[Unit, int]  # from when on the lake lacks samples, seconds since 1970
    since: Mapping[Unit, int]  # and from when on they are asked for
    begun: Mapping[Unit, int]  # from when on they were ever asked for
    earlier: Mapping[Unit, tuple[int, int]]  # what is asked for before that
    now: int

    def promised(self) -> dict[str, str]:
        """What to remember before the first call, of a collect that may be killed."""
        return begun.noted(self.begun)

    def notes(self, answered: Mapping[Unit, int | None]) -> dict[str, str]:
        """What to remember of a collect that came to its end.

        Args:
            answered: of units that were asked and answered, the end of the newest sample.
        """
        until: dict[Unit, int] = {}
        for part in (part for call in self.plan.calls for part in call.parts):
            until[part.unit] = max(part.end, until.get(part.unit, part.end))
        answers = {
            unit: Answer(
                self.since[unit], until[unit], newest if (newest or 0) > self.since[unit] else None
            )
            for unit, newest in answered.items()
            if until[unit] > self.since[unit]
        }
        asked = {
            unit: self.earlier[unit][0] if unit in self.earlier and unit in answered else moment
            for unit, moment in self.begun.items()
        }
        return self.silence.after(self.lacking, answers, self.now) | begun.noted(asked)


def prepare(
    accounts: Sequence[Account],
    resources: pa.Table,
    settings: AwsSettings,
    known: Known,
    problems: list[Problem],
    *,
    now: datetime,
    window: Window | None = None,
) -> Prepared:
    """Find out what there is to ask, by calls that cost nothing (ListMetrics).

    Args:
        resources: schema.RESOURCES; what its form of ResourceId says has metrics is asked for.
        window: only samples that start inside it; None = the days that the settings name.
    """
    by_id = {account.account_id: account for account in accounts}
    things = [one for one in targets(resources) if one.account_id in by_id]
    machines = {(one.account_id, one.region) for one in things if "machine" in one.kinds}
    agents = discovery.listed(by_id, sorted(machines), problems, settings.max_concurrency)
    asked = plan.units(things, agents)
    if settings.until and settings.until > now and window is None:
        what = "that is in the future: metrics up to now are asked for"
        problems.append(Problem(f"--until {settings.until.isoformat()}", what))
    start, end = (plan.seconds(moment) for moment in _span(settings, window, now))
    present = plan.seconds(now)
    silence = remembered(known.notes)
    lacking = {unit: plan.lacking(unit, known, start) for unit in asked}
    since = {unit: silence.since(unit, of, start, present) for unit, of in lacking.items()}
    first = _begun(since, silence, known, start)
    earlier = {unit: (start, moment) for unit, moment in first.items() if start < moment}
    earlier = {unit: span for unit, span in earlier.items() if span[1] <= since[unit]}
    calls = plan.planned(since, earlier, end, present)
    return Prepared(calls, by_id, len(machines), silence, lacking, since, first, earlier, present)


def _begun(
    since: Mapping[Unit, int], silence: Silence, known: Known, start: int
) -> dict[Unit, int]:
    """From when on each was asked for without a gap, this collect counted in."""
    before = begun.remembered(known.notes)
    found = {}
    for unit, moment in since.items():
        vain = silence.of(unit)
        if any(plan.seconds(end) >= start for end in plan.held(unit, known)):
            found[unit] = before.of(unit, start)
        else:
            found[unit] = min(moment, vain.since) if vain else moment
    return found


def read(
    prepared: Prepared,
    settings: AwsSettings,
    problems: list[Problem],
    notes: dict[str, str],
    *,
    spare: Decimal | None = None,
    pause: Pause = time.sleep,
) -> Iterator[pa.Table]:
    """The samples (schema.METRICS): a table for each call, of a series the earlier ones first.

    What fails is a fatal problem, told when all else was given; of a series whose call failed
    nothing later is given.

    Args:
        spare: dollars beyond those of the plan, for which what failed on AWS's side may be asked
            for again; None = what `max_api_cost` leaves of it.
        notes: gets what was asked in vain, when all was given.
    """
    if spare is None:
        spare = Decimal(repr(settings.max_api_cost)) - plan.cost(prepared.plan.metrics)
    reader = Reader(prepared.accounts, pause, _affordable(spare))
    try:
        yield from reader.tables(prepared.plan, settings.max_concurrency)
        notes |= prepared.notes(reader.answered(prepared.plan))
    finally:
        problems += reader.problems()


def _affordable(usd: Decimal) -> int:
    """Metrics for so many dollars."""
    return int(usd // plan.USD_PER_METRIC) if usd.is_finite() else sys.maxsize


def _span(settings: AwsSettings, window: Window | None, now: datetime) -> tuple[datetime, datetime]:
    if window is not None:
        return window.start, window.end
    end = min(settings.until or now, now)
    return end - timedelta(days=settings.days), end
