"""CPU samples that speak against idleness and that nothing confirms: what is left without them.

Two kinds, of unlike weight (frame/corroboration.py):

- **Disputed** spikes: the machine's disk, network, memory and the samples beside them say that they
  were no work. That is evidence, though of all of them together: a real one may be among them.
- **Refused** samples, above 105 %, beside too few near full to be demand. A broken counter's, or
  percent of one core, of which a machine that is idle or full, and seldom between, shows its work
  in no other way. How high they were and when is not kept, so nothing can speak for either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from costopt.frame.corroboration import refused_is_busy
from costopt.model import Profile
from costopt.rules.base import Case
from costopt.units import counted


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """Which CPU samples nothing confirms, and the profile of all the others."""

    disputed: int
    refused: int
    of: int  # samples, these among them
    highest: float  # percent, of the samples kept
    first_disputed: datetime | None
    rest: Profile

    def forbids_a_stop(self, others_measured: bool) -> str:
        """Why they forbid a stop although nothing confirms them; "" = they do not.

        Args:
            others_measured: whether figures besides CPU show that nobody uses it.
        """
        if self.refused:
            return "a broken counter does that, and so does percent of one core: see which it is"
        if not others_measured:
            return "without the network nothing else says that nobody uses it"
        return ""

    def evidence(self, warnings: Sequence[str]) -> dict[str, Any]:
        """What of a stop's evidence they change; `warnings` are those that it has."""
        when = self.first_disputed
        first = f" (the first at {when:%Y-%m-%d %H:%M} UTC)" if when else ""
        told = f"{self} were left out{first}"
        return {
            "confidence": "less sure: idle only without its disputed CPU spikes",
            "cpu_peak_with_disputed_percent": round(self.highest, 3),
            "warnings": [f"{told}: find out what ran then before you stop it", *warnings],
        }

    def __str__(self) -> str:
        told = []
        if self.disputed:
            told.append(
                f"{counted(self.disputed, 'CPU sample')} up to {self.highest:.3g} % in brief "
                "spikes that no other metric confirms"
            )
        if self.refused:
            told.append(f"{counted(self.refused, 'CPU sample')} refused as above 105 %")
        return f"{' and '.join(told)}, of {self.of:,}"


def unconfirmed(case: Case, cpu: Profile) -> Unconfirmed | None:
    """The samples of that CPU profile that nothing confirms; None = there are none.

    Refused samples that count as demand are confirmed, and stay in the profile of the others.
    """
    refused = 0 if refused_is_busy(cpu) else cpu.refused_high
    disputed = case.disputed.samples if case.disputed else 0
    if not refused and not disputed:
        return None
    rest = replace(cpu, refused_high=cpu.refused_high - refused)
    return Unconfirmed(
        disputed=disputed,
        refused=refused,
        of=cpu.count + cpu.refused_high,
        highest=cpu.max,
        first_disputed=case.disputed.example_at if case.disputed else None,
        rest=case.disputed.corroborated(rest) if case.disputed else rest,
    )
