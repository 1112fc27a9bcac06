"""Windows' names of time zones, which Azure's schedules take.

Source: Unicode CLDR, supplemental/windowsZones.xml, as tzlocal carries and renews it.
"""

from __future__ import annotations

from tzlocal.windows_tz import tz_win


def windows_name(time_zone: str) -> str | None:
    """W. Europe Standard Time, of Europe/Berlin; None: Windows has no such zone."""
    return tz_win.get(time_zone)


def no_windows_name(time_zone: str) -> str | None:
    """Why a plan in that zone cannot be expressed; None: it can."""
    if windows_name(time_zone):
        return None
    return f"Azure knows time zones by Windows' names, and {time_zone} has none"
