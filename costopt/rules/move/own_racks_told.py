"""What to do with machines that are owned already, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from costopt.rules.move.own_closing import Cloud
from costopt.rules.move.own_racks import Racks, Verdict
from costopt.units import counted

_MONTHS: Final = 12
Line = tuple[str, str]
"""A label, and what is to be said."""


def headline(one: Racks) -> str:
    """The class, and what to do: keep, or close."""
    owned, idle = one.told.owned, one.idle
    if one.keep is None:
        return f"{one.name}: {owned:,} owned, past their life"
    if one.needed is None:
        return f"{one.name}: {owned:,} owned; whether to keep them is not known"
    if not one.members:
        return f"{one.name}: close all {owned:,} owned: nothing runs on them"
    if one.verdict is Verdict.CLOSE:
        return f"{one.name}: close all {owned:,} owned, for {_where(one.cloud)}"
    close = f"close {idle:,} of {owned:,} owned" if idle else ""
    rest = "the others" if idle else f"all {owned:,} owned"
    words = {
        Verdict.KEEP: f"keep {rest}",
        Verdict.UNSURE: f"keep {rest} for now: closing may pay, not surely",
        Verdict.UNKNOWN: f"{rest}: where they could go instead is not known",
    }[one.verdict]
    return f"{one.name}: {close}, {words}" if close else f"{one.name}: {words}"


def lines(one: Racks, currency: str) -> list[Line]:
    """The figures behind it."""
    if one.keep is None:
        return [("Then", "what runs there needs new ones, or the cloud")]
    return [
        ("Keeping", _keeping(one, currency)),
        *_unknown(one),
        *_idle(one, currency),
        *_needed(one, currency),
    ]


def note(one: Racks, currency: str) -> str:
    """All of it, for formats without a part for it."""
    return "; ".join([headline(one), *(text for _, text in lines(one, currency))])


def _keeping(one: Racks, currency: str) -> str:
    owed = f", beside hosting owed until {one.told.hosting_until}" if one.told.hosting_until else ""
    return f"keeping one costs {one.each_yearly:,.0f} {currency} a year{owed}"


def _unknown(one: Racks) -> Iterator[Line]:
    """What the file says of their use, where that is not enough."""
    if not one.told.resources:
        yield "Use", "what runs on them is not told (resources), so that no use is known"
        return
    if one.nameless:
        names = " and ".join(map(repr, one.nameless))
        verb = "name" if len(one.nameless) > 1 else "names"
        then = "" if one.use_told else ", so that no use is known"
        yield "Use", f"{names} (resources) {verb} no machine of the inventory{then}"
    if one.use_told and one.needed is None:
        yield "Use", "what runs on them cannot be compared with the class"


def _idle(one: Racks, currency: str) -> Iterator[Line]:
    if not one.idle:
        return
    worth = one.idle * float(one.told.salvage_price_now or 0) * one.factor
    verb, them, fetch = (
        ("is", "it", "it fetches") if one.idle == 1 else ("are", "them", "they fetch")
    )
    yield (
        "Not needed",
        (
            f"{counted(one.idle, 'machine')} {verb} not needed: closing {them} saves "
            f"{one.idle_yearly:,.0f} {currency} a year, what {fetch} today ({worth:,.0f}) counted"
        ),
    )


def _needed(one: Racks, currency: str) -> Iterator[Line]:
    if one.needed is None or not one.members:
        return
    if one.cloud is None:
        yield (
            "Needed",
            (
                f"an hour of work there costs {one.hourly:,.4g} {currency}; where in the cloud it "
                "could run is not known"
            ),
        )
        return
    here, there = one.all_yearly, _MONTHS * one.cloud.monthly
    yield (
        "Needed",
        (
            f"what runs on {counted(one.kept, 'machine')} costs {here:,.0f} a year there and "
            f"{there:,.0f} in {_where(one.cloud)} ({_parts(one.cloud)}); going there takes "
            f"{one.once:,.0f}"
        ),
    )
    yield "So", _so(one, one.cloud)
    if missing := _missing(one.cloud):
        yield "Not counted", missing


def _where(cloud: Cloud | None) -> str:
    return f"{cloud.place.provider_name} {cloud.place.region_id}" if cloud else "the cloud"


def _parts(cloud: Cloud) -> str:
    named = (("machines", cloud.run), ("storage", cloud.storage), ("traffic", cloud.egress))
    return ", ".join(f"{_MONTHS * amount:,.0f} {name}" for name, amount in named if amount or
                     name == "machines")  # fmt: skip


def _so(one: Racks, cloud: Cloud) -> str:
    when = f"in today's money over {one.months:.0f} months"
    if one.verdict is Verdict.KEEP:
        return f"they are worth keeping: closing all costs {-one.present:,.0f} more {when}"
    told = f"closing all saves {one.present:,.0f} {when}"
    if one.verdict is Verdict.CLOSE:
        return f"{told}, at least {one.present_low:,.0f}"
    if one.present_low <= 0:
        return f"{told}, and loses {-one.present_low:,.0f} with every range and price against it"
    least = one.present_low / one.paid / (1 + cloud.off)
    limits = []
    if cloud.load.unstored and cloud.gib_stored > 0:
        limits.append(f"store {least / cloud.gib_stored:,.0f} GiB")
    if cloud.load.unsent and cloud.gib_sent > 0:
        limits.append(f"send {least / cloud.gib_sent:,.0f} GiB a month")
    more = f" if they {' or '.join(limits)} more than is known" if limits else ""
    return f"{told}; keeping them is cheaper{more}" if more else f"{told}, of what is known"


def _missing(cloud: Cloud) -> str:
    load = cloud.load
    parts = []
    if load.unstored:
        parts.append(f"what {_do(load.unstored, 'store')} (no disk is known)")
    if load.unsent:
        parts.append(f"what {_do(load.unsent, 'send')} (not measured)")
    return " and ".join(parts)


def _do(machines: int, verb: str) -> str:
    """`1 machine sends`, `2 machines send`."""
    return f"{counted(machines, 'machine')} {verb}{'s' if machines == 1 else ''}"
