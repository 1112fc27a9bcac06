"""The calls made: a few at a time, what fails told and kept apart.

Where the batch endpoint is refused, what is left of its machines is asked for one by one.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final, NamedTuple

import pyarrow as pa

from costopt.parallel import in_threads
from costopt.providers.azure.access import FAILURES, Access, denied
from costopt.providers.azure.metrics import asking
from costopt.providers.azure.metrics.answers import Failure, Grid, Unasked
from costopt.providers.azure.metrics.pace import Pace, Pause
from costopt.providers.azure.metrics.plan import Call, Group, Part, Plan, alone
from costopt.providers.azure.metrics.retention import PERIOD
from costopt.providers.azure.metrics.silence import Answer, Unit
from costopt.providers.azure.metrics.spare import Spare
from costopt.providers.azure.metrics.targets import Place
from costopt.providers.base import Problem
from costopt.units import GIB

ACTION: Final = "Microsoft.Insights/metrics/read"
_BATCH: Final = "metrics:getBatch"
_DEAR: Final = "what failed is not asked for again where that would cost more than --max-api-cost"

_PAUSES: Final = (5.0, 15.0, 45.0)
"""Seconds to wait for what passes, where Azure does not say how long."""
_DENIALS: Final = 3
"""Machines of a subscription that are refused, with none let through, before it is left alone: a
role may be assigned to single resource groups."""


class _Shut(Exception):
    """The rest of the subscription, or of one of its regions, would fail as well."""

    def __init__(self, what: str | Place, text: str) -> None:
        super().__init__(text)
        self.what = what


@dataclass(slots=True)
class _Outcome:
    """What became of a call."""

    call: Call
    grid: Grid | None = None  # None: nothing is given of it
    refused: str = ""  # why the batch endpoint is not for us
    failures: list[Failure] = field(default_factory=list)
    shut: str = ""  # why the subscription is left alone


class _Reason(NamedTuple):
    where: str
    code: str


class Reader:
    """Makes the calls of a plan and knows what may still be asked."""

    def __init__(
        self, access: Access, paces: Mapping[str, Pace], pause: Pause, spare: Spare
    ) -> None:
        self._access = access
        self._paces = paces
        self._pause = pause
        self._spare = spare
        self._planned: dict[Group, list[Call]] = {}
        self._single: dict[Place, str] = {}  # where the batch endpoint is refused, and why
        self._again: deque[Call] = deque()
        self._recut: set[Group] = set()
        self._unknown: dict[tuple[str, str], set[str]] = {}  # names, by region and namespace
        self._shut: set[str | Place] = set()  # subscriptions, and single regions of them
        self._let_in: Counter[str] = Counter()
        self._denied: Counter[str] = Counter()
        self._broken: set[Unit] = set()
        self._newest: dict[Unit, int] = {}
        self._reached: dict[Unit, int] = {}  # ends of what was answered
        self._failed: dict[_Reason, Problem] = {}
        self._resized: dict[str, list[str]] = {}  # by subscription: what is to be said

    def tables(self, plan: Plan, threads: int) -> Iterator[pa.Table]:
        """Samples in the plan's order; of a unit none after a failure."""
        for call in plan.calls:
            self._planned.setdefault(call.group, []).append(call)
        calls: Iterable[Call] = plan.calls
        while calls:
            for outcome in in_threads(self._made, self._left(calls), threads):
                yield from self._given(outcome)
            calls = tuple(self._again)  # refusals that came after the last call was begun
            self._again.clear()

    def answers(self, plan: Plan) -> dict[Unit, Answer]:
        """What became of the units that were asked for to their end, once `tables` has given all;
        not of those of which anything failed."""
        found = {}
        for part in (part for call in plan.calls for part in call.parts):
            for unit, wanted in zip(part.units(), part.wanted, strict=True):
                if unit not in self._broken and self._reached.get(unit) == part.end:
                    subscription = part.target.place.subscription
                    newest = self._newest.get(unit)
                    found[unit] = Answer(subscription, wanted.since, part.end, newest)
        return found

    def problems(self) -> list[Problem]:
        """What could not be read: each reason once for its subscription, with the first machine
        and the number of them; and what was read in another way than it should be."""
        met = [problem for _, problem in sorted(self._failed.items())]
        for (region, namespace), names in sorted(self._unknown.items()):
            what = f"not measured there: {', '.join(sorted(names))}"
            met.append(Problem(f"{region} {namespace}", what))
        met += [Problem(ACTION, _DEAR, fatal=True)] if self._spare.exceeded else []
        met += [
            Problem(f"{name} {ACTION}", texts[0], len(texts))
            for name, texts in sorted(self._resized.items())
        ]
        return met + self._refusals()

    def _refusals(self) -> list[Problem]:
        by_subscription: dict[str, list[str]] = {}
        for place in sorted(self._single):
            by_subscription.setdefault(place.subscription, []).append(self._single[place])
        return [
            Problem(
                f"{name} {_BATCH}",
                f"refused ({reasons[0]}): its machines were asked for one by one",
                len(reasons),
            )
            for name, reasons in by_subscription.items()
        ]

    # -- in the order of calls ---------------------------------------------------------------------

    def _left(self, calls: Iterable[Call]) -> Iterator[Call]:
        """The calls, as far as there is something to ask when their turn comes."""
        for call in calls:
            while self._again:
                yield from self._whole(self._again.popleft())
            if call.batch and call.group.place in self._single:
                self._cut_again(call)
            else:
                yield from self._whole(call)
        while self._again:
            yield from self._whole(self._again.popleft())

    def _whole(self, call: Call) -> Iterator[Call]:
        """The call without machines of which nothing may be given any more."""
        parts = tuple(part for part in call.parts if not self._broken.issuperset(part.units()))
        if parts and not self._is_shut(call):
            yield call if len(parts) == len(call.parts) else replace(call, parts=parts)

    def _cut_again(self, call: Call) -> None:
        """What is left of the call's group is asked for one by one; once."""
        if call.group in self._recut:
            return
        self._recut.add(call.group)
        again = list(alone(call.group, call.start))
        left = [one for one in self._planned[call.group] if one.start >= call.start]
        # Each request counts as one call at least, so that those of single machines may come to
        # more than the batches that they stand for.
        if self._spare.affords(sum(o.billed for o in again) - sum(o.billed for o in left)):
            self._again += again
        else:
            self._broken.update(
                unit for one in again for part in one.parts for unit in part.units()
            )

    def _given(self, outcome: _Outcome) -> Iterator[pa.Table]:
        call = outcome.call
        if outcome.refused:
            self._single.setdefault(call.group.place, outcome.refused)
            self._cut_again(call)
            return
        if call.batch and call.group in self._recut and not outcome.shut:
            return  # it was under way when another one was refused, and is asked for again
        self._judge(outcome)
        if outcome.grid is not None:
            yield from outcome.grid.tables(self._broken)
            self._tell_resized(outcome.grid)
            for unit, end in outcome.grid.newest.items():
                self._newest[unit] = max(end, self._newest.get(unit, 0))
            for part in call.parts:
                for unit in part.units():
                    self._reached[unit] = min(call.end, part.end)

    def _tell_resized(self, grid: Grid) -> None:
        """Of each request that holds any."""
        call = grid.call
        memory = {part.target.resource_id: part.target.memory for part in call.parts}
        for resource_id, before in grid.resized.items():
            until = datetime.fromtimestamp(call.start + before.slots * PERIOD, UTC)
            self._resized.setdefault(call.group.place.subscription, []).append(
                f"{resource_id.rpartition('/')[2]}: of another size until {until:%Y-%m-%d %H:%M}, "
                f"of {before.memory / GIB:.3g} GiB instead of {memory[resource_id] / GIB:.3g}: "
                "samples from before are left out"
            )

    def _judge(self, outcome: _Outcome) -> None:
        """Note what failed; of its units nothing later is given."""
        call = outcome.call
        subscription = call.group.place.subscription
        if outcome.grid is None:
            self._broken.update(unit for part in call.parts for unit in part.units())
        if outcome.shut:
            self._count(_Reason(subscription, outcome.shut.partition(":")[0]), outcome.shut, True)
        units = {part.target.resource_id: part.units() for part in call.parts}
        for one in outcome.failures:
            name = one.resource_id.rpartition("/")[2]
            self._count(_Reason(subscription, one.code), f"{name}: {one.text}", one.fatal)
            mine = units[one.resource_id]
            self._broken.update(u for u in mine if one.entry in (None, u[1]))

    def _count(self, reason: _Reason, text: str, fatal: bool) -> None:
        before = self._failed.get(reason)
        if before is None:
            self._failed[reason] = Problem(f"{reason.where} {ACTION}", text, fatal=fatal)
        else:
            self._failed[reason] = replace(before, count=before.count + 1)

    # -- in threads --------------------------------------------------------------------------------

    def _is_shut(self, call: Call) -> bool:
        place = call.group.place
        return place.subscription in self._shut or place in self._shut

    def _made(self, call: Call) -> _Outcome:
        if self._is_shut(call):
            return _Outcome(call)
        try:
            return self._many(call) if call.batch else self._one(call)
        except _Shut as shut:
            self._shut.add(shut.what)
            return _Outcome(call, shut=str(shut))

    def _many(self, call: Call) -> _Outcome:
        """A batch; one that fails is asked for in halves, down to the machine that is to blame."""
        if call.group.place in self._single:
            return _Outcome(call, refused=self._single[call.group.place])
        grid, waiting = Grid(call), [call.parts]
        dear = False
        while waiting:
            parts = waiting.pop(0)
            try:
                self._add(grid, parts)
            except FAILURES as error:
                if asking.is_refusal(error):
                    return _Outcome(call, refused=asking.reason(error)[1])
                middle = len(parts) // 2
                halves = [parts[:middle], parts[middle:]] if middle else []
                if halves and not asking.is_general(error) and self._affords(call, halves, error):
                    waiting[:0] = halves
                else:
                    grid.failures += [self._failure(part, error) for part in parts]
                    dear |= bool(halves)
        failed = {one.resource_id for one in grid.failures if one.entry is None}
        if len(call.parts) > 1 and len(failed) == len(call.parts) and not dear:
            raise _Shut(call.group.place, grid.failures[0].text)
        return _Outcome(call, grid, failures=grid.failures)

    def _one(self, call: Call) -> _Outcome:
        grid, subscription = Grid(call), call.group.place.subscription
        try:
            self._add(grid, call.parts)
        except FAILURES as error:
            failure = self._failure(call.parts[0], error)
            if denied(error):
                self._denied[subscription] += 1
                if self._denied[subscription] >= _DENIALS and not self._let_in[subscription]:
                    raise _Shut(subscription, failure.text) from None
            return _Outcome(call, failures=[failure])
        self._let_in[subscription] += 1
        return _Outcome(call, grid, failures=grid.failures)

    def _failure(self, part: Part, error: Exception) -> Failure:
        code, text = asking.reason(error)
        if asking.is_general(error):
            raise _Shut(part.target.place.subscription, text) from None
        if asking.is_gone(error):
            return Failure(part.target.resource_id, code, text, fatal=False)
        if denied(error):
            text = f"{code}: the action is not granted"
        return Failure(part.target.resource_id, code, text)

    def _add(self, grid: Grid, parts: Sequence[Part]) -> None:
        """Ask for these parts of a call and take the answer in."""
        key = (grid.call.group.place.region, grid.call.group.namespace)
        names = [name for name in grid.call.names if name not in self._unknown.get(key, ())]
        if not names:
            return
        try:
            body = self._outlasted(grid.call, parts, names)
        except FAILURES as error:
            lacking = asking.unknown(error, names)
            if not lacking:
                raise
            self._unknown[key] = self._unknown.get(key, set()) | lacking
            self._add(grid, parts)
            return
        try:
            grid.add(body, parts)
        except (pa.ArrowInvalid, Unasked) as error:
            text = str(error) if isinstance(error, Unasked) else "an answer that is not JSON"
            grid.failures += [Failure(p.target.resource_id, "Unreadable", text) for p in parts]

    def _affords(self, call: Call, again: Iterable[Sequence[Part]], error: Exception) -> bool:
        """Whether these parts of a call that failed may be asked for again."""
        if not asking.is_counted(error):
            return True
        return self._spare.affords(sum(replace(call, parts=tuple(one)).billed for one in again))

    def _outlasted(self, call: Call, parts: Sequence[Part], names: Sequence[str]) -> bytes:
        pace = self._paces[call.group.place.subscription]
        for wait in (*_PAUSES, None):
            pace.turn()
            try:
                told = asking.ask(self._access, call, parts, names)
            except FAILURES as error:
                if wait is None or not asking.is_passing(error):
                    raise
                if not self._affords(call, [parts], error):
                    raise
                self._pause(wait)
            else:
                pace.told(told.remaining)
                return told.body
        raise AssertionError
