"""Which accounts to look into: one's own, or every active member of the organization."""

from __future__ import annotations

from typing import Any, Final

from costopt.errors import ProviderError
from costopt.parallel import in_threads
from costopt.providers.aws.access import (
    FAILURES,
    Account,
    member_account,
    own_account,
    said,
    told,
    under,
)
from costopt.providers.aws.settings import AwsSettings
from costopt.providers.base import Problem

ACTIVE: Final = "ACTIVE"


def accounts(settings: AwsSettings, problems: list[Problem]) -> list[Account]:
    """The accounts that let us in, by id: the own one, and with `--organization` its members.

    The own account is entered by the user's own credentials, whatever its place in the
    organization. Each member is tried by nothing but assuming its role; one that refuses is a
    problem and left out.

    Args:
        problems: what is missing is added, by account id.
    Raises:
        ProviderError: there are no credentials, or the organization's members cannot be listed.
    """
    home = own_account(settings)
    if not settings.organization:
        return [home]
    listed = _listed(home)
    home.organization = {one["Id"]: _state(one) for one in listed}
    names = {one["Id"]: one.get("Name", "") for one in listed if _state(one) == ACTIVE}
    home.name = names.pop(home.account_id, "")
    members = [member_account(home, one, name) for one, name in sorted(names.items())]
    entered = in_threads(_entered, members, settings.max_concurrency)
    let_in = [home]
    for member, refusals in zip(members, entered, strict=True):
        problems += refusals
        if not refusals:
            let_in.append(member)
    return sorted(let_in, key=lambda account: account.account_id)


def _listed(home: Account) -> list[dict[str, Any]]:
    """All accounts of the organization, whatever their state."""
    try:
        pages = home.client("organizations").get_paginator("list_accounts").paginate()
        return [account for page in pages for account in under(page, "Accounts")]
    except FAILURES as error:
        raise ProviderError(
            f"the accounts of the organization cannot be listed: {said(error)}",
            where=f"{home.account_id} organizations:ListAccounts",
            hint="--organization works from the management account or a delegated administrator "
            "that may call organizations:ListAccounts; without it, only the own account is read",
        ) from None


def _state(account: dict[str, Any]) -> str:
    """State takes the place of Status, which AWS retires in 2026."""
    return str(account.get("State", account.get("Status", "")))


def _entered(member: Account) -> list[Problem]:
    """Why the member's role cannot be assumed; [] = it can, and its credentials are here now."""
    problems: list[Problem] = []
    role = f"role {member.settings.role_name}"
    with told(problems, " ".join(filter(None, (member.account_id, member.name, role)))):
        member.enter()
    return problems
