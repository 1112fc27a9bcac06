"""One group: both places side by side, what going takes, why not elsewhere, machine by machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np

from costopt.model import ActionType, Recommendation, Report, Skip, Window
from costopt.optimize.placement import NONE
from costopt.report import words
from costopt.report.move import on_spot
from costopt.report.move.others import Other, others
from costopt.report.screen import HEAD, MONEY, PLAIN, QUIET, STRONG, WARN, Screen, Span
from costopt.rules.move import Moves
from costopt.rules.move.advice import cautions, sentence
from costopt.rules.move.fleet import anywhere
from costopt.rules.move.grounds import Ground
from costopt.rules.move.stays import kept_from, verdict
from costopt.rules.move.subjects import Subject, in_words
from costopt.rules.move.unpriced import unpriced
from costopt.units import HOURS_PER_MONTH, counted

CHANGES: Final = {
    "kept-by-member": "take the machine out of the group (rules.move group_tags), or let it go",
    "limit-shared": "a larger quota, less promised spending, or moving what it talks to as well",
    "residency": "another residency, if those who own the data agree (rules.move residency)",
    "other-continent": "saying that it may go there: --place, or rules.move places",
    "egress": "taking along what it talks to (one app tag for both), or sending less",
    "too-far": "a longer way that its users bear: rules.move most_ms",
    "storage-unpriced": "what disks cost there: costopt collect files --rates FILE",
    "traffic-unpriced": "what traffic costs there: costopt collect files --rates FILE",
    "move-unsure": "prices of today: costopt prices update",
}
"""What would let a group go, by the code of why it stays."""
_LABEL: Final = 24
_SIDES: Final = ("Computing", "Storage", "Traffic", "Together")


@dataclass(frozen=True, slots=True)
class _Named:
    """What people meant."""

    grounds: Sequence[Ground]
    skips: Sequence[Skip]  # of machines that are in no group

    @classmethod
    def of(cls, wanted: str, found: Moves, names: Callable[[str], str]) -> _Named:
        exact = [one for one in found.grounds if wanted in (one.group.label, one.group.name)]
        grounds = exact or [
            one for one in found.grounds if one.group.is_called(wanted) or wanted in _machines(one)
        ]
        meant = {wanted, *(skip.resource_id for skip in found.skips)}
        inside = {one.resource.resource_id for each in grounds for one in each.group.members}
        skips = [
            skip
            for skip in found.skips
            if skip.resource_id in meant
            and wanted in (skip.resource_id, names(skip.resource_id))
            and skip.resource_id not in inside
        ]
        return cls(grounds, skips)


def _machines(ground: Ground) -> set[str]:
    resources = [one.resource for one in ground.group.members]
    return {one.resource_id for one in resources} | {one.resource_name or "" for one in resources}


def meanings(wanted: str, found: Moves) -> list[str]:
    """Labels of all groups that a name may mean: none is its label alone, if they are several."""
    return [one.group.label for one in _Named.of(wanted, found, str).grounds]


def story(
    wanted: str,
    found: Moves,
    report: Report,
    *,
    names: Callable[[str], str],
    width: int,
    colour: bool = False,
) -> str | None:
    """The story of a group by its label or name, or of the group of a machine by its id or name.

    Args:
        report: of these moves.
        names: the name of a resource by its id.
    Returns:
        None where nothing is called so.
    """
    screen = Screen(width, colour=colour)
    named = _Named.of(wanted, found, names)
    for ground in named.grounds:
        _Group(screen, ground, report).tell()
    for skip in named.skips:
        screen.blank()
        screen.line((names(skip.resource_id), STRONG), (f"  stays: {skip.reason}", WARN))
        screen.paragraph(f"{skip.detail}.")
    return screen.text() if named.grounds or named.skips else None


@dataclass(frozen=True)
class _Group:
    screen: Screen
    ground: Ground
    report: Report

    @property
    def window(self) -> Window:
        """What prices and the bill looked back on."""
        return self.report.window

    @property
    def currency(self) -> str:
        """Of the bill."""
        return self.ground.board.world.currency

    def tell(self) -> None:
        """All of it."""
        self._head()
        self._sides()
        if self.ground.moves:
            self._once()
            self._horizon()
        self._elsewhere(anywhere(self.ground, self.window.end))
        self._machines()
        on_spot.tell(self.screen, self.ground, self.report)
        self._cautions()

    def _head(self) -> None:
        group, screen = self.ground.group, self.screen
        code, why = ("", "") if self.ground.moves else verdict(self.ground)
        screen.blank()
        machines = counted(len(group.members), "machine")
        screen.line((group.label, STRONG), (f"  {group.name}", QUIET))
        screen.line((f"{machines} in {self.ground.called(self.ground.home)}", QUIET))
        screen.blank()
        if own := self._on_own:
            machines = "It goes" if len(own) == len(group.members) else f"{len(own)} of them go"
            screen.line((f"{machines} to machines of one's own", STRONG))
            screen.paragraph(f"{own[0].reason}.")
        elif self.ground.moves:
            screen.paragraph(f"{sentence(self.ground, self.window)}.")
        else:
            stays = "It stays, and goes on spot" if self._on_spot else "It stays"
            screen.line((stays, STRONG), (f"  {code}", WARN))
            screen.paragraph(f"{why}.")
            screen.labelled("It would take", CHANGES[code] if code else self._longer())
        screen.blank()

    @cached_property
    def beside(self) -> int | None:
        """The place to hold today's against: where it goes, what it is kept from, or the best of
        the others that it may be at; None = there is none."""
        ground = self.ground
        if ground.moves:
            return ground.chosen
        if (place := kept_from(ground)) is not None:
            return place
        may = ground.bounds.resides & ground.bounds.near & ground.bounds.free
        saving = np.where(may[ground.number], ground.possible, -np.inf)
        saving[ground.home] = -np.inf
        best = int(saving.argmax())
        return best if np.isfinite(saving[best]) else None

    @cached_property
    def _on_spot(self) -> list[Recommendation]:
        """Its machines that should be bought as spot."""
        return [one for one in self._advice() if one.action_type is ActionType.SPOT]

    @property
    def _on_own(self) -> list[Recommendation]:
        """Its machines that machines of one's own should take the place of."""
        return [one for one in self._advice() if one.action_type is ActionType.REPATRIATE]

    def _longer(self) -> str:
        """What would let it go that is nowhere cheaper by what all takes."""
        ground, beside = self.ground, self.beside
        if beside is None or ground.monthly(beside) >= ground.monthly(ground.home):
            return "lower prices elsewhere, or --to any and --place: see below"
        return "a longer --horizon-months, or fewer hours of people's time (rules.move)"

    # -- both places ---------------------------------------------------------------------------

    def _sides(self) -> None:
        ground, beside = self.ground, self.beside
        self.screen.title(f"A month, {self.currency}")
        today = "on spot" if self._on_spot else "today"
        heads = ["", f"{today} in {ground.called(ground.home)}"]
        columns: list[Sequence[Any]] = [_SIDES, self._monthly(ground.home)]
        if beside is not None:
            there = self._monthly(beside)
            heads += [f"in {ground.called(beside)}", "less"]
            columns += [there, tuple(a - b for a, b in zip(columns[1], there, strict=True))]
        rows: list[Sequence[Span]] = [[(head, HEAD) for head in heads]]
        for label, *amounts in zip(*columns, strict=True):
            style = STRONG if label == _SIDES[-1] else PLAIN
            rows.append([(label, QUIET), *((f"{amount:,.2f}", style) for amount in amounts)])
        self.screen.table(rows, [place > 0 for place in range(len(heads))])
        if beside is not None and not ground.moves:
            kept = kept_from(ground) is not None
            told = "what it is kept from" if kept else "the best of the other places it may be at"
            self.screen.paragraph(f"Beside today: {told}.", QUIET)
        gib, sent = ground.group.stored_gib, ground.group.sent
        self.screen.paragraph(
            f"{gib:,.0f} GiB stored; a month {sent.internet:,.0f} GiB go to the internet, "
            f"{sent.regions:,.0f} to other regions, {ground.group.internal:,.0f} to neighbours, "
            f"{ground.group.inward:,.0f} come from them",
            QUIET,
        )
        self.screen.blank()

    def _monthly(self, place: int) -> tuple[float, float, float, float]:
        """Computing, storage, traffic, and all."""
        sums, at = self.ground.sums, (self.ground.number, place)
        if place == self.ground.home:
            each = (
                float(side[at[0]])
                for side in (sums.staying.run, sums.staying.storage, sums.staying.egress)
            )
        else:
            each = (
                float(side[at])
                for side in (sums.moving.run, sums.moving.storage, sums.moving.egress)
            )
        run, storage, egress = each
        return run, storage, egress, run + storage + egress

    def _once(self) -> None:
        ground, settings = self.ground, self.ground.board.settings
        at, parts = (ground.number, ground.chosen), ground.worth.parts
        labour = float(parts.labour[at])
        hours = f"{labour / settings.labour_rate:,.0f} hours" if settings.labour_rate else "free"
        self.screen.title(f"Going there, once, {self.currency}")
        rows = (
            ("Data", parts.leaving, f"{ground.group.stored_gib:,.0f} GiB leave"),
            ("People's time", parts.labour, hours),
            ("Both places at once", parts.dual_run, f"{settings.dual_run_days:g} days"),
            ("Commitments left", parts.stranded, "paid for nothing until they end"),
        )
        table: list[Sequence[Span]] = []
        for label, amounts, what in rows:
            amount = float(amounts[at])
            if amount or label != "Commitments left":
                table.append([(label, QUIET), (f"{amount:,.0f}", PLAIN), (what, QUIET)])
        self.screen.table(table, [False, True, False])
        self.screen.blank()

    def _horizon(self) -> None:
        ground, screen = self.ground, self.screen
        at = ground.number, ground.chosen
        months = ground.board.settings.horizon_months
        best = float(ground.worth.stay[ground.number] - ground.worth.move_low[at])
        late = float(ground.worth.break_even_late[at])
        told = next(
            one.evidence for one in self._advice() if one.action_type is not ActionType.SPOT
        )
        screen.title(f"Over {months:g} months, in today's money, {self.currency}")
        screen.labelled("Saved", f"{ground.net_present_saving:,.0f}", MONEY, label=_LABEL)
        low = ground.net_present_low
        screen.labelled("With all prices wrong", f"{low:,.0f}", WARN if low < 0 else PLAIN,
                        label=_LABEL)  # fmt: skip
        screen.labelled("With all in its favour", f"{best:,.0f}", label=_LABEL)
        screen.labelled(
            "Has paid by",
            f"{told['break_even_on']}, after {ground.break_even:.1f} months; "
            f"{late:.1f} with all prices wrong",
            label=_LABEL,
        )
        screen.blank()

    def _advice(self) -> Iterator[Recommendation]:
        members = {one.resource.resource_id for one in self.ground.group.members}
        return (one for one in self.report.recommendations if one.resource_id in members)

    # -- elsewhere -----------------------------------------------------------------------------

    def _elsewhere(self, wide: Ground) -> None:
        places = others(self.ground, wide)
        months = self.ground.board.settings.horizon_months
        self.screen.title(f"Elsewhere: {self.currency} over {months:g} months")
        if not places:
            self.screen.paragraph(_nowhere(wide), QUIET)
        else:
            heads = ("Place", "A month", "Saves", "At least", "Against it")
            rows: list[Sequence[Span]] = [[(head, HEAD) for head in heads]]
            rows += [_row(one) for one in places]
            self.screen.table(rows, [False, True, True, True, False])
        self.screen.blank()

    # -- machines ------------------------------------------------------------------------------

    def _machines(self) -> None:
        ground, screen = self.ground, self.screen
        screen.title("Machines")
        sources: dict[str, None] = {}
        for row, one in ground.members():
            name = one.resource.resource_name or one.resource.resource_id
            screen.line((name, STRONG), (f"  {one.resource.instance_type or ''}", QUIET))
            screen.labelled("Needs", in_words(one) or "nothing that is known", indent=4)
            screen.labelled("Runs", _runs(one), indent=4)
            if ground.moves:
                told, told_by = self._taken(row)
                screen.labelled("There", told, indent=4)
                sources |= dict.fromkeys(told_by)
            if one.need.speed:
                sources[f"speed of {one.need.speed.generation}: {one.need.speed.source}"] = None
        screen.blank()
        if sources:
            screen.title("Sources")
            for text in sorted(sources):
                screen.bullet(text, QUIET)
            screen.blank()

    def _taken(self, row: int) -> tuple[str, list[str]]:
        """What it gets there in words, and where that is from."""
        ground = self.ground
        offer, position = (
            ground.offer(row, ground.chosen),
            int(ground.taken.offer[row, ground.chosen]),
        )
        assert offer is not None
        assert position != NONE
        price, shape = ground.market.price(position), ground.market.shape(position)
        speed = ground.board.world.facts.speed(shape)
        day = f", price of {price.valid_from}" if price.valid_from else ", price without a date"
        told = (
            f"{words.machine(offer)} ({words.size(offer)}), {words.price(price.list_unit_price)} "
            f"{price.currency} an hour{day}"
        )
        by = [f"prices: {price.source}"] if price.source else []
        if speed:
            told += f"; {speed.generation}"
            by.append(f"speed of {speed.generation}: {speed.source}")
        return told, by

    def _cautions(self) -> None:
        if self.ground.moves:
            self.screen.notes(cautions(self.ground, self.window))


def _nowhere(wide: Ground) -> str:
    """Why there is no place to hold it against."""
    gaps = unpriced(wide)
    unknown = int((gaps.storage | gaps.traffic).sum())
    if not unknown:
        return "No other place sells what it needs at known prices."
    return (
        f"No other place sells what it needs at known prices: {counted(unknown, 'place')} with "
        "machines for it, and no price of its disks or its traffic."
    )


def _row(one: Other) -> Sequence[Span]:
    against = "; ".join(one.against)
    return [
        (one.place, STRONG if not against else PLAIN),
        (f"{one.monthly:,.2f}", PLAIN),
        (f"{one.saving:,.0f}", MONEY if one.saving > 0 else PLAIN),
        (f"{one.low:,.0f}", PLAIN if one.low > 0 else WARN),
        (against or "it goes there", QUIET),
    ]


def _runs(one: Subject) -> str:
    hours = (
        "all month" if one.hours >= HOURS_PER_MONTH * 0.98 else f"{one.hours:,.0f} hours a month"
    )
    return f"{hours}, for {one.run:,.2f} a month"
