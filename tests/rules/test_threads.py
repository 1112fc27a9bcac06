"""Whose vCPUs are whole cores, and which speedup is set for which type."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ValidationError

from costopt.model import Resource, Shape
from costopt.optimize.smt import effective_capacity
from costopt.rules.threads import (
    Speedup,
    Speedups,
    speedup_of,
    threads,
    unknown_names,
    whole_cores,
)

SET = {"M6I": 0.7, "n2-standard": 0.66, "dsv5": 0.8, "m6i.xlarge": 0.9, "c5": 0.0}


class Settings(BaseModel):
    """As a rule's settings would hold them."""

    smt_speedup: Speedup = 0.0
    smt_speedups: Speedups = {}


def shape(
    provider: str,
    name: str,
    family: str | None = None,
    *,
    cores: float | None = 4,
    architecture: str | None = "x86_64",
) -> Shape:
    return Shape(provider, name, 8, physical_cores=cores, architecture=architecture, family=family)


@pytest.mark.parametrize(
    ("provider", "name", "family", "expected"),
    [
        ("AWS", "m6i.2xlarge", None, 0.7),  # its family, whatever the case
        ("AWS", "m6i.xlarge", None, 0.9),  # its own name before its family
        ("AWS", "C5.2xlarge", "c5", 0.0),  # off for it, though not in general
        ("AWS", "m6id.2xlarge", None, 0.63),  # another family
        ("GCP", "n2-standard-8", None, 0.66),
        ("Azure", "Standard_D8s_v5", "Dsv5", 0.8),
        ("OnPrem", "big", None, 0.63),  # no family to be told by
    ],
)
def test_a_type_before_its_family_before_the_general_one(
    provider: str, name: str, family: str | None, expected: float
) -> None:
    assert speedup_of(shape(provider, name, family), 0.63, SET) == expected
    assert speedup_of(shape(provider, name, family), 0.63, {}) == 0.63


def test_arm_and_machines_without_smt_have_whole_cores() -> None:
    assert whole_cores(shape("AWS", "m7g.2xlarge", cores=None, architecture="arm64")) is True
    assert whole_cores(shape("AWS", "m7a.2xlarge", cores=8)) is True
    assert whole_cores(shape("AWS", "m6i.2xlarge")) is False
    assert whole_cores(shape("OnPrem", "big", cores=None)) is None


def test_as_many_arm_cores_hold_more_than_hyper_threads() -> None:
    current = threads(shape("AWS", "m6i.2xlarge"), 0.63, {})
    arm = threads(shape("AWS", "m7g.2xlarge", cores=8, architecture="arm64"), 0.63, {})
    unknown = threads(shape("OnPrem", "big", cores=None), 0.63, {})
    # 7.2 whole cores are 4 + 0.26 * 8 * (u - 0.5): beyond what today's machine can do
    assert float(effective_capacity(current, arm)) == pytest.approx((0.5 + 3.2 / 2.08) / 0.9)
    assert float(effective_capacity(current, unknown)) == pytest.approx(1)


def test_settings_take_what_can_be_and_fold_names() -> None:
    settings = Settings.model_validate(
        {"smt_speedup": 0.7, "smt_speedups": {" M6i": 0.63, "t3": 0}}
    )
    assert settings.smt_speedups == {"m6i": 0.63, "t3": 0}


@pytest.mark.parametrize(
    "wrong",
    [
        {"smt_speedup": 0.5},
        {"smt_speedup": 1.26},  # of both threads together: twice what is asked for
        {"smt_speedups": {"m6i": 0.2}},
        {"smt_speedups": {"m6i": 0.7, "M6I": 0.8}},
        {"smt_speedups": {"": 0.7}},
    ],
)
def test_settings_refuse_what_cannot_be(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate(wrong)


def test_names_that_nothing_has_are_told_with_the_nearest() -> None:
    listed = [shape("AWS", "m6i.xlarge"), shape("Azure", "Standard_D8s_v5", "Dsv5")]
    running = [Resource("vm-1", "AWS", instance_type="m9z.large"), Resource("vm-2", "OnPrem")]
    known = {"m6i": 0.7, "M6I.XLARGE": 0.7, "dsv5": 0.7, "m9z": 0.7, "m9z.large": 0.7}
    assert unknown_names(known, listed, running) == ()
    assert unknown_names([*known, "zzz", "dsv55"], listed, running) == (
        "rules.rightsize.smt_speedups: 'dsv55' is no machine type or family in the price list or "
        "the inventory, so it sets nothing; did you mean Dsv5?",
        "rules.rightsize.smt_speedups: 'zzz' is no machine type or family in the price list or "
        "the inventory, so it sets nothing",
    )


def test_where_no_name_is_set_no_list_is_read() -> None:
    listed = iter([shape("AWS", "m6i.xlarge")])
    assert unknown_names({}, listed, ()) == ()
    assert next(listed).instance_type == "m6i.xlarge"
