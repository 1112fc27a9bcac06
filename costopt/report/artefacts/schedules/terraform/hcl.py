"""Terraform's language, written as `terraform fmt` would: blocks, attributes, and safe strings.

Source: developer.hashicorp.com, "Strings and Templates" (escapes; $${ and %%{), "Style
Conventions" (equals signs of neighbouring lines stand below one another).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

_ESCAPES: Final = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_INDENT: Final = "  "


@dataclass(frozen=True, slots=True)
class Raw:
    """An expression as it stands: a reference, a call."""

    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function of one value, such as jsonencode."""

    function: str
    value: object


@dataclass(frozen=True, slots=True)
class Block:
    """type "label" { attributes, then blocks }."""

    type: str
    labels: tuple[str, ...] = ()
    attributes: Mapping[str, object] = field(default_factory=dict)
    blocks: tuple[Block, ...] = ()
    comment: str = ""  # one line


def document(header: str, blocks: Iterable[Block]) -> bytes:
    """A file of those blocks below a comment."""
    told = "".join(f"# {line}\n" for line in header.splitlines())
    return (told + "".join("\n" + "\n".join(_block(one)) + "\n" for one in blocks)).encode()


def string(text: str) -> str:
    """The text as a literal in which nothing is filled in."""
    plain = "".join(_ESCAPES.get(letter) or _shown(letter) for letter in text)
    return '"' + re.sub(r"([$%])\{", r"\1\1{", plain) + '"'


def _shown(letter: str) -> str:
    if letter.isprintable():
        return letter
    if "\ud800" <= letter <= "\udfff":  # half a character, which no file can hold
        return "\N{REPLACEMENT CHARACTER}"
    return f"\\U{ord(letter):08x}"


def _block(block: Block) -> list[str]:
    labels = "".join(f" {string(label)}" for label in block.labels)
    inner = _attributes(block.attributes.items())
    for one in block.blocks:
        inner += ["", *_block(one)] if inner else _block(one)
    comment = [f"# {block.comment}"] if block.comment else []
    body = [f"{_INDENT}{line}" if line else "" for line in inner]
    return [*comment, f"{block.type}{labels} {{", *body, "}"]


def _attributes(pairs: Iterable[tuple[str, object]]) -> list[str]:
    """Lines of name = value; those of one line aligned, others set apart by empty lines."""
    lines: list[str] = []
    together: list[tuple[str, str]] = []
    for name, value in pairs:
        written = _value(value)
        if len(written) == 1:
            together.append((name, written[0]))
            continue
        lines += _aligned(together, lines)
        together = []
        lines += [*([""] if lines else []), f"{name} = {written[0]}", *written[1:]]
    return lines + _aligned(together, lines)


def _aligned(pairs: list[tuple[str, str]], before: list[str]) -> list[str]:
    if not pairs:
        return []
    width = max(len(name) for name, _ in pairs)
    return [*([""] if before else []), *(f"{name:<{width}} = {text}" for name, text in pairs)]


def _value(value: object) -> list[str]:
    """The value's lines; those after the first are indented as they stand below it."""
    match value:
        case Call(function, inner):
            return _wrapped(f"{function}(", _value(inner), ")")
        case list():
            return _list(value)
        case dict():
            pairs = ((_key(str(name)), inner) for name, inner in value.items())
            return ["{", *(f"{_INDENT}{x}" if x else "" for x in _attributes(pairs)), "}"]
    return [_single(value)]


def _wrapped(before: str, lines: list[str], after: str) -> list[str]:
    first, last = f"{before}{lines[0]}", f"{lines[-1]}{after}"
    return [first, *lines[1:-1], last] if len(lines) > 1 else [f"{first}{after}"]


def _single(value: object) -> str:
    match value:
        case Raw(text):
            return text
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            return string(value)
    raise TypeError(f"no HCL for {type(value).__name__}")


def _list(values: list[object]) -> list[str]:
    written = [_value(one) for one in values]
    if all(len(lines) == 1 for lines in written):
        return [f"[{', '.join(lines[0] for lines in written)}]"]
    lines = [line for one in written for line in (*one[:-1], f"{one[-1]},")]
    return ["[", *(f"{_INDENT}{line}" if line else "" for line in lines), "]"]


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", name) else string(name)
