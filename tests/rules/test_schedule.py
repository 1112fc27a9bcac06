"""The schedule rule: office machines, groups, what it leaves alone, and its money by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from costopt.errors import ConfigError
from costopt.model import ActionType, Finding, FindingLevel, Recommendation, Skip
from costopt.report.document import recommendation
from costopt.rules.base import Case, Fit, Outcome
from costopt.rules.idle import Idle, IdleSettings
from costopt.rules.rightsize import Rightsize
from costopt.rules.rightsize_settings import RightsizeSettings
from costopt.rules.schedule import Schedule
from costopt.rules.schedule_settings import ScheduleSettings
from tests.rules.builders import END, Type, billed, profile
from tests.rules.weeks import FIRST, MONTHLY, WEEKS, group, machine, office

NAN = float("nan")


def judge(given: Case, **settings: Any) -> Outcome:
    return Schedule(ScheduleSettings.model_validate(settings)).judge(given)


def advised(given: Case, **settings: Any) -> Recommendation:
    outcome = judge(given, **settings)
    assert isinstance(outcome, Recommendation), outcome
    json.dumps([outcome.evidence, outcome.backtest], allow_nan=False)
    recommendation(outcome)  # every field that the published schema has
    return outcome


def skipped(given: Case, **settings: Any) -> str:
    outcome = judge(given, **settings)
    assert isinstance(outcome, Skip), outcome
    assert outcome.detail
    return outcome.reason


def fits(given: Case, **settings: Any) -> Fit:
    outcome = judge(given, **settings)
    assert isinstance(outcome, Fit), outcome
    json.dumps(outcome.evidence, allow_nan=False)
    return outcome


def test_an_office_machine_is_off_at_night_and_at_weekends() -> None:
    """08:00 to 18:00, half an hour each side, half an hour to start: 07:00 to 18:30, 57.5 h."""
    one = advised(machine(office(), time_zone="Europe/Amsterdam"))
    assert one.action_type is ActionType.SCHEDULE
    assert one.schedule is not None
    assert one.schedule.time_zone == "Europe/Amsterdam"
    assert [c.minute for c in one.schedule.changes()] == [7 * 60, 18 * 60 + 30] * 5
    saved = MONTHLY * (1 - Decimal("57.5") / 168)
    assert one.estimated_monthly_savings.target == saved.quantize(Decimal("0.01"), "ROUND_FLOOR")
    assert one.estimated_monthly_cost == MONTHLY - one.estimated_monthly_savings.target
    assert "Mon-Fri 07:00-18:30 (Europe/Amsterdam)" in one.reason
    assert "start it on demand" in one.reason
    assert one.replicas is None
    assert one.recommended == one.current


def test_disks_bill_on_and_a_commitment_is_stranded() -> None:
    cost = billed("584", monthly="700", committed_share=0.5)
    one = advised(machine(office(), cost=cost))
    savings = one.estimated_monthly_savings
    assert savings.high == Decimal("384.11")  # 584 * 110.5 / 168 = 384.119..
    assert savings.low == savings.target == Decimal("192.05")
    assert one.stranded_commitment == Decimal("192.06")
    assert one.estimated_monthly_cost == Decimal("507.95")


def test_the_held_out_weeks_are_told() -> None:
    one = advised(machine(office()))
    assert one.evidence["held_out"] == {
        "weeks": 2,
        "hours": 336.0,
        "hours_off": 221.0,  # 2 * (168 - 57.5)
        "hours_saved": 219.33,  # less five starts of ten minutes a week
        "hours_in_use": 100.0,
        "hours_missed": 0.0,
    }
    assert one.backtest is not None
    assert one.backtest["origins"] == 2
    assert [x["origin"] for x in one.backtest["decisions"]] == [
        f"{FIRST + timedelta(weeks=week)}T00:00:00+00:00" for week in (4, 5)
    ]
    assert one.risk is not None
    assert one.risk.expected_share == 0
    assert 0.01 < one.risk.upper_bound < 0.012  # of 336 hours: z² / (n + z²)


def test_in_use_at_all_hours_is_fine_and_never_in_use_is_another_rules() -> None:
    assert "in use for 168 of 168" in fits(machine(np.ones((WEEKS, 336)))).detail
    assert "never in use" in fits(machine(np.zeros((WEEKS, 336)))).detail


def test_three_whole_weeks_or_no_word() -> None:
    for weeks in (1, 2):
        assert skipped(machine(office(weeks))) == "short-history"
        # There is nothing to wait for.
        assert "in use for 168 of 168" in fits(machine(np.ones((weeks, 336)))).detail
    cut = office(4)
    cut[0, :100] = cut[3, 200:] = NAN
    assert skipped(machine(cut)) == "short-history"
    assert advised(machine(office(3))).evidence["held_out"]["weeks"] == 1


def test_weeks_that_are_not_alike_are_left_alone() -> None:
    """A batch that runs on two days, other ones each week."""
    used = np.zeros((WEEKS, 7, 48))
    for week in range(WEEKS):
        used[week, [week % 7, (3 * week + 2) % 7]] = 1
    assert skipped(machine(used.reshape(WEEKS, 336))) == "no-habit"


def test_a_habit_that_the_last_week_broke_is_none_yet() -> None:
    used = office()
    used[-1, 38:44] = used[-1, 86:92] = 1  # Monday and Tuesday, 19:00 to 22:00
    assert skipped(machine(used)) == "habit-broken"
    advised(machine(used), max_missed_percent=6)  # 5.5 of 106 hours in use


def test_missed_hours_are_dear() -> None:
    used = office(begin=0, end=23)
    used[-1, 250:262] = 1  # six hours on Saturday, of 96 saved in two weeks
    assert skipped(machine(used), max_missed_percent=10) == "not-worth-its-risk"
    advised(machine(used), max_missed_percent=10, risk_price=1)


def test_hours_without_samples_stay_on() -> None:
    used = office()
    used[:, 290:300] = NAN  # Sunday, 01:00 to 06:00, in every week
    plan_ = advised(machine(used)).schedule
    assert plan_ is not None
    assert set(plan_.levels[290:300]) == {1}
    assert plan_.levels[250] == 0


def test_days_that_differ_are_left_out_and_planned() -> None:
    """In the lookback a public holiday off and a day of overtime; ahead, Christmas as a Sunday."""
    used = office()
    day = (date(2026, 9, 9) - FIRST).days
    used[day // 7, (day % 7) * 48 : (day % 7 + 1) * 48] = 1  # stocktaking, all night
    given = machine(used)
    plain = advised(given).schedule
    own = {date(2026, 9, 9): "busiest", date(2026, 12, 24): "Sun", date(2026, 10, 11): "Fri"}
    known = advised(given, days=own, holidays="NL").schedule
    assert plain is not None
    assert known is not None
    assert sum(plain.levels) > sum(known.levels)  # a night of Wednesdays
    days = {one.day: one for one in known.days}
    assert set(days[date(2026, 12, 24)].levels) == {0}
    assert days[date(2026, 12, 25)].reason == "Christmas Day"
    assert sum(days[date(2026, 10, 11)].levels) == 23  # Sunday as Friday: 11.5 hours
    assert date(2026, 12, 26) not in days  # a Saturday, off as it is
    assert all(END.date() <= day < END.date() + timedelta(days=366) for day in days)


def test_month_ends_cost_part_of_the_saving() -> None:
    weekend = advised(machine(office())).estimated_monthly_savings.target
    less = advised(machine(office()), month_end=3).estimated_monthly_savings.target
    assert Decimal(0) < weekend - less < Decimal("0.05") * weekend


def test_holidays_of_nowhere_are_refused_at_once() -> None:
    for holidays in ("Atlantis", {"Europe/Paris": "FR", "UTC": "Atlantis"}):
        with pytest.raises(ConfigError, match="Atlantis"):
            Schedule(ScheduleSettings(holidays=holidays))
    with pytest.raises(ValidationError, match="'Mars/Olympus' is no IANA time zone"):
        ScheduleSettings(holidays={"Mars/Olympus": "NL"})


def test_each_time_zone_may_have_its_own_holidays() -> None:
    """Thanksgiving, 26 November 2026, is a Thursday; Dutch machines work, and on 5 May 2027 too."""
    own = {"europe/amsterdam": "NL", "America/New_York": "US", "UTC": ""}
    found = {}
    for zone in ("Europe/Amsterdam", "America/New_York", "UTC", "Asia/Tokyo"):
        plan_ = advised(machine(office(), time_zone=zone), holidays=own).schedule
        assert plan_ is not None
        found[zone] = {one.day: one.reason for one in plan_.days}
    assert found["America/New_York"][date(2026, 11, 26)] == "Thanksgiving Day"
    assert date(2026, 11, 26) not in found["Europe/Amsterdam"]
    assert found["Europe/Amsterdam"][date(2027, 3, 29)] == "Easter Monday"
    assert date(2027, 3, 29) not in found["America/New_York"]
    assert found["UTC"] == found["Asia/Tokyo"] == {}


@pytest.mark.parametrize("word", ["", "  "])
def test_an_empty_word_excludes_nothing_and_is_refused(word: str) -> None:
    with pytest.raises(ValidationError, match="at least 1 character"):
        ScheduleSettings(exclude=(word, "prod"))


def test_days_of_ones_own_are_worded() -> None:
    day, other = date(2026, 11, 27), date(2026, 12, 24)
    plan_ = advised(machine(office()), days={day: "busiest", other: "Sun"}).schedule
    assert plan_ is not None
    assert {one.day: one.reason for one in plan_.days} == {other: "as on Sundays"}
    assert ScheduleSettings(days={day: "busiest"}).special("UTC").own[day][1] == (
        "as on the busiest day"
    )


@pytest.mark.parametrize(
    ("reason", "more"),
    [
        ("spot-machine", {"pricing_category": "Dynamic"}),
        ("managed-service", {"service_name": "Amazon Relational Database Service"}),
        ("standby-role", {"resource_name": "vpn-gateway"}),
        ("standby-role", {"tags": {"role": "postgres"}}),
        ("excluded", {"tags": {"env": "Prod"}}),
        ("excluded", {"resource_name": "web-prod-1"}),
        ("scaling-group", {"tags": {"eks:nodegroup-name": "blue"}}),
        ("scaling-group", {"scaling_group": "asg-web"}),
        ("local-disk", {"shape": {"local_disk_gib": 100.0}}),
        ("not-running", {"state": "stopped"}),
        ("small-saving", {"min_monthly_savings": 1000.0}),
        ("no-price", {"free": True}),
    ],
)
def test_what_is_left_alone(reason: str, more: dict[str, Any]) -> None:
    cost = billed("584") if reason == "spot-machine" else None
    given = machine(office(), **more, **({"cost": cost} if cost else {}))
    assert skipped(given, exclude=["prod"]) == reason


def test_what_is_not_measured_is_not_judged() -> None:
    given = machine(office())
    assert skipped(replace(given, profiles=())) == "cpu-unmeasured"
    assert skipped(replace(given, weekly=None)) == "odd-period"
    with_card = replace(given, weekly=None, resource=replace(given.resource, gpu_count=1))
    assert skipped(with_card) == "gpu-unmeasured"
    gate = Finding("m-1", "cpu_utilization", "stuck", FindingLevel.GATE, 1, "", "it is stuck")
    assert skipped(replace(given, findings=(gate,))) == "stuck"


def test_off_at_fixed_hours_already_is_told_by_samples_and_bill_together() -> None:
    cpu = np.full(28 * 288, 20.0)
    hours = np.arange(len(cpu)) // 12 % 24
    cpu[(hours < 7) | (hours >= 19)] = NAN
    given = machine(office(), cost=billed("300", running_share=0.5))
    night = replace(given, profiles=(profile(cpu),))
    assert skipped(night) == "already-scheduled"
    billed_on = replace(night, cost=billed("584"))
    assert isinstance(judge(billed_on), Recommendation)  # the agent's gaps, not the machine's


def _demand() -> np.ndarray:
    """vCPUs of a group of machines of 16: 30 by day, 3 at night and at weekends."""
    return np.where(office() > 0, 30.0, 3.0)


def test_a_group_follows_its_demand() -> None:
    """Planned for 60 % of 16 vCPUs: 30 want 3.1 replicas, so 4; of 6 that run today."""
    one = advised(group(_demand(), np.full((WEEKS, 336), 6.0), 6))
    assert one.schedule is not None
    assert set(one.schedule.levels) == {2, 4}
    assert one.replicas == 6
    assert one.resource_id == "asg-web"
    hours = 2 * 168 + 2 * 57.5
    saved = 6 * MONTHLY * (1 - Decimal(hours) / (6 * 168))
    assert one.estimated_monthly_savings.target == saved.quantize(Decimal("0.01"), "ROUND_FLOOR")
    assert "own scaling on CPU" in one.reason
    least = advised(group(_demand(), np.full((WEEKS, 336), 6.0), 6), min_replicas=0).schedule
    assert least is not None
    assert set(least.levels) == {1, 4}


def test_a_group_that_breathes_is_scaled_already() -> None:
    counts = np.where(office() > 0, 6.0, 2.0)
    assert skipped(group(_demand(), counts, 6)) == "already-scales"
    against = np.where(office() > 0, 2.0, 6.0)  # moves, but not with its demand
    assert isinstance(judge(group(_demand(), against, 6)), Recommendation)


def test_rules_on_machines_pass_a_group_by() -> None:
    given = group(_demand(), np.full((WEEKS, 336), 6.0), 6)
    assert Idle(IdleSettings()).judge(given) is None
    assert Rightsize(RightsizeSettings()).judge(given) is None


def test_google_takes_its_sustained_use_discount_back() -> None:
    """n1 at full month: 30 % off; at 34 % of it: its first quarter at 1, the rest at 0.8."""
    types = (Type("n1-standard-4", 4, "0.20", 15.0),)
    given = machine(office(), provider="GCP", types=types, cost=billed("102.20", listed="146"))
    given = replace(
        given,
        resource=replace(given.resource, instance_type="n1-standard-4"),
        price=given.catalogue.price("GCP", None, "n1-standard-4"),
    )
    kept = 57.5 / 168
    paid = 0.25 + 0.8 * (kept - 0.25)
    one = advised(given)
    assert float(one.estimated_monthly_savings.target) == pytest.approx(
        102.2 - 146 * paid, abs=0.01
    )
