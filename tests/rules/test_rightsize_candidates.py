"""rightsize: what may stand in for a machine, and what of it is preferred."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from costopt.model import ActionType, Effort, Skip
from costopt.rules.base import Case
from tests.rules.builders import Type, case, kind, ladder, m6i, samples
from tests.rules.judging import advised, fits, judge, skipped, target

LOW_MEMORY = {"memory_utilization": samples(level=5)}


def aws(instance_type: str, *types: Type, level: float = 5, **more: Any) -> Case:
    return case(
        instance_type,
        samples(level=level),
        provider="AWS",
        types=(*m6i(), *types),
        metrics=LOW_MEMORY | more.pop("metrics", {}),
        **more,
    )


GRAVITON = kind("m7g.large", 2, "0.0408", 8.0, Architecture="arm64")


def test_the_architecture_changes_only_when_allowed() -> None:
    assert target(aws("m6i.2xlarge", GRAVITON)) == "m6i.large"
    small = kind("m7g.medium", 1, "0.0204", 4.0, Architecture="arm64")
    assert target(aws("m6i.2xlarge", small)) == "m6i.large"
    found = advised(aws("m6i.2xlarge", small), allow_architecture_change=True)
    assert found.recommended is not None
    assert found.recommended.instance_type == "m7g.medium"
    assert found.action_type is ActionType.MIGRATE_TO_GRAVITON
    assert found.implementation_effort is Effort.HIGH
    assert "software must be built for arm64" in found.reason


def test_an_unknown_architecture_is_not_taken_for_arm() -> None:
    small = kind("m7g.medium", 1, "0.0204", 4.0, Architecture="arm64")
    given = aws("m6i.2xlarge", small, shape={"architecture": None})
    assert target(given) == "m6i.large"


BURSTABLE = kind("t3.small", 2, "0.0208", 2.0, BurstableBaselinePercent=20.0)


def test_burstable_types_are_for_burstable_machines_or_when_allowed() -> None:
    assert target(aws("m6i.2xlarge", BURSTABLE)) == "m6i.large"
    # 5 % of 8 vCPUs is 0.4, its baseline: mean must be below it
    assert target(aws("m6i.2xlarge", BURSTABLE), allow_burstable=True) == "m6i.large"
    assert target(aws("m6i.2xlarge", BURSTABLE, level=4), allow_burstable=True) == "t3.small"
    tiny = kind("t3.micro", 1, "0.0104", 4.0, BurstableBaselinePercent=40.0)
    assert target(aws("m6i.2xlarge", tiny, level=4), allow_burstable=True) == "t3.micro"
    assert target(aws("m6i.2xlarge", tiny, level=5.5), allow_burstable=True) == "m6i.large"


def t3(level: float, **more: Any) -> Case:
    types = (
        kind("t3.large", 2, "0.0832", 8.0, BurstableBaselinePercent=30.0),
        kind("t3.medium", 1, "0.0416", 8.0, BurstableBaselinePercent=20.0),
    )
    values = more.pop("cpu", samples(level=level))
    return case("t3.large", values, provider="AWS", types=types, **more)


def test_a_burstable_machine_may_become_a_smaller_one() -> None:
    assert target(t3(9)) == "t3.medium"
    fits(t3(10))  # 0.2 vCPU is the whole of the medium's baseline


def test_a_burstable_machine_out_of_credits_is_not_judged() -> None:
    assert skipped(t3(29.5)) == "burstable-throttled"
    chance = np.random.default_rng(3)
    part = np.where(chance.random(8064) < 0.2, 30.0, np.round(chance.uniform(0, 8, 8064), 2))
    assert skipped(t3(0, cpu=part)) == "burstable-throttled"
    free = np.round(chance.uniform(0, 40, 8064), 2)
    assert not isinstance(judge(t3(0, cpu=free)), Skip)


def test_local_disks_are_kept() -> None:
    disks = [
        kind("m6id.2xlarge", 8, "0.47", 32.0, LocalDiskGiB=474.0),
        kind("m6id.large", 2, "0.12", 8.0, LocalDiskGiB=118.0),
        kind("m7id.large", 2, "0.13", 8.0, LocalDiskGiB=600.0),
    ]
    found = advised(aws("m6id.2xlarge", *disks))
    assert found.recommended is not None
    assert found.recommended.instance_type == "m7id.large"
    assert any("local disk" in w for w in found.evidence["warnings"])
    assert target(aws("m6id.2xlarge", *disks), allow_local_disk_loss=True) == "m6id.large"


def test_measured_traffic_must_fit_the_target() -> None:
    slow = [
        replace(t, more=(*t.more, ("x_NetworkGbps", g)))
        for t, g in zip(m6i(2, 4, 8), (1.0, 4.0, 12.0), strict=True)
    ]
    traffic = {"network_in": samples(level=1e8), "network_out": samples(level=1e8)}  # 1.6 Gbit/s
    given = case(
        "m6i.2xlarge",
        samples(level=5),
        provider="AWS",
        types=slow,
        metrics=LOW_MEMORY | traffic,
    )
    found = advised(given)
    assert found.recommended is not None
    assert found.recommended.instance_type == "m6i.xlarge"
    assert "not measured" not in found.reason
    assert found.evidence["network"]["p99_5_gbps"] == pytest.approx(1.6)
    unknown = advised(case("g16", samples(level=10))).evidence["network"]
    assert unknown == {"p99_5_gbps": None, "unmeasured": ["network_in", "network_out"]}


@pytest.mark.parametrize(
    "exotic",
    [
        kind("g4dn.medium", 1, "0.01", 8.0, GPUCount=1, GPUModel="T4"),
        kind("hpc6a.medium", 1, "0.01", 8.0),
        kind("mac2.medium", 1, "0.01", 8.0),
        kind("u-3tb1.medium", 1, "0.01", 8.0),
        kind("i4i.medium", 1, "0.01", 8.0),
        kind("m6i.metal-1xl", 1, "0.01", 8.0),
        kind("m7i.medium", 1, "0.01", 8.0, CurrentGeneration=False),
        kind("m5.medium", 1, "0.01", 8.0),
        kind("m7i-flex.medium", 1, "0.01", 8.0),
    ],
    ids=lambda t: t.name,
)
def test_extraordinary_and_old_families_are_not_offered(exotic: Type) -> None:
    if exotic.name.startswith("m6i"):
        exotic = replace(exotic, more=(("x_Family", "m6i-metal"),))
    assert target(aws("m6i.2xlarge", exotic)) == "m6i.large"


def test_the_same_hardware_is_preferred() -> None:
    given = {"provider": "AWS", "cpu": samples(level=20)}
    kin = [kind("r6i.xlarge", 4, "0.252", 32.0), kind("r6a.xlarge", 4, "0.2268", 32.0)]
    assert target(case("m6i.2xlarge", types=(*m6i(), *kin), **given)) == "r6i.xlarge"
    assert target(case("m6i.2xlarge", types=(*m6i(), kin[1]), **given)) == "r6a.xlarge"


def test_the_same_generation_is_preferred_to_a_newer_one() -> None:
    given = {"provider": "AWS", "cpu": samples(level=20)}
    kin = [kind("r6i.xlarge", 4, "0.252", 32.0), kind("r7a.xlarge", 4, "0.20", 32.0)]
    assert target(case("m6i.2xlarge", types=(*m6i(), *kin), **given)) == "r6i.xlarge"
    smaller = kind("r7a.large", 3, "0.20", 32.0)
    assert target(case("m6i.2xlarge", types=(*m6i(), *kin, smaller), **given)) == "r7a.large"


def test_an_extraordinary_machine_stays_in_its_family() -> None:
    storage = [kind("i4i.2xlarge", 8, "0.686", 64.0), kind("i4i.xlarge", 4, "0.343", 32.0)]
    assert target(aws("i4i.2xlarge", *storage)) == "i4i.xlarge"


def test_an_old_machine_may_stay_in_its_family() -> None:
    old = [
        kind("m4.2xlarge", 8, "0.4", 32.0, CurrentGeneration=False),
        kind("m4.large", 2, "0.1", 8.0, CurrentGeneration=False),
    ]
    assert target(aws("m4.2xlarge", *old)) == "m4.large"


def test_a_mere_change_of_vendor_is_no_rightsizing() -> None:
    amd = kind("m6a.2xlarge", 8, "0.30", 32.0)
    busy = aws("m6i.2xlarge", amd, level=70)
    fits(busy)


def test_spot_is_compared_with_spot() -> None:
    types = tuple(replace(t, spot=str(Decimal(t.hourly) * Decimal("0.3"))) for t in ladder())
    given = case("g16", samples(level=17.2), types=types, pricing_category="Dynamic")
    found = advised(given)
    assert found.recommended is not None
    assert found.recommended.hourly_price == Decimal("0.06")
    assert found.recommended.pricing_category == "Dynamic"
    assert found.estimated_monthly_savings.target == Decimal("131.400000")


def test_a_size_that_every_past_window_outgrew_is_not_advised() -> None:
    """CPU at 70 % of four vCPUs: two cannot hold it, though a cheap type of four elsewhere makes
    the yardstick by which an undo is priced so low that half the price looks like a saving."""
    cheap = kind("c9a.xlarge", 4, "0.12", 8.0)
    r9 = (kind("r9i.xlarge", 4, "0.252", 32.0), kind("r9i.large", 2, "0.126", 16.0))
    found = advised(aws("r9i.xlarge", *r9, cheap, level=70))
    assert found.recommended is not None
    assert found.recommended.instance_type == "c9a.xlarge"
    backtest = found.backtest
    assert backtest is not None
    assert backtest["this_size"]["rolled_back"] < backtest["this_size"]["windows"]
