"""Series that CloudWatch never sends: asked for over the whole window once, then only the new."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest

from costopt.providers.base import Known
from tests.fakes.cloudwatch import Asked, Series
from tests.providers.aws.watching import NOW, Collected, Watched, machine, watched

pytestmark = pytest.mark.usefixtures("aws_environment")

HOUR = timedelta(hours=1)
WEEK = timedelta(days=7)
MACHINES = 5


def _silent(series: Series) -> bool:
    """EBS traffic: of machines that are not on Nitro, say, or have no volume."""
    return series[1].startswith("EBS")


def _fleet(fleet: Watched) -> None:
    fleet.service.native = lambda series: None if _silent(series) else 300


def _later(fleet: Watched, known: Known, after: timedelta) -> tuple[Collected, list[Asked]]:
    """A collect some time after the first, and its calls."""
    fleet.service.asked.clear()
    fleet.service.now = NOW + after
    collected = fleet.collect(known, now=NOW + after)
    return collected, fleet.service.calls()


def _with(known: Known, *more: Collected) -> Known:
    """What the lake holds after further collects; the latest notes."""
    held, notes = dict(known.held), dict(known.notes)
    for one in more:
        held |= one.held().held if one.tables else {}
        notes |= one.notes
    return Known(held, notes=notes)


def _whole_window(calls: list[Asked]) -> list[Asked]:
    return [call for call in calls if call.end - call.start > 30 * 86_400]


def _vain(notes: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in notes.items() if name.startswith("cloudwatch in vain ")}


def test_what_never_came_is_asked_for_from_where_it_was_asked_for() -> None:
    with watched([machine(n) for n in range(MACHINES)], days=60) as fleet:
        _fleet(fleet)
        first = fleet.collect()
        asked = len(fleet.service.calls())
        second, calls = _later(fleet, first.held(), HOUR)
    assert asked == 4 * MACHINES
    assert first.problems == second.problems == []
    assert _whole_window(calls) == []
    assert sum(call.metrics for call in calls) == 5 * MACHINES
    assert len(calls) == 1
    assert {key[1] for key in second.samples} == {"cpu_utilization", "network_in", "network_out"}


def test_without_the_note_it_would_be_the_whole_window_again() -> None:
    with watched([machine(n) for n in range(MACHINES)], days=60) as fleet:
        _fleet(fleet)
        held = fleet.collect().held().held
        _, calls = _later(fleet, Known(held), HOUR)
    assert len(_whole_window(calls)) == 2 * MACHINES


def test_what_starts_to_come_is_found_at_once() -> None:
    with watched([machine(1)], days=60) as fleet:
        _fleet(fleet)
        first = fleet.collect()
        fleet.service.native = lambda series: 300
        second, _ = _later(fleet, first.held(), 2 * HOUR)
        starts = [key[3] for key in second.samples if key[1] == "disk_read"]
        assert starts
        assert min(starts) >= NOW.timestamp() - 3600
        third, calls = _later(fleet, _with(first.held(), second), 3 * HOUR)
        assert {one[1] for call in _whole_window(calls) for one, _, _ in call.queries} == {
            "EBSReadBytes",
            "EBSWriteBytes",
        }
        assert sum(call.metrics for call in calls) == 5  # each once
        fourth, calls = _later(fleet, _with(first.held(), second, third), 4 * HOUR)
    assert _whole_window(calls) == []
    assert not third.samples.keys() & fourth.samples.keys()
    assert set(_vain(fourth.notes).values()) <= {"{}"}


def test_samples_of_a_silence_that_come_late_are_not_passed_over() -> None:
    gone = NOW - timedelta(days=4)
    with watched([machine(n) for n in range(2)], days=10) as fleet:
        fleet.service.until = int(gone.timestamp())
        fleet.settings = fleet.settings.model_copy(update={"until": NOW - timedelta(days=2)})
        first = fleet.collect()
        known = first.held()
        again, _ = _later(fleet, known, HOUR)  # asked in vain
        known = _with(known, again)
        fleet.service.until = None
        fleet.settings = fleet.settings.model_copy(update={"until": None})
        second, _ = _later(fleet, known, 2 * HOUR)
        known = _with(known, second)
        third, calls = _later(fleet, known, 3 * HOUR)
        assert sum(call.metrics for call in calls) == 2 * 5
        _, calls = _later(fleet, _with(known, third), 4 * HOUR)
        assert max(call.end - call.start for call in calls) <= 3600
        fleet.settings = fleet.settings.model_copy(update={"until": NOW})
        whole = fleet.collect(now=NOW + 4 * HOUR).samples
    got = first.samples.keys() | second.samples.keys() | third.samples.keys()
    assert whole.keys() <= got


def test_what_was_silent_before_a_shorter_window_is_asked_for_by_a_wider_one() -> None:
    """Collected for 10 days, not at all for a week, then for 2 days, then for 10."""
    week = timedelta(days=7)
    with watched([machine(1)], days=10) as fleet:
        first = fleet.collect()
        known = first.held()
        got = set(first.samples)
        for days, after in ((2, week), (10, week + HOUR)):
            fleet.settings = fleet.settings.model_copy(update={"days": days})
            later, _ = _later(fleet, known, after)
            got |= later.samples.keys()
            known = _with(known, later)
        whole = fleet.collect(now=NOW + week + HOUR).samples
    assert whole.keys() <= got


def test_what_came_late_is_found_within_a_week() -> None:
    with watched([machine(1)], days=60) as fleet:
        _fleet(fleet)
        first = fleet.collect()
        known = first.held()
        for days in (2, 5):
            later, calls = _later(fleet, known, timedelta(days=days))
            assert _whole_window(calls) == []
            known = _with(known, later)
        late = NOW - timedelta(days=3)
        fleet.service.native = lambda series: 300
        fleet.service.until = int(late.timestamp())  # EBS came to an end before the first collect
        found, calls = _later(fleet, known, WEEK + HOUR)
    assert len(_whole_window(calls)) == 2
    starts = [key[3] for key in found.samples if key[1] == "disk_read"]
    assert late.timestamp() - 600 <= max(starts) < late.timestamp()
    assert min(starts) < (NOW - timedelta(days=50)).timestamp()


def test_what_fell_silent_is_not_asked_for_from_its_end_each_time() -> None:
    gone = NOW - timedelta(days=40)
    with watched([machine(n) for n in range(MACHINES)], days=60) as fleet:
        fleet.service.until = int(gone.timestamp())
        first = fleet.collect()
        assert first.samples
        _, calls = _later(fleet, first.held(), HOUR)
        assert len(calls) == 1
        assert _whole_window(calls) == []
        _, calls = _later(fleet, first.held(), WEEK + HOUR)
        assert len(_whole_window(calls)) == len(calls) > 1


def test_a_wider_window_is_asked_for_whole_once() -> None:
    machines = [machine(n) for n in range(3)]
    with watched(machines, days=2) as fleet:
        _fleet(fleet)
        first = fleet.collect()
        fleet.settings = fleet.settings.model_copy(update={"days": 58})
        second, calls = _later(fleet, first.held(), HOUR)
        assert sum(call.metrics for call in calls) == 3 * 5  # each once, with what is new
        known = _with(first.held(), second)
        _, calls = _later(fleet, known, 2 * HOUR)
        assert len(calls) == 1
        assert _whole_window(calls) == []
        fleet.settings = fleet.settings.model_copy(update={"days": 2})
        third, calls = _later(fleet, known, 3 * HOUR)
        fleet.settings = fleet.settings.model_copy(update={"days": 58})
        fourth, calls = _later(fleet, _with(known, third), 4 * HOUR)
        assert _whole_window(calls) == []  # it is there already
        whole = fleet.collect(now=NOW + 4 * HOUR)
    got = [set(one.samples) for one in (first, second, third, fourth)]
    assert whole.samples.keys() <= set.union(*got)


def test_more_days_than_those_of_a_killed_collect() -> None:
    with watched([machine(n) for n in range(50)], days=2) as fleet:
        promised = fleet.prepared()[0].promised()
        killed = fleet.collect(tables=1)
        assert killed.notes == {}
        fleet.settings = fleet.settings.model_copy(update={"days": 4})
        known = Known(killed.held().held, notes=promised)
        again = fleet.collect(known)
        whole = fleet.collect()
    assert whole.samples.keys() <= killed.samples.keys() | again.samples.keys()


def test_the_earlier_part_of_some_and_what_was_refused_stays_to_be_asked() -> None:
    with watched([machine(1)], days=2) as fleet:
        first = fleet.collect()
        fleet.rows.append(machine(2))
        fleet.settings = fleet.settings.model_copy(update={"days": 30})
        fleet.service.denied = lambda account, region: True
        refused, _ = _later(fleet, first.held(), HOUR)
        assert refused.problems
        fleet.service.denied = lambda account, region: False
        found, calls = _later(fleet, _with(first.held(), refused), 2 * HOUR)
        assert sum(call.metrics for call in calls) == 2 * 5
        whole = fleet.collect(now=NOW + 2 * HOUR)
    assert whole.samples.keys() <= first.samples.keys() | found.samples.keys()


def test_hours_of_long_ago_come_beside_what_is_there() -> None:
    with watched([machine(1)], days=10) as fleet:
        first = fleet.collect()
        fleet.settings = fleet.settings.model_copy(update={"days": 100})
        found, calls = _later(fleet, first.held(), HOUR)
        _, after = _later(fleet, _with(first.held(), found), 2 * HOUR)
        whole = fleet.collect(now=NOW + HOUR)
    assert {key[4] for key in found.samples} == {300, 3600}
    assert sum(call.metrics for call in calls) == 2 * 5  # one for each period
    assert len(after) == 1
    assert whole.samples.keys() <= first.samples.keys() | found.samples.keys()


def test_what_failed_or_was_killed_is_not_taken_for_silent() -> None:
    with watched([machine(1), machine(2, RegionId="us-east-1")], days=60) as fleet:
        _fleet(fleet)
        killed = fleet.collect(tables=1)
        assert killed.notes == {}
        fleet.service.denied = lambda account, region: region == "us-east-1"
        refused = fleet.collect()
        assert [name.split()[-1] for name in _vain(refused.notes)] == ["eu-west-1"]
        fleet.service.denied = lambda account, region: False
        bad = str(fleet.rows[0]["ResourceId"])
        fleet.service.unfinished = lambda number, series: (
            series[1] == "EBSReadBytes" and (series[2][0][1] == bad)
        )
        broken = fleet.collect()
    of_place = {name.split()[-1]: text for name, text in _vain(broken.notes).items()}
    assert "EBSWriteBytes" in of_place["eu-west-1"]
    assert "EBSReadBytes" not in of_place["eu-west-1"]
    assert "EBSReadBytes" in of_place["us-east-1"]


@pytest.mark.parametrize("note", ["", "[]", "{", '{"a": 1}', '{"a": [1, 2]}', '{"a": ["x", 1, 2]}'])
def test_a_note_that_cannot_be_read_is_none(note: str) -> None:
    with watched([machine(1)], days=40) as fleet:
        _fleet(fleet)
        first = fleet.collect()
        known = Known(first.held().held, notes=dict.fromkeys(first.notes, note))
        later, calls = _later(fleet, known, HOUR)
    assert _whole_window(calls)
    assert set(later.notes) == set(first.notes)
