"""What the demo fleet really is: the answers that advice is scored against."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Label(StrEnum):
    """What a resource truly is; one each."""

    IDLE = "idle"  # does nothing anyone needs: stop or delete it
    OVERSIZED = "oversized"  # needs a quarter to a half of its CPU
    RHYTHMIC = "rhythmic"  # right for its daily or weekly peak, quiet between
    WELL_SIZED = "well_sized"
    UNDERSIZED = "undersized"  # its demand is cut off at 100 %
    STOPPED = "stopped"  # deallocated; its disk and address bill on
    GPU_TRAINING = "gpu_training"  # busy for days, then nothing
    GPU_SERVING = "gpu_serving"  # few SMs active, memory full: not idle
    GPU_BUSY = "gpu_busy"
    GPU_IDLE = "gpu_idle"
    ATTACHED = "attached"  # a disk in use
    UNATTACHED = "unattached"  # a disk or address that nothing uses


class Placement(StrEnum):
    """Where a machine should run, as far as the fleet was made to show it."""

    STAY = "stay"  # nothing was planted: whatever prices make of it
    MOVE = "move"  # the same machines are cheaper near by, and nothing holds them
    STAY_EGRESS = "stay_egress"  # cheaper elsewhere, but for the traffic it has with its neighbours
    STAY_RESIDENCY = "stay_residency"  # cheaper elsewhere, but its data may not leave the country
    SPOT = "spot"  # a batch that may be interrupted
    REPATRIATE = "repatriate"  # busy round the clock: cheaper on machines of one's own


class Wart(StrEnum):
    """What is wrong, or merely unusual, with a resource's data."""

    GAPS = "gaps"  # about 4 % of samples never arrived, at random
    NULLS = "nulls"  # the same, sent as null
    WEEKEND_GAP = "weekend_gap"  # the agent is off every weekend
    DUPLICATES = "duplicates"  # every third day was sent twice, alike
    POISONED = "poisoned"  # the last days were sent again, quiet: the first copy is the true one
    OUT_OF_RANGE = "out_of_range"  # -5, 180 and 60,000 % among the samples
    FRACTION = "fraction"  # 0-1 sent where percent is due
    STUCK = "stuck"  # CPU repeats one value for the last days
    CLOCK_SHIFT = "clock_shift"  # local time sent as UTC
    STALE = "stale"  # the agent died days ago
    SPIKES = "spikes"  # isolated CPU spikes that no other metric confirms
    HOURLY = "hourly"  # hourly means only
    OFF_GRID = "off_grid"  # samples some seconds after their period's start
    RESIZED = "resized"  # another machine type until some days ago
    NEW = "new"  # launched three days ago
    SCHEDULED = "scheduled"  # already stopped every night and weekend: no samples then
    HOSTILE = "hostile"  # markup, escapes and formulas in names and tags


ABSTAIN = frozenset(
    {
        Wart.WEEKEND_GAP,
        Wart.FRACTION,
        Wart.STUCK,
        Wart.STALE,
        Wart.HOURLY,
        Wart.NEW,
        Wart.SCHEDULED,
    }
)
"""Warts after which honest advice on CPU is to abstain: what is missing could be anything."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What one resource truly is and needs."""

    resource_id: str
    label: Label
    vcpus: float | None  # today's; None: not a machine
    memory_gib: float | None
    needs_vcpus: float | None  # smallest size its demand fits: P99.5 is 40-85 % of it; 0 when idle
    needs_memory_gib: float | None
    memory_measured: bool  # an agent reports memory_utilization
    warts: frozenset[Wart] = frozenset()
    sleeps: bool = False  # nobody uses it for most of the week, at the same hours each week
    placement: Placement = Placement.STAY

    @property
    def abstain(self) -> bool:
        """Whether the data are too bad or too few for advice."""
        return self.label is Label.STOPPED or bool(self.warts & ABSTAIN)
