"""`costopt prices update` of the simple lists and of exchange rates: into the lake, and again."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from costopt import registry
from costopt.cli import options
from costopt.cli.prices import prices
from costopt.errors import ConfigError
from costopt.lake.store import Lake
from costopt.model import RateKind
from costopt.pricing.catalogue import Catalogue
from costopt.pricing.money import Exchanges
from costopt.providers import answers
from costopt.providers.lists import ecb
from costopt.providers.lists.refresh import override
from tests.fakes import simple_lists as fake
from tests.fakes.simple_lists import Answer, Site, site


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Site]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(answers, "_BACKOFF", 0.001)
    with site() as running:
        for key in registry.names("price-list"):
            monkeypatch.setenv(override(key), running.url)
        monkeypatch.setenv(ecb.OVERRIDE, running.url)
        yield running


def run(*arguments: str) -> Result:
    return CliRunner().invoke(prices, ["update", *arguments], catch_exceptions=False)


def lake() -> Lake:
    return Lake(Path(".costopt/lake"))


def catalogue() -> Catalogue:
    return Catalogue.load(*(lake().read(name) for name in ("prices", "shapes", "rates")))


PLANS = [fake.vultr_plan(f"vc2-{n}c-{n}gb", n, n * 1024, n * 7.3) for n in (1, 2, 4, 8)]


def test_every_list_has_a_command_that_says_what_it_tells_and_wants() -> None:
    told = " ".join(run("--help").output.split())
    for key in registry.names("price-list"):
        listing = registry.find("price-list", key)
        assert f"{key} {listing.provider_name}: {listing.tells}." in told
        help_text = " ".join(run(key, "--help").output.split())
        access = listing.tokens[0] if listing.tokens else "No credentials are needed"
        assert access in help_text
        assert ("--currency" in help_text) == (len(listing.currencies) > 1)


def test_prices_come_into_the_lake_and_twice_adds_nothing(here: Site) -> None:
    here.vultr(PLANS)
    first = run("vultr")
    assert first.exit_code == 0
    assert "all regions, Vultr API of " in first.stderr
    assert " (127.0.0.1): 8 new prices, 4 new types" in first.stderr
    files = sorted(Path(".costopt/lake/prices").iterdir())
    second = run("vultr")
    assert "all regions, Vultr API: its list was read today already" in second.stderr
    assert len(here.calls) == 1
    Path(".costopt/lake/vultr_price_lists.json").unlink()
    assert "0 new prices, 8 unchanged" in run("vultr").stderr
    assert sorted(Path(".costopt/lake/prices").iterdir()) == files


def test_the_catalogue_finds_machines_that_the_snapshot_lacks(here: Site) -> None:
    here.vultr(PLANS)
    run("vultr")
    found = catalogue().find(vcpus=4, memory_gib=4, provider="vultr", limit=1)
    assert [(one.price.instance_type, one.price.list_unit_price) for one in found] == [
        ("vc2-4c-4gb", Decimal("0.04"))
    ]
    assert catalogue().refusals == ()


def test_they_stand_above_the_snapshot_and_below_ones_own(here: Site, tmp_path: Path) -> None:
    eur = {"running_small": "0.0250", "running_medium": "0.0500"}
    here.says("/api/pricing/opencompute", {"eur": eur})
    run("exoscale")
    found = catalogue().price("Exoscale", "ch-gva-2", "standard.small")
    assert found is not None
    assert (found.list_unit_price, found.source) == (Decimal("0.025"), "Exoscale price list")
    assert (found.currency, found.valid_from) == ("EUR", datetime.now(UTC).date())


def test_rates_come_along(here: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HCLOUD_TOKEN", "read-only-0123456789")
    here.hetzner(
        [fake.hetzner_type("cx23", 2, 4.0, fake.hetzner_price("fsn1", "0.006", "3.65"))],
        {"currency": "EUR", "volume": {"price_per_gb_month": {"net": "0.0500", "gross": "1"}}},
    )
    assert "1 new price, 3 new rates" in run("hetzner").stderr
    (rate,) = catalogue().rates("Hetzner", RateKind.BLOCK_STORAGE, "nbg1")
    assert rate.list_unit_price == Decimal("0.05")
    here.replies["/v1/pricing"] = lambda call: {
        "pricing": {"currency": "EUR", "volume": {"price_per_gb_month": {"net": "50"}}}
    }
    Path(".costopt/lake/hetzner_price_lists.json").unlink()
    told = run("hetzner").stderr
    assert "refused rate: block-storage (every region) at 50.00 EUR: " in told
    (rate,) = catalogue().rates("Hetzner", RateKind.BLOCK_STORAGE, "nbg1")
    assert rate.list_unit_price == Decimal("0.05")


def test_a_part_that_fails_leaves_the_others_and_code_4(here: Site) -> None:
    for zone in ("fr-par-1", "fr-par-2", "fr-par-3"):
        here.scaleway(zone, {"DEV1-S": fake.scaleway_server(2, 2, 0.009)})
    here.rules.append(lambda call: Answer(503) if "nl-ams" in call.path else None)
    result = run("scaleway")
    assert result.exit_code == 4
    assert "nl-ams, Scaleway Instance API: MISSING: 127.0.0.1/inst" in result.stderr
    assert "3 lists could not be read; the others are kept" in result.stderr
    assert {row["RegionId"] for row in lake().read("prices").to_pylist()} == {"fr-par"}


def test_an_answer_of_another_layout_gives_nothing_and_code_4(here: Site) -> None:
    here.says("/v2/plans", {"plans": [{"name": "vc2", "cost": 5}]})
    result = run("vultr")
    assert result.exit_code == 4
    assert "the list holds no price of a machine, in USD: no type's name (1)" in result.stderr
    assert lake().read("prices").num_rows == 0


def test_what_a_list_says_cannot_draw_on_the_terminal(here: Site) -> None:
    here.vultr([*PLANS, fake.vultr_plan("vc2-\x1b[2J", 1, 1024, 7.3)])
    told = run("vultr").stderr
    assert "1 row left out: no type's name" in told
    assert "\x1b" not in told


def test_a_currency_that_a_list_does_not_have_is_told(here: Site) -> None:
    with pytest.raises(click.BadParameter, match="is not one of"):
        CliRunner().invoke(
            prices, ["update", "exoscale", "--currency", "JPY"],
            standalone_mode=False, catch_exceptions=False,
        )  # fmt: skip


def test_without_a_token_it_says_what_to_do(here: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HCLOUD_TOKEN", raising=False)
    with pytest.raises(ConfigError, match="Hetzner tells its prices to its customers only"):
        run("hetzner")


@pytest.mark.parametrize("name", ["vultr", "exchange"])
def test_the_demos_lake_keeps_its_own(here: Site, name: str) -> None:
    root = Path(".costopt/lake")
    root.mkdir(parents=True)
    (root / options.DEMO_MARK).touch()
    with pytest.raises(ConfigError, match="demo fleet") as caught:
        run(name)
    assert f"costopt prices update {name} --home DIR" in caught.value.hint
    assert here.calls == []


# -- exchange rates ------------------------------------------------------------------------------


def says(here: Site, day: str, **rates: str) -> None:
    here.replies[ecb.PATH] = lambda call: Answer(200, fake.ecb_daily(day, **rates))


def test_exchange_rates_come_into_the_lake_and_twice_adds_nothing(here: Site) -> None:
    says(here, "2026-11-19", USD="1.2500")
    first = run("exchange")
    assert first.exit_code == 0
    assert "exchange rates of 2026-11-19 (127.0.0.1): 10 new rates" in first.stderr
    assert "0 new rates, 10 held already" in run("exchange").stderr
    known = Exchanges.load(lake().read("exchange"))
    assert known.convert(Decimal(4), "EUR", "USD") == Decimal(5)


def test_rates_of_today_are_not_asked_for_twice(here: Site) -> None:
    says(here, datetime.now(UTC).date().isoformat())
    run("exchange")
    assert "those of today are held already" in run("exchange").stderr
    assert len(here.calls) == 1


def test_a_further_attempt_is_told(here: Site) -> None:
    says(here, "2026-11-19")
    failing = [Answer(503)]
    here.rules.append(lambda call: failing.pop() if failing else None)
    result = run("exchange")
    assert result.exit_code == 0
    assert result.stderr.startswith(
        "127.0.0.1: the server answers 503; asked again in 0.001 seconds (2 of 6)\n"
    )


def test_a_refused_rate_is_told(here: Site) -> None:
    says(here, "2026-11-19", USD="0.1000")
    result = run("exchange")
    assert result.exit_code == 0
    assert "refused rate: EUR in USD at 0.10: " in result.stderr


def test_exchange_rates_that_cannot_be_read_are_told_with_code_4(here: Site) -> None:
    here.rules.append(lambda call: Answer(200, b"<html>"))
    result = run("exchange")
    assert result.exit_code == 4
    assert (
        "exchange rates: MISSING: 127.0.0.1/stats/eurofxref/eurofxref-daily.xml: " in result.stderr
    )
    assert lake().read("exchange").num_rows == 0


def test_finding_prices_loads_no_network() -> None:
    """The lists' descriptions and httpx come with `prices update` only."""
    code = (
        "import sys, costopt.cli.prices;"
        "print([m for m in sys.modules if 'httpx' in m or 'providers.lists' in m])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
