"""What figures of onprem.toml can be, and what else was probably meant: watts for kW, cents.

Bounds lie well beyond what exists: a whole rack of NVIDIA's takes 120 kW (DGX GB200 NVL72, 2024)
and costs about 3 million USD; in no country do households pay 1 USD a kWh (Ireland's 0.45 was among
the highest in March 2025, and 0.79 the highest of any list that was found). Amounts are compared in
USD at the shipped rates of exchange; one in a currency without a rate is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

from pydantic import TypeAdapter, ValidationError

from costopt.model.currency import CURRENCIES
from costopt.pricing.money import Exchanges

if TYPE_CHECKING:
    from costopt.pricing.onprem import MachineClass, Site

Steps = tuple[str | int, ...]
"""The way to a figure: ("classes", "h100-8", "price")."""
Fault = tuple[Steps, str]
"""Where, and what is wrong, to be read after the figure's name."""

_SHARED: Final = ("power_price_kwh", "rate_percent")


class _Limit(NamedTuple):
    least: float
    most: float
    meant: str  # by what is above, as a question; "" = nobody knows
    meant_below: str = ""
    money: bool = False  # in USD
    zero: bool = True  # whether 0 is a figure


_LIMITS: Final[Mapping[str, _Limit]] = {
    "vcpus": _Limit(0, 10_000, ""),
    "physical_cores": _Limit(0, 10_000, ""),
    "memory_gib": _Limit(0, 200_000, "MiB for GiB?"),
    "gpu_count": _Limit(0, 1_000, ""),
    "gpu_memory_gib": _Limit(0, 2_000, "MiB for GiB?"),
    "local_disk_gib": _Limit(0, 20e6, "MiB for GiB?"),
    "network_gbps": _Limit(0, 50_000, "Mbit/s for Gbit/s?"),
    "vcpu_speed": _Limit(0.05, 20, ""),
    "busy_kw": _Limit(0, 200, "W for kW?"),
    "idle_kw": _Limit(0, 200, "W for kW?"),
    "power_price_kwh": _Limit(0, 2, "hundredths for units of the currency?", money=True),
    "rate_percent": _Limit(0.5, 100, "", "a share for percent? 8 % is 8.0"),
    "price": _Limit(50, 50e6, "", "thousands?", money=True, zero=False),
    "salvage_price": _Limit(0, 50e6, "", money=True),
    "salvage_price_now": _Limit(0, 50e6, "", money=True),
    "hosting_yearly": _Limit(0, 10e6, "", money=True),
    "maintenance_yearly": _Limit(0, 10e6, "", money=True),
    "staff_yearly": _Limit(0, 10e6, "", money=True),
    "owned": _Limit(0, 1e6, ""),
    "most": _Limit(0, 1e6, ""),
}


def faults(site: Site) -> Iterator[Fault]:
    """What cannot be, or cannot be meant, in the order of the file's parts."""
    if site.currency not in CURRENCIES:
        meant = near(site.currency, CURRENCIES)
        yield ("currency",), f"{site.currency} is no currency{meant}"
        return
    if site.country is not None and site.country not in _countries():
        yield ("country",), f"{site.country} is no country: two letters of ISO 3166, like DE"
    dollar = Exchanges.load().convert(Decimal(1), site.currency, "USD")
    worth = float(dollar) if dollar else None
    for name in _SHARED:
        yield from _beyond((name,), name, getattr(site, name), worth)
    for key in sorted(site.classes):
        yield from _of_class(("classes", key), site.of_class(key), site.classes[key], worth)


def _of_class(
    at: Steps, found: MachineClass, told: MachineClass, worth: float | None
) -> Iterator[Fault]:
    for name in _LIMITS:
        if name in told.model_fields_set:
            yield from _beyond((*at, name), name, getattr(told, name), worth)
    if found.physical_cores is not None and found.physical_cores > found.vcpus:
        yield (*at, "physical_cores"), "more than vcpus: a core has one thread or two"
    for name, ends in found.ranges.items():
        yield from _of_range((*at, "ranges", name), name, ends, found, worth)


def _beyond(at: Steps, name: str, value: Any, worth: float | None) -> Iterator[Fault]:
    limit = _LIMITS[name]
    factor = worth if limit.money else 1.0
    if value is None or factor is None or (value == 0 and limit.zero):
        return
    if value == 0:
        yield at, "must be above 0"
    elif not limit.least <= value * factor <= limit.most:
        high = value * factor > limit.most
        words, end = ("at most", limit.most) if high else ("at least", limit.least)
        meant = limit.meant if high else limit.meant_below
        told = f"{_plain(value)} cannot be meant, {words} {_plain(end / factor)}"
        yield at, f"{told}: {meant}" if meant else told


# -- ranges ----------------------------------------------------------------------------------------


def _of_range(
    at: Steps,
    name: str,
    ends: tuple[float, float],
    found: MachineClass,
    worth: float | None,
) -> Iterator[Fault]:
    from costopt.pricing.onprem import RANGED

    low, high = ends
    if name not in RANGED:
        yield at, f"no figure {name!r} has a range{near(name, RANGED)}"
        return
    if low > high:
        yield at, f"its range goes from {_plain(low)} down to {_plain(high)}"
        return
    if name == "cloud_price_hourly":
        if low <= 0:
            yield at, "its range must be above 0"
        return
    for end in dict.fromkeys(ends):
        if wrong := _unfit(type(found), name, end):
            yield at, f"its range has {_plain(end)}, which {wrong}"
            return
        if beyond := next(_beyond(at, name, end, worth) if name in _LIMITS else iter(()), None):
            yield beyond
            return
    figure = getattr(found, name)
    if figure is None:
        yield at, "has a range, and no figure"
    elif not low <= figure <= high:
        yield at, f"its range, {_plain(low)} to {_plain(high)}, does not hold {_plain(figure)}"
    elif against := _contrary(name, low, high, found):
        yield at, against


def _unfit(model: type[MachineClass], name: str, value: float) -> str:
    """Why the field itself would not take it; "" = it does."""
    field = model.model_fields[name]
    kind: Any = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        return in_words(error.errors(include_url=False)[0])
    return ""


def _contrary(name: str, low: float, high: float, found: MachineClass) -> str:
    """Against another figure of the class."""
    if name == "idle_kw" and high > found.busy_kw:
        return f"its range reaches {_plain(high)}, above busy_kw"
    if name == "busy_kw" and low < found.idle_kw:
        return f"its range has {_plain(low)}, below idle_kw"
    if name == "salvage_price" and high > found.price:
        return f"its range reaches {_plain(high)}, above price"
    return ""


# -- in words --------------------------------------------------------------------------------------

_WRITTEN: Final = 1e12


def _plain(value: float) -> str:
    """320,000, 0.08, 1e+308."""
    return f"{value:,.0f}" if 1000 <= abs(value) < _WRITTEN else f"{value:.4g}"


_PATTERNS: Final[Mapping[str, str]] = {
    "currency": "must be a currency's three capital letters, like USD",
    "country": "must be a country's two capital letters, like DE",
    "architecture": "must be x86_64 or arm64",
    "speed_like": 'must be a provider and a family of its, like "aws/m7i"',
}
_KINDS: Final[Mapping[str, str]] = {
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing_size": "is too large",
    "finite_number": "must be a finite number",
    "string_type": "must be a text in quotes",
    "date_type": "must be a day without quotes, like 2026-05-01",
    "date_from_datetime_inexact": "must be a day, without a time",
    "date_from_datetime_parsing": "must be a day without quotes, like 2026-05-01",
    "tuple_type": "must be a list in brackets",
    "mapping_type": "must be a table of figures",
    "dict_type": "must be a table of figures",
    "model_type": "must be a table of figures",
    "model_attributes_type": "must be a table of figures",
}


def in_words(error: Any) -> str:
    """What pydantic found, to be read after the figure's name."""
    kind, context = error["type"], error.get("ctx") or {}
    steps = error.get("loc", ())
    if "ranges" in steps and (kind in ("tuple_type", "missing", "too_long", "too_short")):
        return "a range is a low and a high: [low, high]"
    if kind == "string_pattern_mismatch":
        return _PATTERNS.get(str(steps[-1]), "is not written as it must be")
    if kind in ("too_short", "string_too_short"):
        return (
            "has no class in it: [classes.NAME]" if steps and steps[-1] == "classes" else "is empty"
        )
    for name, words in (("gt", "above"), ("ge", "at least"), ("lt", "below"), ("le", "at most")):
        if name in context:
            return f"must be {words} {context[name]:g}"
    plain = str(error["msg"]).removeprefix("Value error, ")
    return _KINDS.get(kind, f"{plain[:1].lower()}{plain[1:]}")


def near(name: str, known: Iterable[str]) -> str:
    """`; did you mean ...?`, or nothing."""
    found = get_close_matches(name, sorted(known), n=1, cutoff=0.5)
    return f"; did you mean {found[0]!r}?" if found else ""


@cache
def _countries() -> frozenset[str]:
    """ISO 3166-1's codes, as the time zone database lists them."""
    text = (files("tzdata") / "zoneinfo" / "iso3166.tab").read_text(encoding="utf-8")
    return frozenset(line[:2] for line in text.splitlines() if line and not line.startswith("#"))
