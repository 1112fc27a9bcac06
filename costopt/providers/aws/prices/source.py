"""The public price list: offer files over HTTPS, without credentials, streamed.

An index names each region's file; files of gigabytes are read as they come and never kept. Only the
host asked for is spoken to: redirects and addresses of other hosts are refused. A file that ends
before its length is refused as a whole.

Source: AWS Billing user guide, "Getting price list files manually", "Reading the service price list
file" (services and Savings Plans); Amazon Web Services in China, the same pages.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import httpx

from costopt import __version__
from costopt.errors import ConfigError, ProviderError
from costopt.providers.listed import Stamp
from costopt.providers.plain import plain, silenced

Offer = Literal["AmazonEC2", "AWSComputeSavingsPlan"]

OVERRIDE: Final = "COSTOPT_AWS_PRICE_LIST"
"""Variable that names another address of the price list: a mirror, or a test's own server."""
_HOSTS: Final = {
    "aws": "https://pricing.us-east-1.amazonaws.com",
    "cn": "https://pricing.cn-north-1.amazonaws.com.cn",
}
_INDEX: Final[dict[Offer, str]] = {
    "AmazonEC2": "/offers/v1.0/{}/AmazonEC2/current/region_index.json",
    "AWSComputeSavingsPlan": "/savingsPlan/v1.0/{}/AWSComputeSavingsPlan/current/region_index.json",
}
_PATH: Final = re.compile(r"(?:/[A-Za-z0-9_][A-Za-z0-9._-]*)+/index\.json")
_REGION: Final = re.compile(r"[a-z]{2}[a-z0-9-]{3,40}")
_LARGEST_INDEX: Final = 16 << 20  # bytes; that of 2026 has 20 KB
_PORTION: Final = 1 << 20  # bytes taken from the network at a time
_LONGEST_LINE: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class OfferFile:
    """A region's file, open at its header row (the metadata rows are read)."""

    stamp: Stamp
    published: str  # as the file says: 2026-09-25T18:44:47Z
    body: io.BufferedReader[Transfer]
    transfer: Transfer


class PriceList:
    """A way to the price list of one partition; close it after use."""

    def __init__(self, partition: Literal["aws", "cn"], address: str | None = None) -> None:
        """
        Args:
            address: of the host, http(s)://HOST[:PORT]; None = `OVERRIDE`, else AWS's own.
        Raises:
            ConfigError: no such address.
        """
        silenced()
        self._partition = partition
        base = address or os.environ.get(OVERRIDE) or _HOSTS[partition]
        try:
            self._base = httpx.URL(base)
        except httpx.InvalidURL:
            self._base = httpx.URL("")
        if self._base.scheme not in ("http", "https") or not self._base.host:
            raise ConfigError(f"{OVERRIDE}: not an address like https://prices.example.com")
        self._client = httpx.Client(  # without a transport of its own, so that proxies count
            timeout=httpx.Timeout(60, connect=10),
            follow_redirects=False,
            # Not compressed: the length told is then that of what we read.
            headers={"User-Agent": f"costopt/{__version__}", "Accept-Encoding": "identity"},
        )

    def __enter__(self) -> PriceList:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    @property
    def host(self) -> str:
        """Whom the prices are from."""
        return self._base.host

    def regions(self, offer: Offer) -> dict[str, str]:
        """Region -> path of its current CSV file, by region.

        Raises:
            ProviderError: no answer, or not an index.
        """
        path = _INDEX[offer].format(self._partition)
        with self._get(path) as response:
            data = bytearray()
            for part in response.iter_bytes(_PORTION):
                data += part
                if len(data) > _LARGEST_INDEX:
                    raise ProviderError("the index is too large to be one", where=path)
        return _paths(bytes(data), path)

    @contextlib.contextmanager
    def open(self, path: str, seen: Stamp | None = None) -> Iterator[OfferFile | None]:
        """The file, streamed; None where it is still what `seen` was.

        Raises:
            ProviderError: no answer, no offer file, or one whose length nobody tells.
        """
        known = {"If-None-Match": seen.mark} if seen and seen.path == path and seen.mark else {}
        with self._get(path, **known) as response:
            if known and response.status_code == httpx.codes.NOT_MODIFIED:
                yield None
                return
            if not {"content-length", "transfer-encoding"} & response.headers.keys():
                raise ProviderError("its length is not told, so it may be cut short", where=path)
            transfer = Transfer(response)
            body = io.BufferedReader(transfer, _PORTION)
            stamp = Stamp(path, response.headers.get("etag", ""))
            yield OfferFile(stamp, _metadata(body, path), body, transfer)

    @contextlib.contextmanager
    def _get(self, path: str, **headers: str) -> Iterator[httpx.Response]:
        where = f"{self.host}{path}"
        try:
            with self._client.stream("GET", self._base.join(path), headers=headers) as response:
                _check(response, where)
                yield response
        except httpx.HTTPError as error:
            raise ProviderError(f"no whole answer: {_plain(error)}", where=where) from None


def _check(response: httpx.Response, where: str) -> None:
    if response.has_redirect_location:
        raise ProviderError("it sends us to another address", where=where)
    unchanged = "If-None-Match" in response.request.headers and response.status_code == 304
    if not (response.is_success or unchanged):
        raise ProviderError(f"the server answers {response.status_code}", where=where)


class Transfer(io.RawIOBase):
    """A response's body as a file; a connection that breaks is an OSError."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__()
        self._parts = response.iter_bytes(_PORTION)
        self._left = memoryview(b"")
        self.read_bytes = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            while not self._left:
                self._left = memoryview(next(self._parts, b""))
                if not self._left:
                    return 0
        except httpx.HTTPError as error:
            raise OSError(_plain(error)) from None
        size = min(len(buffer), len(self._left))
        buffer[:size] = self._left[:size]
        self._left = self._left[size:]
        self.read_bytes += size
        return size


def _paths(data: bytes, where: str) -> dict[str, str]:
    """The index of a service (regions by code) or of a Savings Plan (a list of them)."""
    try:
        regions = json.loads(data)["regions"]
        entries = regions.values() if isinstance(regions, dict) else regions
        found = {
            one["regionCode"]: one.get("currentVersionUrl") or one["versionUrl"] for one in entries
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ProviderError("not an index of regions", where=where) from None
    for region, path in found.items():
        if not isinstance(path, str) or not _PATH.fullmatch(path) or not _REGION.fullmatch(region):
            raise ProviderError("the index names an address of another form", where=where)
    return {region: found[region].removesuffix("json") + "csv" for region in sorted(found)}


def _metadata(body: io.BufferedReader[Transfer], where: str) -> str:
    """Read the five rows before the header; returns the publication date."""
    told: dict[str, str] = {}
    try:
        for _ in range(5):
            line = body.readline(_LONGEST_LINE).decode("utf-8", "replace")
            name, _, value = line.strip().partition(",")
            told[name.strip('"')] = value.strip('"')
    except OSError as error:
        raise ProviderError(f"it broke off: {error}", where=where) from None
    if not {"FormatVersion", "Publication Date"} <= told.keys():
        raise ProviderError("not an offer file: its first rows say nothing of it", where=where)
    return told["Publication Date"][:40]


def _plain(error: httpx.HTTPError) -> str:
    return f"{type(error).__name__}: {plain(str(error))}"[:200]
