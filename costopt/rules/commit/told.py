"""One commitment that is held, or was, and what can be done with it in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from costopt.optimize.commitment import Action, Choice

_TINY: Final = 1e-9
_CENT: Final = 0.01


class Machines(NamedTuple):
    """What a reservation counts."""

    name: str  # of the smallest that it covers: m5.large
    units: float  # of the commitment that one takes


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """One commitment that is held. Money in the bill's currency."""

    commitment_id: str
    name: str
    provider: str
    kind: str
    utilisation: float  # over the last four weeks of bill, 0..1
    monthly_cost: float
    monthly_unused: float  # of it, paid for nothing
    ends: datetime | None  # None = the inventory does not say
    months_left: float | None
    payment: str  # no-upfront, ..; "" = nothing tells
    spare: str  # machine types of other sizes that it could cover; "" = none
    machines: Machines | None  # None = it counts no whole machines
    beside: str  # machines of its own types that it had room for and never covered; "" = none
    bought_anew: bool | None  # for its end, which is near; None = it is not, or is not known
    choices: tuple[Choice, ...]  # most gained first; gains over what is left, or a month

    def part(self, quantity: float) -> str:
        """So many units of it: `4 of 7 m5.large`, `all of it`, `39 % of it`."""
        whole = sum(one.quantity for one in self.choices if one.action is Action.KEEP)
        share = quantity / max(whole, _TINY)
        if share > 1 - 1e-6:
            return "all of it"
        if self.machines is None:
            return f"{100 * share:.0f} % of it"
        some, all_ = (round(each / self.machines.units) for each in (quantity, whole))
        return f"{some:,} of {all_:,} {self.machines.name}"


def sentence(one: Told, currency: str) -> str:
    """What is unused and what can be done, for people."""
    paid = f"{one.monthly_cost:,.2f} {currency} a month"
    if one.monthly_unused >= _CENT:
        paid = f"{one.monthly_unused:,.2f} of {paid} for nothing"
    used = f"{100 * one.utilisation:.3g} % used in the last 4 weeks"
    parts = [f"{one.name} ({one.kind}): {used}, {paid}"]
    if one.spare and one.monthly_unused > 0:
        parts.append(f"put it to other sizes of its family first: {one.spare} run on demand")
    if one.beside:
        parts.append(
            f"never applied, though there was room, to {one.beside}: is sharing off, or are they "
            "another account's? Nothing is bought for what it could cover there"
        )
    parts += [text for each in one.choices if (text := _said(one, each, currency))]
    if one.ends:
        parts.append(f"it ends on {one.ends:%Y-%m-%d}")
    return "; ".join(parts)


def _said(one: Told, choice: Choice, currency: str) -> str:
    """A choice that brings something; "" for the others."""
    if choice.gain <= 0:
        return ""
    part = one.part(choice.quantity)
    if choice.action is Action.RENEW and one.bought_anew is not None:
        stands = "what to buy for its end stands among the purchases"
        return stands if one.bought_anew else "nothing is sure enough to be bought for its end"
    gain = f"{choice.gain:,.0f} {currency}"
    over = "a month" if one.months_left is None else f"in the {one.months_left:.1f} months left"
    brings = _paid(one, gain)
    words = {
        Action.SELL: f"to pass on {part} to who takes over its payments brings {brings} {over}",
        Action.EXCHANGE: f"to exchange {part} for {choice.into} brings {gain} {over}",
        Action.RENEW: f"when it ends, renew {part}: {gain} a year",
        Action.LAPSE: f"when it ends, let {part} go: {gain} a year",
    }
    return words.get(choice.action, "")


def _paid(one: Told, gain: str) -> str:
    """What it brings, by how it was paid."""
    match one.payment:
        case "":
            return f"{gain} if nothing of it was paid upfront, which nothing tells,"
        case "partial-upfront":
            return f"{gain} (about half was paid upfront, and is gone)"
    return gain
