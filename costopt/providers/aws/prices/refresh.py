"""An update of the lake's AWS prices, part by part: one list, or the spot market, of one region.

A part that fails is told and the others go on. A part is given only when its file was read to the
end, so half a list never becomes prices.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from difflib import get_close_matches
from typing import Any, Final, Literal

import pyarrow as pa

from costopt import __version__, schema
from costopt.errors import ProviderError
from costopt.model import Price
from costopt.pricing.sanity import Refusal
from costopt.providers.aws.access import FAILURES, Account, said
from costopt.providers.aws.prices import ec2, rows, savings_plans, spot
from costopt.providers.aws.prices.held import Held
from costopt.providers.aws.prices.source import Offer, OfferFile, PriceList, Stamp

Watch = Callable[[str, int], None]
"""Called with what is being read, and the bytes so far."""
ALL: Final = "all"
"""In place of a region's name: every region of the list, but China's, which has its own."""
_SOURCES: Final[Mapping[Offer, str]] = {
    "AmazonEC2": ec2.SOURCE,
    "AWSComputeSavingsPlan": savings_plans.SOURCE,
}
_PARTITIONS: Final[tuple[Literal["aws", "cn"], ...]] = ("aws", "cn")


@dataclass(frozen=True)
class Part:
    """What one list, or the spot market, of one region gave. Tables hold only what is new."""

    region: str
    source: str  # as in x_Source
    prices: pa.Table = field(default_factory=lambda: schema.empty(schema.PRICES))
    shapes: pa.Table = field(default_factory=lambda: schema.empty(schema.SHAPES))
    host: str = ""
    published: str = ""  # the list's own date
    unchanged: int = 0  # prices that the lake holds already
    own: int = 0  # prices not taken, as the user's own stand
    left_out: Mapping[str, int] = field(default_factory=dict)  # rows that say no price, by reason
    refused: tuple[Refusal, ...] = ()
    current: bool = False  # the file is still the one read last time; it was not read again
    failed: str = ""  # why there is nothing
    stamp: tuple[str, Stamp] | None = None  # to be remembered once the part is kept


class Memory:
    """Which files were read, as kept beside the lake."""

    def __init__(self, text: bytes | None = None) -> None:
        """
        Args:
            text: what `dump` gave; of another costopt, or damaged, it counts as none.
        """
        self._stamps: dict[str, Stamp] = {}
        try:
            told = json.loads(text or b"{}")
            if told.get("costopt") == __version__:
                self._stamps = {
                    str(name): Stamp(str(path), str(etag))
                    for name, (path, etag) in told["files"].items()
                }
        except (ValueError, KeyError, TypeError, AttributeError):
            pass  # then every file is read again, which harms nothing

    def find(self, name: str) -> Stamp | None:
        """The file last read under that name."""
        return self._stamps.get(name)

    def keep(self, name: str, stamp: Stamp) -> None:
        """Remember a file; one without a mark of its content cannot be recognised."""
        if stamp.etag:
            self._stamps[name] = stamp

    def dump(self) -> bytes:
        """For the next time."""
        told = {"costopt": __version__, "files": self._stamps}
        return json.dumps(told, indent=1, sort_keys=True).encode()


def lists(
    regions: Sequence[str], offers: Sequence[Offer], held: Held, memory: Memory, watch: Watch
) -> Iterator[Part]:
    """The public lists of the regions, one after the other."""
    for partition in _PARTITIONS:
        here = [one for one in regions if one.startswith("cn-") == (partition == "cn")]
        if here:
            with PriceList(partition) as source:
                for offer in offers:
                    yield from _of_offer(source, offer, here, _Known(held, memory, watch))


@dataclass(frozen=True)
class _Known:
    held: Held
    memory: Memory
    watch: Watch


def _of_offer(
    source: PriceList, offer: Offer, regions: Sequence[str], known: _Known
) -> Iterator[Part]:
    known.watch(f"{_SOURCES[offer]}: which regions there are", 0)
    try:
        paths = source.regions(offer)
    except ProviderError as error:
        yield from (Part(region, _SOURCES[offer], failed=_why(error)) for region in regions)
        return
    wanted = sorted({*regions, *paths} - {ALL} if ALL in regions else {*regions})
    for region in wanted:
        if region not in paths:
            yield Part(region, _SOURCES[offer], failed=_absent(region, paths))
            continue
        try:
            yield _region(source, offer, region, paths[region], known)
        except ProviderError as error:
            yield Part(region, _SOURCES[offer], failed=_why(error))


def _why(error: ProviderError) -> str:
    """In one line; what to do next is the same for all."""
    return f"{error.where}: {error.what}"


def _absent(region: str, paths: Mapping[str, str]) -> str:
    near = get_close_matches(region, paths, n=3)
    return "no such region in the list" + (f"; did you mean {' or '.join(near)}?" if near else "")


def _region(source: PriceList, offer: Offer, region: str, path: str, known: _Known) -> Part:
    name = f"{source.host} {offer} {region}"
    empty = Part(region, _SOURCES[offer], host=source.host)
    seen = known.memory.find(name) if known.held.holds(region, empty.source) else None
    with source.open(path, seen) as file:
        if file is None:
            return replace(empty, current=True)
        prices, shapes, left_out = _read(offer, file, region, known.watch)
        if not prices:
            raise ProviderError("it holds no price of an ordinary machine", where=path)
        part = replace(empty, published=file.published, left_out=left_out, stamp=(name, file.stamp))
    return _sifted(part, prices, shapes, known.held)


def _read(
    offer: Offer, file: OfferFile, region: str, watch: Watch
) -> tuple[list[Price], list[dict[str, Any]], Counter[str]]:
    def progress(size: int) -> None:
        watch(f"{_SOURCES[offer]} of {region}", size)

    if offer == "AmazonEC2":
        offered = ec2.read(file, region, progress)
        return offered.prices, list(offered.shapes.values()), offered.left_out
    prices, left_out = savings_plans.read(file, region, progress)
    return prices, [], left_out


def spot_market(
    account: Account, regions: Sequence[str], until: datetime, held: Held, watch: Watch
) -> Iterator[Part]:
    """The spot prices of the regions, of all types sold there."""
    for region in regions:
        watch(f"spot prices of {region}", 0)
        part = Part(region, spot.SOURCE, host="EC2", published=until.isoformat(timespec="minutes"))
        try:
            found = spot.prices(account, region, until)
        except FAILURES as error:
            yield replace(part, failed=said(error))
            continue
        yield _sifted(part, found, [], held)


def _sifted(part: Part, prices: list[Price], shapes: list[dict[str, Any]], held: Held) -> Part:
    """The part with its tables: what passes the sanity gate and is new to the lake."""
    new = held.new_shapes(sorted(shapes, key=lambda shape: str(shape["x_InstanceType"])))
    described = pa.Table.from_pylist(new, schema=schema.SHAPES)
    refused = held.catalogue(rows.table(prices), described).refusals
    barred = {_identity(one.price) for one in refused}
    fair = [price for price in prices if _identity(price) not in barred]
    sifted = held.sift(fair)
    return replace(
        part,
        prices=rows.table(sifted.fresh),
        shapes=described,
        unchanged=sifted.unchanged,
        own=sifted.own,
        refused=refused,
    )


def _identity(price: Price) -> tuple[str | None, ...]:
    return (price.instance_type, price.operating_system, price.pricing_category, price.term)
