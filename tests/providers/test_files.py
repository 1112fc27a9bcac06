"""Resources, metrics, charges, prices and shapes in people's own columns become ours."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from costopt import schema
from costopt.errors import InputError
from costopt.model import Window
from costopt.providers.files import FilesSettings
from costopt.providers.files.periods import on_grid
from tests.frame.test_bill import SOUND
from tests.providers.given import problems, provider, samples, write

NOON = datetime(2024, 7, 1, 12, tzinfo=UTC)


def resources(folder: Path, content: str, mapping: str | None = None) -> list[dict[str, Any]]:
    files = provider(mapping, folder, resources=write(folder / "r.csv", content))
    table = files.resources()
    assert table.schema == schema.RESOURCES
    return table.to_pylist(maps_as_pydicts="strict")


def test_something_must_be_given() -> None:
    with pytest.raises(ValidationError, match="at least one of --resources"):
        FilesSettings()
    with pytest.raises(ValidationError, match="at least one of --resources"):
        FilesSettings(mapping=Path("map.yml"))


# -- resources -------------------------------------------------------------------------------


def test_half_a_character_in_a_tag_stops_no_collect(tmp_path: Path) -> None:
    content = 'ProviderName,ResourceId,Tags\nmine,a,"{""team"": ""\\ud800""}"\n'
    (found,) = resources(tmp_path, content)
    assert found["Tags"] == {"team": "\ufffd"}


@pytest.mark.parametrize(
    "header",
    [
        "ProviderName,ResourceId,x_InstanceType,x_vCPUs,x_MemoryGiB,RegionId,x_TimeZone",
        "provider_name,resource_id,instance_type,vcpus,memory_gib,region_id,time_zone",
        "PROVIDERNAME,RESOURCEID,INSTANCETYPE,VCPUS,MEMORYGIB,REGIONID,TIMEZONE",
        "Provider,VM ID,Machine Type,vCPU,Memory (GiB),Region,Time-Zone",
        "cloud,instance id,vm size,cpus,memory_gb,region,x_TimeZone",
    ],
)
def test_columns_are_found_under_the_names_people_use(tmp_path: Path, header: str) -> None:
    [found] = resources(tmp_path, f"{header}\nAWS,i-1,m6i.large,2,8,eu-west-1,Europe/Dublin\n")
    assert found["ProviderName"] == "AWS"
    assert found["ResourceId"] == "i-1"
    assert found["x_InstanceType"] == "m6i.large"
    assert (found["x_vCPUs"], found["x_MemoryGiB"]) == (2, 8)
    assert (found["RegionId"], found["x_TimeZone"]) == ("eu-west-1", "Europe/Dublin")


def test_unknown_columns_are_kept_and_missing_values_are_not(tmp_path: Path) -> None:
    rows = resources(
        tmp_path,
        "ProviderName,ResourceId,owner,rack,Tags,x_Attributes\n"
        'OnPrem,a,kim,NULL,"{""team"": ""web""}",room=7\n'
        "OnPrem,b,,r2,team=db;env=dev,-\n",
    )
    assert rows[0]["x_Attributes"] == {"room": "7", "owner": "kim"}
    assert rows[1]["x_Attributes"] == {"rack": "r2"}
    assert [row["Tags"] for row in rows] == [{"team": "web"}, {"team": "db", "env": "dev"}]


def test_one_word_for_one_thing_and_no_size_of_nothing(tmp_path: Path) -> None:
    files = provider(
        resources=write(
            tmp_path / "r.csv",
            "provider,resource_id,arch,os,pricing_category,vcpus,memory_gib,time_zone\n"
            "AWS,a,amd64,linux,spot,2,8,Europe/Dublin\n"
            "AWS,b,aarch64,Windows,on-demand,0,0,Mars/Olympus\n"
            "AWS,c,riscv,Plan 9,Barter,-2,8,\n"
            "AWS,d,,,,2,8,europe/amsterdam\n"
            "AWS,e,,,,2,8,localtime\n"
            "AWS,f,,,,2,8,posix/Europe/Paris\n"
            "AWS,g,,,,2,8,utc\n",
        )
    )
    rows = files.resources().to_pylist()
    assert [row["x_Architecture"] for row in rows] == ["x86_64", "arm64", "riscv", *[None] * 4]
    assert [row["x_OperatingSystem"] for row in rows[:3]] == ["Linux", "Windows", "Plan 9"]
    assert [row["x_PricingCategory"] for row in rows[:3]] == ["Dynamic", "Standard", "Barter"]
    assert [row["x_vCPUs"] for row in rows[:3]] == [2, None, None]  # a disk has none: no complaint
    zones = ["Europe/Dublin", None, None, "Europe/Amsterdam", None, None, "UTC"]
    assert [row["x_TimeZone"] for row in rows] == zones
    assert problems(files, tmp_path) == [
        "r.csv:3: x_TimeZone 'Mars/Olympus' is no IANA time zone: taken as missing",
        "r.csv:4: x_vCPUs '-2.0' is not more than 0: taken as missing",
    ]


def test_a_missing_required_column_is_named_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        resources(tmp_path, "\nProviderName,resource,vcpus\nAWS,i-1,2\n")
    assert caught.value.where == f"{tmp_path / 'r.csv'}:2"
    assert caught.value.what == (
        "no column ResourceId for the resources table; the nearest is 'resource'"
    )
    assert "the file has: ProviderName, resource, vcpus" in caught.value.hint
    assert "resources: {columns: {ResourceId: ...}}" in caught.value.hint


def test_all_missing_required_columns_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no column ProviderName .* \(nor ResourceId\)"):
        resources(tmp_path, "a,b\n1,2\n")


def test_a_resource_without_id_is_left_out_and_one_listed_twice_stands_once(tmp_path: Path) -> None:
    files = provider(
        resources=write(
            tmp_path / "r.csv",
            "ProviderName,ResourceId,x_vCPUs,x_ObservedAt\n"
            "AWS,a,2,\nAWS,,4,\nAWS,a,8,\nAWS,b,1,2024-01-01\nAWS,b,2,2024-02-01\n",
        )
    )
    rows = files.resources().to_pylist()
    assert [(row["ResourceId"], row["x_vCPUs"]) for row in rows] == [("a", 2), ("b", 1), ("b", 2)]
    assert problems(files, tmp_path) == [
        "r.csv:3: ResourceId is missing: row left out",
        "r.csv: ResourceId 'a' is listed twice: the first row stands",
    ]


def test_a_mapping_names_columns_constants_and_tags(tmp_path: Path) -> None:
    [found] = resources(
        tmp_path,
        "host;cores;ram_mb;team;parked\nh1;4;16.384,0;web;no\nh2;4;1;web;yes\n",
        """
resources:
  csv: {decimal: ",", thousands: "."}
  skip_where: [{column: parked, equals: "yes"}]
  columns:
    ProviderName: {value: OnPrem}
    ResourceId: {column: host, prefix: dc1-}
    x_vCPUs: cores
    x_MemoryGiB: {column: ram_mb, scale: 1/1024}
    x_LaunchedAt: {value: 2024-07-01}
  tags: {team: team}
""",
    )
    assert found["ResourceId"] == "dc1-h1"
    assert (found["x_vCPUs"], found["x_MemoryGiB"]) == (4, 16)
    assert found["Tags"] == {"team": "web"}
    assert found["x_LaunchedAt"] == datetime(2024, 7, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        ("resources: {columns: {ResourceId: hots}}", "names the column 'hots', which is not there"),
        ("resources: {columns: {ResourceId: hots}}", "the nearest is 'host'"),
        ("resources: {tags: {team: squad}}", "names the column 'squad'"),
        ("resources: {skip_where: [{column: off, equals: 1}]}", "names the column 'off'"),
        (
            "resources: {columns: {ResourceId: host, ProviderName: {file_name: 'x(.)'}}}",
            "the file's name does not match",
        ),
    ],
)
def test_a_mapping_that_does_not_fit_the_file(tmp_path: Path, mapping: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        resources(tmp_path, "host,ProviderName,ResourceId\nh1,OnPrem,h1\n", mapping)
    assert said in caught.value.what
    assert caught.value.where.startswith(str(tmp_path / "r.csv"))


# -- metrics ---------------------------------------------------------------------------------


def metrics(folder: Path, content: str, mapping: str | None = None) -> list[dict[str, Any]]:
    files = provider(mapping, folder, metrics=write(folder / "m.csv", content))
    found = samples(files)
    assert all(table.schema == schema.METRICS for table in files.metrics(None))
    return found


LONG = "ResourceId,Timestamp,MetricName,Value,PeriodSeconds,Statistic,x_Device\n"


def test_long_rows(tmp_path: Path) -> None:
    found = metrics(
        tmp_path,
        LONG
        + "i-1,2024-07-01T12:00:00Z,CPUUtilization,7,300,Average,\n"
        + "i-1,2024-07-01T12:00:00Z,x_queue,3,60,Maximum,gpu0\n"
        + "i-1,2024-07-01T12:05:00Z,cpu utilization,,300,,\n",
    )
    assert [
        (s["MetricName"], s["Value"], s["PeriodSeconds"], s["Statistic"], s["x_Device"])
        for s in found
    ] == [("cpu_utilization", 7, 300, "mean", None), ("x_queue", 3, 60, "max", "gpu0")]


def test_wide_rows(tmp_path: Path) -> None:
    found = metrics(
        tmp_path,
        "vm_id,time,CPU Utilization,memory_utilization_max,NetworkIn,note\n"
        "1,1719835200,7,80,,hello\n1,1719835500,-,81,12.5,NULL\n",
    )
    assert [
        (s["MetricName"], s["Statistic"], s["Timestamp"].minute, s["Value"]) for s in found
    ] == [
        ("cpu_utilization", "mean", 0, 7),
        ("memory_utilization", "max", 0, 80),
        ("memory_utilization", "max", 5, 81),
        ("network_in", "mean", 5, 12.5),
    ]
    assert {s["PeriodSeconds"] for s in found} == {300}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("ResourceId,Timestamp,Value\ni-1,1719835200,1\n", "no column MetricName"),
        ("ResourceId,Timestamp,cpu\ni-1,1719835200,1\n", "no column Value, and none named after a"),
        ("Resource,Timestamp,Value\ni-1,1719835200,1\n", "no column ResourceId"),
        ("ResourceId,Tme,Value\ni-1,1719835200,1\n", "no column Timestamp"),
        ("ResourceId,Tme,Value\ni-1,1719835200,1\n", "the nearest is 'Tme'"),
    ],
)
def test_what_a_metrics_file_needs(tmp_path: Path, content: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        metrics(tmp_path, content)
    assert said in caught.value.what
    assert caught.value.where == f"{tmp_path / 'm.csv'}:1"
    assert "--mapping" in caught.value.hint


def test_rows_and_values_that_cannot_be_used_are_told_by_line(tmp_path: Path) -> None:
    files = provider(
        metrics=write(
            tmp_path / "m.csv",
            LONG
            + "i-1,2024-07-01T12:00:00Z,cpu_utilization,7,300,mean,\n"
            + "i-1,yesterday,cpu_utilization,7,300,mean,\n"
            + ",2024-07-01T12:00:00Z,cpu_utilization,7,300,mean,\n"
            + "i-1,2024-07-01T12:00:00Z,cpu_utilization,7,300,p99,\n"
            + "i-1,2024-07-01T12:00:00Z,cpu_utilization,1e400,300,mean,\n"
            + 'i-1,2024-07-01T12:00:00Z,cpu_utilization,"1,5",300,mean,\n'
            + "i-1,2024-07-01T12:00:00Z,cpu_utilization,1e39,300,mean,\n"
            + "i-1,2024-07-01T12:00:00Z,cpu_utilization,9,0,mean,\n"
            + "i-2,2024-07-01T12:00:00Z,cpu_utilization,9,290,mean,\n",
        )
    )
    assert [s["Value"] for s in samples(files)] == [7, 9]
    assert samples(files)[1]["PeriodSeconds"] == 288  # within two percent
    assert problems(files, tmp_path) == [
        "m.csv:3: Timestamp 'yesterday' is not a time: row left out",
        "m.csv:4: ResourceId is missing: row left out",
        "m.csv:5: Statistic 'p99' is neither mean nor max: row left out",
        "m.csv:9: PeriodSeconds is not more than 0: row left out",
        "m.csv:6: Value '1e400' is not a number: taken as missing",
        "m.csv:10: PeriodSeconds '290' does not divide a day evenly: taken as 288",
    ]


def test_a_period_not_given_is_the_usual_spacing_of_its_series(tmp_path: Path) -> None:
    minutes = [f"a,{1719835200 + 60 * n},1\n" for n in range(10)]
    drifting = [f"b,{1719835200 + 300 * n + n % 3 - 1},1\n" for n in range(10)]
    gaps = [f"c,{1719835200 + 300 * n},1\n" for n in (0, 1, 2, 50, 51, 52, 53)]
    lone = ["d,1719835200,1\n"]
    rows = [*minutes, *drifting, *gaps, *lone]
    expected = {"a": 60, "b": 300, "c": 300, "d": 60}  # a lone sample: what is usual in the file
    for order in (rows, rows[::-1]):
        found = metrics(tmp_path, "ResourceId,Timestamp,cpu_utilization\n" + "".join(order))
        assert {s["ResourceId"]: s["PeriodSeconds"] for s in found} == expected


def test_a_fleet_too_wide_for_one_batch_still_tells_its_period(tmp_path: Path) -> None:
    count = 200_000  # more resources than a batch has rows: no series comes twice in one
    fleet = pa.array([f"i-{n}" for n in range(count)])
    times = [pa.repeat(1719835200 + 300 * step, count) for step in range(3)]
    table = pa.table(
        {
            "ResourceId": pa.concat_arrays([fleet] * 3),
            "Timestamp": pa.concat_arrays(times),
            "cpu_utilization": pa.repeat(1.0, 3 * count),
        }
    )
    pq.write_table(table, tmp_path / "m.parquet")
    found = pa.concat_tables(provider(metrics=tmp_path / "m.parquet").metrics(None))
    assert found.num_rows == 3 * count
    assert pc.unique(found.column("PeriodSeconds")).to_pylist() == [300]


def test_a_single_sample_does_not_tell_its_period(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="PeriodSeconds is not given, and a single sample does"):
        metrics(tmp_path, "ResourceId,Timestamp,cpu_utilization\na,1719835200,1\n")


def test_files_of_one_sample_each_go_by_what_is_known_of_the_series(tmp_path: Path) -> None:
    head = "ResourceId,Timestamp,cpu_utilization\n"
    rows = "".join(f"a,{1719835200 + 60 * n},1\n" for n in range(9))
    write(tmp_path / "d" / "1.csv", head + rows)
    write(tmp_path / "d" / "2.csv", head + f"a,{1719835200 + 600},1\n")
    found = samples(provider(metrics=tmp_path / "d"))
    assert [s["PeriodSeconds"] for s in found] == [60] * 10


@pytest.mark.parametrize(
    ("seconds", "grid"),
    [
        (300, 300),
        (299, 300),
        (303, 300),
        (57, 60),
        (60, 60),
        (1, 1),
        (3599, 3600),
        (100_000, 86400),
    ],
)
def test_periods_lie_on_a_grid_of_the_day(seconds: int, grid: int) -> None:
    assert on_grid(seconds) == grid


@given(st.integers(1, 200_000))
def test_every_period_divides_a_day(seconds: int) -> None:
    assert 86_400 % on_grid(seconds) == 0


def test_only_samples_that_start_inside_the_window(tmp_path: Path) -> None:
    rows = "".join(f"a,{1719835200 + 300 * n},{n}\n" for n in range(10))
    files = provider(
        metrics=write(tmp_path / "m.csv", "ResourceId,Timestamp,cpu_utilization\n" + rows)
    )
    window = Window(NOON.replace(minute=5), NOON.replace(minute=15))
    found = pa.concat_tables(files.metrics(window))
    assert sorted(found.column("Value").to_pylist()) == [1, 2]


def test_a_mapping_makes_one_wide_row_several_metrics(tmp_path: Path) -> None:
    found = metrics(
        tmp_path,
        "t;used_mhz;capacity_mhz;rx_kib;busy\n"
        "01.07.2024 14:00;500;2000;2;0,25\n"
        "01.07.2024 14:05;0;0;1;0,5\n"
        "01.07.2024 14:10;9;0;x;NULL\n",
        """
metrics:
  csv: {decimal: ","}
  columns:
    ResourceId: {file_name: '^(.)\\.csv$'}
    Timestamp: {column: t, format: "%d.%m.%Y %H:%M", zone: Europe/Amsterdam}
    PeriodSeconds: {value: 300}
  values:
    - {metric: cpu_utilization, column: used_mhz, over: capacity_mhz, scale: 100}
    - {metric: network_in, column: rx_kib, scale: 1024}
    - {metric: gpu_utilization, column: busy, scale: 100, statistic: max}
""",
    )
    assert [
        (s["MetricName"], s["Timestamp"].hour, s["Timestamp"].minute, s["Value"]) for s in found
    ] == [
        ("cpu_utilization", 12, 0, 25),  # over a capacity of 0: missing, not idle
        ("gpu_utilization", 12, 0, 25),
        ("gpu_utilization", 12, 5, 50),
        ("network_in", 12, 0, 2048),
        ("network_in", 12, 5, 1024),
    ]
    assert {s["ResourceId"] for s in found} == {"m"}


def test_rows_that_a_mapping_leaves_out(tmp_path: Path) -> None:
    content = "ResourceId,Timestamp,cpu_utilization,state\n" + "".join(
        f"a,{1719835200 + 300 * n},{n},{state}\n" for n, state in enumerate("xyzxy")
    )
    for condition, left in (
        ("{column: state, equals: x}", [1, 2, 4]),
        ("{column: cpu_utilization, equals: 0}", [1, 2, 3, 4]),
        ("{column: cpu_utilization, less_than: 2}", [2, 3, 4]),
        ("{column: cpu_utilization, greater_than: 2}", [0, 1, 2]),
        ("{column: state, missing: true}", [0, 1, 2, 3, 4]),
    ):
        found = metrics(tmp_path, content, f"metrics: {{skip_where: [{condition}]}}")
        assert [s["Value"] for s in found] == left, condition


def test_a_mapping_that_leaves_out_every_row_is_told(tmp_path: Path) -> None:
    files = provider(
        "metrics: {skip_where: [{column: Value, less_than: 9}]}",
        tmp_path,
        metrics=write(tmp_path / "m.csv", LONG + "i-1,2024-07-01T12:00:00Z,cpu,7,300,,\n"),
    )
    assert samples(files) == []
    assert problems(files, tmp_path) == ["m.csv:1: every row is left out by skip_where"]


def test_a_file_of_missing_values_is_told(tmp_path: Path) -> None:
    files = provider(metrics=write(tmp_path / "m.csv", LONG + "i-1,2024-07-01,cpu,,300,,\n"))
    assert samples(files) == []
    assert problems(files, tmp_path) == ["m.csv:1: no row has a value: all of them are missing"]


# -- resources out of metrics ----------------------------------------------------------------

DERIVE = """
metrics:
  columns: {ResourceId: vm, Timestamp: t, PeriodSeconds: {value: 3600}}
  values: [{metric: cpu_utilization, column: cpu}]
resources:
  from: metrics
  resized_by: [x_vCPUs]
  settle_hours: 3
  columns:
    ProviderName: {value: OnPrem}
    x_vCPUs: cores
    x_MemoryGiB: mem
"""


def derived(
    folder: Path, sizes: dict[str, list[tuple[int, int]]], reverse: bool = False
) -> list[tuple[str, float, float, int]]:
    """(id, vCPUs, GiB, hour since noon) of the resources derived from hourly samples."""
    rows = [
        f"{vm},{1719835200 + 3600 * hour},1,{cores},{mem}\n"
        for vm, hours in sizes.items()
        for hour, (cores, mem) in enumerate(hours)
    ]
    content = "vm,t,cpu,cores,mem\n" + "".join(rows[::-1] if reverse else rows)
    files = provider(DERIVE, folder, metrics=write(folder / "m.csv", content))
    found = files.resources().to_pylist()
    assert files.problems == []
    return [
        (
            row["ResourceId"],
            row["x_vCPUs"],
            row["x_MemoryGiB"],
            int((row["x_ObservedAt"] - NOON).total_seconds() // 3600),
        )
        for row in found
    ]


def test_resources_come_with_the_history_of_their_size(tmp_path: Path) -> None:
    sizes = {
        "steady": [(2, 8)] * 9,
        "grown": [(2, 8)] * 4 + [(4, 16)] * 5,
        "glitch": [(2, 8)] * 4 + [(1, 3)] + [(2, 8)] * 4,
        "balloon": [(2, 8), (2, 7), (2, 8), (2, 6), (2, 8)],
        "back": [(2, 8)] * 3 + [(4, 8)] * 3 + [(2, 8)] * 3,
        "brief": [(1, 1), (2, 8), (2, 8)],
    }
    expected = [
        ("back", 2, 8, 0),
        ("back", 4, 8, 3),
        ("back", 2, 8, 6),
        ("balloon", 2, 8, 0),
        ("brief", 2, 8, 0),
        ("glitch", 2, 8, 0),
        ("grown", 2, 8, 0),
        ("grown", 4, 16, 4),
        ("steady", 2, 8, 0),
    ]
    for reverse in (False, True):
        found = derived(tmp_path, sizes, reverse)
        assert sorted(found) == sorted(expected)


def test_resources_come_from_one_place_only(tmp_path: Path) -> None:
    path = write(tmp_path / "r.csv", "ProviderName,ResourceId\nAWS,a\n")
    with pytest.raises(InputError, match="takes resources from the metrics, and --resources") as c:
        provider(DERIVE, tmp_path, resources=path).resources()
    assert c.value.where == str(tmp_path / "map.yml")
    assert "leave out --resources" in c.value.hint


def test_a_mapping_for_metrics_does_no_harm_without_them(tmp_path: Path) -> None:
    path = write(tmp_path / "s.csv", "provider,instance_type,vcpus\nOnPrem,g1,1\n")
    files = provider(DERIVE, tmp_path, shapes=path)
    assert files.resources().num_rows == 0
    assert files.shapes().num_rows == 1


def test_a_measurement_is_no_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("costopt.providers.files.derive._MOST_RUNS", 100)
    with pytest.raises(InputError, match="one of them is a measurement, not a size"):
        derived(tmp_path, {"vm": [(2, n) for n in range(200)]})


# -- charges, prices, shapes -----------------------------------------------------------------


def focus_csv(*rows: dict[str, str]) -> str:
    lines = [",".join(SOUND)]
    for change in rows:
        fields = [str(value or "") for value in (SOUND | change).values()]
        lines.append(",".join('"' + field.replace('"', '""') + '"' for field in fields))
    return "\n".join(lines) + "\n"


def test_a_bill_in_parts_is_read_whole(tmp_path: Path) -> None:
    write(tmp_path / "b" / "1.csv", focus_csv({}, {"EffectiveCost": "0.1"}))
    write(tmp_path / "b" / "2.csv", focus_csv({"EffectiveCost": "0.2"}, {"EffectiveCost": ""}))
    files = provider(charges=tmp_path / "b")
    bill = pa.concat_tables(files.charges(None))
    assert bill.schema == schema.CHARGES
    assert sum(bill.column("EffectiveCost").to_pylist()) == Decimal("0.492")
    assert problems(files, tmp_path / "b") == [
        "2.csv: breaks 1 rule of FOCUS, EffectiveCost/not-null; costopt collect check-focus says "
        "where",
        "2.csv:3: EffectiveCost is missing: row left out",
    ]


def test_whole_billing_periods_that_touch_the_window(tmp_path: Path) -> None:
    october = {
        "BillingPeriodStart": "2024-10-01T00:00:00Z",
        "BillingPeriodEnd": "2024-11-01T00:00:00Z",
        "ChargePeriodStart": "2024-10-02T00:00:00Z",
        "ChargePeriodEnd": "2024-10-03T00:00:00Z",
        "ResourceId": "october",
    }
    path = write(tmp_path / "b.csv", focus_csv({}, october))
    for start, end, expected in (
        (datetime(2024, 10, 30, tzinfo=UTC), datetime(2024, 12, 1, tzinfo=UTC), ["october"]),
        (datetime(2024, 9, 1, tzinfo=UTC), datetime(2024, 9, 2, tzinfo=UTC), ["i-1"]),
        (datetime(2024, 9, 30, tzinfo=UTC), datetime(2024, 10, 2, tzinfo=UTC), ["i-1", "october"]),
    ):
        [bill] = provider(charges=path).charges(Window(start, end))
        assert bill.column("ResourceId").to_pylist() == expected


def test_a_mapped_bill_was_never_focus_and_is_not_checked(tmp_path: Path) -> None:
    files = provider(
        """
charges:
  columns:
    EffectiveCost: net
    BilledCost: net
    BillingCurrency: {value: EUR}
    ChargePeriodStart: {column: day, format: "%d.%m.%Y"}
    ChargePeriodEnd: {column: day, format: "%d.%m.%Y", plus: days, plus_seconds: 86400}
    ProviderName: {value: Hetzner}
""",
        tmp_path,
        charges=write(tmp_path / "b.csv", "day;net;server;days\n01.07.2024;1.23;s1;1\n"),
    )
    bill = pa.concat_tables(files.charges(None))
    [row] = bill.to_pylist(maps_as_pydicts="strict")
    assert row["EffectiveCost"] == row["BilledCost"] == Decimal("1.23")
    assert row["ChargePeriodEnd"] == datetime(2024, 7, 2, tzinfo=UTC)
    assert row["x_Attributes"] == {"server": "s1"}
    assert files.problems == []


def test_a_bill_without_its_cost_column(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no column EffectiveCost for the charges table"):
        list(
            provider(charges=write(tmp_path / "b.csv", "BilledCost,Currency\n1,USD\n")).charges(
                None
            )
        )


def test_prices_are_exact_and_never_nothing(tmp_path: Path) -> None:
    files = provider(
        prices=write(
            tmp_path / "p.csv",
            "provider,instance_type,price_per_hour,currency,category,valid_from\n"
            "OnPrem,g1,0.05,USD,,2024-07-01\n"
            "OnPrem,g2,0.1,USD,spot,\n"
            "OnPrem,g4,0,USD,,\n"
            "OnPrem,g8,-1,USD,,\n"
            "OnPrem,g16,free,USD,,\n",
        )
    )
    rows = files.prices().to_pylist()
    assert files.prices().schema == schema.PRICES
    assert [(r["x_InstanceType"], r["ListUnitPrice"], r["PricingCategory"]) for r in rows] == [
        ("g2", Decimal("0.1"), "Dynamic")
    ]
    assert problems(files, tmp_path)[0].startswith("p.csv:2: PricingCategory is missing")


def test_prices_default_to_on_demand(tmp_path: Path) -> None:
    content = (
        "provider,instance_type,price_per_hour,currency\nOnPrem,g1,0.05,USD\nOnPrem,g4,0,USD\n"
    )
    files = provider(prices=write(tmp_path / "p.csv", content))
    [row] = files.prices().to_pylist()
    assert (row["PricingCategory"], row["ListUnitPrice"]) == ("Standard", Decimal("0.05"))
    assert problems(files, tmp_path) == [
        "p.csv:3: ListUnitPrice '0.0' is not more than 0: row left out"
    ]


def test_a_currency_is_never_guessed(tmp_path: Path) -> None:
    content = "provider,instance_type,price_per_hour\nOnPrem,g1,0.05\n"
    with pytest.raises(InputError, match="no column PricingCurrency for the prices table"):
        provider(prices=write(tmp_path / "p.csv", content)).prices()


def test_shapes(tmp_path: Path) -> None:
    content = (
        "provider,instance_type,vcpus,memory_gib,gpu_count,current_generation,family\n"
        "OnPrem,g1,1,4,,true,g\nOnPrem,g2,2,8,1.5,no,g\nOnPrem,g0,0,8,1,,g\n"
    )
    files = provider(shapes=write(tmp_path / "s.csv", content))
    rows = files.shapes().to_pylist()
    assert files.shapes().schema == schema.SHAPES
    assert [(r["x_InstanceType"], r["x_vCPUs"], r["x_CurrentGeneration"]) for r in rows] == [
        ("g1", 1, True),
        ("g2", 2, False),
    ]
    assert problems(files, tmp_path) == [
        "s.csv:4: x_vCPUs '0.0' is not more than 0: row left out",
        "s.csv:3: x_GPUCount '1.5' is not a whole number: taken as missing",
    ]


# -- rates, exchange rates -------------------------------------------------------------------


def test_rates_of_ones_own(tmp_path: Path) -> None:
    content = (
        "provider,region,kind,price per GiB,currency,from_gb,valid_from,source\n"
        "AWS,eu-west-1,Egress Internet,0.05,USD,,2026-11-01,contract\n"
        "AWS,eu-west-1,egress_internet,0,USD,1000,,\n"
        "AWS,,disk,0.1,USD,,,\n"
        "AWS,,block-storage,-0.1,USD,,,\n"
        "AWS,,block-storage,0.1,USD,-5,,\n"
        "AWS,,block-storage,much,USD,,,\n"
    )
    files = provider(rates=write(tmp_path / "r.csv", content))
    rows = files.rates().to_pylist()
    assert files.rates().schema == schema.RATES
    assert [(r["RegionId"], r["x_RateKind"], r["ListUnitPrice"], r["x_FromGiB"]) for r in rows] == [
        ("eu-west-1", "egress-internet", Decimal("0.05"), 0),
        ("eu-west-1", "egress-internet", Decimal(0), 1000),  # 0 is included, not missing
    ]
    assert sorted(problems(files, tmp_path)) == [
        "r.csv:4: x_RateKind 'disk' is none of block-storage, egress-internet, egress-region, "
        "egress-zone: row left out",
        "r.csv:5: ListUnitPrice '-0.1' is below 0: row left out",
        "r.csv:6: x_FromGiB '-5.0' is below 0: row left out",
        "r.csv:7: ListUnitPrice 'much' is not an amount: row left out",
    ]


def test_rates_begin_at_nothing_where_no_column_says(tmp_path: Path) -> None:
    content = "ProviderName,x_RateKind,ListUnitPrice,PricingCurrency\nOnPrem,egress-zone,0,EUR\n"
    [row] = provider(rates=write(tmp_path / "r.csv", content)).rates().to_pylist()
    assert (row["x_FromGiB"], row["RegionId"]) == (0, None)


def test_exchange_rates_of_ones_own(tmp_path: Path) -> None:
    content = "from,to,rate,day\nEUR,USD,1.1,2026-11-01\nEUR,PLN,0,2026-11-01\nEUR,SEK,11,soon\n"
    files = provider(exchange=write(tmp_path / "x.csv", content))
    rows = files.exchange().to_pylist()
    assert files.exchange().schema == schema.EXCHANGE
    assert [(r["x_Currency"], r["x_ToCurrency"], r["x_Rate"]) for r in rows] == [
        ("EUR", "USD", Decimal("1.1"))
    ]
    assert sorted(problems(files, tmp_path)) == [
        "x.csv:3: x_Rate '0.0' is not more than 0: row left out",
        "x.csv:4: x_ValidFrom 'soon' is not a date: row left out",
    ]


def test_what_a_file_of_rates_lacks_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no column x_RateKind for the rates table"):
        provider(rates=write(tmp_path / "r.csv", "provider,price,currency\nAWS,1,USD\n")).rates()


def test_a_mapping_says_what_the_columns_of_rates_are(tmp_path: Path) -> None:
    mapping = """
    rates:
      columns:
        ProviderName: {value: AWS}
        x_RateKind: {value: egress-internet}
        ListUnitPrice: fee
        PricingCurrency: {value: USD}
    """
    files = provider(mapping, tmp_path, rates=write(tmp_path / "r.csv", "fee\n0.05\n"))
    [row] = files.rates().to_pylist()
    assert (row["ProviderName"], row["ListUnitPrice"]) == ("AWS", Decimal("0.05"))
