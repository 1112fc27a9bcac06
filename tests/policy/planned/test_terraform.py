"""Plans as they are read: what changes, where it stands, and what is no plan."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from costopt.errors import InputError
from costopt.policy.planned import document as reading
from costopt.policy.planned import terraform
from costopt.policy.planned.terraform import Plan
from tests.policy.planned.plans import REAL, change, document, plan


@pytest.mark.parametrize(
    ("actions", "action"),
    [
        ("create", "create"),
        ("update", "update"),
        ("delete", "delete"),
        ("delete create", "replace"),
        ("create delete", "replace"),
    ],
)
def test_what_is_done(actions: str, action: str) -> None:
    (one,) = plan(change("aws_instance.a", actions, before={}, after={})).changes
    assert one.action == action
    assert (one.kind, one.provider, one.address) == ("aws_instance", "AWS", "aws_instance.a")


def test_what_stays_and_what_is_only_read_is_no_change() -> None:
    found = plan(
        change("aws_instance.same", "no-op", before={}, after={}),
        change("data.aws_ami.linux", "read", after={}, mode="data"),
        change("aws_instance.forgotten", "forget", before={}),
        change("aws_instance.rest", "delete", before={}, deposed="1234"),
    )
    assert not found.changes
    assert [one.address for one in found.every] == ["aws_instance.same", "aws_instance.forgotten"]


@pytest.mark.parametrize(
    ("given", "provider"),
    [
        ("registry.terraform.io/hashicorp/aws", "AWS"),
        ("registry.opentofu.org/hashicorp/google-beta", "GCP"),
        ("azurerm", "Azure"),
        (None, "AWS"),
        ("registry.terraform.io/hetznercloud/hcloud", "hcloud"),
    ],
)
def test_providers(given: str | None, provider: str) -> None:
    (one,) = plan(change("aws_instance.a", after={}, provider_name=given)).changes
    assert one.provider == provider


def region(found: Plan, address: str) -> str | None:
    return found.configuration.setting(address, "aws_instance", "region")


def test_a_region_that_a_variable_names_through_modules() -> None:
    inner = {
        "resources": [{"address": "aws_instance.a", "provider_config_key": "module.web:aws"}],
        "variables": {"place": {"default": "eu-west-1"}},
    }
    root = {
        "module_calls": {
            "web": {"expressions": {"place": {"references": ["var.home"]}}, "module": inner}
        }
    }
    told = {"references": ["var.place"]}
    configuration = {
        "provider_config": {"module.web:aws": {"expressions": {"region": told}}},
        "root_module": root,
    }
    address = 'module.web["x.y"].aws_instance.a[0]'
    found = plan(configuration=configuration, variables={"home": {"value": "eu-west-3"}})
    assert region(found, address) == "eu-west-3"
    assert region(plan(configuration=configuration), address) is None  # nobody tells var.home
    root["module_calls"]["web"]["expressions"] = {}
    assert region(plan(configuration=configuration), address) == "eu-west-1"  # its default


def test_of_several_regions_a_module_has_none_unless_it_is_told() -> None:
    def one(name: str) -> dict[str, Any]:
        return {"expressions": {"region": {"constant_value": name}}}

    several = {"provider_config": {"aws": one("us-east-1"), "aws.far": one("ap-south-1")}}
    assert region(plan(configuration=several), "module.m.aws_instance.a") is None
    resources = [{"address": "aws_instance.a", "provider_config_key": "aws.far"}]
    told = several | {"root_module": {"resources": resources}}
    assert region(plan(configuration=told), "aws_instance.a") == "ap-south-1"
    alike = {"provider_config": {"aws": one("us-east-1"), "aws.b": one("us-east-1")}}
    assert region(plan(configuration=alike), "module.m.aws_instance.a") == "us-east-1"


def test_an_expression_that_is_more_than_a_variable_is_not_guessed() -> None:
    told = {"expressions": {"region": {"references": ["var.a", "var.b"]}}}
    found = plan(
        configuration={"provider_config": {"aws": told}},
        variables={"a": {"value": "eu"}, "b": {"value": "west-1"}},
    )
    assert region(found, "aws_instance.a") is None


NONE = document()
REFUSED: dict[str, tuple[str | bytes, str, str]] = {
    "text": ("Terraform will perform", ":1:1", "not JSON: Expecting value"),
    "nothing": ("", ":1:1", "not JSON"),
    "a list": ("[]", "", "not a plan: no JSON object"),
    "bytes": (b'{"a": "\xff\xff"}', "", "not JSON: neither UTF-8 nor UTF-16"),
    "no number": ('{"a": NaN}', "", "not JSON: NaN is no number of JSON"),
    "no number either": ('{"a": 1e999}', "", "1e999 is too large a number"),
    "too many digits": ('{"a": ' + "9" * 5000 + "}", "", "not JSON: Exceeds the limit"),
    "deep": ("[" * 100_000, "", "not a plan: nested too deeply"),
    "deep objects": ('{"a":' * 100_000, "", "not a plan: nested too deeply"),
    "another version": (json.dumps(NONE | {"format_version": "2.0"}), "", "from 0.1 to 1.x"),
    "no version": (json.dumps({"resource_changes": []}), "", "needs a format_version"),
    "a state": ('{"format_version": "1.0", "values": {}}', "", "a state, not a plan"),
    "changes": (json.dumps(NONE | {"resource_changes": {"a": 1}}), ": resource_changes", "a list"),
    "a change": (json.dumps(document([])), ": resource_changes.0", "needs an object"),  # type: ignore[arg-type]
    "no address": (
        json.dumps(document({"type": "aws_instance"})),
        ": resource_changes.0.address",
        "needs a text",
    ),
    "an address that is none": (
        json.dumps(document({"address": 7, "type": "aws_instance"})),
        ": resource_changes.0.address",
        "needs a text",
    ),
    "actions": (
        json.dumps(document(change("aws_instance.a", "explode"))),
        ": resource_changes.0.change.actions",
        "no actions of a plan",
    ),
    "after": (
        json.dumps(document(change("aws_instance.a", after=[1]))),  # type: ignore[arg-type]
        ": resource_changes.0 (aws_instance.a).after",
        "needs an object",
    ),
    "twice": (
        json.dumps(document(*[change("aws_instance.a", after={})] * 2)),
        ": resource_changes.1",
        "'aws_instance.a' stands twice",
    ),
}


@pytest.mark.parametrize(("text", "place", "said"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_plan_and_where(
    text: str | bytes, place: str, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError) as caught:
        terraform.read(path)
    assert said in caught.value.what
    assert caught.value.where == f"{path}{place}"


def test_no_file_and_too_large_a_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="no such plan"):
        terraform.read(tmp_path / "none.json")
    with pytest.raises(InputError, match="cannot be read"):
        terraform.read(tmp_path)
    huge = tmp_path / "plan.json"
    with huge.open("wb") as file:
        file.truncate(100 * 1024**2)
    with pytest.raises(InputError, match="not a plan: larger than 64 MiB"):
        terraform.read(huge)
    monkeypatch.setattr(reading, "LARGEST", 10)
    huge.write_text(json.dumps(NONE))
    with pytest.raises(InputError, match="not a plan: larger than"):
        terraform.read(huge)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_of_shells(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(json.dumps(document(change("aws_instance.a", after={}))).encode(encoding))
    assert len(terraform.read(path).changes) == 1


def test_half_a_character_is_no_trouble() -> None:
    (one,) = plan(change("aws_instance.a", after={"instance_type": "\ud800x"})).changes
    assert one.after is not None
    assert one.after.text("instance_type") == "?x"


def test_configurations_that_are_none_are_as_if_absent() -> None:
    for odd in (None, [], 3, {"provider_config": [1], "root_module": "x"}):
        found = plan(change("aws_instance.a", after={}), configuration=odd, variables=odd)
        assert region(found, "aws_instance.a") is None
        assert region(found, "module.m." * 1000 + "aws_instance.a") is None


@pytest.mark.skipif(not REAL.is_dir(), reason="needs ../shared/data/terraform_plans")
@pytest.mark.parametrize(
    ("name", "actions"),
    [
        ("terraform_v0.12_plan", {"create": 12, "update": 1}),
        ("terraform_v0.14_plan", {"create": 12, "update": 1}),
        ("plan_with_target", {"update": 1}),
        ("instance_with_attachment_before_deploy", {"create": 3}),
        ("instance_with_attachment_after_deploy", {}),
        ("azure_firewall_plan", {"create": 11}),
    ],
)
def test_real_plans(name: str, actions: dict[str, int]) -> None:
    found = [one.action for one in terraform.read(REAL / f"{name}.json").changes]
    assert {action: found.count(action) for action in set(found)} == actions


@pytest.mark.skipif(not REAL.is_dir(), reason="needs ../shared/data/terraform_plans")
@pytest.mark.parametrize("version", ["0.12", "0.14"])
def test_real_regions(version: str) -> None:
    found = terraform.read(REAL / f"terraform_v{version}_plan.json")
    regions = {region(found, one.address) for one in found.changes if one.kind == "aws_instance"}
    assert regions == {"us-east-1"}
