"""What a collect and an update bring of prices, over REST from a catalogue on loopback."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from costopt import schema
from costopt.providers.base import Problem
from costopt.providers.gcp import prices
from costopt.providers.gcp.prices import refresh
from costopt.providers.held import Held
from costopt.providers.listed import ALL, Part
from tests.fakes.gcp_catalogue import NAME, Catalogue
from tests.fakes.gcp_cloud import Cloud
from tests.fakes.gcp_rest import error
from tests.providers.gcp.conftest import Opened

BELGIUM, IOWA = "europe-west1", "us-central1"
NONE = schema.empty(schema.PRICES)
NOTHING = Held("GCP", NONE, schema.empty(schema.SHAPES))
# 4 x 0.034773 + 16 x 0.004661
N2_STANDARD_4 = Decimal("0.213668")


@pytest.fixture
def catalogue(gcp: Cloud) -> Catalogue:
    made = gcp.catalogue
    for place, region in (("Belgium", BELGIUM), ("Iowa", IOWA)):
        made.add(f"N2 Instance Core running in {place}", "0.034773", region)
        made.add(f"N2 Instance Ram running in {place}", "0.004661", region)
        made.add(f"N2 Custom Instance Core running in {place}", "0.035", region)
        made.add(f"N2 Custom Instance Ram running in {place}", "0.005", region)
        made.add(f"E2 Instance Core running in {place}", "0.02", region)
        made.add(f"E2 Instance Ram running in {place}", "0.003", region)
    return made


def machine(name: str, kind: str | None, **more: Any) -> dict[str, Any]:
    return {
        "ProviderName": "GCP",
        "ResourceId": f"//compute.googleapis.com/projects/p/zones/z/instances/{name}",
        "RegionId": BELGIUM,
        "x_InstanceType": kind,
        **more,
    }


def in_use(
    opened: Opened, *rows: dict[str, Any], held: Held = NOTHING
) -> tuple[dict[tuple[str, str, str | None], Decimal], list[Problem]]:
    problems: list[Problem] = []
    resources = pa.Table.from_pylist(list(rows), schema=schema.RESOURCES)
    found = prices.in_use(opened(max_attempts=3), resources, held, problems)
    assert found.schema == schema.PRICES
    return {
        (row["RegionId"], row["x_InstanceType"], row["x_Term"]): row["ListUnitPrice"]
        for row in found.to_pylist()
    }, problems


def test_prices_are_of_the_series_in_use_where_they_are_used(
    catalogue: Catalogue, opened: Opened
) -> None:
    found, problems = in_use(
        opened,
        machine("web", "n2-standard-4"),
        machine("shop", "n2-custom-2-4096"),
        machine("job", "e2-medium", RegionId=IOWA),
        machine("gone", "e2-medium", x_State="terminated"),
        machine("disk", None),
        machine("nowhere", "e2-medium", RegionId=None),
    )
    assert found[BELGIUM, "n2-standard-4", None] == N2_STANDARD_4
    assert found[BELGIUM, "n2-highmem-8", None] == Decimal("0.576488")  # 0.278184 + 0.298304
    assert found[BELGIUM, "n2-custom-2-4096", None] == Decimal("0.09")
    assert found[IOWA, "e2-medium", None] == Decimal("0.032")
    assert {(region, kind.split("-")[0]) for region, kind, _ in found} == {
        (BELGIUM, "n2"),
        (IOWA, "e2"),
    }
    assert problems == []


def test_nothing_is_asked_without_machines(gcp: Cloud, opened: Opened) -> None:
    found, problems = in_use(opened, machine("disk", None))
    assert (found, problems, gcp.rest.calls) == ({}, [], [])


def test_the_list_is_read_to_its_last_page_in_dollars(
    gcp: Cloud, catalogue: Catalogue, opened: Opened
) -> None:
    catalogue.page = 5
    found, _ = in_use(opened, machine("job", "e2-medium", RegionId=IOWA))  # the last of twelve
    assert found[IOWA, "e2-medium", None] == Decimal("0.032")
    assert gcp.rest.counted() == {NAME: 3}
    assert {call.query["currencyCode"] for call in gcp.rest.calls} == {"USD"}
    assert {call.query["pageSize"] for call in gcp.rest.calls} == {"5000"}


def test_a_page_that_has_expired_and_one_that_is_throttled(
    gcp: Cloud, catalogue: Catalogue, opened: Opened, waits: list[float]
) -> None:
    catalogue.page = 5
    gcp.expire(NAME)
    gcp.fail(NAME, error(429, "Quota exceeded", "rateLimitExceeded", headers={"Retry-After": "7"}))
    found, problems = in_use(opened, machine("web", "n2-standard-4"))
    assert found[BELGIUM, "n2-standard-4", None] == N2_STANDARD_4
    assert waits == [7]
    assert problems == []


def test_a_list_that_does_not_come_is_fatal_where_a_machine_has_no_price_without_it(
    gcp: Cloud, catalogue: Catalogue, opened: Opened
) -> None:
    gcp.fail(NAME, error(403, "Cloud Billing API has not been used in project 1"), times=2)
    found, (problem,) = in_use(opened, machine("web", "n2-standard-4"))
    assert found == {}
    assert (problem.where, problem.fatal) == (NAME, False)  # the built-in catalogue has it
    assert "Cloud Billing API has not been used" in problem.what
    _, (problem,) = in_use(opened, machine("shop", "n2-custom-2-4096"))
    assert problem.fatal


def test_half_a_list_is_none(gcp: Cloud, catalogue: Catalogue, opened: Opened) -> None:
    catalogue.page = 5
    gcp.rest.rules.append(
        lambda call: error(500, "backend error") if "pageToken" in call.query else None
    )
    found, (problem,) = in_use(opened, machine("web", "n2-standard-4"))
    assert found == {}
    assert problem.where == NAME


def test_what_is_not_understood_is_told(catalogue: Catalogue, opened: Opened) -> None:
    catalogue.add("Tensor Widget running in Belgium", "1", BELGIUM)
    catalogue.add("N2 Sole Tenancy Instance Core running in Belgium", "9", BELGIUM)
    found, (problem,) = in_use(opened, machine("web", "n2-standard-4"))
    assert found[BELGIUM, "n2-standard-4", None] == N2_STANDARD_4
    assert problem.what == "SKUs that are not understood, and left out: Tensor Widget"
    assert not problem.fatal


def with_cards(name: str, card: str, **more: Any) -> dict[str, Any]:
    return machine(name, "n1-standard-8", x_Attributes={"attached_gpu": card}, **more)


def test_cards_that_are_attached_have_prices_of_their_own(
    catalogue: Catalogue, opened: Opened
) -> None:
    """However they are sold, where machines have them; the type's price is without them."""
    t4 = "Nvidia Tesla T4 GPU"
    catalogue.add(f"{t4} running in EMEA", "0.35", BELGIUM, "europe-west4")
    catalogue.add(f"{t4} attached to Spot Preemptible VMs running in EMEA", "0.11", BELGIUM)
    catalogue.add(f"Commitment v1: {t4} running in EMEA for 1 Year", "0.22", BELGIUM)
    catalogue.add(f"Commitment v1: {t4} running in EMEA for 3 Years", "0.16", BELGIUM)
    catalogue.add("Nvidia Tesla V100 GPU running in EMEA", "2.55", BELGIUM)
    catalogue.add("N1 Predefined Instance Core running in Belgium", "0.034773", BELGIUM)
    catalogue.add("N1 Predefined Instance Ram running in Belgium", "0.004661", BELGIUM)
    resources = [with_cards("train", "nvidia-tesla-t4"), machine("job", "e2-medium", RegionId=IOWA)]
    problems: list[Problem] = []
    table = pa.Table.from_pylist(resources, schema=schema.RESOURCES)
    found = prices.in_use(opened(), table, NOTHING, problems).to_pylist()
    assert problems == []
    cards = [
        (row["RegionId"], row["PricingCategory"], row["x_Term"], row["ListUnitPrice"])
        for row in found
        if row["x_InstanceType"].startswith("nvidia")
    ]
    assert cards == [
        (BELGIUM, "Committed", "1yr no-upfront", Decimal("0.22")),
        (BELGIUM, "Committed", "3yr no-upfront", Decimal("0.16")),
        (BELGIUM, "Dynamic", None, Decimal("0.11")),
        (BELGIUM, "Standard", None, Decimal("0.35")),
    ]
    bare = [row["ListUnitPrice"] for row in found if row["x_InstanceType"] == "n1-standard-8"]
    assert bare == [Decimal("0.418014")]  # 8 x 0.034773 + 30 x 0.004661


def test_cards_that_are_not_sold_as_the_machine_is_bought_are_told(
    catalogue: Catalogue, opened: Opened
) -> None:
    catalogue.add("Nvidia Tesla T4 GPU running in EMEA", "0.35", BELGIUM)
    _, (problem,) = in_use(
        opened,
        with_cards("train", "nvidia-tesla-t4"),
        with_cards("job", "nvidia-tesla-t4", x_PricingCategory="Dynamic"),
        with_cards("old", "nvidia-tesla-k80"),
    )
    assert problem.what == (
        "2 machines with GPUs attached that the list has no price of: nvidia-tesla-k80 in "
        "europe-west1, nvidia-tesla-t4 in europe-west1; what these machines cost, only the bill "
        "says"
    )
    assert not problem.fatal


def test_without_the_list_attached_cards_have_no_price(
    gcp: Cloud, catalogue: Catalogue, opened: Opened
) -> None:
    gcp.fail(NAME, error(403, "not enabled"), times=2)
    _, (problem,) = in_use(opened, machine("web", "n1-standard-8"))
    assert not problem.fatal  # the built-in catalogue has it
    _, (problem,) = in_use(opened, with_cards("train", "nvidia-tesla-t4"))
    assert problem.fatal


def own_price(**more: Any) -> pa.Table:
    row = {
        "ProviderName": "GCP",
        "x_InstanceType": "n2-standard-4",
        "PricingCategory": "Standard",
        "ListUnitPrice": Decimal("0.15"),
        "PricingCurrency": "USD",
    }
    return pa.Table.from_pylist([row | more], schema=schema.PRICES)


def test_the_user_s_own_price_stays(catalogue: Catalogue, opened: Opened) -> None:
    held = Held("GCP", own_price(), schema.empty(schema.SHAPES))
    found, _ = in_use(opened, machine("web", "n2-standard-4"), held=held)
    assert (BELGIUM, "n2-standard-4", None) not in found
    assert (BELGIUM, "n2-standard-8", None) in found


def test_what_the_lake_holds_is_not_given_again(catalogue: Catalogue, opened: Opened) -> None:
    problems: list[Problem] = []
    resources = pa.Table.from_pylist([machine("web", "n2-standard-4")], schema=schema.RESOURCES)
    first = prices.in_use(opened(), resources, NOTHING, problems)
    held = Held("GCP", first, schema.empty(schema.SHAPES))
    assert prices.in_use(opened(), resources, held, problems).num_rows == 0
    # a new price of vCPUs changes all that have any
    catalogue.skus[0]["pricingInfo"][0]["pricingExpression"]["tieredRates"][0]["unitPrice"] = {
        "currencyCode": "USD",
        "units": "0",
        "nanos": 40_000_000,
    }
    assert prices.in_use(opened(), resources, held, problems).num_rows == first.num_rows > 1


def test_what_cannot_be_is_told_and_not_taken(catalogue: Catalogue, opened: Opened) -> None:
    catalogue.add("N4 Instance Core running in Belgium", "30", BELGIUM)
    catalogue.add("N4 Instance Ram running in Belgium", "4", BELGIUM)
    rows = [machine("web", "n2-standard-4"), machine("big", "n4-standard-4")]
    problems: list[Problem] = []
    resources = pa.Table.from_pylist(rows, schema=schema.RESOURCES)
    found = prices.in_use(opened(), resources, NOTHING, problems)
    assert {one.split("-")[0] for one in found.column("x_InstanceType").to_pylist()} == {"n2"}
    (problem,) = problems
    assert problem.where == NAME
    assert "that cannot be, not taken; the first: n4-" in problem.what
    assert problem.count > 10
    assert not problem.fatal


# -- costopt prices update gcp -------------------------------------------------------------------


def updated(opened: Opened, *regions: str, held: Held = NOTHING) -> list[Part]:
    return list(refresh.updated(opened(max_attempts=2), regions, held, lambda *_: None))


def test_an_update_brings_every_type_known(catalogue: Catalogue, opened: Opened) -> None:
    catalogue.add("DWS Defined Duration N2 Core running in Belgium", "9", BELGIUM)
    catalogue.add("Nvidia Tesla T4 GPU running in EMEA", "0.35", BELGIUM)
    (part,) = updated(opened, BELGIUM)
    kinds = {row["x_InstanceType"].split("-")[0] for row in part.prices.to_pylist()}
    assert kinds == {"n2", "e2", "nvidia"}
    assert (part.region, part.source) == (BELGIUM, "Google Cloud Billing catalogue")
    assert part.published == "2026-08-03"
    assert dict(part.left_out) == {"of reserved capacity": 1}
    assert (part.failed, part.refused, part.unchanged, part.own) == ("", (), 0, 0)
    assert [one.region for one in updated(opened, ALL)] == [BELGIUM, IOWA]


def test_a_price_out_of_all_proportion_is_refused(catalogue: Catalogue, opened: Opened) -> None:
    catalogue.add("N4 Instance Core running in Belgium", "30", BELGIUM)
    catalogue.add("N4 Instance Ram running in Belgium", "4", BELGIUM)
    (part,) = updated(opened, BELGIUM)
    kinds = {row["x_InstanceType"].split("-")[0] for row in part.prices.to_pylist()}
    assert "n4" not in kinds
    assert {refusal.price.instance_type.split("-")[0] for refusal in part.refused} == {"n4"}


def test_a_region_that_the_list_lacks_is_told(catalogue: Catalogue, opened: Opened) -> None:
    there, lacking = sorted(
        updated(opened, "europe-west9", BELGIUM), key=lambda part: bool(part.failed)
    )
    assert there.prices.num_rows
    assert lacking.failed == "no such region in the list; did you mean europe-west1?"


def test_an_update_that_is_refused_says_why_for_each_region(
    gcp: Cloud, catalogue: Catalogue, opened: Opened
) -> None:
    gcp.fail(NAME, error(403, "not enabled"))
    parts = updated(opened, BELGIUM, IOWA)
    assert [part.region for part in parts] == [BELGIUM, IOWA]
    assert all(part.failed.startswith(f"{NAME}: ") for part in parts)
    assert not any(part.prices.num_rows for part in parts)
