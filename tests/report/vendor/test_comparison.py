"""Verdicts and reasons: the vendor's type is judged as our own offers are; nothing is made up."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from costopt.model import Recommendation, Resource, Skip
from costopt.report import vendor
from costopt.rules.rightsize_settings import RightsizeSettings
from costopt.rules.sizing import Sizing, sizing_of
from tests.report import builders
from tests.report.vendor.beside import (
    ACCOUNT,
    advice,
    compared,
    machine,
    only,
    ours,
    told,
)
from tests.rules.builders import END, billed, kind, m6i, samples


def test_what_our_rules_say_of_the_machine_at_hand() -> None:
    """The tests below rest on it: 10 % of 16 vCPUs fit on 2 of them."""
    found = ours(machine())
    assert found.recommended is not None
    assert found.recommended.instance_type == "m6i.large"
    assert found.estimated_monthly_savings.target == Decimal("490.56")  # 14 x 0.048 x 730


def test_the_same_type_is_agreement() -> None:
    row = only(compared(machine(), advice(to="M6I.large", x_MonthlySavings=Decimal("490.56"))))
    assert row.verdict == "agree"
    assert row.why == "the same change"
    assert row.supported == Decimal("490.56")


def test_the_same_change_saves_less_under_a_commitment() -> None:
    cost = billed("500", listed="560.64", committed_share=0.4)
    row = only(compared(machine(cost=cost), advice(to="m6i.large", x_MonthlySavings=Decimal(490))))
    saved = row.ours.estimated_monthly_savings.target
    assert saved < 300
    assert row.why == (
        f"the same change; it states 490.00, and {saved} USD a month leaves the bill, as 40.0 % of "
        "it is under a commitment"
    )
    assert row.supported == saved


def test_another_type_of_the_same_direction_is_weighed_by_risk_and_price() -> None:
    one = machine()
    row = only(compared(one, advice(to="m6i.xlarge")))
    assert row.verdict == "same direction"
    sizing = sizing_of(one, RightsizeSettings())
    assert isinstance(sizing, Sizing)
    names = [shape.instance_type for shape in sizing.market.shapes]
    theirs, mine = names.index("m6i.xlarge"), names.index("m6i.large")
    # the very figures by which the rule chose
    assert row.judged.undo_risk == pytest.approx(float(sizing.offers.risk[theirs]))
    assert row.judged.expected_hourly == pytest.approx(float(sizing.offers.expected[theirs]))
    assert row.judged.expected_hourly > float(sizing.offers.expected[mine])
    assert row.judged.holds
    assert row.judged.monthly_savings == Decimal("420.48")  # 12 x 0.048 x 730
    assert "on m6i.xlarge" in row.why
    assert "m6i.large: with that they are expected to cost" in row.why
    assert row.why.endswith("AWS Compute Optimizer looks back 14 days, costopt 28")
    assert row.supported == Decimal("100.00")  # no more than is claimed


def test_a_type_with_too_little_memory_is_not_supported() -> None:
    memory = {"memory_utilization": samples(28, 60, spread=1)}
    one = machine(level=20, metrics=memory)
    row = only(compared(one, advice(to="m6i.xlarge")))
    assert row.verdict == "only them"
    assert not row.judged.holds
    assert "of memory, and m6i.xlarge has 16 GiB" in row.why
    assert row.supported == 0


def test_unmeasured_memory_is_kept() -> None:
    row = only(compared(machine(metrics={}), advice(to="m6i.xlarge")))
    assert row.verdict == "only them"
    assert "memory is not measured, so its 64 GiB are kept, and m6i.xlarge has 16 GiB" in row.why
    assert "costopt (memory-unmeasured)" in row.why


def test_a_risky_type_is_told_with_its_risk() -> None:
    cpu = np.tile(np.r_[np.full(276, 40.0), np.full(12, 85.0)], 28)
    row = only(compared(machine(cpu=cpu), advice(to="m6i.large")))
    assert row.judged.undo_risk > 0.5
    assert not row.judged.is_better
    assert "undo risk" in row.why
    assert "where today's machine costs 0.768" in row.why
    assert row.supported == 0


OTHERS = (
    kind("m7g.xlarge", 4, "0.16", 16.0, Architecture="arm64", CurrentGeneration=True),
    kind("t3.xlarge", 4, "0.15", 16.0, Architecture="x86_64", BurstableBaselinePercent=40.0),
    kind("g99.xlarge", 4, "0.17", 16.0, Architecture="x86_64", GPUCount=1),
    kind("m6i.xnet", 4, "0.18", 16.0, Architecture="x86_64", NetworkGbps=0.01),
)


@pytest.mark.parametrize(
    ("to", "because"),
    [
        ("m7g.xlarge", "software would have to move from x86_64 to arm64"),
        ("t3.xlarge", "t3.xlarge sustains 40 % of itself only, and burstable types are not wanted"),
        ("g99.xlarge", "g99.xlarge has a GPU"),
        ("m6i.xnet", "its network carries 0.16 Gbit/s (P99.5 in and out), and m6i.xnet has 0.01"),
        ("x99.huge", "no price of x99.huge is known here, so it cannot be judged"),
    ],
)
def test_what_speaks_against_their_type(to: str, because: str) -> None:
    row = only(compared(machine(types=(*m6i(), *OTHERS)), advice(to=to)))
    assert because in row.why
    assert row.judged is None or not row.judged.holds


def test_a_local_disk_is_not_lost() -> None:
    one = machine(shape={"local_disk_gib": 900.0})
    assert (
        "its local disk of 900 GiB would be lost"
        in only(compared(one, advice(to="m6i.xlarge"))).why
    )


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"gpu_count": 1}, "gpu-machine"),
        ({"scaling_group": "asg-web"}, "scaling-group"),
        ({"free": True}, "no-price"),
    ],
)
def test_a_machine_that_we_do_not_size_is_not_judged(more: dict[str, Any], code: str) -> None:
    row = only(compared(machine(**more), advice(to="m6i.xlarge")))
    assert (row.verdict, row.judged, row.supported) == ("only them", None, None)
    assert row.why.startswith(f"costopt does not size it ({code}): ")


def test_an_idle_machine_that_is_in_use() -> None:
    row = only(compared(machine(level=50), advice("stop", x_Finding="Idle")))
    assert row.verdict == "only them"
    assert row.why.startswith("costopt finds it in use: CPU peak")
    assert row.supported == 0


def test_both_stop_it() -> None:
    quiet = {name: samples(28, 5, spread=1) for name in ("network_in", "network_out")}
    row = only(compared(machine(level=0.3, metrics=quiet), advice("stop", x_Finding="Idle")))
    assert row.verdict == "agree"


def test_one_wants_more_and_the_other_less() -> None:
    row = only(compared(machine(), advice(to="m6i.8xlarge", x_MonthlySavings=Decimal(-560),
                                          x_Finding="UNDER_PROVISIONED")))  # fmt: skip
    assert row.verdict == "opposite"
    assert "AWS Compute Optimizer finds it UNDER_PROVISIONED" in row.why
    assert "costopt: CPU P99.5 is" in row.why
    assert row.supported == 0


def test_their_word_for_a_machine_that_is_too_small_stands_over_the_price() -> None:
    """A newer type may be stronger and cheaper; here it is only cheaper."""
    row = only(compared(machine(), advice(to="m6i.2xlarge", x_Finding="Underprovisioned")))
    assert row.verdict == "opposite"


def test_advice_on_a_type_that_the_machine_has_no_more() -> None:
    row = only(
        compared(machine(), advice(to="m6i.xlarge", x_Attributes={"current_type": "m5.8xlarge"}))
    )
    assert row.why.startswith("it speaks of m5.8xlarge, and the machine is m6i.4xlarge now; ")


@pytest.mark.parametrize(
    ("row", "because"),
    [
        (None, "AWS Compute Optimizer was asked, and says nothing of it; ours has an undo risk of"),
        (advice("keep", x_Finding="Optimized"), "AWS Compute Optimizer finds it Optimized over 14"),
        (
            advice(to="m6i.xlarge", x_Attributes={"suppressed": "true"}),
            "AWS Compute Optimizer advises to take m6i.xlarge, which people dismissed",
        ),
    ],
)
def test_ours_alone(row: dict[str, Any] | None, because: str) -> None:
    found = only(compared(machine(), *([row] if row else [])))
    assert found.verdict == "only us"
    assert found.why.startswith(because)
    assert found.supported is None


def test_advice_that_was_not_renewed_for_long_is_told_with_its_day() -> None:
    for to in ("m6i.large", "m6i.xlarge", "m6i.8xlarge"):
        old = advice(to=to, x_UpdatedAt=END - timedelta(days=642))
        why = only(compared(machine(), old)).why
        assert why.startswith("its advice is of 2025-01-01, 642 days before costopt's; ")
        fresh = advice(to=to, x_UpdatedAt=END - timedelta(days=29))
        assert "its advice is of" not in only(compared(machine(), fresh)).why


def test_a_machine_where_nobody_was_asked_is_not_compared() -> None:
    assert compared(machine(sub_account_id="999999999999")).rows == ()
    assert compared(machine(level=80), advice("keep")).rows == ()  # neither wants a change


def test_a_cheaper_type_of_more_capacity_has_nothing_to_undo() -> None:
    more = kind("m6i.cheap", 32, "0.70", 128.0, Architecture="x86_64")
    row = only(compared(machine(level=50, types=(*m6i(), more)), advice(to="m6i.cheap")))
    assert row.judged.hourly < row.judged.today_hourly
    assert row.judged.undo_risk is None


def test_a_thing_that_no_rule_is_for() -> None:
    disk = replace(
        machine(), shape=None, price=None, profiles=(), cost=None,
        resource=Resource("m-1", "AWS", resource_type="Disk", sub_account_id=ACCOUNT),
    )  # fmt: skip
    row = only(compared(disk, advice("delete")))
    assert row.why == "costopt has no rule on this kind of resource"
    assert row.supported is None


def test_the_gate_speaks_first() -> None:
    one = machine()
    barred = Skip("m-1", "", "short-history", "63 hours of history; advice needs 7 days")
    report = builders.report()
    found = vendor.compare(
        told(advice(to="m6i.xlarge")), {"m-1": one}, {"m-1": (barred,)}, report, RightsizeSettings()
    )
    assert only(found).why == (
        "costopt does not size it (short-history): 63 hours of history; advice needs 7 days; "
        "AWS Compute Optimizer looks back 14 days, costopt 28"
    )


def test_ours_is_a_recommendation_of_the_report() -> None:
    assert isinstance(only(compared(machine())).ours, Recommendation)
