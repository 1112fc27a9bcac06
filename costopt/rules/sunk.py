"""Own machines: how much of a saving is money that is paid already, and so ends with no invoice.

Who collects own machines leaves the parts of their hourly price in x_Attributes; a cloud's have
none.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Final

from costopt.model import Recommendation, Resource
from costopt.rules.base import Case, Outcome
from costopt.units import cents, per_month

PARTS: Final = ("capital", "maintenance", "hosting", "power")


def parts(resource: Resource) -> dict[str, Decimal]:
    """What an hour of one's own machine is made of, by name; empty = it is none."""
    told = {name: resource.attributes.get(f"hourly_{name}") for name in PARTS}
    return {name: Decimal(amount) for name, amount in told.items() if amount is not None}


def told(case: Case, outcome: Outcome) -> Outcome:
    """The outcome, with a word on the capital in its saving.

    Of a stop the parts of the saving are those of the price; what another machine's are is not
    known here, so of a change the word is on how much of it may be capital.
    """
    if not isinstance(outcome, Recommendation):
        return outcome
    made_of, saving = parts(case.resource), outcome.estimated_monthly_savings.target
    total = sum(made_of.values(), Decimal(0))
    paid, power = made_of.get("capital", Decimal(0)), made_of.get("power", Decimal(0))
    if not paid or saving <= 0:
        return outcome
    currency = outcome.currency
    if outcome.recommended is None:
        amount = f"{cents(saving * paid / total):,} {currency}"
        rest = f"{cents(saving * power / total):,} {currency} of power ends at once"
    else:
        amount = f"up to {cents(min(saving, per_month(paid))):,} {currency}"
        rest = "power ends at once, by as much as the other machine draws less"
    text = (
        f"{amount} a month of the saving is capital, which is paid already: it comes back once the "
        f"machine is sold, put to other work, or not bought again; {rest}, hosting and maintenance "
        "when their contracts do"
    )
    reason = f"{outcome.reason}; {amount} a month of it is capital that is paid already"
    warnings = [*outcome.evidence.get("warnings", ()), text]
    evidence = {**outcome.evidence, "warnings": warnings}
    return replace(outcome, reason=reason, evidence=evidence)
