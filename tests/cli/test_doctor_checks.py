"""What `costopt doctor PROVIDER` shows of the checks."""

from __future__ import annotations

from costopt.cli import doctor_pages
from costopt.providers.base import Check

PLACES = [f"1 r-{number:02}" for number in range(38)]


def _checks(name: str, failing: int = 0, *, refused: bool = False) -> list[Check]:
    """In 38 places, of which the first so many fail."""
    return [
        Check(name, place, False, "no", refused) if at < failing else Check(name, place, True, "")
        for at, place in enumerate(PLACES)
    ]


def test_what_passed_everywhere_takes_a_line() -> None:
    tried = [Check("clock", "http://here", True, "agrees"), *_checks("ec2:DescribeVolumes")]
    assert doctor_pages.checks(tried).splitlines() == [
        "  ok      clock  http://here",
        "          agrees",
        "  ok      ec2:DescribeVolumes  in 38 places",
    ]


def test_what_passed_with_another_answer_is_told_apart() -> None:
    tried = [Check("version", place, True, told) for place, told in zip("abc", "112", strict=True)]
    assert doctor_pages.checks(tried).splitlines() == [
        "  ok      version  in 2 of 3",
        "          1",
        "  ok      version  c",
        "          2",
    ]


def test_failures_are_listed_until_there_are_too_many() -> None:
    lines = doctor_pages.checks(_checks("one", 20)).splitlines()
    assert lines[0] == "  ok      one  in 18 of 38"
    assert lines[1::2] == [f"  FAILED  one  {place}" for place in PLACES[:20]]

    lines = doctor_pages.checks([*_checks("one", 18), *_checks("two", 38)]).splitlines()
    assert sum("FAILED" in line for line in lines) == 20
    assert lines[-1] == "  and 36 more failures; in all: one 18, two 38"


def test_the_page_is_safe_for_terminals() -> None:
    page = doctor_pages.checks([Check("a\x1b[2J", "b\nc", False, "d\x1b]0;e\x07")])
    assert "\x1b" not in page
    assert len(page.splitlines()) == 2


def test_the_policy_is_advised_where_a_permission_lacks() -> None:
    assert "Next: costopt collect aws" in doctor_pages.verdict("aws", _checks("one"))
    assert doctor_pages.verdict("aws", _checks("one", 2)) == "\n2 checks failed."
    refused = [*_checks("one", 2), *_checks("two", 1, refused=True)]
    assert doctor_pages.verdict("aws", refused) == (
        "\n3 checks failed. What has to be granted: costopt doctor aws --policy"
    )


def test_what_is_not_tried_is_said_with_the_reason() -> None:
    tried = [*_checks("one"), Check("ce:Get", "", True, "not tried: it costs", tried=False)]
    assert doctor_pages.checks(tried).splitlines()[1:] == [
        "  --      ce:Get",
        "          not tried: it costs",
    ]
    assert "All that was tried passed." in doctor_pages.verdict("aws", tried)
