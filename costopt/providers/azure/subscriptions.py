"""Which subscriptions to look into: those named, or all that the credentials can see."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple

from azure.core.exceptions import HttpResponseError
from azure.mgmt.resource.subscriptions import SubscriptionClient

from costopt.errors import ProviderError
from costopt.parallel import in_threads
from costopt.providers.azure.access import FAILURES, Access, arm_id, listed, said, told
from costopt.providers.base import Problem

CALL: Final = "Microsoft.Resources/subscriptions/read"

_IN_USE: Final = frozenset({"Enabled", "PastDue"})
"""What runs, and bills, in a subscription of these states; in a Warned one it was taken off line.
Source: "Azure subscription states", learn.microsoft.com/azure/cost-management-billing."""

_HINT: Final = (
    "sign in (az login), or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET; the role "
    "that has to be assigned in each subscription is printed by costopt doctor azure --policy"
)


class Subscription(NamedTuple):
    """One subscription that lets us in."""

    subscription_id: str  # in lower case
    name: str = ""

    @property
    def scope(self) -> str:
        """As roles and ids name it."""
        return f"/subscriptions/{self.subscription_id}"


def subscriptions(access: Access, problems: list[Problem]) -> list[Subscription]:
    """The subscriptions to look into, by id.

    One that is named is looked into whatever its state, and one that refuses is a problem and left
    out. Of those that are visible the ones in use are taken.

    Args:
        problems: what is missing is added, by subscription id.
    Raises:
        ProviderError: there are no credentials, or no subscription is left.
    """
    if not access.settings.subscription:
        return _visible(access)
    names = sorted(set(access.settings.subscription))
    let_in, refusals = [], []
    threads = access.settings.max_concurrency
    for found, refused in in_threads(lambda name: _named(access, name), names, threads):
        let_in += found
        refusals += refused
    if not let_in:
        raise ProviderError(
            f"no subscription lets us in: {refusals[0].what}", where=refusals[0].where, hint=_HINT
        )
    problems += refusals
    return let_in


def unseen(
    access: Access,
    known: Collection[str],
    let_in: Collection[Subscription],
    problems: list[Problem],
) -> set[str]:
    """Those that show nothing any more: disabled, gone, or without a role for us by now.

    Each is told: fatal where it does not let us in, as nobody knows what becomes of it. One of
    another tenant than that of the credentials is none of them; it is collected apart.

    Args:
        known: ids of those that the lake holds something of.
    """
    named = set(access.settings.subscription)
    missing = set(known) - {one.subscription_id for one in let_in}
    asked = sorted(missing & named if named else missing)
    told_of = {problem.where for problem in problems}
    found = set()
    threads = access.settings.max_concurrency
    for name, (lost, problem) in zip(
        asked, in_threads(lambda one: _asked(access, one), asked, threads), strict=True
    ):
        found |= {name} if lost else set()
        problems += [problem] if problem and problem.where not in told_of else []
    return found


def _asked(access: Access, name: str) -> tuple[bool, Problem | None]:
    """Whether the subscription shows nothing, and what is to be said of it."""
    where = f"{name} {CALL}"
    try:
        state = access.management(SubscriptionClient).subscriptions.get(name).get("state")
    except FAILURES as error:
        status = error.status_code if isinstance(error, HttpResponseError) else None
        if status == 401:  # InvalidAuthenticationTokenTenant
            return False, None
        return status in (403, 404), Problem(where, f"no longer visible: {said(error)}", fatal=True)
    if state in _IN_USE:
        return False, None
    return True, Problem(where, f"is {state}: what the lake holds of it is not advised on")


def _named(access: Access, name: str) -> tuple[list[Subscription], list[Problem]]:
    """The subscription, or why not."""
    refusals: list[Problem] = []
    with told(refusals, f"{name} {CALL}"):
        found = access.management(SubscriptionClient).subscriptions.get(name)
        return [Subscription(name, found.get("displayName") or "")], []
    return [], refusals


def _visible(access: Access) -> list[Subscription]:
    try:
        found = list(listed(access.management(SubscriptionClient).subscriptions.list))
    except FAILURES as error:
        raise ProviderError(
            f"the subscriptions cannot be listed: {said(error)}", where=CALL, hint=_HINT
        ) from None
    used = {
        arm_id(one).lower().rpartition("/")[2]: one.get("displayName") or ""
        for one in found
        if one.get("state") in _IN_USE
    }
    if not used:
        states = sorted({str(one.get("state")) for one in found})
        seen = f"only such as are {', '.join(states)}" if states else "none at all"
        raise ProviderError(
            f"no subscription in use is visible to these credentials, {seen}",
            where=CALL,
            hint=_HINT,
        )
    return [Subscription(name, title) for name, title in sorted(used.items())]
