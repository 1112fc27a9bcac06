"""What each provider's list says, in the common frame. Amounts are worked by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from costopt import registry, schema
from tests.fakes import simple_lists as fake
from tests.fakes.simple_lists import Site
from tests.providers.lists.asking import part, parts, prices, rates, rounded, shapes

DAY = date(2026, 11, 20)


@pytest.mark.parametrize("key", registry.names("price-list"))
def test_a_list_says_whose_it_is(key: str) -> None:
    listing = registry.find("price-list", key)
    assert listing.source in schema.PUBLISHED
    assert listing.address.startswith("https://")
    assert listing.currencies


# -- Vultr ---------------------------------------------------------------------------------------


def test_vultr_costs_a_months_price_at_most(here: Site) -> None:
    here.vultr([fake.vultr_plan("vc2-1c-1gb", 1, 1024, 7.30)])
    found = part("vultr")
    # 0.011 an hour for 672 hours is more than the month's 7.30, which is 0.01 for each of 730.
    assert prices(found) == {
        ("ewr", "vc2-1c-1gb"): Decimal("0.01"),
        ("fra", "vc2-1c-1gb"): Decimal("0.01"),
    }
    (row, _) = found.prices.to_pylist()
    assert (row["ProviderName"], row["PricingCurrency"]) == ("Vultr", "USD")
    assert (row["x_ValidFrom"], row["x_Source"]) == (DAY, schema.VULTR_LIST)
    assert row["x_OperatingSystem"] == "Linux"
    shape = shapes(found)["vc2-1c-1gb"]
    assert (shape["x_vCPUs"], shape["x_MemoryGiB"], shape["x_SharedCPU"]) == (1, 1, True)
    assert shape["x_LocalDiskGiB"] == 23.3  # 25 GB / 1.0737


def test_vultr_by_location_by_the_hour_and_preemptible(here: Site) -> None:
    here.vultr(
        [
            fake.vultr_plan(
                "vhp-2c-4gb-amd", 2, 4096, 29.20,
                location_cost={"fra": {"hourly_cost": 0.05, "monthly_cost": 36.50}},
            ),
            fake.vultr_plan(
                "voc-c-4c-8gb-75s-amd", 4, 8192, 67.2, hourly_cost=0.1, invoice_type="hourly",
                locations=["fra"], deploy_preemptible=True, hourly_cost_preemptible=0.03,
                monthly_cost_preemptible=20.16,
            ),
        ]
    )  # fmt: skip
    found = part("vultr")
    assert prices(found) == {
        ("ewr", "vhp-2c-4gb-amd"): Decimal("0.04"),
        ("fra", "vhp-2c-4gb-amd"): Decimal("0.05"),
        ("fra", "voc-c-4c-8gb-75s-amd"): Decimal("0.1"),
    }
    spot = [row for row in found.prices.to_pylist() if row["PricingCategory"] == "Dynamic"]
    assert [(row["x_InstanceType"], row["ListUnitPrice"]) for row in spot] == [
        ("voc-c-4c-8gb-75s-amd", Decimal("0.03"))
    ]


def test_vultr_pages_are_followed_and_gpus_have_a_price_only(here: Site) -> None:
    plans = [fake.vultr_plan(f"vc2-{n}c-{n}gb", n, n * 1024, n * 5.0) for n in range(1, 501)]
    here.vultr([*plans, fake.vultr_plan("vcg-a16-2c-8gb-2vram", 2, 8192, 43.8)])
    found = part("vultr")
    assert len(prices(found)) == 1002
    assert prices(found)["fra", "vcg-a16-2c-8gb-2vram"] == Decimal("0.06")
    assert "vcg-a16-2c-8gb-2vram" not in shapes(found)
    assert [call.query.get("cursor") for call in here.calls] == [None, "500"]
    assert {call.query["type"] for call in here.calls} == {"all"}


# -- Linode --------------------------------------------------------------------------------------


def linode(here: Site, *types: fake.Entry) -> None:
    here.linode("/v4/linode/types", types)
    here.linode(
        "/v4/regions",
        [
            fake.linode_region("eu-central"),
            fake.linode_region("br-gru", "Premium Plans"),
            fake.linode_region("us-den-edge-1", site_type="distributed"),
        ],
    )
    volume = {"id": "volume", "label": "Storage Volume", "transfer": 0}
    volume["price"] = {"hourly": 0.00015, "monthly": 0.1}
    volume["region_prices"] = [{"id": "br-gru", "hourly": 0.00021, "monthly": 0.14}]
    here.linode("/v4/volumes/types", [volume])
    transfer = {"id": "network_transfer", "price": {"hourly": 0.005, "monthly": None}}
    transfer["region_prices"] = [{"id": "br-gru", "hourly": 0.007, "monthly": None}]
    edge = {"id": "distributed_network_transfer", "price": {"hourly": 0.01, "monthly": None}}
    here.linode("/v4/network-transfer/prices", [edge, transfer])


def test_linode_by_region_and_what_is_charged_beside(here: Site) -> None:
    dear = [{"id": "br-gru", "hourly": 0.05, "monthly": 29.2}]
    linode(
        here,
        fake.linode_type("g6-standard-2", 2, 4096, 21.9, region_prices=dear),
        fake.linode_type("g7-premium-4", 4, 8192, 73.0, **{"class": "premium"}),
        fake.linode_type("g2-gpu-1", 4, 16384, None, gpus=1, **{"class": "gpu"}),
    )
    found = part("linode")
    assert prices(found) == {
        ("eu-central", "g6-standard-2"): Decimal("0.03"),
        ("br-gru", "g6-standard-2"): Decimal("0.04"),
        ("br-gru", "g7-premium-4"): Decimal("0.1"),
    }
    assert rates(found) == {
        ("block-storage", None, 0): Decimal("0.1"),
        ("block-storage", "br-gru", 0): Decimal("0.14"),
        ("egress-internet", None, 0): Decimal("0.005"),
        ("egress-internet", "br-gru", 0): Decimal("0.007"),
    }
    shape = shapes(found)["g6-standard-2"]
    assert (shape["x_vCPUs"], shape["x_MemoryGiB"], shape["x_LocalDiskGiB"]) == (2, 4, 80)
    assert (shape["x_NetworkGbps"], shape["x_SharedCPU"]) == (4, True)
    assert shapes(found)["g7-premium-4"]["x_SharedCPU"] is False


def test_linode_without_a_monthly_price_is_billed_every_hour(here: Site) -> None:
    linode(here, fake.linode_type("g6-nanode-1", 1, 1024, None))
    assert prices(part("linode"))["eu-central", "g6-nanode-1"] == Decimal("1.5")


# -- Exoscale ------------------------------------------------------------------------------------


def test_exoscale_in_the_currency_asked_for(here: Site) -> None:
    here.says(
        "/api/pricing/opencompute",
        {
            "chf": {"running_small": "0.02"},
            "eur": {
                "running_small": "0.02133",
                "running_cpu_extra_large": 0.23333,
                "running_gpu3_small": "1.5",
                "volume": "0.00014",
                "license_win": "0.01",
            },
        },
    )
    found = part("exoscale")
    assert prices(found)["ch-gva-2", "standard.small"] == Decimal("0.02133")
    assert prices(found)["at-vie-1", "cpu.extra-large"] == Decimal("0.23333")
    assert len(prices(found)) == 2 * 6  # zones
    assert found.shapes.num_rows == 0  # the list says nothing of them, and the snapshot knows them
    assert found.left_out == {"GPU machines, of which the list does not say where": 1}
    assert set(prices(part("exoscale", "CHF")).values()) == {Decimal("0.02")}
    assert "none in USD" in part("exoscale", "USD").failed


# -- STACKIT -------------------------------------------------------------------------------------


def test_stackit_hours_are_known_by_their_month(here: Site) -> None:
    metro = {"attributes": {"flavor": "g2i.1", "metro": "true"}}
    metro_only = {"attributes": {"flavor": "g2i.2", "metro": True}}
    here.says(
        "/v1/skus",
        {
            "lastUpdatedAt": "2026-11-19T08:00:00Z",
            "services": [
                fake.stackit_sku("g2i.1", "0.05", "36.5"),
                fake.stackit_sku("g2i.1", "0.06", "43.8", **metro),
                fake.stackit_sku("g2i.2", "0.12", "87.6", **metro_only),
                fake.stackit_sku("g2i.4", "0.2", "144"),  # a month of 720 hours
                fake.stackit_sku("g2i.8", "0.005", "219"),  # of a minute, so no hour's
                fake.stackit_sku("c2i.1", "30.00", "30.00"),  # of a month, so no hour's
                fake.stackit_sku("c2i.2", "0.05", "36.5", deprecated="Yes"),
                fake.stackit_sku("c2i.4", "0.05", "36.5", currency="USD"),
                fake.stackit_sku("n/a", "0.1", "73", product="Object Storage"),
            ],
        },
    )
    found = part("stackit")
    assert prices(found) == {
        ("eu01", "g2i.1"): Decimal("0.05"),
        ("eu01", "g2i.4"): Decimal("0.2"),
    }
    assert found.left_out == {"no price of an hour": 2, "not in EUR": 1}


# -- Scaleway ------------------------------------------------------------------------------------


def test_scaleway_by_region_the_cheapest_of_its_zones(here: Site) -> None:
    here.scaleway(
        "fr-par-1",
        {
            "NEW9-S": fake.scaleway_server(2, 2, 0.02, arch="arm64"),
            "NEW9-S-WIN": fake.scaleway_server(2, 2, 0.05),
            "START1-S": fake.scaleway_server(2, 2, 0.02, end_of_service=True),
            "H100-2-80G": fake.scaleway_server(
                48, 480, 5.0, gpu=2, gpu_info={"gpu_name": "H100-PCIe", "gpu_memory": 80 * 2**30}
            ),
        },
    )
    here.scaleway("fr-par-2", {"NEW9-S": fake.scaleway_server(2, 2, 0.018, arch="arm64")})
    here.scaleway("fr-par-3", {})
    found = {one.region: one for one in parts("scaleway")}
    paris = found.pop("fr-par")
    assert prices(paris) == {
        ("fr-par", "NEW9-S"): Decimal("0.018"),
        ("fr-par", "H100-2-80G"): Decimal("5"),
    }
    assert paris.left_out == {"no longer sold": 1}
    small, card = shapes(paris)["NEW9-S"], shapes(paris)["H100-2-80G"]
    assert (small["x_Architecture"], small["x_PhysicalCores"]) == ("arm64", 2)
    assert (small["x_MemoryGiB"], small["x_NetworkGbps"], small["x_Family"]) == (2, 0.4, "NEW9")
    assert (card["x_GPUModel"], card["x_GPUCount"], card["x_GPUMemoryGiB"]) == ("H100", 2, 80)
    # The other regions' zones are not there: each is told, and Paris is kept.
    assert all("the server answers 404" in one.failed for one in found.values())
    assert sorted(found) == ["it-mil", "nl-ams", "pl-waw"]


def test_scaleway_pages_are_followed(here: Site) -> None:
    here.scaleway(
        "it-mil-1", {f"T{n}-S": fake.scaleway_server(1, 1, 0.01 + n / 1e6) for n in range(150)}
    )
    found = next(one for one in parts("scaleway") if one.region == "it-mil")
    assert len(prices(found)) == 150


# -- OVHcloud ------------------------------------------------------------------------------------


def test_ovh_plain_hourly_plans_by_data_centre(here: Site) -> None:
    gpu = {"gpu": {"model": "Tesla V100S", "number": 2, "memory": {"size": 32}}}
    here.says(
        "/v1/order/catalog/public/cloud",
        fake.ovh_catalogue(
            [
                fake.ovh_addon("z9-8.consumption", 2, 8, 5_080_000,
                               regions=["GRA9", "GRA11", "DE1"]),
                fake.ovh_addon("z9-8.consumption.3AZ", 2, 8, 6_000_000, regions=["EU-WEST-PAR"]),
                fake.ovh_addon("z9-8.consumption.LZ.EU", 2, 8, 9_000_000),
                fake.ovh_addon("z9-16.consumption", 4, 16, 10_160_000),
                fake.ovh_addon("z9-16.monthly.postpaid", 4, 16, 3_650_000_000, regions=["BHS5"]),
                fake.ovh_addon("win-z9-8.consumption", 2, 8, 9_000_000, regions=["GRA9"]),
                fake.ovh_addon("b3-8.consumption", 2, 8, 5_070_000),
                fake.ovh_addon("z9-32.consumption", 8, 32, 20_320_000),
                fake.ovh_addon("zz-le-90.consumption", 30, 90, 88_000_000, regions=["GRA9"],
                               technical=gpu),
            ]
        ),
    )  # fmt: skip
    found = part("ovh")
    snapshots = {place: Decimal("0.0507") for place in ("de", "gra", "sbg", "waw")}
    assert prices(found) == {
        ("de", "z9-8"): Decimal("0.0508"),
        ("gra", "z9-8"): Decimal("0.0508"),
        ("bhs", "z9-16"): Decimal("0.1016"),
        ("gra", "zz-le-90"): Decimal("0.88"),
        **{(place, "b3-8"): price for place, price in snapshots.items()},
    }
    assert found.left_out == {"the list does not name its regions": 1}
    assert here.calls[0].query == {"ovhSubsidiary": "DE"}
    shape, card = shapes(found)["z9-8"], shapes(found)["zz-le-90"]
    assert (shape["x_vCPUs"], shape["x_MemoryGiB"], shape["x_Family"]) == (2, 8, "z9")
    assert (card["x_GPUModel"], card["x_GPUCount"], card["x_GPUMemoryGiB"]) == ("V100S", 2, 32)
    assert card["x_Family"] == "zz-le"


def test_ovh_in_another_currency_than_asked_for_is_no_price(here: Site) -> None:
    addons = [fake.ovh_addon("z9-8.consumption", 2, 8, 5_080_000, regions=["UK1"])]
    here.says("/v1/order/catalog/public/cloud", fake.ovh_catalogue(addons, "GBP"))
    assert "not a list of prices in EUR" in part("ovh").failed
    found = part("ovh", "GBP")
    assert prices(found) == {("uk", "z9-8"): Decimal("0.0508")}
    assert here.calls[-1].query == {"ovhSubsidiary": "GB"}


# -- Hetzner -------------------------------------------------------------------------------------


def test_hetzner_net_of_vat_with_volumes_and_traffic(here: Site, token: str) -> None:
    here.hetzner(
        [
            fake.hetzner_type(
                "cz11", 2, 4.0,
                fake.hetzner_price("fsn1", "0.0060000000", "3.6500000000"),
                fake.hetzner_price("sin", "0.0100000000", "6.5700000000",
                                   included_traffic=2**39),
            ),
            fake.hetzner_type(
                "caz11", 4, 8.0, fake.hetzner_price("fsn1", "0.0117", "7.3"), architecture="arm"
            ),
            fake.hetzner_type("old1", 1, 1.0, fake.hetzner_price("fsn1", "0.1", "1"),
                              deprecated=True),
        ],
        {"currency": "EUR", "vat_rate": "19.00",
         "volume": {"price_per_gb_month": {"net": "0.0440", "gross": "0.0524"}}},
    )  # fmt: skip
    found = part("hetzner")
    assert prices(found) == {
        ("fsn1", "cz11"): Decimal("0.005"),
        ("sin", "cz11"): Decimal("0.009"),
        ("fsn1", "caz11"): Decimal("0.01"),
    }
    per_gib = rounded(Decimal(1) / 1024)
    assert rates(found) == {
        ("block-storage", None, 0): Decimal("0.044"),
        ("egress-internet", "fsn1", 0): Decimal(0),
        ("egress-internet", "fsn1", 20480): per_gib,
        ("egress-internet", "sin", 0): Decimal(0),
        ("egress-internet", "sin", 512): per_gib,
    }
    assert found.left_out == {"no longer sold": 1}
    arm = shapes(found)["caz11"]
    assert (arm["x_Architecture"], arm["x_PhysicalCores"], arm["x_Family"]) == ("arm64", 4, "caz")
    assert {call.headers["authorization"] for call in here.calls} == {f"Bearer {token}"}


# -- DigitalOcean --------------------------------------------------------------------------------


def test_digitalocean_pages_and_cards(here: Site, token: str) -> None:
    card = {"count": 8, "model": "nvidia_h100", "vram": {"amount": 80, "unit": "gib"}}
    here.digitalocean(
        [
            *(fake.digitalocean_size(f"s-{n}vcpu", 1, 1024, 7.3) for n in range(201)),
            fake.digitalocean_size("gpu-h100x8-640gb", 160, 1966080, 16_060, price_hourly=23.92,
                                   regions=["nyc2"], gpu_info=card),
            fake.digitalocean_size("s-gone", 1, 1024, 5, available=False),
        ]
    )  # fmt: skip
    found = part("digitalocean")
    assert prices(found)["ams3", "s-200vcpu"] == Decimal("0.01")
    assert prices(found)["nyc2", "gpu-h100x8-640gb"] == Decimal(22)
    assert ("ams3", "s-gone") not in prices(found)
    shape = shapes(found)["gpu-h100x8-640gb"]
    assert (shape["x_GPUModel"], shape["x_GPUCount"], shape["x_GPUMemoryGiB"]) == ("H100", 8, 80)
    assert shape["x_SharedCPU"] is False
    # The link to the next page names the provider's own host; it is asked for here all the same.
    assert [call.query.get("page") for call in here.calls] == [None, "2"]
