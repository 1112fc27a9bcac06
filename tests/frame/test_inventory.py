"""Resource observations: the present, the past, and since when a size holds."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa

from costopt import schema
from costopt.frame.inventory import present
from costopt.model import Resource

T0 = datetime(2026, 9, 1, tzinfo=UTC)
NOW = T0 + timedelta(days=60)


def seen(day: int | None, vcpus: float, **columns: object) -> dict[str, object]:
    observed = None if day is None else T0 + timedelta(days=day)
    row = {"ProviderName": "AWS", "ResourceId": "i-1", "x_vCPUs": vcpus, "x_ObservedAt": observed}
    return row | columns


def now(*rows: dict[str, object], as_of: datetime = NOW) -> dict[str, Resource]:
    return present(pa.Table.from_pylist(list(rows), schema=schema.RESOURCES), as_of, "UTC")


def test_the_latest_observation_is_the_present() -> None:
    machine = now(seen(9, 4), seen(None, 8))["i-1"]
    assert machine.vcpus == 4
    assert machine.resized_at == T0 + timedelta(days=9)


def test_a_change_of_tags_is_no_resize() -> None:
    tagged = {"Tags": [("team", "web")]}
    machine = now(seen(None, 8), seen(9, 4), seen(20, 4, **tagged))["i-1"]
    assert machine.resized_at == T0 + timedelta(days=9)
    assert machine.tags == {"team": "web"}
    assert now(seen(None, 4), seen(20, 4, **tagged))["i-1"].resized_at is None


def test_what_was_not_looked_up_is_no_other_size() -> None:
    typed = {"x_InstanceType": "m5.large"}
    bare, full = {**typed, "x_vCPUs": None}, {**typed, "x_MemoryGiB": 8.0}
    assert now(seen(None, 2, **bare), seen(9, 2, **full))["i-1"].resized_at is None
    assert now(seen(None, 2, **full), seen(9, 2, **bare))["i-1"].resized_at is None
    other = {**full, "x_InstanceType": "m5.xlarge"}
    assert now(seen(None, 2, **bare), seen(9, 2, **other))["i-1"].resized_at == (
        T0 + timedelta(days=9)
    )
    fewer = seen(9, 1, **full)  # of the same type, some of its vCPUs switched off
    assert now(seen(None, 2, **full), fewer)["i-1"].resized_at == T0 + timedelta(days=9)
    untyped = seen(9, 2, x_MemoryGiB=8.0)
    assert now(seen(None, 2), untyped)["i-1"].resized_at is None


def test_what_is_observed_later_is_not_known_yet() -> None:
    machine = now(seen(None, 8), seen(9, 4), as_of=T0 + timedelta(days=5))["i-1"]
    assert machine.vcpus == 8
    assert now(seen(9, 4), as_of=T0) == {}


def test_a_zone_that_does_not_exist_is_the_default() -> None:
    assert now(seen(None, 8, x_TimeZone="Mars/Olympus"))["i-1"].time_zone == "UTC"
    assert now(seen(None, 8, x_TimeZone="../../etc/passwd"))["i-1"].time_zone == "UTC"
    assert now(seen(None, 8, x_TimeZone="Asia/Kolkata"))["i-1"].time_zone == "Asia/Kolkata"


def test_order_of_rows_does_not_matter() -> None:
    rows = [seen(None, 8), seen(9, 4), seen(20, 2)]
    assert now(*rows) == now(*reversed(rows))


def test_a_first_known_type_is_no_other_size() -> None:
    """A file that names the machine's type later than others tell its size."""
    bare, typed = seen(None, 8, x_MemoryGiB=32.0), seen(9, 8, x_InstanceType="web", x_MemoryGiB=32)
    assert now(bare, typed)["i-1"].resized_at is None
    sized = seen(9, 8, x_InstanceType="web")
    assert now(seen(None, None, x_MemoryGiB=32.0), sized)["i-1"].resized_at is None  # type: ignore[arg-type]
    other = seen(9, 16, x_InstanceType="web")
    assert now(bare, other)["i-1"].resized_at == T0 + timedelta(days=9)


def test_of_what_is_measured_a_file_changes_nothing() -> None:
    def shows(vcpus: int) -> dict[str, object]:
        return {"x_Attributes": [("measured_vcpus", str(vcpus)), ("measured_memory_gib", "126")]}

    before = seen(None, 32, x_InstanceType="web", x_MemoryGiB=12.0, **shows(32))
    after = seen(9, 64, x_InstanceType="database", x_MemoryGiB=128.0, **shows(32))
    assert now(before, after)["i-1"].resized_at is None
    moved = seen(20, 64, x_InstanceType="database", x_MemoryGiB=128.0, **shows(64))
    assert now(before, after, moved)["i-1"].resized_at == T0 + timedelta(days=20)
