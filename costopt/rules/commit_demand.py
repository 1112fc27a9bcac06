"""What a commitment could still cover: usage hour by hour, by what is sold and covered alike.

Of usage that is on demand today there is left out what may not last: spot, what is young, what has
ended, what the inventory calls stopped, and licences, which no commitment covers.

A bill by the day tells no hours. What ran a part of the day is taken to have run in its first
hours, all of it in the same ones: the least even day that the bill allows, and so the one on which
a commitment is used least.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from costopt.frame.billed import Meter
from costopt.frame.cost import resource_key
from costopt.model import Resource, is_billed
from costopt.model.bill import Amounts, Held, Metered, Usage
from costopt.pricing.catalogue import Catalogue
from costopt.pricing.commitments import Applied
from costopt.pricing.layer import region_key, system_key
from costopt.rules.commit_settings import CommitSettings
from costopt.rules.families import family
from costopt.units import SECONDS_PER_DAY

Floats = npt.NDArray[np.float64]

_HOUR: Final = 3600
_TINY: Final = 1e-9
_WHOLE_HOURS: Final = re.compile(r"(1 )?((instance|vm|machine|node)[- ])?(h|hrs?|hours?)", re.I)
_MEMORY_HOURS: Final = re.compile(r"gi?b(ibyte|yte)?[- .]?(h|hrs?|hours?)|gibibyte hours?", re.I)
LONGEST_PERIOD: Final = 24.0
"""Hours: a bill by the month hides every night and weekend."""


@dataclass(frozen=True, slots=True, order=True)
class Kind:
    """What is sold alike: machines of one type and system in one region."""

    region: str  # region_key; "" = the bill names none
    family: str  # of the type; of unknown types the SKU
    instance_type: str  # "" = unknown
    system: str  # system_key
    by_machine: bool  # metered by the hour of a whole machine, not by its parts


@dataclass(frozen=True, slots=True, eq=False)
class Left:
    """What is on demand and could be covered, hour by hour."""

    kinds: tuple[Kind, ...]  # sorted
    amounts: Floats  # (H, K) money per hour, as on demand; NaN = no bill of that hour
    rates: Floats  # (K,) of one unit on demand, mean over use
    reduced: Floats  # (K,) share of the contracted price that is off `rates` (model.bill.Usage)
    left_out: Mapping[str, float]  # why -> money per hour on demand that is not in `amounts`

    @property
    def hours(self) -> int:
        """Of the history, missing ones included."""
        return len(self.amounts)

    @property
    def weeks(self) -> float:
        """How much history is there, missing hours left out."""
        return float((~np.isnan(self.amounts).any(axis=1)).sum()) / 168

    def hourly(self, kinds: Iterable[int] | None = None) -> Floats:
        """(K,) mean money per hour of each of these kinds, of all if none are given."""
        which = list(range(len(self.kinds)) if kinds is None else kinds)
        if not len(self.amounts):
            return np.zeros(len(which))
        found: Floats = np.nanmean(self.amounts[:, which], axis=0)
        return found


Known = Mapping[str, Resource]
"""Resources by `resource_key`."""


def known(resources: Iterable[Resource]) -> Known:
    """The resources as a bill names them."""
    return {resource_key(one.resource_id): one for one in resources}


@dataclass(frozen=True, slots=True, eq=False)
class Names:
    """What a bill's meters are, by the inventory."""

    resources: Known
    catalogue: Catalogue
    types: Mapping[tuple[str, str], str]  # region and SKU -> machine type
    in_parts: frozenset[str]  # resources of which vCPUs and memory are metered apart

    @classmethod
    def of(cls, bill: Metered, resources: Known, catalogue: Catalogue) -> Names:
        """Of one provider's bill.

        A machine that was resized has meters of two types, and the inventory names the newer one:
        a SKU is of the type that most machines have whose newest meter it is.
        """
        newest: dict[str, tuple[int, str, str]] = {}
        in_parts = set()
        for usage in bill.usages:
            meter, name = meter_of(usage), usage.resource_id
            if name and _MEMORY_HOURS.fullmatch(meter.unit):
                in_parts.add(name)
            used = np.flatnonzero(usage.quantity > 0)
            if name and name in resources and len(used) and _WHOLE_HOURS.fullmatch(meter.unit):
                last = int(used[-1]), meter.region, meter.sku
                newest[name] = max(newest.get(name, last), last)
        votes: dict[tuple[str, str], Counter[str]] = {}
        for name, (_, region, sku) in newest.items():
            kind = resources[name].instance_type
            if sku and kind:
                votes.setdefault((region, sku), Counter())[kind] += 1
        types = {
            key: min(count, key=lambda kind: (-count[kind], kind)) for key, count in votes.items()
        }
        return cls(resources, catalogue, types, frozenset(in_parts))

    def resource(self, usage: Usage) -> Resource | None:
        """Whose meter it is."""
        return self.resources.get(usage.resource_id or "")

    def kind(self, usage: Usage) -> Kind:
        """What it is that runs."""
        meter, resource = meter_of(usage), self.resource(usage)
        own = (resource.instance_type if resource else None) or ""
        name = self.types.get((meter.region, meter.sku), own)
        region = usage.region or (resource.region_id if resource else None) or ""
        by_machine = usage.resource_id not in self.in_parts
        return Kind(
            region=region_key(region),
            family=self._family(usage.provider, name) or f"SKU {meter.sku or 'unknown'}",
            instance_type=name,
            system=system_key((resource.operating_system if resource else None) or "Linux"),
            by_machine=by_machine and bool(_WHOLE_HOURS.fullmatch(meter.unit)),
        )

    def _family(self, provider: str, instance_type: str) -> str:
        """Within which commitments are flexible: at Google the series, else the family."""
        shape = self.catalogue.shape(provider, instance_type) if instance_type else None
        if shape is None:
            return instance_type
        found = family(shape) or instance_type
        return found.partition("-")[0] if provider == "gcp" else found


def meter_of(usage: Usage) -> Meter:
    """What the bill says of the meter; "" where the key is none of a bill's."""
    parts = usage.key.split("\x1f")
    whole = len(parts) == len(Meter._fields)
    return Meter(*parts) if whole else Meter("", "", "", "", usage.key, "Hours", "")


def left(bill: Metered, applied: Applied, names: Names, settings: CommitSettings) -> Left:
    """What is left on demand by kind, hour by hour.

    Args:
        bill: after all changes.
        applied: its commitments over its usage.
    """
    grid = Grid.of(bill)
    amounts: dict[Kind, Floats] = {}
    units: dict[Kind, float] = {}
    reduced: dict[Kind, float] = {}
    left_out: dict[str, float] = {}
    uses = _uses(bill, names)
    for usage in sorted(bill.usages, key=lambda one: one.key):
        open_ = applied.on_demand[usage.key]
        paid = float((open_ * usage.rate).sum())
        if paid <= _TINY:
            continue
        reason = _unfit(usage, bill, names, uses, settings)
        if reason:
            per_hour = paid / (len(bill.starts) * bill.hours)
            left_out[reason] = left_out.get(reason, 0.0) + per_hour
            continue
        kind = names.kind(usage)
        mine = grid.hourly(open_, usage) * grid.spread(usage.rate)
        amounts[kind] = amounts[kind] + mine if kind in amounts else mine
        units[kind] = units.get(kind, 0.0) + float(open_.sum())
        reduced[kind] = reduced.get(kind, 0.0) + paid * usage.reduced
    amounts = {kind: one for kind, one in amounts.items() if one.any()}
    kinds = tuple(sorted(amounts))
    table = np.stack([grid.placed(amounts[kind]) for kind in kinds], axis=1) if kinds else _NONE
    totals = np.array([amounts[kind].sum() for kind in kinds])
    each = np.array([units[kind] for kind in kinds])
    off = np.array([reduced[kind] for kind in kinds])
    why = dict(sorted(left_out.items()))
    return Left(kinds, table, _ratio(totals, each), _ratio(off, totals), why)


def _ratio(of: Floats, to: Floats) -> Floats:
    """Both above 0, or none at all."""
    return of / to if len(of) else of


_NONE: Final = np.zeros((0, 0))


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """The bill's periods as hours."""

    starts: npt.NDArray[np.int64]
    each: int  # hours of a period

    @classmethod
    def of(cls, bill: Metered) -> Grid:
        """Of a bill by the hour or by at most a day."""
        return cls(bill.starts, max(1, round(bill.hours)))

    def hourly(self, quantity: Amounts, usage: Usage) -> Floats:
        """Units in each hour of the periods (periods * each,), the least even way."""
        if self.each == 1:
            return quantity
        top = float(usage.quantity.max()) / self.each
        if usage.resource_id and _WHOLE_HOURS.fullmatch(meter_of(usage).unit):
            top = max(1.0, float(np.ceil(top - 1e-6)))  # one machine, when it runs, is one
        running = (quantity / top)[:, None] - np.arange(self.each)
        found: Floats = (np.clip(running, 0.0, 1.0) * top).ravel()
        return found

    def spread(self, values: Amounts) -> Floats:
        """A figure of each period in each of its hours."""
        found: Floats = np.repeat(values, self.each)
        return found

    def placed(self, hours: Floats) -> Floats:
        """On a clock without gaps: hours of which there is no bill are NaN."""
        at = (self.starts - self.starts[0]) // _HOUR
        place = (at[:, None] + np.arange(self.each)).ravel()
        found = np.full(int(place[-1]) + 1, np.nan)
        found[place] = hours
        return found


def _entity(usage: Usage, names: Names) -> tuple[str, ...]:
    """Whose use it is: members of a scaling group come and go, the group stays."""
    resource = names.resource(usage)
    group = resource.scaling_group if resource else None
    return ("group", group) if group else ("meter", usage.key)


def _uses(bill: Metered, names: Names) -> dict[tuple[str, ...], tuple[int, int]]:
    """When each was first and last in use: places of periods."""
    found: dict[tuple[str, ...], tuple[int, int]] = {}
    for usage in bill.usages:
        used = np.flatnonzero(usage.quantity > 0)
        if len(used):
            entity = _entity(usage, names)
            first, last = int(used[0]), int(used[-1])
            before = found.get(entity, (first, last))
            found[entity] = min(before[0], first), max(before[1], last)
    return found


def _unfit(
    usage: Usage,
    bill: Metered,
    names: Names,
    uses: Mapping[tuple[str, ...], tuple[int, int]],
    settings: CommitSettings,
) -> str:
    """Why nothing should be committed to for it; "" = it may be."""
    meter, resource = meter_of(usage), names.resource(usage)
    if meter.pricing:
        return "spot"
    if not set(usage.uses) - usage.assumed and not _is_machine_time(usage, meter):
        return "licences and other meters that no commitment covers"
    if resource is not None and not is_billed(resource):
        return "stopped now"
    first, last = uses[_entity(usage, names)]
    end = int(bill.starts[-1]) + bill.hours * _HOUR
    if end - (bill.starts[last] + bill.hours * _HOUR) > settings.gone_days * SECONDS_PER_DAY:
        return f"ended more than {settings.gone_days:g} days ago"
    if first > 0 and end - bill.starts[first] < settings.young_days * SECONDS_PER_DAY:
        return f"first billed less than {settings.young_days:g} days ago"
    return ""


def _is_machine_time(usage: Usage, meter: Meter) -> bool:
    """Whether it is a machine's time, or at Google that of its memory."""
    whole = _WHOLE_HOURS.fullmatch(meter.unit)
    return bool(whole or (usage.provider == "gcp" and _MEMORY_HOURS.fullmatch(meter.unit)))


def unit_cost(one: Held) -> float:
    """What a unit of the commitment costs; of money, 1.

    By the period in which most of it shows: of a day on which it was short the bill tells no unused
    part, while its cost stays.
    """
    if one.by_spend:
        return 1.0
    there = one.amount > _TINY
    return float((one.cost[there] / one.amount[there]).min()) if there.any() else 0.0


def paid_shares(bill: Metered, held: Sequence[Held], names: Names) -> dict[str, dict[Kind, float]]:
    """What the bill's own commitments cost of what the same costs on demand, by commitment and
    kind: only where they were seen to cover it. 0.63 = 37 % off."""
    money: dict[tuple[str, Kind], float] = {}
    paid: dict[tuple[str, Kind], float] = {}
    cost = {one.commitment_id: unit_cost(one) for one in held}
    for usage in sorted(bill.usages, key=lambda one: one.key):
        spent = float((usage.quantity * usage.rate).sum())
        for name in sorted(set(usage.uses) - usage.assumed):
            if name in cost and spent > _TINY:
                key = name, names.kind(usage)
                money[key] = money.get(key, 0.0) + spent
                share = usage.uses[name] * cost[name] * float(usage.quantity.sum())
                paid[key] = paid.get(key, 0.0) + share
    found: dict[str, dict[Kind, float]] = {}
    for name, kind in sorted(money):
        found.setdefault(name, {})[kind] = paid[name, kind] / money[name, kind]
    return found
