"""rightsize: why a machine stays as it is must be true, whatever it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from costopt.model import Skip
from costopt.rules.base import Case
from costopt.rules.rightsize_settings import RightsizeSettings
from tests.rules.builders import Type, case, kind, ladder, m6i, samples
from tests.rules.judging import fits, judge, skipped, target

BUDGETED = RightsizeSettings(risk_budget_percent=1)
LOW_MEMORY = {"memory_utilization": samples(level=5)}


def aws(name: str, types: tuple[Type, ...], *, level: float = 5, **more: Any) -> Case:
    return case(name, samples(level=level), provider="AWS", types=types, **more)


def told(given: Case, **settings: Any) -> str:
    """Why it stays, after its demand."""
    return fits(given, **settings).detail.partition("; ")[2]


def test_what_unmeasured_memory_holds_back_is_told_with_its_price() -> None:
    outcome = judge(aws("m6i.2xlarge", m6i(), level=12))
    assert isinstance(outcome, Skip)
    assert outcome.reason == "memory-unmeasured"
    assert outcome.detail == (
        "CPU P99.5 is 12 % of 8 vCPUs over 28 days; memory is not measured, so at least 32 GiB are "
        "kept; by its CPU alone m6i.large would do, for 210.24 USD a month less at list"
    )  # 730 x (0.384 - 0.096)


def test_memory_that_would_not_be_worth_it_is_no_reason_to_abstain() -> None:
    small = aws("m6i.2xlarge", m6i(), level=12, min_monthly_savings=500)
    assert told(small) == (
        "memory is not measured, so at least 32 GiB are kept; but for that m6i.large would do"
    )


def test_a_busy_machine_fits_whether_its_memory_is_measured_or_not() -> None:
    said = "nothing smaller is sold here that could take its place"
    assert told(aws("m6i.2xlarge", m6i(), level=70)) == said
    busy = aws("m6i.2xlarge", m6i(), level=70, metrics=LOW_MEMORY)
    assert told(busy) == "nothing smaller is cheaper once its risk is counted"


def test_memory_that_is_needed_is_the_reason() -> None:
    full = {"memory_utilization": samples(level=60)}
    assert told(aws("m6i.2xlarge", m6i(), level=12, metrics=full)) == (
        "memory peaks at 60 % of 32 GiB and needs 22.6 GiB with 15 % headroom; but for that "
        "m6i.large would do"
    )


def test_memory_that_is_not_trusted_is_the_user_s_own_wish() -> None:
    given = aws("m6i.2xlarge", m6i(), level=12, metrics=LOW_MEMORY)
    assert told(given, size_memory=False) == (
        "memory is not trusted (size_memory), so at least 32 GiB are kept; but for that m6i.large "
        "would do"
    )


def test_another_architecture_is_the_reason() -> None:
    arm = kind("m7g.xlarge", 4, "0.1632", 16.0, Architecture="arm64")
    given = aws("m6i.2xlarge", (*m6i(8), arm), metrics=LOW_MEMORY)
    assert told(given) == (
        "software stays on x86_64 (allow_architecture_change); but for that m7g.xlarge would do"
    )
    assert target(given, allow_architecture_change=True) == "m7g.xlarge"


def test_traffic_is_the_reason() -> None:
    slow = tuple(
        replace(t, more=(*t.more, ("x_NetworkGbps", g)))
        for t, g in zip(m6i(4, 8), (1.0, 12.0), strict=True)
    )
    traffic = {"network_in": samples(level=1e8), "network_out": samples(level=1e8)}
    given = aws("m6i.2xlarge", slow, metrics=LOW_MEMORY | traffic)
    assert told(given) == (
        "its network carries 1.6 Gbit/s (P99.5 in and out); but for that m6i.xlarge would do"
    )


def test_a_local_disk_is_the_reason() -> None:
    disks = (
        kind("m6id.2xlarge", 8, "0.47", 32.0, LocalDiskGiB=474.0),
        kind("m6id.large", 2, "0.12", 8.0, LocalDiskGiB=118.0),
    )
    given = aws("m6id.2xlarge", disks, metrics=LOW_MEMORY)
    assert told(given) == (
        "its local disk of 474 GiB is kept (allow_local_disk_loss); but for that m6id.large would "
        "do"
    )
    assert target(given, allow_local_disk_loss=True) == "m6id.large"


def test_burstable_types_are_the_reason_where_they_are_not_wanted_or_carry_too_little() -> None:
    burstable = kind("t3.small", 2, "0.0208", 8.0, BurstableBaselinePercent=20.0)
    quiet = aws("m6i.2xlarge", (*m6i(8), burstable), level=4, metrics=LOW_MEMORY)
    said = "burstable types are not wanted (allow_burstable); but for that t3.small would do"
    assert told(quiet) == said
    warm = aws("m6i.2xlarge", (*m6i(8), burstable), level=6, metrics=LOW_MEMORY)
    assert told(warm, allow_burstable=True) == (
        "what a burstable type sustains is less than its mean, or half its P95; but for that "
        "t3.small would do"
    )


def test_two_reasons_are_both_told_and_no_agent_would_help() -> None:
    arm = kind("m7g.xlarge", 4, "0.1632", 16.0, Architecture="arm64")
    given = aws("m6i.2xlarge", (*m6i(8), arm))
    assert told(given) == (
        "memory is not measured, so at least 32 GiB are kept; software stays on x86_64 "
        "(allow_architecture_change); but for that m7g.xlarge would do"
    )
    assert skipped(given, allow_architecture_change=True) == "memory-unmeasured"


def test_budget_and_memory_are_both_told() -> None:
    outcome = judge(aws("m6i.2xlarge", m6i(), level=12, settings=BUDGETED), risk_budget_percent=1)
    assert isinstance(outcome, Skip)
    assert outcome.reason == "memory-unmeasured"
    assert "risk budget of 1 %" in outcome.detail
    assert "by its CPU alone and without the budget m6i.large would do" in outcome.detail


@pytest.mark.parametrize(
    ("types", "said"),
    [
        (ladder()[4:], "nothing smaller is sold here that could take its place"),
        ((Type("g8", 8, "0.90"), *ladder()[4:]), "nothing smaller is cheaper"),
        (ladder(), "nothing smaller is cheaper once its risk is counted"),
    ],
)
def test_prices_and_risk_are_told_apart(types: tuple[Type, ...], said: str) -> None:
    assert told(case("g16", samples(level=60), types=types)) == said


def test_a_family_that_is_not_worth_leaving() -> None:
    other = kind("r6i.xlarge", 4, "0.35", 32.0)  # 9 % less than today's 0.384
    given = aws("m6i.2xlarge", (*m6i(8), other), metrics=LOW_MEMORY)
    assert told(given) == (
        "nothing smaller of its family is cheaper once its risk is counted, and no other family "
        "by 15 %"
    )
