"""At which rates of exchange prices elsewhere were compared: nothing is converted silently."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from costopt.model import RateKind
from costopt.pricing.money import told
from costopt.rules.move.bounds import Board
from costopt.rules.move.fleet import Moves
from costopt.rules.move.market import Sold, World


def exchange_notes(found: Moves, as_of: date) -> Iterator[str]:
    """As of `converted`; every group is compared with the same prices, so one tells of all."""
    return (note for one in found.grounds[:1] for note in converted(one.board, one.market, as_of))


def converted(board: Board, market: Sold, as_of: date) -> Iterator[str]:
    """Every rate by which an amount came into the bill's currency, and what one should know of
    rates of one's own, as notes.

    Args:
        as_of: how old rates are is reckoned until then.
    """
    world = board.world
    for currency in sorted({*_of_machines(market), *_of_charges(board)}):
        yield from exchanged(world, currency, as_of)
    for refused in world.exchanges.refusals:
        one = refused.exchange
        yield (
            f"your rate of {one.currency} in {one.to_currency}, {one.rate.normalize():f}, is not "
            f"taken: {refused.detail}"
        )
    for doubted in world.exchanges.cautions:
        one = doubted.exchange
        yield (
            f"your rate of {one.currency} in {one.to_currency}, {one.rate.normalize():f}, is "
            f"{doubted.detail}"
        )


def exchanged(world: World, currency: str, as_of: date) -> Iterator[str]:
    """The rate at which that currency comes into the bill's; nothing where they are one."""
    rate = world.exchanges.rate(currency, world.currency)
    if rate is not None and rate.currency != rate.to_currency:
        yield told(rate, as_of)


def _of_machines(market: Sold) -> Iterator[str]:
    return (part.price(0).currency for part in market.listings if len(part.row))


def _of_charges(board: Board) -> Iterator[str]:
    """Of storage and traffic; all tiers of a place are in one currency."""
    for place in board.places:
        for kind in RateKind:
            tiers = board.world.catalogue.rates(place.provider_name, kind, place.region_id)
            yield from (tier.currency for tier in tiers[:1])
