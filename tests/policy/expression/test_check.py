"""What is wrong with an expression is said at its place, with what would be right."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.policy.expression import FUNCTIONS, ExpressionError, Kind, compiled
from tests.policy.expression.world import VARIABLES


def wrong(text: str, wanted: Kind | None = None) -> tuple[str, int, str]:
    with pytest.raises(ExpressionError) as error:
        compiled(text, VARIABLES, wanted)
    return str(error.value), error.value.offset, error.value.hint


@pytest.mark.parametrize(
    ("text", "words", "at", "hint"),
    [
        ("resource.vcpu > 1", "no field 'vcpu'", 9, "did you mean vcpus?"),
        ("profile.gpu.p99 > 1", "no field 'gpu'", 8, "did you mean cpu?"),
        ("profile.zzzzz > 1", "no field 'zzzzz'", 8, "there are: cpu"),
        ("resorce.name == ''", "no variable 'resorce'", 0, "did you mean resource?"),
        ("resource.name.startswith('a')", "no function 'startswith'", 0, "mean startsWith?"),
        ("resource.name > 1", "both must be of one kind", 0, ""),
        ("1 < 2 && resource.name", "a text, and true or false is wanted", 9, ""),
        ("resource.running > true", "true or false, and a number or a text", 0, ""),
        ("resource.name.matches('(')", "no regular expression (RE2)", 22, ""),
        ("resource.name.matches(resource.name)", "must be written out", 22, ""),
        ("resource.name in ['a', 1]", "the list holds a number", 17, ""),
        ("resource.name in resource.name", "`in` asks of tags, or of a list", 17, ""),
        ("resource.tags[resource.name] == ''", "named by a text that is written out", 14, ""),
        ("resource == 1", "this is no value, but has fields", 0, "name, running, tags, vcpus"),
        ("[1, 2]", "a list is no value", 0, ""),
        ("resource.vcpus > 1 ? 1 : 'a'", "both must be of one kind", 21, ""),
        ("resource.name == null", "null is not supported", 17, "has("),
        ("has(resource.vcpus > 1)", "has() asks of a field", 4, ""),
        ("size(1, 2)", "it is written size(x)", 0, ""),
        ("resource.tags.exists(resource, true)", "means something already", 21, ""),
        ("resource.vcpus = 1", "'=' is no operator", 15, "write =="),
        ("resource.vcpus & 1", "'&' is no operator", 15, "write &&"),
        ("resource.vcpus <", "missing at its end", 16, ""),
        ("(resource.vcpus > 1", "')' is missing at its end", 19, ""),
        ("resource.vcpus > 1)", "')' is not expected here", 18, ""),
        ("resource.name == 'a", "does not end", 17, ""),
        (r"'\q' == ''", r"\q is no escape", 1, "for a backslash"),
        ("1.2.3 > 1", "no number that can be read", 0, ""),
        ("7 % 2 == 1", "'%' is not supported", 2, ""),
        ("", "missing at its end", 0, ""),
        ("$x", "'$' means nothing here", 0, ""),
    ],
)
def test_what_is_wrong_and_where(text: str, words: str, at: int, hint: str) -> None:
    told, offset, said = wrong(text)
    assert words in told
    assert (offset, hint in said) == (at, True)


def test_the_kind_that_is_wanted() -> None:
    assert wrong("resource.vcpus + 1", Kind.BOOL) == ("this is a number, not true or false", 0, "")


@pytest.mark.parametrize(
    "text",
    [
        *("(" * 5_000, "[" * 60, "!" * 3_000 + "true", "1" + "+1" * 3_000, "a." * 4_000 + "b"),
        *("x" * 10_001, "true ? " * 60 + "1", "-" * 300 + "1"),
    ],
)  # fmt: skip
def test_what_is_too_deep_or_too_long_is_refused_at_once(text: str) -> None:
    assert wrong(text)


def nested(over: str, depth: int) -> str:
    """exists() within one another."""
    text = "true"
    for level in range(depth):
        text = f"{over}.exists(v{level}, {text})"
    return text


def test_what_would_multiply_is_refused_at_once() -> None:
    numbers = f"[{', '.join(map(str, range(40)))}]"
    for over in (numbers, "resource.tags"):
        compiled(nested(over, 2), VARIABLES)
        what, _, hint = wrong(nested(over, 3))
        assert what == "exists within one another ask more than 2,500 times"
        assert hint == "write it as several policies"


def test_fifty_within_one_another_and_a_hundred_in_a_chain_are_well() -> None:
    compiled("(" * 49 + "true" + ")" * 49, VARIABLES)
    compiled(" && ".join(["resource.vcpus > 1"] * 100), VARIABLES)


def place_of_error(text: str) -> int:
    try:
        compiled(text, VARIABLES)
    except ExpressionError as error:
        return error.offset
    return 0


@given(st.text(alphabet="abresou.rcvpu<>=&|!?:()[]'\"\\ 01,+-*/in", max_size=40))
def test_any_text_is_an_expression_or_an_error_with_its_place(text: str) -> None:
    assert 0 <= place_of_error(text) <= len(text)


SIGNS = ["resource", "name", "tags", ".", "(", ")", ",", "[", "]", "'a'", "1", "&&", "k", "!", "in"]


@given(st.lists(st.sampled_from([*FUNCTIONS, *SIGNS, "?", ":"]), max_size=14))
def test_any_words_are_an_expression_or_an_error_with_its_place(words: list[str]) -> None:
    text = " ".join(words)
    assert 0 <= place_of_error(text) <= len(text)
