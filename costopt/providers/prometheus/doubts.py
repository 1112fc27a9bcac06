"""What of a hosts file can hardly be meant: other units, or another machine's entry."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from costopt.providers.prometheus.fleet import Machine
from costopt.providers.prometheus.hosts import Entry

_APART: Final = 0.25
"""By how much a figure may lie from the measured one: systems keep a little of the memory."""
_MOST_KW: Final = Decimal(3)
_MOST_KW_CARDS: Final = Decimal(15)
"""More than this no server draws on average: eight of the largest cards take 10 to 14 kW."""
_MOST_A_KWH: Final = Decimal(2)


def of_costs(entry: Entry, cards: bool) -> Iterator[str]:
    """Doubts about what an entry's machines draw and pay.

    Args:
        cards: they have GPUs.
    """
    costs = entry.costs
    most = _MOST_KW_CARDS if cards or entry.host.gpus else _MOST_KW
    if costs.kw is not None and costs.kw > most:
        kind = "" if most == _MOST_KW_CARDS else " without GPUs"
        yield f"{costs.kw} kW is much for one machine{kind}: is it the rack's, or in W?"
    if costs.power_price_kwh is not None and costs.power_price_kwh > _MOST_A_KWH:
        currency = f" {costs.currency}" if costs.currency else ""
        yield f"{costs.power_price_kwh}{currency} a kWh is much: is it in cents?"


def of_size(entry: Entry, machine: Machine) -> Iterator[str]:
    """Where an entry describes the machine otherwise than it shows itself."""
    host, cards = entry.host, machine.cards
    pairs: list[tuple[str, float | None, float | None]] = [
        ("GiB of memory", host.memory_gib, machine.memory_gib)
    ]
    if host.gpus and cards:
        pairs += [
            ("GPUs", host.gpus.count, cards.number),
            ("GiB a GPU", host.gpus.memory_gib, cards.memory_gib),
        ]
    for what, told, shown in pairs:
        if told and shown and abs(told - shown) > _APART * shown:
            yield f"{told:g} {what}, the machine shows {shown:.4g}"
