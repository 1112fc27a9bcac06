"""Waivers and baselines: what they let stand, how long, and files that are wrong."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from costopt.errors import InputError
from costopt.policy import waivers
from tests.report.check.builders import HOSTILE, verdict

DAY = date(2026, 11, 2)
FIRST = verdict()


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_a_waiver_holds_until_its_last_day(tmp_path: Path) -> None:
    path = tmp_path / "waivers.yml"
    waivers.add(path, FIRST, owner="ann", reason="audit", until=DAY)
    read = waivers.read(path)
    (one,) = waivers.waived([FIRST], read, DAY)
    assert (one.open, one.severity) == (False, "warning")
    (one,) = waivers.waived([FIRST], read, date(2026, 11, 3))
    assert (one.open, one.lapsed, one.severity) == (True, True, "error")
    (other,) = waivers.waived([verdict("i-other")], read, DAY)
    assert other.waiver is None


def test_what_stands_in_the_file_stays(tmp_path: Path) -> None:
    path = written(
        tmp_path / "w.yml",
        "# ours\nwaivers:\n  # the audit\n  - finding: 0123456789abcdef\n    owner: ann\n"
        "    reason: audit\n    until: 2026-12-31\n",
    )
    before = path.read_text()
    waivers.add(path, FIRST, owner="bob", reason="new", until=DAY)
    assert path.read_text().startswith(before)
    assert [one.owner for one in waivers.read(path)] == ["ann", "bob"]


def test_any_text_comes_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "waivers.yml"
    reason = 'yes: "no" # {x} \n\t☃😀\u2028' + HOSTILE.replace("\ud800", "")
    waivers.add(path, verdict(HOSTILE, name=HOSTILE), owner="on", reason=reason, until=DAY)
    (one,) = waivers.read(path)
    assert (one.owner, one.reason) == ("on", reason)


def test_a_finding_is_waived_once(tmp_path: Path) -> None:
    path = tmp_path / "waivers.yml"
    waivers.add(path, FIRST, owner="ann", reason="audit", until=DAY)
    before = path.read_text()
    with pytest.raises(InputError, match="is waived already, until 2026-11-02"):
        waivers.add(path, FIRST, owner="ann", reason="audit", until=date(2027, 1, 1))
    assert path.read_text() == before
    path.write_text(before + before.split("\n", 2)[2])
    with pytest.raises(InputError, match=r"waivers.yml:9:5: .* is waived twice"):
        waivers.read(path)


@pytest.mark.parametrize("text", ["waivers: []\n", "{waivers: []}"])
def test_a_list_in_one_line_is_left_alone(tmp_path: Path, text: str) -> None:
    path = written(tmp_path / "w.yml", text)
    with pytest.raises(InputError, match="written in one line"):
        waivers.add(path, FIRST, owner="ann", reason="audit", until=DAY)
    assert path.read_text() == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("waivers:\n  - finding: x\n", "finding"),
        ("waivers:\n  - {finding: 0123456789abcdef, owner: a, until: 2026-12-31}", "reason"),
        (
            "waivers:\n  - {finding: 0123456789abcdef, owner: a, reason: b, until: soon}",
            "until",
        ),
        ("waivers:\n  - {findig: 0123456789abcdef}", "did you mean 'finding'"),
        ("waver: 1", "did you mean 'waivers'"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as error:
        waivers.read(written(tmp_path / "w.yml", text))
    assert "w.yml:" in str(error.value)


def test_waivers_of_nothing_are_told(tmp_path: Path) -> None:
    path = tmp_path / "waivers.yml"
    waivers.add(path, FIRST, owner="ann", reason="audit", until=DAY)
    read = waivers.read(path)
    assert waivers.of_nothing([FIRST], read) == []
    (note,) = waivers.of_nothing([], read)
    assert note.startswith("1 waiver waives no finding any more: ")


def test_a_baseline_knows_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    assert waivers.write_baseline(path, [FIRST]) == 1
    before = waivers.baseline(path)
    old, new = waivers.known([FIRST, verdict("i-new")], before)
    assert (old.open, new.open) == (False, True)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 2, "findings": {}}', "[" * 99_999])
def test_what_is_no_baseline_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match=r"no JSON|no baseline"):
        waivers.baseline(written(tmp_path / "b.json", text))
    with pytest.raises(InputError, match="no such baseline"):
        waivers.baseline(tmp_path / "none.json")
