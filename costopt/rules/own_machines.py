"""Machines of one's own as onprem.toml tells of them, in the figures that optimize/own.py takes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Final

import numpy as np

from costopt.optimize.own import INPUTS, Own, Swing, closing, tornado
from costopt.pricing.onprem import MachineClass, Site

_YEAR_DAYS: Final = 365.25
_FIFTH: Final = 0.2
"""Either way, what a figure is moved by that has no range of its own."""

_FIELDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "capex": "price",
        "life_years": "life_years",
        "salvage": "salvage_price",
        "rate": "rate_percent",
        "maintenance_yearly": "maintenance_yearly",
        "staff_yearly": "staff_yearly",
        "hosting_yearly": "hosting_yearly",
        "busy_kw": "busy_kw",
        "idle_kw": "idle_kw",
        "pue": "pue",
        "power_price": "power_price_kwh",
        "spares": "spares_percent",
        "price": "cloud_price_hourly",
    }
)
"""Input of optimize/own.py -> figure of onprem.toml."""
_BETTER_HIGH: Final = frozenset({"life_years", "salvage"})
"""Inputs of which a high figure speaks for machines of one's own; of the others a low one does."""
_MONEY: Final = (
    *("capex", "salvage", "maintenance_yearly", "staff_yearly", "hosting_yearly", "power_price"),
    "other_yearly",
)
_PERCENT: Final = frozenset({"rate", "spares"})
_EXACT: Final = 1e-9
_LEAST: Final[Mapping[str, float]] = MappingProxyType({"pue": 1.0})
"""Below which a figure makes no sense."""


def of_class(site: Site, name: str) -> Own:
    """What one machine of the class costs, bought today."""
    found = site.of_class(name)
    return Own(**{key: _figure(found, key) for key in INPUTS if key != "price"})


def at_ends(site: Site, name: str, *, favourable: bool) -> Own:
    """The same with every figure that has a range at the end that speaks for owning, or against."""
    found, own = site.of_class(name), of_class(site, name)
    ends: dict[str, float] = {}
    for key, figure in _FIELDS.items():
        if key != "price" and figure in found.ranges:
            low, high = (_plain(key, end) for end in found.ranges[figure])
            told = _figure(found, key)
            up = (key in _BETTER_HIGH) == favourable
            ends[key] = max(high, told) if up else min(low, told)
    return replace(own, **ends)


def in_currency(own: Own, factor: float) -> Own:
    """The same in another currency.

    Args:
        factor: what one unit of the file's currency is worth in it.
    """
    amounts = {name: float(getattr(own, name)) * factor for name in _MONEY}
    return replace(own, **amounts)


def to_close(site: Site, name: str, as_of: datetime, *, least: bool = False) -> Own | None:
    """What keeping one of the owned machines costs, their price being spent; None where none is
    owned, or where they are past their life: then they are replaced or closed, not kept.

    Args:
        least: with every figure that has a range at the end that speaks for keeping.
    """
    found = site.of_class(name)
    if not found.owned or found.bought_on is None or found.salvage_price_now is None:
        return None
    today = as_of.date()
    own = at_ends(site, name, favourable=True) if least else of_class(site, name)
    years = float(np.asarray(own.life_years)) - (today - found.bought_on).days / _YEAR_DAYS
    if years <= 0:
        return None
    bound = max(0, (found.hosting_until - today).days) if found.hosting_until else 0
    return closing(
        own,
        salvage_now=found.salvage_price_now,
        years_left=years,
        contract_years=bound / _YEAR_DAYS,
    )


def whole_spares(percent: float, machines: int) -> int:
    """That stand ready for so many in use: 12.5 % of two is one."""
    return math.ceil(machines * percent / 100 - _EXACT)


def swings(
    site: Site, name: str, cloud_price: float, *, machines: int = 1, other_yearly: float = 0.0
) -> tuple[Swing, ...]:
    """What the break-even hangs on: each figure moved within its range, or by a fifth either way.

    Args:
        cloud_price: of an hour of what a machine of the class takes the place of.
        machines: in use, for which whole spares are bought.
        other_yearly: as of `Own`, in the file's currency.
    """
    found = site.of_class(name)

    def figure(key: str, value: float) -> float:
        return whole_spares(value, machines) / machines if key == "spares" else _plain(key, value)

    told = {key: getattr(found, _FIELDS[key]) for key in INPUTS if key != "price"}
    own = replace(
        of_class(site, name),
        spares=figure("spares", told["spares"]),
        other_yearly=other_yearly,
    )
    ranges = {}
    for key in INPUTS:
        today = told.get(key, cloud_price)
        low, high = found.ranges.get(
            _FIELDS[key], (max(_LEAST.get(key, 0.0), today * (1 - _FIFTH)), today * (1 + _FIFTH))
        )
        ends = figure(key, min(low, today)), figure(key, max(high, today))
        if ends[0] != ends[1]:
            ranges[key] = ends
    return tornado(own, cloud_price, ranges)


def _figure(found: MachineClass, key: str) -> float:
    return _plain(key, getattr(found, _FIELDS[key]))


def _plain(key: str, value: float) -> float:
    """Percent as a share."""
    return value / 100 if key in _PERCENT else float(value)
