"""Pages to the last, and never round in a circle; figures that are numbers."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from botocore.parsers import ResponseParserError

from costopt.providers.aws.paging import figure, pages


def _listing(after: dict[str | None, str | None]) -> Callable[..., dict[str, object]]:
    """Pages by what leads to them, each with what leads on."""

    def call(*, size: int, NextToken: str | None = None) -> dict[str, object]:  # noqa: N803
        return {"page": NextToken, "size": size, "NextToken": after[NextToken]}

    return call


@pytest.mark.parametrize("end", [None, ""])
def test_pages_are_read_to_the_last(end: str | None) -> None:
    found = pages(_listing({None: "a", "a": "b", "b": end}), "NextToken", size=2)
    assert [(one["page"], one["size"]) for one in found] == [(None, 2), ("a", 2), ("b", 2)]


@pytest.mark.parametrize("back", ["a", "b"])
def test_pages_that_lead_back_end_in_a_failure(back: str) -> None:
    found = pages(_listing({None: "a", "a": "b", "b": back}), "NextToken", size=2)
    assert [next(found)["page"] for _ in range(3)] == [None, "a", "b"]
    with pytest.raises(ResponseParserError, match="twice"):
        next(found)


def test_figures_are_exact() -> None:
    assert figure("0.10") == figure(0.1) == Decimal("0.1")
    assert figure(3) == 3


@pytest.mark.parametrize("value", ["NaN", "Infinity", float("inf"), "1e999", "", None, "12,5"])
def test_what_is_no_number_is_no_figure(value: object) -> None:
    with pytest.raises(ResponseParserError):
        figure(value)
