"""What is found of own machines as the report's nouns, for programs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Final

from costopt.model.owning import Against, Keeping, OwnClass, Sensitivity
from costopt.rules.move.own import Owned
from costopt.rules.move.own_answer import Answer
from costopt.rules.move.own_purchase import Purchase
from costopt.rules.move.own_racks import Racks
from costopt.rules.move.own_racks_told import note
from costopt.units import money

_YEAR: Final = 12


def own_classes(owned: Owned) -> tuple[OwnClass, ...]:
    """Every class of the file, by name."""
    racks = {one.name: one for one in owned.racks}
    return tuple(
        _of_class(answer, racks.get(answer.kind.name), owned.currency) for answer in owned.answers
    )


def _of_class(answer: Answer, racks: Racks | None, currency: str) -> OwnClass:
    shown, bought = answer.shown, answer.bought
    month = answer.month
    return OwnClass(
        name=answer.kind.name,
        to_buy=bought.count,
        spares=bought.spares,
        capex=_amount(bought.capex) or Decimal(0),
        machines_replaced=len(bought.members),
        why=None if bought.count else answer.why,
        as_paid=_against(shown, answer.price),
        on_demand=_against(shown, answer.listed),
        committed=_against(shown, answer.committed),
        committed_term=answer.terms or None,
        measured_utilization=round(shown.used, 4) if shown else None,
        least_utilization=round(shown.used_low, 4) if shown else None,
        busy_percent=None if answer.busy is None else round(answer.busy, 1),
        yearly_saving=_amount(_YEAR * shown.saved.target) if shown else None,
        yearly_saving_low=_amount(_YEAR * shown.saved.low) if shown else None,
        yearly_saving_committed=_amount(_YEAR * shown.ahead) if shown and answer.terms else None,
        net_present_saving=_amount(shown.present) if shown else None,
        net_present_saving_low=_amount(shown.present_low) if shown else None,
        once=_amount(shown.once) if shown else None,
        horizon_months=answer.board.horizon.months,
        paid_back_month=int(month) if math.isfinite(month) else None,
        paid_back_on=date.fromisoformat(answer.paid_by) if answer.paid_by else None,
        file_currency=answer.site.currency,
        sensitivity=tuple(_sensitivity(answer)),
        keeping=_keeping(racks, currency) if racks else None,
    )


def _against(shown: Purchase | None, hourly: float | None) -> Against:
    if shown is None or hourly is None:
        return Against(None, None)
    return Against(money(round(hourly, 6)), _share(shown.break_even(hourly)))


def _sensitivity(answer: Answer) -> Iterator[Sensitivity]:
    for one in answer.swings():
        yield Sensitivity(one.name, one.low, one.high, _share(one.at_low), _share(one.at_high))


def _keeping(one: Racks, currency: str) -> Keeping:
    known = one.needed is not None
    cloud = one.cloud
    return Keeping(
        owned=one.told.owned,
        idle=one.idle if known else None,
        verdict=one.verdict.value,
        yearly_cost_each=_amount(one.each_yearly),
        yearly_saving_idle=_amount(one.idle_yearly) if known else None,
        yearly_cost_kept=_amount(one.all_yearly) if known else None,
        yearly_cost_cloud=_amount(_YEAR * cloud.monthly) if cloud else None,
        cloud=f"{cloud.place.provider_name} {cloud.place.region_id}" if cloud else None,
        once=_amount(one.once) if cloud else None,
        net_present_saving=_amount(one.present),
        net_present_saving_low=_amount(one.present_low),
        months=round(one.months, 2) if cloud else None,
        send_unmeasured=cloud.load.unsent if cloud else None,
        stored_unknown=cloud.load.unstored if cloud else None,
        told=note(one, currency),
    )


def _amount(value: float) -> Decimal | None:
    """None = not known."""
    return money(round(value, 2)) if math.isfinite(value) else None


def _share(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None
