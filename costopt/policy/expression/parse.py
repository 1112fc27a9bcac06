"""The text of an expression, read: the syntax of CEL (Common Expression Language,
github.com/google/cel-spec, doc/langdef.md), without messages, bytes, unsigned numbers and `%`.

Operators bind as there, from the loosest: `?:`, `||`, `&&`, comparisons and `in`, `+ -`, `* /`,
`! -`, members.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from costopt.policy.expression.syntax import (
    Binary,
    Call,
    Choice,
    ExpressionError,
    Field,
    Item,
    Items,
    Literal,
    Name,
    Node,
    Unary,
    parts,
)

_LONGEST: Final = 10_000
"""Characters of an expression."""
_DEEPEST: Final = 50
"""Parts within one another, in brackets."""
_HIGHEST: Final = 200
"""Levels of the tree: the longest chain of operators, and what is within one another."""

_TOKEN: Final = re.compile(
    r"""(?P<space>(?:\s+|//[^\n]*)+)
      | (?P<number>(?:\d+\.\d+|\.\d+|\d+)(?:[eE][+-]?\d+)?(?![\w.]))
      | (?P<text>[rR]?(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'))
      | (?P<name>[A-Za-z_]\w*)
      | (?P<sign>&&|\|\||==|!=|<=|>=|[-+*/<>!?:.,()\[\]])
    """,
    re.VERBOSE,
)
_ESCAPES: Final = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "v": "\v",
    **{sign: sign for sign in "\\\"'`?"},
}
_ESCAPE: Final = re.compile(
    r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.S
)
_WORDS: Final = {"true": True, "false": False}
_LEVELS: Final = (
    ("||",),
    ("&&",),
    ("==", "!=", "<", "<=", ">", ">=", "in"),
    ("+", "-"),
    ("*", "/"),
)
"""Operators of two sides, the loosest first; those of a level group from the left."""


class _Token(NamedTuple):
    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def parse(text: str) -> Node:
    """The expression as a tree.

    Raises:
        ExpressionError: it is none, and where.
    """
    if len(text) > _LONGEST:
        raise ExpressionError(f"longer than {_LONGEST:,} characters", _LONGEST)
    reader = _Reader(tuple(_tokens(text)), len(text))
    found = reader.expression()
    if left := reader.next():
        raise ExpressionError(f"{left.text!r} is not expected here", left.start)
    _require_low(found)
    return found


def _require_low(tree: Node) -> None:
    """What walks the tree later may do so by recursion."""
    level: list[Node] = [tree]
    for _ in range(_HIGHEST):
        level = [part for node in level for part in parts(node)]
        if not level:
            return
    raise ExpressionError(f"more than {_HIGHEST} operators in one", level[0].start)


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise ExpressionError(*_unreadable(text, at))
        if found.lastgroup != "space":
            yield _Token(str(found.lastgroup), found[0], at)
        at = found.end()


def _unreadable(text: str, at: int) -> tuple[str, int, str]:
    sign = text[at]
    if sign in "\"'":
        return f"the text that begins with {sign} does not end", at, ""
    if sign in "&|=":
        return f"{sign!r} is no operator", at, f"write {sign * 2}"
    if sign.isdigit():
        return "no number that can be read", at, ""
    if sign == "%":
        return "'%' is not supported", at, ""
    return f"{sign!r} means nothing here", at, ""


@dataclass(slots=True)
class _Reader:
    tokens: tuple[_Token, ...]
    length: int
    at: int = 0
    depth: int = 0

    def next(self) -> _Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def take(self, *wanted: str) -> _Token | None:
        """The next token, if it is one of those."""
        token = self.next()
        if token is None or token.kind == "text" or token.text not in wanted:
            return None
        self.at += 1
        return token

    def need(self, wanted: str) -> _Token:
        if token := self.take(wanted):
            return token
        found = self.next()
        told = f"{wanted!r} is missing"
        raise ExpressionError(
            told if found else f"{told} at its end", found.start if found else self.length
        )

    def expression(self) -> Node:
        self.depth += 1
        if self.depth > _DEEPEST:
            token = self.next()
            where = token.start if token else self.length
            raise ExpressionError(f"more than {_DEEPEST} parts within one another", where)
        condition = self.sides(0)
        if self.take("?"):
            then = self.expression()
            self.need(":")
            otherwise = self.expression()
            condition = Choice(condition.start, otherwise.end, condition, then, otherwise)
        self.depth -= 1
        return condition

    def sides(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self.unary()
        left = self.sides(level + 1)
        while token := self.take(*_LEVELS[level]):
            right = self.sides(level + 1)
            left = Binary(left.start, right.end, token.text, left, right)
        return left

    def unary(self) -> Node:
        signs = []
        while token := self.take("!", "-"):
            signs.append(token)
        found = self.member()
        for sign in reversed(signs):
            found = Unary(sign.start, found.end, sign.text, found)
        return found

    def member(self) -> Node:
        found = self.primary()
        while token := self.take(".", "["):
            if token.text == "[":
                key = self.expression()
                found = Item(found.start, self.need("]").end, found, key)
                continue
            name = self.name()
            if self.take("("):
                arguments, end = self.arguments(")")
                found = Call(found.start, end, name.text, found, arguments)
            else:
                found = Field(found.start, name.end, found, name.text)
        return found

    def name(self) -> _Token:
        token = self.next()
        if token is None or token.kind != "name":
            raise ExpressionError("a name is missing", token.start if token else self.length)
        self.at += 1
        return token

    def primary(self) -> Node:
        token = self.next()
        if token is None:
            raise ExpressionError("something is missing at its end", self.length)
        self.at += 1
        if token.kind == "number":
            return Literal(token.start, token.end, float(token.text))
        if token.kind == "text":
            return Literal(token.start, token.end, _value(token))
        if token.kind == "name":
            return self.named(token)
        if token.text == "(":
            found = self.expression()
            self.need(")")
            return found
        if token.text == "[":
            items, end = self.arguments("]")
            return Items(token.start, end, items)
        raise ExpressionError(f"{token.text!r} is not expected here", token.start)

    def named(self, token: _Token) -> Node:
        if token.text in _WORDS:
            return Literal(token.start, token.end, _WORDS[token.text])
        if token.text == "null":
            raise ExpressionError(
                "null is not supported",
                token.start,
                "whether a value is known: has(resource.state)",
            )
        if token.text == "in":
            raise ExpressionError("'in' is not expected here", token.start)
        if self.take("("):
            arguments, end = self.arguments(")")
            return Call(token.start, end, token.text, None, arguments)
        return Name(token.start, token.end, token.text)

    def arguments(self, end: str) -> tuple[tuple[Node, ...], int]:
        """Those up to the closing sign, and where that ends."""
        found: list[Node] = []
        while True:
            if token := self.take(end):  # also after a last comma
                return tuple(found), token.end
            found.append(self.expression())
            if not self.take(","):
                return tuple(found), self.need(end).end


def _value(token: _Token) -> str:
    """What a text in quotes says."""
    if token.text[0] in "rR":
        return token.text[2:-1]

    def plain(found: re.Match[str]) -> str:
        code = found[1] or found[2] or found[3]
        if code and int(code, 16) < 0x110000 and not 0xD800 <= int(code, 16) < 0xE000:
            return chr(int(code, 16))
        if found[4] in _ESCAPES:
            return _ESCAPES[found[4]]
        raise ExpressionError(
            f"{found[0]} is no escape", token.start + 1 + found.start(), r"write \\ for a backslash"
        )

    return _ESCAPE.sub(plain, token.text[1:-1])
