"""The demo's bill agrees with its machines, prices and commitments, to the cent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from costopt import schema
from costopt.frame import focus, focus_terms
from costopt.model import Window
from costopt.pricing.catalogue import Catalogue
from costopt.providers.demo import DemoProvider, Label, Wart, tariff
from costopt.providers.demo.clock import is_holiday
from costopt.providers.demo.commitments import TERMS, held
from costopt.providers.demo.machines import Machine
from costopt.units import cents, provider_key

FLEET = DemoProvider()
OCTOBER = Window(datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))
HOUR = timedelta(hours=1)
ZERO = Decimal(0)
COSTS = ("ListCost", "ContractedCost", "EffectiveCost", "BilledCost")
NAMES = {"AWS": "AWS", "GCP": "Google Cloud", "Azure": "Microsoft", "OnPrem": "OnPrem"}


@cache
def charges() -> list[dict[str, Any]]:
    return pa.concat_tables(FLEET.charges(None)).to_pylist(maps_as_pydicts="strict")


def october(**wanted: object) -> list[dict[str, Any]]:
    rows = [r for r in charges() if r["BillingPeriodStart"] == OCTOBER.start]
    return [r for r in rows if all(r[name] == value for name, value in wanted.items())]


def total(rows: list[dict[str, Any]], cost: str) -> Decimal:
    return sum((r[cost] for r in rows), ZERO)


# -- the bill computed once more, hour by hour, from the inventory and the price list -------------


def running_as(machine: Machine, hour: datetime) -> str | None:
    """The machine's type in that hour; None = not running."""
    if hour < machine.launched_at or (machine.stopped_at and hour >= machine.stopped_at):
        return None
    if machine.role.wart is Wart.SCHEDULED:
        local = hour.astimezone(ZoneInfo(machine.role.clock))
        working = local.weekday() < 5 and not is_holiday(machine.role.clock, local.date())
        if not (working and 7 <= local.hour < 19):
            return None
    if machine.resized_at and hour < machine.resized_at:
        assert machine.role.was
        return machine.role.was
    return machine.role.instance_type


def hours(window: Window) -> Iterator[datetime]:
    moment = window.start
    while moment < window.end:
        yield moment
        moment += HOUR


@cache
def catalogue() -> Catalogue:
    return Catalogue.load(FLEET.prices(), FLEET.shapes())


@cache
def listed(provider: str, region: str, instance_type: str, category: str) -> Decimal:
    found = catalogue().price(provider, region, instance_type, pricing_category=category)
    assert found is not None
    return found.list_unit_price


@cache
def recomputed() -> dict[str, dict[str, Decimal]]:
    """October's machine hours by provider: the four costs, with and without commitments."""
    sums: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(lambda: ZERO))
    fleet = sorted(FLEET.machines, key=lambda m: m.resource_id)
    for hour in hours(OCTOBER):
        running = [(m, kind) for m in fleet if (kind := running_as(m, hour))]
        covered: dict[str, Decimal] = defaultdict(lambda: ZERO)  # share of the hour
        for commitment in held(FLEET.machines):
            terms, money = commitment.terms, commitment.hourly_cost
            for machine, kind in running:
                if (
                    money
                    and machine.site.provider == terms.provider
                    and machine.resource_id not in covered
                    and not machine.role.spot
                    and terms.region in ("", machine.site.region)
                    and kind.startswith(terms.types)
                ):
                    price = listed(terms.provider, machine.site.region, kind, "Standard")
                    rate = (price * (1 - Decimal(terms.discount))).quantize(Decimal("1e-6"))
                    paid = min(rate, money)
                    share = (paid / rate).quantize(Decimal("1e-6"), ROUND_FLOOR)
                    covered[machine.resource_id] = share
                    money -= paid
                    sums[terms.provider]["used"] += paid
            sums[terms.provider]["unused"] += money
            sums[terms.provider]["committed"] += commitment.hourly_cost
        for machine, kind in running:
            provider = machine.site.provider
            category = "Dynamic" if machine.role.spot else "Standard"
            price = listed(provider, machine.site.region, kind, category)
            sums[provider]["list"] += price
            on_demand = price * (1 - covered.get(machine.resource_id, ZERO))
            sums[provider]["on demand"] += on_demand * tariff.CONTRACT.get(provider, Decimal(1))
    return sums


@pytest.mark.parametrize("provider", ["AWS", "GCP", "Azure", "OnPrem"])
def test_machine_hours_add_up_to_the_cent(provider: str) -> None:
    expected = recomputed()[provider]
    rows = october(ProviderName=NAMES[provider], SkuMeter="Instance Hours")
    assert cents(total(rows, "ListCost")) == cents(expected["list"])
    assert cents(total(rows, "BilledCost")) == cents(expected["on demand"])
    assert cents(total(rows, "EffectiveCost")) == cents(expected["on demand"] + expected["used"])


@pytest.mark.parametrize("provider", ["AWS", "GCP", "Azure"])
def test_commitments_add_up_to_the_cent(provider: str) -> None:
    expected = recomputed()[provider]
    mine = [r for r in october(ProviderName=NAMES[provider]) if r["CommitmentDiscountId"]]
    used = [r for r in mine if r["CommitmentDiscountStatus"] == "Used"]
    unused = [r for r in mine if r["CommitmentDiscountStatus"] == "Unused"]
    bought = [r for r in mine if r["ChargeCategory"] == "Purchase"]
    assert cents(total(used, "EffectiveCost")) == cents(expected["used"])
    assert cents(total(unused, "EffectiveCost")) == cents(expected["unused"])
    assert cents(total(bought, "BilledCost")) == cents(expected["committed"])
    assert cents(total(used + unused, "EffectiveCost")) == cents(total(bought, "BilledCost"))


def test_disks_and_addresses_bill_all_month_also_while_the_machine_is_stopped() -> None:
    size = {m.disk_id: m.role.disk_gib for m in FLEET.machines}
    size |= {o.resource_id: o.loose.disk_gib for o in FLEET.leftovers if o.loose.disk_gib}
    region = {m.disk_id: m.site.region for m in FLEET.machines}
    region |= {o.resource_id: o.loose.site.region for o in FLEET.leftovers}
    by_id: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for row in october(SkuMeter="Volume Storage"):
        by_id[row["ResourceId"]] += row["EffectiveCost"]
    new = next(m for m in FLEET.machines if m.role.wart is Wart.NEW)
    for disk, gib in size.items():
        key = disk.lower() if disk.startswith("/subscriptions") else disk
        share = Decimal(15 + 24) / 744 if disk == new.disk_id else 1  # since 30 October, 09:00
        assert cents(by_id.pop(key)) == cents(gib * tariff.DISK[region[disk]] * share)
    assert not by_id
    for row in october(SkuMeter="Public IPv4 Address"):
        assert row["PricingQuantity"] == 24
        assert row["BilledCost"] == 24 * Decimal("0.005")


def test_the_month_is_the_sum_of_its_parts() -> None:
    """Usage, support, tax, credit and correction: each provider's total, recomputed."""
    for provider, name in NAMES.items():
        rows = october(ProviderName=name)
        plain = [
            r
            for r in rows
            if r["ChargeCategory"] in ("Usage", "Purchase")
            and r["ChargeClass"] is None
            and r["ServiceName"] != "AWS Support (Developer)"
        ]
        rest = [r for r in rows if r not in plain]
        expected = ZERO
        if provider == "AWS":
            fifth = [r for r in plain if r["ChargePeriodStart"].day == 5]
            credit = cents(total(fifth, "EffectiveCost") * Decimal("0.5"))
            expected = total(plain, "EffectiveCost") * Decimal("0.03") - credit
        if provider == "Azure":
            expected = total(plain, "EffectiveCost") * Decimal("0.21")
        if provider == "GCP":
            web = next(m for m in FLEET.machines if m.role.app == "booking-web")
            september = [
                r
                for r in charges()
                if r["ResourceId"] == web.resource_id
                and r["SkuMeter"] == "Data Transfer Out"
                and r["ChargePeriodStart"] == datetime(2026, 9, 12, tzinfo=UTC)
                and r["ChargeClass"] is None
            ]
            assert len(september) == 1
            expected = -september[0]["EffectiveCost"]
        assert cents(total(rest, "EffectiveCost")) == cents(expected), provider


# -- FOCUS ---------------------------------------------------------------------------------------


def test_charges_are_in_the_schema() -> None:
    for table in FLEET.charges(None):
        assert table.schema == schema.CHARGES
        assert table.equals(schema.conform(table, schema.CHARGES))


def test_the_focus_checker_finds_nothing_to_complain_of() -> None:
    assert [v.sentence for v in focus.check(pa.concat_tables(FLEET.charges(None)))] == []


def test_mandatory_columns_are_filled() -> None:
    nullable = {"ChargeClass", "PricingQuantity", "PricingUnit"}
    for row in charges():
        for name in focus_terms.MANDATORY:
            assert row[name] is not None or name in nullable, (name, row)


def test_costs_obey_focus() -> None:
    for row in charges():
        quantity = row["PricingQuantity"]
        if row["ListUnitPrice"] is not None and quantity is not None:
            assert abs(row["ListUnitPrice"] * quantity - row["ListCost"]) < Decimal("1e-9")
            contracted = row["ContractedUnitPrice"] * quantity
            assert abs(contracted - row["ContractedCost"]) < Decimal("1e-9")
        kind = (row["ChargeCategory"], row["CommitmentDiscountStatus"])
        if kind == ("Usage", "Used"):
            assert row["BilledCost"] == 0 < row["EffectiveCost"] < row["ContractedCost"]
            assert row["PricingCategory"] == "Committed"
        elif kind == ("Usage", "Unused"):
            assert row["BilledCost"] == 0 < row["EffectiveCost"]
            assert row["ConsumedQuantity"] is None
            assert row["ResourceId"] == row["CommitmentDiscountId"]
        elif kind[0] == "Purchase":
            assert row["EffectiveCost"] == 0 < row["BilledCost"]
            assert row["PricingCategory"] == "Standard"
        elif kind[0] == "Usage" and row["ServiceName"] != "AWS Support (Developer)":
            assert row["BilledCost"] == row["EffectiveCost"] == row["ContractedCost"]
            assert abs(row["ContractedCost"]) <= abs(row["ListCost"])


def test_every_kind_of_charge_occurs() -> None:
    kinds = {(r["ChargeCategory"], r["ChargeClass"]) for r in october()}
    assert kinds == {
        ("Usage", None),
        ("Usage", "Correction"),
        ("Purchase", None),
        ("Tax", None),
        ("Credit", None),
    }
    assert {r["PricingCategory"] for r in october()} >= {"Standard", "Dynamic", "Committed"}
    assert {r["CommitmentDiscountName"] for r in october()} == {*(t.key for t in TERMS), None}
    assert {r["CommitmentDiscountStatus"] for r in october()} == {"Used", "Unused", None}


def test_the_resize_strands_the_reservation() -> None:
    rows = [
        r for r in october(CommitmentDiscountName="ri-catalog") if r["ChargeCategory"] == "Usage"
    ]
    machine = next(m for m in FLEET.machines if m.resized_at)
    resized = machine.resized_at.date()
    for row in rows:
        day = row["ChargePeriodStart"].date()
        assert day <= resized if row["CommitmentDiscountStatus"] == "Used" else day >= resized
    on_the_day = [r for r in rows if r["ChargePeriodStart"].date() == resized]
    assert {r["CommitmentDiscountStatus"]: r["PricingQuantity"] for r in on_the_day} == {
        "Used": 13,
        "Unused": 11,
    }


def test_bill_and_inventory_join_although_they_spell_things_otherwise() -> None:
    known = {
        (provider_key(r["ProviderName"]), r["ResourceId"].casefold())
        for r in FLEET.resources().to_pylist()
    }
    billed = {
        (provider_key(r["ProviderName"]), r["ResourceId"].casefold())
        for r in charges()
        if r["ResourceId"]
    }
    assert billed == known
    azure = {r["ResourceId"] for r in charges() if r["ProviderName"] == "Microsoft"} - {None}
    assert azure == {name.lower() for name in azure}


def test_the_own_data_centre_bills_disks_on_the_machine() -> None:
    rows = october(ProviderName="OnPrem")
    assert {r["ServiceCategory"] for r in rows} == {"Compute", "Storage"}
    ids = {m.resource_id for m in FLEET.machines if m.site.provider == "OnPrem"}
    assert {r["ResourceId"] for r in rows} == ids


def test_a_stopped_machine_costs_its_disk_only() -> None:
    machine = next(m for m in FLEET.machines if m.role.label is Label.STOPPED)
    last = [r for r in october() if r["ChargePeriodStart"].day == 31]
    ids = {r["ResourceId"] for r in last}
    assert machine.resource_id.lower() not in ids
    assert machine.disk_id.lower() in ids


def test_the_fleet_costs_what_such_a_company_spends() -> None:
    effective = total(october(), "EffectiveCost")
    assert 60_000 < effective < 150_000
    gpu = {m.resource_id.casefold() for m in FLEET.machines if m.role.gpu_watts}
    share = total([r for r in october() if (r["ResourceId"] or "").casefold() in gpu], "ListCost")
    assert share < Decimal("0.6") * effective


# -- periods and pieces ----------------------------------------------------------------------------


def test_whole_billing_periods_that_touch_the_window() -> None:
    one_day = Window(datetime(2026, 10, 7, tzinfo=UTC), datetime(2026, 10, 8, tzinfo=UTC))
    found = pa.concat_tables(FLEET.charges(one_day)).to_pylist(maps_as_pydicts="strict")
    assert found == october()
    after = Window(FLEET.window.end, FLEET.window.end + timedelta(days=40))
    assert list(FLEET.charges(after)) == []


def test_the_bill_begins_with_the_first_month_and_ends_with_the_data() -> None:
    usage = [r for r in charges() if r["ChargeCategory"] == "Usage"]
    assert min(r["ChargePeriodStart"] for r in usage) == datetime(2026, 9, 1, tzinfo=UTC)
    assert max(r["ChargePeriodEnd"] for r in usage) == FLEET.window.end


def test_the_bill_is_the_same_every_time() -> None:
    first, second = (pa.concat_tables(DemoProvider(30, 10).charges(None)) for _ in range(2))
    assert first.equals(second)
