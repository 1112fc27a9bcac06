"""An expression typed against the variables there are, and made a function of columns.

Whole numbers and decimals are one kind and compare without ado. An unknown field names the nearest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import partial
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from costopt.policy.expression import columns
from costopt.policy.expression.columns import Column, Values, applied
from costopt.policy.expression.kinds import Kind, Record, Variables
from costopt.policy.expression.parse import parse
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
)

_Part: TypeAlias = "Column | Record | tuple[Column, ...]"
_Two: TypeAlias = Callable[[Values, Values], Values]

_ORDERED: Final = (Kind.NUMBER, Kind.TEXT)
_COMPARED: Final[Mapping[str, tuple[tuple[Kind, ...], _Two]]] = MappingProxyType(
    {
        "==": ((Kind.BOOL, *_ORDERED), pc.equal),
        "!=": ((Kind.BOOL, *_ORDERED), pc.not_equal),
        "<": (_ORDERED, pc.less),
        "<=": (_ORDERED, pc.less_equal),
        ">": (_ORDERED, pc.greater),
        ">=": (_ORDERED, pc.greater_equal),
        "+": ((Kind.NUMBER, Kind.TEXT), pc.add),
        "-": ((Kind.NUMBER,), pc.subtract),
        "*": ((Kind.NUMBER,), pc.multiply),
        "/": ((Kind.NUMBER,), columns.divide),
        "&&": ((Kind.BOOL,), pc.and_kleene),
        "||": ((Kind.BOOL,), pc.or_kleene),
    }
)
_TAGS: Final = 50  # that a resource has, at most, of AWS and Azure
_MOST: Final = 2_500
"""How many times over an expression may ask of one resource: tags of tags, not a third time."""
_KEEPS_KIND: Final = frozenset("+-*/")
_TEXT: Final[Mapping[str, Callable[[Values, str], Values]]] = MappingProxyType(
    {
        "startsWith": lambda text, part: pc.starts_with(text, pattern=part),
        "endsWith": lambda text, part: pc.ends_with(text, pattern=part),
        "contains": lambda text, part: pc.match_substring(text, pattern=part),
        "matches": lambda text, part: pc.match_substring_regex(text, pattern=part),
    }
)
"""Functions of a text and one that is written out."""
_CASES: Final = MappingProxyType({"lowerAscii": pc.ascii_lower, "upperAscii": pc.ascii_upper})
_MACROS: Final = ("exists", "all")
FUNCTIONS: Final = ("has", "size", *_TEXT, *_CASES, *_MACROS)
"""Names of all functions."""


def compiled(text: str, variables: Variables, wanted: Kind | None = None) -> Column:
    """The expression as a function of columns.

    Args:
        wanted: the kind that its value must have; None = any.
    Raises:
        ExpressionError: it cannot be read, or its kinds do not fit, and where.
    """
    tree = parse(text)
    found = _value(tree, _Scope(variables))
    if wanted and found.kind is not wanted:
        raise ExpressionError(f"this is {found.kind.words}, not {wanted.words}", tree.start)
    return found


class _Scope(dict[str, "_Part"]):
    """What names mean, and how many times over the part is asked: comprehensions within one
    another multiply."""

    times: int = 1

    def within(self, name: str, item: _Part, times: int) -> _Scope:
        """Of the body of a comprehension over so many."""
        inner = _Scope({**self, name: item})
        inner.times = self.times * times
        return inner


def _value(node: Node, scope: _Scope) -> Column:
    """A part that has a value."""
    found = _part(node, scope)
    if isinstance(found, Column):
        return found
    if isinstance(found, Record):
        hint = f"its fields: {', '.join(sorted(found.fields))}"
        raise ExpressionError("this is no value, but has fields", node.start, hint)
    raise ExpressionError("a list is no value: ask whether something is `in` it", node.start)


def _part(node: Node, scope: _Scope) -> _Part:
    return _PARTS[type(node)](node, scope)


def _literal(node: Literal, scope: _Scope) -> Column:
    return columns.literal(node.value)


def _name(node: Name, scope: _Scope) -> _Part:
    return _named(node.name, scope, node.start, "variable")


def _item(node: Item, scope: _Scope) -> Column:
    tags, key = _of_kind(node.of, scope, Kind.TAGS), _of_kind(node.key, scope, Kind.TEXT)
    return _tag(tags, key, node.key)


def _items(node: Items, scope: _Scope) -> tuple[Column, ...]:
    return tuple(_constant(item, scope) for item in node.items)


def _unary(node: Unary, scope: _Scope) -> Column:
    if node.operator == "!":
        return applied(Kind.BOOL, "!", pc.invert, _of_kind(node.of, scope, Kind.BOOL))
    of = _of_kind(node.of, scope, Kind.NUMBER)
    if isinstance(of.constant, float):
        return columns.literal(-of.constant)
    return applied(Kind.NUMBER, "-", pc.negate, of)


def _named(name: str, known: Mapping[str, _Part], start: int, what: str) -> _Part:
    if name in known:
        return known[name]
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(sorted(known))}"
    raise ExpressionError(f"there is no {what} {name!r}", start, hint)


def _field(node: Field, scope: _Scope) -> _Part:
    of = _part(node.of, scope)
    at = node.end - len(node.name)
    if isinstance(of, Record):
        return _named(node.name, _fields(node.of, of), at, "field")
    if isinstance(of, Column) and of.kind is Kind.TAGS:
        return _tag(of, columns.literal(node.name), node)
    raise ExpressionError(f"there is no field {node.name!r} of a value", at)


def _fields(node: Node, record: Record) -> dict[str, _Part]:
    path = _path(node)
    return {
        name: field if isinstance(field, Record) else columns.column(f"{path}.{name}", field.kind)
        for name, field in record.fields.items()
    }


def _path(node: Node) -> str:
    """Of what has fields: a name, or a field of it."""
    if isinstance(node, Field):
        return f"{_path(node.of)}.{node.name}"
    assert isinstance(node, Name)
    return node.name


def _tag(tags: Column, key: Column, node: Node) -> Column:
    if not isinstance(key.constant, str):
        raise ExpressionError("a tag is named by a text that is written out", node.start)
    name = key.constant
    return applied(
        Kind.TEXT, f"tag {name!r}", lambda maps: columns.tag(maps, pa.scalar(name)), tags
    )


def _of_kind(node: Node, scope: _Scope, *wanted: Kind) -> Column:
    found = _value(node, scope)
    if found.kind not in wanted:
        words = " or ".join(kind.words for kind in wanted)
        raise ExpressionError(f"this is {found.kind.words}, and {words} is wanted", node.start)
    return found


def _constant(node: Node, scope: _Scope) -> Column:
    found = _value(node, scope)
    if found.constant is None:
        raise ExpressionError("what a list holds must be written out", node.start)
    return found


def _binary(node: Binary, scope: _Scope) -> Column:
    if node.operator == "in":
        return _within(node, scope)
    kinds, function = _COMPARED[node.operator]
    left = _of_kind(node.left, scope, *kinds)
    right = _of_kind(node.right, scope, *kinds)
    if left.kind is not right.kind:
        raise ExpressionError(
            f"{left.kind.words} {node.operator} {right.kind.words}: both must be of one kind",
            node.start,
        )
    if node.operator == "+" and left.kind is Kind.TEXT:
        function = columns.joined
    kind = left.kind if node.operator in _KEEPS_KIND else Kind.BOOL
    return applied(kind, node.operator, function, left, right)


def _within(node: Binary, scope: _Scope) -> Column:
    left, right = _value(node.left, scope), _part(node.right, scope)
    if isinstance(right, Column) and right.kind is Kind.TAGS:
        if left.kind is not Kind.TEXT or left.constant is None:
            raise ExpressionError("a tag is named by a text that is written out", node.left.start)
        function = partial(columns.has_tag, pa.scalar(left.constant))
        return applied(Kind.BOOL, f"has tag {left.constant!r}", function, right)
    if not isinstance(right, tuple):
        raise ExpressionError('`in` asks of tags, or of a list: ["a", "b"]', node.right.start)
    wrong = next((item.kind for item in right if item.kind is not left.kind), None)
    if wrong:
        told = f"the list holds {wrong.words}, and {left.kind.words} is looked for"
        raise ExpressionError(told, node.right.start)
    values = pa.array([item.constant for item in right], left.kind.arrow)
    function = partial(_is_in, values)
    return applied(Kind.BOOL, f"in {values.to_pylist()!r}", function, left)


def _is_in(values: pa.Array, found: Values) -> Values:
    within = pc.is_in(found, value_set=values)
    return pc.if_else(pc.is_valid(found), within, pa.scalar(None, pa.bool_()))


def _choice(node: Choice, scope: _Scope) -> Column:
    condition = _of_kind(node.condition, scope, Kind.BOOL)
    then, otherwise = _value(node.then, scope), _value(node.otherwise, scope)
    if then.kind is not otherwise.kind:
        told = f"{then.kind.words} or {otherwise.kind.words}: both must be of one kind"
        raise ExpressionError(told, node.then.start)
    return applied(then.kind, "?:", pc.if_else, condition, then, otherwise)


def _call(node: Call, scope: _Scope) -> Column:
    if node.function not in FUNCTIONS:
        _named(node.function, dict.fromkeys(FUNCTIONS, ()), node.start, "function")
    if node.function in _MACROS:
        return _comprehension(node, scope)
    given = (*(() if node.target is None else (node.target,)), *node.arguments)
    wanted = 2 if node.function in _TEXT else 1
    if len(given) != wanted or (wanted == 2 and node.target is None):
        form = f'x.{node.function}("...")' if wanted == 2 else f"{node.function}(x)"
        raise ExpressionError(f"it is written {form}", node.start)
    if node.function == "has":
        return _has(given[0], scope)
    if node.function == "size":
        of = _of_kind(given[0], scope, Kind.TEXT, Kind.TAGS)
        measured = columns.length if of.kind is Kind.TEXT else columns.count
        return applied(Kind.NUMBER, "size", measured, of)
    text = _of_kind(given[0], scope, Kind.TEXT)
    if node.function in _CASES:
        return applied(Kind.TEXT, node.function, _CASES[node.function], text)
    return _looked_for(node.function, text, given[1], scope)


def _looked_for(function: str, text: Column, node: Node, scope: _Scope) -> Column:
    part = _of_kind(node, scope, Kind.TEXT).constant
    if not isinstance(part, str):
        raise ExpressionError("what is looked for must be written out", node.start)
    run = _TEXT[function]
    try:
        run(pa.array([""]), part)
    except pa.ArrowInvalid as error:
        told = str(error).removeprefix("Invalid regular expression: ")
        raise ExpressionError(f"no regular expression (RE2): {told}", node.start) from None
    return applied(Kind.BOOL, f"{function} {part!r}", lambda values: run(values, part), text)


def _has(node: Node, scope: _Scope) -> Column:
    """Whether it is known; of something with fields, whether any of them is."""
    if not isinstance(node, Field | Item):
        raise ExpressionError("has() asks of a field: has(profile.cpu)", node.start)
    found = _part(node, scope)
    if isinstance(found, Column):
        return applied(Kind.BOOL, "has", pc.is_valid, found)
    assert isinstance(found, Record)
    every = [
        applied(Kind.BOOL, "has", pc.is_valid, part)
        for part in _fields(node, found).values()
        if isinstance(part, Column)
    ]
    return applied(Kind.BOOL, "any", _any, *every)


def _any(*held: Values) -> Values:
    found = held[0]
    for one in held[1:]:
        found = pc.or_(found, one)
    return found


def _comprehension(node: Call, scope: _Scope) -> Column:
    form = f'tags.{node.function}(name, name.startsWith("x"))'
    if node.target is None or len(node.arguments) != 2 or not isinstance(node.arguments[0], Name):
        raise ExpressionError(f"it is written {form}", node.start)
    name, body = node.arguments[0].name, node.arguments[1]
    if name in scope:
        raise ExpressionError(f"{name!r} means something already", node.arguments[0].start)
    over = _part(node.target, scope)
    every = node.function == "all"
    of = len(over) if isinstance(over, tuple) else _TAGS
    if scope.times * of > _MOST:
        what = f"{node.function} within one another ask more than {_MOST:,} times"
        raise ExpressionError(what, node.start, "write it as several policies")
    if isinstance(over, Column) and over.kind is Kind.TAGS:
        inner = scope.within(name, columns.bound(name), of)
        return columns.over_keys(over, name, _of_kind(body, inner, Kind.BOOL), every=every)
    if not isinstance(over, tuple):
        raise ExpressionError("it asks of tags, or of a list", node.target.start)
    held = [_of_kind(body, scope.within(name, item, of), Kind.BOOL) for item in over]
    function = pc.and_kleene if every else pc.or_kleene
    found = columns.literal(every)
    for one in held:
        found = applied(Kind.BOOL, node.function, function, found, one)
    return found


_PARTS: Final[Mapping[type[Node], Callable[[Any, _Scope], _Part]]] = MappingProxyType(
    {
        Literal: _literal,
        Name: _name,
        Field: _field,
        Item: _item,
        Items: _items,
        Unary: _unary,
        Binary: _binary,
        Choice: _choice,
        Call: _call,
    }
)
