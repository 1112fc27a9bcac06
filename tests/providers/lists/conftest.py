"""A site that every list is asked of, without waiting between attempts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from costopt import registry
from costopt.providers import answers
from costopt.providers.lists import ecb
from costopt.providers.lists.refresh import override
from tests.fakes.simple_lists import Site, site

TOKEN = "read-only-0123456789"


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(answers, "_BACKOFF", 0.001)
    for name in ("HCLOUD_TOKEN", "DIGITALOCEAN_TOKEN", "DIGITALOCEAN_ACCESS_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with site() as running:
        for key in registry.names("price-list"):
            monkeypatch.setenv(override(key), running.url)
        monkeypatch.setenv(ecb.OVERRIDE, running.url)
        yield running


@pytest.fixture
def token(here: Site, monkeypatch: pytest.MonkeyPatch) -> str:
    """A token that the site wants, and that is set."""
    here.token = TOKEN
    monkeypatch.setenv("HCLOUD_TOKEN", TOKEN)
    monkeypatch.setenv("DIGITALOCEAN_ACCESS_TOKEN", TOKEN)
    return TOKEN
