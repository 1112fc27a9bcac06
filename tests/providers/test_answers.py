"""One whole answer or none: servers that hang, that answer drop by drop, and that fail for a time.

Limits are made small; what is counted is how often the server was asked.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest

from costopt.errors import ProviderError
from costopt.providers import answers
from costopt.providers.answers import Asking
from tests.fakes.loopback import Quiet, served

ENOUGH = threading.Event  # set when the test is over, so that no handler outlives it


@contextmanager
def server(behave: Callable[[Quiet, int], None]) -> Iterator[tuple[httpx.URL, list[str]]]:
    """Its address, and the paths it was asked for."""
    calls: list[str] = []

    class Handler(Quiet):
        def do_GET(self) -> None:
            calls.append(self.path)
            behave(self, len(calls))

    with served(Handler) as url:
        yield httpx.URL(url), calls


def asked(url: httpx.URL, told: list[str], seconds: float = 5.0, attempts: int = 6) -> bytes:
    with httpx.Client(timeout=seconds) as client:
        return Asking(
            client=client,
            failure=lambda what: ProviderError(what, where="here"),
            refusal=lambda response: ProviderError(f"says {response.status_code}", where="here"),
            largest=1000,
            too_large="too large",
            attempts=attempts,
            told=told.append,
        ).whole(url, {})


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "_BACKOFF", 0.001)


def test_who_says_nothing_is_asked_twice() -> None:
    over, told = ENOUGH(), list[str]()
    with server(lambda handler, call: over.wait(30) and None) as (url, calls):
        with pytest.raises(ProviderError, match="no whole answer: ReadTimeout"):
            asked(url, told, seconds=0.1)
        over.set()
    assert len(calls) == 2
    assert told == [
        "127.0.0.1: no whole answer: ReadTimeout: timed out; asked again in 0.001 seconds (2 of 2)"
    ]


def test_an_answer_drop_by_drop_is_given_up_and_not_asked_for_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each byte comes well within the limit of a single wait."""
    monkeypatch.setattr(answers, "_LONGEST", 0.2)
    over, told = ENOUGH(), list[str]()

    def drops(handler: Quiet, call: int) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        while not over.wait(0.02):
            handler.wfile.write(b" ")
            handler.wfile.flush()
        handler.close_connection = True

    with server(drops) as (url, calls):
        with pytest.raises(ProviderError, match="no whole answer within 0 seconds"):
            asked(url, told)
        over.set()
    assert (len(calls), told) == (1, [])


def test_each_further_attempt_is_told() -> None:
    def behave(handler: Quiet, call: int) -> None:
        handler.reply(503 if call < 3 else 200, b"whole", "text/plain")

    told: list[str] = []
    with server(behave) as (url, calls):
        assert asked(url, told) == b"whole"
    assert len(calls) == 3
    assert told == [
        "127.0.0.1: says 503; asked again in 0.001 seconds (2 of 6)",
        "127.0.0.1: says 503; asked again in 0.002 seconds (3 of 6)",
    ]


def test_no_more_attempts_than_asked_for() -> None:
    told: list[str] = []
    with (
        server(lambda handler, call: handler.reply(503, b"", "text/plain")) as (url, calls),
        pytest.raises(ProviderError, match="says 503"),
    ):
        asked(url, told, attempts=2)
    assert (len(calls), len(told)) == (2, 1)


def test_too_large_is_not_asked_for_again() -> None:
    with (
        server(lambda handler, call: handler.reply(200, b"x" * 1001, "text/plain")) as (url, calls),
        pytest.raises(ProviderError, match="too large"),
    ):
        asked(url, [])
    assert len(calls) == 1
