"""Compiled functions work where numba has nowhere to keep its cache."""

import numpy as np

from costopt.compiled import compiled

SOURCE = """
def total(values):
    found = 0
    for value in values:
        found += value
    return found
"""


def test_without_a_cache_it_compiles_all_the_same() -> None:
    """A function without a file has no place for a cache, as one in a read-only install."""
    names: dict[str, object] = {}
    exec(compile(SOURCE, "<nowhere>", "exec"), names)
    total = compiled(names["total"])  # type: ignore[type-var]
    assert total(np.arange(5)) == 10  # type: ignore[operator]
