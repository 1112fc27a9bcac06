"""An update of the lake's AWS prices, part by part: one list, or the spot market, of one region.

A part that fails is told and the others go on. A part is given only when its file was read to the
end, so half a list never becomes prices.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches
from typing import Any, Final, Literal

from costopt.errors import ProviderError
from costopt.model import Price
from costopt.providers.aws.access import FAILURES, Account, said
from costopt.providers.aws.prices import ec2, savings_plans, spot
from costopt.providers.aws.prices.source import Offer, OfferFile, PriceList
from costopt.providers.held import Held
from costopt.providers.listed import ALL, Memory, Part, Watch, sifted

_SOURCES: Final[Mapping[Offer, str]] = {
    "AmazonEC2": ec2.SOURCE,
    "AWSComputeSavingsPlan": savings_plans.SOURCE,
}
_PARTITIONS: Final[tuple[Literal["aws", "cn"], ...]] = ("aws", "cn")


def lists(
    regions: Sequence[str], offers: Sequence[Offer], held: Held, memory: Memory, watch: Watch
) -> Iterator[Part]:
    """The public lists of the regions, one after the other; ALL is all but China's, which has its
    own."""
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
            return replace(empty, current="the list has not changed since it was read")
        prices, shapes, left_out = _read(offer, file, region, known.watch)
        if not prices:
            raise ProviderError("it holds no price of an ordinary machine", where=path)
        part = replace(empty, published=file.published, left_out=left_out, stamp=(name, file.stamp))
    return sifted(part, prices, shapes, known.held)


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
        yield sifted(part, found, [], held)
