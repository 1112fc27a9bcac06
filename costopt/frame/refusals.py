"""Samples refused as above 105 %: demand of a busy machine, or a broken counter?"""

from __future__ import annotations

from typing import Final

from costopt.model import Profile

BUSY_PERCENT: Final = 90
LEAST_KEPT: Final = 0.1  # of the number refused


def refused_is_busy(profile: Profile) -> bool:
    """Whether the refused high samples of a utilization count as demand above everything.

    A machine that runs above its nominal capacity comes past 90 % far more often than past 105 %:
    all 34 of 300 Bitbrains VMs with refused samples do (860 refused beside 4,896 kept at 90 % and
    more, say). A counter that was reset or wraps throws absurd values out of nothing. So they are
    believed where the samples kept at 90 % or more number at least a tenth of them; otherwise they
    are left out. True where nothing was refused.

    Raises:
        ValueError: the profile is not of a percentage.
    """
    kept = profile.share_over(BUSY_PERCENT) * profile.count
    return kept >= LEAST_KEPT * profile.refused_high
