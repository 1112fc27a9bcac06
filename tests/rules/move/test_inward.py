"""What comes in: free from outside, and from neighbours as long as they are near; by hand.

A byte a second is 730 x 3600 / 2^30 GiB a month, so 2^30 bytes a second for an hour in 730 are
3,600 GiB. Going to Brno saves 116.80; a GiB between regions costs 0.02, to another provider 0.09.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from costopt.frame.traffic import Traffic
from costopt.rules.base import Case
from tests.rules.builders import profile
from tests.rules.move.world import FREE, gone, machine, placed, why, world

CHEAP = {("Acme", "alba"): "0.05", ("Acme", "brno"): "0.04"}
GIB = 2**30 / (730 * 3600)
"""Bytes a second that are a GiB a month."""


def getting(case: Case, gib: float) -> Case:
    return replace(case, profiles=(profile(np.full(288, gib * GIB), "network_in"),))


@pytest.mark.parametrize(("gib", "goes"), [(5000, True), (6000, False)])
def test_what_neighbours_send_crosses_regions_then(gib: float, goes: bool) -> None:
    """5,000 GiB are 100 a month, 6,000 are 120."""
    here = world(CHEAP)
    found = placed(here, getting(machine("a", here), gib))
    if goes:
        (one,) = found.recommendations
        told = one.evidence["monthly"]
        assert float(told["of_it_to_neighbours"]) == pytest.approx(100, abs=0.01)
        assert float(told["then"]) == pytest.approx(567.20, abs=0.01)
        assert "100 of it a month for what is taken to go to neighbours that stay" in one.reason
    else:
        assert why(found) == {"a": "egress"}
        assert "6,000 that neighbours send it" in found.skips[0].detail


def test_what_leaves_the_old_place_for_another_provider() -> None:
    here = world({("Acme", "alba"): "0.05", ("Bolt", "alba-1"): "0.03"}, region="0.00")
    wide = FREE.model_copy(update={"to": ("bolt",)})
    (one,) = placed(here, getting(machine("a", here), 1000), settings=wide).recommendations
    assert float(one.evidence["monthly"]["of_it_to_neighbours"]) == pytest.approx(90, abs=0.01)


def test_what_the_bill_has_from_outside_is_free_there_too() -> None:
    here = world(CHEAP)
    case = getting(machine("a", here), 6000)
    found = placed(here, case, sent={"a": Traffic(received=5000)})
    assert gone(found) == {"a": "brno"}  # 1,000 from neighbours: 20
    told = found.recommendations[0].evidence
    assert float(told["gib"]["from_neighbours_a_month"]) == pytest.approx(1000, abs=0.1)


def test_a_machine_that_ran_half_of_the_month_got_half_of_it() -> None:
    here = world(CHEAP)
    case = getting(machine("a", here), 8000)
    assert case.cost is not None
    half = replace(case, cost=replace(case.cost, running_share=0.5))
    found = placed(here, half)
    assert found.grounds[0].group.inward == pytest.approx(4000, rel=1e-3)
