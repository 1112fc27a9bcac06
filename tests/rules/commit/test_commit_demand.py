"""What is left to be covered, hour by hour."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from costopt.pricing.catalogue import Catalogue
from costopt.pricing.commitments import apply
from costopt.rules.commit.demand import Grid, Left, left, paid_shares, unit_cost
from costopt.rules.commit.kinds import Names, known
from costopt.rules.commit.settings import CommitSettings
from tests.rules.commit.bills import bill, held, machine, usage


def left_of(one: object, *resources: object) -> Left:
    inventory = known(resources)  # type: ignore[arg-type]
    names = Names.of(one, inventory, Catalogue.load())  # type: ignore[arg-type]
    return left(one, apply(one.usages, one.held), names, CommitSettings())  # type: ignore[attr-defined,arg-type]


def test_the_least_even_day() -> None:
    """6 of 24 hours are the first six; more machines without a name run all day as one level."""
    one = bill([usage("i-1", [6.0, 24.0]), usage(None, [24.0, 48.0])], hours=24.0)
    grid = Grid.of(one)
    first = grid.hourly(one.usages[0].quantity, one.usages[0])
    assert first.tolist() == [1.0] * 6 + [0.0] * 18 + [1.0] * 24
    many = grid.hourly(one.usages[1].quantity, one.usages[1])
    assert many.tolist() == [2.0] * 12 + [0.0] * 12 + [2.0] * 24


def test_parts_of_a_machine_stand_for_all_of_it() -> None:
    """vCPU-hours: of one that never runs all day it is not known how large it is."""
    one = bill([usage("i-1", [48.0, 96.0], unit="vCPU-Hours")], hours=24.0)
    found = Grid.of(one).hourly(one.usages[0].quantity, one.usages[0])
    assert found.tolist() == [4.0] * 12 + [0.0] * 12 + [4.0] * 24


def test_days_without_a_bill_are_missing_not_zero() -> None:
    one = bill([usage("i-1", [24.0, 24.0], rate=0.5)], hours=24.0)
    one = replace(one, starts=one.starts + np.array([0, 86_400]))
    found = left_of(one, machine("i-1"))
    assert found.hours == 72
    assert found.amounts[:, 0].tolist()[:24] == [0.5] * 24
    assert np.isnan(found.amounts[24:48]).all()
    assert found.hourly().tolist() == [0.5]


def test_kinds_are_by_type_region_and_system() -> None:
    one = bill(
        [usage("i-1", [1.0, 1.0]), usage("i-2", [2.0, 0.0]), usage("i-3", [1.0, 1.0], sku="x")]
    )
    found = left_of(
        one, machine("i-1"), machine("i-2"), machine("i-3", "r6i.large", operating_system="Windows")
    )
    kinds = [(kind.family, kind.instance_type, kind.system) for kind in found.kinds]
    assert kinds == [("m5", "m5.large", "linux"), ("r6i", "r6i.large", "windows")]
    assert found.amounts[:, 0].tolist() == pytest.approx([3 * 0.096, 0.096])


def test_the_meter_of_a_size_that_is_no_more_is_of_that_size() -> None:
    """i-1 was large and is small: its old meter is of the type of those that still are large."""
    usages = [
        usage("i-1", [1.0, 0.0], sku="large"), usage("i-1", [0.0, 1.0], sku="small"),
        usage("i-2", [1.0, 1.0], sku="large"),
    ]  # fmt: skip
    inventory = known([machine("i-1", "m5.large"), machine("i-2", "m5.4xlarge")])
    names = Names.of(bill(usages), inventory, Catalogue.load())
    types = [names.kind(each).instance_type for each in usages]
    assert types == ["m5.4xlarge", "m5.large", "m5.4xlarge"]


def test_googles_machines_in_parts_are_no_machines() -> None:
    fields = {"provider": "gcp", "region": "us-central1"}
    usages = [
        usage("vm", [8.0], unit="hour", sku="core", **fields),
        usage("vm", [32.0], unit="gibibyte hour", sku="ram", **fields),
        usage("whole", [1.0], unit="Hours", sku="n2", **fields),
    ]
    inventory = known([machine("vm", "n2-standard-8"), machine("whole", "n2-standard-8")])
    names = Names.of(bill(usages, provider="gcp"), inventory, Catalogue.load())
    kinds = [names.kind(each) for each in usages]
    assert [kind.by_machine for kind in kinds] == [False, False, True]
    assert {kind.family for kind in kinds} == {"n2"}


def test_what_a_unit_costs_is_read_where_all_of_it_shows() -> None:
    whole = held("ri", [2.0, 2.0], cost=0.5, by_spend=False, order=0)
    short = replace(whole, amount=np.array([1.0, 2.0]))  # of the first day the rest is not told
    assert unit_cost(short) == 0.5
    assert unit_cost(held("plan", [2.0], cost=0.9)) == 1.0


def test_shares_are_of_what_was_seen() -> None:
    ri = held("ri", [1.0, 1.0], cost=0.06, by_spend=False, order=0)
    usages = [
        usage("i-1", [1.0, 1.0], uses={"ri": 1.0}, rate=0.1),
        usage("i-2", [1.0, 1.0], uses={"ri": 1.0}, assumed=["ri"], region="elsewhere"),
    ]
    one = bill(usages, [ri])
    names = Names.of(one, known([machine("i-1"), machine("i-2")]), Catalogue.load())
    (shares,) = paid_shares(one, names).values()
    assert {kind.region: share for kind, share in shares.items()} == {"us-east-1": 0.6}
