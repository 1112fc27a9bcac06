"""Planned changes as policies see them: every field there is, and nothing that is not known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from costopt.policy import subjects
from costopt.policy.evaluate import judged
from costopt.policy.expression import paths
from costopt.policy.fields import VARIABLES
from costopt.policy.pack import read
from costopt.policy.planned import table, terraform
from costopt.policy.planned.priced import priced
from tests.policy.planned.plans import HERE, catalogue, change, plan
from tests.report import builders
from tests.rules.builders import case, samples
from tests.rules.judging import advised


def rows(*changes: dict[str, Any], resources: pa.Table | None = None) -> list[dict[str, Any]]:
    found = priced(plan(*changes), catalogue())
    told: list[dict[str, Any]] = table.changes(found, "USD", resources).to_pylist()
    return told


def row(*changes: dict[str, Any], resources: pa.Table | None = None) -> dict[str, Any]:
    """Of the first, with names as they stand in policies."""
    return rows(*changes, resources=resources)[0]


def test_a_group_of_machines_with_cards() -> None:
    nodes = {
        "instance_types": ["g5.xlarge"],
        "scaling_config": [{"desired_size": 3}],
        "disk_size": 50,
        "tags": {"team": "ml"},
    }
    told = row(change("aws_eks_node_group.gpu", after=nodes))
    assert told["change.action"] == "create"
    assert (told["change.count"], told["change.gpu_count"], told["change.vcpus"]) == (3, 3, 12)
    assert (told["change.gpu_model"], told["change.instance_type"]) == ("A10G", "g5.xlarge")
    assert told["change.memory_gib"] == 48
    assert told["change.size_gib"] == 150
    assert told["change.hourly"] == pytest.approx(3 * 1.006)
    assert told["change.monthly_difference"] == pytest.approx(3 * 1.006 * 730)
    assert told["change.priced"] is True
    assert told["change.why_unpriced"] == "root disk: its type is not known"
    assert told["change.tags"] == [("team", "ml")]
    assert told["change.undoes_advice"] is None
    assert told["change.region"] == "us-east-1"


def test_a_database_of_which_little_is_known() -> None:
    told = row(change("aws_db_instance.a", after={"tags": None}))
    known = ("kind", "address", "provider", "region", "action", "tags", "monthly_before")
    known += ("priced", "why_unpriced")
    gone = {name for name in told if name.startswith("change.") and told[name] is None}
    assert gone.isdisjoint({f"change.{name}" for name in known})
    assert told["change.priced"] is False
    assert told["change.monthly"] is told["change.gpu_count"] is told["change.count"] is None
    assert told["change.tags"] == []


def test_cards_that_are_added_to_a_type_count() -> None:
    after = {
        "machine_type": "n1-standard-4",
        "zone": "europe-west4-a",
        "guest_accelerator": [{"type": "nvidia-tesla-t4", "count": 2}],
    }
    told = row(change("google_compute_instance.a", after=after))
    assert (told["change.gpu_count"], told["change.gpu_model"]) == (2, "nvidia-tesla-t4")


@pytest.mark.parametrize(
    ("kind", "after", "unknown", "tags"),
    [
        ("aws_ebs_volume", {"tags": None, "tags_all": {"a": "b"}}, {}, [("a", "b")]),
        ("aws_ebs_volume", {"tags": {"a": None}}, {"tags_all": True}, []),
        ("aws_ebs_volume", {}, {"tags": True, "tags_all": True}, None),
        ("aws_volume_thing", {}, {}, None),
        ("aws_security_group", {"tags": None}, {}, None),  # costs nothing: nobody asks whose
        ("aws_autoscaling_group", {"tag": [{"key": "a", "value": "b"}]}, {}, [("a", "b")]),
        ("azurerm_managed_disk", {"tags": {}}, {}, []),
        ("google_compute_instance", {"labels": {"a": "b"}, "tags": ["web"]}, {}, [("a", "b")]),
        ("google_compute_disk",
         {"labels": {}, "terraform_labels": {"goog-terraform-provisioned": "true"}}, {}, []),
        ("digitalocean_droplet", {"tags": ["web"]}, {}, None),
    ],
)  # fmt: skip
def test_tags(kind: str, after: dict[str, Any], unknown: dict[str, Any], tags: Any) -> None:
    assert row(change(f"{kind}.a", after=after, unknown=unknown))["change.tags"] == tags


def running(kind: str = "m5.large") -> pa.Table:
    """One machine of the lake, whose advice it is to be g4."""
    found = case("g16", samples(level=15))
    resource = replace(
        found.resource, resource_id="i-0123", provider_name="Amazon Web Services", tags={"a": "b"}
    )
    own = replace(found, resource=resource)
    advice = advised(found)
    assert advice.recommended is not None
    aimed = replace(
        advice, resource_id="i-0123", recommended=replace(advice.recommended, instance_type=kind)
    )
    report = replace(builders.report((aimed,)), as_of=found.as_of)
    return subjects.resources({"i-0123": own}, report)


MACHINE = {"id": "i-0123", "instance_type": "m5.xlarge", "availability_zone": "us-east-1a"}


@pytest.mark.parametrize(
    ("actions", "after", "undone"),
    [
        ("update", MACHINE, True),
        ("update", MACHINE | {"instance_type": "m5.large"}, False),
        ("update", {"id": "i-0123"}, None),
        ("delete", None, False),
    ],
)
def test_the_running_resource_and_its_advice(
    actions: str, after: dict[str, Any] | None, undone: bool | None
) -> None:
    found = row(change("aws_instance.a", actions, before=MACHINE, after=after), resources=running())
    assert found["resource.id"] == "i-0123"
    assert found["recommendation.target"] == "m5.large"
    assert found["profile.cpu.mean"] == pytest.approx(15.0)
    assert found["change.undoes_advice"] is undone


def test_what_does_not_run_yet_has_no_resource() -> None:
    found = rows(
        change("aws_instance.new", after=MACHINE | {"id": None}),
        change("google_compute_instance.b", "delete", before={"id": "i-0123"}),
        resources=running(),
    )
    for told in found:
        assert told["resource.id"] is told["charges.monthly"] is None
        assert told["change.undoes_advice"] is None
        assert told["fleet.resources"] == running().column("fleet.resources")[0].as_py()


@pytest.mark.parametrize(
    ("provider", "resource_id", "kind", "named"),
    [
        ("AWS", "arn:aws:ec2:us-east-1:1:volume/vol-1", "aws_ebs_volume",
         {"arn": "arn:aws:ec2:us-east-1:1:volume/vol-1", "id": "vol-1"}),
        ("Microsoft", "/subscriptions/s/vm", "azurerm_managed_disk", {"id": "/subscriptions/S/VM"}),
        ("Google Cloud", "//compute.googleapis.com/projects/p/zones/z/disks/d",
         "google_compute_disk",
         {"self_link": "https://www.googleapis.com/compute/v1/projects/p/zones/z/disks/d"}),
    ],
)  # fmt: skip
def test_ids_as_providers_spell_them(
    provider: str, resource_id: str, kind: str, named: dict[str, Any]
) -> None:
    lake = running().slice(0, 1)
    for name, value in (("resource.provider", provider), ("resource.id", resource_id)):
        lake = lake.set_column(lake.column_names.index(name), name, pa.array([value]))
    found = row(change(f"{kind}.a", "delete", before=named), resources=lake)
    assert found["resource.id"] == resource_id


def test_all_changes_together() -> None:
    """As in test_priced.BY_HAND."""
    found = priced(terraform.read(HERE / "gcp.json"), catalogue())
    (whole,) = table.fleet(found, "USD").to_pylist()
    assert whole["fleet.planned_monthly"] == pytest.approx(1164.018)
    assert whole["fleet.planned_unpriced"] == 2
    assert table.changes(found, "USD").column("fleet.planned_unpriced").to_pylist() == [2] * 5
    none: list[dict[str, Any]] = table.fleet((), "USD").to_pylist()
    assert none[0]["fleet.planned_monthly"] == 0


@pytest.mark.parametrize("lake", [False, True], ids=["alone", "with a lake"])
@pytest.mark.parametrize("name", ["aws", "azure", "gcp", None])
def test_every_column_is_a_field_and_of_its_kind(name: str | None, lake: bool) -> None:
    plan_ = terraform.read(HERE / f"{name}.json") if name else plan()
    found = table.changes(priced(plan_, catalogue()), "USD", running() if lake else None)
    known = paths(VARIABLES["change"])
    assert set(found.column_names) <= set(known)
    assert {one for one in known if one.startswith("change.")} <= set(found.column_names)
    kinds = {pa.field(path, known[path].kind.arrow) for path in found.column_names}
    assert set(found.schema) == kinds


POLICY = """policies:
- id: no-large-change
  title: No change adds more than 100 a month
  description: Larger ones are talked about first.
  over: change
  require: change.monthly_difference <= 100
  message: "{change.address} adds {change.monthly_difference}"
  monthly: change.monthly_difference
  remediation: Talk about it.
"""


def test_a_policy_judges_them(tmp_path: Any) -> None:
    path = tmp_path / "own.yml"
    path.write_text(POLICY)
    found = table.changes(priced(terraform.read(HERE / "aws.json"), catalogue()), "USD")
    told = judged(read(path), found, "change.address", "change.address")
    assert [one.subject for one in told.verdicts] == ["aws_autoscaling_group.web"]
    assert [one.subjects for one in told.unjudged] == [("aws_nat_gateway.out",)]
    assert told.passed == {"no-large-change": 4}
