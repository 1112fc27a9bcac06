"""A purchase as a recommendation: its money, its figures, and why in a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from costopt.model import Effort, Offer, Recommendation, Savings, Window
from costopt.optimize.commitment import Tranche
from costopt.rules.commit.demand import Left
from costopt.rules.commit.outcome import Bought, monthly
from costopt.rules.commit.parts import account, bought_as, months_after, tranche
from costopt.rules.commit.sorts import Deal
from costopt.units import HOURS_PER_MONTH, cents, counted, money

CODE: Final = "commit"
_SHOWN: Final = 12  # kinds of machines in the evidence
_TINY: Final = 1e-9
PROVIDERS: Final = {"aws": "AWS", "azure": "Azure", "gcp": "GCP"}


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """What all purchases at one provider rest on."""

    provider: str
    currency: str
    window: Window
    left: Left
    period_hours: float
    residue: float  # of the bill's replay, 0..
    yearly_decline: float  # that is feared
    ends: datetime | None = None  # of what is held and covers this demand until then
    replaces: tuple[str, ...] = ()  # names of it

    @property
    def begins(self) -> date:
        """When the first part is bought."""
        return (self.ends or self.window.end).date()


def recommendation(one: Bought, ground: Ground) -> Recommendation:
    """What to buy.

    What takes the place of a commitment takes nothing off the bill of today: it saves from that
    one's end on, `high` says how much.
    """
    deal, saving = one.deal, monthly(one.saving)
    renewed = ground.ends is not None
    target = monthly(0.0) if renewed else saving
    # Used in every hour it would save this, but no more than is spent.
    most = monthly(min(one.at_most - one.cost, one.on_demand))
    low = min(monthly(one.stuck), target)
    replaced = cents(money(one.replaced * HOURS_PER_MONTH))
    until = f", from {ground.begins}" if renewed else ""
    return Recommendation(
        rule=CODE,
        action_type=deal.sort.action,
        resource_id=deal.scope + (f"@{ground.begins}" if renewed else ""),
        resource_name=deal.label + until,
        sub_account_id=account(deal, ground.left)[0] or None,
        current=_offer(ground, deal, one.replaced, "Standard"),
        recommended=_offer(ground, deal, one.cost, "Committed"),
        estimated_monthly_cost=replaced - target,
        estimated_monthly_savings=Savings(
            low=low, target=target, high=max(most, saving), at_list=None, basis="charges"
        ),
        currency=ground.currency,
        lookback=ground.window,
        reason=reason(one, ground),
        implementation_effort=Effort.VERY_LOW,
        restart_needed=False,
        rollback_possible=False,
        evidence=evidence(one, ground),
    )


def _offer(ground: Ground, deal: Deal, hourly: float, category: str) -> Offer:
    """Money an hour: what is replaced on demand, or what is committed."""
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


def reason(one: Bought, ground: Ground) -> str:
    """What to commit to, what it replaces, and what it comes to if things go worse."""
    tranches = one.planned.tranches
    cost = f"{one.cost:.4g} {ground.currency} an hour"
    terms = " and ".join(sorted({_length(one, each) for each in tranches}))
    if (count := len({each.month for each in tranches})) > 1:
        last = months_after(ground.begins, max(each.month for each in tranches))
        when = f", bought in {count} parts until {last}, from when on it saves in full"
    else:
        when = ", bought in one part"
    instead = ""
    if one.planned.held_back:
        instead = "; more would pay on the whole history, but loses at the pace of its last 7 days"
    if ground.ends:
        instead += (
            f"; it takes the place of {', '.join(ground.replaces)}, which ends on "
            f"{ground.ends:%Y-%m-%d}: from then on it saves "
            f"{monthly(one.saving):,} {ground.currency} a month, today's bill stays"
        )
    return (
        f"{cost} for {terms}{when}, instead of {one.replaced:.4g} on demand: used "
        f"{100 * one.utilisation:.3g} % on {counted(round(ground.left.weeks, 1), 'week', 'g')} of "
        f"bill, and it pays from {100 * one.break_even:.3g} %{instead}; it binds "
        f"{one.obligation:,.0f} {ground.currency} in all, lost if nothing runs any more; "
        f"{_outlook(one, ground)}"
    )


def _outlook(one: Bought, ground: Ground) -> str:
    """Over all terms: the lowest of the past going on, and the fall that is feared."""

    def said(amount: float) -> str:
        return f"{'saves' if amount >= 0 else 'loses'} {abs(amount):,.0f}"

    return (
        f"over its terms it {said(one.stuck_over_terms)} if the lowest 4 weeks seen went on, and "
        f"{said(one.falling)} if demand falls by {100 * ground.yearly_decline:g} % a year"
    )


def _length(one: Bought, part: Tranche) -> str:
    term = one.deal.priced_as(part.term).term
    years = counted(term.months // 12, "year")
    return years if term.told else f"a term that is not told, taken for {years}"


def evidence(one: Bought, ground: Ground) -> dict[str, Any]:
    """The figures behind it; money in the bill's currency."""
    deal, left, planned = one.deal, ground.left, one.planned
    trial = planned.trial
    parts = [tranche(one, part, ground.begins, left) for part in planned.tranches]
    where, share = account(deal, left)
    return {
        "hourly_commitment": _money(one.cost),
        "on_demand_hourly": _money(one.at_most),
        "replaced_hourly": _money(one.replaced),
        "on_demand_found_hourly": _money(one.on_demand),
        "break_even_utilisation_share": one.break_even,
        "utilisation_share": one.utilisation,
        "coverage_share": one.coverage,
        "saves_in_full_from": max(part["buy_on"] for part in parts),
        "upfront": sum(part["upfront"] for part in parts),
        "bound_over_terms": cents(money(one.obligation)),
        "lowest_4_weeks_a_month": monthly(one.stuck),
        "lowest_4_weeks_over_terms": cents(money(one.stuck_over_terms)),
        "if_demand_falls_over_terms": cents(money(one.falling)),
        "feared_yearly_fall_share": ground.yearly_decline,
        "best_on_history_hourly_commitment": _money(planned.newsvendor * one.cost / one.quantity),
        "bought_of_best_share": round(one.quantity / planned.newsvendor, 4),
        "price_source": "; ".join(
            sorted({deal.priced_as(part.term).source for part in planned.tranches})
        ),
        **({"buy_in_account": where, "its_share_of_the_demand": share} if where else {}),
        **_held_until(one, ground),
        "tranches": parts,
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
        **bought_as(one, one.quantity, left),
    }


def _held_until(one: Bought, ground: Ground) -> dict[str, Any]:
    if ground.ends is None:
        return {}
    return {
        "takes_the_place_of": list(ground.replaces),
        "saves_a_month_from_then_on": monthly(one.saving),
    }


def _money(hourly: float) -> Any:
    return money(round(hourly, 6))


def _missing(left: Left) -> int:
    return int((left.amounts != left.amounts).any(axis=1).sum())


def _covers(deal: Deal, left: Left) -> list[dict[str, Any]]:
    """What it could cover, the dearest first."""
    kinds = list(deal.first.shares)
    rows = sorted(
        zip(left.hourly(kinds).tolist(), kinds, strict=True), key=lambda row: (-row[0], row[1])
    )
    return [
        {
            "machines": left.kinds[kind].name,
            "region": left.kinds[kind].region,
            "on_demand_hourly": _money(hourly),
            "price_share": round(deal.first.shares[kind], 4),
        }
        for hourly, kind in rows[:_SHOWN]
    ]


def unpriced(
    provider: str, left: Left, deals: Sequence[Deal], why: Mapping[int, str]
) -> Mapping[str, dict[str, list[str]]]:
    """Scope -> why there is no price -> families on demand there, with money an hour."""
    priced = {kind for deal in deals for kind in deal.first.shares}
    money_of: dict[str, dict[str, dict[str, float]]] = {}
    hourly: Sequence[float] = left.hourly().tolist()
    for place, kind in enumerate(left.kinds):
        if place not in priced and hourly[place] > _TINY:
            reason = why.get(place, "no list names a committed price, nor does the bill show one")
            here = money_of.setdefault(f"{provider}/{kind.region or 'global'}", {})
            of = here.setdefault(reason, {})
            of[kind.family] = of.get(kind.family, 0.0) + hourly[place]
    return {
        scope: {reason: _dearest_first(of) for reason, of in sorted(here.items())}
        for scope, here in sorted(money_of.items())
    }


def _dearest_first(of: Mapping[str, float]) -> list[str]:
    return [f"{name} {each:.4g}" for name, each in sorted(of.items(), key=lambda x: (-x[1], x[0]))]
