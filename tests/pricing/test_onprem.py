"""onprem.toml: what it takes, and that what is wrong is named with its line."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from costopt.errors import InputError
from costopt.pricing.onprem import load
from tests.conftest import ROOT

EXAMPLE = ROOT / "docs" / "examples" / "onprem.toml"


def changed(tmp_path: Path, *changes: tuple[str, str]) -> Path:
    """The example with some of its text replaced."""
    text = EXAMPLE.read_text()
    for before, after in changes:
        assert before in text
        text = text.replace(before, after, 1)
    path = tmp_path / "onprem.toml"
    path.write_text(text)
    return path


def line_of(path: Path, start: str) -> int:
    return next(
        n for n, line in enumerate(path.read_text().splitlines(), 1) if line.startswith(start)
    )


def refused(path: Path) -> InputError:
    with pytest.raises(InputError) as caught:
        load(path)
    return caught.value


def test_the_example_loads_and_shares_the_sites_figures() -> None:
    site = load(EXAMPLE)
    machine = site.of_class("h100-8")
    assert (site.currency, machine.pue, machine.power_price_kwh, machine.rate_percent) == (
        "USD",
        1.4,
        0.12,
        8.0,
    )
    shape = machine.shape("h100-8")
    assert (shape.provider_name, shape.gpu_model, shape.gpu_count) == ("own", "H100", 8)
    assert site.of_class("rack-64").gpu_count == 0


def test_every_figure_that_the_example_leaves_out_may_be_told(tmp_path: Path) -> None:
    text = re.sub(r"(?m)^# (\w+ = )", r"\1", EXAMPLE.read_text())
    text = text.replace('speed_like = "aws/m6a"', "")
    path = tmp_path / "onprem.toml"
    path.write_text(text)
    site = load(path)
    assert (site.name, site.country, site.latitude) == ("cellar", "NL", 52.37)
    rack = site.of_class("rack-64")
    assert (rack.vcpu_speed, rack.resources) == (1.12, ("rack-*", "site=cellar"))
    assert site.of_class("h100-8").shape("x").local_disk_gib == 30_720


def test_half_a_place_is_none(tmp_path: Path) -> None:
    path = changed(tmp_path, ("pue = 1.4 ", "latitude = 52.4\npue = 1.4 "))
    assert "latitude and longitude go together" in refused(path).what


def test_a_class_may_stand_in_another_building(tmp_path: Path) -> None:
    path = changed(tmp_path, ("owned = 12", "pue = 1.9\nowned = 12"))
    site = load(path)
    assert [site.of_class(name).pue for name in ("h100-8", "rack-64")] == [1.4, 1.9]


IMPLAUSIBLE = [
    ("busy_kw = 8.0", "busy_kw = 8000", "8,000 cannot be meant, at most 200: W for kW?", "busy_kw"),
    ("power_price_kwh = 0.12", "power_price_kwh = 12", "hundredths for units", "power_price_kwh"),
    ("rate_percent = 8.0", "rate_percent = 0.08", "a share for percent? 8 % is 8.0", "rate_perc"),
    ("price = 320_000", "price = 0", "must be above 0", "price = 0"),
    ("price = 320_000", "price = 1e308", "cannot be meant", "price = 1e308"),
    ("vcpus = 224", "vcpus = 9999999999999999999999999999", "cannot be meant", "vcpus = 9"),
    ("physical_cores = 112", "physical_cores = 1120", "more than vcpus", "physical_cores = 1120"),
    ("pue = 1.4 ", 'country = "XX"\npue = 1.4 ', "XX is no country", "country"),
    ('currency = "USD"', 'currency = "XXX"', "XXX is no currency", "currency"),
    ("life_years = [3, 5]", "life_years = [0, 5]", "which must be above 0", "life_years = [0"),
    ("life_years = [3, 5]", "pue = [0, 5]", "which must be at least 1", "pue = [0"),
    ("life_years = [3, 5]", "pue = [1.5, 2]", "does not hold 1.4", "pue = [1.5"),
    ("life_years = [3, 5]", "salvage_price = [0, 1e6]", "above price", "salvage_price = [0"),
    ("life_years = [3, 5]", "salvage_price = [0, 1e9]", "cannot be meant", "salvage_price = [0"),
    ("life_years = [3, 5]", "idle_kw = [2, 9]", "above busy_kw", "idle_kw = [2"),
    ("life_years = [3, 5]", "vcpu_speed = [1, 2]", "a range, and no figure", "vcpu_speed"),
    ("price = [260_000, 380_000]", "price = [100, 200]", "does not hold 320,000", "price = [100"),
    ("cloud_price_hourly = [16.0", "cloud_price_hourly = [0", "above 0", "cloud_price_hourly"),
]


@pytest.mark.parametrize(
    ("before", "after", "words", "line"),
    [
        ("idle_kw = 2.4", "idle_kww = 2.4", "did you mean 'idle_kw'?", "idle_kww"),
        ("pue = 1.4 ", "pu = 1.4 ", "did you mean 'pue'?", "pu ="),
        ("life_years = 4", "life_years = 0", "must be above 0", "life_years = 0"),
        ("price = 320_000", 'price = "dear"', "must be a number", 'price = "dear"'),
        ("price = 320_000", "price = true", "must be a number", "price = true"),
        ("price = 320_000", "price = nan", "finite number", "price = nan"),
        ("gpu_count = 8", "gpu_count = 8.5", "whole number", "gpu_count"),
        ("gpu_count = 8", "", "gpu_model and gpu_count go together", "[classes.h100-8]"),
        ("idle_kw = 2.4", "idle_kw = 9", "idle_kw is above busy_kw", "[classes.h100-8]"),
        ("salvage_price = 500", "salvage_price = 15e3", "above price", "[classes.rack-64]"),
        ("bought_on = 2024-05-01", "", "need bought_on", "[classes.rack-64]"),
        ("most = 16", "most = 3\nowned = 4", "need bought_on", "[classes.h100-8]"),
        ("price = [260_000", "prize = [260_000", "did you mean 'price'?", "prize"),
        ("price = [260_000", "price = [460_000", "goes from 460,000 down to", "price = [4"),
        ("price = [260_000, 380_000]", "price = [1]", "a low and a high", "price = [1]"),
        *IMPLAUSIBLE,
        ('currency = "USD"', 'currency = "dollars"', "like USD", "currency"),
        ("busy_kw = 0.65", "", "busy_kw is missing", "[classes.rack-64]"),
        (
            "memory_gib = 2048",
            'memory_gib = 2048\nspeed_like = "m7i"',
            "a family of its",
            "speed_like",
        ),
        ("life_years = 4", 'life_years = 4\nresources = ["x"]', "owned", "[classes.h100-8]"),
        (
            "owned = 12",
            'owned = 12\nvcpu_speed = 1.0\nspeed_like = "aws/m7i"',
            "give one",
            "[classes.rack-64]",
        ),
        ("pue = 1.4 ", 'country = "Holland"\npue = 1.4 ', "like DE", "country"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(
    tmp_path: Path, before: str, after: str, words: str, line: str
) -> None:
    path = changed(tmp_path, (before, after))
    error = refused(path)
    assert words in error.what
    assert error.where == f"{path}:{line_of(path, line)}"
    assert "docs/examples/onprem.toml" in error.hint


def test_pydantics_words_stay_within(tmp_path: Path) -> None:
    for before, after in (
        ("most = 16", "most = 1.5"),
        ("bought_on = 2024-05-01", 'bought_on = "2024-05-01"'),
        ("bought_on = 2024-05-01", "bought_on = 2024-05-01T10:00:00Z"),
        ("owned = 12", 'owned = 12\nresources = "rack-*"'),
        ("memory_gib = 2048", 'memory_gib = 2048\narchitecture = "x86"'),
    ):
        what = refused(changed(tmp_path, (before, after))).what
        assert not re.search("valid|input|pattern|item", what), what
    path = tmp_path / "onprem.toml"
    path.write_text('currency = "EUR"\npue = 1\npower_price_kwh = 1\nrate_percent = 8\n[classes]')
    assert "[classes.NAME]" in refused(path).what


def test_a_price_in_a_small_currency_is_no_error(tmp_path: Path) -> None:
    """30 yen a kWh are 0.19 USD."""
    path = changed(
        tmp_path,
        ('currency = "USD"', 'currency = "JPY"'),
        ("power_price_kwh = 0.12", "power_price_kwh = 30"),
        ("power_price_kwh = [0.06, 0.25]", ""),
    )
    assert load(path).power_price_kwh == 30


def test_a_name_in_quotes_is_found_too(tmp_path: Path) -> None:
    path = changed(
        tmp_path, ("[classes.rack-64]", '[classes."rack 64.0"]'), ("busy_kw = 0.65", "busy_kw = -1")
    )
    error = refused(path)
    assert error.where == f"{path}:{line_of(path, 'busy_kw = -1')}"
    assert "rack 64.0" in error.what


def test_no_toml_and_no_file(tmp_path: Path) -> None:
    path = tmp_path / "onprem.toml"
    assert "no such file" in refused(path).what
    path.write_text("price = = 1")
    assert re.search("not TOML.*line 1", refused(path).what)
    path.write_bytes(b"\xff\xfe")
    assert "cannot be read" in refused(path).what
    path.write_text("")
    assert "missing" in refused(path).what


def test_an_unknown_class_has_its_nearest_name() -> None:
    with pytest.raises(InputError, match="did you mean 'h100-8'"):
        load(EXAMPLE).of_class("h100")


def test_nothing_is_owned_that_is_bought_later() -> None:
    site = load(EXAMPLE)
    assert site.bought_by(date(2024, 5, 1)) is site
    with pytest.raises(InputError, match="2024-05-01 is after 2024-04-30"):
        site.bought_by(date(2024, 4, 30))
