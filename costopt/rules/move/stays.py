"""Why a group stays where it is: what speaks against the place that would cost least."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from costopt.model import Skip
from costopt.optimize.placement.dominance import Floats
from costopt.rules.base import Fit
from costopt.rules.move.bounds import Bools, wishes
from costopt.rules.move.grounds import Ground
from costopt.rules.move.groups import Group
from costopt.rules.move.settings import CODE
from costopt.rules.move.unpriced import unpriced
from costopt.units import counted


class _Reason(NamedTuple):
    code: str
    saving: Floats  # (P,) that would be had
    allowed: Bools  # (P,) if only this did not speak against it


def stays(ground: Ground) -> Iterator[Skip | Fit]:
    """Why, of every machine of the group."""
    code, detail = verdict(ground)
    for _, one in ground.members():
        resource_id = one.resource.resource_id
        if code:
            yield Skip(resource_id, CODE, code, detail)
        else:
            yield Fit(resource_id, CODE, detail, {"group": ground.group.label})


def verdict(ground: Ground) -> tuple[str, str]:
    """A reason code ("" = it costs least where it is), and a sentence."""
    if found := _plainest(ground):
        code, place, saving = found
        return code, _told(ground, code, place, saving)
    open_ = ground.bounds.resides & ground.bounds.near & ground.bounds.free
    seen = counted(int(open_[ground.number].sum()), "place")
    return "", f"{ground.group.label} costs least where it is, of {seen} that it may be at"


def kept_from(ground: Ground) -> int | None:
    """Position of the place of which the verdict speaks; None = it costs least where it is, or
    what it would cost there is not known."""
    found = _plainest(ground)
    # What that would cost of which prices are missing, nobody can say.
    return found[1] if found and np.isfinite(ground.worth.move[ground.number, found[1]]) else None


def _plainest(ground: Ground) -> tuple[str, int, float] | None:
    """The plainest reason to stay, the place that it bars, and what would be saved there."""
    for reason in _reasons(ground):
        saving = np.where(reason.allowed, reason.saving, -np.inf)
        best = int(saving.argmax())
        if saving[best] > 0:
            return reason.code, best, float(saving[best])
    return None


def _reasons(ground: Ground) -> Iterator[_Reason]:
    """What could keep it, the plainest first."""
    number = ground.number
    resides, near, free = (mask[number] for mask in ground.bounds)
    away = np.arange(len(resides)) != ground.home
    # What another machine saves here as well is no reason to go.
    least = min(float(ground.worth.stay[number]), ground.here)
    # Whom it talks to is kept by what keeps it: by itself it tells what keeps both.
    expected = _or_alone(ground, least - ground.worth.move[number], 0.0)
    spread = ground.sums.moving.price_spread[number]
    sure = _or_alone(ground, least - ground.worth.move_high[number], spread)
    said = bool(wishes(ground.group, ground.board.settings))
    # What bars the way is told where it would pay as expected; limits, where it surely would.
    yield _Reason("kept-by-member", expected, away & resides & near & ~free)
    yield _Reason("limit-shared", sure, away & resides & near & free)
    yield _Reason("move-unsure", expected, away & resides & near & free)
    gaps = unpriced(ground)
    yield _Reason("storage-unpriced", gaps.saving, gaps.storage & resides & near & free)
    yield _Reason("traffic-unpriced", gaps.saving, gaps.traffic & resides & near & free)
    yield _Reason(
        "residency" if said else "other-continent", expected, away & near & free & ~resides
    )
    yield _Reason("egress", _without_traffic(ground, expected), away & resides & near & free)
    yield _Reason("too-far", expected, away & resides & free & ~near)


def shared(ground: Ground, place: int) -> str:
    """What of it all that is shared keeps the group from that place."""
    if limits := ground.limits(place):
        return f"a limit keeps it: {' and '.join(limits)} (rules.move)"
    talk = ground.sums.talk[ground.number]
    more, currency = float(talk[place] - talk[ground.home]), ground.board.world.currency
    if more > 0:
        names = ", ".join(dict.fromkeys(peer.label for peer in ground.peers))
        return f"what it and {names} send each other would cost {more:,.2f} {currency} a month more"
    return "all that share its limits save more as they are to be"


def _without_traffic(ground: Ground, saving: Floats) -> Floats:
    """(P,) what it would save if all traffic were free, here and there."""
    paid = float(ground.board.horizon.paid(ground.board.horizon.months))
    there = ground.sums.moving.egress[ground.number]
    return np.asarray(saving + (there - ground.sums.staying.egress[ground.number]) * paid)


def _or_alone(ground: Ground, saving: Floats, spread: Floats | float) -> Floats:
    """(P,) what it saves, or would if it talked to nobody, where that is more.

    Args:
        spread: share by which the prices of the saving are off the wrong way.
    """
    paid = float(ground.board.horizon.paid(ground.board.horizon.months))
    talk = ground.sums.talk[ground.number]
    alone = saving + (talk * (1 + spread) - talk[ground.home]) * paid
    return np.asarray(np.maximum(saving, alone))


def _told(ground: Ground, code: str, place: int, saving: float) -> str:
    group, board = ground.group, ground.board
    currency, where = board.world.currency, ground.called(place)
    would = (
        f"{group.label} would save {saving:,.0f} {currency} over "
        f"{board.settings.horizon_months:g} months in {where}"
    )
    return would + _but(ground, code, place)


def _but(ground: Ground, code: str, place: int) -> str:
    group, settings = ground.group, ground.board.settings
    if code == "kept-by-member":
        keeper, (why, detail) = ground.bound[group.name]
        name = keeper.resource_name or keeper.resource_id
        return f", but {name} belongs to it and cannot be moved: {detail} ({why})"
    if code == "residency":
        wanted = " and ".join(", ".join(one) for one in wishes(group, settings))
        return f", but must stay within {wanted}"
    if code == "storage-unpriced":
        return _of_disks(group)
    if code == "egress":
        return _of_traffic(ground, place)
    if code == "limit-shared":
        return f", but {shared(ground, place)}"
    return {
        "other-continent": "; nobody said that it may leave (rules.move places)",
        "too-far": f", but that is farther than most_ms = {settings.most_ms:g} allows",
        "move-unsure": ", and loses if prices are off the wrong way",
        "traffic-unpriced": " if its traffic costs there what it does here, which is not known",
    }[code]


def _of_disks(group: Group) -> str:
    if np.isnan(group.stored_gib):
        return ", but how large its disks are is not known"
    gib = f"{group.stored_gib:,.0f} GiB"
    return f" if its {gib} of disks cost there what they do here, which is not known"


def _of_traffic(ground: Ground, place: int) -> str:
    group = ground.group
    gib = group.internal + group.sent.internet + group.sent.regions
    leaves = float(ground.sums.moving.egress[ground.number, place])
    come = f" and {group.inward:,.0f} that neighbours send it" if group.inward >= 0.5 else ""
    among = group.among
    own = (
        f"; up to {among:,.0f} of them may go from one of its machines to another, which would "
        "cost nothing: flow logs would tell"
    )
    return (
        f" if traffic were free, but the {gib:,.0f} GiB that leave it a month{come} cost "
        f"{leaves:,.0f} {ground.board.world.currency} from there{own if among >= 0.5 else ''}"
    )
