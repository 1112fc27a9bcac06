"""Samples from CloudWatch: every one wanted arrives once, whatever happens on the way."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from costopt.errors import ProviderError
from costopt.model import Window
from costopt.providers.aws import costs, metrics
from costopt.providers.aws.metrics.plan import USD_PER_METRIC, estimate
from costopt.providers.aws.settings import AwsSettings
from tests.fakes.cloudwatch import Series
from tests.providers.aws.watching import (
    NOW,
    Collected,
    Sample,
    Watched,
    machine,
    mean,
    measured,
    thing,
    watched,
    window,
)

pytestmark = pytest.mark.usefixtures("aws_environment")


def _ec2(name: str, instance: str) -> Series:
    return "AWS/EC2", name, (("InstanceId", instance),)


def _cpu(instance: str, slots: range, native: int = 300) -> dict[Sample, float]:
    """CPU means and maxima that must arrive of one machine, worked out one by one."""
    found = {}
    points = measured(_ec2("CPUUtilization", instance), slots, slots.step, native)
    for start, values in points.items():
        for statistic, value in (("mean", mean(values)), ("max", max(values))):
            found[instance, "cpu_utilization", statistic, start, slots.step, None] = value
    return found


def _of(collected: Collected, metric: str) -> dict[Sample, float]:
    return collected.only(metric).samples


def _fleet(machines: int = 6, **more: object) -> list[dict[str, object]]:
    return [machine(number, **more) for number in range(machines)]


def _expected_cpu(fleet: Watched, slots: range) -> dict[Sample, float]:
    found: dict[Sample, float] = {}
    for row in fleet.rows:
        found |= _cpu(str(row["ResourceId"]), slots)
    return found


def test_cpu_is_what_was_measured_and_what_is_missing_stays_missing() -> None:
    with watched(_fleet(2)) as fleet:
        collected = fleet.collect()
        expected = _expected_cpu(fleet, window(2))
    assert _of(collected, "cpu_utilization") == pytest.approx(expected, rel=1e-6)
    assert len(expected) < 2 * 2 * len(window(2))  # some were never sent
    assert collected.problems == []


@pytest.mark.parametrize("native", [60, 300])
def test_bytes_are_a_second_whatever_a_datapoint_covers(native: int) -> None:
    """Basic monitoring sends one datapoint in five minutes, or five of one minute each."""
    with watched([machine(1)]) as fleet:
        fleet.service.native = lambda series: native
        collected = _of(fleet.collect(), "network_in")
    ident = fleet.rows[0]["ResourceId"]
    points = measured(_ec2("NetworkIn", ident), window(2), 300, native)
    means = {k[3]: v for k, v in collected.items() if k[2] == "mean"}
    peaks = {k[3]: v for k, v in collected.items() if k[2] == "max"}
    assert means == pytest.approx({at: sum(v) / 300 for at, v in points.items()}, rel=1e-6)
    whole = {at: max(v) / native for at, v in points.items() if len(v) == 300 // native}
    assert {at: peaks[at] for at in whole} == pytest.approx(whole, rel=1e-6)
    assert all(peak >= means[at] * (1 - 1e-6) for at, peak in peaks.items())


def test_each_kind_of_thing_is_asked_under_its_own_dimension() -> None:
    balancer = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer"
    rows = [
        machine(1, "t2.micro"),  # Xen: no EBS metrics of the instance
        machine(2, "t3.micro"),
        thing("vol-0a"),
        thing("arn:aws:rds:eu-west-1:123456789012:db:orders"),
        thing("arn:aws:ec2:eu-west-1:123456789012:natgateway/nat-0b"),
        thing(f"{balancer}/app/web/1f"),
        thing(f"{balancer}/net/tcp/2f"),
        thing(f"{balancer}/old"),
        thing("snap-0c"),
    ]
    with watched(rows) as fleet:
        collected = fleet.collect()
        asked = {series for call in fleet.service.calls() for series, _, _ in call.queries}
    dims = {(space, pair) for space, _, dimensions in asked for pair in dimensions}
    assert dims == {
        ("AWS/EC2", ("InstanceId", rows[0]["ResourceId"])),
        ("AWS/EC2", ("InstanceId", rows[1]["ResourceId"])),
        ("AWS/EBS", ("VolumeId", "vol-0a")),
        ("AWS/RDS", ("DBInstanceIdentifier", "orders")),
        ("AWS/NATGateway", ("NatGatewayId", "nat-0b")),
        ("AWS/ApplicationELB", ("LoadBalancer", "app/web/1f")),
        ("AWS/NetworkELB", ("LoadBalancer", "net/tcp/2f")),
        ("AWS/ELB", ("LoadBalancerName", "old")),
    }
    names = {(key[0], key[1]) for key in collected.samples}
    assert (rows[0]["ResourceId"], "disk_read") not in names
    assert (rows[1]["ResourceId"], "disk_read") in names
    assert (rows[1]["ResourceId"], "x_cpu_credit_balance") in names
    assert (f"{balancer}/old", "request_rate") in names


def test_old_history_comes_in_the_periods_still_kept() -> None:
    rows = [machine(1, x_Attributes={"monitoring": "detailed"})]
    with watched(rows, days=100) as fleet:
        fleet.service.native = lambda series: 60
        periods: dict[int, list[int]] = {}
        for _, name, statistic, at, period, _ in fleet.collect().samples:
            if (name, statistic) == ("cpu_utilization", "mean"):
                periods.setdefault(period, []).append(at)
    ages = {
        period: (NOW.timestamp() - min(found), NOW.timestamp() - max(found))
        for period, found in periods.items()
    }
    assert ages[3600][0] == pytest.approx(100 * 86_400, abs=7200)
    assert ages[300][0] == pytest.approx(63 * 86_400, abs=3 * 3600)
    assert ages[3600][1] > ages[300][0]
    assert set(periods) == {300, 3600}  # detailed monitoring or not


def test_a_burst_of_throttling_loses_and_doubles_nothing() -> None:
    with watched(_fleet(3), days=60, max_concurrency=3) as fleet:
        quiet = fleet.collect()
        fleet.service.asked.clear()
        fleet.service.throttled = lambda number: number in {2, 3, 4, 9}
        stormy = fleet.collect()
        refused = fleet.service.calls(outcome="ThrottlingException")
    assert stormy.table() == quiet.table()
    assert stormy.problems == []
    assert len(refused) == len(stormy.pauses) == 4


def test_botocore_itself_outlasts_a_throttled_call() -> None:
    with watched(_fleet(1)) as fleet:
        fleet.attempts = 2
        fleet.service.throttled = lambda number: number == 1  # 0 lists metrics
        collected = fleet.collect()
    assert collected.pauses == []
    assert _of(collected, "cpu_utilization") == pytest.approx(
        _expected_cpu(fleet, window(2)), rel=1e-6
    )


def test_throttling_without_end_is_a_problem_and_the_rest_goes_on() -> None:
    with watched([*_fleet(2), *_fleet(2, RegionId="us-east-1")], max_concurrency=1) as fleet:
        for number, row in enumerate(fleet.rows):
            row["ResourceId"] = f"i-{number:02d}"
        fleet.service.throttled = lambda number: 2 <= number < 6  # the first call, all its tries
        collected = fleet.collect()
    (problem,) = collected.problems
    assert problem.fatal
    assert problem.where == "123456789012 eu-west-1 cloudwatch:GetMetricData"
    assert "ThrottlingException" in problem.what
    assert {key[0] for key in collected.samples} == {"i-02", "i-03"}


def test_a_region_that_refuses_is_left_alone_and_the_others_are_read() -> None:
    rows = [*_fleet(30), *({**row, "RegionId": "us-east-1"} for row in _fleet(30))]
    for number, row in enumerate(rows):
        row["ResourceId"] = f"i-{number:02d}"
    with watched(rows, days=5, max_concurrency=2) as fleet:
        fleet.service.denied = lambda account, region: region == "us-east-1"
        collected = fleet.collect()
        refused = fleet.service.calls(outcome="AccessDeniedException")
    fatal = {problem.where: problem.what for problem in collected.problems}
    assert set(fatal) == {
        "123456789012 us-east-1 cloudwatch:GetMetricData",
        "123456789012 us-east-1 cloudwatch:ListMetrics",
    }
    assert len(refused) <= 2  # as many as were under way
    assert {key[0] for key in collected.samples} == {row["ResourceId"] for row in rows[:30]}


def test_an_account_that_refuses_leaves_the_others() -> None:
    rows = [machine(1), machine(2, SubAccountId="222222222222")]
    with watched(rows) as fleet:
        fleet.service.denied = lambda account, region: account == "222222222222"
        collected = fleet.collect()
    assert {key[0] for key in collected.samples} == {rows[0]["ResourceId"]}
    assert all("222222222222" in problem.where for problem in collected.problems)


def test_pages_are_followed_to_the_last() -> None:
    with watched(_fleet(3)) as fleet:
        whole = fleet.collect()
        calls = len(fleet.service.calls())
        fleet.service.page_points = 1_000
        paged = fleet.collect()
        pages = len(fleet.service.calls()) - calls
    assert paged.samples == whole.samples
    assert pages > 3 * calls


def test_what_an_answer_lacks_is_asked_for_again() -> None:
    with watched(_fleet(2)) as fleet:
        whole = fleet.collect().samples
        fleet.service.asked.clear()
        fleet.service.unfinished = lambda number, series: number == 1 and "Network" in series[1]
        collected = fleet.collect()
        first, again = fleet.service.calls()
    assert collected.samples == whole
    assert {series[1] for series, _, _ in again.queries} == {"NetworkIn", "NetworkOut"}
    assert len(again.queries) < len(first.queries)


def test_asking_again_stops_before_the_limit_is_passed() -> None:
    with watched(_fleet(4), max_api_cost=0.00022) as fleet:  # 22 metrics
        fleet.service.unfinished = lambda number, series: series[1] == "CPUUtilization"
        prepared, _ = fleet.prepared()
        assert prepared.plan.metrics == 20
        collected = fleet.collect()
        billed = sum(call.metrics for call in fleet.service.calls())
    assert billed <= 22
    assert {problem.what for problem in collected.problems} == {
        "answers stayed incomplete, and to ask again would cost more than --max-api-cost"
    }
    assert all(problem.fatal for problem in collected.problems)


def test_a_moment_that_is_to_come_is_told_and_taken_as_now() -> None:
    with watched(_fleet(2), days=3) as fleet:
        whole = fleet.collect()
        later = NOW + timedelta(days=2)
        fleet.settings = fleet.settings.model_copy(update={"until": later})
        collected = fleet.collect()
    assert collected.samples == whole.samples
    (problem,) = collected.problems
    assert "in the future" in problem.what
    assert not problem.fatal


def test_a_series_that_stays_incomplete_is_told_and_nothing_later_of_it_is_given() -> None:
    with watched(_fleet(4), days=10, max_concurrency=2) as fleet:
        bad = _ec2("CPUUtilization", str(fleet.rows[3]["ResourceId"]))
        fleet.service.unfinished = lambda number, series: series == bad
        collected = fleet.collect()
        expected = _expected_cpu(fleet, window(10))
    given = _of(collected, "cpu_utilization")
    assert given == pytest.approx(
        {key: v for key, v in expected.items() if key[0] != bad[2][0][1]}, rel=1e-6
    )
    (problem,) = collected.problems
    assert problem.fatal
    assert problem.what == "answers stayed incomplete"


def test_of_each_series_earlier_samples_come_first() -> None:
    with watched(_fleet(4), days=60, max_concurrency=4) as fleet:
        collected = fleet.collect()
    assert len(collected.tables) > 4
    newest: dict[tuple[object, ...], int] = {}
    for (*series, at, _, device), _ in collected.rows():
        assert newest.get((*series, device), -1) < at
        newest[*series, device] = at


@pytest.mark.parametrize(("days", "fewest"), [(58, 19), (60, 32)])
def test_a_first_collect_is_billed_each_metric_once_in_the_fewest_calls(
    days: int, fewest: int
) -> None:
    """Eight machines of fourteen queries in five metrics: four of three, one of two.

    Of 58 days in five minutes six queries fit: sixteen calls of two metrics of three, and three of
    the metrics of two. Of 60 days five do: no call holds two metrics of three, so 32 it takes.
    """
    with watched(_fleet(8), days=days) as fleet:
        collected = fleet.collect()
        calls = fleet.service.calls()
    assert sum(call.metrics for call in calls) == 8 * 5
    assert len({query for call in calls for query in call.queries}) == 8 * 14
    assert len(calls) == fewest
    assert collected.problems == []


def test_a_second_collect_asks_only_for_what_is_new() -> None:
    later = NOW + timedelta(hours=6)
    with watched(_fleet(3), days=4) as fleet:
        first = fleet.collect()
        fleet.service.asked.clear()
        fleet.service.now = later
        second = fleet.collect(first.held(), now=later)
        (call,) = fleet.service.calls()
        settled = int(later.timestamp() - 1800) // 300 * 300
        # The newest of a series may be missing; so one slot or two more are asked for.
        assert window(2).stop - 900 <= call.start <= window(2).stop
        assert call.end == settled
        assert not first.samples.keys() & second.samples.keys()
        whole = _of(first, "cpu_utilization") | _of(second, "cpu_utilization")
        slots = range(window(4).start, settled, 300)
        assert whole == pytest.approx(_expected_cpu(fleet, slots), rel=1e-6)


def test_a_collect_when_nothing_is_new_costs_nothing() -> None:
    with watched(_fleet(2)) as fleet:
        fleet.service.native = lambda series: 300
        held = fleet.collect().held()
        full = dict.fromkeys(held.held, NOW)
        prepared, _ = fleet.prepared(replace(held, held=full))
        assert estimate(prepared.plan, prepared.listing).usd == 0
        assert prepared.plan.calls == ()


@pytest.mark.parametrize("taken", [1, 4])
def test_a_killed_collect_taken_up_again_gives_the_same(taken: int) -> None:
    with watched(_fleet(3), days=60, max_concurrency=3) as fleet:
        undisturbed = fleet.collect()
        killed = fleet.collect(tables=taken)
        again = fleet.collect(killed.held())
    assert taken == len(killed.tables) < len(undisturbed.tables)
    assert killed.table(again) == undisturbed.table()


def test_a_window_narrows_what_is_asked() -> None:
    inner = Window(NOW - timedelta(hours=30), NOW - timedelta(hours=20))
    with watched([machine(1)]) as fleet:
        prepared, _ = fleet.prepared(window=inner)
        tables = list(metrics.read(prepared, fleet.settings, [], {}))
    starts = [key[3] for key, _ in Collected(tables, []).rows()]
    assert inner.start.timestamp() <= min(starts)
    assert max(starts) < inner.end.timestamp()


def test_the_estimate_is_what_is_billed_and_the_limit_holds() -> None:
    with watched(_fleet(4), days=30) as fleet:
        prepared, _ = fleet.prepared()
        told = estimate(prepared.plan, prepared.listing)
        assert fleet.service.calls() == []
        with pytest.raises(ProviderError, match="above the limit") as refused:
            costs.estimate(AwsSettings(max_api_cost=0.0001), prepared, NOW)
        with pytest.raises(ProviderError, match=r"the limit of \$0.00:"):
            costs.estimate(AwsSettings(max_api_cost=0), prepared, NOW)
        assert "$0.0001:" in str(refused.value)
        dry = costs.estimate(AwsSettings(max_api_cost=0, dry_run=True), prepared, NOW)
        assert dry.usd == told.usd
        list(metrics.read(prepared, fleet.settings, [], {}))
        billed = sum(call.metrics for call in fleet.service.calls())
    assert told.usd == billed * USD_PER_METRIC
    assert str(len(fleet.service.calls())) in told.lines[0]
    assert "--max-api-cost" in refused.value.hint


def test_what_is_off_is_read_to_its_end_and_then_no_more() -> None:
    stopped = NOW - timedelta(days=1)
    off = {"x_State": "stopped", "x_Attributes": {"stopped_at": stopped.isoformat()}}
    rows = [machine(1, **off), thing("vol-0a", x_State="available")]
    with watched(rows) as fleet:
        last = int(stopped.timestamp()) // 300
        fleet.service.native = lambda series: 300
        fleet.service.until = last * 300
        first = fleet.collect()
        (call,) = fleet.service.calls()
        again, _ = fleet.prepared(first.held(), now=NOW + timedelta(hours=8))
    assert {series[0] for series, _, _ in call.queries} == {"AWS/EC2"}
    assert max(sample[3] for sample in first.samples) < last * 300
    assert again.plan.calls == ()


def _altered(
    fleet: Watched, patch: pytest.MonkeyPatch, change: Callable[[dict[str, Any]], None]
) -> None:
    """Let the first result of each answer be changed on its way."""
    true = fleet.service.answer

    def answer(operation: str, *call: Any) -> tuple[int, bytes]:
        status, body = true(operation, *call)
        told = json.loads(body)
        if operation == "GetMetricData":
            change(told["MetricDataResults"][0])
        return status, json.dumps(told).encode()

    patch.setattr(fleet.service, "answer", answer)


@pytest.mark.parametrize("name", ["zz", "q999999", "q-1", "q", "", None, "q00"])
def test_an_answer_to_what_was_not_asked_is_told(
    name: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with watched(_fleet(2)) as fleet:
        _altered(fleet, monkeypatch, lambda result: result.update(Id=name))
        collected = fleet.collect()
    assert collected.tables == []
    (problem,) = collected.problems
    assert (problem.what, problem.fatal) == ("an answer to what was not asked", True)
    assert problem.where.endswith("cloudwatch:GetMetricData")


def test_an_answer_with_fewer_values_than_times_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with watched(_fleet(2)) as fleet:
        _altered(fleet, monkeypatch, lambda result: result["Values"].pop())
        collected = fleet.collect()
    assert collected.tables == []
    assert [one.what for one in collected.problems] == ["an answer with other values than times"]


@pytest.mark.parametrize("value", [1e308, -1e308, 1e42])
def test_what_no_float32_holds_is_missing_rather_than_infinite(
    value: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    with watched(_fleet(1)) as fleet:
        whole = fleet.collect().samples
        gone = []

        def change(result: dict[str, Any]) -> None:
            result["Values"][3] = value
            gone.append(int(result["Timestamps"][3]))

        _altered(fleet, monkeypatch, change)
        collected = fleet.collect()
    assert collected.problems == []
    lost = whole.keys() - collected.samples.keys()
    assert {key[3] for key in lost} == set(gone)
    assert {key[1] for key in lost} == {"cpu_utilization"}
    assert collected.samples == {key: found for key, found in whole.items() if key not in lost}
