"""Week maps: one machine's, and groups' whose percentages are demand over capacity."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.errors import ConfigError, InputError
from costopt.model import Profile, Resource
from costopt.profile.heatmap import group_weeks, machine_week_map, week_of
from costopt.profile.week import LOCAL
from tests.profile.weeks import flat, fleet, office, profile_of

Fleet = tuple[dict[str, Resource], dict[str, tuple[Profile, ...]]]


def machines(**given: tuple[float | None, np.ndarray]) -> Fleet:
    """Machines of those vCPUs and weeks, by id."""
    resources = {
        name: Resource(name, "AWS", vcpus=vcpus, tags={"team": "core"})
        for name, (vcpus, _) in given.items()
    }
    return resources, {name: (profile_of(name, week),) for name, (_, week) in given.items()}


def test_one_machine() -> None:
    present = np.ones(168)
    present[30] = 0.25  # Tuesday 06:00: a quarter of the samples
    present[50] = 0.0
    profile = profile_of("i-1", office(80), present=present, zone="Europe/Berlin")
    week = week_of(profile, "web-1")
    assert week.label == "web-1"
    assert (week.unit, week.time_zone, week.machines) == ("%", "Europe/Berlin", 1)
    assert week.mean == pytest.approx(profile.mean)
    np.testing.assert_allclose(week.values.ravel()[:50], office(80)[:50])
    assert np.argwhere(week.thin).tolist() == [[1, 6]]
    assert np.argwhere(week.missing).tolist() == [[2, 2]]
    assert week.coverage[1, 6] == 0.25
    assert week.coverage[2, 2] == 0
    assert week.peak == (1, 11, pytest.approx(office(80).max()))


def test_the_peak_is_not_a_thin_hour() -> None:
    values, present = flat(10), np.ones(168)
    values[100], present[100] = 99, 0.1
    values[12] = 40
    assert week_of(profile_of("a", values, present=present)).peak == (0, 12, 40)
    assert week_of(profile_of("a", values, present=0.1)).peak == (4, 4, pytest.approx(99))


def test_the_threshold_of_thin_is_given() -> None:
    profile = profile_of("a", flat(1), present=0.5)
    assert not week_of(profile).thin.any()
    assert week_of(profile, thin_below=0.6).thin.all()


def test_a_machine_without_the_metric_has_no_map() -> None:
    resources, profiles = machines(a=(4, flat(10)))
    assert machine_week_map(resources["a"], profiles["a"], "memory_utilization") is None
    week = machine_week_map(resources["a"], profiles["a"], "cpu_utilization", "p95")
    assert week is not None
    assert week.mean == pytest.approx(13)


def test_a_group_is_demand_over_capacity() -> None:
    resources, profiles = machines(big=(30, flat(10)), small=(2, flat(90)))
    (week,) = group_weeks(resources, profiles, "tag:team", "cpu_utilization")
    assert (week.label, week.grouped_by, week.machines) == ("core", "tag:team", 2)
    assert (week.weight, week.capacity, week.left_out) == ("vCPUs", 32, 0)
    np.testing.assert_allclose(week.values, (30 * 10 + 2 * 90) / 32)
    assert week.mean == pytest.approx(15)


def test_a_machine_counts_only_in_hours_it_was_measured() -> None:
    resources, profiles = machines(day=(8, flat(50)), all=(8, flat(10)))
    present = np.ones(168)
    present[:12] = 0
    profiles["day"] = (profile_of("day", flat(50), present=present),)
    (week,) = group_weeks(resources, profiles, "fleet", "cpu_utilization")
    np.testing.assert_allclose(week.values.ravel()[:12], 10)
    np.testing.assert_allclose(week.values.ravel()[12:], 30)
    np.testing.assert_allclose(week.coverage.ravel()[:12], 0.5)


def test_an_hour_that_nobody_measured_is_missing() -> None:
    present = np.ones(168)
    present[100] = 0
    resources, profiles = machines(a=(8, flat(0)), b=(8, flat(0)))
    profiles = {name: (profile_of(name, flat(0), present=present),) for name in profiles}
    (week,) = group_weeks(resources, profiles, "fleet", "cpu_utilization")
    assert np.argwhere(week.missing).tolist() == [[4, 4]]
    assert np.nanmax(week.values) == 0


def test_a_machine_of_unknown_size_is_left_out_and_counted() -> None:
    resources, profiles = machines(known=(8, flat(20)), unknown=(None, flat(80)))
    (week,) = group_weeks(resources, profiles, "fleet", "cpu_utilization")
    assert (week.machines, week.left_out) == (1, 1)
    np.testing.assert_allclose(week.values, 20)


def test_where_no_size_is_known_all_count_the_same() -> None:
    resources, profiles = machines(a=(None, flat(20)), b=(None, flat(80)))
    (week,) = group_weeks(resources, profiles, "fleet", "cpu_utilization")
    assert (week.weight, week.machines, week.left_out) == ("machines", 2, 0)
    np.testing.assert_allclose(week.values, 50)


@pytest.mark.parametrize(
    ("metric", "weight", "value"),
    [
        ("memory_utilization", "GiB of memory", (64 * 10 + 16 * 50) / 80),
        ("gpu_utilization", "GPUs", (1 * 10 + 3 * 50) / 4),
        ("gpu_memory_utilization", "GiB of GPU memory", (80 * 10 + 120 * 50) / 200),
        ("network_in", "machines", 30),
        ("gpu_power", "machines", 30),
        ("disk_utilization", "machines", 30),
    ],
)
def test_every_metric_has_its_weight(metric: str, weight: str, value: float) -> None:
    resources = {
        "a": Resource("a", "AWS", memory_gib=64, gpu_count=1, gpu_memory_gib=80),
        "b": Resource("b", "AWS", memory_gib=16, gpu_count=3, gpu_memory_gib=40),
    }
    profiles = {
        "a": (profile_of("a", flat(10), metric_name=metric),),
        "b": (profile_of("b", flat(50), metric_name=metric),),
    }
    (week,) = group_weeks(resources, profiles, "fleet", metric)
    assert week.weight == weight
    np.testing.assert_allclose(week.values, value)


def test_groups_are_sorted_by_capacity_and_named() -> None:
    resources, profiles = machines(a=(4, flat(1)), b=(16, flat(1)), c=(2, flat(1)))
    resources["a"] = replace(resources["a"], tags={"team": "small"}, region_id="r1")
    resources["c"] = replace(resources["c"], tags={}, provider_name="Amazon Web Services")
    assert [w.label for w in group_weeks(resources, profiles, "tag:team", "cpu_utilization")] == [
        "core",
        "small",
        "no team",
    ]
    assert [w.label for w in group_weeks(resources, profiles, "region", "cpu_utilization")] == [
        "no region",
        "r1",
    ]
    assert [w.label for w in group_weeks(resources, profiles, "provider", "cpu_utilization")] == [
        "AWS"  # one provider under two spellings
    ]


@pytest.mark.parametrize("by", ["colour", "tag:", "tag", "region:x", ""])
def test_an_unknown_grouping_is_an_error(by: str) -> None:
    with pytest.raises(ConfigError, match="no grouping named"):
        group_weeks({}, {}, by, "cpu_utilization")


def test_local_clocks_differ_or_one_is_chosen() -> None:
    hours = np.arange(168.0)
    resources = {
        zone: Resource(zone, "AWS", vcpus=2, time_zone=zone)
        for zone in ("Europe/Berlin", "America/New_York")
    }
    profiles = {zone: (profile_of(zone, hours, zone=zone),) for zone in resources}
    (local,) = group_weeks(resources, profiles, "fleet", "cpu_utilization")
    assert (local.time_zone, local.moved) == (LOCAL, False)
    np.testing.assert_allclose(local.values.ravel(), hours)
    (utc,) = group_weeks(resources, profiles, "fleet", "cpu_utilization", time_zone="UTC")
    assert (utc.time_zone, utc.moved) == ("UTC", True)
    # Berlin is two hours ahead of UTC then, New York four behind.
    np.testing.assert_allclose(utc.values.ravel()[4:160], hours[4:160] + (2 - 4) / 2)
    (berlin,) = group_weeks(
        {"Europe/Berlin": resources["Europe/Berlin"]},
        profiles,
        "fleet",
        "cpu_utilization",
        time_zone="Europe/Berlin",
    )
    assert not berlin.moved


def test_an_unknown_time_zone_is_an_error() -> None:
    resources, profiles = machines(a=(4, flat(1)))
    with pytest.raises(InputError, match="Nowhere"):
        group_weeks(resources, profiles, "fleet", "cpu_utilization", time_zone="Nowhere")


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 12))
def test_order_does_not_matter_and_values_stay_between_the_machines(seed: int, count: int) -> None:
    resources, profiles = fleet(count, seed)
    weeks = group_weeks(resources, profiles, "fleet", "cpu_utilization")
    backwards = group_weeks(
        dict(reversed(resources.items())),
        dict(reversed(profiles.items())),
        "fleet",
        "cpu_utilization",
    )
    np.testing.assert_array_equal(weeks[0].values, backwards[0].values)
    single = np.array([profiles[name][0].week_mean for name in resources])
    there = ~np.isnan(single).all(axis=0)
    assert np.array_equal(there, ~weeks[0].missing.ravel())
    values = weeks[0].values.ravel()[there]
    assert (values <= np.nanmax(single[:, there], axis=0) + 1e-9).all()
    assert (values >= np.nanmin(single[:, there], axis=0) - 1e-9).all()
    assert (weeks[0].coverage <= 1).all()
