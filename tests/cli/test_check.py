"""`costopt check` on a small fleet in a real lake: findings, exit codes, waivers, baselines, packs
of one's own, errors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest
from click.testing import CliRunner, Result

from costopt.cli.check import check
from costopt.errors import CostoptError
from costopt.policy import editing
from costopt.policy.expression import paths
from costopt.policy.fields import VARIABLES
from costopt.report.check.json import schema
from tests.cli import cellar

OWN = """
policies:
  - id: named
    title: Everything is called something
    description: Nobody asks about what has no name.
    match: resource.machine
    require: resource.name.startsWith("web-eu")
    message: "{resource.name} is called so"
    remediation: Rename it.
    cases:
      pass: [{resource: {machine: true, name: web-eu-1}}]
      fail: [{resource: {machine: true, name: x}}]
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fleet of which one machine is forgotten, and a disk."""
    folder = tmp_path_factory.mktemp("check")
    cellar.fleet(folder)
    return folder


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own.yml"
    path.write_text(OWN)
    return path


def run(home: Path, *words: str | Path) -> Result:
    return CliRunner().invoke(
        check,
        [*map(str, words), "--home", str(home)],
        catch_exceptions=False,
        standalone_mode=False,
    )


def told(home: Path, *words: str | Path) -> list[dict[str, Any]]:
    document = json.loads(run(home, "--format", "json", *words).output)
    jsonschema.validate(document, json.loads(schema()))
    findings: list[dict[str, Any]] = document["findings"]
    return findings


def idle(home: Path) -> dict[str, Any]:
    """The finding of the machine that nobody uses."""
    (found,) = [one for one in told(home, "--pack", "waste") if one["policy"] == "idle-machine"]
    return found


def test_a_machine_that_nobody_uses_fails(home: Path) -> None:
    result = run(home, "--pack", "waste")
    assert result.return_value == 1
    assert "error  idle-machine" in result.output
    assert "584.00 USD a month" in result.output
    assert "forgotten (c8) is used by nobody" in result.output


def test_what_is_not_known_is_neither_kept_nor_broken(home: Path) -> None:
    findings, unjudged = run(home, "--pack", "waste").output.split("Not judged")
    assert "unattached-disk" not in findings
    assert "unattached-disk: 1 resource without resource.attached" in unjudged


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--fail-on", "error"), 0),
        (("--fail-on", "warning"), 1),
        (("--fail-on", "note"), 1),
        (("--fail-on", "never"), 0),
        (("--fail-on", "warning", "--min-monthly", "1e6"), 1),  # what it comes to is not known
    ],
)
def test_how_severe_it_must_be(home: Path, own: Path, words: tuple[str, ...], code: int) -> None:
    assert run(home, "--pack", "none", own, *words).return_value == code


def test_small_findings_are_left_out_and_counted(home: Path) -> None:
    result = run(home, "--pack", "waste", "--min-monthly", "600")
    assert result.return_value == 0
    assert "1 finding of less than 600.00 USD a month left out" in result.output


def test_a_policy_of_ones_own_takes_the_place_of_a_shipped_one(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "ours.yml").write_text(OWN.replace("id: named", "id: idle-machine"))
    found = told(home, "--pack", "waste")
    assert {one["message"] for one in found} >= {"forgotten is called so"}
    assert "Rename it." in run(home, "--explain", "idle-machine").output


def test_a_waiver_lets_it_stand_until_its_day(home: Path, tmp_path: Path) -> None:
    found = idle(home)
    given = ("--waive", found["finding_id"], "--until", "2200-01-01", "--reason", "audit")
    run(home, "--pack", "waste", *given, "--owner", "ann")
    assert 'owner: "ann"' in (tmp_path / "waivers.yml").read_text().replace('"owner"', "owner")
    result = run(home, "--pack", "waste")
    assert result.return_value == 0
    assert "1 waived" in result.output


def test_a_waiver_that_is_over_fails_loudly(home: Path, tmp_path: Path, own: Path) -> None:
    first = told(home, "--pack", "none", own)[0]
    (tmp_path / "w.yml").write_text(
        f"waivers:\n  - {{finding: {first['finding_id']}, owner: ann, reason: x,"
        " until: 2026-11-01}\n"
    )
    result = run(home, "--pack", "none", own, "--waivers", "w.yml")
    assert result.return_value == 1  # the policy is a warning
    assert "waived by ann until 2026-11-01, which is over" in " ".join(result.output.split())


def test_a_baseline_counts_only_what_is_new(home: Path, own: Path) -> None:
    run(home, "--pack", "waste", "--write-baseline", "b.json")
    assert run(home, "--pack", "waste", "--baseline", "b.json").return_value == 0
    more = run(home, "--pack", "waste", own, "--baseline", "b.json", "--fail-on", "warning")
    assert more.return_value == 1


def test_list_explain_and_test_need_no_data(tmp_path: Path, own: Path) -> None:
    nowhere = tmp_path / "nowhere"
    assert "Everything is called something" in run(nowhere, own, "--list").output
    page = run(nowhere, own, "--explain", "named").output
    assert 'resource.name.startsWith("web-eu")' in page
    assert run(nowhere, own, "--test").return_value == 0
    own.write_text(OWN.replace("name: x", "name: web-eu-9"))
    result = run(nowhere, own, "--test")
    assert result.return_value == 1
    assert "own.yml:3:5: named: example 1 under 'fail' comes out as 'pass'" in result.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--pack", "wast"), "did you mean 'waste'"),
        (("--pack", "none"), "no policy to ask"),
        (("--explain", "idle-machin"), "did you mean 'idle-machine'"),
        (("--waivers", "gone.yml"), "gone.yml"),
        (("--baseline", "gone.json"), "no such baseline"),
        (
            ("--waive", "0" * 16, "--until", "2200-01-01", "--reason", "x"),
            "there is no finding",
        ),
    ],
)
def test_what_cannot_be_done_is_said(home: Path, words: tuple[str, ...], said: str) -> None:
    with pytest.raises(CostoptError, match=said):
        run(home, *words)


@pytest.mark.parametrize(
    "words",
    [
        ("--until", "2200-01-01"),
        ("--waive", "0" * 16),
        ("--waive", "0" * 16, "--until", "soon", "--reason", "x"),
        ("--min-monthly", "nan"),
        ("-o", "check.pdf"),
        ("--also", "check.pdf"),
        ("gone.yml",),
    ],
)
def test_options_that_do_not_go(home: Path, words: tuple[str, ...]) -> None:
    with pytest.raises(click.UsageError):
        run(home, *words)


def test_a_day_that_is_over_waives_nothing(home: Path, tmp_path: Path) -> None:
    found = idle(home)
    with pytest.raises(CostoptError, match="2026-01-01 is over"):
        run(
            home,
            *("--pack", "waste", "--waive", found["finding_id"]),
            *("--until", "2026-01-01", "--reason", "x"),
        )
    assert not (tmp_path / "waivers.yml").exists()


@pytest.mark.parametrize(
    ("name", "starts"), [("a.sarif", b"{"), ("a.xml", b"<?xml"), ("a.md", b"## "), ("a.txt", b"\n")]
)
def test_the_format_is_as_the_file_ends(
    home: Path, tmp_path: Path, name: str, starts: bytes
) -> None:
    run(home, "-o", name)
    assert (tmp_path / name).read_bytes().startswith(starts)


def test_one_run_writes_several_files(home: Path, tmp_path: Path) -> None:
    page = run(home, "--also", "a.sarif", "--also", "gitlab=code.json", "--also", "b=1.md").output
    assert "Checked as of" in page
    assert json.loads((tmp_path / "a.sarif").read_bytes())["version"] == "2.1.0"
    assert json.loads((tmp_path / "code.json").read_bytes())[0]["fingerprint"]
    assert (tmp_path / "b=1.md").read_text().startswith("## ")


def test_a_new_policy_is_written_and_holds(tmp_path: Path) -> None:
    assert CliRunner().invoke(check, ["--new", "big-dev-machine"]).exit_code == 0
    assert (tmp_path / "policies/policies.schema.json").is_file()
    assert "big-dev-machine" in CliRunner().invoke(check, ["--list"]).output
    assert CliRunner().invoke(check, ["--test"]).exit_code == 0
    with pytest.raises(CostoptError, match=r"big-dev-machine.yml: there is one already"):
        CliRunner().invoke(check, ["--new", "big-dev-machine"], catch_exceptions=False)
    assert CliRunner().invoke(check, ["--new", "../x"]).exit_code == 2


@pytest.mark.parametrize("flag", ["--fields", "--schema", "--policy-schema"])
def test_what_programs_and_people_look_up_needs_no_data(flag: str) -> None:
    result = CliRunner().invoke(check, [flag])
    assert result.exit_code == 0
    if flag == "--schema":
        assert json.loads(result.output) == json.loads(schema())
        return
    if flag == "--policy-schema":
        assert json.loads(result.output) == editing.schema()
        return
    for of in VARIABLES.values():
        for path in paths(of):
            assert f"  {path} " in result.output
