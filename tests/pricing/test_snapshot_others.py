"""The smaller providers in the snapshot: rows against what was read by hand, and what is left out.

The expected figures are those of the providers' own pages and APIs, not of the list that the
snapshot is made from: its slips (VAT, the US price of a type) would show here.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import ModuleType

import pytest

from costopt.pricing import builtin
from costopt.pricing.catalogue import Catalogue

ROOT = Path(__file__).parents[2]
DATA = ROOT.joinpath("../shared/data")
OTHERS = (
    "civo", "exoscale", "hetzner", "infomaniak", "leafcloud", "nebius", "ovh", "scaleway",
    "stackit", "upcloud",
)  # fmt: skip
CATALOGUE = Catalogue.load()


@pytest.fixture(scope="module")
def script() -> Iterator[ModuleType]:
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        import snapshot_others  # type: ignore[import-not-found]

        yield snapshot_others
    finally:
        sys.path.remove(str(ROOT / "scripts"))


def test_at_least_eight_more_providers_than_the_three_large_ones() -> None:
    assert len(set(builtin.provider_keys()) - {"aws", "azure", "gcp"}) >= 8


@pytest.mark.parametrize(
    ("provider", "region", "kind", "monthly", "currency"),
    [  # net monthly prices as the providers show them; hourly ones times 730
        ("hetzner", "fsn1", "cx23", 5.49, "EUR"),
        ("hetzner", "hel1", "ccx63", 853.49, "EUR"),
        ("hetzner", "nbg1", "cax41", 40.99, "EUR"),
        ("scaleway", "fr-par", "BASIC2-A2C-4G", 16.79, "EUR"),
        ("scaleway", "fr-par", "DEV1-M", 14.74, "EUR"),
        ("upcloud", "fi-hel1", "premium-2xCPU-4GB", 26, "EUR"),
        ("ovhcloud", "GRA", "b3-8", 37.376, "EUR"),
        ("exoscale", "ch-gva-2", "standard.small", 17.03, "EUR"),
        ("civo", "fra1", "g4s.kube.medium", 21.73, "USD"),
        ("nebius", "eu-north1", "cpu-d3_8vcpu-32gb", (8 * 0.012 + 32 * 0.0032) * 730, "USD"),
        ("nebius", "eu-west1", "gpu-h200-sxm_8gpu-128vcpu-1600gb", 8 * 3.5 * 730, "USD"),
    ],
)
def test_what_a_month_costs(
    provider: str, region: str, kind: str, monthly: float, currency: str
) -> None:
    found = CATALOGUE.price(provider, region, kind)
    assert found
    assert found.currency == currency
    assert float(found.list_unit_price) * 730 == pytest.approx(monthly, abs=0.01)


@pytest.mark.parametrize("provider", OTHERS)
def test_rows_are_of_2026_and_name_a_region(provider: str) -> None:
    shapes = [s for s in CATALOGUE.shapes() if s.provider_name.casefold().startswith(provider)]
    assert len(shapes) > 15
    for shape in shapes:
        for price in CATALOGUE.prices(provider, shape.instance_type):
            assert price.region_id
            assert price.valid_from is not None
            if not shape.gpu_model:
                assert price.valid_from >= date(2026, 5, 1)


@pytest.mark.parametrize(
    ("provider", "kind", "shared"),
    [
        ("hetzner", "cx23", True), ("hetzner", "cax11", True), ("hetzner", "ccx13", False),
        ("scaleway", "PLAY2-NANO", True), ("scaleway", "POP2-2C-8G", False),
        ("scaleway", "STANDARD3-X2C-8G", None), ("ovh", "d2-2", True), ("ovh", "b3-8", None),
        ("stackit", "c1.2", True), ("stackit", "c1a.2d", False), ("aws", "m5.large", None),
    ],
)  # fmt: skip
def test_shared_cpus_are_told_apart(provider: str, kind: str, shared: bool | None) -> None:
    found = CATALOGUE.shape(provider, kind)
    assert found
    assert found.shared_cpu is shared


@pytest.mark.parametrize(
    ("provider", "kind"),
    [
        ("hetzner", "cpx11"),  # the price in the list is that of Ashburn
        ("scaleway", "POP2-2C-8G-WIN"),
        ("scaleway", "START1-XS"),
        ("scaleway", "STARDUST1-S"),
        ("ovh", "bm-s1"),
        ("stackit", "m1.amphora"),
        ("stackit", "n1.14d.g1"),
        ("civo", "gpu-h100-sxm-small"),
        ("leafcloud", "ec1.3xlarge"),
        ("leafcloud", "eg1.a100x1.V12-84"),
    ],
)
def test_what_is_no_machine_at_that_price_is_left_out(provider: str, kind: str) -> None:
    assert CATALOGUE.shape(provider, kind) is None
    assert CATALOGUE.prices(provider, kind) == ()


@pytest.mark.parametrize("provider", ["ionos", "gridscale", "netcup", "contabo", "gcore"])
def test_providers_that_sell_no_types_by_the_hour_are_left_out(provider: str) -> None:
    assert provider not in CATALOGUE.providers()


@pytest.mark.parametrize(
    ("gross", "reason"),
    [
        (7.13, None),  # (5.49 + 0.50) * 1.19 = 7.1281
        (7.20, "not a net price with VAT and an IPv4 address added"),
        (5.99, "not a net price with VAT and an IPv4 address added"),
    ],
)
def test_a_hetzner_price_that_is_not_gross_is_refused(
    script: ModuleType, gross: float, reason: str | None
) -> None:
    assert script._hetzner_refused({"id": "cx23", "price_monthly": gross}) == reason


def test_every_row_of_the_lists_is_kept_or_refused_with_a_reason(script: ModuleType) -> None:
    if not (DATA / "prices").exists():
        pytest.skip("needs ../shared/data/prices")
    from snapshot_prices import Refused  # type: ignore[import-not-found]

    refused = Refused()
    shapes, prices = script.read(DATA, refused)
    left = sum(len(rows) for rows in refused.rows)
    listed = 0
    for file in (*(provider.file for provider in script.PROVIDERS), *script.NOT_TYPES, "nebius"):
        path = DATA / "prices" / "eu_cloud_prices" / "prices" / f"{file}.json"
        listed += len(json.loads(path.read_text(encoding="utf-8"))["instances"])
    assert len(shapes) + left == listed
    assert {(s.provider_name, s.instance_type) for s in shapes} <= set(
        zip(prices.provider, prices.type, strict=True)
    )
