"""What expressions say, by hand; missing is neither true nor false."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from costopt.policy.expression import compiled
from tests.policy.expression.world import MACHINES, VARIABLES, batch, values


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("resource.vcpus > 2", [True, False, None]),
        ("resource.vcpus >= 2.0 && profile.cpu.p99 < 5", [None, False, None]),
        ("resource.vcpus == 8 || profile.cpu.p99 < 5", [True, False, True]),
        ("!resource.running", [False, True, None]),
        ("-resource.vcpus + 2 * 3", [-2.0, 4.0, None]),
        ("2 + 3 * 4 - 10 / 4", [11.5] * 3),
        ("resource.vcpus / 0 > 1", [None] * 3),
        ("has(profile.cpu)", [False, True, True]),
        ("has(profile.cpu.mean) || has(profile.cpu.p99)", [False, True, True]),
        ("resource.vcpus > 4 ? 'large' : \"small\"", ["large", "small", None]),
        ("true ? 1 : 2 / 0", [1.0] * 3),
        # texts
        ("resource.name + '!'", ["web-1!", "db!", None]),
        ("resource.name.startsWith('web') || resource.name.endsWith('b')", [True, True, None]),
        ("resource.name.contains('-')", [True, False, None]),
        (r"resource.name.matches(r'^\w+-\d$')", [True, False, None]),
        ("size(resource.name)", [5.0, 2.0, None]),
        ("resource.name.size() == 2", [False, True, None]),
        ("resource.name.upperAscii()", ["WEB-1", "DB", None]),
        ("resource.name in ['db', 'web-2']", [False, True, None]),
        ("resource.vcpus in [1, 2, 8.0]", [True, True, None]),
        (r"""'\u0041\x42\n\'' == 'AB' + '\n' + "'" """, [True] * 3),
        # tags
        ("resource.tags['owner'] == 'ann'", [True, None, None]),
        ("resource.tags.owner", ["ann", None, None]),
        ("has(resource.tags.owner)", [True, False, False]),
        ("'owner' in resource.tags", [True, False, None]),
        ("size(resource.tags)", [2.0, 0.0, None]),
        ("resource.tags.exists(key, key.startsWith('own'))", [True, False, None]),
        ("resource.tags.all(key, key in ['owner'])", [False, True, None]),
        ("resource.tags.exists(key, key == 'env' && resource.vcpus > 4)", [True, False, None]),
        # lists
        ("['web', 'api'].exists(part, resource.name.startsWith(part))", [True, False, None]),
        ("[1, 2].all(n, resource.vcpus > n)", [True, False, None]),
        ("[].all(n, n > 1)", [True] * 3),
    ],
)  # fmt: skip
def test_by_hand(text: str, wanted: list[Any]) -> None:
    assert values(text) == wanted


def test_all_over_keys_of_which_one_says_no_and_another_is_unknown() -> None:
    row = {"resource.tags": [("a", "1"), ("b", "2")], "profile.cpu.p99": None}
    text = "resource.tags.all(key, key == 'a' ? profile.cpu.p99 > 1 : false)"
    assert values(text, row) == [False]
    text = "resource.tags.exists(key, key == 'a' ? profile.cpu.p99 > 1 : true)"
    assert values(text, row) == [True]
    text = "resource.tags.exists(key, key == 'a' ? profile.cpu.p99 > 1 : false)"
    assert values(text, row) == [None]


def test_no_rows() -> None:
    found = compiled("resource.tags.exists(key, key == 'a') || resource.vcpus > 1", VARIABLES)
    none = batch().taken(pa.array([], pa.int64()), found.fields)
    assert found.array(none).to_pylist() == []


def test_what_is_said_twice_is_computed_once() -> None:
    rows = batch()
    first, second = (
        compiled(f"size(resource.tags) > {n} || resource.tags['owner'] == 'ann'", VARIABLES)
        for n in (1, 2)
    )
    first.array(rows)
    known = len(rows.known)
    second.array(rows)
    # size(), the tag and its comparison were there; a number, its comparison and the whole are new
    assert len(rows.known) == known + 3


def test_the_fields_that_it_reads() -> None:
    found = compiled(
        "resource.vcpus > 1 ? has(profile.cpu) : resource.tags.all(k, k > '')", VARIABLES
    )
    assert found.fields == {
        "resource.vcpus", "profile.cpu.p99", "profile.cpu.mean", "resource.tags",
    }  # fmt: skip


def test_parts_that_differ_in_one_constant_are_not_taken_for_each_other() -> None:
    """What says the same is computed once a batch, so it must say all of itself."""
    for one, other in (
        ("'env' in resource.tags", "'nothing' in resource.tags"),
        ("resource.tags['env'] == 'prod'", "resource.tags['owner'] == 'prod'"),
        ("resource.name in ['web-1']", "resource.name in ['x']"),
        ("resource.name.startsWith('w')", "resource.name.startsWith('x')"),
        ("resource.name.matches('^w')", "resource.name.matches('^x')"),
        ("resource.name == 'web-1'", "resource.name == 'x'"),
        ("resource.vcpus > 4", "resource.vcpus > 9"),
        ("resource.tags.exists(k, k == 'env')", "resource.tags.exists(k, k == 'x')"),
        ("['web'].exists(p, resource.name.startsWith(p))",
         "['x'].exists(p, resource.name.startsWith(p))"),
    ):  # fmt: skip
        asked = batch(MACHINES[0])
        told = [compiled(text, VARIABLES).array(asked).to_pylist() for text in (one, other)]
        assert told == [[True], [False]], one
