"""What policies say of a fleet, or of a planned change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Final, Literal, TypeAlias

Severity: TypeAlias = Literal["error", "warning", "note"]
SEVERITIES: Final[tuple[Severity, ...]] = ("error", "warning", "note")
"""The most severe first, in the words of SARIF."""


@dataclass(frozen=True, slots=True)
class About:
    """What a policy is, for those who read what it found."""

    id: str
    title: str
    description: str
    source: str  # where that can be read; "" = nowhere
    severity: Severity
    remediation: str
    pack: str
    path: str  # of its file; / between folders
    line: int


@dataclass(frozen=True, slots=True)
class Waiver:
    """Somebody's word that a finding may stand until a day."""

    finding: str
    owner: str
    reason: str
    until: date  # the last day that it counts
    where: str  # file:line:column

    def lapsed(self, today: date) -> bool:
        """Whether its last day is over."""
        return self.until < today


@dataclass(frozen=True, slots=True)
class Verdict:
    """One subject that breaks one policy."""

    policy: str
    severity: Severity
    subject: str  # ResourceId, a change's address, or "" = the fleet
    name: str  # of the subject, for people
    message: str
    remediation: str
    monthly: Decimal | None  # at stake, in the currency of the bill; None = not known
    waiver: Waiver | None = None
    lapsed: bool = False  # the waiver's last day is over: it counts again, and as an error
    known: bool = False  # it stands in the baseline: there before anybody checked

    @property
    def finding_id(self) -> str:
        """The same subject breaking the same policy keeps it, whatever the message says."""
        text = f"{self.policy}\0{self.subject}"
        return sha256(text.encode(errors="surrogatepass")).hexdigest()[:16]

    @property
    def open(self) -> bool:
        """Whether it counts: neither waived nor known before."""
        return not self.known and (self.waiver is None or self.lapsed)


@dataclass(frozen=True, slots=True)
class Unjudged:
    """Subjects of which one policy knew too little."""

    policy: str
    fields: tuple[str, ...]  # what was not known, of those that it reads
    subjects: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlannedCost:
    """What one planned change costs a month, at list price; None = not known."""

    address: str
    action: str  # create, update, delete or replace
    kind: str
    before: Decimal | None
    after: Decimal | None
    unpriced: tuple[str, ...]  # what the amounts do not hold, and why

    @property
    def difference(self) -> Decimal | None:
        """What it adds."""
        if self.before is None or self.after is None:
            return None
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Check:
    """What all policies say of everything that was asked of them."""

    as_of: datetime
    currency: str
    policies: tuple[About, ...]  # by id
    verdicts: tuple[Verdict, ...]  # the most severe first, then the dearest
    unjudged: tuple[Unjudged, ...]
    passed: Mapping[str, int]  # policy -> subjects that keep it
    resources: int  # how many were judged
    notes: tuple[str, ...] = ()
    planned: tuple[PlannedCost, ...] | None = None  # in the plan's order; None = no plan was judged

    @property
    def open(self) -> tuple[Verdict, ...]:
        """Those that count."""
        return tuple(one for one in self.verdicts if one.open)

    def fails(self, from_: Severity) -> bool:
        """Whether any that counts is as severe as that, or more."""
        bar = SEVERITIES.index(from_)
        return any(SEVERITIES.index(one.severity) <= bar for one in self.open)
