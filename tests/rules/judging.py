"""What rightsize says of a case, as its tests ask for it."""

from __future__ import annotations

import json
from typing import Any

from costopt.model import Recommendation, Skip
from costopt.rules.base import Case, Fit, Outcome
from costopt.rules.rightsize import Rightsize
from costopt.rules.rightsize_settings import RightsizeSettings
from tests.rules.builders import case


def judge(given: Case, **settings: Any) -> Outcome:
    return Rightsize(RightsizeSettings(**settings)).judge(given)


def advised(given: Case, **settings: Any) -> Recommendation:
    outcome = judge(given, **settings)
    assert isinstance(outcome, Recommendation), outcome
    json.dumps([outcome.evidence, outcome.backtest], allow_nan=False)
    return outcome


def fits(given: Case, **settings: Any) -> Fit:
    outcome = judge(given, **settings)
    assert isinstance(outcome, Fit), outcome
    json.dumps(outcome.evidence, allow_nan=False)
    return outcome


def target(given: Case, **settings: Any) -> str | None:
    recommended = advised(given, **settings).recommended
    assert recommended is not None
    return recommended.instance_type


def skipped(given: Case, **settings: Any) -> str:
    outcome = judge(given, **settings)
    assert isinstance(outcome, Skip), outcome
    assert outcome.detail
    return outcome.reason


def set_so(instance_type: str, cpu: Any, settings: dict[str, Any], **more: Any) -> str | None:
    """The type advised under settings that its outlook too is made with; None = it fits."""
    given = case(instance_type, cpu, settings=RightsizeSettings(**settings), **more)
    outcome = judge(given, **settings)
    if isinstance(outcome, Fit):
        return None
    return target(given, **settings)
