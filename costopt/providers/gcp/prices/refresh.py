"""An update of the lake's prices of Google Cloud, region by region, out of one list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from itertools import chain
from typing import Final

from costopt.model import Price
from costopt.providers.gcp import machine_types
from costopt.providers.gcp.access import FAILURES, Access, said
from costopt.providers.gcp.prices import compose
from costopt.providers.gcp.prices.rates import Rates, read
from costopt.providers.gcp.prices.skus import CALL
from costopt.providers.gcp.prices.used import known_shapes
from costopt.providers.held import Held
from costopt.providers.listed import ALL, Part, Watch, sifted

HOST: Final = "Cloud Billing"


def updated(access: Access, regions: Sequence[str], held: Held, watch: Watch) -> Iterator[Part]:
    """The prices of all types known, in each of the regions; ALL is every region of the list.

    The list is read to its end first, so that half a list never becomes prices.
    """
    watch(f"{compose.SOURCE}: {CALL}", 0)
    try:
        rates = read(access, watch)
    except FAILURES as error:
        why = f"{CALL}: {said(error)}"
        yield from (Part(region, compose.SOURCE, failed=why) for region in regions)
        return
    there, shapes = rates.regions(), known_shapes(held)
    for region in there if ALL in regions else sorted(set(regions)):
        watch(f"{compose.SOURCE} of {region}", 0)
        if region in there:
            cards = compose.cards(machine_types.ATTACHABLE, region, rates)
            yield _part(region, chain(compose.prices(shapes, region, rates), cards), rates, held)
        else:
            yield _absent(region, there)


def _part(region: str, found: Iterable[Price], rates: Rates, held: Held) -> Part:
    part = Part(
        region,
        compose.SOURCE,
        host=HOST,
        published=rates.published(),
        left_out=rates.left_out.get(region, {}),
    )
    return sifted(part, found, [], held)


def _absent(region: str, there: Sequence[str]) -> Part:
    near = get_close_matches(region, there, n=3)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    return Part(region, compose.SOURCE, failed=f"no such region in the list{hint}")
