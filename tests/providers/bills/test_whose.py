"""A cloud's own export handed to the files provider: who reads it is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from costopt.errors import InputError
from costopt.providers.bills.whose import collector
from tests.fakes import azure_export, gcp_export
from tests.providers.given import provider


@pytest.mark.parametrize(
    ("content", "source"),
    [
        (gcp_export.flat_csv([gcp_export.line()]), "gcp"),
        (azure_export.cost_csv([azure_export.row()]), "azure"),
    ],
)
def test_the_files_provider_names_who_reads_it(tmp_path: Path, content: bytes, source: str) -> None:
    path = tmp_path / "bill.csv"
    path.write_bytes(content)
    with pytest.raises(InputError) as refused:
        list(provider(charges=path).charges(None))
    assert f"costopt collect {source} --export" in str(refused.value.hint)


def test_other_columns_are_nobodys() -> None:
    assert collector(["BilledCost", "day", "net"]) is None
    assert collector(["cost", "usage_start_time"]) is None
