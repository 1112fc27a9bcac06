"""Packs read, with what is wrong at its line and column; and asked of machines."""

from __future__ import annotations

import textwrap
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from costopt.errors import InputError
from costopt.policy.cases import failures
from costopt.policy.evaluate import judged
from costopt.policy.pack import gathered, read

IDLE = """\
policies:
  - id: idle-machine
    title: Machines that run are used
    description: A machine that nobody uses costs as much as one that works.
    severity: error
    match: |
      resource.machine &&
      !resource.stopped
    require: profile.cpu.p99 >= 5
    message: "{resource.name} has CPU P99 {profile.cpu.p99:.1f} %
      and costs {charges.monthly:,.2f} {charges.currency}"
    monthly: charges.compute
    remediation: Stop it.
    cases:
      pass:
        - resource: {machine: true, stopped: false}
          profile: {cpu: {p99: 40}}
      fail:
        - {resource: {machine: true, stopped: false}, profile: {cpu: {p99: 2.5}}}
      skip:
        - {resource: {machine: true, stopped: true}}
        - {resource: {machine: true, stopped: false}}
"""


def written(folder: Path, text: str, name: str = "own.yml") -> Path:
    path = folder / name
    path.write_text(textwrap.dedent(text))
    return path


def machines() -> pa.Table:
    rows = [
        ("i-1", "web", True, False, 40.0, 100.0),
        ("i-2", None, True, False, 1.25, 1234.567),
        ("i-3", "off", True, True, 0.0, 5.0),
        ("i-4", "dark", True, False, None, 5.0),
        ("vol-1", "disk", False, None, None, 1.0),
        ("i-5", "odd", None, False, None, 1.0),
    ]
    names = ["resource.id", "resource.name", "resource.machine", "resource.stopped",
             "profile.cpu.p99", "charges.compute"]  # fmt: skip
    columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    columns["charges.monthly"] = columns["charges.compute"]
    columns["charges.currency"] = ["USD"] * len(rows)
    return pa.table(columns)


def test_verdicts_by_hand(tmp_path: Path) -> None:
    found = judged(read(written(tmp_path, IDLE)), machines(), "resource.id", "resource.name")
    (verdict,) = found.verdicts
    assert (verdict.policy, verdict.severity, verdict.subject) == ("idle-machine", "error", "i-2")
    assert verdict.name == "i-2"  # nobody called it otherwise
    assert verdict.message == "unknown has CPU P99 1.2 % and costs 1,234.57 USD"
    assert verdict.monthly == Decimal("1234.57")
    assert found.passed == {"idle-machine": 1}
    assert [(one.fields, one.subjects) for one in found.unjudged] == [
        (("profile.cpu.p99",), ("i-4",)),
        (("profile.cpu.p99", "resource.machine"), ("i-5",)),
    ]


def test_a_finding_keeps_its_id_whatever_is_said_of_it(tmp_path: Path) -> None:
    once = judged(read(written(tmp_path, IDLE)), machines(), "resource.id", "resource.name")
    other = IDLE.replace("has CPU", "shows CPU").replace("severity: error", "severity: note")
    again = judged(read(written(tmp_path, other)), machines(), "resource.id", "resource.name")
    assert again.verdicts[0].message != once.verdicts[0].message
    assert again.verdicts[0].finding_id == once.verdicts[0].finding_id
    named = judged(
        read(written(tmp_path, IDLE.replace("id: idle-machine", "id: idle"))),
        machines(), "resource.id", "resource.name",
    )  # fmt: skip
    assert named.verdicts[0].finding_id != once.verdicts[0].finding_id


def test_examples_run(tmp_path: Path) -> None:
    (policy,) = read(written(tmp_path, IDLE))
    assert list(failures(policy)) == []
    (wrong,) = read(written(tmp_path, IDLE.replace("{p99: 2.5}", "{p99: 25}")))
    assert list(failures(wrong)) == [
        f"{tmp_path}/own.yml:2:5: idle-machine: example 1 under 'fail' comes out as 'pass'"
    ]


@pytest.mark.parametrize(
    ("old", "new", "where", "words"),
    [
        ("!resource.stopped", "!resource.stoped", "8:17", "no field 'stoped'"),
        ("!resource.stopped", "resource.name", "8:7", "a text, and true or false is wanted"),
        ("profile.cpu.p99 >= 5", "profile.cpu.p99 => 5", "9:30", "'=' is no operator"),
        ("profile.cpu.p99 >= 5", "'profile.cpu.p99 > \"a\"'", "9:15", "one kind"),
        ("{profile.cpu.p99:.1f}", "{profile.cpu.p98:.1f}", "10:56", "no field 'p98'"),
        ("{resource.name}", "{resource.name", "10:15", "nothing closes"),
        ("{resource.name}", "{resource.name:.2f}", "10:29", "only numbers have a form"),
        ("monthly: charges.compute", "monthly: charges.currency", "12:14", "a text, not a number"),
        ("severity: error", "severity: fatal", "5:5", "is one of 'error', 'warning' or 'note'"),
        ("    title", "    titel", "3:5", "did you mean 'title'"),
        ("id: idle-machine", "id: Idle machine", "2:5", "policies.0.id"),
        ("remediation: Stop it.", "", "2:5", "remediation: is missing"),
    ],
)
def test_what_is_wrong_and_where(
    tmp_path: Path, old: str, new: str, where: str, words: str
) -> None:
    assert old in IDLE
    with pytest.raises(InputError) as error:
        read(written(tmp_path, IDLE.replace(old, new)))
    assert error.value.where == f"{tmp_path / 'own.yml'}:{where}"
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("{p99: 2.5}", "{p98: 2.5}", "no field 'profile.cpu.p98'"),
        ("{p99: 2.5}", "{p99: high}", "profile.cpu.p99 is a number, not 'high'"),
        ("stopped: true", "stopped: 1", "resource.stopped is true or false, not 1"),
    ],
)
def test_examples_of_what_there_is_not(tmp_path: Path, old: str, new: str, words: str) -> None:
    (policy,) = read(written(tmp_path, IDLE.replace(old, new)))
    with pytest.raises(InputError, match=words):
        list(failures(policy))


def test_ones_own_pack_replaces_what_has_its_id(tmp_path: Path) -> None:
    shipped, own = tmp_path / "shipped", tmp_path / "own"
    shipped.mkdir()
    own.mkdir()
    written(shipped, IDLE)
    written(shipped, IDLE.replace("idle-machine", "another"), "more.yaml")
    written(own, IDLE.replace("severity: error", "severity: note"))
    found = gathered([shipped, own])
    assert [(one.text.id, one.text.severity) for one in found] == [
        ("another", "error"), ("idle-machine", "note"),
    ]  # fmt: skip
    written(own, IDLE + IDLE.partition("policies:\n")[2])
    with pytest.raises(InputError, match="stands twice"):
        gathered([shipped, own])
