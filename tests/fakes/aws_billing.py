"""A local AWS for what moto lacks of bills: reservations, savings plans, Cost Explorer.

One endpoint for all: EC2 and RDS speak the query protocol (XML), Cost Explorer JSON, savingsplans
REST. Paging is real, with pages of two; a call named in `refused` is answered by AccessDenied.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from tests.fakes import loopback

PAGE = 2


@dataclass
class Billing:
    """What the account has, and which calls were made."""

    reserved: list[Mapping[str, str]] = field(default_factory=list)  # EC2's fields, as XML has them
    databases: list[Mapping[str, str]] = field(default_factory=list)
    plans: list[dict[str, Any]] = field(default_factory=list)
    costs: list[dict[str, Any]] = field(default_factory=list)  # ce ResultsByTime
    reservation_use: list[dict[str, Any]] = field(default_factory=list)  # ce groups
    plan_use: list[dict[str, Any]] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    url: str = ""

    def asked(self, operation: str) -> list[dict[str, Any]]:
        """The parameters of that operation's calls, in order."""
        return [given for name, given in self.calls if name == operation]


@contextmanager
def serving(billing: Billing) -> Iterator[Billing]:
    """Serve it on loopback."""

    class Handler(_Handler):
        account = billing

    with loopback.served(Handler) as billing.url:
        yield billing


class _Handler(loopback.Quiet):
    account: Billing

    def do_POST(self) -> None:
        body = self.body().decode()
        target = self.headers.get("X-Amz-Target")
        if target or not body.startswith("Action="):
            operation = (target or self.path).rsplit(".", 1)[-1].strip("/")
            given = json.loads(body or "{}")
        else:
            given = dict(parse_qsl(body))
            operation = given["Action"]
        self.account.calls.append((operation, given))
        if operation in self.account.refused:
            self._refuse(operation, as_json=not body.startswith("Action="))
        else:
            getattr(self, f"_{operation}")(given)

    def _GetCallerIdentity(self, given: Mapping[str, Any]) -> None:
        account = "<Account>410200000009</Account><Arn>arn:aws:iam::1:root</Arn><UserId>u</UserId>"
        self._xml(f"<R><GetCallerIdentityResult>{account}</GetCallerIdentityResult></R>")

    def _DescribeReservedInstances(self, given: Mapping[str, Any]) -> None:
        items = "".join(f"<item>{_elements(one)}</item>" for one in self.account.reserved)
        self._xml(f"<R><reservedInstancesSet>{items}</reservedInstancesSet></R>")

    def _DescribeReservedDBInstances(self, given: Mapping[str, Any]) -> None:
        page, following = _page(self.account.databases, given.get("Marker"))
        items = "".join(
            f"<ReservedDBInstance>{_elements(one)}</ReservedDBInstance>" for one in page
        )
        marker = f"<Marker>{following}</Marker>" if following else ""
        inside = f"{marker}<ReservedDBInstances>{items}</ReservedDBInstances>"
        result = "DescribeReservedDBInstancesResult"
        self._xml(f"<R><{result}>{inside}</{result}></R>")

    def _DescribeSavingsPlans(self, given: Mapping[str, Any]) -> None:
        active = [one for one in self.account.plans if one["state"] in given["states"]]
        page, following = _page(active, given.get("nextToken"))
        self._json({"savingsPlans": page, **({"nextToken": following} if following else {})})

    def _GetCostAndUsage(self, given: Mapping[str, Any]) -> None:
        span = given["TimePeriod"]
        days = [
            day
            for day in self.account.costs
            if span["Start"] <= day["TimePeriod"]["Start"] < span["End"]
        ]
        page, following = _page(days, given.get("NextPageToken"))
        self._json({"ResultsByTime": page, **_token("NextPageToken", following)})

    def _GetReservationUtilization(self, given: Mapping[str, Any]) -> None:
        (service,) = given["Filter"]["Dimensions"]["Values"]
        mine = [g for g in self.account.reservation_use if g["Attributes"]["service"] == service]
        page, following = _page(mine, given.get("NextPageToken"))
        told = [{"TimePeriod": given["TimePeriod"], "Groups": page}]
        self._json({"UtilizationsByTime": told, **_token("NextPageToken", following)})

    def _GetSavingsPlansUtilizationDetails(self, given: Mapping[str, Any]) -> None:
        page, following = _page(self.account.plan_use, given.get("NextToken"))
        told = {"SavingsPlansUtilizationDetails": page, "TimePeriod": given["TimePeriod"]}
        self._json({**told, **_token("NextToken", following)})

    def _refuse(self, operation: str, *, as_json: bool) -> None:
        message = f"not authorized to perform: {operation}"
        if as_json:
            self._json({"__type": "AccessDeniedException", "message": message}, 400)
            return
        error = f"<Error><Code>UnauthorizedOperation</Code><Message>{message}</Message></Error>"
        self._xml(f"<Response><Errors>{error}</Errors>{error}</Response>", 403)

    def _json(self, value: object, status: int = 200) -> None:
        self.reply(status, json.dumps(value).encode(), "application/x-amz-json-1.1")

    def _xml(self, text: str, status: int = 200) -> None:
        self.reply(status, text.encode(), "text/xml")


def _page(every: Sequence[Any], token: str | None) -> tuple[list[Any], str | None]:
    start = int(token or 0)
    following = start + PAGE
    return list(every[start:following]), str(following) if following < len(every) else None


def _token(name: str, value: str | None) -> dict[str, str]:
    return {name: value} if value else {}


def _elements(fields: Mapping[str, str]) -> str:
    return "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
