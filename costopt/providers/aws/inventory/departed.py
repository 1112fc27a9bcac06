"""Accounts that are closed, or were members of the organization and no longer are: their machines
are not there any more, though nobody lets us look."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

from costopt.providers import gone as clouds
from costopt.providers.aws.access import Account
from costopt.providers.aws.inventory.gone import LISTED
from costopt.providers.aws.organization import ACTIVE
from costopt.providers.base import Known, Problem
from costopt.providers.rows import Row

MEMBERS: Final = "organization members"
"""The note of whom we collected through the organization."""
_OVER: Final = frozenset({"SUSPENDED", "PENDING_CLOSURE", "CLOSED"})
_NEXT: Final = "what the lake holds of it is taken for no longer there"


def departed(home: Account, known: Known, problems: list[Problem]) -> Iterator[Row]:
    """What the lake holds of such accounts, with its state; none without `--organization`.

    Who left the organization may be collected by itself from then on: that is said once.

    Args:
        problems: each account that is not looked into is told.
    """
    states = home.organization
    left = members(known) - states.keys() if states else set()
    for account, state in sorted(states.items()):
        if state != ACTIVE and account != home.account_id:
            what = f"AWS says {state or 'nothing of its state'}: not looked into"
            problems.append(Problem(account, f"{what}; {_NEXT}" if state in _OVER else what))
    why = f"no longer in the organization: {_NEXT}"
    problems += [Problem(account, why) for account in sorted(left)]
    over = left | {account for account, state in states.items() if state in _OVER}
    gone = dict.fromkeys(over - {home.account_id}, clouds.GONE)
    yield from clouds.departed(known.resources, gone, LISTED)


def noted(home: Account, accounts: Sequence[Account], known: Known) -> dict[str, str]:
    """What to note for the next collect; nothing without `--organization`."""
    if not home.organization:
        return {}
    entered = {one.account_id for one in accounts if not one.is_home}
    return {MEMBERS: json.dumps(sorted(entered | members(known) & home.organization.keys()))}


def members(known: Known) -> set[str]:
    """Whom earlier collects entered through the organization; a note not to be read is none."""
    try:
        told = json.loads(known.notes.get(MEMBERS, "[]"))
    except ValueError:
        return set()
    return {one for one in told if isinstance(one, str)} if isinstance(told, list) else set()
