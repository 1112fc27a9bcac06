"""Which queries a collect makes, and what it does when some of them fail."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from costopt.errors import ConfigError, InputError, ProviderError
from costopt.lake.store import Lake
from costopt.model import Series, Window
from costopt.pipeline import collect
from costopt.providers.base import Known
from costopt.providers.prometheus import PrometheusProvider, PrometheusSettings, sampling
from tests.fakes.prometheus import (
    DAY,
    NOON,
    Asked,
    Reply,
    Scripted,
    Told,
    serving,
    small_fleet,
)

UNTIL = datetime.fromtimestamp(NOON, UTC)
SIXTY_DAYS = 60 * 288  # periods
CPU = "100 * (1 - sum"
IN = "receive_bytes"
TWO_DAYS = 2 * 288


def provider(server: Scripted, **given: object) -> PrometheusProvider:
    settings = {"url": server.url, "until": UNTIL, **given}
    return PrometheusProvider(PrometheusSettings(**settings), pause=lambda s: None)  # type: ignore[arg-type]


def collected(source: PrometheusProvider, window: Window | None = None) -> pa.Table:
    return pa.concat_tables(source.metrics(window))


def rows(table: pa.Table, metric: str, machine: str | None = None) -> int:
    mask = pc.equal(table.column("MetricName"), metric)
    if machine:
        mask = pc.and_(mask, pc.equal(table.column("ResourceId"), machine))
    return table.filter(mask).num_rows


def covered(asked: list[Asked]) -> list[int]:
    """Every moment asked about."""
    return sorted(
        at
        for one in asked
        for at in range(int(one.form["start"]), int(one.form["end"]) + 1, int(one.form["step"]))
    )


def test_sixty_days_are_two_queries_a_metric_and_no_moment_twice() -> None:
    with serving(small_fleet()) as server:
        table = collected(provider(server))
    for needle in (CPU, "avg_over_time(node_memory_MemAvailable", IN):
        asked = [a for a in server.ranges(needle) if a.form["step"] == "300"]
        assert len(asked) == 2
        assert [a.points for a in asked] == [SIXTY_DAYS // 2] * 2
        first = NOON - 60 * DAY
        assert covered(asked) == list(range(first + 300, NOON + 1, 300))
    assert rows(table, "cpu_utilization") == 2 * TWO_DAYS  # no more is kept there


def test_a_sample_stands_at_the_start_of_what_it_is_about() -> None:
    with serving(small_fleet()) as server:
        table = collected(provider(server))
    first = table.filter(
        pc.and_(
            pc.equal(table.column("MetricName"), "cpu_utilization"),
            pc.equal(table.column("ResourceId"), "web-1"),
        )
    ).to_pylist()[0]
    asked_at = NOON - 2 * DAY + 300  # the earliest moment at which the server has an answer
    assert first["Timestamp"] == datetime.fromtimestamp(asked_at - 300, UTC)
    assert first["Value"] == asked_at // 300 % 40 + 1


def test_answers_are_bounded_whatever_the_fleet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "SAMPLES", 2 * 1000)  # of two machines
    with serving(small_fleet()) as server:
        table = collected(provider(server))
        asked = [a for a in server.ranges(IN) if a.form["step"] == "300"]
    assert len(asked) == 18
    assert max(a.points for a in asked) <= 1000
    assert covered(asked) == list(range(NOON - 60 * DAY + 300, NOON + 1, 300))
    assert rows(table, "network_in") == 2 * TWO_DAYS


def test_many_series_are_read_in_shorter_stretches() -> None:
    fleet = small_fleet()
    many = Told("count(node_cpu", {}, lambda at: 100_000.0)
    fleet.told.insert(0, many)
    with serving(fleet) as server:
        collected(provider(server, days=1))
        asked = server.ranges(CPU)
    assert {a.points for a in asked} == {96}  # ten million points read by each, at most a hundred


def test_a_query_that_is_too_much_is_halved() -> None:
    said = {"status": "error", "errorType": "execution", "error": "too many samples"}

    def reply(asked: Asked) -> Reply | None:
        big = asked.path.endswith("range") and IN in asked.form["query"] and asked.points > 2000
        return Reply(422, json.dumps(said).encode()) if big else None

    with serving(small_fleet()) as plain:
        wanted = collected(provider(plain))
    with serving(small_fleet()) as server:
        server.reply = reply
        source = provider(server)
        assert collected(source).equals(wanted)
        assert source.problems == []


def test_what_victoria_metrics_finds_too_much_is_halved_as_well() -> None:
    said = {"status": "error", "errorType": "422",
            "error": "cannot select more than -search.maxSamplesPerQuery=1000 samples"}  # fmt: skip

    def reply(asked: Asked) -> Reply | None:
        big = asked.path.endswith("range") and IN in asked.form["query"] and asked.points > 100
        return Reply(422, json.dumps(said).encode()) if big else None

    with serving(small_fleet()) as server:
        server.reply = reply
        source = provider(server, days=2)
        table = collected(source)
    assert rows(table, "network_in") == 2 * TWO_DAYS
    assert source.problems == []


def test_the_tenant_is_named_in_every_request(tmp_path: Path) -> None:
    """Of a doctor's checks too. Mimir answers 401 where it is not."""
    with serving(small_fleet()) as server:
        server.reply = lambda asked: (
            None if asked.headers.get("X-Scope-OrgID") == "team-a" else Reply(401, b"no org id")
        )
        source = provider(server, days=2, header=("X-Scope-OrgID: team-a",))
        collect(source, Lake(tmp_path / "lake"))
        checks = list(source.checks())
    paths = {asked.path.rpartition("/api/v1/")[2] for asked in server.asked}
    assert paths == {"query_range", "query", "series", "label/__name__/values", "status/buildinfo"}
    assert source.problems == []
    assert all(check.passed for check in checks)


def test_an_answer_that_is_not_whole_is_told_and_not_kept() -> None:
    """As Thanos says it, of one metric."""
    body = json.dumps({"status": "success", "data": {"resultType": "matrix", "result": []},
                       "warnings": ["store 10.0.0.7 is unavailable"]}).encode()  # fmt: skip

    def reply(asked: Asked) -> Reply | None:
        return Reply(200, body) if IN in asked.form.get("query", "") else None

    with serving(small_fleet()) as server:
        server.reply = reply
        strict, lenient = provider(server, days=2), provider(server, days=2, accept_partial=True)
        table = collected(strict)
        collected(lenient)
    (lost,) = strict.problems
    assert lost.fatal
    assert lost.where.startswith("network_in (mean) from")
    assert "not whole: store 10.0.0.7 is unavailable" in lost.what
    assert rows(table, "cpu_utilization") == 2 * TWO_DAYS
    (told,) = lenient.problems
    assert not told.fatal
    assert (told.where, told.what) == (server.url, "not whole: store 10.0.0.7 is unavailable")


def test_only_what_is_lacking_is_asked_for() -> None:
    held = {
        Series("web-1", "cpu_utilization", "mean", ""): UNTIL - timedelta(hours=1),
        Series("web-2", "cpu_utilization", "mean", ""): UNTIL - timedelta(days=1),
        Series("web-1", "network_in", "mean", ""): UNTIL,
        Series("web-2", "network_in", "mean", ""): UNTIL,
    }
    with serving(small_fleet()) as server:
        source = provider(server)
        source.resume(Known(held))
        table = collected(source)
    assert rows(table, "cpu_utilization", "web-1") == 12
    assert rows(table, "cpu_utilization", "web-2") == 288
    assert rows(table, "network_in") == 0
    assert server.ranges(IN) == []
    (asked,) = server.ranges(CPU)
    assert asked.points == 288


def test_few_machines_that_lag_are_asked_for_by_name() -> None:
    fleet = small_fleet()
    more = [
        Told(t.needle, {**t.labels, "instance": f"more-{n}:9100"}, t.value)
        for t in fleet.told
        for n in range(4)
        if t.labels.get("instance") == "web-1:9100"
    ]
    fleet.told += more
    names = ["web-1", "web-2", *(f"more-{n}" for n in range(4))]
    held = {Series(n, "cpu_utilization", "mean", ""): UNTIL - timedelta(hours=1) for n in names[1:]}
    with serving(fleet) as server:
        source = provider(server, max_concurrency=1)  # so that queries arrive in their order
        source.resume(Known(held))
        table = collected(source)
        asked = server.ranges(CPU)
    assert rows(table, "cpu_utilization", "web-1") == TWO_DAYS
    assert rows(table, "cpu_utilization", "more-3") == 12
    assert 'instance=~"web\\\\-1:9100"' in asked[0].form["query"]
    assert "instance=~" not in asked[-1].form["query"]  # then it is one of all


def test_what_is_young_is_left_for_the_next_time() -> None:
    """The server's clock counts, and samples of its last two minutes may still change."""
    with serving(small_fleet()) as server:
        server.clock = UNTIL + timedelta(seconds=100)
        table = collected(provider(server))
        end = pc.max(table.column("Timestamp")).as_py() + timedelta(seconds=300)
    assert end == UNTIL - timedelta(seconds=300)


def test_a_failing_metric_stops_no_other_and_gives_nothing_later() -> None:
    def reply(asked: Asked) -> Reply | None:
        late = asked.form.get("start", "") == str(NOON - 30 * DAY + 300)
        return Reply(500, b"out of order") if late and CPU in asked.form["query"] else None

    with serving(small_fleet()) as server:
        server.reply = reply
        source = provider(server)
        table = collected(source)
    assert rows(table, "cpu_utilization") == 0  # its days are in the part that failed
    assert rows(table, "network_in") == 2 * TWO_DAYS
    (problem,) = source.problems
    assert problem.fatal
    assert problem.where == "cpu_utilization (mean) from 2026-09-19 12:00 on"
    assert "out of order" in problem.what


def test_a_burst_of_503_loses_nothing() -> None:
    def replying(every: int) -> Callable[[Asked], Reply | None]:
        count = iter(range(10**6))
        return lambda asked: Reply(503, b"overloaded") if next(count) % every else None

    with serving(small_fleet()) as plain:
        wanted = collected(provider(plain))
    with serving(small_fleet()) as server:
        server.reply = replying(3)  # two of three are turned away
        source = provider(server, max_attempts=20)
        assert collected(source).equals(wanted)
    assert source.problems == []


def test_no_more_than_asked_for_at_a_time() -> None:
    with serving(small_fleet()) as server:
        one = collected(provider(server, max_concurrency=1))
        many = collected(provider(server, max_concurrency=8))
    assert one.equals(many)


def test_a_machine_that_nothing_reports_to_is_an_error() -> None:
    with serving(Scripted()) as server, pytest.raises(ProviderError, match="no machine reported"):
        provider(server).resources()


def test_a_period_shorter_than_two_scrapes_is_refused() -> None:
    with serving(small_fleet()) as server, pytest.raises(ConfigError, match="less than two") as e:
        provider(server, period=60).resources()
    assert e.value.hint.endswith("--period 300")


def scraped(an_hour: Callable[[int], float | None]) -> Scripted:
    """The small fleet, with so many scrapes in the hour before a moment."""
    fleet = small_fleet()
    others = [told for told in fleet.told if told.needle != "max by (instance"]
    fleet.told = [Told("max by (instance", {}, an_hour), *others]
    return fleet


def periods(table: pa.Table) -> set[int]:
    return set(table.column("PeriodSeconds").to_pylist())


def test_a_hole_in_the_last_hour_makes_no_period_longer() -> None:
    """26 minutes without a scrape leave 34 of 60, which alone would look like 106 s each."""
    with serving(scraped(lambda at: 34.0 if at == NOON else 60.0)) as server:
        assert periods(collected(provider(server))) == {300}


def test_an_hour_that_is_a_new_server_s_first_is_not_kept_for_good() -> None:
    def young(at: int) -> float | None:
        return 5.0 if at == NOON else None

    with serving(scraped(young)) as server:
        source = provider(server)
        assert periods(collected(source)) == {3600}
    assert not any(key.startswith("period") for key in source.notes)


def test_the_period_stays_as_long_as_it_holds_two_scrapes() -> None:
    def again(an_hour: float, notes: dict[str, str]) -> tuple[set[int], PrometheusProvider]:
        server.told[0] = Told("max by (instance", {}, lambda at: an_hour)
        source = provider(server, days=2)
        source.resume(Known(notes=notes))
        return periods(collected(source)), source

    with serving(scraped(lambda at: 60.0)) as server:
        first, source = again(60.0, {})
        second, slower = again(30.0, source.notes)  # 120 s, which alone would mean 600
        third, slow = again(20.0, slower.notes)
        fourth, fast = again(60.0, slow.notes)
    assert (first, second, third, fourth) == ({300}, {300}, {600}, {600})
    assert slower.notes == source.notes
    assert slower.problems == fast.problems == []
    (told,) = slow.problems
    assert told.what == (
        "samples now stand for 600 s, those collected before for 300 s; it is scraped every 180 s"
    )


def test_a_clock_that_is_far_off_is_told_once() -> None:
    with serving(small_fleet()) as server:
        server.clock = datetime.now(UTC) - timedelta(hours=2)
        source = provider(server, days=2)
        source.resources()
        collected(source)
    (problem,) = source.problems
    assert "behind ours" in problem.what
    assert not problem.fatal


def test_an_end_in_the_future_is_now() -> None:
    with serving(small_fleet()) as server:
        source = provider(server, until=datetime.now(UTC) + timedelta(days=100))
        collected(source)
        asked = server.ranges(IN)
    assert [p.where for p in source.problems] == ["--until"]
    assert "yet to come" in source.problems[0].what
    days = (int(asked[-1].form["end"]) - int(asked[0].form["start"])) / DAY
    assert 59.9 < days <= 60


def test_a_machine_label_that_no_series_has_is_told() -> None:
    with serving(small_fleet()) as server:
        source = provider(server, machine_label="hostname", days=2)
        assert source.resources().column("ResourceId").to_pylist() == ["web-1", "web-2"]
    (problem,) = source.problems
    assert (problem.where, problem.count) == ("--machine-label", 2)
    assert "no label 'hostname'" in problem.what


@pytest.mark.parametrize("text", [None, "hosts:\n- match: a\n  kw: cheap\n"])
def test_a_wrong_file_of_hosts_stops_all_before_the_first_query(
    text: str | None, tmp_path: Path
) -> None:
    path = tmp_path / "hosts.yml"
    if text:
        path.write_text(text)
    with serving(small_fleet()) as server:
        source = provider(server, hosts=path)
        with pytest.raises(InputError) as caught:
            collect(source, Lake(tmp_path / "lake"))
        assert server.asked == []
        wrong = next(iter(source.checks()))
        path.write_text("hosts: [{match: a}]")
        right = next(iter(source.checks()))
    assert caught.value.exit_code == 2
    assert caught.value.where.startswith(str(path))
    assert (wrong.name, wrong.passed) == ("hosts file", False)
    assert (right.passed, right.detail) == (True, "readable, entries: 1")


@pytest.mark.parametrize(
    "given",
    [
        {"token_env": "NOT_SET_HERE"},
        {"token_file": Path("no-such-file")},
        {"header": ("X-Api-Key: @no-such-file",)},
        {"username": "me", "password_env": "NOT_SET_HERE"},
        {"url": "https://127.0.0.1", "ca_file": Path("no-such-file")},
        {"url": "https://127.0.0.1", "cert_file": Path("no-such-file")},
    ],
    ids=["token_env", "token_file", "header", "password", "authority", "certificate"],
)
def test_what_cannot_be_read_stops_all_before_the_first_query(
    given: dict[str, object], tmp_path: Path
) -> None:
    with serving(small_fleet()) as server:
        if "url" in given:
            given = {**given, "url": server.url.replace("http:", "https:")}
        with pytest.raises(ConfigError):
            collect(provider(server, **given), Lake(tmp_path / "lake"))
        with pytest.raises(ConfigError):
            list(provider(server, **given).checks())
        assert server.asked == []


def test_a_server_that_is_none_is_asked_once(tmp_path: Path) -> None:
    """Not again for each table."""
    page = Reply(200, b"<!DOCTYPE html><title>Grafana</title>")
    with serving(Scripted(reply=lambda asked: page)) as server:
        with pytest.raises(ProviderError, match="a web page"):
            collect(provider(server), Lake(tmp_path / "lake"))
        assert len(server.asked) == 1


def test_two_shapes_of_one_type_stop_all_before_the_first_query(tmp_path: Path) -> None:
    path = tmp_path / "hosts.yml"
    path.write_text(
        "hosts:\n- {match: web-1, type: x, threads: 8, memory_gib: 32}\n"
        "- {match: web-2, type: x, threads: 9, memory_gib: 32}\n"
    )
    with serving(small_fleet()) as server:
        with pytest.raises(InputError, match="two entries name") as caught:
            collect(provider(server, hosts=path), Lake(tmp_path / "lake"))
        assert server.asked == []
    assert caught.value.where == f"{path}:3:3"


def test_two_shapes_of_one_type_that_are_measured_stop_the_samples_too(tmp_path: Path) -> None:
    path = tmp_path / "hosts.yml"
    path.write_text(
        "hosts:\n- {match: web-1, type: x}\n- {match: web-2, type: x, threads: 9, memory_gib: 32}\n"
    )
    with serving(small_fleet()) as server, pytest.raises(InputError, match="two entries name"):
        collect(provider(server, hosts=path), Lake(tmp_path / "lake"))


def test_recorded_series_are_read_from_when_they_cover_all() -> None:
    """Before that the raw ones are, and both parts meet."""
    name = "costopt:network_in:mean300s"
    since = NOON - DAY
    fleet = small_fleet()
    fleet.names.append(name)
    machines = [t.labels for t in fleet.told if t.needle == IN]
    fleet.told[:0] = [
        Told("count(last_over", {}, lambda at: 2.0 if at >= since else 1.0),
        Told("count(node_memory", {}, lambda at: 2.0),
        *(Told(name, labels, lambda at: 7.0) for labels in machines),
    ]
    with serving(fleet) as server:
        table = collected(provider(server, days=3))
    raw, kept = server.ranges(f"rate(node_network_{IN}"), server.ranges(f"({name}")
    kept = [a for a in kept if a.form["step"] == "300"]
    assert covered(raw)[-1] + 300 == covered(kept)[0]
    assert covered(kept)[0] == since + 300
    assert covered(kept)[-1] == NOON
    values = table.filter(pc.equal(table.column("MetricName"), "network_in"))
    recent = pc.greater_equal(values.column("Timestamp"), pa.scalar(UNTIL - timedelta(days=1)))
    assert set(values.filter(recent).column("Value").to_pylist()) == {7.0}
    assert values.num_rows == 2 * TWO_DAYS


def test_a_token_is_in_no_table_log_or_problem(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    token = "planted-t0ken-of-the-test"
    monkeypatch.setenv("PROM_TOKEN", token)
    caplog.set_level(logging.DEBUG)
    with serving(small_fleet()) as server:
        server.reply = lambda asked: (
            Reply(500, f"no {token}".encode()) if IN in asked.form.get("query", "") else None
        )
        source = provider(server, token_env="PROM_TOKEN", days=2)
        tables = [source.resources(), source.prices(), source.shapes(), collected(source)]
    assert all(asked.headers["Authorization"] == f"Bearer {token}" for asked in server.asked)
    assert source.problems
    shown = [caplog.text, repr(source.problems), *(str(t.to_pylist()) for t in tables)]
    assert all(token not in text for text in shown)


def noted(server: Scripted, lake: Lake, **given: object) -> tuple[int, list[Asked]]:
    """The rows that a collect gave, and what it asked of CPU."""
    server.asked.clear()
    found = collect(provider(server, **given), lake)
    assert found.problems == ()
    return found.rows["metrics"], server.ranges(CPU)


def test_more_days_are_asked_for_before_what_is_held(tmp_path: Path) -> None:
    lake, whole = Lake(tmp_path / "lake"), Lake(tmp_path / "whole")
    with serving(small_fleet()) as server:
        first, asked = noted(server, lake, days=1)
        assert covered(asked) == list(range(NOON - DAY + 300, NOON + 1, 300))
        second, asked = noted(server, lake, days=60)
        assert covered(asked) == list(range(NOON - 60 * DAY + 300, NOON - DAY + 1, 300))
        assert noted(server, lake, days=60) == (0, [])
        assert noted(server, lake, days=1) == (0, [])
        at_once, _ = noted(server, whole, days=60)
    assert first + second == at_once


def test_days_that_were_left_alone_between_two_collects_are_asked_for(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    with serving(small_fleet()) as server:
        noted(server, lake, days=1, until=UNTIL - timedelta(days=1, hours=12))
        noted(server, lake, days=1)
        _, asked = noted(server, lake, days=2)
    end = NOON - DAY
    assert covered(asked) == list(range(end - DAY // 2 + 300, end + 1, 300))


def test_an_earlier_stretch_that_fails_is_asked_for_again(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    with serving(small_fleet()) as server:
        noted(server, lake, days=1)
        server.reply = lambda asked: (
            Reply(500, b"out of order") if CPU in asked.form.get("query", "") else None
        )
        (failed,) = collect(provider(server, days=2), lake).problems
        assert failed.fatal
        server.reply = lambda asked: None
        rows_, asked = noted(server, lake, days=2)
    assert rows_ == 2 * 288
    assert covered(asked) == list(range(NOON - 2 * DAY + 300, NOON - DAY + 1, 300))
