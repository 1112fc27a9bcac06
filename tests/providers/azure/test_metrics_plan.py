"""What is asked of Azure Monitor: few calls within its limits, nothing twice, nothing left out."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt import schema
from costopt.model import Series
from costopt.providers.azure import metrics
from costopt.providers.azure.metrics import catalogue, plan, retention, silence
from costopt.providers.azure.metrics.pace import Budget, Pace, budget
from costopt.providers.azure.metrics.plan import Times, planned
from costopt.providers.azure.metrics.targets import Place, Target, targets
from costopt.providers.base import Known
from tests.fakes.azure_cloud import guid
from tests.providers.azure.monitored import NOW, VM, fleet, machine, watched

DAY = 86_400
NOW_S = int(NOW.timestamp())
NAMES = len({name for entry in catalogue.MACHINE for name in entry.names})


def _target(number: int, region: str = "westeurope", **more: object) -> Target:
    place = Place(guid(1), region)
    name = f"/subscriptions/{guid(1)}/resourcegroups/r/providers/x/vm-{number:05d}"
    return Target(place, VM, name, math.nan, **more)  # type: ignore[arg-type]


def _known(ends: dict[tuple[str, str], int]) -> Known:
    return Known(
        {
            Series(resource, metric, "mean", ""): datetime.fromtimestamp(end, UTC)
            for (resource, metric), end in ends.items()
        }
    )


def _plan(machines: list[Target], days: float, known: Known | None = None) -> list[plan.Call]:
    times = Times(NOW_S - int(days * DAY), NOW_S, NOW_S)
    return list(planned(machines, {}, known or Known(), {}, times).calls)


def test_no_call_could_hold_more_names_than_azure_takes() -> None:
    entries = (*catalogue.MACHINE, *catalogue.BURSTABLE)
    assert len({name for entry in entries for name in entry.names}) <= plan.MOST_NAMES
    for custom in catalogue.CUSTOM:
        assert len({name for entry in custom.entries for name in entry.names}) <= plan.MOST_NAMES


@pytest.mark.parametrize(
    ("machines", "days"), [(1000, 60), (1000, 93), (120, 60), (2000, 0.1), (49, 30), (1, 60)]
)
def test_no_fewer_calls_would_do(machines: int, days: float) -> None:
    calls = _plan([_target(number) for number in range(machines)], days)
    seconds = min(days * DAY, retention.KEPT - retention.EDGE) - retention.SETTLE
    points = machines * NAMES * int(seconds // 300)
    batches = -(-machines // plan.MOST_MACHINES)
    least = max(points / plan.MOST_POINTS, batches * -(-seconds // retention.LONGEST), batches)
    assert len(calls) <= 1.05 * least + 1


def test_calls_of_a_fleet_obey_the_limits_and_are_all_that_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(plan, "MOST_POINTS", 20_000)
    machines = [*fleet(120), *fleet(3, region="northeurope"), machine(9, member_of="pool")]
    with watched(machines, days=1) as shop:
        calls = shop.prepared().plan.calls
        collected = shop.collect()
        asked = shop.service.asked
    assert len(asked) == len(shop.service.calls()) == len(calls)
    assert collected.problems == []
    points = sum(len(a.ids) * len(a.names) * (a.end - a.start) // 300 for a in asked)
    assert len(asked) <= 1.05 * points / 20_000 + 3  # three places, of which two are small


@settings(max_examples=60)
@given(st.lists(st.integers(0, 60 * 24), min_size=1, max_size=130), st.randoms())
def test_every_slot_of_every_unit_is_asked_once_and_in_order(
    hours: list[int], random: object
) -> None:
    """Machines whose samples end so many hours ago, some entries of them earlier."""
    machines = [_target(number, "ab"[number % 2]) for number in range(len(hours))]
    ends: dict[tuple[str, str], int] = {}
    for one, ago in zip(machines, hours, strict=True):
        for entry in catalogue.MACHINE:
            later = random.randrange(0, 2 + ago // 4)  # type: ignore[attr-defined]
            ends[one.resource_id, entry.name] = (NOW_S - (ago - later) * 3600) // 300 * 300
    calls = _plan(machines, 30, _known(ends))
    start = -(-(NOW_S - 30 * DAY) // 300) * 300
    settled = (NOW_S - retention.SETTLE) // 300 * 300
    reached: dict[tuple[str, str], int] = {}
    for call in calls:
        assert len(call.parts) <= plan.MOST_MACHINES
        assert len({part.target.resource_id for part in call.parts}) == len(call.parts)
        assert len(call.parts) * len(call.names) * call.slots <= plan.MOST_POINTS
        assert 0 < call.end - call.start <= retention.LONGEST
        for part in call.parts:
            for unit, wanted in zip(part.units(), part.wanted, strict=True):
                first = max(start, ends[unit])
                assert wanted.since == first
                if unit in reached:
                    assert reached[unit] == call.start
                elif call.start > first:
                    raise AssertionError((unit, "begins late"))
                reached[unit] = call.end
    lacking = {unit for unit, end in ends.items() if max(start, end) < settled}
    assert {unit for unit, end in reached.items() if end == settled} == lacking


def test_an_end_between_periods_is_taken_up_at_the_next() -> None:
    one = _target(1)
    ends = {(one.resource_id, entry.name): NOW_S - 7000 for entry in catalogue.MACHINE}
    (call,) = _plan([one], 2, _known(ends))
    assert call.start % 300 == 0
    assert call.start >= NOW_S - 7000


def test_nothing_older_than_azure_keeps_is_asked_for() -> None:
    with watched(fleet(1), days=93) as shop:
        calls = shop.prepared().plan.calls
    assert min(call.start for call in calls) > NOW_S - 93 * DAY
    assert max(call.end - call.start for call in calls) <= 30 * DAY


def test_one_by_one_a_machine_takes_a_call_for_thirty_days() -> None:
    (group,) = {call.group for call in _plan([_target(n) for n in range(3)], 60)}
    calls = list(plan.alone(group, 0))
    assert len(calls) == 3 * 2
    assert not any(call.batch for call in calls)
    assert sum(call.slots for call in calls) == 3 * len(range(*_range(60)))


def _range(days: int) -> tuple[int, int, int]:
    first = -(-(NOW_S - days * DAY) // 300) * 300
    return first, (NOW_S - retention.SETTLE) // 300 * 300, 300


def test_subscriptions_take_turns() -> None:
    ours = [_target(n) for n in range(120)]
    theirs = [replace(one, place=Place(guid(2), "westeurope")) for one in ours]
    names = [call.group.place.subscription for call in _plan([*ours, *theirs], 0.1)]
    assert names == [guid(1), guid(2)] * 3


# -- which machines --------------------------------------------------------------------------------


def test_machines_are_told_by_the_form_of_their_id() -> None:
    rows = [machine(1).row, machine(2, member_of="pool").row, machine(3, size="Standard_B2ms").row]
    disk = {**machine(4).row, "ResourceId": machine(4).id.replace("virtualmachines", "disks")}
    nowhere = {**machine(5).row, "RegionId": None}
    elsewhere = {**machine(6).row, "RegionId": "evil.example/"}
    with watched([]) as shop:
        shop.rows = [*rows, disk, nowhere, elsewhere]
        table = pa.Table.from_pylist(shop.rows, schema=schema.RESOURCES)
    found = {one.resource_id: one for one in targets(table)}
    assert found.keys() == {str(row["ResourceId"]) for row in rows}
    namespaces = {one.namespace.rpartition("/")[0] for one in found.values()}
    assert namespaces == {"Microsoft.Compute", "Microsoft.Compute/virtualMachineScaleSets"}
    assert [one.burstable for one in found.values()].count(True) == 1


# -- what it costs ---------------------------------------------------------------------------------


def test_the_estimate_counts_the_days_of_each_series() -> None:
    with watched(fleet(100), days=10) as shop:
        made = metrics.estimate(shop.prepared())
        assert shop.door.calls == []
    calls = 100 * NAMES * 10  # 1,440 minutes each
    assert float(made.usd) == pytest.approx(calls * 0.00001, rel=0.02)
    (line,) = made.lines
    assert line.startswith("Azure Monitor metrics of 100 machines in ")
    assert "$0.01 per 1,000: $0.09 " in line or "$0.01 per 1,000: $0.10 " in line


# -- silence ---------------------------------------------------------------------------------------

UNIT = (f"/subscriptions/{guid(1)}/x", "disk_utilization")


@pytest.mark.parametrize(
    ("before", "answer", "after"),
    [
        ({}, silence.Answer(guid(1), 0, 2 * DAY, None), 2 * DAY),
        ({}, silence.Answer(guid(1), 0, DAY // 2, None), None),
        ({}, silence.Answer(guid(1), 0, 3 * DAY, DAY), 3 * DAY),
        ({}, silence.Answer(guid(1), 0, 3 * DAY, 3 * DAY - 300), None),
        ({UNIT: DAY}, silence.Answer(guid(1), DAY, DAY + 300, None), DAY + 300),
        ({UNIT: DAY}, silence.Answer(guid(1), DAY, DAY + 600, DAY + 300), None),
    ],
)
def test_what_is_asked_in_vain_is_noted_until_it_speaks(
    before: dict[silence.Unit, int], answer: silence.Answer, after: int | None
) -> None:
    told = silence.after(before, {UNIT: answer})
    assert silence.remembered(told) == ({UNIT: after} if after else {})


def test_what_was_not_asked_for_stays_noted_and_spoilt_notes_are_none() -> None:
    other = (f"/subscriptions/{guid(1)}/y", "memory_utilization")
    told = silence.after({other: 7}, {UNIT: silence.Answer(guid(1), 0, 2 * DAY, None)})
    assert silence.remembered(told) == {other: 7, UNIT: 2 * DAY}
    assert len(told) == 1
    for text in ("", "[]", "7", '{"x": {}}', '{"7": 3}', json.dumps({"x": {"e": ["r"]}})):
        assert silence.remembered(dict.fromkeys(told, text)) == {}


# -- pace ------------------------------------------------------------------------------------------


class Clock:
    """Time that passes only by waiting."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.waits: list[float] = []

    def pause(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


def test_a_bucket_is_emptied_and_then_refilled_in_time() -> None:
    clock = Clock()
    pace = Pace(Budget(10, 5.0), clock.pause, lambda: clock.now)
    for _ in range(10):
        pace.turn()
    assert clock.waits == []
    for _ in range(20):
        pace.turn()
    assert clock.now == pytest.approx(1004.0)
    clock.now += 100
    pace.turn()
    assert len(clock.waits) == 20


def test_in_no_hour_more_is_asked_than_the_older_clouds_allow() -> None:
    clock = Clock()
    pace = Pace(budget("china"), clock.pause, lambda: clock.now)
    start, turns = clock.now, 0
    while clock.now < start + 3600:
        pace.turn()
        turns += 1
    assert 10_000 < turns <= 12_000


@pytest.mark.parametrize(("said", "rests"), [("24", 1), ("25", 0), (None, 0), ("many", 0)])
def test_where_few_are_left_a_rest_is_taken_once(said: str | None, rests: int) -> None:
    clock = Clock()
    pace = Pace(budget("public"), clock.pause, lambda: clock.now)
    pace.told(said)
    pace.turn()
    pace.turn()
    assert clock.waits == [10.0] * rests


def test_settled_and_oldest_stand_on_the_grid() -> None:
    assert retention.settled(NOW_S, NOW_S) == (NOW_S - 900) // 300 * 300
    assert retention.settled(NOW_S - 10_000, NOW_S) == -(-(NOW_S - 10_000) // 300) * 300
    assert retention.oldest(NOW_S) % 300 == 0
    assert timedelta(seconds=NOW_S - retention.oldest(NOW_S)) < timedelta(days=93)
