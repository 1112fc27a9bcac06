"""Requests of each subscription at a pace that leaves a part of its limit to others.

Azure Resource Manager limits what one principal reads of one subscription. In the public cloud by a
bucket that holds 250 and gets 25 a second; elsewhere, as it was there before 2024, to 12,000 an
hour. Source: "Understand how Azure Resource Manager throttles requests", learn.microsoft.com and
docs.azure.cn. For the batch endpoint no figure is told: it is not asked faster.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final, NamedTuple

from costopt.providers.azure.settings import CloudName

REMAINING: Final = "x-ms-ratelimit-remaining-subscription-reads"
"""The header that says how many reads are left."""
_FEW: Final = 25
_LEAST: Final = 0.001  # seconds; less is no wait
_REST: Final = 10.0
"""Seconds in which the public cloud's bucket fills up: so long is waited where few are left."""

Pause = Callable[[float], None]


class Budget(NamedTuple):
    """A bucket of requests."""

    holds: int
    a_second: float


_PUBLIC: Final = Budget(200, 20.0)
_HOURLY: Final = Budget(5_000, 6_000 / 3_600)
"""At most 11,000 in any hour."""


def budget(cloud: CloudName) -> Budget:
    """What one subscription is asked at most."""
    return _PUBLIC if cloud == "public" else _HOURLY


class Pace:
    """Turns of one subscription. Safe among threads."""

    def __init__(
        self, budget: Budget, pause: Pause, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._budget = budget
        self._pause = pause
        self._clock = clock
        self._full = clock()  # when the bucket is full again
        self._rest = False
        self._lock = threading.Lock()

    def turn(self) -> None:
        """Return when the next request may be sent."""
        with self._lock:
            now = self._clock()
            self._full = max(self._full, now) + 1 / self._budget.a_second
            wait = self._full - now - self._budget.holds / self._budget.a_second
            rest, self._rest = self._rest, False
        if rest or wait > _LEAST:
            self._pause(max(wait, _REST if rest else 0.0))

    def told(self, remaining: str | None) -> None:
        """What the answer says is left."""
        if remaining is not None and remaining.isdecimal() and int(remaining) < _FEW:
            with self._lock:
                self._rest = True
