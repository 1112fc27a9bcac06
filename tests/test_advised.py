"""A collect with a vendor's recommendations: they are kept, and never make it fail."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from costopt import pipeline, schema
from costopt.errors import ProviderError
from costopt.lake.store import Lake
from costopt.providers.advised import Listing, once, table
from costopt.providers.base import Advised, Problem
from costopt.providers.demo import DemoProvider

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


class Telling(DemoProvider):
    """The demo, whose cloud says so much of its machines."""

    def __init__(self, *ids: str, at: datetime = NOON) -> None:
        super().__init__(instances=3, days=2)
        self.ids, self.at = ids, at

    def advice(self) -> pa.Table:
        listing = Listing("AWS", schema.AWS_ADVICE, "123456789012", "", self.at)
        return table([listing.rows({"x_RecommendationId": one} for one in self.ids)])


class Refused(DemoProvider):
    """The demo, whose cloud is not to be asked."""

    def advice(self) -> pa.Table:
        raise ProviderError("no way in", where="123456789012", hint="open the door")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def _ids(lake: Lake) -> list[str]:
    told = lake.vendor_recommendations().column("x_RecommendationId").to_pylist()
    return [one for one in told if one is not None]


def test_the_demo_has_none() -> None:
    assert not isinstance(DemoProvider(), Advised)
    assert isinstance(Telling(), Advised)


def test_what_is_told_is_kept_until_it_is_told_otherwise(lake: Lake) -> None:
    assert pipeline.collect(Telling("b", "a"), lake).rows["advice"] == 2
    assert _ids(lake) == ["a", "b"]
    later = NOON.replace(day=2)
    assert pipeline.collect(Telling("b", "a", at=later), lake).rows["advice"] == 0
    assert pipeline.collect(Telling(at=later), lake).rows["advice"] == 0
    assert _ids(lake) == []


def test_a_refusal_is_a_problem_and_no_data_are_missing(lake: Lake) -> None:
    collected = pipeline.collect(Refused(instances=3, days=2), lake)
    problem = Problem("123456789012", "no way in (open the door)")
    assert problem in collected.problems
    assert not any(one.fatal for one in collected.problems)
    assert collected.rows["advice"] == 0
    assert collected.rows["metrics"] > 0


def test_others_have_no_such_step(lake: Lake) -> None:
    collected = pipeline.collect(DemoProvider(instances=3, days=2), lake)
    assert "advice" not in collected.rows
    assert not (lake.root / "vendor_recommendations").exists()


def test_a_listing_begins_with_that_it_was_asked_and_tells_each_once() -> None:
    listing = Listing("AWS", schema.AWS_ADVICE, "1", "eu", NOON)
    told = [{"x_RecommendationId": one, "x_Action": one} for one in "bab"]
    rows = listing.rows(told)
    assert [row.get("x_RecommendationId") for row in rows] == [None, "a", "b"]
    assert {row["x_Scope"] for row in rows} == {"eu"}


def test_refusals_of_one_place_are_one() -> None:
    told = [Problem("a", "no 1"), Problem("b", "no 2"), Problem("a", "no 3")]
    assert list(once(told)) == [Problem("a", "no 1", 2), Problem("b", "no 2")]
