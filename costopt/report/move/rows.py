"""A report's moves by the group: what a table has a row of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from costopt.model import ActionType, Recommendation, Report
from costopt.report import words
from costopt.units import counted

HEADS: Final[Mapping[ActionType, str]] = {
    ActionType.MOVE_REGION: "Elsewhere",
    ActionType.MOVE_PROVIDER: "Elsewhere",
    ActionType.SPOT: "On spot, where they are",
    ActionType.REPATRIATE: "On machines of one's own",
}
"""What stands above the rows of an action; sections in this order."""

_PAID: Final = ("data", "labour", "dual_run")
_KINDS: Final = 3  # of changes of type, in a row


@dataclass(frozen=True, slots=True)
class Row:
    """The machines of one group that do the same."""

    advice: tuple[Recommendation, ...]

    @property
    def first(self) -> Recommendation:
        """Stands for all of them where they agree."""
        return self.advice[0]

    @property
    def head(self) -> str:
        """Of the section that it belongs to."""
        return HEADS[self.first.action_type]

    @property
    def group(self) -> str:
        """What people call the group."""
        return str(self.first.evidence["group"])

    @property
    def machines(self) -> str:
        """How many, of how many: `3 machines`, `2 of 3 machines`."""
        count, of = len(self.advice), self.first.evidence["group_machines"]
        return counted(count, "machine") if count == of else f"{count} of {of} machines"

    @property
    def is_part(self) -> bool:
        """Whether other machines of the group go as well, and are not shown."""
        return len(self.advice) < int(self.first.evidence["group_machines"])

    @property
    def saves(self) -> Decimal:
        """A month, of all of them."""
        return sum((one.estimated_monthly_savings.target for one in self.advice), Decimal(0))

    @property
    def low(self) -> Decimal:
        """The same with prices at their unfavourable end."""
        return sum((one.estimated_monthly_savings.low for one in self.advice), Decimal(0))

    @property
    def once(self) -> Decimal | None:
        """What going there takes; None where nothing is paid."""
        told = self.first.evidence.get("once")
        return sum((told[name] for name in _PAID), Decimal(0)) if told else None

    @property
    def stranded(self) -> Decimal:
        """Of commitments, what is paid for nothing until they end, in today's money."""
        return Decimal(self.first.evidence.get("once", {}).get("stranded_commitments", 0))

    @property
    def where(self) -> str:
        """From where to where, or where it stays."""
        return words.places(self.first)

    @property
    def types(self) -> tuple[str, ...]:
        """`3 x c7i.8xlarge → c8i.4xlarge`, the most frequent first."""
        kinds = Counter(map(_change, self.advice))
        order = sorted(kinds.items(), key=lambda item: (-item[1], item[0]))
        shown = tuple(f"{count} x {change}" for change, count in order[:_KINDS])
        rest = counted(len(order) - _KINDS, "other change")
        return (*shown, f"and {rest}") if len(order) > _KINDS else shown

    @property
    def cautions(self) -> tuple[str, ...]:
        """What one should know of the figures."""
        return tuple(self.first.evidence.get("cautions", ()))

    def told(self, name: str) -> Any:
        """One figure of the group; None where its kind of change has none."""
        return self.first.evidence.get(name)


def _change(one: Recommendation) -> str:
    here, there = one.current, one.recommended
    if there is None or words.machine(here) != words.machine(there):
        return words.change(one)
    kept = "on spot" if one.action_type is ActionType.SPOT else "as today"
    return f"{words.machine(here)}, {kept}"


def rows(advice: Sequence[Recommendation]) -> list[Row]:
    """Groups in the order of the sections, and in each as the report has them."""
    found: dict[tuple[str, str], list[Recommendation]] = {}
    for one in advice:
        key = HEADS[one.action_type], str(one.evidence["group_name"])
        found.setdefault(key, []).append(one)
    order = list(dict.fromkeys(HEADS.values()))
    return [Row(tuple(found[key])) for key in sorted(found, key=lambda key: order.index(key[0]))]


def first(report: Report, limit: int) -> Report:
    """The report with the first `limit` of its groups, as a whole each; 0 = all.

    Totals stay the whole's, and a note says what is left out.
    """
    every = rows(report.recommendations)
    hidden = every[limit:] if limit else []
    if not hidden:
        return report
    worth = words.amount(sum((row.saves for row in hidden), Decimal(0)))
    note = (
        f"not shown, by --limit {limit}: {counted(len(hidden), 'group')} worth {worth} "
        f"{report.currency} a month"
    )
    shown = tuple(one for row in every[:limit] for one in row.advice)
    return replace(report, recommendations=shown, notes=(*report.notes, note))
