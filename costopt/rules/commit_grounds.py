"""A purchase as a recommendation: its money, its figures, and why in a sentence."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from costopt.model import ActionType, Effort, Offer, Recommendation, Savings, Window
from costopt.optimize.commitment import Tranche
from costopt.rules.commit_buy import Bought
from costopt.rules.commit_deals import Deal, Priced
from costopt.rules.commit_demand import Left
from costopt.units import HOURS_PER_MONTH, cents, cents_down, counted, money

CODE: Final = "commit"
_SHOWN: Final = 12  # kinds of machines in the evidence


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """What all purchases at one provider rest on."""

    provider: str
    currency: str
    window: Window
    left: Left
    period_hours: float
    residue: float  # of the bill's replay, 0..


def monthly(hourly: float) -> Decimal:
    """Money a month, whole cents, never rounded up."""
    return cents_down(money(hourly * HOURS_PER_MONTH))


def recommendation(one: Bought, ground: Ground) -> Recommendation:
    """What to buy."""
    target = monthly(one.saving)
    # Used in every hour it would save this, but no more than is spent.
    most = monthly(min(one.at_most - one.cost, one.on_demand))
    savings = Savings(
        low=min(monthly(one.stuck), target),
        target=target,
        high=max(most, target),
        at_list=None,
        basis="charges",
    )
    deal = one.deal
    return Recommendation(
        rule=CODE,
        action_type=deal.sort.action,
        resource_id=deal.scope,
        resource_name=deal.label,
        sub_account_id=None,
        current=_offer(ground, deal, one.on_demand, "Standard"),
        recommended=_offer(ground, deal, one.cost, "Committed"),
        estimated_monthly_cost=cents(money(one.on_demand * HOURS_PER_MONTH)) - target,
        estimated_monthly_savings=savings,
        currency=ground.currency,
        lookback=ground.window,
        reason=reason(one, ground),
        implementation_effort=Effort.VERY_LOW,
        restart_needed=False,
        rollback_possible=False,
        evidence=evidence(one, ground),
    )


def _offer(ground: Ground, deal: Deal, hourly: float, category: str) -> Offer:
    """Money an hour: on demand, or committed."""
    return Offer(
        provider_name=PROVIDERS.get(ground.provider, ground.provider),
        region_id=deal.region or None,
        instance_type=None,
        vcpus=None,
        memory_gib=None,
        hourly_price=money(hourly),
        currency=ground.currency,
        pricing_category=category,
    )


PROVIDERS: Final = {"aws": "AWS", "azure": "Azure", "gcp": "GCP"}


def reason(one: Bought, ground: Ground) -> str:
    """What to commit to, what it replaces, and what it comes to at worst."""
    cost = f"{one.cost:.4g} {ground.currency} an hour"
    terms = " and ".join(sorted({_years(one.deal, each) for each in one.tranches}))
    if (count := len({each.month for each in one.tranches})) > 1:
        when = f", bought in {count} parts by and by"
    else:
        when = ", bought in one part"
    worst = worst_case(one)
    stuck = "saves" if worst >= 0 else "loses"
    return (
        f"{cost} for {terms}{when}, instead of {one.at_most:.4g} on demand: used "
        f"{100 * one.utilisation:.3g} % on {counted(round(ground.left.weeks, 1), 'week', 'g')} of "
        f"bill, and it pays from {100 * one.break_even:.3g} %; if the lowest month went on for the "
        f"whole term it {stuck} {abs(worst):,.0f} {ground.currency}"
    )


def _years(deal: Deal, tranche: Tranche) -> str:
    return counted(_priced(deal, tranche).months // 12, "year")


def worst_case(one: Bought) -> float:
    """Money saved over the whole terms if the history's lowest month went on; below 0: lost."""
    used = one.lowest / one.at_most
    return sum(
        (one.at_most * part.quantity / one.quantity * used - _cost(part, one))
        * _priced(one.deal, part).months
        * HOURS_PER_MONTH
        for part in one.tranches
    )


def _cost(part: Tranche, one: Bought) -> float:
    """What a tranche costs an hour, upfront spread."""
    return one.rates[part.term] * part.quantity


def _priced(deal: Deal, tranche: Tranche) -> Priced:
    return next(each for each in deal.priced if each.name == tranche.term)


def evidence(one: Bought, ground: Ground) -> dict[str, Any]:
    """The figures behind it; money in the bill's currency."""
    deal, left = one.deal, ground.left
    trial = one.trial
    return {
        "hourly_commitment": _money(one.cost),
        "on_demand_hourly": _money(one.at_most),
        "price_of_on_demand_share": round(one.break_even, 4),
        "break_even_utilisation_share": round(one.break_even, 4),
        "utilisation_share": round(one.utilisation, 4),
        "coverage_share": round(one.coverage, 4),
        "worst_case_a_month": _money(one.stuck * HOURS_PER_MONTH),
        "worst_case_over_term": _money(worst_case(one)),
        "best_on_history_hourly_commitment": _money(one.newsvendor * one.rates[deal.first.name]),
        "price_source": "; ".join(sorted({_priced(deal, each).source for each in one.tranches})),
        "tranches": [_tranche(one, part, ground) for part in one.tranches],
        "history": {
            "weeks": round(left.weeks, 2),
            "billed_by_hours": ground.period_hours,
            "hours_missing": int(_missing(left)),
            "replay_residue_percent": round(100 * ground.residue, 4),
        },
        "held_out": {
            "learnt_weeks": round(trial.trained / 168, 2),
            "judged_weeks": round((left.hours - trial.trained) / 168, 2),
            "saved_share": round(trial.outcome.share, 4),
            "of_what_was_possible_share": round(trial.of_oracle, 4),
        },
        "covers": _covers(deal, left),
        **_machines(one, left),
    }


def _money(hourly: float) -> Decimal:
    return money(round(hourly, 6))


def _missing(left: Left) -> int:
    return int((left.amounts != left.amounts).any(axis=1).sum())


def _tranche(one: Bought, part: Tranche, ground: Ground) -> dict[str, Any]:
    priced = _priced(one.deal, part)
    return {
        "buy_on": months_after(ground.window.end.date(), part.month),
        "ends_on": months_after(ground.window.end.date(), part.ends),
        "term": f"{priced.months // 12}yr",
        "payment": priced.name.partition(" ")[2] or "as the one that is held",
        "hourly_commitment": _money(_cost(part, one)),
    }


def months_after(day: date, months: int) -> date:
    """The same day so many months later, or that month's last."""
    year, month = divmod(day.month - 1 + months, 12)
    last = monthrange(day.year + year, month + 1)[1]
    return date(day.year + year, month + 1, min(day.day, last))


def _covers(deal: Deal, left: Left) -> list[dict[str, Any]]:
    """What it could cover, the dearest first."""
    kinds = list(deal.first.shares)
    rows = sorted(
        zip(left.hourly(kinds).tolist(), kinds, strict=True), key=lambda row: (-row[0], row[1])
    )
    return [
        {
            "machines": left.kinds[kind].instance_type or left.kinds[kind].family,
            "region": left.kinds[kind].region,
            "on_demand_hourly": _money(hourly),
            "price_share": round(deal.first.shares[kind], 4),
        }
        for hourly, kind in rows[:_SHOWN]
    ]


def _machines(one: Bought, left: Left) -> dict[str, Any]:
    """A reservation is bought as machines: of the smallest type in use, the rest being flexible."""
    deal = one.deal
    if deal.sort.action is not ActionType.PURCHASE_RESERVED_INSTANCES or not deal.step:
        return {}
    smallest = min(deal.first.shares, key=lambda kind: (left.rates[kind], kind))
    kind = left.kinds[smallest]
    return {
        "reserved": {
            "instance_type": kind.instance_type or kind.family,
            "count": round(one.quantity / deal.step, 2),
        }
    }


def unpriced(provider: str, left: Left, deals: Iterable[Deal]) -> Mapping[str, list[str]]:
    """Scope -> families on demand there that no known price covers, with money an hour."""
    priced = {kind for deal in deals for kind in deal.first.shares}
    money_of: dict[str, dict[str, float]] = {}
    hourly: Sequence[float] = left.hourly().tolist()
    for place, kind in enumerate(left.kinds):
        if place not in priced:
            here = money_of.setdefault(f"{provider}/{kind.region or 'global'}", {})
            here[kind.family] = here.get(kind.family, 0.0) + hourly[place]
    return {
        scope: [
            f"{name} {each:.4g}" for name, each in sorted(of.items(), key=lambda x: (-x[1], x[0]))
        ]
        for scope, of in sorted(money_of.items())
    }
