"""An export and Cost Explorer of one account in one lake: each charge counts once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from costopt.frame.cost import COLUMNS, read_bill
from costopt.lake.store import Lake
from costopt.model import Window
from costopt.providers.aws import bill
from costopt.providers.aws.access import own_account
from costopt.providers.aws.settings import AwsSettings
from costopt.providers.base import Problem
from tests.fakes import bill_export
from tests.fakes.aws_billing import Billing, serving
from tests.providers.aws.bills import Store, bucket, items, small
from tests.providers.aws.test_bill_explorer import day

OWN = "123456789012"  # of moto's ordinary credentials
PAYER = "999999999999"
OTHER = "222222222222"
SEPTEMBER = Window(datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=UTC))
NOTE = f"cost-explorer {OWN} 2026-09"


def exported(cost: str, account: str, payer: str = PAYER) -> dict[str, Any]:
    """A day of an account in a payer's report."""
    return small(cost=cost, account=payer)[0] | {"line_item_usage_account_id": account}


@dataclass
class Collects:
    """Collects into one lake, as the pipeline does them."""

    lake: Lake
    store: Store
    billing: Billing
    settings: Callable[..., AwsSettings]

    def export(self, *rows: dict[str, Any], name: str = "e") -> list[Problem]:
        bill_export.data_export(self.store.put, name, "2026-09", [bill_export.cur_csv(list(rows))])
        return self._collect(export=(f"s3://{self.store.name}/{name}",))

    def explorer(self) -> list[Problem]:
        return self._collect(cost_explorer=True)

    def _collect(self, **asked: object) -> list[Problem]:
        home = own_account(self.settings(**asked))
        assert home.account_id == OWN
        problems: list[Problem] = []
        notes: dict[str, str] = {}
        tables = bill.charges(home, self.lake.notes("aws"), SEPTEMBER, problems, notes)
        self.lake.append_charges(tables, whole_periods=True)
        self.lake.note("aws", notes)
        return problems

    def total(self) -> Decimal:
        """What the charges of the lake come to."""
        table = self.lake.read_charges()
        return sum(table.column("EffectiveCost").to_pylist(), Decimal(0))

    def spend(self) -> Decimal:
        """What the fleet's bill says a month, as advice does."""
        end = datetime(2026, 12, 1, tzinfo=UTC)
        found = read_bill(self.lake.read_charges(COLUMNS), end, None)
        assert found is not None
        return found.spend


@pytest.fixture
def collects(
    aws_server: str,
    aws_environment: pytest.MonkeyPatch,
    settings: Callable[..., AwsSettings],
    tmp_path: Path,
) -> Iterator[Collects]:
    start = f"{items('2026-09')[0]['line_item_usage_start_date']:%Y-%m-%d}"
    told = day(start, ("Amazon Elastic Compute Cloud - Compute", "Usage", "10", "10"))
    with serving(Billing(costs=[told])) as billing, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL_COST_EXPLORER", billing.url)
        yield Collects(Lake(tmp_path / "lake"), bucket(settings), billing, settings)


def test_cost_explorer_is_not_asked_for_what_a_payers_export_tells(collects: Collects) -> None:
    assert collects.export(exported("10", OWN), exported("5", OTHER)) == []
    before = collects.spend()
    (problem,) = collects.explorer()
    assert problem.where == f"{OWN} ce:GetCostAndUsage 2026-09"
    assert f"s3://{collects.store.name}/e tells this month" in problem.what
    assert not problem.fatal
    assert collects.billing.asked("GetCostAndUsage") == []
    assert collects.total() == 15
    assert collects.spend() == before


def test_an_export_that_comes_later_replaces_what_cost_explorer_told(collects: Collects) -> None:
    assert collects.explorer() == []
    assert collects.total() == 10
    assert collects.lake.notes("aws")[NOTE] == "final"
    assert collects.export(exported("10", OWN), exported("5", OTHER)) == []
    assert collects.total() == 15
    alone = collects.spend()
    # Restated, or collected again, it stays so; and Cost Explorer does not come back.
    assert collects.export(exported("11", OWN), exported("5", OTHER)) == []
    assert collects.total() == 16
    (problem,) = collects.explorer()
    assert "tells this month" in problem.what
    assert collects.total() == 16
    assert collects.spend() > alone


def test_spend_is_that_of_the_export_alone_whichever_came_first(
    collects: Collects, tmp_path: Path
) -> None:
    rows = exported("10", OWN), exported("5", OTHER)
    collects.explorer()
    collects.export(*rows)
    both = collects.spend()
    collects.lake = Lake(tmp_path / "alone")
    collects.export(*rows)
    assert collects.spend() == both > 0


def test_what_an_export_does_not_tell_cost_explorer_does(collects: Collects) -> None:
    collects.export(exported("5", OTHER))
    assert collects.explorer() == []
    assert collects.total() == 15
    collects.export(exported("7", OTHER))
    assert collects.total() == 17


def test_of_a_payer_its_export_and_cost_explorer_count_once(collects: Collects) -> None:
    assert collects.explorer() == []
    assert collects.export(exported("4", OWN, OWN), exported("5", OTHER, OWN)) == []
    assert collects.total() == 9
    (problem,) = collects.explorer()
    assert "tells this month" in problem.what
    assert collects.total() == 9


def test_of_a_payer_the_export_of_several_members_is_all(collects: Collects) -> None:
    """A payer that uses nothing itself is in no row but as the payer."""
    assert collects.export(exported("4", "333333333333", OWN), exported("5", OTHER, OWN)) == []
    (problem,) = collects.explorer()
    assert "tells this month" in problem.what
    assert collects.total() == 9
