"""Own machines: what of a saving is paid already."""

from __future__ import annotations

from decimal import Decimal

from costopt.model import Resource, Savings
from costopt.rules import sunk
from tests.report import builders


class _Case:
    """What is looked at of a case."""

    def __init__(self, **attributes: str) -> None:
        self.resource = Resource(resource_id="web-1", provider_name="OnPrem", attributes=attributes)


def _stop() -> object:
    saving = Savings(*(Decimal("400.00"),) * 3, None, "list")
    return builders.replace(
        builders.recommendation("web-1"),
        recommended=None, estimated_monthly_savings=saving, currency="EUR", reason="it is idle",
    )  # fmt: skip


def test_of_a_stop_the_parts_of_the_price_are_the_parts_of_the_saving() -> None:
    case = _Case(hourly_capital="0.30", hourly_power="0.08", hourly_hosting="0.02")
    found = sunk.told(case, _stop())  # type: ignore[arg-type]
    assert found.reason == "it is idle; 300.00 EUR a month of it is capital that is paid already"  # type: ignore[union-attr]
    (text,) = found.evidence["warnings"]  # type: ignore[union-attr]
    assert "80.00 EUR of power ends at once" in text


def test_a_clouds_machine_and_one_that_is_paid_off_have_none() -> None:
    advice = _stop()
    for case in (_Case(), _Case(hourly_capital="0", hourly_power="0.08")):
        assert sunk.told(case, advice) is advice  # type: ignore[arg-type]
