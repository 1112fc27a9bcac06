"""YAML files of people: what is read of them, and what is refused, with its line and column."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.documents import yaml_file, yaml_model
from costopt.documents.yaml_model import Part, Zone
from costopt.errors import InputError


def read(folder: Path, text: str | bytes, *, numbers: bool = True) -> object:
    path = folder / "file.yml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return yaml_file.read(path, called="list", numbers=numbers).given


def test_plain_values_are_what_people_mean(tmp_path: Path) -> None:
    """YAML 1.1 takes these for false, true, 8, 90, 1000, a day and infinity."""
    words = ["no", "On", "010", "1:30", "1_000", "2024-07-01", ".inf", "0x1f"]
    text = "[" + ", ".join([*words, "true", "~", "12", "-3", "0", "1.5", "1e3", ".5", "'7'"]) + "]"
    assert read(tmp_path, text) == [*words, True, None, 12, -3, 0, 1.5, 1000.0, 0.5, "7"]


def test_numbers_may_stay_as_they_are_written(tmp_path: Path) -> None:
    assert read(tmp_path, "[012, 1.50, 1e3, true]", numbers=False) == ["012", "1.50", "1e3", True]


@given(st.integers(-(10**17), 10**17) | st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_the_number_that_stands_there(number: float) -> None:
    with TemporaryDirectory() as folder:
        assert read(Path(folder), repr(number)) == number


REFUSED = {
    "no end": ("a: [1\n", "2:1", "not YAML"),
    "a tab": ("a:\n\t- b\n", "2:1", "not YAML"),
    "a key twice": ("a: 1\nb:\n  c: 1\n  c: 2\n", "4:3", "'c' stands twice, first in line 3"),
    "a key twice in a row": ("a: 1\nb: {c: 1, d: 2, c: 3}\n", "2:17", "'c' stands twice"),
    "a tag": ("a: 1\nb: !!python/object:os.system x\n", "2:4", "no tag like"),
    "a tag of YAML's own": ("a: !!bool maybe\n", "1:4", "no tag like"),
    "two files": ("a: 1\n---\nb: 2\n", "2:1", "not YAML"),
    "a list as a key": ("? [a]\n: b\n", "1:3", "not YAML"),
    "no text": (b"a: 1\nb: \x00", "2:4", "not a readable YAML file"),
    "another encoding": (b"a: 1\nb: caf\xe9", "2:7", "not in UTF-8"),
    "half a byte order mark": (b"\xff\xfe", "1:1", "not in UTF-8"),
}


@pytest.mark.parametrize(("text", "place", "said"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_and_where(text: str | bytes, place: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    assert said in caught.value.what
    assert caught.value.where == f"{tmp_path / 'file.yml'}:{place}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 20_000, "not a list: nested too deeply"),
        ("# " + "x" * yaml_file.LARGEST, "not a list: larger than 1 MiB"),
    ],
    ids=["deep", "large"],
)
def test_no_file_of_a_person(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    assert caught.value.what == said


def test_no_file_at_all(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such list"):
        yaml_file.read(tmp_path / "none.yml", called="list", numbers=True)
    with pytest.raises(InputError, match="cannot be read"):
        yaml_file.read(tmp_path, called="list", numbers=True)


def test_merged_keys_and_aliases_are_read(tmp_path: Path) -> None:
    text = "a: &a {x: 1}\nb: {<<: *a, y: 2}\nc: *a\n"
    assert read(tmp_path, text) == {"a": {"x": 1}, "b": {"x": 1, "y": 2}, "c": {"x": 1}}


class Inner(Part):
    """A part within a part."""

    size: int = 0
    clock: Zone = "UTC"
    names: str | tuple[str, ...] = ()


class Outer(Part):
    """A file."""

    parts: tuple[Inner, ...] = ()


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        ("parts:\n- {size: 1}\n- {sice: 1}\n", "3:4", "parts.1.sice: no such field; did you mean "
         "'size'?"),
        ("parts:\n- size: big\n", "2:3", "parts.0.size: 'big' is not a whole number"),
        ("parts:\n- names: {a: b}\n", "2:3", "parts.0.names: needs text; true and the like "
         "stand in quotes to be text"),
        ("parts:\n- names: 1\n", "2:3", "parts.0.names: needs text; true and the like stand in "
         "quotes to be text"),
        ("parts:\n- clock: Mars\n", "2:3", "parts.0.clock: 'Mars' is no IANA time zone, like "
         "Europe/Amsterdam"),
        ("- a\n", "1:1", "the file: needs fields of its own"),
    ],
)  # fmt: skip
def test_a_field_is_told_with_its_place(text: str, place: str, what: str, tmp_path: Path) -> None:
    path = tmp_path / "file.yml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        yaml_model.load(path, Outer, called="list", hint="read", numbers=True)
    assert (caught.value.what, caught.value.where) == (what, f"{path}:{place}")
    assert caught.value.hint == "read"
