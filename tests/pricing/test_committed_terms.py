"""Terms as price lists and people spell them."""

from __future__ import annotations

import pytest

from costopt.pricing.committed_terms import CommittedTerm, payment_of, read_term, upfront_share


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1yr", CommittedTerm(12)),
        ("1yr no-upfront", CommittedTerm(12, "no-upfront")),
        ("3yr all-upfront compute-savings-plan",
         CommittedTerm(36, "all-upfront", "compute-savings-plan")),
        ("1yr flexible", CommittedTerm(12, "", "flexible")),
        ("1Yr No Upfront", CommittedTerm(12, "no-upfront")),
        ("12mo", CommittedTerm(12)),
        ("36 months partial-upfront", CommittedTerm(36, "partial-upfront")),
        ("P3Y", CommittedTerm(36)),
        ("5yr", CommittedTerm(60)),
        ("0yr", None),
        ("0yr no-upfront compute-savings-plan", None),
        ("18mo", None),
        ("99yr", None),
        ("soon", None),
        ("", CommittedTerm(36, told=False)),
        (None, CommittedTerm(36, told=False)),
    ],
)  # fmt: skip
def test_read(text: str | None, expected: CommittedTerm | None) -> None:
    assert read_term(text) == expected


def test_names() -> None:
    assert CommittedTerm(36, "no-upfront", "compute-savings-plan").name == "3yr no-upfront"
    assert CommittedTerm(36, told=False).name == "term not told"


def test_payments() -> None:
    assert payment_of("Partial Upfront") == "partial-upfront"
    assert payment_of("Heavy Utilization") == ""
    assert [upfront_share(f"{one}-upfront") for one in ("no", "partial", "all")] == [0, 0.5, 1]
    assert upfront_share("") is None
