"""What is decided of a class of own machines, in words and figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

import numpy as np

from costopt.model import ActionType, Effort, Offer, Recommendation, Savings, Skip, Window
from costopt.optimize.own import cost_per_used_hour
from costopt.pricing.onprem import PROVIDER
from costopt.rules.move.own_answer import Answer, busy
from costopt.rules.move.own_purchase import Purchase
from costopt.rules.move.own_sums import Candidate, Once, Rack
from costopt.rules.move.settings import CODE
from costopt.rules.move.subjects import in_words
from costopt.units import HOURS_PER_MONTH, cents_down, counted, money

_NEIGHBOURS: Final = 1.0
"""Money a month of traffic from which on it is told."""


# -- it is to be bought --------------------------------------------------------------------------


def advice(answer: Answer, window: Window) -> Iterator[Recommendation]:
    """One recommendation a machine that goes; those of a group share their figures."""
    shared: dict[str, dict[str, Any]] = {}
    for rack in answer.taken:
        for one in rack.members:
            name = one.group.name
            if name not in shared:
                shared[name] = _group_figures(answer, name)
            yield _advised(answer, rack, one, window, shared[name])


def _advised(
    answer: Answer, rack: Rack, one: Candidate, window: Window, shared: Mapping[str, Any]
) -> Recommendation:
    part, subject = answer.bought.part(rack, one), one.subject
    target = cents_down(money(part.target))
    resource, currency = subject.resource, answer.board.world.currency
    return Recommendation(
        rule=CODE,
        action_type=ActionType.REPATRIATE,
        resource_id=resource.resource_id,
        resource_name=resource.resource_name,
        sub_account_id=resource.sub_account_id,
        current=subject.case.current,
        recommended=_offer(answer, rack),
        estimated_monthly_cost=cents_down(money(subject.run)) - target,
        estimated_monthly_savings=Savings(
            low=min(target, cents_down(money(part.low))),
            target=target,
            high=max(target, cents_down(money(part.high))),
            at_list=None,
            basis=subject.case.cost.basis if subject.case.cost else "list",
        ),
        currency=currency,
        lookback=window,
        reason=_reason(answer, rack, one, shared, currency),
        implementation_effort=Effort.HIGH,
        restart_needed=True,
        rollback_possible=False,  # what was bought stays bought
        evidence={
            **shared,
            **_rack_figures(rack),
            "needs": in_words(subject),
            "paid_hours": _paid_hours(one),
            "busy": busy(one),
        },
        stranded_commitment=cents_down(money(subject.stranded)),
        tags=resource.tags,
        paid_elsewhere=money(subject.run) - target,
    )


def _offer(answer: Answer, rack: Rack) -> Offer:
    told = answer.kind.told
    saved = sum(answer.bought.part(rack, one).target for one in rack.members)
    hourly = (rack.in_cloud - saved) / (HOURS_PER_MONTH * rack.used)
    return Offer(
        provider_name=PROVIDER,
        region_id=answer.site.name,
        instance_type=answer.kind.name,
        vcpus=told.vcpus,
        memory_gib=told.memory_gib,
        gpu_model=told.gpu_model,
        gpu_count=told.gpu_count,
        hourly_price=money(round(hourly, 6)),
        currency=answer.board.world.currency,
        pricing_category=None,
    )


def _reason(
    answer: Answer, rack: Rack, one: Candidate, shared: Mapping[str, Any], currency: str
) -> str:
    beside, bought = len(rack.members) - 1, answer.bought
    whom = f"one {answer.kind.name} of one's own"
    whom += f", with {counted(beside, 'other machine')}," if beside else ""
    spares = f" and {counted(bought.spares, 'spare')}" if bought.spares else ""
    paid = f"have paid by {answer.paid_by}" if answer.paid_by else "do not pay within their life"
    told = (
        f"an hour costs {one.hourly:,.4g} {currency} and is paid for in "
        f"{_percent(one.use.expected)} of all; {whom} costs less from "
        f"{_percent(rack.break_even)} on; all {bought.count}{spares}, used "
        f"{_percent(bought.used)} together, do from {_percent(bought.break_even(bought.price))} "
        f"on, save {12 * bought.saved.target:,.0f} a year and {paid}"
    )
    return "; ".join([told, *shared["cautions"]])


def _group_figures(answer: Answer, name: str) -> dict[str, Any]:
    """Of the group's part of the class, ready for JSON; keys as of other moves."""
    mine = [(r, one) for r in answer.taken for one in r.members if one.group.name == name]
    group, board = mine[0][1].group, answer.board
    settings, horizon = board.settings, board.horizon
    bought = answer.bought
    parts = [bought.part(rack, one) for rack, one in mine]
    hours = settings.labour_hours_group + settings.labour_hours_provider
    each = [one.once(settings, horizon) for _, one in mine]
    once = Once(*(sum(column) for column in zip(*each, strict=True)))
    once = once._replace(labour=once.labour + settings.labour_rate * hours)
    throughout = float(horizon.paid(horizon.months))
    saved, low = sum(one.target for one in parts), sum(one.low for one in parts)
    now = sum(one.monthly for _, one in mine)
    traffic = sum(one.traffic for _, one in mine)
    return {
        "group": group.label,
        "group_name": f"{group.name} on {answer.kind.name}",
        "group_machines": len(group.members),
        "from": {
            "provider_name": group.home.provider_name,
            "region_id": group.home.region_id,
        },
        "to": {"provider_name": PROVIDER, "region_id": answer.site.name, "class": answer.kind.name},
        "monthly": {
            "now": _money(now),
            "then": _money(now - saved),
            "of_it_from_neighbours": _money(traffic),
        },
        "once": {
            "data": _money(once.data),
            "labour": _money(once.labour),
            "dual_run": _money(once.dual_run),
            "stranded_commitments": _money(once.stranded),
        },
        "gib": {
            "stored": round(sum(one.subject.stored_gib for _, one in mine), 1),
            "from_neighbours_a_month": round(sum(one.received_gib for _, one in mine), 1),
        },
        "horizon_months": settings.horizon_months,
        "net_present_saving": _money(saved * throughout - sum(once)),
        "net_present_saving_low": _money(low * throughout - sum(once)),
        "break_even_months": None if np.isinf(answer.month) else int(answer.month),
        "break_even_on": answer.paid_by or "no day",
        "class": answer.kind.name,
        "class_machines": bought.count,
        "class_spares": bought.spares,
        "class_capex": _money(bought.capex),
        "class_yearly_saving": _money(12 * bought.saved.target),
        "class_utilization": {
            "measured": round(bought.used, 4),
            "low": round(bought.used_low, 4),
            "break_even": _share(bought.break_even(bought.price)),
            "break_even_on_demand": _against(bought, answer.listed),
            "break_even_committed": _against(bought, answer.committed),
        },
        "packing": {"machines": len(answer.packed.machines), "least": answer.packed.least},
        "prices_of": [],
        "cautions": list(_cautions(answer, mine[0][1], traffic)),
    }


def _cautions(answer: Answer, one: Candidate, traffic: float) -> Iterator[str]:
    if answer.kind.told.gpu_count:
        yield "cards are compared, not the processors beside them"
    if missing := answer.kind.not_compared:
        yield f"{' and '.join(missing)} are not told of {answer.kind.name}, and not compared"
    if answer.site.country is None or answer.site.latitude is None:
        yield "where it stands is not told: residency and distance were not looked at"
    if not answer.kind.told.ranges:
        fall = f"{100 * answer.costs.fall:.3g} % less for the cloud"
        yield f"no figure of {answer.kind.name} has a range: its low is by {fall} and its least use"
    if not one.use.hours:
        yield "no bill tells by the hour when it is paid for"
    if traffic >= _NEIGHBOURS:
        yield f"{traffic:,.0f} of it a month for what is taken to come from the cloud"


def _rack_figures(rack: Rack) -> dict[str, Any]:
    return {
        "utilization": {
            "measured": round(rack.used, 4),
            "low": round(rack.used_low, 4),
            "break_even": _share(rack.break_even),
        },
        "hourly_in_cloud": _money(rack.price),
        "together": [one.subject.resource.resource_id for one in rack.members],
    }


def _against(bought: Purchase, price: float | None) -> float | None:
    return None if price is None else _share(bought.break_even(price))


def _share(value: float) -> float | None:
    """None = never: JSON has no infinity."""
    return round(value, 4) if np.isfinite(value) else None


def _paid_hours(one: Candidate) -> dict[str, float]:
    use = one.use
    return {
        "of_a_month": round(use.expected * HOURS_PER_MONTH, 1),
        "in_the_least_four_weeks": round(use.low * HOURS_PER_MONTH, 1),
        "hours_of_bill": use.hours,
    }


# -- it stays in the cloud -----------------------------------------------------------------------


def skips(answer: Answer) -> Iterator[Skip]:
    """Why what the class could take stays, and what would change that."""
    currency = answer.board.world.currency
    for rack in answer.left:
        code, why = _verdict(answer, rack)
        for one in rack.members:
            told = (
                f"one {answer.kind.name} of one's own could take {_whom(rack, currency)}; it is "
                f"paid for in {_percent(one.use.expected)} of all hours, {one.hourly:,.4g} "
                f"{currency} each; {why}"
            )
            yield Skip(one.subject.resource.resource_id, CODE, code, told)


def _whom(rack: Rack, currency: str) -> str:
    beside = len(rack.members) - 1
    if not beside:
        return "it"
    return f"it and {counted(beside, 'other')} ({rack.price:,.4g} {currency} an hour in all)"


def _verdict(answer: Answer, rack: Rack) -> tuple[str, str]:
    share, most, board = rack.break_even, answer.kind.told.most, answer.board
    if share > 1:
        hourly = float(cost_per_used_hour(rack.own(answer.costs.told), 1.0))
        return "own-dearer", (
            f"used all the time an own one{_spared(rack)} costs {hourly:,.4g} an hour"
        )
    if rack.monthly <= 0:
        return "own-dearer", (
            f"an own one{_spared(rack)} costs less from {_percent(share)} of the hours on, and "
            f"would be used {_percent(rack.used)}"
        )
    if rack.monthly <= rack.ahead:
        terms = {one.committed.term for one in rack.members if one.committed}
        return "own-dearer", (
            f"an own one{_spared(rack)} would save {rack.monthly:,.0f} a month, and buying it "
            f"ahead in the cloud ({' and '.join(sorted(terms))}) {rack.ahead:,.0f}"
        )
    if most is not None and rack.monthly_low > 0 and answer.taken:
        return "own-no-room", (
            f"an own one would save {rack.monthly:,.0f} a month, but there is room for {most} "
            "(most)"
        )
    horizon = board.horizon
    once, paid = rack.once(board.settings, horizon), float(horizon.paid(horizon.months))
    return "own-unsure", (
        f"an own one would save {rack.monthly:,.0f} a month, but {rack.monthly_low:,.0f} with "
        f"every range, and its use at {_percent(rack.used_low)}, at the end that speaks against "
        f"it; of the {rack.monthly * paid:,.0f} that it saves over {horizon.months:g} months going "
        f"there takes {once:,.0f}, and people's time for the group"
    )


def _spared(rack: Rack) -> str:
    if not rack.spares:
        return ""
    them = "spare that it takes" if rack.spares == 1 else f"{rack.spares} spares that it takes"
    return f" and the {them}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _money(value: float) -> Decimal:
    return money(round(value, 2))
