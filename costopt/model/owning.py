"""What is found of machines of one's own, by class: what to buy, and what that is owned to keep.

Amounts are in the report's currency unless they say otherwise; None = not known, or not applicable.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Against:
    """One price that own machines are held against."""

    hourly: Decimal | None  # in the cloud, of what one machine takes the place of
    break_even_utilization: float | None  # share of all hours from which on owning is cheaper


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """The break-even at the ends of one figure, all others as told."""

    figure: str  # capex, life_years, .., price (of the cloud): inputs of optimize/own.py
    low: float  # of the figure, in the file's currency
    high: float
    break_even_at_low: float | None  # None = no use would do
    break_even_at_high: float | None


@dataclass(frozen=True, slots=True)
class Keeping:
    """Machines of the class that are owned already."""

    owned: int
    idle: int | None  # that nothing is needed of
    verdict: str  # keep | close | unsure | unknown: of those that something runs on
    yearly_cost_each: Decimal | None  # of one that nothing runs on
    yearly_saving_idle: Decimal | None  # by closing those
    yearly_cost_kept: Decimal | None  # of the others, with what runs on them
    yearly_cost_cloud: Decimal | None  # of the same in the cloud
    cloud: str | None  # where: `aws eu-west-1`
    once: Decimal | None  # what going there takes
    net_present_saving: Decimal | None  # by closing all; below 0: they are worth keeping
    net_present_saving_low: Decimal | None
    months: float | None  # of those two
    send_unmeasured: int | None  # machines of which nobody measures what they send
    stored_unknown: int | None  # of which nobody knows what they store
    told: str  # all of it in a sentence


@dataclass(frozen=True, slots=True)
class OwnClass:
    """One class of onprem.toml against the fleet."""

    name: str
    to_buy: int
    spares: int  # bought beside
    capex: Decimal  # of all that is bought
    machines_replaced: int
    why: str | None  # why none is to be bought
    as_paid: Against  # of what is bought, or of the machine that is nearest to paying
    on_demand: Against
    committed: Against
    committed_term: str | None
    measured_utilization: float | None  # share of all hours that is paid for in the cloud
    least_utilization: float | None  # the same in the four weeks of least use
    busy_percent: float | None  # of its work while it is paid for
    yearly_saving: Decimal | None
    yearly_saving_low: Decimal | None
    yearly_saving_committed: Decimal | None  # what buying ahead in the cloud would save instead
    net_present_saving: Decimal | None
    net_present_saving_low: Decimal | None
    once: Decimal | None  # what going there takes
    horizon_months: float
    paid_back_month: int | None  # with what going takes; None = not within its life
    paid_back_on: date | None
    file_currency: str
    sensitivity: tuple[Sensitivity, ...]  # the largest swing first
    keeping: Keeping | None  # None = none is owned
