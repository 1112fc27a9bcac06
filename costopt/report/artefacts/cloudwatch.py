"""Guards as CloudWatch alarms in a CloudFormation template: two alarms that together are enough.

An alarm counts "M out of N" periods, over at most a day where the period is under an hour, and over
at most seven days else. Alone, a day's count of M = 21 would let 20 pass every day, 280 in 14 days.
So a guard that allows more than one sample gets two alarms:

- day: M of the last 24 hours' periods are over the limit, looked at every minute. Exact where the
  rule is broken within a day.
- week: a high percentile of the last 7 days' samples is over the limit, looked at every hour: at
  the latest when ceil(M / weeks) periods were. M within two weeks cannot be without ceil(M / 2) in
  one of them, so nothing that breaks the rule passes (to the hour, and as exactly as CloudWatch
  knows its percentiles); but it may fire at that smaller number already, or one earlier.

Neither knows when the change was made or when the rule ends.

Source: CloudWatch API Reference, PutMetricAlarm (Period times EvaluationPeriods; 255 and 1,024
characters); User Guide, "Alarm evaluation" (M out of N, multi-day alarms) and "Percentile-based
alarms and low data samples" (under 10 / (1 - p) samples it is evaluated only if asked to);
CloudFormation, AWS::CloudWatch::Alarm (ExtendedStatistic p0.0 to p100), quotas (500 resources,
1 MB, 51,200 bytes without a bucket) and "Dynamic references" ({{resolve:...}} in any text).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, Final

from costopt.report.artefacts.base import (
    Artefact,
    Watch,
    by_place,
    days_of,
    lasting,
    moment,
    numbered,
    portions,
    pretty,
    rule,
    slug,
)
from costopt.units import counted

STEM: Final = "cloudwatch-alarms"
_RESOURCES, _BYTES = 500, 1_000_000
_DAY, _WEEK, _HOUR = 86_400, 604_800, 3600
_INSTANCE: Final = re.compile(
    r"(?:arn:aws[a-z-]*:ec2:[a-z0-9-]+:[0-9]{12}:instance/)?(?P<id>i-[0-9a-f]{8,17})"
)
_METRICS: Final = {
    "CPU": {"Namespace": "AWS/EC2", "MetricName": "CPUUtilization"},
    "memory": {"Namespace": "CWAgent", "MetricName": "mem_used_percent"},
}
_AGENT: Final = " It needs the CloudWatch agent, sending mem_used_percent with InstanceId alone."


def accepts(watch: Watch) -> bool:
    """Whether the resource is an EC2 instance, by its id or ARN."""
    return _INSTANCE.fullmatch(watch.recommendation.resource_id) is not None


def artefacts(watches: Sequence[Watch]) -> list[Artefact]:
    """A template an account and region, more where one would pass CloudFormation's limits."""
    places = by_place(watches, _place)
    found = []
    for place, held in places.items():
        stem = STEM if len(places) == 1 else f"{STEM}-{slug(*place)}"
        alarms = [(_logical(alarm), alarm) for watch in held for alarm in _alarms(watch)]
        parts = list(portions(alarms, most=_RESOURCES, most_bytes=_BYTES))
        for number, part in enumerate(parts, 1):
            path = numbered(stem, number, len(parts))
            deploy = (
                f"aws cloudformation deploy --region {_named(place[1], 'REGION')} "
                f"--template-file DIR/{path} --stack-name costopt-{path.removesuffix('.json')} "
                "--parameter-overrides NotificationTopicArn=TOPIC_ARN"
            )
            if place[0]:
                deploy += f"  # account {_named(place[0], 'of the machine')}"
            found.append(Artefact(path, pretty(_template(part)), deploy))
    return found


def _template(resources: dict[str, Any]) -> dict[str, Any]:
    told = "SNS topic to notify; empty: the alarms only show in the console."
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Alarms that say when to undo a resize (costopt)",
        "Parameters": {
            "NotificationTopicArn": {"Type": "String", "Default": "", "Description": told}
        },
        "Conditions": {
            "Notify": {"Fn::Not": [{"Fn::Equals": [{"Ref": "NotificationTopicArn"}, ""]}]}
        },
        "Resources": resources,
    }


def _alarms(watch: Watch) -> list[dict[str, Any]]:
    guard = watch.guard
    period = max(60, guard.period_seconds // 60 * 60)  # 60 s is the shortest of both metrics
    reach = _DAY if period < _HOUR else _WEEK
    if guard.samples == 1:
        told = "This alarm fires at the first such period."
        return [_alarm(watch, "", told, Period=period, Statistic="Average", EvaluationPeriods=1)]
    return [_counting(watch, period, reach), _weekly(watch, period)]


def _counting(watch: Watch, period: int, reach: int) -> dict[str, Any]:
    periods = reach // period
    least = min(watch.guard.samples, periods)
    told = (
        f"This alarm fires at {counted(least, 'period')} of {lasting(period)} "
        f"within {reach // _HOUR} h."
    )
    return _alarm(
        watch,
        "-day" if reach == _DAY else "-count",
        told,
        Period=period,
        Statistic="Average",
        EvaluationPeriods=periods,
        DatapointsToAlarm=least,
    )


def _weekly(watch: Watch, period: int) -> dict[str, Any]:
    weeks = max(1, math.ceil(days_of(watch) / 7))
    least = math.ceil(watch.guard.samples / weeks)
    told = (
        f"This alarm fires at the latest at {counted(least, 'period')} of {lasting(period)} within "
        f"7 days: {watch.guard.samples:,} in {counted(days_of(watch), 'day')} always hold a week "
        "with so many."
    )
    return _alarm(
        watch,
        "-week",
        told,
        Period=_WEEK,
        ExtendedStatistic=f"p{_percentile(_WEEK // period, least):.10g}",
        EvaluateLowSampleCountPercentile="evaluate",
        EvaluationPeriods=1,
    )


def _percentile(samples: int, over: int) -> float:
    """The percentile that is over the limit once so many samples are, in steps of 0.01 upwards.

    By interpolation between ranks, the strictest way; by nearest rank it is so one sample earlier.
    """
    exact = 100 * max(0, samples - over) / (samples - 1)
    return math.ceil(exact * 100 - 1e-9) / 100


def _alarm(watch: Watch, ending: str, told: str, **how: Any) -> dict[str, Any]:
    agent = _AGENT if watch.metric == "memory" else ""
    end = f"It knows neither start nor end: delete it after {moment(watch.until)}."
    found = _INSTANCE.fullmatch(watch.recommendation.resource_id)
    assert found is not None, "only what accepts() took comes here"
    tags = {
        "costopt-recommendation": watch.recommendation.recommendation_id,
        "costopt-until": f"{watch.until:%Y-%m-%d}",
    }
    properties = {
        "AlarmName": watch.name + ending,
        "AlarmDescription": _plain(f"{rule(watch)} {told}{agent} {end}"),
        **_METRICS[watch.metric],
        "Dimensions": [{"Name": "InstanceId", "Value": found["id"]}],
        "Threshold": watch.guard.limit_percent,
        "ComparisonOperator": "GreaterThanThreshold",
        **how,
        # a silent agent or a stopped machine shows as INSUFFICIENT_DATA, not as calm
        "TreatMissingData": "missing",
        "AlarmActions": [
            {"Fn::If": ["Notify", {"Ref": "NotificationTopicArn"}, {"Ref": "AWS::NoValue"}]}
        ],
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
    }
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}


def _logical(alarm: dict[str, Any]) -> str:
    """The alarm's name in letters and digits only."""
    return "".join(part.capitalize() for part in alarm["Properties"]["AlarmName"].split("-"))


def _place(watch: Watch) -> tuple[str, str]:
    one = watch.recommendation
    return (one.sub_account_id or "", one.current.region_id or "")


def _named(text: str, otherwise: str) -> str:
    """An account or region for a command line, where it can be one."""
    return text if re.fullmatch(r"[a-z0-9][a-z0-9-]*", text) else otherwise


def _plain(text: str) -> str:
    """Text in which CloudFormation finds no reference to a secret or parameter to fill in.

    No two braces stay side by side: of three, `str.replace` would leave two.
    """
    return re.sub(r"\{(?=\{)", "{ ", text)
