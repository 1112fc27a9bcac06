"""Lists against what the lake holds: nothing asked twice, nothing of one's own replaced."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

from costopt import schema
from costopt.model import RateKind
from costopt.pricing.rates import Rates
from costopt.providers.listed import Memory, Part
from tests.fakes.simple_lists import (
    Entry,
    Site,
    hetzner_price,
    hetzner_type,
    scaleway_server,
    vultr_plan,
)
from tests.providers.lists.asking import NOW, part, parts, prices, rates, table

PLANS = [vultr_plan(f"vc2-{n}c-{n}gb", n, n * 1024, n * 7.3) for n in (1, 2, 4, 8, 16)]


def memory_of(*some: Part) -> Memory:
    memory = Memory()
    for one in some:
        if one.stamp:
            memory.keep(*one.stamp)
    return memory


def test_a_list_is_read_once_a_day(here: Site) -> None:
    here.vultr(PLANS)
    first = part("vultr")
    memory = memory_of(first)
    again = part("vultr", prices=first.prices, memory=memory)
    assert again.current == "its list was read today already"
    assert len(here.calls) == 1
    tomorrow = part("vultr", prices=first.prices, memory=memory, now=NOW + timedelta(days=1))
    assert (tomorrow.prices.num_rows, tomorrow.unchanged) == (0, 10)
    assert len(here.calls) == 2


def test_a_list_is_read_again_where_the_lake_lost_its_prices(here: Site) -> None:
    here.vultr(PLANS)
    memory = memory_of(part("vultr"))
    assert part("vultr", memory=memory).prices.num_rows == 10


def test_an_unchanged_price_keeps_its_day_for_a_month(here: Site) -> None:
    here.vultr(PLANS)
    first = part("vultr")
    later = part("vultr", prices=first.prices, now=NOW + timedelta(days=29))
    assert (later.prices.num_rows, later.unchanged) == (0, 10)
    renewed = part("vultr", prices=first.prices, now=NOW + timedelta(days=30))
    assert renewed.prices.num_rows == 10


def test_only_what_changed_is_new(here: Site) -> None:
    here.vultr(PLANS)
    first = part("vultr")
    here.vultr([PLANS[0] | {"monthly_cost": 5.84, "hourly_cost": 0.009}, *PLANS[1:]])
    found = part("vultr", prices=first.prices, shapes=first.shapes, now=NOW + timedelta(days=1))
    assert prices(found) == {
        ("ewr", "vc2-1c-1gb"): Decimal("0.008"),
        ("fra", "vc2-1c-1gb"): Decimal("0.008"),
    }
    assert (found.unchanged, found.shapes.num_rows) == (8, 0)


def test_a_price_of_ones_own_is_not_replaced(here: Site) -> None:
    own = {
        "ProviderName": "vultr", "RegionId": "fra", "x_InstanceType": "vc2-1c-1gb",
        "PricingCategory": "Standard", "ListUnitPrice": Decimal("0.007"),
        "PricingCurrency": "USD", "x_Source": "contract 7",
    }  # fmt: skip
    here.vultr(PLANS)
    found = part("vultr", prices=table([own], schema.PRICES))
    assert ("fra", "vc2-1c-1gb") not in prices(found)
    assert prices(found)["ewr", "vc2-1c-1gb"] == Decimal("0.01")
    assert found.own == 1


def test_a_slip_of_the_list_is_refused_and_told(here: Site) -> None:
    """The gate compares with the family in the region."""
    slip = PLANS[2] | {"monthly_cost": 2920, "hourly_cost": 4.3}  # a hundred times
    here.vultr([*PLANS[:2], slip, *PLANS[3:]])
    found = part("vultr")
    assert {one.price.instance_type for one in found.refused} == {"vc2-4c-4gb"}
    assert {one.reason for one in found.refused} == {"out-of-family"}
    assert all(name != "vc2-4c-4gb" for _, name in prices(found))
    assert found.prices.num_rows == 8


def test_the_order_of_a_list_does_not_show(here: Site) -> None:
    twice = [*PLANS, PLANS[0] | {"monthly_cost": 6.57, "hourly_cost": 0.01}]
    here.vultr(twice)
    first = part("vultr")
    here.vultr(twice[::-1])
    second = part("vultr")
    assert first.prices == second.prices
    assert first.shapes == second.shapes
    assert prices(first)["ewr", "vc2-1c-1gb"] == Decimal("0.009")  # the cheaper of the two


def test_a_part_that_fails_leaves_the_others(here: Site) -> None:
    for zone in ("fr-par-1", "fr-par-2", "fr-par-3", "it-mil-1"):
        here.scaleway(zone, {"NEW9-S": scaleway_server(2, 2, 0.02)})
    found = {one.region: one for one in parts("scaleway")}
    assert [name for name, one in found.items() if not one.failed] == ["fr-par", "it-mil"]
    memory = memory_of(*found.values())
    held = pa.concat_tables([one.prices for one in found.values()])
    here.calls.clear()
    parts("scaleway", prices=held, memory=memory)
    assert {call.path.split("/")[4] for call in here.calls} == {"nl-ams-1", "pl-waw-1"}


# -- rates ---------------------------------------------------------------------------------------


def hetzner(here: Site, volume: str = "0.0440", tebibytes: int = 20) -> None:
    price = hetzner_price("fsn1", "0.006", "3.65", included_traffic=tebibytes * 2**40)
    here.hetzner(
        [hetzner_type("cz11", 2, 4.0, price)],
        {"currency": "EUR", "volume": {"price_per_gb_month": {"net": volume, "gross": "1"}}},
    )


def row(kind: str, amount: str, **other: Any) -> Entry:
    return {
        "ProviderName": "Hetzner",
        "x_RateKind": kind,
        "ListUnitPrice": Decimal(amount),
        "PricingCurrency": "EUR",
    } | other


def test_rates_of_ones_own_are_not_mixed_with_the_lists(here: Site, token: str) -> None:
    hetzner(here)
    own = table([row("egress-internet", "0.0005", RegionId="FSN1")], schema.RATES)
    found = part("hetzner", rates=own)
    assert [kind for kind, _, _ in rates(found)] == ["block-storage"]
    assert found.own == 2
    # And one that comes into the lake after the list's stands above it, wherever it holds.
    listed = part("hetzner").rates
    everywhere = table([row("egress-internet", "0.0005")], schema.RATES)
    known = Rates(pa.concat_tables([listed, everywhere]))
    (tier,) = known.find("Hetzner", RateKind.EGRESS_INTERNET, "fsn1")
    assert tier.list_unit_price == Decimal("0.0005")


def test_unchanged_rates_keep_their_day_for_a_month(here: Site, token: str) -> None:
    hetzner(here)
    first = part("hetzner")
    assert first.rates.num_rows == 3
    later = part("hetzner", rates=first.rates, now=NOW + timedelta(days=29))
    assert later.rates.num_rows == 0
    assert part("hetzner", rates=first.rates, now=NOW + timedelta(days=30)).rates.num_rows == 3


def test_a_smaller_allowance_moves_the_tiers(here: Site, token: str) -> None:
    hetzner(here)
    first = part("hetzner")
    hetzner(here, tebibytes=10)
    second = part("hetzner", rates=first.rates)
    assert [bound for kind, _, bound in rates(second) if kind != "block-storage"] == [10240]
    hetzner(here, tebibytes=30)
    third = part("hetzner", rates=first.rates)
    bounds = {key[2]: value for key, value in rates(third).items() if key[0] != "block-storage"}
    # What lay above 20 TB until now is included, too: the lake's old tier must not stay.
    assert bounds == {20480: Decimal(0), 30720: Decimal("0.0009765625")}


def test_a_slip_of_a_rate_is_refused(here: Site, token: str) -> None:
    hetzner(here, volume="4.4")
    found = part("hetzner")
    assert [one.reason for one in found.refused_rates] == ["implausible"]
    assert {kind for kind, _, _ in rates(found)} == {"egress-internet"}
    assert found.prices.num_rows == 1
