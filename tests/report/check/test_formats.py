"""Every format of a check: the schemas that their readers publish, what counts and what does not,
and names that would steer what shows them."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest
import xmlschema

from costopt import registry
from costopt.model.check import Check
from costopt.report.check import text
from costopt.report.check.json import schema
from tests.report.check import builders

Render = Callable[[Check], bytes]
CHECKS = {"nothing": builders.check(), "every": builders.every(), "hostile": builders.hostile()}
each = pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)


def rendered(name: str, check: Check) -> bytes:
    found: bytes = (
        text.render(check) if name == "text" else registry.find("check-format", name)(check)
    )
    return found


@each
@pytest.mark.parametrize("name", ["text", *registry.names("check-format")])
def test_it_cannot_steer_what_shows_it(name: str, check: Check) -> None:
    data = rendered(name, check)
    page = data.decode()
    assert page.endswith("\n")
    assert rendered(name, check) == data
    assert {c for c in page if unicodedata.category(c) == "Cc"} <= {"\n"}
    assert "\u202e" not in page


@pytest.mark.parametrize("name", ["text", *registry.names("check-format")])
def test_what_counts_is_named(name: str) -> None:
    page = rendered(name, builders.every()).decode()
    assert "i-0aa11 is used by nobody" in page
    assert "which is over" in page or '"lapsed"' in page  # the waiver


@pytest.mark.parametrize("name", ["text", "markdown", "github", "gitlab"])
def test_what_does_not_count_is_only_counted(name: str) -> None:
    page = rendered(name, builders.every()).decode()
    assert "i-waived" not in page
    assert "i-known" not in page
    if name in ("text", "markdown"):
        assert "1 waived, 1 in the baseline" in page


@each
def test_json_keeps_to_its_schema(check: Check) -> None:
    document = json.loads(rendered("json", check))
    jsonschema.validate(document, json.loads(schema()))


def test_json_has_the_standing_of_each() -> None:
    found = json.loads(rendered("json", builders.every()))["findings"]
    assert [one["status"] for one in found] == ["open", "lapsed", "waived", "known", "open"]
    assert found[1]["waiver"]["until"] == "2027-01-31"
    assert found[4]["monthly"] is None


@each
def test_sarif_keeps_to_the_schema(check: Check, real_data: Path) -> None:
    official = json.loads((real_data / "schemas/sarif-schema-2.1.0.json").read_bytes())
    jsonschema.validate(json.loads(rendered("sarif", check)), official)


def test_sarif_suppresses_what_is_waived() -> None:
    results = json.loads(rendered("sarif", builders.every()))["runs"][0]["results"]
    assert [one["level"] for one in results] == ["error", "error", "warning", "warning", "note"]
    told = [one.get("suppressions", [{}])[0].get("status") for one in results]
    assert told == [None, "rejected", "accepted", None, None]
    assert results[3]["baselineState"] == "unchanged"
    assert results[0]["partialFingerprints"] != results[1]["partialFingerprints"]
    assert results[0]["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == "i-0aa11"


def test_sarif_names_files_as_uris() -> None:
    def uri(path: str) -> Any:
        policies = (builders.about(path=path), builders.about("untagged"))
        check = replace(builders.check(builders.verdict()), policies=policies)
        result = json.loads(rendered("sarif", check))["runs"][0]["results"][0]
        return result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]

    assert uri("our policies/a#1.yml") == "our%20policies/a%231.yml"
    assert uri("/srv/p.yml") == "file:///srv/p.yml"


@each
def test_junit_keeps_to_the_schema(check: Check, real_data: Path) -> None:
    official = xmlschema.XMLSchema(real_data / "schemas/junit-10.xsd")
    official.validate(ET.fromstring(rendered("junit", check)))


def test_junit_counts() -> None:
    suites = ET.fromstring(rendered("junit", builders.every())).findall("testsuite")
    told = [[one.get(name) for name in ("tests", "failures", "skipped")] for one in suites]
    assert told == [["6", "3", "2"], ["1", "0", "1"]]


def test_gitlab_has_the_documented_fields() -> None:
    found = json.loads(rendered("gitlab", builders.every()))
    assert [one["severity"] for one in found] == ["major", "major", "info"]
    assert len({one["fingerprint"] for one in found}) == len(found)
    for one in found:
        assert set(one) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert one["location"] == {"path": "policies/waste.yml", "lines": {"begin": 7}}


def test_github_commands_are_one_line_each() -> None:
    lines = rendered("github", builders.hostile()).decode().splitlines()
    assert len(lines) == 2
    head, message = lines[0].split("::", 2)[1:]
    assert head.startswith("warning file=policies/waste.yml,line=7,title=idle-machine%3A ")
    assert "100%25%2C" in head
    assert "100%25," in message
    assert [
        one.split(" ")[0]
        for one in rendered("github", builders.every()).decode().splitlines()
        if one.startswith("::")
    ] == ["::error", "::error", "::notice"]
