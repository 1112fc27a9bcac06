"""Files on their way into the lake, written without its lock: a slow source blocks nobody.

Each writer has a folder of its own below `staging/`, with a lock that lives as long as he does. By
that another one tells a writer at work from one that was killed, whose folder is swept.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

FOLDER: Final = "staging"
_LOCK: Final = ".lock"


@contextlib.contextmanager
def staging(root: Path, turn: Callable[[], AbstractContextManager[None]]) -> Iterator[Path]:
    """A folder to write files into until they are moved to their place.

    Args:
        turn: holds the lake's write lock; taken shortly, so that nobody sweeps the folder between
            its making and its locking.
    """
    with turn():
        folder = root / FOLDER / os.urandom(8).hex()
        folder.mkdir(parents=True)
        mark = (folder / _LOCK).open("w")
        fcntl.flock(mark, fcntl.LOCK_EX)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        mark.close()


def sweep(root: Path) -> None:
    """Remove what killed writers left, with the lake's write lock held."""
    for folder in (root / FOLDER).glob("*"):
        with (
            contextlib.suppress(FileNotFoundError, BlockingIOError),
            (folder / _LOCK).open("a") as mark,
        ):
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
    for stale in root.rglob(".tmp-*"):
        if stale.relative_to(root).parts[0] != FOLDER:
            stale.unlink(missing_ok=True)
