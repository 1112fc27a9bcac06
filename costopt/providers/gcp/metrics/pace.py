"""Requests of each project at a pace that leaves most of its quota to others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

A_MINUTE: Final = 3_000
"""Requests of one project a minute. The quota "Time series queries per minute" is shared by all who
read a project, dashboards too; it differs by project (console, Quotas) and is some thousands. Who
is beyond it gets RESOURCE_EXHAUSTED, which is waited out."""

Pause = Callable[[float], None]


class Pace:
    """Turns of one project. Safe among threads."""

    def __init__(self, pause: Pause) -> None:
        self._pause = pause
        self._next = 0.0
        self._lock = threading.Lock()

    def turn(self) -> None:
        """Return when the next request may be sent."""
        with self._lock:
            now = time.monotonic()
            mine = max(now, self._next)
            self._next = mine + 60 / A_MINUTE
        if mine > now:
            self._pause(mine - now)
