"""What is asked of Cloud Monitoring: within its limits, each series once, little at a time."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from google.cloud.monitoring_v3 import ListTimeSeriesResponse
from hypothesis import given
from hypothesis import strategies as st

from costopt.model import Series
from costopt.providers.base import Known
from costopt.providers.gcp.metrics import answers, formulas, plan, retention
from costopt.providers.gcp.metrics.catalogue import ENTRIES, card, disk
from costopt.providers.gcp.metrics.targets import Target
from tests.fakes import gcp_monitoring as monitoring

NOW = int(datetime(2026, 10, 5, 9, 12, 34, tzinfo=UTC).timestamp())
DAY = 86_400
TYPES = frozenset(query.metric for entry in ENTRIES for query in entry.queries)


def _target(number: int, gpus: int = 0, project: str = "shop-prod") -> Target:
    return Target(project, f"//vm/{number:05d}", str(10**19 + number), gpus)


def _plan(targets: list[Target], known: Known | None = None, days: float = 60) -> plan.Plan:
    projects = {one.project for one in targets}
    times = plan.Times(NOW - int(days * DAY), NOW, NOW)
    return plan.planned(targets, dict.fromkeys(projects, TYPES), known or Known(), times)


def _asked(made: plan.Plan) -> list[tuple[str, str, int]]:
    return [
        (part.target.resource_id, call.entry.name, call.period)
        for call in made.calls
        for part in call.parts
    ]


def test_ten_thousand_machines_are_asked_for_once_each_and_within_the_limits() -> None:
    made = _plan([_target(number, gpus=8 * (number % 50 == 0)) for number in range(10_000)])
    asked = _asked(made)
    assert len(set(asked)) == len(asked)
    assert len({resource for resource, _, _ in asked}) == 10_000
    for call in made.calls:
        points = call.slots * sum(p.target.series(call.entry) for p in call.parts)
        assert points * len(call.queries) <= 1_000_000 or len(call.parts) == 1
        assert all(
            len(answers.request(call, query)["filter"]) < monitoring.LONGEST_FILTER
            for query in call.queries
        )
    assert plan.estimate(made).usd < 1  # dollars, for sixty days of the fleet


def test_a_days_worth_fills_requests_with_as_many_machines_as_a_filter_takes() -> None:
    targets = [_target(number) for number in range(750)]
    held = {
        Series(one.resource_id, entry.name, "mean", ""): datetime.fromtimestamp(NOW - DAY, UTC)
        for one in targets
        for entry in ENTRIES
    }
    made = _plan(targets, Known(held))
    of_cpu = [call for call in made.calls if call.entry.name == "cpu_utilization"]
    assert [len(call.parts) for call in of_cpu] == [plan.MOST_MACHINES] * 10


def test_those_that_lack_little_do_not_ask_for_what_others_lack() -> None:
    targets = [_target(number) for number in range(20)]
    recent = datetime.fromtimestamp(NOW - DAY, UTC)
    held = {Series(t.resource_id, "cpu_utilization", "max", ""): recent for t in targets[:19]}
    made = _plan(targets, Known(held), days=30)
    of_cpu = [call for call in made.calls if call.entry.name == "cpu_utilization"]
    assert sorted(len(call.parts) for call in of_cpu) == [1, 19]
    short = next(call for call in of_cpu if len(call.parts) == 19)
    assert short.start >= NOW - DAY - 300


def test_the_furthest_of_a_units_series_tells_where_it_goes_on() -> None:
    """A disk that is gone must not let all others be asked for again."""
    one = _target(1)
    ends = {"/dev/sda1": NOW - 3600, "/dev/sdb1": NOW - 20 * DAY}
    held = {
        Series(one.resource_id, "x_disk_space_used", "mean", device): datetime.fromtimestamp(
            end, UTC
        )
        for device, end in ends.items()
    }
    made = _plan([one], Known(held), days=30)
    (call,) = [call for call in made.calls if call.entry.name == "x_disk_space_used"]
    assert NOW - 3600 - 300 <= call.start <= NOW - 3600 + 300


def test_older_periods_come_before_newer_ones_and_projects_take_turns() -> None:
    targets = [_target(n, project=name) for name in ("shop-prod", "lab-east") for n in range(2)]
    made = _plan(targets)
    first: dict[tuple[str, str], list[int]] = {}
    for call in made.calls:
        first.setdefault((call.project, call.entry.name), []).append(call.start)
    assert all(starts == sorted(starts) for starts in first.values())
    assert [call.project for call in made.calls[:4]] == ["lab-east", "shop-prod"] * 2


def test_cards_are_asked_for_only_where_there_are_some() -> None:
    made = _plan([_target(1), _target(2, gpus=1)], days=1)
    names = {entry.name for entry in ENTRIES if entry.of == "gpus"}
    asked = {resource for resource, name, _ in _asked(made) if name in names}
    assert asked == {"//vm/00002"}


@given(
    start=st.integers(NOW - 900 * DAY, NOW + DAY),
    length=st.integers(0, 900 * DAY),
    cut=st.floats(0, 1),
)
def test_every_period_is_in_one_of_two_windows_that_touch(
    start: int, length: int, cut: float
) -> None:
    def slots(since: int, until: int) -> list[tuple[int, int]]:
        settled = retention.settled(until, NOW)
        return [
            (at, span.period)
            for span in retention.spans(since, settled, NOW)
            for at in range(span.start, span.end, span.period)
        ]

    middle, end = start + int(length * cut), start + length
    whole = slots(start, end)
    assert slots(start, middle) + slots(middle, end) == whole
    for (at, period), (later, _) in itertools.pairwise(whole):
        assert at % period == 0
        assert at + period <= later
    assert all(at + period <= NOW - retention.SETTLE for at, period in whole)


@pytest.mark.parametrize("device", ["/dev/sda1", "/dev/mapper/vg-root", "C:", "/dev/nvme0n1p1"])
def test_what_is_a_disk(device: str) -> None:
    assert disk({"device": device}) == device


@pytest.mark.parametrize("device", ["tmpfs", "/dev/loop12", "overlay", "", "/dev/zram0"])
def test_what_is_no_disk(device: str) -> None:
    assert disk({"device": device}) is None


def test_a_card_without_any_name_is_not_taken_for_the_machine() -> None:
    assert card({"gpu_number": "0", "uuid": "GPU-1"}) == "0"
    assert card({"uuid": "GPU-1"}) == "GPU-1"
    assert card({}) is None


def test_formulas_keep_what_is_missing() -> None:
    nan, basis = np.nan, formulas.Basis(300)
    one, other = np.array([0.5, nan, nan, 1.5]), np.array([0.9, 0.2, nan, nan])
    either = formulas.either_percent(basis, one, other)
    np.testing.assert_array_equal(either, [50, 20, nan, 150])
    used, free = np.array([1.0, 0, nan]), np.array([3.0, 0, 1])
    np.testing.assert_array_equal(formulas.used_percent(basis, used, free), [25, nan, nan])


def _call() -> plan.Call:
    made = _plan([_target(1, gpus=1)], days=1)
    return next(call for call in made.calls if call.entry.name == "gpu_utilization")


def _page(number: str, value: dict[str, object]) -> ListTimeSeriesResponse:
    call = _call()
    return ListTimeSeriesResponse(
        time_series=[
            {
                "metric": {"labels": {"gpu_number": "0", "uuid": number}},
                "resource": {"labels": {"instance_id": number}},
                "points": [
                    {"interval": {"end_time": {"seconds": call.start + 300}}, "value": value}
                ],
            }
        ]
    )


@pytest.mark.parametrize("value", [{"string_value": "x"}, {"bool_value": True}, {}])
def test_values_that_are_no_numbers_are_told(value: dict[str, object]) -> None:
    call = _call()
    grid = answers.Grid(call)
    with pytest.raises(answers.Unasked, match="no numbers"):
        grid.add(call.queries[0], _page(call.parts[0].target.instance_id, value))


def test_machines_that_were_not_asked_for_are_told() -> None:
    call = _call()
    with pytest.raises(answers.Unasked, match="not asked"):
        answers.Grid(call).add(call.queries[0], _page("77", {"double_value": 1.0}))


def test_two_cards_that_had_one_number_are_one_series() -> None:
    """A machine that moves gets another card; in the period when it does there are two."""
    call = _call()
    grid = answers.Grid(call)
    for uuid, value in (("GPU-a", 10.0), ("GPU-b", 30.0)):
        for query in call.queries:
            page = _page(call.parts[0].target.instance_id, {"double_value": value})
            page.time_series[0].metric.labels["uuid"] = uuid
            grid.add(query, page)
    (table,) = grid.tables(set())
    rows = {row["Statistic"]: row for row in table.to_pylist()}
    assert (rows["mean"]["Value"], rows["max"]["Value"]) == (20, 30)
    assert rows["mean"]["Timestamp"] == datetime.fromtimestamp(call.start, UTC)
    assert rows["mean"]["Timestamp"] + timedelta(seconds=300) > rows["max"]["Timestamp"]


def test_tables_end_with_a_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "_TABLE_ROWS", 3)
    targets = [_target(number) for number in range(5)]
    call = _plan(targets, days=1).calls[0]
    grid = answers.Grid(call)
    for part in call.parts:
        for query in call.queries:
            grid.add(query, _page(part.target.instance_id, {"double_value": 0.5}))
    tables = list(grid.tables({("//vm/00002", "cpu_utilization")}))
    given_ = [sorted(set(table.column("ResourceId").to_pylist())) for table in tables]
    assert given_ == [["//vm/00000", "//vm/00001"], ["//vm/00003", "//vm/00004"]]
