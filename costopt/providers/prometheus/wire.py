"""One request and its answer: bounded in time and size as a whole, whatever the other side does.

httpx bounds each read and write, so a server that sends a byte a second, of the headers or of the
body, would hold it for ever. asyncio bounds all of it together: looking up the name, connecting,
shaking hands, sending and reading. Requests therefore run on an event loop in a thread of its own;
who asks waits in theirs.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
import weakref
import zlib
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

import httpx

from costopt.providers.prometheus.access import Credentials

Parameters = Mapping[str, str | list[str]]

LARGEST: Final = 64 * 1024 * 1024
"""Bytes of one answer, as sent or unpacked; ours are asked for in parts of about 10 MB."""
_CONNECTING: Final = 10.0  # seconds


class LateError(Exception):
    """The answer was not whole in time."""


class LargeError(Exception):
    """The answer is larger than `LARGEST`."""


class DamagedError(Exception):
    """The answer is not packed as it says."""


class Answer(NamedTuple):
    """What came back, unpacked."""

    status: int
    headers: httpx.Headers
    body: bytearray


class Wire:
    """The way to one server. Usable from several threads; it closes when nobody holds it."""

    def __init__(
        self,
        url: str,
        credentials: Credentials,
        *,
        tls: ssl.SSLContext | None,
        seconds: float,
        connections: int,
    ) -> None:
        """Nothing is sent yet.

        Args:
            url: what every path is below.
            tls: None where the address is not https.
            seconds: for one request and the whole of its answer.
        """
        self._seconds = seconds
        self._http = httpx.AsyncClient(
            base_url=url,
            headers={"Accept-Encoding": "gzip", **credentials.headers},
            auth=httpx.BasicAuth(*credentials.basic) if credentials.basic else None,
            verify=tls or True,
            # for connecting, and again for shaking hands: httpcore tidies up after its own
            # timeouts there, not after those around it
            timeout=httpx.Timeout(None, connect=min(_CONNECTING, seconds / 2)),
            limits=httpx.Limits(max_connections=connections),
            follow_redirects=False,  # a redirect would take the token elsewhere
        )
        self._loop = asyncio.new_event_loop()
        threading.Thread(
            target=_run, args=(self._loop,), name="costopt-prometheus-wire", daemon=True
        ).start()
        weakref.finalize(self, _close, self._loop, self._http)

    def send(self, method: str, path: str, given: Parameters) -> Answer:
        """The answer to one request; parameters go in the body of a POST, else in the query.

        Raises:
            httpx.RequestError, ssl.SSLError: no connection, or it broke.
            LateError, LargeError, DamagedError: an answer that is none.
        """
        asking = _answered(self._http, method, path, given, self._seconds)
        waiting = asyncio.run_coroutine_threadsafe(asking, self._loop)
        try:
            return waiting.result()
        except BaseException:
            waiting.cancel()  # the user does not wait any more
            raise


async def _answered(
    http: httpx.AsyncClient, method: str, path: str, given: Parameters, seconds: float
) -> Answer:
    form = {"data": given} if method == "POST" else {"params": given}
    try:
        async with (
            asyncio.timeout(seconds),
            http.stream(method, path, **form) as response,  # type: ignore[arg-type]
        ):
            return Answer(response.status_code, response.headers, await _body(response))
    except TimeoutError:
        raise LateError from None


async def _body(response: httpx.Response) -> bytearray:
    body, sent = bytearray(), 0
    unpacked = _unpacking(response)
    async for part in response.aiter_raw():
        sent += len(part)
        try:
            body += unpacked(part, LARGEST + 1 - len(body))
        except zlib.error:
            raise DamagedError from None
        if max(len(body), sent) > LARGEST:
            raise LargeError
    return body


def _unpacking(response: httpx.Response) -> Callable[[bytes, int], bytes]:
    """What unpacks the next part of an answer, to no more than so many bytes."""
    if response.headers.get("Content-Encoding", "").casefold() not in ("gzip", "deflate"):
        return lambda part, most: part
    return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress  # 32: by its head


def _run(loop: asyncio.AbstractEventLoop) -> None:
    loop.run_forever()
    loop.close()


def _close(loop: asyncio.AbstractEventLoop, http: httpx.AsyncClient) -> None:
    """Without waiting, as the last holder may be dropped on any thread, the loop's own too."""

    async def closing() -> None:
        try:
            await http.aclose()
            await asyncio.sleep(0)  # its connections end in the loop's next turn
        finally:
            loop.stop()

    asyncio.run_coroutine_threadsafe(closing(), loop)
