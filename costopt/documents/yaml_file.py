"""YAML as people write it: words stay words, no key counts twice, and everything has its place.

YAML 1.1, which PyYAML reads, takes `no` for false, 06200 for 3200 and 1:30 for 90. Here a plain
value is text unless it is null, true, false or, where the reader asks for them, a number in the
plain decimal form of YAML 1.2.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple, NoReturn

import yaml

from costopt.errors import InputError

LARGEST: Final = 1024 * 1024
"""Bytes of a file that a person wrote; what is larger is another file."""

_TAG: Final = "tag:yaml.org,2002:"


class _Plain(yaml.SafeLoader):
    """Nothing is guessed but null, true and false."""

    yaml_implicit_resolvers: dict[str, list[Any]] = {}  # noqa: RUF012  (as its base has it)


class _Numbers(_Plain):
    """Numbers are numbers."""


for _loader, _kind, _pattern, _first in (
    (_Plain, "null", r"^(~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    (_Plain, "bool", r"^(true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    (_Plain, "merge", r"^<<$", ["<"]),
    (_Numbers, "int", r"^[-+]?(0|[1-9][0-9]{0,17})$", list("-+0123456789")),
    (
        _Numbers,
        "float",
        r"^[-+]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?$",
        list("-+.0123456789"),
    ),
):
    _loader.add_implicit_resolver(f"{_TAG}{_kind}", re.compile(_pattern), _first)


class Place(NamedTuple):
    """Where something stands, counted from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says, and where it says it."""

    path: Path
    given: Any  # None = nothing
    root: yaml.Node | None

    def place(self, steps: tuple[int | str, ...]) -> Place:
        """Where a field stands, or the innermost part of it that the file has."""
        node, found = self.root, Place(1, 1)
        for step in steps:
            inner = _inner(node, step)
            if inner is None:
                break
            mark, node = inner
            found = Place(mark.line + 1, mark.column + 1)
        return found

    def where_in(self, steps: tuple[int | str, ...], offset: int) -> str:
        """Where a character of that field's text stands, for people.

        Args:
            offset: in the text as it was read, from 0: folded and indented lines are counted by
                what is not blank, so that only escapes in quotes shift the place.
        """
        node = self.root
        for step in steps:
            inner = _inner(node, step)
            node = inner[1] if inner else None
        if not isinstance(node, yaml.ScalarNode) or node.start_mark.buffer is None:
            return self.where(steps)
        line, column = _of_character(node, offset)
        return f"{self.path}:{line}:{column}"

    def known(self, steps: tuple[int | str, ...]) -> tuple[int | str, ...]:
        """The steps as far as the file has them: below that, pydantic names the kinds it tried."""
        node = self.root
        for count, step in enumerate(steps):
            inner = _inner(node, step)
            if inner is None:
                return steps[:count]
            node = inner[1]
        return steps

    def where(self, steps: tuple[int | str, ...] = ()) -> str:
        """The field's file, line and column, for people."""
        line, column = self.place(steps)
        return f"{self.path}:{line}:{column}"


def read(path: Path, *, called: str, numbers: bool) -> Document:
    """A file that a person wrote.

    Args:
        called: what it is, for errors: mapping file.
        numbers: plain numbers are int or float; else they stay text, as they are written.
    Raises:
        InputError: no such file, too large, not YAML, a key that stands twice.
    """
    text = _text(path, called)
    try:
        return _document(path, text, _Numbers if numbers else _Plain)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)
        raise _unusable(path, place, f"not YAML: {error.problem or error.context}") from None
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        place = Place(before.count("\n") + 1, len(before) - before.rfind("\n"))
        raise _unusable(path, place, f"not a readable YAML file: {error.reason}") from None
    except RecursionError:
        raise InputError(f"not a {called}: nested too deeply", where=str(path)) from None


def _document(path: Path, text: str, kind: type[_Plain]) -> Document:
    loader = kind(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return Document(path, None, None)
        _refuse_odd(loader, root)
        return Document(path, loader.construct_document(root), root)
    finally:
        loader.dispose()


def _text(path: Path, called: str) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except FileNotFoundError:
        raise InputError(f"no such {called}", where=str(path)) from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from None
    if len(data) > LARGEST:
        what = f"not a {called}: larger than {LARGEST // 1024**2} MiB"
        raise InputError(what, where=str(path))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        place = Place(before.count(b"\n") + 1, len(before) - before.rfind(b"\n"))
        raise _unusable(path, place, "not a readable YAML file: not in UTF-8") from None


def _of_character(node: yaml.ScalarNode, offset: int) -> Place:
    """Where that character of the text stands."""
    start = node.start_mark
    written = str(start.buffer)[start.pointer :]
    block = node.style in ("|", ">")  # what follows the sign, in its line, is how it is folded
    at = written.index("\n") + 1 if block else len(node.style or "")
    left = sum(not sign.isspace() for sign in node.value[:offset])
    while at < len(written) and (left or written[at].isspace()):
        left -= not written[at].isspace()
        at += 1
    before = written[:at]
    lines = before.count("\n")
    column = len(before) - before.rfind("\n") if lines else start.column + len(before) + 1
    return Place(start.line + 1 + lines, column)


def _unusable(path: Path, place: Place, what: str) -> InputError:
    return InputError(what, where=f"{path}:{place.line}:{place.column}")


def _inner(node: yaml.Node | None, step: int | str) -> tuple[yaml.Mark, yaml.Node] | None:
    """Where that part of a node begins, and the part."""
    if isinstance(node, yaml.MappingNode):
        pairs = [(key, value) for key, value in node.value if key.value == str(step)]
        return (pairs[-1][0].start_mark, pairs[-1][1]) if pairs else None
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int):
        return node.value[step].start_mark, node.value[step]
    return None


def _refuse_odd(loader: yaml.SafeLoader, root: yaml.Node) -> None:
    """Keys that stand twice, of which the last would count, and tags, which nothing here needs."""
    waiting, seen = [root], set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue  # an alias
        seen.add(id(node))
        asked: tuple[object, ...]
        if isinstance(node, yaml.ScalarNode):
            plain = node.style is None
            asked = (yaml.ScalarNode, node.value, (plain, not plain))
        else:
            asked = (type(node), None, True)
            waiting += _parts(node)
        implied = loader.resolve(*asked)  # type: ignore[no-untyped-call]
        if node.tag != implied:
            _refuse(node, f"no tag like {node.tag!r} is read here")


def _parts(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.SequenceNode):
        return list(node.value)
    keys: dict[str, int] = {}
    for key, _ in node.value:
        if isinstance(key, yaml.ScalarNode):
            if key.value in keys:
                _refuse(key, f"{key.value!r} stands twice, first in line {keys[key.value]}")
            keys[key.value] = key.start_mark.line + 1
    return [part for pair in node.value for part in pair]


def _refuse(node: yaml.Node, problem: str) -> NoReturn:
    raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
