"""The way back: machines that are owned already, kept or closed.

What they once cost is spent. Keeping one costs what it would fetch today and what it takes to run;
hosting that is owed to the end of its contract costs nothing until then (optimize/own.closing). So
those that nothing runs on are closed, and all of them where the cloud would cost less, with the
file's ranges at the end that speaks for keeping and prices there at the end that speaks against
(own_closing.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Final

import numpy as np

from costopt.model import Cost, Place, Resource
from costopt.optimize.own import YEAR_HOURS, Own, cost_per_used_hour, hourly_power, standing_cost
from costopt.optimize.packing import pack
from costopt.optimize.placement import Horizon
from costopt.pricing.onprem import MachineClass, Site
from costopt.rules.base import Case
from costopt.rules.move.bounds import Board
from costopt.rules.move.groups import Group
from costopt.rules.move.own_closing import Cloud, cheapest
from costopt.rules.move.own_fit import Kind
from costopt.rules.move.settings import MoveSettings
from costopt.rules.move.subjects import Known, Subject, concerns, subject
from costopt.rules.own_machines import in_currency, to_close
from costopt.rules.scope import Refusal
from costopt.units import HOURS_PER_MONTH, provider_key

_MONTHS: Final = 12
_DAYS_A_MONTH: Final = HOURS_PER_MONTH / 24
_EXACT: Final = 1e-9


class Verdict(StrEnum):
    """What to do with the owned machines that something runs on."""

    KEEP = "keep"
    CLOSE = "close"
    UNSURE = "unsure"  # the cloud is cheaper as far as is known, or as expected, and not surely
    UNKNOWN = "unknown"  # there is nothing to hold them against


@dataclass(frozen=True, eq=False)
class Racks:
    """The owned machines of one class. Money in the bill's currency."""

    name: str
    told: MachineClass
    factor: float  # of the file's currency in the bill's
    keep: Own | None  # of one, from today on; None = past its life
    keep_least: Own | None  # the same with every range at the end that speaks for keeping
    nameless: tuple[str, ...]  # of `resources`: what names no machine
    members: tuple[Subject, ...]  # what runs on them
    needed: int | None  # machines that this takes, spares included; None = cannot be compared
    used: float  # share of the owned machines' hours that work is there for
    cloud: Cloud | None  # None = not known
    once: float  # of going there: people's time, both at once
    horizon: Horizon

    @property
    def use_told(self) -> bool:
        """Whether the file names machines that run on them."""
        return len(self.nameless) < len(self.told.resources)

    @property
    def idle(self) -> int:
        """Machines that nothing is needed of."""
        return max(0, self.told.owned - self.needed) if self.needed is not None else 0

    @property
    def kept(self) -> int:
        """The others."""
        return self.told.owned - self.idle

    @property
    def years_left(self) -> float:
        """That they can still be used for."""
        return float(np.asarray(self.keep.life_years)) if self.keep else 0.0

    @property
    def each_yearly(self) -> float:
        """What keeping one costs that nothing runs on."""
        return float(standing_cost(self.keep)) if self.keep else math.nan

    @property
    def idle_yearly(self) -> float:
        """What closing those saves that nothing is needed of."""
        return self.idle * self.each_yearly if self.idle else 0.0

    @property
    def all_yearly(self) -> float:
        """What keeping those that are needed costs."""
        return self._yearly(self.keep) if self.keep else math.nan

    def _yearly(self, keep: Own) -> float:
        power = YEAR_HOURS * self.used * self.told.owned * float(hourly_power(keep))
        return self.kept * float(standing_cost(keep)) + power

    @property
    def hourly(self) -> float:
        """What an hour of work on one costs: above that in the cloud, they are worth keeping."""
        share = self.used * self.told.owned / self.kept if self.kept else 0.0
        if self.keep is None or not share:
            return math.nan
        return float(cost_per_used_hour(self.keep, share))

    @cached_property
    def present(self) -> float:
        """Saved by going to the cloud with all, over the horizon or while they last."""
        return self._present(self.keep, self.cloud.monthly) if self.cloud else -math.inf

    @cached_property
    def present_low(self) -> float:
        """The same with both sides at the ends that speak for keeping."""
        return self._present(self.keep_least, self.cloud.monthly_high) if self.cloud else -math.inf

    def _present(self, keep: Own | None, monthly: float) -> float:
        if keep is None:
            return -math.inf
        return (self._yearly(keep) / _MONTHS - monthly) * self.paid - self.once

    @property
    def months(self) -> float:
        """Over which both sides are held against each other."""
        return min(self.horizon.months, self.years_left * _MONTHS)

    @property
    def paid(self) -> float:
        """The worth today of 1 in each of these months."""
        return float(self.horizon.paid(self.months))

    @property
    def verdict(self) -> Verdict:
        """Close only where that saves for sure, with everything counted."""
        if self.cloud is None or self.keep is None or self.needed is None:
            return Verdict.UNKNOWN
        if self.present <= 0:
            return Verdict.KEEP
        return Verdict.CLOSE if self.present_low > 0 and self.cloud.known else Verdict.UNSURE


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """What is known of machines that are owned, and of the cloud beside them."""

    site: Site
    place: Place | None  # where they stand; None = not told
    factor: float  # of the file's currency in the bill's
    cases: Mapping[str, Case]
    known: Known
    board: Board  # of the fleet in the cloud: where one may go, and by which settings
    as_of: datetime

    def racks(self) -> tuple[Racks, ...]:
        """Every class of which machines are owned, by name."""
        return tuple(self._of(name) for name in sorted(self.site.classes)
                     if self.site.classes[name].owned)  # fmt: skip

    def _of(self, name: str) -> Racks:
        told, keep = self.site.of_class(name), self._keep(name, least=False)
        nameless = tuple(wish for wish in told.resources if not any(self._named([wish])))
        found = self._members(told)
        kind = Kind.of(self.site, name, self.board.world.facts)
        members = tuple(kind.measured_on_it(one) for one in found if isinstance(one, Subject))
        # Of what cannot be judged nobody knows how much of a machine it takes, nor of what is
        # told by names that nothing has.
        whole = len(nameless) < len(told.resources) and len(members) == len(found)
        needed, used = _needed(kind, members) if whole else (None, 0.0)
        both = _monthly(keep, used, told.owned) if keep else 0.0
        settings = self.board.settings
        return Racks(
            name=name,
            told=told,
            factor=self.factor,
            keep=keep,
            keep_least=self._keep(name, least=True),
            nameless=nameless,
            members=members,
            needed=needed,
            used=used,
            cloud=self._cloud(members) if members and whole else None,
            once=_labour(settings, len(members)) + both * settings.dual_run_days / _DAYS_A_MONTH,
            horizon=self.board.horizon,
        )

    def _keep(self, name: str, *, least: bool) -> Own | None:
        """What keeping one costs, in the bill's currency."""
        keep = to_close(self.site, name, self.as_of, least=least)
        return in_currency(keep, self.factor) if keep else None

    def _named(self, wishes: Iterable[str]) -> Iterable[Case]:
        return (
            case
            for _, case in sorted(self.cases.items())
            if any(_meant(wish, case.resource) for wish in wishes)
        )

    def _members(self, told: MachineClass) -> list[Subject | Refusal]:
        return [
            subject(self._without_bill(case), self.known, self.board.settings)
            for case in self._named(told.resources)
            if concerns(case)
        ]

    def _without_bill(self, case: Case) -> Case:
        """What one owns costs what the file says, whatever a bill does; it runs all the time where
        none says for how long."""
        share = case.cost.running_share if case.cost else 0.0
        none = Decimal(0)
        cost = Cost(none, none, none, None, share or 1.0, 0.0, self.board.world.currency, "list")
        return replace(case, cost=cost)

    def _cloud(self, members: tuple[Subject, ...]) -> Cloud | None:
        """Of all of them as one group, wherever the fleet may go."""
        if self.place is None:
            return None
        settings = self.board.settings
        if not settings.to:
            homes = {provider_key(one.home.provider_name) for one in self.board.groups}
            listed = tuple(sorted(homes & set(self.board.world.catalogue.providers())))
            settings = settings.model_copy(update={"to": listed})
        group = Group("own", "own", self.place, members)
        board = Board.of((group,), self.board.world, settings)
        return cheapest(board, self.known.disks.stored, self.as_of)


def _labour(settings: MoveSettings, machines: int) -> float:
    hours = settings.labour_hours_group + settings.labour_hours_provider
    return settings.labour_rate * (hours + settings.labour_hours_machine * machines)


def _monthly(keep: Own, used: float, owned: int) -> float:
    """What keeping all of them costs."""
    return owned * float(standing_cost(keep) + YEAR_HOURS * used * hourly_power(keep)) / _MONTHS


def _meant(wish: str, resource: Resource) -> bool:
    """A pattern of its id or name; or a tag and its value."""
    key, told, value = wish.partition("=")
    if told and resource.tags.get(key) == value:
        return True
    names = resource.resource_id, resource.resource_name or ""
    return any(fnmatchcase(name, wish) for name in names)


def _needed(kind: Kind, members: Sequence[Subject]) -> tuple[int | None, float]:
    """How many machines it takes with spares, and the share of all owned hours that are used."""
    shares = np.array([kind.parts(one) for one in members])
    if len(members) and not (shares <= 1 + _EXACT).all():
        return None, 0.0
    steady = [min(1.0, one.hours / HOURS_PER_MONTH) for one in members]
    packed = pack(shares, steady)
    spares = math.ceil(len(packed.machines) * kind.told.spares_percent / 100 - _EXACT)
    hours = sum(max(steady[n] for n in one) for one in packed.machines)
    return len(packed.machines) + spares, hours / kind.told.owned
