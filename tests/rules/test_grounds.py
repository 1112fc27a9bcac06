"""The sentence of a size names the demand that it was decided on."""

from __future__ import annotations

from decimal import Decimal

import pytest

from costopt.rules.grounds import figure
from tests.rules.builders import case, samples, without
from tests.rules.judging import advised


def test_disputed_spikes_are_left_out_of_the_demand_that_is_named() -> None:
    values = samples(level=10)
    spikes = list(range(0, 8064, 100))
    values[spikes] = 60.0
    disputed = advised(case("g16", values, disputed=without(values, spikes)))
    assert disputed.reason.startswith(
        "CPU P99.5 is 10 % of 16 vCPUs over 28 days without disputed spikes (60 % with them); g2 "
    )
    assert advised(case("g16", samples(level=10))).reason.startswith(
        "CPU P99.5 is 10 % of 16 vCPUs over 28 days; g2 "
    )


@pytest.mark.parametrize(
    ("value", "said"),
    [(Decimal("0.10691600"), "0.1069"), (8.41016, "8.41"), (64.0, "64"), (12_288.0, "12,288")],
)
def test_a_figure_has_four_digits_at_most(value: float | Decimal, said: str) -> None:
    assert figure(value) == said
