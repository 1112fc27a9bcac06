"""Collects that take turns: two of one provider would both pay for what the lake lacks.

A turn is a lock on a file of the provider's; it ends with the process that holds it, however that
ends. It is not the lake's write lock, so nobody else waits.
"""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TextIO
from urllib.parse import quote

FOLDER: Final = "collecting"


@contextlib.contextmanager
def turn(root: Path, provider: str, waits: Callable[[datetime | None], None]) -> Iterator[None]:
    """Hold the provider's turn in the lake at `root`.

    Args:
        waits: called once before waiting for another holder, with since when it holds the turn
            (UTC); None = it does not say.
    """
    folder = root / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / quote(provider, safe=" ")).open("a+") as mark:
        try:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waits(_since(mark))
            fcntl.flock(mark, fcntl.LOCK_EX)
        mark.truncate(0)
        mark.write(datetime.now(UTC).isoformat(timespec="seconds"))
        mark.flush()
        yield


def _since(mark: TextIO) -> datetime | None:
    mark.seek(0)
    try:
        return datetime.fromisoformat(mark.read(64)).astimezone(UTC)
    except ValueError:  # it has just begun, and has not written yet
        return None
