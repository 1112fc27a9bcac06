"""What own machines hang on, in words and figures."""

from __future__ import annotations

from typing import Final

WORDS: Final = {
    "capex": "price of a machine",
    "life_years": "years of use",
    "salvage": "sold for at the end",
    "rate": "cost of capital",
    "maintenance_yearly": "maintenance a year",
    "staff_yearly": "staff a year",
    "hosting_yearly": "hosting a year",
    "busy_kw": "power at work",
    "idle_kw": "power idle",
    "pue": "PUE",
    "power_price": "price of a kWh",
    "spares": "spares",
    "price": "cloud price an hour",
}
_SHARES: Final = frozenset({"rate", "spares"})
_KILOWATTS: Final = frozenset({"busy_kw", "idle_kw"})


def told(name: str, value: float) -> str:
    """The input's figure: 8 %, 2.4 kW, 320,000, 0.12."""
    if name in _SHARES:
        return f"{100 * value:.3g} %"
    plain = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{plain} kW" if name in _KILOWATTS else plain
