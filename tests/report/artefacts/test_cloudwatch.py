"""CloudWatch alarms: as CloudFormation and CloudWatch take them, and what they let pass."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import boto3
import numpy as np
import pytest
from cfnlint.api import lint_all
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.model import Guard, Recommendation
from costopt.report.artefacts.alarms import alarms
from tests.fakes.aws_cloud import empty_moto
from tests.report import builders
from tests.report.artefacts import guards

TOPIC = "arn:aws:sns:eu-west-1:123456789012:pager"
SLOTS = 4032  # of 14 days of 5 minutes


@pytest.fixture(scope="module")
def aws() -> Iterator[dict[str, Any]]:
    """What boto3's clients need to speak to a local moto."""
    with empty_moto() as url:
        yield {
            "endpoint_url": url,
            "region_name": "eu-west-1",
            "aws_access_key_id": "test",
            "aws_secret_access_key": "test",
        }


def _template(*rows: Recommendation) -> str:
    (data,) = alarms(builders.report(rows)).values()
    return data.decode()


def _properties(*wanted: Guard) -> list[dict[str, Any]]:
    template = json.loads(_template(guards.guarded("AWS", *wanted)))
    return [resource["Properties"] for resource in template["Resources"].values()]


def _made(aws: dict[str, Any], body: str) -> dict[str, dict[str, Any]]:
    """The alarms that CloudWatch holds once the template's resources were made.

    moto's CloudFormation knows no alarms; but a resource's properties are PutMetricAlarm's
    parameters, which botocore checks (names, types, lengths) and moto keeps.
    """
    watching = boto3.client("cloudwatch", **aws)
    for resource in json.loads(body)["Resources"].values():
        properties = resource["Properties"]
        (action,) = properties["AlarmActions"]
        assert action["Fn::If"][:2] == ["Notify", {"Ref": "NotificationTopicArn"}]
        watching.put_metric_alarm(**(properties | {"AlarmActions": [TOPIC]}))
    found = watching.describe_alarms(AlarmNamePrefix="costopt-")["MetricAlarms"]
    watching.delete_alarms(AlarmNames=[one["AlarmName"] for one in found])
    return {one["AlarmName"]: dict(one) for one in found}


def test_cloudwatch_keeps_the_alarms(aws: dict[str, Any]) -> None:
    row = guards.guarded("AWS")
    found = _made(aws, _template(row))
    stem = f"costopt-{row.recommendation_id}"
    day, week, memory = (found.pop(f"{stem}-{x}") for x in ("cpu-day", "cpu-week", "memory"))
    assert not found
    for one in (day, week, memory):
        assert one["Dimensions"] == [{"Name": "InstanceId", "Value": guards.AWS}]
        assert one["AlarmActions"] == [TOPIC]
        assert one["TreatMissingData"] == "missing"
    assert (day["Namespace"], day["MetricName"]) == ("AWS/EC2", "CPUUtilization")
    assert (day["Period"], day["Statistic"]) == (300, "Average")
    assert (day["DatapointsToAlarm"], day["EvaluationPeriods"]) == (21, 288)
    assert (day["ComparisonOperator"], day["Threshold"]) == ("GreaterThanThreshold", 90)
    assert (week["Period"], week["EvaluationPeriods"]) == (604_800, 1)
    assert week["ExtendedStatistic"] == "p99.51"  # 2005 of 2015 steps between 2016 ranks: 99.504
    assert week["EvaluateLowSampleCountPercentile"] == "evaluate"
    assert (week["ComparisonOperator"], week["Threshold"]) == ("GreaterThanThreshold", 90)
    assert (memory["Namespace"], memory["MetricName"]) == ("CWAgent", "mem_used_percent")
    assert (memory["EvaluationPeriods"], memory["Threshold"]) == (1, 95)
    assert "CloudWatch agent" in memory["AlarmDescription"]
    assert "web-17 (m5.4xlarge to m5.xlarge)" in day["AlarmDescription"]


def test_cloudformation_accepts_the_template() -> None:
    """By AWS's own resource schemas and functions, as cfn-lint holds them."""
    body = _template(guards.guarded("AWS"), *_evil_rows())
    assert _faults(body) == []
    assert _faults(body.replace('"EvaluationPeriods": 288', '"EvaluationPeriods": "often"'))


def _faults(body: str) -> list[str]:
    """Errors and warnings; the rest is taste."""
    return [str(match) for match in lint_all(body) if match.rule.id[0] in "EW"]


def test_a_name_cannot_have_a_secret_filled_in(aws: dict[str, Any]) -> None:
    found = _made(aws, _template(*_evil_rows()))
    assert len(found) == 3 * len(guards.EVIL)
    for one in found.values():
        assert one["AlarmDescription"].isprintable()
        assert len(one["AlarmDescription"]) <= 1024
        assert "{{" not in one["AlarmDescription"]


def _evil_rows() -> list[Recommendation]:
    return [
        guards.guarded("AWS", resource_id=f"i-{number:08x}", resource_name=text)
        for number, text in enumerate(guards.EVIL)
    ]


def test_each_alarm_keeps_to_the_services_limits() -> None:
    for period in (10, 60, 300, 900, 3600):
        for samples in (1, 2, 21, 5000):
            for one in _properties(guards.cpu(samples, period=period)):
                reach = one["Period"] * one["EvaluationPeriods"]
                assert reach <= (86_400 if one["Period"] < 3600 else 604_800)
                assert one["Period"] % 60 == 0
                assert one.get("DatapointsToAlarm", 1) <= one["EvaluationPeriods"]
                assert len(one["AlarmName"]) <= 255
                assert len(one["AlarmDescription"]) <= 1024


def test_a_template_holds_at_most_500_alarms() -> None:
    rows = tuple(guards.guarded("AWS", resource_id=f"i-{n:08x}") for n in range(250))
    files = alarms(builders.report(rows))
    assert len(files) > 1
    assert list(files) == [f"cloudwatch-alarms-{n + 1}.json" for n in range(len(files))]
    assert all(len(data) <= 1_000_000 for data in files.values())
    held = [json.loads(data)["Resources"] for data in files.values()]
    assert sum(map(len, held)) == 750
    assert max(map(len, held)) <= 500


# -- what the pair of alarms lets pass -------------------------------------------------------


def _fires(properties: list[dict[str, Any]], over: set[int]) -> bool:
    """Whether any alarm fires, given the five-minute slots over the limit since the change.

    The day alarm looks at every slot, the week alarm at every hour, as CloudWatch does. How it
    interpolates percentiles is not said: the way that fires last counts.
    """
    day, week = properties
    assert (day["Period"], week["Period"]) == (300, 604_800)
    if _most(over, day["EvaluationPeriods"], step=1) >= day["DatapointsToAlarm"]:
        return True
    samples = np.zeros(2016)
    samples[: _most(over, 2016, step=12)] = week["Threshold"] + 0.1
    percentile = float(week["ExtendedStatistic"].removeprefix("p"))
    return (
        min(
            np.percentile(samples, percentile, method="inverted_cdf"),
            # just over the limit, and zero otherwise: any share of zero is below the limit
            np.percentile(samples, percentile, method="linear"),
        )
        > week["Threshold"]
    )


def _most(over: set[int], length: int, step: int) -> int:
    ends = range(step, SLOTS + step, step)
    return max(sum(end - length <= slot < end for slot in over) for end in ends)


@given(over=st.sets(st.integers(0, SLOTS - 1), min_size=21, max_size=21))
@settings(max_examples=30)
def test_nothing_that_breaks_the_rule_passes(over: set[int]) -> None:
    assert _fires(_properties(guards.cpu(21)), over)


def test_the_thinnest_leak_is_caught_and_one_sample_less_a_week_is_not() -> None:
    properties = _properties(guards.cpu(21))
    even = {slot * SLOTS // 21 for slot in range(21)}
    assert max(b - a for a, b in pairwise(sorted(even))) == 192  # 16 hours apart
    assert _fires(properties, even)
    assert not _fires(properties, {n * 200 for n in range(9)})
    assert _fires(properties, set(range(11)))  # earlier than the rule: the price of the week


def test_where_one_sample_is_enough_the_alarm_is_the_rule() -> None:
    (one,) = _properties(guards.cpu(1))
    assert (one["EvaluationPeriods"], one["Period"]) == (1, 300)
    assert "DatapointsToAlarm" not in one
