"""Resources as policies see them: every field there is, and nothing that is not known."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pyarrow as pa

from costopt.model import Resource
from costopt.policy.expression import paths
from costopt.policy.fields import VARIABLES
from costopt.policy.subjects import resources
from costopt.rules.base import Case
from tests.report import builders
from tests.rules.builders import case, samples
from tests.rules.judging import advised


def machine() -> Case:
    found = case("g16", samples(level=15), metrics={"memory_utilization": samples(level=10)})
    launched = found.as_of - timedelta(days=100, hours=12)
    named = replace(found.resource, tags={"team": "web"}, launched_at=launched, state="running")
    return replace(found, resource=named)


def row(*cases: Case) -> dict[str, object]:
    by_id = {one.resource.resource_id: one for one in cases}
    advice = tuple(advised(one) for one in cases if one.profiles)
    report = replace(builders.report(advice), as_of=cases[0].as_of)
    found: dict[str, object] = resources(by_id, report).to_pylist()[0]
    return found


def test_a_machine() -> None:
    found, told = machine(), row(machine())
    assert found.cost is not None
    assert told["resource.machine"] is True
    assert told["resource.stopped"] is False
    assert (told["resource.vcpus"], told["resource.gpu_count"]) == (16.0, 0.0)
    assert told["resource.age_days"] == 100.5
    assert told["resource.tags"] == [("team", "web")]
    assert told["resource.attached"] is None  # no disk, no address
    cpu, memory = found.profile("cpu_utilization"), found.profile("memory_utilization")
    assert cpu is not None
    assert memory is not None
    assert told["profile.cpu.p99_5"] == cpu.p99_5
    assert told["profile.memory.max"] == memory.max
    assert told["profile.gpu.mean"] is None
    assert told["charges.monthly"] == float(found.cost.monthly)
    advice = advised(found)
    assert told["recommendation.action"] == "Rightsize"
    assert told["recommendation.target"] == "g4"
    assert Decimal(str(told["recommendation.monthly_savings"])) == (
        advice.estimated_monthly_savings.target
    )
    assert told["fleet.currency"] == "USD"


def test_a_disk_that_nothing_holds_and_one_of_which_little_is_known() -> None:
    base = machine()
    loose = Resource(
        "vol-1", "AWS", resource_type="Disk", attributes={"size_gib": "100", "type": "gp2"}
    )
    bare = replace(base, resource=loose, shape=None, price=None, profiles=(), cost=None)
    told = row(bare)
    assert (told["resource.size_gib"], told["resource.volume_type"]) == (100.0, "gp2")
    assert (told["resource.attached"], told["resource.machine"]) == (False, False)
    assert told["resource.stopped"] is told["resource.vcpus"] is told["charges.monthly"] is None
    odd = replace(loose, attributes={"size_gib": "?", "attached_to": "i-1"})
    told = row(replace(bare, resource=odd))
    assert (told["resource.attached"], told["resource.size_gib"]) == (True, None)


def test_every_column_is_a_field_and_of_its_kind() -> None:
    base = machine()
    table = resources(
        {base.resource.resource_id: base}, replace(builders.report(()), as_of=base.as_of)
    )
    known = paths(VARIABLES["resource"])
    assert set(table.column_names) <= set(known)
    kinds = {pa.field(name, known[name].kind.arrow) for name in table.column_names}
    assert set(table.schema) == kinds
