"""Which reservations cover other sizes: by provider, system and family."""

from __future__ import annotations

import numpy as np
import pytest

from costopt.rules.commit import Commitments
from costopt.rules.commit.kinds import Kind
from tests.rules.commit.bills import (
    REGION,
    WEEK,
    advise,
    bill,
    bought,
    held,
    machine,
    prices,
    usage,
)

ALWAYS = np.ones(8 * WEEK)


def kind(family: str, system: str = "linux") -> Kind:
    return Kind(REGION, family, f"{family}.xlarge", system, by_machine=True)


@pytest.mark.parametrize(
    ("family", "system", "provider", "fixed"),
    [
        ("m5", "linux", "aws", False),
        ("i3", "linux", "aws", False),  # bare metal, too
        ("g5", "linux", "aws", True),
        ("gr6f", "linux", "aws", True),
        ("p5", "linux", "aws", True),
        ("p4d", "linux", "aws", False),
        ("u7i-6tb", "linux", "aws", True),
        ("u7i-12tb", "linux", "aws", False),
        ("m5", "windows", "aws", True),
        ("m5", "red hat enterprise linux", "aws", True),
        ("NCasT4v3", "linux", "azure", False),
        ("n2", "windows", "gcp", False),
    ],
)
def test_which_are_of_one_size(family: str, system: str, provider: str, fixed: bool) -> None:
    assert kind(family, system).one_size(provider) is fixed


def test_g5_is_reserved_size_by_size() -> None:
    usages = [usage(f"g-{n}", ALWAYS, rate=1.006, sku="g5.xlarge") for n in range(2)]
    usages.append(usage("g-big", ALWAYS, rate=5.672, sku="g5.12xlarge"))
    listed = prices(
        ("g5.xlarge", "1yr no-upfront", "0.63378"), ("g5.12xlarge", "1yr no-upfront", "3.57336")
    )
    types = ("g5.xlarge", "g5.xlarge", "g5.12xlarge")
    resources = [machine(u.resource_id or "", t) for u, t in zip(usages, types, strict=True)]
    found = advise(bill(usages), listed, resources=resources)
    assert {
        one.resource_id: (one.resource_name, one.evidence["reserved"])
        for one in found.recommendations
    } == {
        f"aws/{REGION}/{name}/linux/reserved-instances": (
            f"Reserved Instances {name} in {REGION}",
            {"instance_type": name, "count": count},
        )
        for name, count in (("g5.xlarge", 2.0), ("g5.12xlarge", 1.0))
    }


def unused(system: str) -> Commitments:
    """A reserved m5.large that nobody uses, of a machine that ran for an hour a day, beside two
    m5.xlarge."""
    rare = np.where(np.arange(len(ALWAYS)) % 24 == 0, 1.0, 0.0)
    ri = held("ri", ALWAYS, cost=0.06, by_spend=False, order=0, kind="Reserved Instance")
    usages = [
        usage("i-1", rare, rate=0.1, uses={"ri": 1.0}),
        *(usage(f"i-big{n}", ALWAYS, rate=0.2, sku="m5.xlarge") for n in range(2)),
    ]
    resources = [
        machine("i-1", operating_system=system),
        *(machine(f"i-big{n}", "m5.xlarge", operating_system=system) for n in range(2)),
        bought("ri"),
    ]
    return advise(bill(usages, [ri]), prices(), resources=resources)


def test_an_unused_reservation_of_windows_is_spare_for_its_size_alone() -> None:
    found = unused("Windows")
    (told,) = found.held
    assert told.spare == ""
    (one,) = found.recommendations
    assert one.resource_name == f"Reserved Instances m5.xlarge (windows) in {REGION}"
    assert one.evidence["reserved"] == {"instance_type": "m5.xlarge (windows)", "count": 2.0}
    (linux,) = unused("Linux").held
    assert linux.spare == "m5.xlarge"
