"""How large machines are: asked for in parts where they are many, and less where it is too much."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from costopt.providers.prometheus import PrometheusProvider, fleet
from costopt.providers.prometheus.settings import PrometheusSettings
from tests.fakes import prometheus

SIZES = "node_memory_MemTotal_bytes{}"


def _resources(server: prometheus.Scripted):
    until = datetime.fromtimestamp(prometheus.NOON, UTC)
    return PrometheusProvider(PrometheusSettings(url=server.url, until=until)).resources()


@pytest.fixture
def server():
    with prometheus.serving(prometheus.small_fleet(3)) as made:
        yield made


def test_in_parts_the_newest_of_each_machine_is_what_it_is_at_once(server, monkeypatch) -> None:
    whole = _resources(server)
    (at_once,) = (asked for asked in server.ranges() if asked.form["query"] == SIZES)
    server.asked.clear()
    monkeypatch.setattr(fleet, "_AT_ONCE", 3 * 50)
    assert _resources(server).equals(whole)
    parts = [asked for asked in server.ranges() if asked.form["query"] == SIZES]
    assert [part.points for part in parts] == [50, 50, 50, 50, 41]
    moments = [
        at
        for part in reversed(parts)
        for at in range(int(part.form["start"]), int(part.form["end"]) + 1, int(part.form["step"]))
    ]
    first, last, step = (int(at_once.form[name]) for name in ("start", "end", "step"))
    assert moments == list(range(first, last + 1, step))  # each once, none left out


@pytest.mark.parametrize("refused", [[0], [1], [0, 1]])
def test_too_much_leaves_the_newest_known(server, monkeypatch, refused) -> None:
    whole = _resources(server)
    monkeypatch.setattr(fleet, "_AT_ONCE", 3 * 50)
    server.asked.clear()
    much = prometheus.Reply(422, b'{"status":"error","error":"too many samples"}')

    def reply(asked: prometheus.Asked) -> prometheus.Reply | None:
        if not asked.path.endswith("query_range") or asked.form["query"] != SIZES:
            return None
        return much if len(server.ranges(SIZES)) - 1 in refused else None

    server.reply = reply
    assert _resources(server).equals(whole)
