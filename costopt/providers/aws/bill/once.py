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
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final

import pyarrow as pa

from costopt import schema
from costopt.providers.aws.bill.layout import MONTH_NOTE, Month
from costopt.providers.bills.spool import Scope

FINAL: Final = "final"
SO_FAR: Final = "so far"


def explorer_note(account: str, month: datetime) -> str:
    """Under which name Cost Explorer's month of an account is noted."""
    return f"cost-explorer {account} {month:%Y-%m}"


def export_note(month: Month, scopes: Iterable[Scope]) -> str:
    """What to note of an export's month that was given whole: its digest, and whom it tells.

    Args:
        scopes: payers and accounts that its rows name.
    """
    return " ".join((month.digest, *sorted(_told(scopes))))


def was_read(notes: Mapping[str, str], month: Month) -> bool:
    """Whether the month was given whole, as it is now."""
    return notes.get(month.name, "").partition(" ")[0] == month.digest


def told_by(notes: Mapping[str, str], account: str, month: datetime) -> str | None:
    """The export that tells what the account was charged in the month; None = no export does."""
    ending = f" {month:%Y-%m}"
    months = ((name, accounts.split()[1:]) for name, accounts in sorted(notes.items()))
    return next(
        (
            name.removeprefix(MONTH_NOTE).removesuffix(ending)
            for name, accounts in months
            if name.startswith(MONTH_NOTE) and name.endswith(ending) and account in accounts
        ),
        None,
    )


def taken_back(
    notes: Mapping[str, str], month: Month, scopes: Iterable[Scope], sample: pa.Table
) -> Iterator[tuple[str, pa.Table]]:
    """A row of no cost for each account whose month Cost Explorer told, with its note's name.

    Args:
        notes: of earlier collects.
        scopes: payers and accounts that the export's month names.
        sample: rows of the month, at least one; the first lends its currency and times.
    """
    payers = {payer for payer, _ in scopes}
    for account in sorted(_told(scopes) - payers):  # the payer's own is replaced by these rows
        name = explorer_note(account, month.start)
        if notes.get(name) in {FINAL, SO_FAR}:
            yield name, _nothing(account, month, sample)


def _told(scopes: Iterable[Scope]) -> set[str]:
    """Accounts whose charges are all there: a payer's are where several accounts are named, since
    the export of a member names none but itself; without names they are the payer's."""
    accounts: dict[str | None, set[str]] = defaultdict(set)
    for payer, account in scopes:
        accounts[payer] |= {one for one in (account or payer,) if one}
    whole = {payer for payer, own in accounts.items() if payer and len(own) > 1}
    return whole.union(*accounts.values())


def _nothing(account: str, month: Month, sample: pa.Table) -> pa.Table:
    like = sample.slice(0, 1).to_pylist()[0]
    copied = ("BillingCurrency", "ChargePeriodStart", "ChargePeriodEnd")
    row = {
        **{name: like[name] for name in copied},
        "BilledCost": Decimal(0),
        "EffectiveCost": Decimal(0),
        "BillingAccountId": account,
        "BillingPeriodStart": month.start,
        "BillingPeriodEnd": month.following,
        "ChargeCategory": "Adjustment",
        "ChargeDescription": f"Cost Explorer's sums of {account}, told by an export since",
        "ProviderName": "AWS",
    }
    return pa.Table.from_pylist([row], schema=schema.CHARGES)
