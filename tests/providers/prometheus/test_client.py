"""How the server is asked, and what people are told when it does not answer as it should."""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
import logging
import socketserver
import threading
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from costopt.errors import ConfigError, CostoptError, ProviderError
from costopt.providers.prometheus import queries
from costopt.providers.prometheus import wire as module
from costopt.providers.prometheus.client import Client, PartialError, TooMuchError
from costopt.providers.prometheus.settings import PrometheusSettings
from costopt.providers.prometheus.slots import Span
from tests.fakes.prometheus import Asked, Reply, Scripted, Told, serving

TOKEN = "tok-5ecret-0123456789"


class Waits(list[float]):
    """Seconds that would have been waited."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def ask(url: str, waits: Waits | None = None, **given: object) -> object:
    settings = PrometheusSettings(url=url, **given)  # type: ignore[arg-type]
    client = Client(settings, Waits() if waits is None else waits)
    return client.ask("query", {"query": "vector(1)", "time": "0"})


def answering(*replies: Reply, **given: object) -> Scripted:
    told = [Told("vector", {}, lambda at: 1.0)]
    return Scripted(told=told, first=list(replies), **given)  # type: ignore[arg-type]


def test_queries_go_by_post_below_the_prefix() -> None:
    with serving(answering(prefix="/prometheus")) as server:
        ask(server.url, header=("X-Scope-OrgID: team-a",))
    (asked,) = server.asked
    assert asked.path == "/prometheus/api/v1/query"
    assert asked.form["query"] == "vector(1)"
    assert asked.headers["X-Scope-OrgID"] == "team-a"


def test_a_busy_server_is_asked_again_after_a_while() -> None:
    waits = Waits()
    burst = [Reply(503, b"busy"), Reply(429, b"", {"Retry-After": "7"}), Reply(502), Reply(504)]
    with serving(answering(*burst)) as server:
        ask(server.url, waits)
    assert len(server.asked) == 5
    assert waits[1] == 7
    assert all(0 <= waits[n] <= 0.5 * 2 ** (n + 1) for n in (0, 2, 3))


def test_a_busy_server_may_name_the_moment() -> None:
    waits = Waits()
    noon = datetime(2026, 11, 2, 12, tzinfo=UTC)
    later = format_datetime(noon + timedelta(seconds=90), usegmt=True)
    with serving(answering(Reply(429, b"", {"Retry-After": later}))) as server:
        server.clock = noon
        ask(server.url, waits)
    assert waits == [90]


def test_who_is_sent_away_for_long_does_not_come_back_early() -> None:
    waits = Waits()
    with serving(answering(Reply(429, b"", {"Retry-After": "3600"}))) as server:
        with pytest.raises(ProviderError, match="to come back in 3600 s") as caught:
            ask(server.url, waits)
        assert len(server.asked) == 1
    assert waits == []
    assert "later" in caught.value.hint


def test_patience_ends() -> None:
    with serving(Scripted(reply=lambda asked: Reply(503, b"busy"))) as server:
        with pytest.raises(ProviderError, match="HTTP 503: busy"):
            ask(server.url, max_attempts=3)
        assert len(server.asked) == 3


def test_no_server_is_told_after_all_tries() -> None:
    with serving(Scripted()) as server:
        url = server.url
    waits = Waits()
    with pytest.raises(ProviderError, match="no connection") as caught:
        ask(url, waits, max_attempts=3)
    assert len(waits) == 2
    assert caught.value.where == f"{url}/api/v1/query"


def _error(kind: str, text: str) -> bytes:
    return json.dumps({"status": "error", "errorType": kind, "error": text}).encode()


REFUSALS = {
    "a wrong token": (Reply(401, b"{}"), "does not know us", "--token-file"),
    "no right": (Reply(403, b"denied"), "does not let us in", "may not query"),
    "a wrong prefix": (Reply(404, b"404"), "no such page", "/prometheus"),
    "a web page": (Reply(200, b"\n<!doctype html><p>Sign in"), "a web page", "/prometheus"),
    "a cut answer": (Reply(200, b'{"status":"succ'), "no JSON", "Prometheus"),
    "no object": (Reply(200, b"[1]"), "no JSON", "Prometheus"),
    "a bad query": (
        Reply(400, _error("bad_data", "parse error at char 3")), "parse error at char 3", "docs/",
    ),
    "another host": (
        Reply(302, b"", {"Location": "https://login.example/start?rd=secret"}),
        "https://login.example/start, which is not followed", "sign in",
    ),
    "another port": (
        Reply(302, b"", {"Location": "https://me:secret@prom.example:9443/graph"}),
        "https://prom.example:9443/graph, which is not followed", "final address",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("reply", "said", "hint"), REFUSALS.values(), ids=REFUSALS)
def test_what_is_wrong_is_said(reply: Reply, said: str, hint: str) -> None:
    with serving(Scripted(reply=lambda asked: reply)) as server:
        with pytest.raises(ProviderError) as caught:
            ask(server.url)
        assert len(server.asked) == 1  # asking again would not help
    assert said in caught.value.what
    assert hint in caught.value.hint
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(503, _error("timeout", "query timed out in expression evaluation")),
        Reply(422, _error("execution", "query processing would load too many samples into memory")),
        Reply(422, _error("execution", "the query exceeded the maximum number of chunks")),
        Reply(
            400, _error("bad_data", "exceeded maximum resolution of 11,000 points per timeseries")
        ),
        Reply(422, _error("bad_data", "the query time range exceeds the limit (720h)")),
        Reply(413, b'{"status":"error","error":"too big"}'),
        # VictoriaMetrics, app/vmselect/netstorage/netstorage.go
        Reply(
            422,
            _error(
                "422",
                "cannot select more than -search.maxSamplesPerQuery=1000 samples; "
                "possible solutions: reduce time range for the query",
            ),
        ),
        Reply(422, _error("422", "not enough memory for processing 9 data points")),
        # Mimir, pkg/util/globalerror
        Reply(
            422,
            _error(
                "execution",
                "the query exceeded the maximum number of samples"
                " (limit: 50000000) (err-mimir-max-chunks-per-query)",
            ),
        ),
    ],
    ids=[
        "timeout",
        "samples",
        "chunks",
        "points",
        "length",
        "413",
        "VictoriaMetrics",
        "memory",
        "Mimir",
    ],
)
def test_too_much_is_not_asked_again_as_it_is(reply: Reply) -> None:
    with serving(Scripted(reply=lambda asked: reply)) as server:
        with pytest.raises(TooMuchError):
            ask(server.url)
        assert len(server.asked) == 1


def test_an_answer_without_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST", 100_000)
    packed = gzip.compress(b"1" * 10_000_000)
    reply = Reply(200, packed, {"Content-Encoding": "gzip"})
    server = Scripted(reply=lambda asked: reply)
    with serving(server), pytest.raises(TooMuchError, match="larger than"):
        ask(server.url)


def test_an_answer_is_cut_by_what_is_sent_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """Packed so that much is sent and nothing comes out: a file name without end."""
    monkeypatch.setattr(module, "LARGEST", 100_000)
    endless = b"\x1f\x8b\x08\x08" + bytes(6) + b"n" * 400_000
    reply = Reply(200, endless, {"Content-Encoding": "gzip"})
    server = Scripted(reply=lambda asked: reply)
    with serving(server), pytest.raises(TooMuchError, match="larger than"):
        ask(server.url)


ANSWER = b'HTTP/1.1 200 OK\r\nContent-Length: 32\r\n\r\n{"status":"success","data":"ok"}'
TRICKLES = {
    "nothing": b"",
    "the first line": b"HTTP/1.1 200 " + b"O" * 5000,
    "headers": b"HTTP/1.1 200 OK\r\n" + b"X-Pad: 1\r\n" * 500,
    "the size of a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"0" * 5000,
    "the body": b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b" " * 5000,
}


@contextlib.contextmanager
def trickling(*answers: bytes) -> Iterator[str]:
    """A server that gives each connection its answer: the last whole, the others by drops."""
    over = threading.Event()
    left = list(answers)

    class Drops(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            answer = left.pop(0) if len(left) > 1 else left[0]
            self.request.recv(65_536)
            with contextlib.suppress(OSError):
                if answer is ANSWER:
                    self.request.sendall(answer)
                    return
                for n in range(len(answer)):
                    self.request.sendall(answer[n : n + 1])
                    if n > 40 and over.wait(0.02):
                        return
                over.wait(30)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Drops) as server:
        server.daemon_threads = True
        serving_it = threading.Thread(target=server.serve_forever, args=(0.02,))
        serving_it.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            over.set()
            server.shutdown()
            serving_it.join()


@pytest.mark.parametrize("drops", TRICKLES.values(), ids=TRICKLES)
def test_the_timeout_is_for_the_whole_answer(drops: bytes) -> None:
    """Each read is quick, and would go on for ever."""
    waits = Waits()
    with trickling(drops) as url, pytest.raises(ProviderError) as caught:
        ask(url, waits, timeout=0.25, max_attempts=2)
    assert caught.value.what == "the answer was not whole after 0.25 s"
    assert "--timeout" in caught.value.hint
    assert len(waits) == 1  # and tried again, as where nobody answers
    assert 0 <= waits[0] <= 1


def test_an_answer_that_is_late_once_is_none_the_worse() -> None:
    with trickling(TRICKLES["headers"], ANSWER) as url:
        assert ask(url, timeout=0.25) == "ok"


def test_a_handshake_without_end_is_late_too() -> None:
    with trickling(b"") as url, pytest.raises(ProviderError, match="no answer in time") as caught:
        ask(url.replace("http:", "https:"), timeout=0.25, max_attempts=1)
    assert caught.value.where.startswith("https:")


def test_its_thread_ends_with_the_client() -> None:
    """Whoever held it last."""
    before = set(threading.enumerate())
    with serving(answering()) as server:
        client = Client(PrometheusSettings(url=server.url), Waits())
        client.ask("query", {"query": "vector(1)", "time": "0"})
        new = set(threading.enumerate()) - before
        (wire,) = [t for t in new if t.name == "costopt-prometheus-wire"]
        del client
        wire.join(5)
    assert not wire.is_alive()


def test_a_damaged_answer_is_called_so() -> None:
    reply = Reply(200, b"no gzip at all", {"Content-Encoding": "gzip"})
    server = Scripted(reply=lambda asked: reply)
    with serving(server), pytest.raises(ProviderError, match="damaged"):
        ask(server.url)


@pytest.mark.parametrize("at", ["1e30", "1e400", "-5", "253402300800", '"noon"', "null", "{}"])
def test_a_time_that_is_none_is_an_error(at: str) -> None:
    body = f'{{"status":"success","data":{{"result":[{{"metric":{{}},"value":[{at},"1"]}}]}}}}'
    with serving(Scripted(reply=lambda asked: Reply(200, body.encode()))) as server:
        client = Client(PrometheusSettings(url=server.url), Waits())
        with pytest.raises(ProviderError, match="not in the form"):
            queries.number(client, "vector(1)", 0)


@pytest.mark.parametrize("value", ["1e400", "NaN", "+Inf"])
def test_a_number_that_is_none_is_missing(value: str) -> None:
    body = f'{{"status":"success","data":{{"result":[{{"metric":{{}},"value":[1,"{value}"]}}]}}}}'
    with serving(Scripted(reply=lambda asked: Reply(200, body.encode()))) as server:
        client = Client(PrometheusSettings(url=server.url), Waits())
        assert queries.number(client, "vector(1)", 0) is None


@pytest.mark.parametrize("data", ['["a"]', "5", '{"a": 1}'])
def test_lists_that_are_none_are_an_error(data: str) -> None:
    reply = Reply(200, f'{{"status":"success","data":{data}}}'.encode())
    with serving(Scripted(reply=lambda asked: reply)) as server:
        client = Client(PrometheusSettings(url=server.url), Waits())
        with pytest.raises(ProviderError, match="not in the form"):
            queries.series(client, "up", Span(0, 300))


def test_a_clock_without_a_zone_is_utc() -> None:
    """-0000 says that a time is UTC, and nothing of where the server stands (RFC 5322, 3.3)."""
    noon = datetime(2026, 11, 2, 12, tzinfo=UTC)
    with serving(answering()) as server:
        server.clock = noon.replace(tzinfo=None)  # which is written as -0000
        client = Client(PrometheusSettings(url=server.url), Waits())
        client.ask("query", {"query": "vector(1)", "time": "0"})
    assert client.server_time == noon


def test_a_partial_answer_is_none_unless_accepted() -> None:
    with serving(answering(warnings=["store 10.0.0.7 is unavailable"])) as server:
        with pytest.raises(PartialError, match="not whole: store"):
            ask(server.url)
        assert ask(server.url, accept_partial=True)


def test_victoria_metrics_says_otherwise_that_an_answer_is_partial() -> None:
    body = b'{"status":"success","isPartial":true,"data":{"result":[]}}'
    with serving(Scripted(reply=lambda asked: Reply(200, body))) as server:
        with pytest.raises(PartialError, match="says that it is partial"):
            ask(server.url)
        settings = PrometheusSettings(url=server.url, accept_partial=True)
        client = Client(settings, Waits())
        client.ask("query", {"query": "up"})
    assert client.warnings == ["not whole: it says that it is partial"]


def test_doubts_about_a_query_are_no_part_that_lacks() -> None:
    """Prometheus 3 tells both in the same place."""
    doubt = "PromQL warning: encountered a mix of histograms and floats (1:5)"
    with serving(answering(warnings=[doubt])) as server:
        client = Client(PrometheusSettings(url=server.url), Waits())
        client.ask("query", {"query": "vector(1)", "time": "0"})
    assert client.warnings == [doubt]


def _token_file(folder: Path) -> dict[str, object]:
    (folder / "token").write_text(TOKEN + "\n")
    return {"token_file": folder / "token"}


def _password_file(folder: Path) -> dict[str, object]:
    (folder / "password").write_text(TOKEN)
    return {"username": "reader", "password_file": folder / "password"}


def _header_file(folder: Path) -> dict[str, object]:
    (folder / "key").write_text(TOKEN)
    return {"header": (f"X-Api-Key: @{folder / 'key'}",)}


@pytest.mark.parametrize("secret", [_token_file, _password_file, _header_file])
def test_secrets_are_sent_and_nowhere_shown(
    secret: Callable[[Path], dict[str, object]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Not in logs at any level, not in errors, not where the other side sends them back."""
    sent: list[Asked] = []

    def echo(asked: Asked) -> Reply:
        sent.append(asked)
        return Reply(400, _error("bad_data", f"what is {TOKEN} and {dict(asked.headers)}?"))

    given = secret(tmp_path)
    settings = PrometheusSettings(url="http://127.0.0.1:1", **given)  # type: ignore[arg-type]
    server = Scripted(reply=echo)
    caplog.set_level(logging.DEBUG)
    with serving(server), pytest.raises(ProviderError) as caught:
        ask(server.url, **given)
    headers = sent[0].headers
    assert any(TOKEN in value or "Basic " in value for value in headers.values())
    shown = [repr(settings), str(caught.value), caplog.text, repr(vars(caught.value))]
    shown += traceback.format_exception(caught.value)
    packed = base64.b64encode(f"reader:{TOKEN}".encode()).decode()
    assert all(TOKEN not in text and packed not in text for text in shown)
    assert "***" in str(caught.value)


@pytest.mark.parametrize("at", range(285, 301, 3))
def test_a_text_is_cut_after_its_secrets_are_struck_out(at: int, tmp_path: Path) -> None:
    """Else a part of one that lies across the cut would be shown."""
    filler = ("so " * 100)[:at]
    body = f"{filler}{TOKEN} {TOKEN[:9]}\0{TOKEN[9:]}".encode()
    with (
        serving(Scripted(reply=lambda asked: Reply(500, body))) as server,
        pytest.raises(ProviderError) as caught,
    ):
        ask(server.url, **_token_file(tmp_path))
    assert TOKEN[:3] not in str(caught.value)


def test_a_password_may_be_of_any_letters(tmp_path: Path) -> None:
    """RFC 7617: in UTF-8. A token stands in a header as it is, so it may not."""
    (tmp_path / "password").write_text("pässwörd€\n", encoding="utf-8")
    with serving(answering()) as server:
        ask(server.url, username="zoë", password_file=tmp_path / "password")
    packed = server.asked[0].headers["Authorization"].removeprefix("Basic ")
    assert base64.b64decode(packed).decode() == "zoë:pässwörd€"
    with pytest.raises(ConfigError, match="no secret"):
        ask("http://127.0.0.1:1", token_file=tmp_path / "password")


def test_a_token_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROM_TOKEN", TOKEN)
    with serving(answering()) as server:
        ask(server.url, token_env="PROM_TOKEN")
    assert server.asked[0].headers["Authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"token_env": "NOT_SET_HERE"}, "NOT_SET_HERE is not set"),
        ({"token_file": "missing"}, "cannot be read"),
        ({"token_file": "empty"}, "is empty"),
        ({"token_file": "binary"}, "no secret"),
        ({"ca_file": "empty"}, "certificate cannot be used"),
    ],
)
def test_unusable_secrets_are_told_without_their_content(
    given: dict[str, str], said: str, tmp_path: Path
) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\x00secret\nmore")
    files = {k: tmp_path / v if k.endswith("file") else v for k, v in given.items()}
    with pytest.raises(ConfigError, match=said) as caught:
        ask("https://127.0.0.1:1", **files)
    assert "more" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"url": "http://me:pw@prom.example"}, "do not belong into the address"),
        ({"url": "prom.example:9090"}, "not an address"),
        ({"header": ("Authorization: Bearer x",)}, "put it into a file"),
        ({"header": ("no colon",)}, "not a header"),
        ({"username": "me"}, "--password-file"),
        ({"token_env": "A", "username": "me", "password_env": "B"}, "either a token or a user"),
        ({"period": 7}, "greater than or equal"),
        ({"period": 1000}, "do not divide a day"),
        ({"only": 'a="b"} or vector(1'}, "not matchers"),
        ({"token_file": "A", "token_env": "B"}, "two sources of one token"),
        ({"key_file": "A"}, "needs its --cert-file"),
        ({"ca_file": "A"}, "not encrypted"),
        ({"url": "https://grafana.example/d/rYdddlPWk/node?orgId=1"}, "do not belong"),
        ({"url": "https://grafana.example/d/rYdddlPWk/node"}, "a page for people"),
        ({"url": "https://grafana.example/explore"}, "a page for people"),
        ({"url": "http://prom.example:9090/graph"}, "a page for people"),
        ({"header": ("X-Team: a", "x-team: b")}, "'x-team' twice"),
        ({"header": ("Authorization: @f",), "token_env": "A"}, "a token or a user"),
        ({"header": ("Accept-Encoding: br",)}, "set by costopt itself"),
    ],
)
def test_unusable_settings_are_refused(given: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        PrometheusSettings(**{"url": "http://prom.example", **given})  # type: ignore[arg-type]


def test_errors_know_where_and_what_next() -> None:
    server = Scripted(reply=lambda asked: Reply(401))
    with serving(server), pytest.raises(CostoptError) as caught:
        ask(server.url)
    assert caught.value.exit_code == 4
    assert "next:" in str(caught.value)
