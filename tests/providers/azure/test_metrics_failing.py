"""What fails on the way to Azure Monitor: told once, kept apart, and read the next time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from costopt.model import Window
from costopt.providers.azure import metrics
from costopt.providers.base import Problem
from tests.fakes.azure_arm import Answer, Call
from tests.fakes.azure_monitor import Asked
from tests.providers.aws.watching import Collected
from tests.providers.azure.monitored import (
    BANK,
    NOW,
    SHOP,
    Machine,
    cpu,
    fleet,
    machine,
    watched,
    window,
)

READ = "Microsoft.Insights/metrics/read"
BATCH = "metrics:getBatch"
MOST_POINTS = "costopt.providers.azure.metrics.plan.MOST_POINTS"


def _cpu(collected: Collected) -> dict[object, object]:
    return {
        key: pytest.approx(v, rel=1e-6)
        for key, v in collected.only("cpu_utilization").samples.items()
    }


def _whole(collected: Collected, machines: list[Machine]) -> None:
    assert _cpu(collected) == cpu(machines, window(2))


def test_the_machine_that_spoils_a_batch_is_found_and_the_others_arrive() -> None:
    machines = fleet(7)
    bad = machines[4].id
    with watched(machines) as shop:
        shop.service.refuses = lambda asked, _: 500 * (bad in asked.ids)
        collected = shop.collect()
        asked = len(shop.service.asked)
        shop.service.refuses = lambda asked, _: 0
        rest = shop.collect(collected.held())
    _whole(collected, [one for one in machines if one.id != bad])
    _whole(rest.only("cpu_utilization"), [machines[4]])
    (problem,) = collected.problems
    assert problem == Problem(f"{SHOP} {READ}", "vm-004: Code500: That is refused.", 1, True)
    assert asked <= 1 + 2 * 3  # halves, not one by one


def test_a_metric_that_fails_is_told_and_read_from_its_own_place_the_next_time() -> None:
    machines = fleet(2)
    with watched(machines) as shop:
        shop.service.errors[machines[0].id, "Network In Total"] = "InternalServerError"
        collected = shop.collect()
        shop.service.errors.clear()
        shop.service.now = NOW + timedelta(hours=1)
        shop.settings = shop.settings.model_copy(update={"until": NOW})
        rest = shop.collect(collected.held())
        shop.service.now = NOW
        whole = shop.collect()
    (problem,) = collected.problems
    assert problem.fatal
    said = "vm-000: Network In Total: InternalServerError: Something went wrong."
    assert problem.what == said
    network = {key[0] for key in collected.only("network_in").samples}
    assert network == {machines[1].id}
    assert rest.only("network_in").samples.keys() >= {
        key for key in whole.only("network_in").samples if key[0] == machines[0].id
    }
    _whole(collected, machines)


def test_a_machine_that_an_answer_leaves_out_is_told() -> None:
    machines = fleet(3)
    with watched(machines) as shop:
        shop.service.left_out = {machines[1].id}
        collected = shop.collect()
    _whole(collected, [machines[0], machines[2]])
    (problem,) = collected.problems
    assert problem.what == "vm-001: Azure Monitor left it out of its answer"
    assert problem.fatal


def test_nothing_later_of_what_failed_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MOST_POINTS, 3_000)
    machines = fleet(2)
    bad, third = machines[0].id, window(2)[len(window(2)) // 2]

    def refuses(asked: Asked, number: int) -> int:
        return 500 * (bad in asked.ids and asked.start <= third < asked.end)

    with watched(machines) as shop:
        shop.service.refuses = refuses
        collected = shop.collect()
        after = [a for a in shop.service.asked if a.start > third]
        assert after
        shop.service.refuses = lambda asked, _: 0
        rest = shop.collect(collected.held())
        whole = shop.collect()
    late = [key for key in collected.samples if key[0] == bad and key[3] >= third]
    assert late == []
    assert collected.table(rest).equals(whole.table())


def test_a_subscription_that_refuses_is_one_problem_and_the_others_go_on() -> None:
    machines = [*fleet(40), *fleet(3, BANK)]
    with watched(machines) as shop:
        shop.service.refuses = lambda asked, _: 403 * (asked.subscription == SHOP)
        collected = shop.collect()
        asked = [a for a in shop.service.asked if a.subscription == SHOP]
    _whole(collected, machines[40:])
    fatal = [one for one in collected.problems if one.fatal]
    assert [one.where for one in fatal] == [f"{SHOP} {READ}"]
    assert len(asked) <= 1 + 3 + 2  # a batch, three machines, and those under way


def test_a_role_on_some_machines_only_gives_these() -> None:
    machines = fleet(6)
    bare = {machines[1].id, machines[2].id, machines[3].id, machines[4].id}
    with watched(machines, max_concurrency=1) as shop:
        shop.service.refuses = lambda asked, _: 403 * bool(bare.intersection(asked.ids))
        collected = shop.collect()
    _whole(collected, [machines[0], machines[5]])
    (fatal,) = [one for one in collected.problems if one.fatal]
    assert fatal.count == 4
    assert fatal.what == "vm-001: Code403: the action is not granted"


# -- the batch endpoint ----------------------------------------------------------------------------


@pytest.mark.parametrize("status", [401, 403, 404])
def test_where_batches_are_refused_machines_are_asked_one_by_one(
    status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MOST_POINTS, 5_000)  # so that there are several batches
    machines = [*fleet(5), *fleet(2, region="northeurope")]
    with watched(machines) as shop:
        shop.service.refuses_batch = lambda asked: status
        collected = shop.collect()
        singles, batches = shop.service.calls(batch=False), shop.service.calls(outcome=status)
    _whole(collected, machines)
    assert len(singles) == 7  # two days each at once, whatever the batches were cut into
    assert len(batches) <= 2 * 2  # of each region the first, and what was under way
    (problem,) = collected.problems
    assert (problem.where, problem.count, problem.fatal) == (f"{SHOP} {BATCH}", 2, False)
    assert "one by one" in problem.what


def test_a_refusal_on_the_way_doubles_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MOST_POINTS, 5_000)
    machines = fleet(3)
    with watched(machines, max_concurrency=4) as shop:
        third = sorted({call.start for call in shop.prepared().plan.calls})[2]
        shop.service.refuses_batch = lambda asked: 403 * (asked.start == third)
        collected = shop.collect()
    _whole(collected, machines)


def test_one_that_is_gone_by_now_is_told_but_nothing_is_missing() -> None:
    machines = fleet(3)
    with watched(machines) as shop:
        shop.service.refuses_batch = lambda asked: 404
        del shop.service.machines[machines[1].id]
        collected = shop.collect()
    _whole(collected, [machines[0], machines[2]])
    gone = next(one for one in collected.problems if "vm-001" in one.what)
    assert not gone.fatal


def test_without_an_endpoint_of_the_region_machines_are_asked_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machines = fleet(2)
    with watched(machines) as shop:
        prepared = shop.prepared()
        problems: list[Problem] = []
        nowhere = shop.settings.model_copy(update={"endpoint": "http://127.0.0.1:9"})
        way_out = type(prepared.access)(nowhere).metrics
        monkeypatch.setattr(prepared.access, "metrics", way_out)
        tables = list(metrics.read(prepared, shop.settings, problems, {}, pause=lambda _: None))
    _whole(Collected(tables, problems), machines)
    (problem,) = problems
    assert not problem.fatal


# -- throttling ------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch", [True, False])
def test_retry_after_is_obeyed_by_the_sdk(batch: bool) -> None:
    machines = fleet(2)
    with watched(machines, max_attempts=3) as shop:
        shop.service.refuses_batch = lambda asked: 0 if batch else 404
        shop.service.retry_after = "0"
        seen: list[Asked] = []

        def refuses(asked: Asked, number: int) -> int:
            if asked.batch is not batch:
                return 0
            seen.append(asked)
            return 429 * (len(seen) == 1)

        shop.service.refuses = refuses
        collected = shop.collect()
    _whole(collected, machines)
    assert collected.pauses == []


@pytest.mark.parametrize("status", [529, 429, 502])
def test_throttling_that_names_no_time_is_waited_out(status: int) -> None:
    machines = fleet(2)
    with watched(machines) as shop:
        shop.service.refuses = lambda asked, number: status * (number < 2)
        collected = shop.collect()
    _whole(collected, machines)
    assert collected.pauses == [5.0, 15.0]
    assert collected.problems == []


def test_throttling_without_end_leaves_the_subscription_alone() -> None:
    machines = [*fleet(2), *fleet(2, region="northeurope"), *fleet(1, BANK)]
    with watched(machines, max_concurrency=1) as shop:
        shop.service.refuses = lambda asked, _: 529 * (asked.subscription == SHOP)
        collected = shop.collect()
        tries = len(shop.service.calls(outcome=529))
    _whole(collected, machines[4:])
    assert tries == 4
    (problem,) = collected.problems
    assert (problem.where, problem.fatal) == (f"{SHOP} {READ}", True)


def test_few_reads_left_are_spared() -> None:
    with watched(fleet(3), max_concurrency=1) as shop:
        shop.service.refuses_batch = lambda asked: 404
        shop.service.remaining = lambda number: 12
        pauses = shop.collect().pauses
    assert pauses == [10.0, 10.0]


# -- answers that are none -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<html>", "an answer that is not JSON"),
        (b"", "an answer that is not JSON"),
        (b'{"values": [{"interval": "PT1H", "value": []}]}', "an answer of another interval"),
        (
            b'{"values": [{"resourceid": "/x", "interval": "PT5M", "value": []}]}',
            "an answer about machines that were not asked for",
        ),
        (b'{"values": []}', "Azure Monitor left it out of its answer"),
        (b"{}", "Azure Monitor left it out of its answer"),
    ],
)
def test_what_is_no_answer_is_a_problem(body: bytes, said: str) -> None:
    def service(call: Call) -> Answer | None:
        return Answer(200, body) if call.path.endswith("getBatch") else None

    with watched([machine(1)]) as shop:
        shop.door.rules.append(service)
        collected = shop.collect()
    assert collected.tables == []
    (problem,) = collected.problems
    assert problem.what == f"vm-001: {said}"
    assert problem.fatal


# -- within the limit on costs ---------------------------------------------------------------------

DEAR = "what failed is not asked for again where that would cost more than --max-api-cost"


def _limited(machines: list[Machine], spare: int) -> float:
    """Dollars for the plan of two days and so many calls more."""
    with watched(machines) as shop:
        return float(metrics.estimate(shop.prepared()).usd) + spare * 0.00001 + 0.000001


@pytest.mark.parametrize("spare", [0, 10_000])
def test_what_breaks_off_is_asked_for_again_only_below_the_limit(spare: int) -> None:
    machines = fleet(2)
    with watched(machines, max_api_cost=_limited(machines, spare)) as shop:
        shop.service.refuses = lambda asked, _: 408
        collected = shop.collect()
        asked = len(shop.service.asked)
    assert collected.samples == {}
    assert asked > 4 if spare else asked == 1
    assert (DEAR in {one.what for one in collected.problems}) is (not spare)
    assert any(one.fatal and "Code408" in one.what for one in collected.problems)


def test_halves_are_asked_for_only_below_the_limit_and_other_calls_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(MOST_POINTS, 3_000)
    machines = fleet(2)
    with watched(machines, max_api_cost=_limited(machines, 0), max_concurrency=1) as shop:
        shop.service.refuses = lambda asked, number: 500 * (number == 1)
        collected = shop.collect()
        first = shop.service.asked[0]
        assert {len(one.ids) for one in shop.service.asked} == {2}
        rest = shop.collect(collected.held())
    assert _cpu(collected) == cpu(machines, range(first.start, first.end, 300))
    assert DEAR in {one.what for one in collected.problems}
    assert sorted(collected.samples | rest.samples) == sorted(_unlimited(machines).samples)


def _unlimited(machines: list[Machine]) -> Collected:
    with watched(machines) as shop:
        return shop.collect()


def test_throttling_and_refusals_cost_nothing() -> None:
    machines = fleet(3)
    with watched(machines, max_api_cost=_limited(machines, 0)) as shop:
        shop.service.refuses = lambda asked, number: 429 * (number < 2)
        _whole(shop.collect(), machines)
        shop.service.asked.clear()
        shop.service.refuses = lambda asked, number: 400 * (machines[1].id in asked.ids)
        collected = shop.collect()
    _whole(collected, [machines[0], machines[2]])
    assert DEAR not in {one.what for one in collected.problems}


@pytest.mark.parametrize("spare", [0, 50])
def test_machines_are_asked_one_by_one_only_below_the_limit(spare: int) -> None:
    """Of an hour, ten metrics of a machine count as a call, though less than one."""
    machines, hour = fleet(20), Window(NOW - timedelta(hours=1), NOW)
    with watched(machines) as shop:
        plan = float(metrics.estimate(shop.prepared(window=hour)).usd)
    with watched(machines, max_api_cost=plan + spare * 0.00001 + 0.000001) as shop:
        shop.service.refuses_batch = lambda asked: 403
        collected = shop.collect(window=hour)
        alone = shop.service.calls(batch=False)
    assert len(alone) == (20 if spare else 0)
    assert bool(collected.samples) is bool(spare)
    assert (Problem("Microsoft.Insights/metrics/read", DEAR, fatal=True) in collected.problems) is (
        not spare
    )


def test_a_proxy_that_refuses_batches_in_its_own_words_leaves_the_other_way() -> None:
    machines = fleet(2)
    with watched(machines) as shop:
        html = Answer(403, b"<html>", {"Content-Type": "text/html"})
        shop.door.rules.append(
            lambda call: html if call.path.endswith("/metrics:getBatch") else None
        )
        collected = shop.collect()
    assert {key[0] for key in collected.samples} == {one.id for one in machines}
    (problem,) = collected.problems
    assert "asked for one by one" in problem.what
    assert not problem.fatal
