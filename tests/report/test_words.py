"""Values as people read them: never rounded to a lie."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from costopt.model import ActionType, Recommendation, Savings
from costopt.report import words
from tests.report import builders


@pytest.mark.parametrize(
    ("share", "said"),
    [(0.0, "0 %"), (0.00001, "<0.01 %"), (0.0031, "0.31 %"), (0.012, "1.2 %"), (1.0, "100.0 %")],
)
def test_percent(share: float, said: str) -> None:
    assert words.percent(share) == said


@pytest.mark.parametrize(
    ("share", "said"),
    [(0.0, "≤ 0.01 %"), (0.00311, "≤ 0.32 %"), (0.0121, "≤ 1.3 %"), (0.012, "≤ 1.2 %"),
     (1.0, "≤ 100.0 %")],
)  # fmt: skip
def test_an_upper_bound_rounds_up(share: float, said: str) -> None:
    assert words.at_most(share) == said


@pytest.mark.parametrize(
    ("price", "said"),
    [("0.7680000000", "0.768"), ("1.2", "1.20"), ("24", "24.00"), ("0.0052", "0.0052"),
     ("1E+3", "1,000.00"), (None, "?")],
)  # fmt: skip
def test_price(price: str | None, said: str) -> None:
    assert words.price(None if price is None else Decimal(price)) == said


@pytest.mark.parametrize(
    ("price", "said"),
    [("0.106916", "0.1069"), ("0.3079184931506849", "0.3079"), ("21.957642", "21.96"),
     ("1.2", "1.20"), ("0.0000401234", "0.00004012"), (None, "?")],
)  # fmt: skip
def test_a_rate_has_four_digits(price: str | None, said: str) -> None:
    assert words.rate(None if price is None else Decimal(price)) == said


@pytest.mark.parametrize(
    ("share", "said"),
    [(0.0, "<0.1 %"), (0.00049, "<0.1 %"), (0.006, "0.6 %"), (0.014, "1.4 %"), (0.0573, "5.7 %"),
     (0.0994, "9.9 %"), (0.0996, "10 %"), (0.344, "34 %"), (0.99, "99 %"), (0.996, ">99 %"),
     (1.0, ">99 %")],
)  # fmt: skip
def test_a_chance_is_never_certain(share: float, said: str) -> None:
    assert words.chance(share) == said


def test_amount() -> None:
    assert words.amount(Decimal("1234567.891")) == "1,234,567.89"


def test_amounts_add_up_as_written() -> None:
    spend, saved = Decimal("62588.4551"), Decimal("8535.4046")  # 54,053.0505 would end in 05
    assert (words.amount(spend), words.amount(saved)) == ("62,588.46", "8,535.40")
    assert words.less(spend, saved) == "54,053.06"


def test_what_remains_after_savings_and_additions() -> None:
    report = builders.fleet()  # 48,210.50 - 12,316.955 + 156.22
    assert words.amount(words.saved(report)) == "12,316.96"
    assert words.remaining(report) == "36,049.76"


def test_what_saves_only_once_a_commitment_ends_stands_apart() -> None:
    def saves(target: str, high: str) -> Recommendation:
        amounts = Savings(Decimal(0), Decimal(target), Decimal(high), None, "charges")
        return builders.recommendation(estimated_monthly_savings=amounts)

    now, small, large = saves("0.01", "9"), saves("0", "168.58"), saves("0.0049", "300")
    assert words.by_when([now, small, large]) == ([now], [large, small])
    nothing = saves("0", "0")
    assert words.by_when([nothing]) == ([nothing], [])


def test_a_long_id_is_known_by_its_end() -> None:
    assert words.short_id("arn:aws:ec2:eu-west-1:1:instance/i-0aa11") == "i-0aa11"
    assert words.short_id("i-0aa11") == "i-0aa11"


def test_a_machine_is_called_by_its_type_or_its_size() -> None:
    assert words.machine(builders.offer()) == "m5.4xlarge"
    assert words.machine(builders.offer(None)) == "16 vCPUs, 64 GiB"
    assert words.machine(builders.offer(None, vcpus=1.0, memory_gib=None)) == "1 vCPU"
    assert words.machine(builders.offer(None, vcpus=None, memory_gib=None)) == "unknown"


def test_what_changes() -> None:
    one = builders.recommendation()
    assert words.change(one) == "m5.4xlarge → m5.xlarge"
    assert words.size_change(one) == "16 → 4 vCPUs, 64 → 16 GiB"
    assert words.change(builders.stop()) == "m5.4xlarge → stopped"
    assert words.change(builders.stop(action_type=ActionType.DELETE)) == "m5.4xlarge → deleted"
    assert words.size_change(builders.stop()) == "16 vCPUs, 64 GiB"
    unknown = builders.recommendation(
        current=builders.offer(memory_gib=None), recommended=builders.offer(vcpus=None)
    )
    assert words.size_change(unknown) == "16 → ? vCPUs, ? → 64 GiB"


@pytest.mark.parametrize(("before", "said"), [(1.0, "1 vCPU"), (2.0, "2 → 1 vCPU")])
def test_one_vcpu_is_singular(before: float, said: str) -> None:
    one = builders.recommendation(
        current=builders.offer(vcpus=before), recommended=builders.offer(vcpus=1.0)
    )
    assert words.size_change(one) == f"{said}, 64 GiB"


def test_where_it_is_and_where_it_goes() -> None:
    moved = builders.recommendation(recommended=builders.offer(region_id="eu-north-1"))
    assert words.places(moved) == "AWS eu-west-1 → AWS eu-north-1"
    assert words.places(builders.stop()) == "AWS eu-west-1"


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (ActionType.RIGHTSIZE, "Rightsize"),
        (ActionType.MOVE_REGION, "Move region"),
        (ActionType.MOVE_PROVIDER, "Move provider"),
        (ActionType.SCALE_IN, "Scale in"),
        (ActionType.SPOT, "Spot"),
        (ActionType.MIGRATE_TO_GRAVITON, "Migrate to Graviton"),
        (ActionType.PURCHASE_SAVINGS_PLANS, "Purchase Savings Plans"),
    ],
)
def test_actions_in_words(kind: ActionType, told: str) -> None:
    assert words.action(kind) == told


def test_what_is_said_of_a_group_is_said_once() -> None:
    one = builders.recommendation(
        "a", resource_name="tiles-1", reason="goes", evidence={"group_name": "x"}
    )
    other = replace(one, resource_id="b", resource_name="tiles-2")
    alone = replace(one, resource_id="c", evidence={})
    elsewhere = replace(one, resource_id="d", evidence={"group_name": "y"})
    assert words.reasons([one, other, alone, elsewhere, alone]) == [
        "goes", "with tiles-1, as told there", "goes", "goes", "goes",
    ]  # fmt: skip
