"""The lake's promises: idempotent, first or latest write wins as said, whole files or none."""

import signal
import subprocess
import sys
import threading
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from costopt import schema
from costopt.errors import InputError
from costopt.frame.inventory import present
from costopt.lake.store import Lake

T0 = datetime(2026, 9, 1, tzinfo=UTC)


def resource(resource_id: str, **columns: object) -> dict[str, object]:
    return {"ProviderName": "AWS", "ResourceId": resource_id} | columns


def resources(*rows: dict[str, object]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=schema.RESOURCES)


def price(usd: str, **columns: object) -> pa.Table:
    row = {
        "ProviderName": "AWS",
        "RegionId": "eu-west-1",
        "x_InstanceType": "m6i.large",
        "PricingCategory": "Standard",
        "ListUnitPrice": Decimal(usd),
        "PricingCurrency": "USD",
    } | columns
    return pa.Table.from_pylist([row], schema=schema.PRICES)


def charge(day: int, cost: str, **columns: object) -> dict[str, object]:
    start = T0 + timedelta(days=day)
    return {
        "ProviderName": "AWS",
        "BillingAccountId": "1",
        "BillingPeriodStart": T0,
        "ChargePeriodStart": start,
        "ChargePeriodEnd": start + timedelta(days=1),
        "EffectiveCost": Decimal(cost),
    } | columns


def charges(*rows: dict[str, object]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=schema.CHARGES)


def samples(value: float, *, minutes: int = 0, count: int = 3) -> pa.Table:
    start = T0 + timedelta(minutes=minutes)
    rows = [
        {
            "ResourceId": "i-1",
            "MetricName": "cpu_utilization",
            "Statistic": "mean",
            "Timestamp": start + timedelta(minutes=5 * n),
            "PeriodSeconds": 300,
            "Value": value,
        }
        for n in range(count)
    ]
    return pa.Table.from_pylist(rows, schema=schema.METRICS)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def test_an_untouched_lake_reads_as_empty_and_leaves_no_trace(lake: Lake) -> None:
    assert lake.read("resources").num_rows == 0
    assert lake.read_charges().num_rows == 0
    assert lake.watermarks() == {}
    assert lake.pending() == ()
    assert not lake.root.exists()


def test_the_same_resources_again_write_nothing(lake: Lake) -> None:
    table = resources(resource("i-1", Tags=[("team", "web")]), resource("i-2"))
    assert lake.append("resources", table).rows == 2
    before = sorted(lake.root.rglob("*.parquet"))
    assert lake.append("resources", table).rows == 0
    assert sorted(lake.root.rglob("*.parquet")) == before


def test_a_changed_resource_is_a_new_observation_and_its_past_stays(lake: Lake) -> None:
    lake.append("resources", resources(resource("i-1", x_vCPUs=8.0)))
    seen = datetime(2026, 9, 20, tzinfo=UTC)
    assert (
        lake.append("resources", resources(resource("i-1", x_vCPUs=4.0)), observed_at=seen).rows
        == 1
    )
    rows = lake.read("resources").to_pylist()
    assert [(r["x_vCPUs"], r["x_ObservedAt"]) for r in rows] == [(8.0, None), (4.0, seen)]
    again = lake.append("resources", resources(resource("i-1", x_vCPUs=4.0)))
    assert again.rows == 0


def test_history_given_with_its_times_is_kept_once(lake: Lake) -> None:
    table = resources(
        resource("i-1", x_vCPUs=8.0, x_ObservedAt=T0),
        resource("i-1", x_vCPUs=4.0, x_ObservedAt=T0 + timedelta(days=9)),
    )
    assert lake.append("resources", table).rows == 2
    assert lake.append("resources", table).rows == 0


def test_a_change_follows_what_it_changes_though_no_samples_came_since(lake: Lake) -> None:
    lake.append_metrics("aws", [samples(10)])
    lake.append("resources", resources(resource("i-1", x_State="running")))
    later = T0 + timedelta(days=3)
    lake.append("resources", resources(resource("i-1", x_State="stopped", x_ObservedAt=later)))
    for state in ("running", "stopped", "running"):
        again = resources(resource("i-1", x_State=state))
        lake.append("resources", again)
        assert lake.append("resources", again).rows == 0
    rows = lake.read("resources").to_pylist()
    assert [row["x_ObservedAt"] for row in rows] == [None, *[later] * 4]
    assert present(lake.read("resources"), later, "UTC")["i-1"].state == "running"


def test_of_two_rows_of_a_resource_the_first_is_its_present(lake: Lake) -> None:
    twice = resources(resource("i-1", x_vCPUs=8.0), resource("i-1", x_vCPUs=4.0))
    assert lake.append("resources", twice).rows == 1
    assert lake.append("resources", twice).rows == 0
    assert lake.read("resources").column("x_vCPUs").to_pylist() == [8.0]


def test_a_history_whose_first_row_is_since_ever_is_kept_once(lake: Lake) -> None:
    table = resources(resource("i-1", x_vCPUs=8.0), resource("i-1", x_vCPUs=4.0, x_ObservedAt=T0))
    assert lake.append("resources", table).rows == 2
    assert lake.append("resources", table).rows == 0


def test_the_latest_price_of_a_key_wins_and_within_one_commit_the_first(lake: Lake) -> None:
    lake.append("prices", pa.concat_tables([price("0.10"), price("9.99")]))
    assert lake.read("prices").column("ListUnitPrice").to_pylist() == [Decimal("0.1")]
    lake.append("prices", price("0.12"))
    lake.append("prices", price("0.30", RegionId=None))
    found = lake.read("prices").column("ListUnitPrice").to_pylist()
    assert sorted(found) == [Decimal("0.12"), Decimal("0.3")]


def test_a_bill_again_changes_nothing_and_a_restated_day_replaces_that_day(lake: Lake) -> None:
    bill = charges(charge(0, "1.25"), charge(0, "1.25"), charge(1, "2"))
    assert lake.append_charges([bill]).rows == 3  # two equal rows are two charges
    assert lake.append_charges([bill]).rows == 0
    lake.append_charges([charges(charge(1, "3")), charges(charge(2, "4"))])
    assert sorted(lake.read_charges().column("EffectiveCost").to_pylist()) == [
        Decimal("1.25"),
        Decimal("1.25"),
        Decimal(3),
        Decimal(4),
    ]


def test_restating_one_account_leaves_the_others(lake: Lake) -> None:
    lake.append_charges([charges(charge(0, "1"), charge(0, "2", BillingAccountId=None))])
    lake.append_charges([charges(charge(0, "5"))])
    assert sorted(lake.read_charges().column("EffectiveCost").to_pylist()) == [2, 5]


def test_whole_periods_replace_all_that_was_told_of_their_accounts(lake: Lake) -> None:
    one, other = {"SubAccountId": "one"}, {"SubAccountId": "other"}
    lake.append_charges(
        [charges(charge(0, "1", **one), charge(5, "2", **one), charge(0, "7", **other))]
    )
    lake.append_charges([charges(charge(0, "3", **one))], whole_periods=True)
    assert sorted(lake.read_charges().column("EffectiveCost").to_pylist()) == [3, 7]
    lake.append_charges([charges(charge(9, "4", SubAccountId=None))], whole_periods=True)
    assert lake.read_charges().column("EffectiveCost").to_pylist() == [4]  # of every sub-account
    lake.append_charges([charges(charge(0, "5", **one))], whole_periods=True)
    assert lake.read_charges().column("EffectiveCost").to_pylist() == [5]  # and so replaced
    assert lake.append_charges([charges(charge(0, "5", **one))], whole_periods=True).rows == 0


def test_watermarks_move_forward_only_and_respect_what_is_not_final(lake: Lake) -> None:
    lake.append_metrics("aws", [samples(10)])
    assert lake.watermarks() == {"aws": {"cpu_utilization": T0 + timedelta(minutes=15)}}
    lake.append_metrics("aws", [samples(10, minutes=-60)])
    assert lake.watermarks()["aws"]["cpu_utilization"] == T0 + timedelta(minutes=15)
    final = T0 + timedelta(minutes=20)
    lake.append_metrics("aws", [samples(10, minutes=15, count=12)], final_until=final)
    assert lake.watermarks()["aws"]["cpu_utilization"] == final


def test_a_stream_that_fails_leaves_no_commit(lake: Lake) -> None:
    def broken():
        yield samples(10)
        raise RuntimeError("the API went away")

    with pytest.raises(RuntimeError):
        lake.append_metrics("aws", broken())
    assert lake.pending() == ()
    assert not list(lake.root.rglob(".tmp-*"))


def test_provider_names_are_not_paths(lake: Lake) -> None:
    lake.append_metrics("../../evil", [samples(10)])
    ((provider, path),) = lake.pending()
    assert provider == "../../evil"
    assert lake.root in path.parents


def test_another_format_is_refused_before_anything_is_written(lake: Lake) -> None:
    lake.root.mkdir(parents=True)
    (lake.root / "lake.json").write_text('{"format": 99, "shards": 16}')
    with pytest.raises(InputError, match="format 99"):
        lake.append("resources", resources(resource("i-1")))
    assert not (lake.root / "resources").exists()


def test_a_damaged_file_is_named(lake: Lake) -> None:
    path = lake.append("resources", resources(resource("i-1"))).path
    assert path is not None
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match=path.name):
        lake.read("resources")


KILLED = """
import os, signal, sys
from pathlib import Path
import pyarrow as pa
from costopt.lake.store import Lake
sys.path.insert(0, {root!r})
from tests.lake.test_store import samples
def tables():
    yield samples(10)
    os.kill(os.getpid(), signal.SIGKILL)
    yield samples(20)
Lake(Path({lake!r})).append_metrics("aws", tables())
"""


def test_kill_9_in_the_middle_leaves_a_readable_lake(lake: Lake) -> None:
    lake.append("resources", resources(resource("i-1")))
    root = str(Path(__file__).parents[2])
    script = KILLED.format(root=root, lake=str(lake.root))
    died = subprocess.run([sys.executable, "-c", script], check=False)
    assert died.returncode == -signal.SIGKILL
    assert list(lake.root.rglob(".tmp-*")), "the kill came too late to prove anything"
    assert lake.pending() == ()
    assert lake.read("resources").num_rows == 1
    lake.append_metrics("aws", [samples(10)])  # the next writer sweeps and goes on
    assert not list(lake.root.rglob(".tmp-*"))
    assert len(lake.pending()) == 1


def test_writers_take_turns(lake: Lake) -> None:
    def write(number: int) -> None:
        lake.append("resources", resources(resource(f"i-{number}")))

    threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert lake.read("resources").num_rows == 8


def test_files_are_plain_parquet_that_others_can_read(lake: Lake) -> None:
    path = lake.append("prices", price("0.10")).path
    assert path is not None
    assert pq.read_schema(path).names == schema.PRICES.names


def test_of_rates_and_exchange_rates_the_latest_row_of_a_key_counts(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    rate = {"ProviderName": "AWS", "x_RateKind": "egress-internet", "PricingCurrency": "USD"}
    for price in ("0.09", "0.09", "0.05"):
        row = {**rate, "ListUnitPrice": Decimal(price), "x_FromGiB": 0.0}
        lake.append("rates", pa.Table.from_pylist([row], schema=schema.RATES))
    assert lake.read("rates").column("ListUnitPrice").to_pylist() == [Decimal("0.05")]
    for day, worth in ((1, "1.1"), (2, "1.2"), (2, "1.3")):
        row = {
            "x_Currency": "EUR", "x_ToCurrency": "USD",
            "x_Rate": Decimal(worth), "x_ValidFrom": date(2026, 1, day),
        }  # fmt: skip
        lake.append("exchange", pa.Table.from_pylist([row], schema=schema.EXCHANGE))
    held = sorted(lake.read("exchange").to_pylist(), key=lambda row: row["x_ValidFrom"])
    assert [row["x_Rate"] for row in held] == [Decimal("1.1"), Decimal("1.3")]


def test_a_file_from_before_a_column_came_to_be_is_read(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    row = {"ProviderName": "OnPrem", "x_InstanceType": "g1", "x_vCPUs": 4.0, "x_SharedCPU": True}
    lake.append("shapes", pa.Table.from_pylist([row], schema=schema.SHAPES))
    (path,) = (tmp_path / "shapes").glob("*.parquet")
    pq.write_table(pq.read_table(path).drop_columns("x_SharedCPU"), path)
    (read,) = lake.read("shapes").to_pylist()
    assert (read["x_vCPUs"], read["x_SharedCPU"]) == (4.0, None)
