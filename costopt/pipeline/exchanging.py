"""Exchange rates of one's own, held against what is known before the lake takes them."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa

from costopt import schema
from costopt.lake.store import Lake
from costopt.model import Exchange
from costopt.pricing.exchange_gate import ExchangeCaution, ExchangeRefusal
from costopt.pricing.money import Exchanges
from costopt.providers.base import Problem, Tariffed


def exchanged(provider: Tariffed, problems: list[Problem], lake: Lake) -> int:
    """How many of the provider's rates are new to the lake. What fails the gate, or is far off, is
    a problem; what fails it is not taken."""
    given = schema.conform(provider.exchange(), schema.EXCHANGE)
    held = lake.read("exchange")
    published = held.filter(schema.published(held))
    known = Exchanges.load(pa.concat_tables([published, given]), datetime.now(UTC).date())
    refused = {_identity(one.exchange) for one in known.refusals}
    stays = [_row_identity(row) not in refused for row in given.to_pylist()]
    problems += [_problem(one, "not taken") for one in known.refusals]
    problems += [_problem(one, "taken") for one in known.cautions]
    return lake.append("exchange", given.filter(pa.array(stays, pa.bool_()))).rows


def _problem(one: ExchangeRefusal | ExchangeCaution, what: str) -> Problem:
    rate = one.exchange
    pair = f"{rate.currency} in {rate.to_currency} of {rate.day} at {rate.rate.normalize():f}"
    return Problem("exchange", f"{pair}: {one.detail}: {what}")


def _identity(one: Exchange) -> tuple[object, ...]:
    return one.currency, one.to_currency, one.day, one.rate


def _row_identity(row: dict[str, object]) -> tuple[object, ...]:
    here, there = (str(row[name]).strip().upper() for name in ("x_Currency", "x_ToCurrency"))
    return here, there, row["x_ValidFrom"], row["x_Rate"]
