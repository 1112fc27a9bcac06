"""Real bills, reckoned anew: what of them can be, and that it comes to what was billed.

What each lacks for more, docs/replay.md says.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from costopt.frame import bill
from costopt.frame.metered import read
from costopt.model import Window
from costopt.model.bill import Metered
from costopt.pricing.commitments import reconciled, residue
from costopt.providers.aws.bill import cur
from costopt.providers.azure.bill.map import Costs
from costopt.providers.bills import focus, reading

CONVERTERS = "billing/focus_converters/focus_converter_base/tests/provider_config_tests"
KOKU = "billing/koku/koku/masu/test/data"
TOOLKIT = "billing/finops_toolkit/src/powershell/Tests/assets"


def charges(path: Path, kind: str) -> pa.Table:
    if kind == "cur":
        read_ = [cur.converted(one).columns for one in reading.batches(path, str(path), cur.chosen)]
        return pa.concat_tables([bill.normalise(columns).table for columns in read_])
    if kind == "azure":
        layout = Costs("AmortizedCost")
        batches = reading.batches(path, str(path), layout.chosen)
        return pa.concat_tables([layout.batch(one).intake.table for one in batches])
    batches = reading.batches(path, str(path), lambda names: names)
    return pa.concat_tables([focus.normalised(focus.spelled(one))[0].table for one in batches])


def bills(path: Path, kind: str, currency: str) -> dict[str, Metered]:
    table = charges(path, kind)
    span = Window(
        pc.min(table["ChargePeriodStart"]).as_py(), pc.max(table["ChargePeriodEnd"]).as_py()
    )
    return read(table, span, currency)


@pytest.mark.parametrize(
    ("name", "kind", "currency", "provider", "reckoned", "rest"),
    [
        (f"{CONVERTERS}/aws/sample-anonymous-aws-export-dataset.csv", "cur", "USD", "aws", 0, 1.68),
        (f"{KOKU}/aws/2023-06-01.csv", "cur", "NOK", "aws", 0.3, 0),
        (f"{KOKU}/azure/azure_version_2.csv", "azure", "MC", "azure", 19.85, 0.15),
        (f"{TOOLKIT}/EA_AmortizedCost_Small.csv", "azure", "USD", "azure", 3.14, 13.16),
        (f"{TOOLKIT}/EA_ActualCost_Small.csv", "azure", "USD", "azure", 2.64, 5.91),
        ("billing/focus_sample/FOCUS-1.0/focus_sample.csv", "focus", "USD", "aws", 16, -3),
    ],
)
def test_what_can_be_reckoned_comes_to_what_was_billed(
    real_data: Path,
    name: str,
    kind: str,
    currency: str,
    provider: str,
    reckoned: float,
    rest: float,
) -> None:
    found = bills(real_data / name, kind, currency)[provider]
    assert residue(found) < 1e-9
    assert reconciled(found)
    assert found.actual.sum() == pytest.approx(reckoned, abs=0.005)
    assert float(found.rest) == pytest.approx(rest, abs=0.005)
    assert sum((one.cost for one in found.left_out), Decimal(0)) == found.rest


def test_azures_reservation_and_plan_are_found(real_data: Path) -> None:
    found = bills(real_data / TOOLKIT / "EA_AmortizedCost_Small.csv", "azure", "USD")["azure"]
    assert {one.kind: (one.order, one.by_spend) for one in found.held} == {
        "Reservation": (0, False),
        "Savings Plan": (2, True),
    }
    # 8 hours at 0.146 on demand, for which the reservation paid 0.493152
    (usage,) = [one for one in found.usages if one.quantity.sum() == 8]
    assert usage.rate[usage.quantity > 0] == pytest.approx(0.146)
    assert sum(one.cost.sum() for one in found.held) == pytest.approx(0.499152, abs=1e-6)
