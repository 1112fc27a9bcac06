"""Two stand-ins for a fleet's Prometheus: Debian's own on loopback, and a scripted HTTP server."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

Points = Iterable[tuple[float, float]]  # seconds, value


@dataclass(frozen=True)
class Given:
    """One series that is put in."""

    name: str
    labels: Mapping[str, str]
    points: Points


def openmetrics(series: Iterable[Given]) -> Iterator[str]:
    """Lines for promtool: families together, times in seconds."""
    families: dict[str, list[Given]] = {}
    for one in series:
        families.setdefault(one.name, []).append(one)
    for name, members in families.items():
        yield f"# TYPE {name} gauge\n"
        for one in members:
            labels = ",".join(f"{k}={json.dumps(v)}" for k, v in one.labels.items())
            for at, value in one.points:
                yield f"{name}{{{labels}}} {value!r} {at}\n"
    yield "# EOF\n"


@contextlib.contextmanager
def real(prometheus: str, promtool: str, folder: Path, series: Iterable[Given]) -> Iterator[str]:
    """A Prometheus that holds these series; its address on loopback."""
    given = folder / "given.om"
    with given.open("w") as file:
        file.writelines(openmetrics(series))
    # promtool reads its input once for each block: two weeks in blocks of two hours take minutes
    blocks = "--max-block-duration=384h"
    backfill = [promtool, "tsdb", "create-blocks-from", blocks, "openmetrics", "-q"]
    subprocess.run([*backfill, str(given), str(folder / "data")], check=True, capture_output=True)
    given.unlink()
    (folder / "prometheus.yml").write_text("global: {scrape_interval: 1h}\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [
                prometheus,
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                "--storage.tsdb.retention.time=100y",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stderr=log,
        )
        try:
            _ready(f"http://127.0.0.1:{port}/-/ready", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=30)


def _ready(address: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if process.poll() is not None:
            raise RuntimeError(f"prometheus ended with {process.returncode}")
        with contextlib.suppress(urllib.error.URLError, OSError):
            urllib.request.urlopen(address, timeout=5).close()
            return
        time.sleep(0.1)
    raise RuntimeError("prometheus is not ready after 30 s")


@dataclass(frozen=True)
class Told:
    """What the scripted server answers where `needle` stands in the query or selector."""

    needle: str
    labels: Mapping[str, str]
    value: Callable[[int], float | None]  # of the second asked about; None = no sample


@dataclass
class Reply:
    """An answer word for word, given instead of the right one."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Asked:
    """A request as it came."""

    path: str
    headers: Mapping[str, str]
    form: Mapping[str, str]

    @property
    def points(self) -> int:
        """Points a series that a query_range asks for."""
        span = float(self.form["end"]) - float(self.form["start"])
        return int(span // float(self.form["step"])) + 1


@dataclass
class Scripted:
    """A Prometheus that knows the answers; the first needle that stands in a query counts.

    It refuses more than 11,000 points a series as the real one does.
    """

    told: list[Told] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    first: list[Reply] = field(default_factory=list)  # used up before anything right is said
    reply: Callable[[Asked], Reply | None] = lambda asked: None
    warnings: list[str] = field(default_factory=list)
    prefix: str = ""
    behind: str = ""  # address of a real one, which is asked where none of the above says anything
    clock: datetime = field(default_factory=lambda: datetime.now(UTC))
    asked: list[Asked] = field(default_factory=list)
    url: str = ""

    def ranges(self, needle: str = "") -> list[Asked]:
        """The query_range requests whose query holds the needle."""
        return [
            a for a in self.asked if a.path.endswith("query_range") and needle in a.form["query"]
        ]

    def answer(self, asked: Asked) -> Reply:
        """What is said to that request."""
        if self.first:
            return self.first.pop(0)
        if special := self.reply(asked):
            return special
        if self.behind:
            return self._passed_on(asked)
        if not asked.path.startswith(f"{self.prefix}/api/v1/"):
            return Reply(404, b"404 page not found")
        data = self._data(asked.path.removeprefix(f"{self.prefix}/api/v1/"), asked)
        if isinstance(data, Reply):
            return data
        said: dict[str, Any] = {"status": "success", "data": data}
        if self.warnings:
            said["warnings"] = self.warnings
        return Reply(200, json.dumps(said).encode())

    def _passed_on(self, asked: Asked) -> Reply:
        said = httpx.get(f"{self.behind}{asked.path}", params=dict(asked.form), timeout=30)
        return Reply(said.status_code, said.content)

    def _data(self, what: str, asked: Asked) -> Any:
        if what == "status/buildinfo":
            return {"version": "2.42.0"}
        if what == "label/__name__/values":
            return self.names
        if what == "series":
            found = self._about(asked.form["match[]"])
            return [{"__name__": "x", **t.labels} for t in found]
        if what == "query":
            return self._vector(asked.form["query"], round(float(asked.form["time"])))
        if asked.points > 11_000:
            said = {"status": "error", "errorType": "bad_data", "error": "exceeded maximum"}
            return Reply(400, json.dumps(said).encode())
        return self._matrix(asked)

    def _about(self, text: str) -> list[Told]:
        needle = next((t.needle for t in self.told if t.needle in text), None)
        return [t for t in self.told if t.needle == needle]

    def _vector(self, query: str, at: int) -> Any:
        values = [(t.labels, t.value(at)) for t in self._about(query)]
        result = [{"metric": dict(m), "value": [at, str(v)]} for m, v in values if v is not None]
        return {"resultType": "vector", "result": result}

    def _matrix(self, asked: Asked) -> Any:
        start, step = round(float(asked.form["start"])), round(float(asked.form["step"]))
        moments = range(start, start + asked.points * step, step)
        result = []
        for told in reversed(self._about(asked.form["query"])):  # an order of its own
            points = [(at, told.value(at)) for at in moments]
            values = [[at, repr(v)] for at, v in points if v is not None]
            if values:
                result.append({"metric": {"__name__": "x", **told.labels}, "values": values})
        return {"resultType": "matrix", "result": result}


@contextlib.contextmanager
def serving(server: Scripted, tls: ssl.SSLContext | None = None) -> Iterator[Scripted]:
    """The server on loopback, at its `url`."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else a body waits 40 ms for the headers' receipt

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            self._say(self.rfile.read(length).decode())

        def do_GET(self) -> None:
            self._say(urlsplit(self.path).query)

        def _say(self, text: str) -> None:
            form = {key: values[0] for key, values in parse_qs(text).items()}
            asked = Asked(urlsplit(self.path).path, dict(self.headers.items()), form)
            with lock:
                server.asked.append(asked)
                reply = server.answer(asked)
            self.send_response_only(reply.status)
            self.send_header(
                "Date", format_datetime(server.clock, usegmt=bool(server.clock.tzinfo))
            )
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *args: object) -> None:
            """Nothing on stderr."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    http.handle_error = lambda *_: None  # type: ignore[method-assign]  (refused handshakes)
    if tls:  # the handshake belongs to the thread that answers, not to the one that listens
        http.socket = tls.wrap_socket(http.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(
        target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
    )
    thread.start()
    server.url = f"{'https' if tls else 'http'}://127.0.0.1:{http.server_port}{server.prefix}"
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()


DAY = 86_400
NOON = int(datetime(2026, 10, 19, 12, tzinfo=UTC).timestamp())


HOSTS = """\
defaults: {currency: EUR, years: 4, discount_rate: 8, pue: 1.4, power_price_kwh: 0.2, site: ams}
hosts:
  - {match: web-*, cores: 4, threads: 8, memory_gib: 32, purchase_price: 8000, kw: 0.25}
"""


def small_fleet(count: int = 2) -> Scripted:
    """Machines (two) with node_exporter, with samples of the two days up to `NOON`."""

    def within(value: Callable[[int], float]) -> Callable[[int], float | None]:
        return lambda at: value(at) if NOON - 2 * DAY < at <= NOON else None

    machines = [{"instance": f"web-{n}:9100", "job": "node"} for n in range(1, count + 1)]
    told = []
    for n, labels in enumerate(machines, 1):
        told += [
            Told("node_uname_info", {**labels, "nodename": f"web-{n}", "sysname": "Linux",
                                     "machine": "x86_64"}, lambda at: 1.0),
            Told("max by (instance", {}, lambda at: 60.0),
            Told("count without", labels, within(lambda at: 8.0)),
            Told("count(", {}, lambda at: float(count)),
            Told("100 * (1 - sum", labels, within(lambda at, n=n: at // 300 % 40 + n)),
            Told("MemAvailable", labels, within(lambda at, n=n: at // 300 % 9 + 30.5 + n)),
            Told("receive_bytes", labels, within(lambda at: at // 300 % 1000 + 0.25)),
            Told("node_memory_MemTotal_bytes", labels, within(lambda at: 32e9)),
        ]  # fmt: skip
    names = ["node_uname_info", "node_cpu_seconds_total", "node_memory_MemTotal_bytes",
             "node_memory_MemAvailable_bytes", "node_network_receive_bytes_total"]  # fmt: skip
    return Scripted(told=told, names=names)
