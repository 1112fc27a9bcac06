"""Regions that are not open to every customer are no place to go to unless they are named."""

from __future__ import annotations

import pytest

from tests.rules.move.world import FREE, gone, machine, placed, world

HOME, OPEN = ("AWS", "us-west-1"), ("AWS", "us-west-2")
LOCAL = ("AWS", "us-west-2-lax-1")
GOV, GOV_EAST = ("AWS", "us-gov-west-1"), ("AWS", "us-gov-east-1")
# The government's and the local zone cost least by far; all cost less than what AWS really lists.
PRICES = {HOME: "0.004", OPEN: "0.003", LOCAL: "0.0015", GOV: "0.0025", GOV_EAST: "0.002"}


@pytest.mark.parametrize(
    ("home", "wanted", "goes"),
    [
        (HOME, (), "us-west-2"),
        (HOME, ("US",), "us-west-2"),
        (HOME, ("North America",), "us-west-2"),
        (HOME, ("us-west-2", "US-Gov-East-1"), "us-gov-east-1"),
        (HOME, ("us-west-2-lax-1",), "us-west-2-lax-1"),
        (GOV, (), "us-gov-east-1"),
        (GOV, ("US",), "us-gov-east-1"),
        (GOV, ("us-west-2-lax-1", "us-west-2"), "us-west-2-lax-1"),
        (LOCAL, (), None),
    ],
)
def test_who_may_go_where(home: tuple[str, str], wanted: tuple[str, ...], goes: str | None) -> None:
    here = world(PRICES)
    case = machine("a", here, provider="AWS", region=home[1])
    settings = FREE.model_copy(update={"places": wanted})
    assert gone(placed(here, case, settings=settings)) == ({"a": goes} if goes else {})


def test_what_stays_in_a_governments_cloud_opens_it_to_nobody_else() -> None:
    here = world(PRICES)
    fleet = (
        machine("gov", here, provider="AWS", region="us-gov-west-1"),
        machine("us", here, provider="AWS", region="us-west-1"),
    )
    assert gone(placed(here, *fleet)) == {"gov": "us-gov-east-1", "us": "us-west-2"}


def test_out_of_a_governments_cloud_only_by_name() -> None:
    here = world({GOV: "0.004", OPEN: "0.003"})
    case = machine("a", here, provider="AWS", region="us-gov-west-1")
    country = FREE.model_copy(update={"places": ("US",)})
    assert gone(placed(here, case, settings=country)) == {}
    named = FREE.model_copy(update={"places": ("us-west-2",)})
    assert gone(placed(here, case, settings=named)) == {"a": "us-west-2"}


def test_a_closed_region_that_is_named_is_looked_at_when_its_reasons_are_told() -> None:
    """What bars other places is told by looking at all of them."""
    from costopt.report.move.others import others
    from costopt.rules.move.fleet import anywhere
    from tests.rules.move.world import END

    here = world(PRICES)
    case = machine("a", here, provider="AWS", region="us-west-1")
    settings = FREE.model_copy(update={"places": ("us-gov-east-1",)})
    (ground,) = placed(here, case, settings=settings).grounds
    told = {one.place: one.against for one in others(ground, anywhere(ground, END))}
    assert told["AWS us-gov-east-1"] == ()
    assert not {"AWS us-gov-west-1", "AWS us-west-2-lax-1"} & set(told)
