"""Commitment rates of the snapshot: in bounds, as their sources say, answered, overridden."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from costopt import schema
from costopt.pricing import builtin
from costopt.pricing.catalogue import Catalogue
from costopt.pricing.committed_terms import read_term
from tests.conftest import ROOT

ONE, THREE = "1yr no-upfront", "3yr no-upfront"
PROVIDERS = ("aws", "azure", "gcp")


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load()


def read(provider: str, name: Any = "commitments") -> pa.Table:
    table = builtin.read(provider, name)
    assert table is not None
    return table


def rates(catalogue: Catalogue, provider: str, region: str, kind: str) -> dict[str, float]:
    return {
        price.term or "": float(price.list_unit_price)
        for price in catalogue.prices(provider, kind)
        if price.pricing_category == "Committed" and price.region_id == region
    }


def by_place(table: pa.Table, category: str) -> dict[tuple[Any, ...], float]:
    found = {}
    for row in table.to_pylist():
        if row["PricingCategory"] == category and row["PricingCurrency"] == "USD":
            key = row["RegionId"], row["x_InstanceType"], row["x_Term"]
            assert key not in found
            found[key] = float(row["ListUnitPrice"])
    return found


# -- every row -------------------------------------------------------------------------------


def test_only_these_providers_have_them() -> None:
    files = {path.name.split(".")[0] for path in builtin.FOLDER.glob("*.commitments.parquet")}
    assert files == set(PROVIDERS)
    assert builtin.read("hetzner", "commitments") is None


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_rate_has_a_term_a_source_and_a_day(provider: str) -> None:
    table = read(provider)
    assert table.column_names == schema.PRICES.names
    for name in ("x_Source", "x_ValidFrom", "RegionId"):
        assert table.column(name).null_count == 0
    assert set(table.column("PricingCategory").unique().to_pylist()) == {"Committed"}
    assert set(table.column("x_Term").unique().to_pylist()) == {ONE, THREE}
    assert all(read_term(term) for term in (ONE, THREE))
    assert set(table.column("x_OperatingSystem").unique().to_pylist()) == {"Linux"}
    assert pc.min(table.column("x_ValidFrom")).as_py() >= date(2026, 7, 30)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_rate_is_below_that_on_demand_and_longer_ones_are_lower(provider: str) -> None:
    on_demand = by_place(read(provider, "prices"), "Standard")
    committed = by_place(read(provider), "Committed")
    shares = {key: rate / on_demand[*key[:2], None] for key, rate in committed.items()}
    assert 0.15 <= min(shares.values()) < max(shares.values()) < 1
    both = [key for key in shares if key[2] == ONE and (*key[:2], THREE) in shares]
    assert len(both) > 0.45 * len(shares)
    assert all(shares[*key[:2], THREE] < shares[key] for key in both)


@pytest.mark.parametrize(("provider", "spread"), [("aws", 0.004), ("azure", 0.004)])
def test_one_family_has_one_discount_in_a_region(provider: str, spread: float) -> None:
    """Of sizes that were read one by one, no slip of the pen stands out."""
    catalogue = Catalogue.load()
    shares: dict[tuple[Any, ...], list[float]] = {}
    on_demand = by_place(read(provider, "prices"), "Standard")
    for (region, kind, term), rate in by_place(read(provider), "Committed").items():
        shape = catalogue.shape(provider, kind)
        assert shape is not None
        price = on_demand[region, kind, None]
        if price > 0.2:  # what costs less says its rate in two or three digits
            key = region, (shape.family or "").removesuffix("-metal"), term
            shares.setdefault(key, []).append(rate / price)
    worst = {key: max(found) / min(found) - 1 for key, found in shares.items()}
    assert max(worst.values()) < spread, max(worst, key=lambda key: worst[key])


def test_google_takes_off_what_it_says() -> None:
    """Google Cloud, "Resource-based committed use discounts" (read 2026-11): 37 % for one year and
    55 % for three, for most; memory-optimized machines up to 70 %."""
    on_demand = by_place(read("gcp", "prices"), "Standard")
    committed = by_place(read("gcp"), "Committed")
    for term, discount in ((ONE, 0.37), (THREE, 0.55)):
        usual = [
            1 - rate / on_demand[region, kind, None]
            for (region, kind, of), rate in committed.items()
            if of == term and kind.split("-")[0] in ("n2", "n2d", "e2")
        ]
        assert len(usual) > 1000
        assert np.quantile(usual, [0.05, 0.95]) == pytest.approx([discount] * 2, abs=0.005)
    deepest = 1 - min(
        rate / on_demand[region, kind, None] for (region, kind, _), rate in committed.items()
    )
    assert deepest == pytest.approx(0.7, abs=0.005)


# -- by hand ---------------------------------------------------------------------------------

BY_HAND = [
    # AWS: sizes whose rate follows from another one's, as the list has them themselves.
    ("aws", "us-east-1", "m6i.xlarge", 0.12701, 0.08709),
    ("aws", "us-east-1", "r6i.xlarge", 0.16670, 0.11431),
    ("aws", "us-east-1", "c6i.xlarge", 0.11246, 0.07484),
    ("aws", "us-east-1", "m7i.2xlarge", 0.26672, 0.18289),
    ("aws", "us-east-1", "g5.xlarge", 0.63378, 0.43459),
    ("aws", "us-east-1", "c7g.large", 0.0478, 0.0319),
    ("aws", "eu-west-1", "m6i.xlarge", 0.14156, 0.09707),
    ("aws", "eu-west-1", "c6i.8xlarge", 0.96600, 0.66528),
    ("aws", "eu-west-1", "r7i.2xlarge", 0.39174, 0.26862),
    ("aws", "eu-central-1", "c6i.xlarge", 0.12789, 0.08800),
    ("aws", "eu-central-1", "m7i.2xlarge", 0.31950, 0.21909),
    ("aws", "us-west-2", "m7i.2xlarge", 0.26672, 0.18289),
    ("aws", "us-west-2", "g6.8xlarge", 1.31137, 0.92461),
    # Azure: likewise; the list has the price of the term, over 8,760 and 26,280 hours.
    ("azure", "westeurope", "Standard_D4_v5", 0.141895, 0.090868),
    ("azure", "westeurope", "Standard_E8_v5", 0.375114, 0.240145),
    ("azure", "eastus", "Standard_D8s_v5", 0.236872, 0.151674),
    ("azure", "eastus", "Standard_E4s_v5", 0.148630, 0.099543),
    ("azure", "eastus", "Standard_NC24ads_A100_v4", 2.401027, 1.363052),
    # GCP: a month of 730 hours: 98.33684 and 70.24644; 30.81854578 and 22.01324782; ...
    ("gcp", "europe-west4", "n2-standard-4", 0.13471, 0.09623),
    ("gcp", "us-central1", "e2-standard-2", 0.04222, 0.03016),
    ("gcp", "us-central1", "a2-highgpu-1g", 2.31421, 1.28571),
    ("gcp", "africa-south1", "n1-standard-1", None, None),
    ("gcp", "us-central1", "f1-micro", None, None),  # its 30 % off are for sustained use
]


@pytest.mark.parametrize(("provider", "region", "kind", "one", "three"), BY_HAND)
def test_rates_by_hand(
    catalogue: Catalogue, provider: str, region: str, kind: str, one: float | None,
    three: float | None,
) -> None:  # fmt: skip
    found = rates(catalogue, provider, region, kind)
    if one is None:
        assert not found
    else:
        assert found == {ONE: pytest.approx(one, rel=0.002), THREE: pytest.approx(three, rel=0.002)}


def test_what_is_not_sold_ahead_or_costs_another_price_now_has_none(catalogue: Catalogue) -> None:
    assert not rates(catalogue, "aws", "us-east-1", "i3.metal")
    assert not rates(catalogue, "aws", "eu-west-1", "g4dn.12xlarge")  # 4.362 on demand by now
    assert not rates(catalogue, "azure", "westeurope", "Standard_B32s_v2")


# -- the catalogue ---------------------------------------------------------------------------


def test_the_catalogue_answers_the_cheapest_and_says_whose_it_is(catalogue: Catalogue) -> None:
    found = catalogue.price("aws", "us-east-1", "m6i.xlarge", pricing_category="Committed")
    assert found is not None
    assert (found.term, float(found.list_unit_price)) == (THREE, 0.08709)
    assert found.valid_from == date(2026, 8, 17)
    assert "rate of its family in the region" in (found.source or "")
    on_demand = catalogue.price("aws", "us-east-1", "m6i.xlarge")
    assert on_demand is not None
    assert float(on_demand.list_unit_price) == 0.192


def test_ones_own_rate_overrides_its_term_alone() -> None:
    own = pa.Table.from_pylist(
        [
            {
                "ProviderName": "AWS", "RegionId": "us-east-1", "x_InstanceType": "m6i.xlarge",
                "x_OperatingSystem": "Linux", "PricingCategory": "Committed", "x_Term": ONE,
                "ListUnitPrice": Decimal("0.11"), "PricingCurrency": "USD",
            }
        ],
        schema=schema.PRICES,
    )  # fmt: skip
    mine = Catalogue.load(own)
    assert rates(mine, "aws", "us-east-1", "m6i.xlarge") == {ONE: 0.11, THREE: 0.08709}
    assert mine.refusals == ()


def test_they_are_read_only_where_they_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, plain = [], builtin.read

    def noted(provider_key: str, name: Any) -> Any:
        asked.append(name)
        return plain(provider_key, name)

    monkeypatch.setattr(builtin, "read", noted)
    catalogue = Catalogue.load()
    assert catalogue.price("aws", "us-east-1", "m5.large")
    assert catalogue.market("aws", "us-east-1").shapes
    assert catalogue.find(vcpus=4, provider="aws", region="us-east-1")
    assert "commitments" not in asked
    assert catalogue.prices("aws", "m5.large")
    assert catalogue.prices("aws", "c5.large")
    assert asked.count("commitments") == 1


# -- the script ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def script() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "scripts"))
        import build_commitments  # type: ignore[import-not-found]

        yield build_commitments


CALCULATOR = """
about: {timestamp: 1785391997}
compute:
  instance:
    n2-standard-4:
      cost:
        us-central1: {hour: 0.194236, month_1y: 89.32572, month_3y: 63.81076}
        europe-west4: {hour: 0.3, month_1y: 98.33684, month_3y: 70.24644}
    g1-small:
      cost:
        us-central1: {hour: 0.0257, month_1y: 13.1327, month_3y: 13.1327}
    e2-standard-2:
      cost:
        us-central1: {hour: 0.06701142, month_1y: 4.0, month_3y: 22.01324782}
    f1-micro: {cpu: 1}
"""


def test_the_script_writes_what_holds_and_tells_the_rest(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    listed = tmp_path / "pricing.yml"
    listed.write_text(CALCULATOR, encoding="utf-8")
    monkeypatch.setattr(
        sys, "argv", ["build_commitments.py", "--gcp", str(listed), "--out", str(tmp_path)]
    )
    script.main()
    told = capsys.readouterr().out
    assert "its price on demand is another than the snapshot's: n2-standard-4 in europe" in told
    assert "1yr no-upfront not between 15 and 100 % of on demand: e2-standard-2" in told
    assert "one price for both terms: not sold ahead: g1-small" in told
    monkeypatch.setattr(builtin, "FOLDER", tmp_path)
    rows = by_place(read("gcp"), "Committed")
    assert rows == {
        ("us-central1", "n2-standard-4", ONE): 0.12236,
        ("us-central1", "n2-standard-4", THREE): 0.08741,
        ("us-central1", "e2-standard-2", THREE): 0.03016,
    }
    for provider in ("aws", "azure"):  # by the table that was typed
        made, shipped = read(provider), ROOT / f"costopt/pricing/snapshot/{provider}"
        assert (tmp_path / f"{provider}.commitments.parquet").read_bytes() == shipped.with_suffix(
            ".commitments.parquet"
        ).read_bytes()
        assert len(made) > 2000
