"""The words that several formats of a check share."""

from __future__ import annotations

from collections import Counter

from costopt.model.check import SEVERITIES, About, Check, Verdict
from costopt.units import counted


def about(check: Check) -> dict[str, About]:
    """The policies by id."""
    return {one.id: one for one in check.policies}


def headline(check: Check) -> str:
    """How it went, in one sentence."""
    found = Counter(one.severity for one in check.open)
    asked = f"{len(check.policies):,} policies" if len(check.policies) != 1 else "1 policy"
    of = f"{asked} asked of {counted(check.resources, 'resource')}"
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
