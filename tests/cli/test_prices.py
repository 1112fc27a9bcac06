"""`costopt prices`: what is found and shown, from the snapshot and from the project's own lake."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from costopt.cli.prices import prices
from costopt.errors import ConfigError
from costopt.lake.store import Lake
from tests.pricing.tables import ladder, price
from tests.pricing.tables import prices as price_table


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(prices, arguments, catch_exceptions=False)


def offers(*arguments: str) -> list[dict[str, Any]]:
    result = run(*arguments, "--format", "json")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert document["schema_version"] == "1"
    found: list[dict[str, Any]] = document["offers"]
    return found


def failure(*arguments: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        run(*arguments)
    assert caught.value.exit_code == 2
    return caught.value


# -- find ------------------------------------------------------------------------------------


def test_find_prints_a_table_cheapest_first() -> None:
    lines = run(
        "find", "--vcpus", "8", "--memory", "32", "--region", "us-east-1"
    ).stdout.splitlines()
    assert lines[0].split()[:8] == [
        "Provider", "Type", "Region", "vCPUs", "GiB", "USD/hour", "USD/month", "As",
    ]  # fmt: skip
    assert lines[1].split()[:7] == [
        "AWS",
        "t4g.2xlarge",
        "us-east-1",
        "8",
        "32",
        "0.2688",
        "196.22",
    ]
    assert "sustains 40 %" in lines[1]
    assert len(lines) == 21


def test_find_as_json_has_exact_amounts() -> None:
    (one,) = offers(
        "find", "--gpu", "H100", "--gpu-count", "8", "--provider", "aws", "--limit", "1"
    )
    assert one["instance_type"] == "p5.48xlarge"
    assert one["hourly_price"] == 55.04
    assert one["monthly_price"] == 40179.2
    assert (one["currency"], one["valid_from"]) == ("USD", "2026-07-20")
    assert (one["gpu_model"], one["gpu_count"], one["gpu_memory_gib"]) == ("H100", 8, 80)
    assert one["burstable_baseline_percent"] is None


def test_csv_has_the_fields_of_the_json() -> None:
    asked = ("find", "--vcpus", "64", "--arch", "arm64", "--spot", "--provider", "gcp")
    rows = list(csv.DictReader(io.StringIO(run(*asked, "--format", "csv").stdout)))
    found = offers(*asked)
    assert list(rows[0]) == list(found[0])
    assert [float(row["hourly_price"]) for row in rows] == [one["hourly_price"] for one in found]
    assert {row["pricing_category"] for row in rows} == {"Dynamic"}
    assert {row["gpu_model"] for row in rows} == {""}


def test_output_goes_to_a_file(tmp_path: Path) -> None:
    result = run("find", "--vcpus", "4", "--format", "csv", "--output", "found.csv")
    assert result.stdout == ""
    assert (tmp_path / "found.csv").read_text().startswith("provider_name,region_id,")


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("--vcpus", "8", "--region", "eu-wst-1"), "did you mean eu-west-1"),
        (("--vcpus", "8", "--provider", "nobody"), "providers: aws, azure, civo, "),
        (("--vcpus", "4000"), "ask for less"),
        (("--gpu", "H100", "--arch", "arm64"), "without --arch there is"),
        (("--gpu", "H100", "--gpu-count", "99"), "without --gpu-count there is"),
        (("--gpu", "GTX 9"), "without --gpu there is"),
        (("--vcpus", "500", "--provider", "lambda"), "without --provider there is"),
        (("--gpu", "B200", "--region", "af-south-1"), "without --region there is"),
    ],
)
def test_nothing_found_says_what_stands_in_the_way(arguments: tuple[str, ...], hint: str) -> None:
    error = failure("find", *arguments)
    assert arguments[0] in error.what
    assert hint in error.hint


# -- show ------------------------------------------------------------------------------------


def test_show_says_what_it_is_and_what_it_costs_everywhere() -> None:
    text = run("show", "t3.medium").stdout
    assert "AWS t3.medium" in text
    assert "sustains 20 % of the whole machine" in text
    assert "2 on 1 core, x86_64" in text
    line = next(line for line in text.splitlines() if line.strip().startswith("us-east-1 "))
    assert line.split()[1:4] == ["on-demand", "0.0416", "30.37"]
    assert "source 1" in text
    assert text.index("af-south-1") < text.index("us-east-1")


def test_show_says_what_google_takes_off_by_itself() -> None:
    told = "for half of a month, Google takes 10 % off by itself, 30 % for all of it"
    result = run("show", "n1-standard-4", "--region", "europe-west1")
    assert result.stderr.count(told) == 1
    assert told not in result.stdout
    assert "Google takes" not in run("show", "e2-standard-4", "--region", "europe-west1").stderr


def test_show_one_region_with_commitments_and_spot_beside() -> None:
    found = offers("show", "d4s v5", "--region", "West Europe")
    assert [one["pricing_category"] for one in found] == [
        "Standard", "Committed", "Committed", "Dynamic",
    ]  # fmt: skip
    # 622 and 1,194 USD for D2s v5 over the term, two of which D4s v5 is.
    assert [one["hourly_price"] for one in found] == [0.23, 0.14201, 0.09087, 0.0253]
    assert {one["region_id"] for one in found} == {"westeurope"}
    assert all(one["source"] and one["valid_from"] for one in found)


def test_show_of_an_unknown_type_names_the_nearest() -> None:
    error = failure("show", "m5.lrge")
    assert "m5.large (AWS)" in error.hint


def test_show_where_it_is_not_sold_names_where_it_is() -> None:
    error = failure("show", "m5.large", "--region", "mars-1")
    assert "us-east-1" in error.hint


def test_old_prices_are_told_on_stderr() -> None:
    result = run("show", "m5.large", "--region", "ap-south-1")
    assert "2 prices of 2 older than 180 days, the oldest of 2024-08-09" in result.stderr
    assert "older" not in result.stdout


# -- the project's own rows ------------------------------------------------------------------


def collected(*more: dict[str, Any]) -> None:
    own_prices, own_shapes = ladder()
    lake = Lake(Path(".costopt/lake"))
    lake.append("shapes", own_shapes)
    lake.append("prices", own_prices)
    if more:
        lake.append("prices", price_table(*more))


def test_own_types_are_found_beside_the_snapshots() -> None:
    collected()
    found = offers("find", "--vcpus", "8", "--region", "eu-west-1", "--limit", "1000")
    assert {one["provider_name"] for one in found} == {"AWS", "Generic"}
    (own,) = offers("show", "g8")
    assert (own["hourly_price"], own["region_id"], own["memory_gib"]) == (0.32, None, None)


def test_own_price_replaces_the_snapshots() -> None:
    collected(price("m5.large", "0.07", ProviderName="AWS", RegionId="us-east-1"))
    (own,) = [
        one for one in offers("show", "m5.large", "--region", "us-east-1")
        if one["pricing_category"] == "Standard"
    ]  # fmt: skip
    assert own["hourly_price"] == 0.07


def test_prices_without_shapes_are_no_missing_prices() -> None:
    rows = [price("a1.large", "0.10", ProviderName="Acme", RegionId="north")]
    Lake(Path(".costopt") / "lake").append("prices", price_table(*rows))
    error = failure("find", "--provider", "acme", "--region", "north")
    assert error.hint == (
        "what the types of acme hold is not known, only what they cost:"
        " costopt collect files --shapes"
    )


def test_refused_prices_are_told_on_stderr() -> None:
    wrong = [price("m5.large", "96", ProviderName="AWS", RegionId=f"us-east-{n}") for n in (1, 2)]
    free = [price(f"g{n}", "0", RegionId="free") for n in (1, 2, 4, 8)]
    collected(*wrong, *free)
    told = run("find", "--vcpus", "8").stderr
    assert "refused price: m5.large (AWS, us-east-1) at 96.00 USD: 1,000 times" in told
    assert "and 1 refused price more" in told


def test_own_names_cannot_steer_a_terminal_or_a_spreadsheet() -> None:
    _, own_shapes = ladder()
    name = "=cmd|'/c calc'!A1\x1b[31m"
    rows = own_shapes.slice(0, 1).to_pylist()
    rows[0] |= {"x_InstanceType": name, "x_vCPUs": 3000.0}
    lake = Lake(Path(".costopt/lake"))
    lake.append("shapes", own_shapes.from_pylist(rows, schema=own_shapes.schema))
    lake.append("prices", price_table(price(name, "1") | {"ListUnitPrice": Decimal(100)}))
    for style in ("table", "csv", "json"):
        shown = run("find", "--vcpus", "2000", "--format", style).stdout
        assert "\x1b" not in shown
    row = next(
        csv.reader(
            io.StringIO(run("find", "--vcpus", "2000", "--format", "csv").stdout.split("\n", 1)[1])
        )
    )
    assert row[2].startswith("'=cmd")
    assert offers("find", "--vcpus", "2000")[0]["instance_type"] == name


def test_find_in_another_currency_and_what_stands_in_the_way() -> None:
    (one,) = offers(
        "find", "--provider", "hetzner", "--vcpus", "4", "--currency", "eur", "--limit", "1"
    )
    assert (one["instance_type"], one["currency"], one["shared_cpu"]) == ("cx33", "EUR", True)
    assert one["hourly_price"] == 0.01163  # 8.49 a month over 730 hours
    error = failure("find", "--provider", "hetzner", "--vcpus", "4")
    assert error.hint == "there is one priced in EUR: --currency EUR"


def test_show_says_whose_the_cpus_are() -> None:
    assert "shared with other machines" in run("show", "cx33").stdout
    assert "the machine's own" in run("show", "ccx13").stdout
    assert "shared" not in run("show", "m5.large").stdout
