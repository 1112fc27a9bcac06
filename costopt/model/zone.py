"""Which names are time zones."""

from __future__ import annotations

from functools import cache
from typing import Final
from zoneinfo import available_timezones

# Of this machine's database, but nowhere else the same: no cloud's scheduler knows them.
_LOCAL: Final = frozenset({"localtime", "posixrules", "Factory"})


def time_zone(text: str) -> str | None:
    """The IANA zone of that name in any case, as the database spells it; None: there is none.

    `localtime`, `posix/...` and `right/...` are files of a machine, and no zones.
    """
    return _spelled().get(text.casefold())


@cache
def _spelled() -> dict[str, str]:
    return {name.casefold(): name for name in sorted(available_timezones() - _LOCAL)}
