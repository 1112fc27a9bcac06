"""Machine code for the two loops that see every sample: compaction and the profile kernel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """The function compiled by numba, without the interpreter's lock, cached on disk.

    The cache lies beside the source, or else in the user's cache folder. Where neither can be
    written (a read-only install without a home) numba refuses to decorate: then every process
    compiles anew, some seconds, and nothing else changes.
    """
    try:
        fast: F = njit(cache=True, nogil=True)(function)
    except RuntimeError:
        fast = njit(nogil=True)(function)
    return fast
