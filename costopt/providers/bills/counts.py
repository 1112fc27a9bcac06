"""Who counts: what each export tells of a month, and which of several that tell the same account.

Several exports may tell one bill: a payer's and that of a member, of a billing account and of a
subscription, of several kinds. Each account counts once, from the export that

  - tells its costs whole: of Azure's, FocusCost before ActualCost and AmortizedCost, which count
    together and have a half each;
  - tells the most accounts, so that one that covers others stands whole for them;
  - of those that tell as many, is of the best kind (FOCUS: CUR cannot tell the support fee of the
    month under way);
  - was delivered on a later day: an export that was given up must not hold on to its last month;
  - comes first by its name.

Exports of parts of an account (of Azure's resource groups) add up where none tells all of it.

What an export told when it was read last is in its month's note, so that an export that did not
change counts, or does not, as if it had been read again.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final

from costopt.providers.bills.spool import Like, Scope, Spool

MONTH_NOTE: Final = "bill "
"""How the names of notes of months begin."""

Whose = tuple[str | None, ...]
"""One account, however exports spell it."""


@dataclass(frozen=True, slots=True)
class Noted:
    """What an export told of a month when it was read last.

    `tells` are the accounts in it; `counts` those whose charges in the lake are its.
    """

    digest: str = ""
    kind: str = ""
    tells: frozenset[Scope] = frozenset()
    counts: frozenset[Scope] = frozenset()
    like: Like | None = None  # None: it never told a charge
    parts: frozenset[tuple[Scope, str]] = frozenset()  # of which only one part is in it, and which

    @property
    def text(self) -> str:
        """For the note."""
        told = {
            "digest": self.digest,
            "kind": self.kind,
            "tells": _packed(self.tells),
            "counts": _packed(self.counts),
            "like": self.like and [self.like.currency, *map(_text, self.like[1:])],
            "parts": [[part, _packed([scope])] for scope, part in sorted(self.parts, key=str)],
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
            _unpacked(told["tells"]),
            _unpacked(told["counts"]),
            Like(like[0], *map(_moment, like[1:])) if like else None,  # type: ignore[arg-type]
            frozenset((one, part) for part, of in told["parts"] for one in _unpacked(of)),
        )
    except (ValueError, KeyError, TypeError):
        return Noted()


def of_month(notes: Mapping[str, str], month: str) -> dict[str, Noted]:
    """By their names, the notes of all exports of the month (2026-09)."""
    return {
        name: noted(text)
        for name, text in sorted(notes.items())
        if name.startswith(MONTH_NOTE) and name.endswith(f" {month}")
    }


def payer_and_account(scope: Scope) -> Whose:
    """Whose it is where all exports spell both alike."""
    return scope.payer, scope.account


def unsaid(spool: Spool) -> str:
    """Where rows do not show of which kind they are."""
    return ""


def in_one_piece(spool: Spool) -> Mapping[Scope, str]:
    """Where exports have accounts whole or not at all."""
    return {}


@dataclass(frozen=True, slots=True)
class Manner:
    """What the exports of one cloud have of their own."""

    best: str = ""  # the kind that counts, of exports that tell as many accounts
    halves: frozenset[str] = frozenset()  # kinds of which each tells one half of the costs
    whose: Callable[[Scope], Whose] = payer_and_account
    shown: Callable[[Spool], str] = unsaid
    """The kind of a file that does not say it, by its rows; "" = they do not show it."""
    otherwise: str = ""  # the kind where nothing tells it
    parts: Callable[[Spool], Mapping[Scope, str]] = in_one_piece
    """Accounts of which one part alone is there, and which."""


Voice = tuple[str, ...]
"""The name of the export that counts; of both, where each tells a half."""


def voices(
    told: Mapping[str, Noted], delivered: Mapping[str, date], manner: Manner
) -> dict[Whose, tuple[Voice, ...]]:
    """Of each account of a month who counts; several add up, each with its part of the account.

    Args:
        told: what each export tells.
        delivered: the day on which each was delivered last.
    """
    tells: dict[Whose, dict[str, str]] = defaultdict(dict)  # by account and export, which part
    for name, one in told.items():
        parts = dict(one.parts)
        for scope in one.tells:
            tells[manner.whose(scope)][name] = parts.get(scope, "")
    widths = Counter(name for those in tells.values() for name in those)
    first = sorted(
        told,
        key=lambda name: (
            told[name].kind in manner.halves,
            -widths[name],
            told[name].kind != manner.best,
            -delivered[name].toordinal(),
            name,
        ),
    )
    places = {name: place for place, name in enumerate(first)}
    return {
        whose: _counting(sorted(those, key=places.__getitem__), those, told, manner)
        for whose, those in tells.items()
    }


def _counting(
    ordered: Sequence[str], parts: Mapping[str, str], told: Mapping[str, Noted], manner: Manner
) -> tuple[Voice, ...]:
    """Those of an account's exports that count, of which the first are the better ones."""
    pools: dict[str, list[str]] = defaultdict(list)
    for name in ordered:
        pools[parts[name]].append(name)
    found = []
    for pool in [pools[""]] if "" in pools else [pools[part] for part in sorted(pools)]:
        voice = [pool[0]]
        for name in pool[1:]:
            if _completes(told[name], [told[other] for other in voice], manner):
                voice.append(name)
        found.append(tuple(voice))
    return tuple(found)


def _completes(one: Noted, before: list[Noted], manner: Manner) -> bool:
    """Whether it is the other half."""
    kinds = [one.kind, *(other.kind for other in before)]
    return len(set(kinds)) == len(kinds) and manner.halves.issuperset(kinds)


def _packed(scopes: Iterable[Scope]) -> list[list[Any]]:
    """By payer and period, which an organization's many accounts share."""
    accounts: dict[tuple[str | None, ...], list[str | None]] = defaultdict(list)
    for scope in sorted(scopes, key=str):
        accounts[scope.provider, scope.payer, _text(scope.start)].append(scope.account)
    return [[*period, those] for period, those in accounts.items()]


def _unpacked(told: Iterable[Iterable[Any]]) -> frozenset[Scope]:
    return frozenset(
        Scope(provider, payer, _moment(start), account)
        for provider, payer, start, accounts in told
        for account in accounts
    )


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
