"""Each charge counts once: what an export tells of an account, Cost Explorer does not tell besides.

Cost Explorer's rows stand under the account that was asked and name no other, so the lake cannot
see that they are the same charges as a payer's export has of that account. The notes can: they say
which accounts an export's month tells, and of which months Cost Explorer was believed.

  - An export's month was read: Cost Explorer is not asked for that month of the accounts in it.
  - Cost Explorer was there first: the month of an export that tells the account brings a row of no
    cost in Cost Explorer's name, which replaces in the lake what that told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

from costopt.providers.aws.bill.layout import Month
from costopt.providers.bills import counts
from costopt.providers.bills.spool import Scope

FINAL: Final = "final"
SO_FAR: Final = "so far"
EXPLORER_NOTE: Final = "cost-explorer "
"""How the names of Cost Explorer's notes begin."""


def explorer_note(account: str, month: datetime) -> str:
    """Under which name Cost Explorer's month of an account is noted."""
    return f"{EXPLORER_NOTE}{account} {month:%Y-%m}"


def explored_so_far(notes: Mapping[str, str], account: str) -> list[datetime]:
    """The months of the account of which Cost Explorer told a part, or what was not final."""
    beginning = f"{EXPLORER_NOTE}{account} "
    return [
        datetime.strptime(name.removeprefix(beginning), "%Y-%m").replace(tzinfo=UTC)
        for name, told in sorted(notes.items())
        if told == SO_FAR and name.startswith(beginning)
    ]


def told_by(notes: Mapping[str, str], account: str, month: datetime) -> str | None:
    """The export that tells what the account was charged in the month; None = no export does."""
    exports = counts.of_month(notes, f"{month:%Y-%m}").items()
    return next(
        (
            name.removeprefix(counts.MONTH_NOTE).removesuffix(f" {month:%Y-%m}")
            for name, export in exports
            if account in _told(export.tells)
        ),
        None,
    )


def taken_back(notes: Mapping[str, str], month: Month, scopes: Collection[Scope]) -> list[str]:
    """Accounts whose month Cost Explorer told, and an export tells now.

    Args:
        notes: of earlier collects.
        scopes: payers and accounts that the export's month names.
    """
    payers = {scope.payer for scope in scopes}  # their own is replaced by the export's rows
    asked = sorted(_told(scopes) - payers)
    return [
        account
        for account in asked
        if notes.get(explorer_note(account, month.start)) in {FINAL, SO_FAR}
    ]


def _told(scopes: Iterable[Scope]) -> set[str]:
    """Accounts whose charges are all there: a payer's are where several accounts are named, since
    the export of a member names none but itself; without names they are the payer's."""
    accounts: dict[str | None, set[str]] = defaultdict(set)
    for scope in scopes:
        accounts[scope.payer] |= {one for one in (scope.account or scope.payer,) if one}
    whole = {payer for payer, own in accounts.items() if payer and len(own) > 1}
    return whole.union(*accounts.values())
