"""Who counts: what each export tells of a month, and which of several that tell the same account.

Several exports below one address may tell one bill: a payer's and that of a member, FOCUS and CUR.
Each account of a payer counts once, from the export that

  - tells the most accounts, so that one that covers others stands whole for them;
  - of those that tell as many, is FOCUS (CUR cannot tell the support fee of the month under way);
  - was delivered on a later day: an export that was given up must not hold on to its last month;
  - comes first by its name.

What an export told when it was read last is in its month's note, so that an export that did not
change counts, or does not, as if it had been read again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from costopt.providers.aws.bill.layout import MONTH_NOTE
from costopt.providers.bills.spool import Scope

FOCUS: Final = "focus"
CUR: Final = "cur"


@dataclass(frozen=True, slots=True)
class Like:
    """Of a charge, what another one of no cost in its place needs."""

    currency: str | None
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Noted:
    """What an export told of a month when it was read last.

    `tells` are the payers and accounts in it; `counts` those whose charges in the lake are its.
    """

    digest: str = ""
    kind: str = ""  # FOCUS or CUR; "" = it has no file
    tells: frozenset[Scope] = frozenset()
    counts: frozenset[Scope] = frozenset()
    like: Like | None = None  # None: it never told a charge

    @property
    def text(self) -> str:
        """For the note."""
        like = self.like and [
            self.like.currency,
            self.like.start.isoformat(),
            self.like.end.isoformat(),
        ]
        told = {
            "digest": self.digest,
            "kind": self.kind,
            "tells": _sorted(self.tells),
            "counts": _sorted(self.counts),
            "like": like,
        }
        return json.dumps(told)

    def without(self, scopes: Iterable[Scope]) -> Noted:
        """After another export's charges of these took the place of its own."""
        return replace(self, counts=self.counts.difference(scopes))


def noted(text: str | None) -> Noted:
    """What a note says; one that is none, or of another making, says nothing."""
    try:
        told = json.loads(text or "")
        like = told["like"]
        return Noted(
            told["digest"],
            told["kind"],
            _scopes(told["tells"]),
            _scopes(told["counts"]),
            Like(like[0], *map(datetime.fromisoformat, like[1:])) if like else None,
        )
    except (ValueError, KeyError, TypeError):
        return Noted()


def of_month(notes: Mapping[str, str], month: datetime) -> dict[str, Noted]:
    """By their names, the notes of all exports of the month."""
    ending = f" {month:%Y-%m}"
    return {
        name: noted(text)
        for name, text in sorted(notes.items())
        if name.startswith(MONTH_NOTE) and name.endswith(ending)
    }


def owners(told: Mapping[str, Noted], delivered: Mapping[str, date]) -> dict[Scope, str]:
    """Of each payer and account of a month, the name of the export that counts.

    Args:
        told: what each export tells.
        delivered: the day on which each was delivered last.
    """
    first = sorted(
        told,
        key=lambda name: (
            -len(told[name].tells),
            told[name].kind != FOCUS,
            -delivered[name].toordinal(),
            name,
        ),
    )
    found: dict[Scope, str] = {}
    for name in first:
        for scope in told[name].tells:
            found.setdefault(scope, name)
    return found


def _sorted(scopes: Iterable[Scope]) -> list[list[str | None]]:
    return sorted([list(one) for one in scopes], key=str)


def _scopes(told: Iterable[Iterable[str | None]]) -> frozenset[Scope]:
    return frozenset((payer, account) for payer, account in told)
