"""What one machine of a group may send another: it is not known, and counts against a move."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from costopt.rules.base import Case
from tests.rules.builders import profile
from tests.rules.move.world import machine, placed, tagged, why, world

CHEAP = {("Acme", "alba"): "0.05", ("Acme", "brno"): "0.04"}
GIB_MONTH = 2**30 / (730 * 3600)  # bytes a second


def measured(case: Case, out: float, into: float | None) -> Case:
    """GiB a month."""
    ways = {"network_out": out, "network_in": into}
    return replace(
        case,
        profiles=tuple(
            profile(np.full(288, gib * GIB_MONTH), way)
            for way, gib in ways.items()
            if gib is not None
        ),
    )


@pytest.mark.parametrize(
    ("traffic", "among"),
    [
        ([(9000, 0), (0, 5000)], 5000),  # the second gets no more than 5,000
        ([(9000, 0), (0, None)], 9000),  # nobody measured what it gets
        ([(9000, 9000), (0, 0)], 0),  # what it gets itself is not from itself
        ([(6000, 2000), (4000, 3000)], 5000),  # 3,000 and 2,000
        ([(9000, 9000)], 0),
    ],
)
def test_the_most_that_stays_in_a_group_by_hand(
    traffic: list[tuple[float, float | None]], among: float
) -> None:
    here = world(CHEAP)
    fleet = [
        tagged(measured(machine(f"m{n}", here), out, into), app="web")
        for n, (out, into) in enumerate(traffic)
    ]
    (ground,) = placed(here, *fleet).grounds
    assert ground.group.among == pytest.approx(among)


def test_it_is_told_where_traffic_keeps_the_group() -> None:
    """2 x 116.80 are saved a month, and 20,000 GiB cost 400 between regions."""
    here = world(CHEAP)
    fleet = [measured(machine("a", here), 20_000, 0), measured(machine("b", here), 0, 15_000)]
    found = placed(here, *(tagged(one, app="web") for one in fleet))
    assert why(found) == {"a": "egress", "b": "egress"}
    told = "up to 15,000 of them may go from one of its machines to another"
    assert told in found.skips[0].detail
