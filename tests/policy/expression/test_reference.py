"""Expressions mean what Google's own CEL says that they mean, row by row.

A field that is missing is no variable there, which is an error; ours is unknown. Numbers are
written as decimals for it, as it compares no decimal with a whole number; division and has() are
not asked (by zero it gives infinity, and it has no fields of what is missing).
"""

from __future__ import annotations

from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.policy.expression import compiled
from tests.policy.expression.world import KINDS, VARIABLES, values

cel = pytest.importorskip("cel_expr_python.cel", reason="Google's CEL has no build for this Python")

NUMBERS: Final = st.sampled_from(["1.0", "2.0", "8.0", "-3.5", "resource.vcpus", "profile.cpu.p99"])
TEXTS: Final = st.sampled_from(
    ["'db'", "'web'", "''", "resource.name", "resource.tags['owner']", "resource.tags.env"]
)
WORDS: Final = st.sampled_from(["'d'", "'we'", "''", "'^w'", "'b$'"])

COMPARED: Final = ["<", "<=", ">", ">=", "==", "!="]
QUANTIFIERS: Final = st.sampled_from(["exists", "all"])
KEYS: Final = st.sampled_from(["'env'", "'owner'", "resource.name"])
TAGS: Final = [
    *(None, [], [("env", "db")], [("owner", "web"), ("env", "")], [("a", "b"), ("owner", "we")]),
]


def sums(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds("({} {} {})".format, inner, st.sampled_from("+-*"), inner)


numbers = st.recursive(NUMBERS, sums, max_leaves=3)
texts = TEXTS | st.builds("({} + {})".format, TEXTS, TEXTS)
asked = st.one_of(
    st.sampled_from(["resource.running", "true", "false"]),
    st.sampled_from(["'env' in resource.tags", "'owner' in resource.tags"]),
    st.builds("{} {} {}".format, numbers, st.sampled_from(COMPARED), numbers),
    st.builds("{} {} {}".format, texts, st.sampled_from(["<", "==", "!=", ">="]), texts),
    st.builds("{} in [{}, 'x']".format, texts, st.sampled_from(["'db'", "'web-1'"])),
    st.builds(
        "{}.{}({})".format,
        texts, st.sampled_from(["startsWith", "endsWith", "contains", "matches"]), WORDS,
    ),
    st.builds("resource.tags.{}(k, k {} {})".format, QUANTIFIERS, st.sampled_from(COMPARED), KEYS),
    st.builds("['db', 'web'].{}(p, resource.name.startsWith(p))".format, QUANTIFIERS),
)  # fmt: skip


def logic(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return (
        st.builds("({} {} {})".format, inner, st.sampled_from(["&&", "||"]), inner)
        | st.builds("!({})".format, inner)
        | st.builds("({} ? {} : {})".format, inner, inner, inner)
    )


expressions = st.recursive(asked, logic, max_leaves=6)
machines = st.fixed_dictionaries(
    {
        "resource.name": st.sampled_from([None, "", "db", "web-1", "we"]),
        "resource.vcpus": st.sampled_from([None, 1.0, 2.0, 8.0]),
        "resource.running": st.sampled_from([None, True, False]),
        "resource.tags": st.sampled_from(
            [
                None,
                [],
                [("env", "db")],
                [("owner", "web"), ("env", "")],
                [("a", "b"), ("owner", "we")],
            ]
        ),
        "profile.cpu.p99": st.sampled_from([None, 0.0, -3.5, 8.0]),
    }
)
_TYPES: Final = {
    "a text": cel.Type.STRING,
    "a number": cel.Type.DOUBLE,
    "true or false": cel.Type.BOOL,
    "tags": cel.Type.Map(cel.Type.STRING, cel.Type.STRING),
}
ENVIRONMENT: Final = cel.NewEnv(
    variables={name: _TYPES[kind.words] for name, kind in KINDS.items()}
)


def reference(text: str, row: dict[str, Any]) -> bool | None:
    known = {
        name: dict(value) if name == "resource.tags" else value
        for name, value in row.items()
        if value is not None
    }
    found = ENVIRONMENT.compile(text).eval(data=known)
    return found.value() if found.type() == cel.Type.BOOL else None


@settings(max_examples=150)
@given(text=expressions, rows=st.lists(machines, min_size=1, max_size=5))
def test_as_the_reference(text: str, rows: list[dict[str, Any]]) -> None:
    assert values(text, *rows) == [reference(text, row) for row in rows], text


def test_the_reference_knows_what_is_unknown() -> None:
    row = {"resource.vcpus": None, "resource.running": False}
    assert reference("resource.vcpus > 1.0 && resource.running", row) is False
    assert reference("resource.vcpus > 1.0 || resource.running", row) is None
    assert compiled("resource.vcpus > 1.0", VARIABLES).fields == {"resource.vcpus"}
