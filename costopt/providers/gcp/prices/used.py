"""The prices that a collect brings: those of the machine types in use and of their whole series.

They come all in one list of some ten thousand prices, and asking for it is free.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final

import pyarrow as pa

from costopt import schema
from costopt.model import Price, Shape
from costopt.providers.base import Problem
from costopt.providers.gcp import machine_types
from costopt.providers.gcp.access import Access, told
from costopt.providers.gcp.prices import compose, descriptions
from costopt.providers.gcp.prices.rates import Rates, read
from costopt.providers.gcp.prices.skus import CALL
from costopt.providers.held import Held
from costopt.providers.listed import ALL, Part, sifted
from costopt.units import counted, provider_key

_COLUMNS: Final = ("RegionId", "x_InstanceType", "x_PricingCategory", "x_State", "x_Attributes")
_KEY: Final = provider_key(machine_types.PROVIDER)


def in_use(access: Access, resources: pa.Table, held: Held, problems: list[Problem]) -> pa.Table:
    """Prices new to the lake (schema.PRICES), sorted: of the machines' types and their series, in
    their regions; on demand, spot, and committed. Where a price of the user's own holds, none is
    given.

    That Google refuses is a problem: a fatal one where a machine has no price without the list. So
    are prices that cannot be what they say, which are left out.

    Args:
        resources: in schema.RESOURCES columns.
        held: what the lake has; its shapes and the built-in ones are the types known.
    """
    machines = _machines(resources)
    if not machines:
        return schema.empty(schema.PRICES)
    shapes = known_shapes(held, (row["x_InstanceType"] for row in machines))
    with told(problems, CALL, fatal=_bare(machines, held)):
        rates = read(access, regions={row["RegionId"] for row in machines})
        problems += rates.problems()
        problems += _cards_unpriced(machines, rates)
        part = sifted(Part(ALL, compose.SOURCE), _prices(machines, shapes, rates), [], held)
        problems += _unlikely(part)
        return part.prices
    return schema.empty(schema.PRICES)


def known_shapes(held: Held, names: Iterable[str] = ()) -> list[Shape]:
    """All types of Google's that are known, and these of one's own making, by name."""
    known = held.catalogue(schema.empty(schema.PRICES), schema.empty(schema.SHAPES))
    found = {
        shape.instance_type: shape
        for shape in known.shapes()
        if provider_key(shape.provider_name) == _KEY
    }
    for name in names:
        if name not in found and (made := machine_types.custom(name)):
            found[name] = made
    return [found[name] for name in sorted(found)]


def _machines(resources: pa.Table) -> list[dict[str, Any]]:
    """Those whose region and type are known, and that are still there."""
    rows = resources.select(_COLUMNS).to_pylist()
    return [
        row
        for row in rows
        if row["RegionId"] and row["x_InstanceType"] and row["x_State"] != "terminated"
    ]


def _prices(machines: list[dict[str, Any]], shapes: list[Shape], rates: Rates) -> Iterator[Price]:
    uses = {(row["RegionId"], machine_types.series(row["x_InstanceType"])) for row in machines}
    for region in sorted({region for region, _ in uses}):
        series = {name for place, name in uses if place == region}
        there = (one for one in shapes if machine_types.series(one.instance_type) in series)
        yield from compose.prices(there, region, rates)
    for region in sorted({region for region, _ in uses}):
        cards = {_card(row) for row in machines if row["RegionId"] == region}
        yield from compose.cards(sorted(filter(None, cards)), region, rates)


def _card(machine: dict[str, Any]) -> str | None:
    """The accelerator type of the cards attached to it."""
    found = dict(machine["x_Attributes"] or ()).get("attached_gpu")
    return str(found) if found else None


def _bare(machines: list[dict[str, Any]], held: Held) -> bool:
    """Whether a machine's type, or the cards attached to it, have no price without the list."""
    known = held.catalogue(schema.empty(schema.PRICES), schema.empty(schema.SHAPES))
    uses = {(row["RegionId"], row["x_InstanceType"]) for row in machines}
    uses |= {(row["RegionId"], card) for row in machines if (card := _card(row))}
    return any(known.price(machine_types.PROVIDER, *use) is None for use in uses)


def _cards_unpriced(machines: list[dict[str, Any]], rates: Rates) -> list[Problem]:
    """Said of machines whose attached cards the list does not sell the way the machine is bought:
    they have no list price."""
    apart = Counter(
        f"{card} in {row['RegionId']}"
        for row in machines
        if (card := _card(row))
        and not rates.of(descriptions.Part("gpu", card), _usage(row), row["RegionId"])
    )
    if not apart:
        return []
    what = (
        f"{counted(apart.total(), 'machine')} with GPUs attached that the list has no price of: "
        f"{', '.join(sorted(apart))}; what these machines cost, only the bill says"
    )
    return [Problem(CALL, what, count=apart.total())]


def _unlikely(part: Part) -> list[Problem]:
    """Said of the prices that did not pass the sanity gate."""
    if not part.refused:
        return []
    first = part.refused[0]
    what = (
        f"{counted(len(part.refused), 'price')} that cannot be, not taken; the first: "
        f"{first.price.instance_type} in {first.price.region_id} is {first.detail}"
    )
    return [Problem(CALL, what, count=len(part.refused))]


def _usage(machine: dict[str, Any]) -> str:
    return "Preemptible" if machine["x_PricingCategory"] == "Dynamic" else "OnDemand"
