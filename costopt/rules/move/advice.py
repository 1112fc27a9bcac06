"""What is decided of a group that goes, in words and figures."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

import numpy as np

from costopt.model import ActionType, Effort, Recommendation, Savings, Window
from costopt.pricing.age import age
from costopt.pricing.places import latency_ms
from costopt.rules.move.grounds import Ground
from costopt.rules.move.groups import Group
from costopt.rules.move.settings import CODE
from costopt.rules.move.subjects import Subject, in_words, network_untold
from costopt.units import HOURS_PER_MONTH, cents_down, counted, money, provider_key

_DAYS_A_MONTH: Final = HOURS_PER_MONTH / 24
_SHOWN: Final = 3  # other places


def advice(ground: Ground, window: Window) -> list[Recommendation]:
    """One recommendation a machine; together they are the group's."""
    shared = _figures(ground, window)
    found = []
    for row, one in ground.members():
        offer = ground.offer(row, ground.chosen)
        assert offer is not None
        before, after = (
            _share(ground, one, row, ground.home),
            _share(ground, one, row, ground.chosen),
        )
        target = cents_down(money(before - after))
        spread = float(ground.sums.moving.price_spread[ground.number, ground.chosen])
        low = cents_down(money(before - after * (1 + spread)))
        other = [ground.offer(row, place) for place in _others(ground)]
        found.append(
            Recommendation(
                rule=CODE,
                action_type=_action(ground),
                resource_id=one.resource.resource_id,
                resource_name=one.resource.resource_name,
                sub_account_id=one.resource.sub_account_id,
                current=one.case.current,
                recommended=offer,
                estimated_monthly_cost=cents_down(money(after)),
                estimated_monthly_savings=Savings(
                    low=min(low, target),
                    target=target,
                    high=max(target, cents_down(money(before - after * (1 - spread)))),
                    at_list=None,
                    basis=one.case.cost.basis if one.case.cost else "list",
                ),
                currency=ground.board.world.currency,
                lookback=window,
                reason=reason(ground, window),
                implementation_effort=Effort.HIGH,
                restart_needed=True,
                rollback_possible=True,
                evidence={**shared, "needs": in_words(one)},
                alternatives=tuple(alternative for alternative in other if alternative),
                stranded_commitment=cents_down(money(one.stranded)),
                tags=one.resource.tags,
                paid_elsewhere=money(one.run) - target,
            )
        )
    return found


def _action(ground: Ground) -> ActionType:
    same = provider_key(ground.target.provider_name) == provider_key(
        ground.group.home.provider_name
    )
    return ActionType.MOVE_REGION if same else ActionType.MOVE_PROVIDER


def _share(ground: Ground, one: Subject, row: int, place: int) -> float:
    """One machine's part of what its group costs a month there: computing its own, the rest by
    what it stores and sends."""
    at, group = (ground.number, place), ground.group
    here = place == ground.home
    run = one.run if here else float(ground.taken.hourly[row, place]) * one.hours
    storage = ground.sums.staying.storage[ground.number] if here else ground.sums.moving.storage[at]
    egress = ground.sums.staying.egress[ground.number] if here else ground.sums.moving.egress[at]
    return run + (
        float(storage) * _part(one.stored_gib, group.stored_gib, group)
        + float(egress) * _part(_passed(one), sum(map(_passed, group.members)), group)
    )


def _passed(one: Subject) -> float:
    """GiB that it sends, and that neighbours send it."""
    return one.sent.total + one.internal + one.inward


def _part(own: float, total: float, group: Group) -> float:
    return own / total if total else 1 / len(group.members)


def _others(ground: Ground) -> list[int]:
    """The next best places that it might be at."""
    open_ = ground.bounds.resides & ground.bounds.near & ground.bounds.free
    saving = np.where(open_[ground.number], ground.possible, -np.inf)
    order = np.argsort(-saving, kind="stable")[: _SHOWN + 2].tolist()
    kept = [p for p in order if p not in (ground.chosen, ground.home) and saving[p] > 0]
    return kept[:_SHOWN]


def reason(ground: Ground, window: Window) -> str:
    """The same as `sentence`, and what one should know of it."""
    return "; ".join([sentence(ground, window), *cautions(ground, window)])


def sentence(ground: Ground, window: Window) -> str:
    """Where to, what it saves, what it takes, and when it has paid."""
    currency = ground.board.world.currency
    before, after = ground.monthly(ground.home), ground.monthly(ground.chosen)
    machines = counted(len(ground.group.members), "machine")
    low, months = ground.net_present_low, ground.board.settings.horizon_months
    paid = _day(window.end.date(), ground.break_even)
    return (
        f"{ground.group.label} ({machines}) costs {after:,.2f} {currency} a month in "
        f"{ground.called(ground.chosen)} instead of {before:,.2f}; going there takes "
        f"{ground.once:,.0f} once and has paid by {paid}; over {months:g} months it saves "
        f"{ground.net_present_saving:,.0f} in today's money, {low:,.0f} if prices are off the "
        "wrong way"
    )


def cautions(ground: Ground, window: Window) -> list[str]:
    """What one should know of these figures."""
    found = []
    if ground.company:
        names = ", ".join(group.label for group in ground.company)
        found.append(f"goes together with {names}: they send each other data")
    too = float(ground.worth.stay[ground.number]) - ground.here
    if too >= 0.5:  # else it reads as none
        found.append(f"{too:,.0f} of it other machines would save here as well")
    if untold := _uncompared(ground):
        found.append(untold)
    dates = ground.price_dates(ground.chosen)
    if dates and age(dates[0], window.end.date()).stale:
        found.append(f"prices there are of {dates[0]} and may be stale")
    if any(one.need.gpu_count for one in ground.group.members):
        found.append("cards are compared, not the processors beside them")
    if untold := network_untold(ground.machines(ground.chosen)):
        found.append(untold)
    return [*found, *_of_traffic(ground)]


def _uncompared(ground: Ground) -> str:
    """Of storage and traffic, what nobody prices at home; "" = nothing."""
    lacks = ground.sums.unpriced[ground.number].tolist()
    names = [name for name, lack in zip(("storage", "traffic"), lacks, strict=True) if lack]
    if not names:
        return ""
    is_, it = ("is", "it costs") if len(names) == 1 else ("are", "they cost")
    home = ground.called(ground.home)
    return f"{' and '.join(names)} {is_} not compared: nobody says what {it} in {home}"


def _of_traffic(ground: Ground) -> list[str]:
    """What of its monthly cost is assumed, or told."""
    found, at = [], (ground.number, ground.chosen)
    neighbours, talk = float(ground.sums.traffic[at]), float(ground.sums.talk[at])
    if neighbours >= 0.5:
        found.append(
            f"{neighbours:,.0f} of it a month for what is taken to go to neighbours that stay, and "
            "to come from them"
        )
    if talk >= 0.5:
        names = ", ".join(dict.fromkeys(peer.label for peer in ground.peers))
        found.append(f"{talk:,.0f} of it a month for what it and {names} send each other")
    return found


def _day(today: date, months: float) -> str:
    if not np.isfinite(months):
        return "no day"
    return (today + timedelta(days=float(np.ceil(months * _DAYS_A_MONTH)))).isoformat()


def _figures(ground: Ground, window: Window) -> dict[str, Any]:
    """The group's figures, ready for JSON."""
    at, parts = (ground.number, ground.chosen), ground.worth.parts
    target, home = ground.target, ground.group.home
    dates = ground.price_dates(ground.chosen)
    return {
        "group": ground.group.label,
        "group_name": ground.group.name,
        "group_machines": len(ground.group.members),
        "goes_with": [group.name for group in ground.company],
        "from": {"provider_name": home.provider_name, "region_id": home.region_id},
        "to": {
            "provider_name": target.provider_name,
            "region_id": target.region_id,
            "country": target.country,
            "latency_ms": round(latency_ms(home, target), 1),
        },
        "monthly": {
            "now": _money(ground.monthly(ground.home)),
            "then": _money(ground.monthly(ground.chosen)),
            "then_run": _money(float(ground.sums.moving.run[at])),
            "then_storage": _money(float(ground.sums.moving.storage[at])),
            "then_egress": _money(float(ground.sums.moving.egress[at])),
            "of_it_to_neighbours": _money(float(ground.sums.traffic[at])),
            "of_it_talks": _money(float(ground.sums.talk[at])),
        },
        "once": {
            "data": _money(float(parts.leaving[at])),
            "labour": _money(float(parts.labour[at])),
            "dual_run": _money(float(parts.dual_run[at])),
            "stranded_commitments": _money(float(parts.stranded[at])),
        },
        "gib": {
            "stored": round(ground.group.stored_gib, 1),
            "internet_a_month": round(ground.group.sent.internet, 1),
            "neighbours_a_month": round(ground.group.internal, 1),
            "from_neighbours_a_month": round(ground.group.inward, 1),
        },
        "horizon_months": ground.board.settings.horizon_months,
        "net_present_saving": _money(ground.net_present_saving),
        "net_present_saving_low": _money(ground.net_present_low),
        "net_present_saving_here_too": _money(
            max(0.0, float(ground.worth.stay[ground.number]) - ground.here)
        ),
        "break_even_months": round(ground.break_even, 2),
        "break_even_on": _day(window.end.date(), ground.break_even),
        "prices_of": [dates[0].isoformat(), dates[-1].isoformat()] if dates else [],
        "cautions": cautions(ground, window),
    }


def _money(value: float) -> Decimal:
    return money(round(value, 2))
