"""The fleet overview: every machine once, look-alikes together, the same whatever the order."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from costopt.errors import ConfigError, InsufficientData
from costopt.model import Resource
from costopt.profile.heatmap import overview
from costopt.profile.week import LOCAL
from tests.profile.weeks import flat, fleet, profile_of

CPU = "cpu_utilization"


@pytest.mark.parametrize("count", [1, 2, 5, 40, 120])
def test_every_machine_is_one_row(count: int) -> None:
    resources, profiles = fleet(count)
    picture = overview(resources, profiles, CPU)
    assert picture.machines == count
    assert sorted(ids[0] for ids in picture.ids) == sorted(resources)
    assert picture.values.shape == (count, 168)
    for row, (resource_id,) in enumerate(picture.ids):
        resource, (profile,) = resources[resource_id], profiles[resource_id]
        assert picture.labels[row] == resource.resource_name
        np.testing.assert_allclose(picture.values[row], profile.week_mean)
        assert picture.means[row] == pytest.approx(profile.mean)
        assert picture.strips[0].values[row] == resource.provider_name
        assert picture.strips[1].values[row] == resource.tags.get("team", "no team")


def test_kinds_stand_together() -> None:
    resources, profiles = fleet(120)
    picture = overview(resources, profiles, CPU)
    kinds = [label.split("-")[0] for label in picture.labels]
    changes = sum(one != other for one, other in pairwise(kinds))
    assert changes <= 7  # six kinds, and dev machines that are stopped or not
    rhythms = {cluster.rhythm for cluster in picture.clusters}
    assert {"steady", "weekdays 09-18 h", "daily 18-24 h"} <= rhythms


def test_clusters_tile_the_rows() -> None:
    picture = overview(*fleet(120), CPU)
    edges = [0, *(cluster.stop for cluster in picture.clusters)]
    assert [cluster.start for cluster in picture.clusters] == edges[:-1]
    assert edges[-1] == len(picture.values)
    assert sum(cluster.machines for cluster in picture.clusters) == picture.machines


def test_many_machines_share_rows() -> None:
    resources, profiles = fleet(900)
    picture = overview(resources, profiles, CPU, max_rows=100)
    assert len(picture.values) <= 108  # a row at least for each of eight clusters
    assert picture.machines == 900
    counted = Counter(name for ids in picture.ids for name in ids)
    assert set(counted) == set(resources)
    assert set(counted.values()) == {1}
    sizes = [len(ids) for ids in picture.ids]
    assert max(sizes) <= 2 * 9
    row = sizes.index(max(sizes))
    weeks = np.array([profiles[name][0].week_mean for name in picture.ids[row]])
    hours = np.array([profiles[name][0].week_count for name in picture.ids[row]])
    np.testing.assert_allclose(
        picture.values[row], np.nansum(weeks * hours, axis=0) / hours.sum(axis=0)
    )
    assert picture.labels[row] == ""


def test_the_order_of_the_input_does_not_matter() -> None:
    resources, profiles = fleet(60)
    one = overview(resources, profiles, CPU)
    other = overview(dict(reversed(resources.items())), dict(reversed(profiles.items())), CPU)
    assert one.ids == other.ids
    np.testing.assert_array_equal(one.values, other.values)


def test_missing_hours_stay_missing() -> None:
    present = np.ones(168)
    present[10:20] = 0
    present[30] = 0.3
    resources = {"a": Resource("a", "AWS"), "b": Resource("b", "AWS")}
    profiles = {name: (profile_of(name, flat(0), present=present),) for name in resources}
    picture = overview(resources, profiles, CPU)
    assert picture.missing[:, 10:20].all()
    assert picture.missing.sum() == 20
    assert np.argwhere(picture.thin).tolist() == [[0, 30], [1, 30]]


def test_clocks() -> None:
    resources, profiles = fleet(20)
    assert overview(resources, profiles, CPU).time_zone == LOCAL
    moved = overview(resources, profiles, CPU, time_zone="Asia/Kolkata")
    assert (moved.time_zone, moved.moved) == ("Asia/Kolkata", True)


def test_nothing_measured_is_an_error() -> None:
    resources, profiles = fleet(3)
    with pytest.raises(InsufficientData, match="request_rate"):
        overview(resources, profiles, "request_rate")
    with pytest.raises(ConfigError):
        overview(resources, profiles, CPU, by="colour")


def test_one_strip_where_both_would_show_the_same() -> None:
    picture = overview(*fleet(5), CPU, by="provider")
    assert [strip.name for strip in picture.strips] == ["provider"]
