"""The nouns: what every part of costopt speaks of. Frozen, without I/O, without Arrow.

Money is Decimal in the named currency; a month is `units.HOURS_PER_MONTH` hours; shares are 0..1;
utilizations are percent 0..100 of the whole resource; times are UTC.
"""

from __future__ import annotations

from costopt.model.advice import (
    PURCHASES,
    ActionType,
    Cost,
    Effort,
    Guard,
    Offer,
    Reckoned,
    Recommendation,
    Report,
    Risk,
    Savings,
    Skip,
    Step,
    Summary,
)
from costopt.model.demand import (
    Disputed,
    Finding,
    FindingLevel,
    Profile,
    Series,
)
from costopt.model.fleet import (
    NOTHING,
    Price,
    Resource,
    Shape,
    Window,
    is_billed,
    is_machine,
    is_stopped,
)
from costopt.model.place import Exchange, Place, Rate, RateKind
from costopt.model.week import WEEKDAYS, Change, DayPlan, WeekPlan

__all__ = [
    "NOTHING",
    "PURCHASES",
    "WEEKDAYS",
    "ActionType",
    "Change",
    "Cost",
    "DayPlan",
    "Disputed",
    "Effort",
    "Exchange",
    "Finding",
    "FindingLevel",
    "Guard",
    "Offer",
    "Place",
    "Price",
    "Profile",
    "Rate",
    "RateKind",
    "Reckoned",
    "Recommendation",
    "Report",
    "Resource",
    "Risk",
    "Savings",
    "Series",
    "Shape",
    "Skip",
    "Step",
    "Summary",
    "WeekPlan",
    "Window",
    "is_billed",
    "is_machine",
    "is_stopped",
]
