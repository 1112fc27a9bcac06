"""What every registered report format owes, whoever wrote it; a new one is found by its name."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings

from costopt import registry
from costopt.model import Report
from tests.report import builders

Render = Callable[[Report], bytes]
OVERRIDES = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@pytest.fixture(params=registry.names("format"))
def render(request: pytest.FixtureRequest) -> Render:
    found = registry.find("format", request.param)
    assert callable(found)
    return found


@pytest.mark.parametrize(
    "report",
    [
        builders.report(),
        builders.report((builders.recommendation(),)),
        builders.report((builders.stop(),)),
        builders.fleet(),
        builders.hostile(),
    ],
    ids=["empty", "one row", "a stop", "fleet", "hostile"],
)
def test_it_renders_text_that_cannot_steer_a_screen(render: Render, report: Report) -> None:
    data = render(report)
    text = data.decode()  # UTF-8
    assert text.endswith("\n")
    assert render(report) == data
    assert {c for c in text if unicodedata.category(c) == "Cc"} <= {"\n", "\r"}
    assert not set(text) & OVERRIDES


def test_it_names_every_resource_and_amount(render: Render) -> None:
    text = render(builders.fleet()).decode().replace(",", "")
    for one in builders.fleet().recommendations:
        assert (one.resource_name or one.resource_id) in text
        assert str(abs(int(one.estimated_monthly_savings.target))) in text


@given(report=builders.REPORTS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_report_renders_the_same_bytes_twice(render: Render, report: Report) -> None:
    assert render(report) == render(report)
