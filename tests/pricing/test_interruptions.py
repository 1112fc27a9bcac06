"""How often spot machines are interrupted: the built-in table, one's own rows, nothing else."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from costopt.errors import InputError
from costopt.pricing.interruptions import FILE, Band, Interruptions

JULY = date(2025, 7, 1)
_NAMES = {"low": "x_InterruptedLow", "high": "x_InterruptedHigh", "hours": "x_InterruptedHours"}


def own(*rows: dict[str, Any]) -> Interruptions:
    named = [{_NAMES.get(k, k): v for k, v in row.items()} for row in rows]
    columns = sorted({name for row in named for name in row})
    return Interruptions.load(
        pa.table({name: [row.get(name) for row in named] for name in columns})
    )


def test_the_advisor_is_shipped_with_source_and_day() -> None:
    band = Interruptions.load().band("Amazon Web Services", "us-east-1", "M5.Large")
    assert band is not None
    assert (band.low, band.high, band.hours, band.day) == (0.15, 0.22, 730, JULY)
    assert "Spot Instance Advisor" in (band.source or "")


def test_each_system_has_its_own() -> None:
    bands = Interruptions.load()
    linux = bands.band("AWS", "us-east-1", "m5.large", "Linux/UNIX")
    windows = bands.band("AWS", "us-east-1", "m5.large", "Windows Server 2022")
    assert linux == bands.band("AWS", "us-east-1", "m5.large")
    assert windows is not None
    assert (windows.low, windows.high) == (0.2, 1.0)


@pytest.mark.parametrize(
    ("provider", "region", "kind"),
    [
        ("AWS", "us-east-1", "m99.large"),
        ("AWS", "mars-north-1", "m5.large"),
        ("AWS", None, "m5.large"),
        ("AWS", "us-east-1", None),
        ("GCP", "us-central1", "n2-standard-4"),
        ("Azure", "eastus", "Standard_D4s_v5"),
        ("Hetzner", "fsn1", "cx22"),
    ],
)
def test_what_nobody_publishes_is_not_known(
    provider: str, region: str | None, kind: str | None
) -> None:
    assert Interruptions.load().band(provider, region, kind) is None


def test_every_row_is_what_the_advisor_said(real_data: Path) -> None:
    given = json.loads((real_data / "prices" / "aws_spot_advisor_2025-07.json").read_text())
    ends = {0: (0, 0.05), 1: (0.05, 0.11), 2: (0.1, 0.16), 3: (0.15, 0.22), 4: (0.2, 1)}
    bands, count = Interruptions.load(), 0
    for region, systems in given["spot_advisor"].items():
        for system, kinds in systems.items():
            for kind, said in kinds.items():
                band = bands.band("AWS", region, kind, system)
                assert band is not None
                assert (band.low, band.high) == ends[said["r"]]
                count += 1
    assert count == 25_323
    assert FILE.stat().st_size < 40_000


def test_ones_own_row_wins_and_the_nearest_of_them() -> None:
    here = {"ProviderName": "AWS", "RegionId": "us-east-1", "x_InstanceType": "m5.large"}
    everywhere = {"ProviderName": "aws", "low": 0.3, "high": 0.4, "x_Source": "our logs"}
    bands = own(everywhere, here | {"low": 0.01, "high": 0.02, "x_ValidFrom": date(2026, 11, 1)})
    assert bands.band("AWS", "us-east-1", "m5.large") == Band(
        0.01, 0.02, 730, None, date(2026, 11, 1)
    )
    assert bands.band("AWS", "eu-west-1", "m5.large") == Band(0.3, 0.4, 730, "our logs", None)
    assert bands.band("AWS", None, None) == Band(0.3, 0.4, 730, "our logs", None)


def test_azures_rates_are_of_an_hour_and_come_from_the_user() -> None:
    row = {"ProviderName": "Microsoft", "RegionId": "East US", "x_InstanceType": "Standard_D4s_v5"}
    bands = own(row | {"low": 0.05, "high": 0.1, "hours": 1.0})
    found = bands.band("Azure", "eastus", "standard_d4s_v5", "Windows")
    assert found == Band(0.05, 0.1, 1.0, None, None)
    assert str(found) == "5 to 10 % of machines interrupted in 1 h"
    assert bands.band("Azure", "westeurope", "Standard_D4s_v5") is None


@pytest.mark.parametrize(
    "shares",
    [
        {"low": 0.1, "high": 0.05},
        {"low": 5.0, "high": 10.0},
        {"low": -0.1, "high": 0.1},
        {"low": None, "high": 0.1},
        {"low": 0.1, "high": 0.1, "hours": 0.0},
        {"low": float("nan"), "high": 0.1},
    ],
)
def test_a_row_that_cannot_be_is_refused_by_its_number(shares: dict[str, Any]) -> None:
    good = {"ProviderName": "GCP", "low": 0.1, "high": 0.2, "hours": 730.0}
    with pytest.raises(InputError, match="row 2"):
        own(good, good | shares)


def test_a_missing_column_is_named() -> None:
    with pytest.raises(InputError, match="x_InterruptedHigh"):
        own({"ProviderName": "GCP", "low": 0.1})


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.0, 0.05, "under 5 %"),
        (0.05, 0.11, "5 to 11 %"),
        (0.2, 1.0, "over 20 %"),
        (0.03, 0.03, "3 %"),
    ],
)
def test_a_band_in_words(low: float, high: float, words: str) -> None:
    assert str(Band(low, high, 730, None, None)) == f"{words} of machines interrupted in a month"
