"""The pass, fail and skip cases of every rule (tests/cases/*.yml)."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from costopt import registry
from costopt.model import Recommendation, Skip
from costopt.rules.base import Case, Fit
from costopt.rules.rightsize_settings import RightsizeSettings
from costopt.units import cents
from tests.rules.builders import billed, case, m6i, samples

FOLDER = Path(__file__).parents[1] / "cases"
RULES = ("idle", "rightsize")


def cases() -> list[Any]:
    return [
        pytest.param(rule, given, id=f"{rule}: {given['name']}")
        for rule in RULES
        for given in yaml.safe_load((FOLDER / f"{rule}.yml").read_text(encoding="utf-8"))
    ]


def built(given: dict[str, Any], rule: str) -> Case:
    days = given.get("days", 28)
    settings = given.get("settings", {}) if rule == "rightsize" else {}
    return case(
        given["type"],
        samples(days, **given["cpu"]),
        provider=given.get("provider", "Generic"),
        types=m6i() if given.get("types") == "m6i" else (),
        metrics={name: samples(days, **how) for name, how in given.get("metrics", {}).items()},
        cost=billed(**given["billed"]) if "billed" in given else None,
        min_monthly_savings=given.get("min_monthly_savings", 5.0),
        settings=RightsizeSettings.model_validate(settings),
        **given.get("machine", {}),
    )


@pytest.mark.parametrize(("rule", "given"), cases())
def test_case(rule: str, given: dict[str, Any]) -> None:
    kind = registry.find("rule", rule)
    outcome = kind(kind.Settings.model_validate(given.get("settings", {}))).judge(
        built(given, rule)
    )
    match given["expect"]:
        case "pass":
            assert isinstance(outcome, Fit), outcome
        case "skip":
            assert isinstance(outcome, Skip), outcome
            assert outcome.reason == given["reason"]
        case "fail":
            assert isinstance(outcome, Recommendation), outcome
            assert outcome.rule == kind.code == rule
            offer = outcome.recommended
            assert given.get("target") in (None, offer.instance_type if offer else None)
            saves = cents(outcome.estimated_monthly_savings.target)
            assert Decimal(given.get("saves", saves)) == saves
        case other:
            pytest.fail(f"expect: {other}")


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_passing_failing_and_skipping_cases(rule: str) -> None:
    expected = {p.values[1]["expect"] for p in cases() if p.values[0] == rule}
    assert expected == {"pass", "fail", "skip"}
