"""What the limit on costs leaves for asking again."""

from __future__ import annotations

import sys
import threading
from decimal import Decimal

from costopt.providers.azure.metrics.plan import USD_PER_CALL


class Spare:
    """Standard API calls beyond those of the plan. Safe among threads."""

    def __init__(self, usd: Decimal) -> None:
        """
        Args:
            usd: that the limit leaves of the plan; possibly infinite, or below zero.
        """
        self._calls = int(usd // USD_PER_CALL) if usd.is_finite() else sys.maxsize
        self._lock = threading.Lock()
        self.exceeded = False
        """Whether something was not asked for again."""

    def affords(self, calls: int) -> bool:
        """Whether so many may be asked for again; if so they are taken as asked for."""
        with self._lock:
            if calls > max(self._calls, 0):
                self.exceeded = True
                return False
            self._calls -= max(calls, 0)
            return True
