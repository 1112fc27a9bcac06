"""Machines that are owned already, by hand: kept, emptied, or closed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from costopt.frame.traffic import Sent
from costopt.pricing.onprem import Site
from costopt.rules.base import Case
from costopt.rules.move.own import own_machines
from costopt.rules.move.own_racks import Racks, Verdict
from costopt.rules.move.settings import MoveSettings
from costopt.rules.move.subjects import Known
from costopt.units import GIB
from tests.report.cases import profile
from tests.rules.move.world import FREE, WINDOW, disks, machine, placed, tagged, world

RACK: dict[str, Any] = {
    "vcpus": 32, "memory_gib": 128, "price": 9_000, "life_years": 6, "busy_kw": 0.5,
    "idle_kw": 0.5, "hosting_yearly": 600, "maintenance_yearly": 300, "staff_yearly": 200,
    "owned": 4, "bought_on": date(2022, 10, 5), "salvage_price_now": 1_000, "vcpu_speed": 1.0,
    "resources": ["own-*"],
}  # fmt: skip
"""With power at 0.10 and PUE 1 and money for nothing: 1,000 / 2 + 1,100 + 8760 x 0.05 = 2,038."""
ALBA = ("Acme", "alba")


def site(**figures: Any) -> Site:
    return Site.model_validate(
        {"currency": "USD", "pue": 1.0, "power_price_kwh": 0.10, "rate_percent": 0.0}
        | {"country": "IT", "latitude": 44.8, "longitude": 8.0}
        | {"classes": {"rack": {**RACK, **figures}}}
    )


def judged(
    vcpu: str,
    *names: str,
    settings: MoveSettings = FREE,
    sent: float | None = 0.0,
    stored: float | None = 0.0,
    billed: bool = True,
    **figures: Any,
) -> tuple[Racks, str]:
    """With a machine of sixteen vCPUs for each name, beside one in the cloud.

    Args:
        sent, stored: GiB a month, GiB, of each; None = not known.
    """
    here = world({ALBA: vcpu})
    cases = [_sending(machine(name, here), sent) for name in names]
    if not billed:
        cases = [replace(one, cost=None) for one in cases]
    found = placed(here, machine("cloud", here), settings=settings)
    held = {} if stored is None else disks(**dict.fromkeys(names, stored))
    known = Known.of(held, Sent({}, {}), {}, [], here.facts)
    owned = own_machines(
        found, site(**figures), {}, WINDOW,
        cases={one.resource.resource_id: one for one in cases}, known=known,
    )  # fmt: skip
    (racks,) = owned.racks
    return racks, owned.notes[-1]


def _sending(case: Case, gib: float | None) -> Case:
    if gib is None:
        return case
    bytes_a_second = gib * GIB / (730 * 3600)
    return replace(case, profiles=(profile("network_out", mean=bytes_a_second),))


def test_what_keeping_one_costs_by_hand() -> None:
    racks, _ = judged("0.05", "own-a", "own-b")
    # 2022-10-05 to 2026-10-05 are 1,461 days: two of six years are left
    assert racks.each_yearly == pytest.approx(500 + 1100 + 438)


def test_idle_machines_are_closed_and_the_others_kept() -> None:
    """Two of 16 vCPUs stand on one machine: 2,038 a year there, 2 x 7,008 in the cloud."""
    racks, told = judged("0.05", "own-a", "own-b")
    assert (racks.needed, racks.idle) == (1, 3)
    assert racks.cloud is not None
    assert 12 * racks.cloud.monthly == pytest.approx(2 * 16 * 0.05 * 8760)
    assert racks.all_yearly == pytest.approx(2038)
    assert racks.verdict is Verdict.KEEP
    assert "rack: close 3 of 4 owned, keep the others" in told
    assert "3 machines are not needed: closing them saves 6,114 USD a year" in told
    assert "worth keeping" in told


def test_one_is_one() -> None:
    assert "1 machine is not needed: closing it saves" in judged("0.05", "own-a", owned=2)[1]


def test_the_racks_are_closed_where_the_cloud_costs_less() -> None:
    """0.002 a vCPU: 560.64 a year; two years save 2 x (2,038 - 560.64) = 2,954.72."""
    racks, told = judged("0.002", "own-a", "own-b")
    assert racks.verdict is Verdict.CLOSE
    assert racks.present == pytest.approx(2 * (2038 - 560.64), rel=1e-6)
    assert "rack: close all 4 owned, for Acme alba" in told
    assert "closing all saves 2,955 in today's money over 24 months" in told
    labour = FREE.model_copy(update={"labour_rate": 100.0})  # 24 + 40 + 2 x 4 hours
    assert judged("0.002", "own-a", "own-b", settings=labour)[0].verdict is Verdict.KEEP


def test_what_they_send_and_store_is_paid_in_the_cloud() -> None:
    """2 x 500 GiB at 0.09 are 1,080 a year, 2 x 100 GiB at 0.10 are 240: 1,477.36 less both."""
    racks, _ = judged("0.002", "own-a", "own-b", sent=500, stored=100)
    assert racks.cloud is not None
    assert (racks.cloud.egress, racks.cloud.storage) == pytest.approx((90.0, 20.0))
    assert racks.present == pytest.approx(2 * (2038 - 560.64 - 1080 - 240), rel=1e-6)
    much, told = judged("0.002", "own-a", "own-b", sent=5000)
    assert much.verdict is Verdict.KEEP
    assert "10,800 traffic" in told


def test_what_is_not_measured_is_not_nothing() -> None:
    """1,477.36 a year are 123.11 a month: 1,368 GiB at 0.09, or 1,231 stored."""
    racks, told = judged("0.002", "own-a", "own-b", sent=None, stored=None)
    assert racks.verdict is Verdict.UNSURE
    assert "closing all saves 2,955" in told
    assert "if they store 1,231 GiB or send 1,368 GiB a month more than is known" in told
    assert (
        "what 2 machines store (no disk is known) and what 2 machines send (not measured)" in told
    )
    assert judged("0.05", "own-a", sent=None)[0].verdict is Verdict.KEEP


def test_names_that_nothing_has_close_nothing() -> None:
    racks, told = judged("0.05", "own-a", resources=["nothing-*"])
    assert (racks.needed, racks.idle, racks.verdict) == (None, 0, Verdict.UNKNOWN)
    assert "'nothing-*' (resources) names no machine of the inventory, so that no use" in told
    assert "closing" not in told
    some, told = judged("0.05", "own-a", resources=["own-*", "nothing-*"])
    assert some.needed == 1
    assert "'nothing-*' (resources) names no machine" in told


def test_what_is_there_and_does_not_run_needs_nothing() -> None:
    here = world({ALBA: "0.05"})
    case = machine("own-a", here)
    off = replace(case, resource=replace(case.resource, state="stopped"))
    owned = own_machines(
        placed(here, machine("cloud", here)), site(), {}, WINDOW, cases={"own-a": off},
        known=Known.of({}, Sent({}, {}), {}, [], here.facts),
    )  # fmt: skip
    assert owned.racks[0].idle == 4
    assert "close all 4 owned: nothing runs on them" in owned.notes[-1]


def test_what_no_bill_names_runs_there_too() -> None:
    racks, _ = judged("0.05", "own-a", "own-b", billed=False)
    assert (racks.needed, racks.verdict) == (1, Verdict.KEEP)


def test_ranges_at_the_end_that_speaks_for_keeping() -> None:
    """Power for nothing leaves 1,600 a year: at 0.005 a vCPU, 1,401.60, that is 198.40 still."""
    wide, _ = judged("0.005", "own-a", "own-b", ranges={"power_price_kwh": (0.0, 0.10)})
    assert wide.present == pytest.approx(2 * (2038 - 1401.6), rel=1e-6)
    assert wide.present_low == pytest.approx(2 * (1600 - 1401.6), rel=1e-6)
    lower, told = judged(
        "0.005", "own-a", "own-b", ranges={"power_price_kwh": (0.0, 0.1), "staff_yearly": (0, 200)}
    )
    assert lower.verdict is Verdict.UNSURE
    assert "loses 3 with every range and price against it" in told


def test_hosting_that_is_owed_is_no_reason_to_close() -> None:
    bound, told = judged("0.002", "own-a", hosting_until=date(2028, 10, 4))
    assert bound.each_yearly == pytest.approx(2038 - 600, abs=1)
    assert "hosting owed until 2028-10-04" in told


def test_what_is_not_told_is_not_known() -> None:
    assert "not told (resources)" in judged("0.05", "own-a", resources=[])[1]
    racks, told = judged("0.05", "own-a", bought_on=date(2019, 1, 1))
    assert racks.keep is None
    assert "past their life" in told
    large, told = judged("0.05", "own-a", vcpus=8)
    assert large.needed is None
    assert "cannot be compared" in told


def test_machines_are_named_by_tag_too() -> None:
    here = world({ALBA: "0.05"})
    found = placed(here, machine("cloud", here))
    case = tagged(machine("x", here), site="cellar")
    known = Known.of({}, Sent({}, {}), {}, [], here.facts)
    owned = own_machines(
        found, site(resources=["site=cellar"]), {}, WINDOW, cases={"x": case}, known=known
    )
    assert [one.resource.resource_id for one in owned.racks[0].members] == ["x"]
