"""What may be set of the schedule rule, with bounds; descriptions become options and docs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, StringConstraints

from costopt.model.week import WEEKDAYS
from costopt.model.zone import time_zone
from costopt.optimize.timetable import Wishes
from costopt.profile.special import BUSIEST, Days
from costopt.rules.base import RuleSettings

_BUSIEST: Final = "busiest"
_DAYS: Final = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
Like = Literal["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "busiest"]


def _zone(name: str) -> str:
    zone = time_zone(name)
    if zone is None:
        raise ValueError(f"{name!r} is no IANA time zone, like Europe/Amsterdam")
    return zone


class ScheduleSettings(RuleSettings):
    """Settings of the schedule rule."""

    slot_minutes: Literal[30, 60] = Field(30, description="a schedule changes on this grid")
    lead_minutes: float = Field(
        10.0, ge=0, le=240, description="from the start of a machine until it serves"
    )
    min_on_minutes: float = Field(
        60.0, ge=0, le=1440, description="a machine once started runs so long at least"
    )
    min_off_minutes: float = Field(
        120.0, ge=0, le=1440, description="a machine once stopped stays off so long at least"
    )
    change_cost: float = Field(
        10.0, ge=0, le=1440, description="what one start costs, in minutes of running"
    )
    risk_price: float = Field(
        20.0, ge=0, le=10_000, description="what one missed hour costs, in hours of running"
    )
    quantile: float = Field(
        0.99, gt=0, le=1, description="share of a slot's past demand that must be borne"
    )
    target_percent: float = Field(
        60.0, gt=0, le=100, description="CPU that a replica of a scaling group is planned for"
    )
    min_replicas: int = Field(
        2, ge=0, le=10_000, description="a scaling group never has fewer, for one may fail"
    )
    least_weeks: int = Field(
        3, ge=3, le=52, description="fewest whole weeks of history; the last ones are held out"
    )
    held_out_weeks: int = Field(
        2, ge=1, le=12, description="newest weeks that the plan made of the older ones must keep"
    )
    least_skill: float = Field(
        0.5,
        ge=0,
        lt=1,
        description="share of the squared error of its mean that a held-out week's pattern must "
        "take away",
    )
    max_missed_percent: float = Field(
        2.0, ge=0, le=100, description="of the held-out weeks' hours in use, missed while it is off"
    )
    min_savings_percent: float = Field(
        10.0, ge=0, lt=100, description="smallest saving worth a schedule, of today's compute cost"
    )
    holidays: str | Mapping[Annotated[str, AfterValidator(_zone)], str] = Field(
        "",
        description="whose public holidays are as Sundays, an ISO 3166 code: NL, DE-BY, US-NY; "
        "empty = none are known; a table gives each time zone its own",
    )
    month_end: int = Field(
        0, ge=0, le=28, description="last days of each month that need as much as any day"
    )
    days: Mapping[date, Like] = Field(
        {}, description='days of your own: {"2026-12-24" = "Sun", "2026-11-27" = "busiest"}'
    )
    exclude: tuple[Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)], ...] = (
        Field((), description="tag values and parts of names of machines that are left alone")
    )

    @property
    def wishes(self) -> Wishes:
        """What the timetable is asked for with, but for a group's least."""
        return Wishes(
            slot_minutes=self.slot_minutes,
            lead_minutes=self.lead_minutes,
            min_on_minutes=self.min_on_minutes,
            min_off_minutes=self.min_off_minutes,
            change_minutes=self.change_cost,
            risk_price=self.risk_price,
            quantile=self.quantile,
        )

    @property
    def calendars(self) -> tuple[str, ...]:
        """Whose public holidays are known, of any machine."""
        every = [self.holidays] if isinstance(self.holidays, str) else self.holidays.values()
        return tuple(sorted({one for one in every if one}))

    def calendar(self, time_zone: str) -> str:
        """Whose public holidays are known of machines on that clock; "" = nobody's."""
        if isinstance(self.holidays, str):
            return self.holidays
        return self.holidays.get(time_zone, "")

    def special(self, time_zone: str) -> Days:
        """Days that differ from their weekday, of machines on that clock."""
        own = {day: (like := _like(name), _worded(like)) for day, name in self.days.items()}
        return Days(self.calendar(time_zone), month_end=self.month_end, own=own)


def _like(name: str) -> int:
    return BUSIEST if name == _BUSIEST else WEEKDAYS.index(name)


def _worded(like: int) -> str:
    return f"as on {'the busiest day' if like == BUSIEST else _DAYS[like]}"
