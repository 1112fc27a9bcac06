"""The agent's series, listed: once for each account and region that has machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from costopt.parallel import in_threads
from costopt.providers.aws.access import Account, told
from costopt.providers.aws.metrics.agents import Listed, nameless
from costopt.providers.aws.metrics.catalogue import AGENT
from costopt.providers.aws.metrics.targets import Place
from costopt.providers.base import Problem
from costopt.units import counted

_ACTION: Final = "cloudwatch:ListMetrics"


def listed(
    accounts: Mapping[str, Account], places: Sequence[Place], problems: list[Problem], threads: int
) -> dict[Place, list[Listed]]:
    """What the agents of each place send; nothing for a place that does not say.

    CloudWatch lists what had a sample in the last two weeks; asking for the last three hours only
    (RecentlyActive) would hide machines that are off.
    """

    def one(place: Place) -> tuple[list[Listed], list[Problem]]:
        failed: list[Problem] = []
        return _of_place(accounts[place[0]], place, failed), failed

    found = {}
    for place, (series, failed) in zip(places, in_threads(one, places, threads), strict=True):
        problems += failed
        problems += _unnamed(place, series)
        found[place] = series
    return found


def _of_place(account: Account, place: Place, failed: list[Problem]) -> list[Listed]:
    series: list[Listed] = []
    with told(failed, f"{' '.join(place)} {_ACTION}"):
        pages = account.client("cloudwatch", place[1]).get_paginator("list_metrics")
        for page in pages.paginate(Namespace=AGENT):
            series += (_listed(metric) for metric in page["Metrics"])
        return series
    return []


def _listed(metric: dict[str, Any]) -> Listed:
    pairs = sorted((one["Name"], one["Value"]) for one in metric["Dimensions"])
    return Listed(metric["MetricName"], tuple(pairs))


def _unnamed(place: Place, series: list[Listed]) -> list[Problem]:
    hosts = nameless(series)
    if not hosts:
        return []
    what = (
        f"CloudWatch agents of {counted(len(hosts), 'host')} ({', '.join(hosts[:3])}"
        f"{', ...' if len(hosts) > 3 else ''}) do not say which instance they are on, so their "
        "memory, disk and GPU are not read; add InstanceId to append_dimensions in their "
        "configuration"
    )
    return [Problem(f"{' '.join(place)} {AGENT}", what, count=len(hosts))]
