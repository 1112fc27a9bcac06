"""How much memory to keep free, by what would have run out on the fleet's own past."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from costopt.optimize.memory import FAILED, UNSEEN, Int8s
from costopt.units import counted

HEADROOMS_PERCENT: Final = (15.0, 20.0, 25.0, 30.0, 40.0, 50.0)
BUDGET: Final = 0.01
"""Share of machines that may run out of memory. A fifth of the share of CPU sizes that the cautious
setting sees rolled back (4.9 %, facts: decisions): out of memory, a process is dead before any
guard can act."""

Basis = Literal["fleet", "configured", "none"]


@dataclass(frozen=True, slots=True)
class HeadroomChoice:
    """The headroom to size memory with, and the figures it rests on."""

    headroom_percent: float | None  # None: none tried keeps the budget, so leave memory as it is
    basis: Basis
    resources: int  # with at least one window seen
    budget: float
    headrooms_percent: tuple[float, ...]  # tried, least first
    failed: tuple[int, ...]  # resources that ran out of memory in any window, at each
    bounds: tuple[float, ...]  # (failed + 1) / (resources + 1), at each

    @property
    def words(self) -> str:
        """The choice in one sentence, for people."""
        if self.basis == "configured":
            return (
                f"the past of {counted(self.resources, 'machine')} is too little to show that at "
                f"most {100 * self.budget:.3g} % of them run out of memory: "
                f"{self.headroom_percent:g} % headroom is the configured one"
            )
        tried = self.headrooms_percent
        at = len(tried) - 1 if self.headroom_percent is None else tried.index(self.headroom_percent)
        of_all = f"{self.failed[at]} of {counted(self.resources, 'machine')}"
        text = f"with {tried[at]:g} % headroom {of_all} would have run out of memory"
        return text if self.basis == "fleet" else f"even {text}: memory stays as it is"


def budgeted_headroom(
    windows: Int8s,
    headrooms_percent: Sequence[float] = HEADROOMS_PERCENT,
    *,
    configured_percent: float,
    budget: float = BUDGET,
) -> HeadroomChoice:
    """The least headroom with which the fleet's past kept the budget.

    It is conformal risk control over resources: a resource's loss is 1 where memory ran out in any
    of its windows, which more headroom never raises; the least headroom with (failed + 1) /
    (resources + 1) <= budget then fails on a further resource like these at most that often, on
    average. Windows of one resource are alike and no evidence of their own, so they are counted
    once, which makes it the stricter the more windows there are. What strikes many machines at once
    (a release, an attack) breaks the assumption that they are alike but independent.

    With fewer than 1 / budget - 1 resources no past can show it, not even one without a failure:
    the configured headroom stays.

    Args:
        windows: (headrooms, resources, origins) of `memory.memory_windows`.
        headrooms_percent: those tried, least first.
        configured_percent: what holds where the fleet is too small.
    Raises:
        ValueError: headrooms do not rise, or are not as many as `windows` has.
    Source:
        Angelopoulos et al.: Conformal Risk Control, ICLR 2024, theorem 1.
    """
    tried = tuple(float(percent) for percent in headrooms_percent)
    if len(tried) != len(windows) or list(tried) != sorted(set(tried)):
        raise ValueError(f"{len(windows)} headrooms are wanted, least first: {tried}")
    resources = int((windows != UNSEEN).any(axis=(0, 2)).sum())
    failed = tuple(int(n) for n in (windows == FAILED).any(axis=2).sum(axis=1))
    bounds = tuple((n + 1) / (resources + 1) for n in failed)
    chosen, basis = _chosen(tried, bounds, resources, configured_percent, budget)
    return HeadroomChoice(chosen, basis, resources, budget, tried, failed, bounds)


def _chosen(
    tried: tuple[float, ...],
    bounds: tuple[float, ...],
    resources: int,
    configured_percent: float,
    budget: float,
) -> tuple[float | None, Basis]:
    if 1 / (resources + 1) > budget:
        return configured_percent, "configured"
    kept = (percent for percent, bound in zip(tried, bounds, strict=True) if bound <= budget)
    least = next(kept, None)
    return least, "none" if least is None else "fleet"
