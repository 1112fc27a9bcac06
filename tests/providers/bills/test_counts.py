"""Who counts, of several exports that tell the same accounts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from costopt.providers.bills.counts import Manner, Noted, noted, voices
from costopt.providers.bills.spool import Like, Scope

DAY = date(2026, 11, 2)
OCTOBER = datetime(2026, 10, 1, tzinfo=UTC)
MANNER = Manner(best="focus", halves=frozenset({"actual", "amortized"}))


def tells(accounts: str, kind: str = "focus", part: str = "") -> Noted:
    scopes = frozenset(Scope("AWS", "1", OCTOBER, account) for account in accounts)
    parts = frozenset((scope, part) for scope in scopes if part)
    return Noted("d", kind, scopes, parts=parts)


def counting(told: dict[str, Noted], delivered: dict[str, date] | None = None) -> dict[str, str]:
    """By account, the names of those that count."""
    found = voices(told, delivered or dict.fromkeys(told, DAY), MANNER)
    return {whose[1] or "": "+".join(map("".join, those)) for whose, those in found.items()}


def test_of_those_that_tell_as_much_the_later_delivery_counts() -> None:
    told = {"a": tells("1"), "b": tells("1")}
    given_up = {"a": DAY - timedelta(days=1), "b": DAY}
    assert counting(told, given_up) == {"1": "b"}
    assert counting(told) == {"1": "a"}
    assert counting({"a": tells("1"), "b": tells("1", "cur")}, given_up) == {"1": "a"}


def test_halves_count_together_and_behind_what_is_whole() -> None:
    told = {
        "a": tells("123", "actual"),
        "b": tells("1234", "amortized"),
        "c": tells("1", "actual"),
        "f": tells("3"),
    }
    assert counting(told) == {"1": "ba", "2": "ba", "3": "f", "4": "b"}


def test_parts_add_up_unless_an_export_tells_the_whole_account() -> None:
    told = {
        "a": tells("1", part="x"),
        "b": tells("1", part="y"),
        "c": tells("1", part="x"),
        "d": tells("1", "actual", part="z"),
        "e": tells("1", "amortized", part="z"),
    }
    assert counting(told) == {"1": "a+b+de"}
    assert counting({**told, "w": tells("1")}) == {"1": "w"}


@given(
    st.dictionaries(
        st.sampled_from("abcd"),
        st.tuples(st.sets(st.sampled_from("123456"), min_size=1), st.sampled_from(["focus", "c"])),
        min_size=1,
    )
)
def test_every_account_counts_once_and_a_covered_export_never(
    given_: dict[str, tuple[set[str], str]],
) -> None:
    told = {name: tells("".join(sorted(those)), kind) for name, (those, kind) in given_.items()}
    found = counting(told)
    assert set(found) == set().union(*(those for those, _ in given_.values()))
    assert all(account in given_[name][0] for account, name in found.items())
    for name, (mine, _) in given_.items():
        if any(mine < other for other, _ in given_.values()):
            assert name not in found.values()


def test_notes_come_back_and_others_say_nothing() -> None:
    like = Like("USD", OCTOBER, OCTOBER + timedelta(hours=1), None)
    scopes = frozenset({Scope("AWS", "1", OCTOBER, "2"), Scope(None, None, None, None)})
    parts = frozenset({(Scope("AWS", "1", OCTOBER, "2"), "rg")})
    whole = Noted("d", "cur", scopes, scopes, like, parts)
    assert noted(whole.text) == whole
    assert noted(whole.without(scopes).text).counts == frozenset()
    for text in (None, "", "0123abcd 1 2", "[]", '{"digest": 1}', "3"):
        assert noted(text) == Noted()
