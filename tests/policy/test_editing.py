"""What helps who writes policies: the schema takes what is shipped and refuses what loading would,
and the policy to start from holds."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest
import yaml

from costopt.policy import editing
from costopt.policy.cases import failures
from costopt.policy.pack import read
from tests.conftest import ROOT

VALIDATOR = jsonschema.Draft202012Validator(editing.schema())


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(editing.schema())


@pytest.mark.parametrize("path", sorted((ROOT / "policies").glob("*.yml")), ids=lambda p: p.stem)
def test_it_takes_every_shipped_pack(path: Path) -> None:
    VALIDATOR.validate(yaml.safe_load(path.read_text()))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("severity", "fatal"),
        ("id", "No Spaces"),
        ("mach", "true"),
        ("cases", {"fail": [{"resource": {"vcpu": 4}}]}),
        ("cases", {"fail": [{"resource": {"vcpus": "four"}}]}),
    ],
)
def test_it_refuses_what_loading_refuses(field: str, value: object) -> None:
    pack = yaml.safe_load(editing.starting("x", "s.json"))
    assert VALIDATOR.is_valid(pack)
    pack["policies"][0][field] = value
    assert not VALIDATOR.is_valid(pack)


def test_the_policy_to_start_from_holds(tmp_path: Path) -> None:
    path = tmp_path / "big-dev-machine.yml"
    path.write_text(editing.starting("big-dev-machine", "policies.schema.json"))
    (policy,) = read(path)
    assert policy.text.id == "big-dev-machine"
    assert list(failures(policy)) == []
    assert all((policy.text.cases.passes, policy.text.cases.fails, policy.text.cases.skips))
