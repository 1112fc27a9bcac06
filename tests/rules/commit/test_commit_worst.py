"""What can be lost: the last week, the whole term, a fall of demand."""

from __future__ import annotations

import numpy as np
import pytest

from costopt.rules.commit.settings import CommitSettings
from tests.rules.commit.bills import PLAN, RATE, RESERVED, SURE, WEEK, advise, bill, prices, usage

pytestmark = pytest.mark.usefixtures("only_own_lists")
HOURS = 9 * WEEK
ALWAYS = np.ones(HOURS)


def test_a_fleet_that_stopped_six_days_ago_is_not_bought_for() -> None:
    """Nine of ten are off since; the tenth pays whatever happens to the others."""
    off = ALWAYS.copy()
    off[-6 * 24 :] = 0
    usages = [*(usage(f"i-{n}", off) for n in range(9)), usage("i-on", ALWAYS)]
    found = advise(bill(usages), prices(PLAN))
    (one,) = found.recommendations
    assert float(one.evidence["hourly_commitment"]) == pytest.approx(0.072, abs=0.001)
    assert "more would pay on the whole history, but loses at the pace of its last 7 days" in (
        one.reason
    )
    gone = advise(bill(usages[:9]), prices(PLAN))
    assert gone.recommendations == ()
    assert [skip.reason for skip in gone.skips] == ["falling-demand"]
    assert "last 7 days" in gone.skips[0].detail


def test_what_is_bound_and_what_a_fall_costs() -> None:
    """Ten always on, bought for in full. A tenth less a year is 5 % less in the middle of it."""
    usages = [usage(f"i-{n}", ALWAYS) for n in range(10)]
    settings = CommitSettings(yearly_decline=0.1, cost_of_capital=0.0)
    (one,) = advise(bill(usages), prices(PLAN), settings).recommendations
    told = one.evidence
    hourly = float(told["hourly_commitment"])
    assert float(told["bound_over_terms"]) == pytest.approx(hourly * 8760, abs=0.01)
    covered = min(float(told["on_demand_hourly"]), 10 * RATE * 0.9**0.5)
    falls = (covered - hourly) * 8760
    assert float(told["if_demand_falls_over_terms"]) == pytest.approx(falls, abs=0.5)
    assert told["feared_yearly_fall_share"] == 0.1
    assert f"it binds {hourly * 8760:,.0f} USD in all, lost if nothing runs any more" in one.reason
    assert "if the lowest 4 weeks seen went on" in one.reason


def test_a_steep_fall_over_three_years_loses() -> None:
    """At 0.63 of the price and half of the demand lost each year: what is bound loses, and says."""
    usages = [usage(f"i-{n}", np.ones(30 * WEEK)) for n in range(10)]
    listed = prices(("m5.large", "3yr no-upfront compute-savings-plan", f"{0.63 * RATE:.5f}"))
    (one,) = advise(bill(usages), listed, SURE).recommendations
    told = one.evidence
    assert float(told["if_demand_falls_over_terms"]) == pytest.approx(
        float(told["lowest_4_weeks_over_terms"]), rel=1e-6
    )  # nothing is feared
    assert float(told["bound_over_terms"]) == pytest.approx(10 * 0.63 * RATE * 8760 * 3, rel=0.001)


def test_each_part_counts_for_the_years_of_its_own_term() -> None:
    """Six of eight for three years at 0.034, one for one: nothing of it idle in any week."""
    usages = [usage(f"i-{n}", np.ones(28 * WEEK)) for n in range(8)]
    long = ("m5.large", "3yr all-upfront", "0.034")
    (one,) = advise(bill(usages), prices(RESERVED, long), CommitSettings()).recommendations
    parts: dict[str, float] = {}
    for part in one.evidence["tranches"]:
        parts[part["term"]] = parts.get(part["term"], 0) + part["reserved"]["count"]
    assert parts == {"3yr": 6, "1yr": 1}
    expected = 6 * (RATE - 0.034) * 3 * 8760 + (RATE - 0.0576) * 8760
    told = one.evidence["lowest_4_weeks_over_terms"]
    assert float(told) == pytest.approx(expected, abs=0.02)


def test_the_lowest_weeks_go_on_for_as_long_as_each_part_binds() -> None:
    """Four of ten were off for five weeks: in those, the years' parts cover six machines."""
    off = np.ones(28 * WEEK)
    off[10 * WEEK : 15 * WEEK] = 0
    usages = [usage(f"i-{n}", np.ones(28 * WEEK)) for n in range(6)]
    usages += [usage(f"i-off{n}", off) for n in range(4)]
    long = ("m5.large", "3yr no-upfront", "0.056")
    (one,) = advise(bill(usages), prices(RESERVED, long), CommitSettings()).recommendations
    three = sum(p["reserved"]["count"] for p in one.evidence["tranches"] if p["term"] == "3yr")
    single = sum(p["reserved"]["count"] for p in one.evidence["tranches"] if p["term"] == "1yr")
    assert min(three, single) > 0
    first = 6 * RATE - three * 0.056 - single * 0.0576
    later = min(6, three) * RATE - three * 0.056
    told = float(one.evidence["lowest_4_weeks_over_terms"])
    assert told == pytest.approx((first + 2 * later) * 8760, abs=0.02)
