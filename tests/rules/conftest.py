"""Fixtures of the rules' tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.rules.commit.bills import without_the_snapshot


@pytest.fixture(scope="module")
def only_own_lists() -> Iterator[None]:
    """Commitments cost what a test's own list says, or its bill.

    What the snapshot's rates do is tested in `commit/test_commit_snapshot.py`.
    """
    with without_the_snapshot():
        yield
