"""Which changes to make of all that are advised on one provider's bill: those that save most.

Machines whose bills have nothing to do with one another are decided apart: what shares commitments
is decided together. Where that leaves few choices, all of them are reckoned; else the best of each
kind of change, and then one machine, or two, at a time as long as it saves more. What each change
then saves beside all others is what the bill would be more without it; what saves less than it must
is left away, the least first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, combinations, product
from math import prod
from typing import Final

from costopt.model import Recommendation
from costopt.model.bill import Metered, Usage
from costopt.pricing.pools import pools
from costopt.pricing.scenario import Change, State, last_bits, on_demand
from costopt.rules.changes import change_of, merged
from costopt.rules.priced import GROW, SCHEDULE, SIZE, STEPS, STOP, Pricing
from costopt.rules.sharing import CENT, Item

Items = frozenset[Item]
Advised = Mapping[str, Mapping[str, Recommendation]]
"""Resource id -> kind -> the best advice of it."""

_CHOICES: Final = (STOP, SCHEDULE, SIZE)
_ALL: Final = 300
"""Combinations up to which all are reckoned, however large the bill."""
_WORK: Final = 300_000_000
"""What is reckoned of one lot: hours of commitments and usages, over all combinations."""
_FEWEST, _MOST = 60, 3000
_TRIED: Final = 40
"""Changes that are left away on trial at a time."""
_SURE: Final = 2.0
"""Times what it must save that the last bit of a change is worth where it is not tried."""
_LEAST_GAIN: Final = 0.005
"""Of money a month: less is a matter of rounding."""
_NOTHING: Final[Items] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class Lot:
    """Machines that are decided together, and what may be done with them."""

    state: State | None  # their part of the bill; None = it names none of them
    pace: float  # what makes a month of the bill
    options: Mapping[str, tuple[Items, ...]]  # resource id -> its combinations, the most first
    changes: Mapping[Item, Mapping[str, Change]]  # by the bill's resource
    alone: Mapping[Item, float]  # what no meter tells: as its advice says
    least: Mapping[Item, float]  # that it must save a month, of what may be left away
    known: dict[Items, float] = field(default_factory=dict)

    def saved(self, chosen: Items) -> float:
        """A month."""
        if chosen not in self.known:
            self.known[chosen] = self._saved(chosen)
        return self.known[chosen]

    def _saved(self, chosen: Items) -> float:
        own = sum(self.alone.get(item, 0.0) for item in sorted(chosen))
        made = self._made(chosen)
        if self.state is None or not made:
            return own
        return own + self.pace * (on_demand(self.state) - on_demand(self.state.with_(made)))

    def _made(self, chosen: Items) -> dict[str, Change]:
        return merged(
            {key: one for item in sorted(chosen) if item[0] == kind
             for key, one in self.changes.get(item, {}).items()}
            for kind in STEPS
        )  # fmt: skip

    def lost(self, chosen: Items) -> dict[Item, float]:
        """What saves less beside the others than it must, and how much."""
        found = {
            item: self.saved(chosen) - self.saved(chosen - {item})
            for item in self._doubtful(chosen)
        }
        return {item: saving for item, saving in found.items() if saving < self.least[item]}

    def _doubtful(self, chosen: Items) -> list[Item]:
        """What may save too little: of many, those whose last bit does, the smallest."""
        items = [item for item in sorted(chosen) if item in self.least]
        if len(items) <= _TRIED or self.state is None:
            return items
        last = last_bits(self.state, self._made(chosen))
        found = []
        for item in items:
            bits = [self.pace * last.get(key, 0.0) for key in self.changes.get(item, {})]
            if bits and sum(bits) < _SURE * self.least[item]:
                found.append((sum(bits), item))
        return [item for _, item in sorted(found)[:_TRIED]]

    def worthwhile(self, chosen: Items) -> Items:
        """Without what saves less than it must."""
        while lost := self.lost(chosen):
            # Of equal ones the last in the plan's order: rather stop one than make another smaller.
            for item in sorted(lost, key=lambda e: (round(lost[e], 2), -STEPS.index(e[0]), e)):
                if self.saved(chosen) - self.saved(chosen - {item}) < self.least[item]:
                    chosen = chosen - {item}
        return chosen

    def best(self) -> Items:
        """What saves most of what is worthwhile."""
        every = prod(len(each) for each in self.options.values())
        if every > _ALL and every > self._budget():
            return self.worthwhile(self._climbed())
        tried = [_joined(each) for each in product(*self.options.values())]
        # In cents; of equal ones the first, which does most.
        tried.sort(key=lambda each: -round(self.saved(each), 2))
        return next(each for each in tried if not self.lost(each))

    def of_kinds(self, kinds: Iterable[str]) -> Items:
        """All that is advised of these kinds: of each machine the most."""
        allowed = {*kinds, GROW}
        return _joined(
            next(each for each in options if all(kind in allowed for kind, _ in each))
            for options in self.options.values()
        )

    def small(self, chosen: Items) -> Iterator[str]:
        """Resources of which nothing is done, and that would save a little."""
        done = {name for _, name in chosen}
        for name, options in self.options.items():
            if name not in done:
                more = max(self.saved(chosen | each) for each in options) - self.saved(chosen)
                if more >= float(CENT):
                    yield name

    def _climbed(self) -> Items:
        """From the best of all choices of kinds, a step at a time."""
        kinds = chain.from_iterable(combinations(_CHOICES, n) for n in range(len(_CHOICES), -1, -1))
        chosen = max((self.of_kinds(each) for each in kinds), key=self.saved)
        last = len(self.known) + self._budget()
        names = sorted(self.options)
        steps = [*((name,) for name in names), *combinations(names, 2)]
        at, since = 0, 0
        while since < len(steps) and len(self.known) < last:
            better = self._step(chosen, steps[at])
            if better == chosen:
                at, since = (at + 1) % len(steps), since + 1
            else:
                chosen, since = better, 0
        return chosen

    def _step(self, chosen: Items, names: Sequence[str]) -> Items:
        """With what saves most of these machines, the others as they are."""
        rest = frozenset(item for item in chosen if item[1] not in names)
        tried = [rest | _joined(each) for each in product(*(self.options[n] for n in names))]
        best = max(tried, key=self.saved)
        return best if self.saved(best) > self.saved(chosen) + _LEAST_GAIN else chosen

    def _budget(self) -> int:
        """Combinations that may be reckoned: fewer of large bills."""
        assert self.state is not None
        bill = self.state.bill
        periods = len(bill.starts) * max(1, round(bill.hours))
        pairs = sum(len(usage.uses) for usage in bill.usages)
        work = pairs * (periods + 4000) + 1000 * len(bill.usages)
        return min(_MOST, max(_FEWEST, _WORK // work))


def _joined(each: Iterable[Items]) -> Items:
    return _NOTHING.union(*each)


def lots(pricing: Pricing, advised: Advised) -> list[Lot]:
    """What is decided together."""
    every = {(kind, name): one for name, of_it in advised.items() for kind, one in of_it.items()}
    bill = pricing.state.bill if pricing.state else None
    changes = {
        item: change_of(one, pricing.cases, bill) if bill else {} for item, one in every.items()
    }
    linked: list[Sequence[str]] = [(f"of {name}",) for name in advised]
    linked += [
        (f"of {name}", *(f"at {key}" for key in sorted(made)))
        for (_, name), made in changes.items()
    ]
    covers = _covers(bill) if bill else {}
    usages = bill.usages if bill else ()
    linked += [(_place(one), *(f"by {name}" for name in covers[one.key])) for one in usages]
    lot_of = pools(linked)
    parts: dict[str, list[Usage]] = {}
    for usage in usages:
        parts.setdefault(lot_of[_place(usage)], []).append(usage)
    members: dict[str, list[str]] = {}
    for name in sorted(advised):
        members.setdefault(lot_of[f"of {name}"], []).append(name)
    found = []
    for lot, names in sorted(members.items()):
        part = _part(bill, parts[lot], covers) if bill and lot in parts else None
        found.append(_lot(pricing, {name: advised[name] for name in names}, changes, part))
    return found


def _covers(bill: Metered) -> dict[str, list[str]]:
    """Of each usage the commitments that cover it, or may."""
    found = {usage.key: {*usage.uses} for usage in bill.usages}
    for key, name in bill.covered or ():
        found[key].add(name)
    return {key: sorted(names) for key, names in found.items()}


def _place(usage: Usage) -> str:
    return f"at {usage.resource_id}" if usage.resource_id else f"no {usage.key}"


def _lot(
    pricing: Pricing,
    advised: Advised,
    changes: Mapping[Item, Mapping[str, Change]],
    part: Metered | None,
) -> Lot:
    items = {(kind, name): one for name, of_it in advised.items() for kind, one in of_it.items()}
    own = {
        item: float(one.estimated_monthly_savings.target)
        for item, one in items.items()
        if not changes[item]
    }
    return Lot(
        state=State.of(part) if part else None,
        pace=float(pricing.pace),
        options={name: _options(name, of_it) for name, of_it in advised.items()},
        changes={item: changes[item] for item in items if changes[item]},
        alone=own,
        least={item: float(pricing.least(one)) for item, one in items.items() if item[0] != GROW},
    )


def _options(name: str, of_it: Mapping[str, Recommendation]) -> tuple[Items, ...]:
    """A stop alone, or all else, or some of it; what must grow does unless it stops."""
    grows = {(GROW, name)} & {(kind, name) for kind in of_it}
    stays = [kind for kind in (SCHEDULE, SIZE) if kind in of_it]
    some = [each for n in range(len(stays), -1, -1) for each in combinations(stays, n)]
    found = [frozenset({(STOP, name)})] if STOP in of_it else []
    return (*found, *(frozenset({*grows, *((kind, name) for kind in each)}) for each in some))


def _part(bill: Metered, usages: Sequence[Usage], covers: Mapping[str, Sequence[str]]) -> Metered:
    """The bill of these usages, and of what may cover them."""
    held = {name for usage in usages for name in covers[usage.key]}
    told = bill.covered
    pairs = [(usage.key, name) for usage in usages for name in covers[usage.key]]
    return replace(
        bill,
        usages=tuple(usages),
        held=tuple(one for one in bill.held if one.commitment_id in held),
        covered=None if told is None else {pair: told[pair] for pair in pairs if pair in told},
    )


@dataclass(frozen=True, slots=True, eq=False)
class Combining:
    """What may be done on one provider's bill."""

    pricing: Pricing
    advised: Advised
    lots: Sequence[Lot]

    @classmethod
    def of(cls, pricing: Pricing, advised: Advised) -> Combining:
        """All that is advised of it."""
        return cls(pricing, advised, lots(pricing, advised))

    def best(self) -> dict[str, list[Recommendation]]:
        """What saves most, by kind."""
        return self._done([(lot, lot.best()) for lot in self.lots])

    def of_kinds(self, kinds: Iterable[str]) -> dict[str, list[Recommendation]]:
        """All of these kinds that is worthwhile, by kind."""
        return self._done([(lot, lot.worthwhile(lot.of_kinds(kinds))) for lot in self.lots])

    def _done(self, chosen: Iterable[tuple[Lot, Items]]) -> dict[str, list[Recommendation]]:
        done: dict[str, list[Recommendation]] = {kind: [] for kind in STEPS}
        for lot, items in chosen:
            self.pricing.small.update(name for name in lot.small(items) if self._too_small(name))
            for kind, name in sorted(items):
                done[kind].append(self.advised[name][kind])
        return {
            kind: sorted(of_it, key=lambda one: one.resource_id) for kind, of_it in done.items()
        }

    def _too_small(self, name: str) -> bool:
        """Also once no commitment is in its way: what then saves enough stays visible."""
        return all(
            one.estimated_monthly_savings.high < self.pricing.least(one)
            for one in self.advised[name].values()
        )
