"""The words that several formats of a check share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

from costopt.model.check import SEVERITIES, About, Check, PlannedCost, Verdict
from costopt.units import cents, counted


def about(check: Check) -> dict[str, About]:
    """The policies by id."""
    return {one.id: one for one in check.policies}


def headline(check: Check) -> str:
    """How it went, in one sentence."""
    found = Counter(one.severity for one in check.open)
    asked = f"{len(check.policies):,} policies" if len(check.policies) != 1 else "1 policy"
    what = "resource" if check.planned is None else "planned change"
    of = f"{asked} asked of {counted(check.resources, what)}"
    if not found:
        return f"Nothing breaks a policy: {of}"
    told = [counted(found[name], name) for name in SEVERITIES if found[name]]
    return f"{', '.join(told)}: {of}"


def sentence(one: Verdict) -> str:
    """What is wrong, and who let it stand until when."""
    if one.waiver is None:
        return one.message
    waiver = one.waiver
    if one.lapsed:
        return f"{one.message} (waived by {waiver.owner} until {waiver.until}, which is over)"
    return f"{one.message} (waived by {waiver.owner} until {waiver.until}: {waiver.reason})"


def at_stake(check: Check) -> str:
    """What all that counts comes to a month; "" where no amount is known."""
    amounts = [one.monthly for one in check.open if one.monthly is not None]
    return f"{sum(amounts):,.2f} {check.currency}" if amounts else ""


def let_stand(check: Check) -> str:
    """How many findings do not count, and why; "" = none."""
    waived = sum(one.waiver is not None for one in check.verdicts if not one.open)
    known = sum(one.waiver is None for one in check.verdicts if not one.open)
    parts = ((waived, "waived"), (known, "in the baseline"))
    return ", ".join(f"{count:,} {why}" for count, why in parts if count)


def signed(value: Decimal | None) -> str:
    """A difference to the cent: +1,234.50, -3.00; "unknown" where it is not known."""
    return "unknown" if value is None else f"{cents(value) + 0:+,.2f}"


def planned_total(check: Check, planned: Sequence[PlannedCost]) -> str:
    """What a plan adds a month, and of how many changes nobody knows it."""
    known = [one.difference for one in planned if one.difference is not None]
    total = (
        f"The plan changes the bill by {signed(sum(known, Decimal(0)))} {check.currency} a month"
    )
    where = "at list price on demand, without what is billed by use"
    unknown = len(planned) - len(known)
    left = f"; of {counted(unknown, 'change')} no price is known" if unknown else ""
    return f"{total}, {where}{left}"


def billed(planned: Sequence[PlannedCost]) -> list[PlannedCost]:
    """Those that cost something before or after, or of which that is not known."""
    return [one for one in planned if one.unpriced or one.before or one.after]
