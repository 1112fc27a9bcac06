"""Every policy that is shipped: its examples do as they are listed, and there are some of each."""

from __future__ import annotations

import pytest

from costopt.policy.cases import failures
from costopt.policy.pack import Policy, gathered
from tests.conftest import ROOT

POLICIES = gathered([ROOT / "policies"])


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.text.id)
def test_examples_do_as_they_are_listed(policy: Policy) -> None:
    assert list(failures(policy)) == []
    cases = policy.text.cases
    assert cases.passes
    assert cases.fails
    assert cases.skips
    assert policy.text.source.startswith("https://") or "docs/" in policy.text.description
