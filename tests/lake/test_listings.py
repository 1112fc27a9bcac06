"""A vendor's recommendations in the lake: each listing replaces the one before it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from costopt import schema
from costopt.lake.store import Lake

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def listing(
    account: str, *ids: str, scope: str = "", at: datetime = NOON, source: str = schema.AWS_ADVICE
) -> list[dict[str, Any]]:
    """That it was asked for, and the recommendations of those ids."""
    key = {
        "ProviderName": "AWS", "SubAccountId": account, "x_Source": source, "x_Scope": scope,
        "x_ObservedAt": at,
    }  # fmt: skip
    told = [key | {"x_RecommendationId": one, "x_Reasons": ["Idle"]} for one in ids]
    return [key, *told]


def table(*listings: list[dict[str, Any]]) -> pa.Table:
    rows = [row for one in listings for row in one]
    return pa.Table.from_pylist(rows, schema=schema.VENDOR_RECOMMENDATIONS)


def ids(lake: Lake) -> dict[tuple[str, str], list[str]]:
    """What each account and scope was told; none is an empty list."""
    found: dict[tuple[str, str], list[str]] = {}
    for row in lake.vendor_recommendations().to_pylist():
        told = found.setdefault((row["SubAccountId"], row["x_Scope"]), [])
        told += [row["x_RecommendationId"]] if row["x_RecommendationId"] else []
    return found


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def test_nothing_was_asked_yet(lake: Lake) -> None:
    assert lake.vendor_recommendations().num_rows == 0
    assert not lake.root.exists()


def test_a_listing_replaces_its_own_and_no_other(lake: Lake) -> None:
    first = table(listing("1", "a", "b"), listing("2", "c"), listing("1", "d", scope="eu"))
    assert lake.append_listings(first).rows == 4
    assert lake.append_listings(table(listing("1", "b", "e"))).rows == 2
    assert ids(lake) == {("1", ""): ["b", "e"], ("2", ""): ["c"], ("1", "eu"): ["d"]}


def test_a_listing_that_says_nothing_empties_it(lake: Lake) -> None:
    lake.append_listings(table(listing("1", "a"), listing("2", "b")))
    assert lake.append_listings(table(listing("1"))).rows == 0
    assert ids(lake) == {("1", ""): [], ("2", ""): ["b"]}


def test_sources_of_one_account_do_not_replace_one_another(lake: Lake) -> None:
    lake.append_listings(table(listing("1", "a")))
    lake.append_listings(table(listing("1", "b", source=schema.AZURE_ADVICE)))
    assert ids(lake) == {("1", ""): ["a", "b"]}


def test_the_same_again_writes_nothing_and_stays_as_it_was_first_told(lake: Lake) -> None:
    lake.append_listings(table(listing("1", "a"), listing("2")))
    before = lake.vendor_recommendations()
    later = NOON + timedelta(days=1)
    same = table(listing("1", "a", at=later), listing("2", at=later))
    assert lake.append_listings(same).path is None
    assert lake.vendor_recommendations().equals(before)
    changed = lake.append_listings(table(listing("1", "a", at=later), listing("2", "c", at=later)))
    assert changed.rows == 1
    moments = {
        (row["SubAccountId"], row["x_ObservedAt"])
        for row in lake.vendor_recommendations().to_pylist()
    }
    assert moments == {("1", NOON), ("2", later)}


TELLING = st.lists(
    st.dictionaries(
        st.tuples(st.sampled_from("12"), st.sampled_from(("", "eu"))),
        st.lists(st.sampled_from("abc"), unique=True, max_size=3),
        max_size=3,
    ),
    max_size=6,
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TELLING)
def test_the_last_word_on_each_counts(
    tmp_path_factory: pytest.TempPathFactory, told: list[dict[tuple[str, str], list[str]]]
) -> None:
    lake = Lake(tmp_path_factory.mktemp("lake"))
    expected: dict[tuple[str, str], list[str]] = {}
    for listings in told:
        rows = [listing(account, *said, scope=scope) for (account, scope), said in listings.items()]
        lake.append_listings(table(*rows))
        expected |= listings
    assert ids(lake) == expected
