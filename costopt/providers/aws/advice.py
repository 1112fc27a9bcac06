"""AWS Compute Optimizer's recommendations, to be compared with ours: machines, and what is idle.

Asked in every account and region in which the inventory found something; the calls are free. An
account that has not opted in, or does not let us ask, is told once.

x_Attributes, all of them text: current_type; savings_after_discounts; of a machine also
performance_risk of the first choice and current_performance_risk (Compute Optimizer's own grades),
platform_differences, migration_effort, cpu_threshold and headroom in force, and the further choices
as option_2, option_3, each with what it saves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import pyarrow as pa
from botocore.exceptions import ClientError

from costopt.parallel import in_threads
from costopt.providers import advised
from costopt.providers.advised import Listing
from costopt.providers.aws.access import FAILURES, Account, denied, said, under
from costopt.providers.aws.paging import pages
from costopt.providers.base import Problem
from costopt.providers.rows import Row, attributes
from costopt.schema import AWS_ADVICE
from costopt.units import cents

SERVICE: Final = "compute-optimizer"
_NOT_OPTED_IN: Final = "OptInRequiredException"
_PAGE: Final = 1000
_NO_MOMENT: Final = (ValueError, RuntimeError)
"""By which botocore says that a time in an answer is none, or is beyond all years."""

_SIZED: Final = frozenset({"overprovisioned", "underprovisioned", "notoptimized"})
_STOPPED: Final = frozenset({"EC2Instance", "RDSDBInstance"})
"""What is stopped when it is idle; other kinds are deleted, and a group is scaled in."""
_SHORT_IDS: Final = frozenset({"EC2Instance", "EBSVolume", "NatGateway"})
"""Kinds that bills name by the last part of the ARN."""


class _Call(NamedTuple):
    """One operation, and how an item of its answer becomes a row."""

    name: str  # as IAM spells it
    operation: str
    key: str
    row: Callable[[Mapping[str, Any]], Row | None]


class _Place(NamedTuple):
    account: Account
    region: str


def advice(
    accounts: Sequence[Account], things: pa.Table, problems: list[Problem], now: datetime
) -> pa.Table:
    """What Compute Optimizer recommends (schema.VENDOR_RECOMMENDATIONS).

    Args:
        things: the inventory (schema.RESOURCES): where it has nothing, nothing is asked.
        problems: what is not permitted or fails, once for each account and reason.
        now: when it is asked (UTC).
    """
    by_id = {account.account_id: account for account in accounts}
    pairs = zip(*(things.column(name).to_pylist() for name in _WHERE), strict=True)
    places = [_Place(by_id[one], region) for one, region in sorted({*pairs}) if one in by_id]
    listings: list[list[Row]] = []
    refusals: list[Problem] = []
    threads = accounts[0].settings.max_concurrency if accounts else 1
    for found, refused in in_threads(lambda place: _listed(place, now), places, threads):
        listings += found
        refusals += refused
    problems += advised.once(refusals)
    return advised.table(listings)


_WHERE: Final = ("SubAccountId", "RegionId")


def _listed(place: _Place, now: datetime) -> tuple[list[list[Row]], list[Problem]]:
    listings, problems = [], []
    account = place.account.account_id
    for call in CALLS:
        scope = f"{place.region} {call.operation.removeprefix('get_')}"
        listing = Listing("AWS", AWS_ADVICE, account, scope, now)
        try:
            rows, unlisted = _asked(place, call)
        except (*FAILURES, *_NO_MOMENT) as error:
            problems.append(_refusal(place, call, error))
            if is_not_opted_in(error):  # the other call would be refused, too
                break
            continue
        listings.append(listing.rows(rows))
        problems += [Problem(f"{account} {place.region} {call.name}", what) for what in unlisted]
    return listings, problems


def _asked(place: _Place, call: _Call) -> tuple[list[Row], list[str]]:
    """The rows of all pages, and what could not be said of single things."""
    operation = getattr(place.account.client(SERVICE, place.region), call.operation)
    rows, unlisted = [], []
    for page in pages(operation, "nextToken", maxResults=_PAGE):
        rows += [row for one in under(page, call.key) if (row := call.row(one)) is not None]
        unlisted += [
            f"{one.get('identifier', '')}: {one.get('code', '')} {one.get('message', '')}"[:300]
            for one in page.get("errors", ())
        ]
    return rows, unlisted


def _refusal(place: _Place, call: _Call, error: Any) -> Problem:
    account = place.account.account_id
    if is_not_opted_in(error):
        what = "the account has not opted in to Compute Optimizer: no advice to compare with"
        return Problem(f"{account} {SERVICE}", what)
    if denied(error):
        hint = "no advice to compare with; grant it (costopt doctor aws --policy)"
        return Problem(f"{account} {call.name}", f"{said(error)}; {hint}")
    return Problem(f"{account} {place.region} {call.name}", said(error))


def is_not_opted_in(error: Exception) -> bool:
    """Whether the account never asked for Compute Optimizer: that takes no permission."""
    code = error.response.get("Error", {}).get("Code") if isinstance(error, ClientError) else ""
    return code == _NOT_OPTED_IN


# -- what it says ----------------------------------------------------------------------------


def _machine(one: Mapping[str, Any]) -> Row:
    """A recommendation on an EC2 instance; one that is found right as it is, too."""
    arn = under(one, "instanceArn")
    options = sorted(one.get("recommendationOptions", ()), key=lambda told: told.get("rank", 99))
    first = options[0] if options else {}
    finding, current = one.get("finding", ""), one.get("currentInstanceType", "")
    chosen = first.get("instanceType") if _plain(finding) in _SIZED else None
    preferences = one.get("effectiveRecommendationPreferences", {})
    cpu = _of_cpu(preferences.get("utilizationPreferences", ()))
    return {
        "x_RecommendationId": f"{arn}#size",
        "ResourceId": _last(arn),
        "x_Action": _action(current, chosen) if _plain(finding) in _SIZED else "keep",
        "x_InstanceType": chosen,
        **_savings(first if chosen else {}),
        "x_Finding": finding,
        "x_Reasons": list(one.get("findingReasonCodes", ())),
        **_times(one),
        "x_Attributes": attributes(
            current_type=current,
            current_performance_risk=one.get("currentPerformanceRisk"),
            performance_risk=first.get("performanceRisk") if chosen else None,
            platform_differences=", ".join(first.get("platformDifferences", ())),
            migration_effort=first.get("migrationEffort") if chosen else None,
            cpu_threshold=cpu.get("threshold"),
            headroom=cpu.get("headroom"),
            savings_after_discounts=_after_discounts(first if chosen else {}),
            **{f"option_{n}": _option(told) for n, told in enumerate(options[1:], 2) if chosen},
        ),
    }


def _idle(one: Mapping[str, Any]) -> Row:
    """A recommendation on something that does nothing."""
    kind, arn = one.get("resourceType", ""), under(one, "resourceArn")
    action = "stop" if kind in _STOPPED else "other" if kind == "AutoScalingGroup" else "delete"
    return {
        "x_RecommendationId": f"{arn}#idle",
        "ResourceId": _last(arn) if kind in _SHORT_IDS else arn,
        "x_Action": action,
        **_savings(one),
        "x_Finding": one.get("finding"),
        "x_Reasons": [text] if (text := one.get("findingDescription")) else [],
        **_times(one),
        "x_Attributes": attributes(kind=kind, savings_after_discounts=_after_discounts(one)),
    }


CALLS: Final = (
    _Call(
        f"{SERVICE}:GetEC2InstanceRecommendations",
        "get_ec2_instance_recommendations",
        "instanceRecommendations",
        _machine,
    ),
    _Call(
        f"{SERVICE}:GetIdleRecommendations",
        "get_idle_recommendations",
        "idleRecommendations",
        _idle,
    ),
)


def _plain(finding: str) -> str:
    """The API says Overprovisioned and OVER_PROVISIONED."""
    return finding.replace("_", "").casefold()


def _action(current: str, chosen: str | None) -> str:
    if chosen is None:
        return "other"
    same = chosen.partition(".")[0] == current.partition(".")[0]
    return "resize" if same else "change-family"


def _savings(told: Mapping[str, Any]) -> Row:
    """What it states at on-demand prices; nothing where it states nothing."""
    return _stated(told.get("savingsOpportunity"))


def _stated(opportunity: Mapping[str, Any] | None) -> Row:
    stated = (opportunity or {}).get("estimatedMonthlySavings") or {}
    return advised.savings(advised.amount(stated.get("value")), stated.get("currency") or "USD")


def _after_discounts(told: Mapping[str, Any]) -> str | None:
    after = _stated(told.get("savingsOpportunityAfterDiscounts"))
    return f"{cents(after['x_MonthlySavings'])}" if after else None


def _option(told: Mapping[str, Any]) -> str:
    stated = _savings(told)
    saves = ""
    if stated:
        saves = f", saves {cents(stated['x_MonthlySavings'])} {stated['BillingCurrency']}"
    return f"{told.get('instanceType', '')}{saves}"


def _times(one: Mapping[str, Any]) -> Row:
    updated = one.get("lastRefreshTimestamp")
    return {
        "x_LookbackDays": one.get("lookBackPeriodInDays"),
        "x_UpdatedAt": updated.astimezone(UTC) if isinstance(updated, datetime) else None,
    }


def _of_cpu(preferences: Sequence[Mapping[str, Any]]) -> Mapping[str, str]:
    for one in preferences:
        if one.get("metricName") == "CpuUtilization":
            found: Mapping[str, str] = one.get("metricParameters", {})
            return found
    return {}


def _last(arn: str) -> str:
    return arn.rpartition("/")[2]
