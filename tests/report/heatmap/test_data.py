"""Heatmaps as JSON and CSV."""

import csv
import io
import json

import numpy as np
import pytest

from costopt.profile.heatmap import group_weeks, overview
from costopt.report.heatmap import overview_csv, overview_json, weeks_csv, weeks_json
from tests.profile.weeks import fleet
from tests.report.heatmap.pictures import CPU, hostile_overview, hostile_weeks, patchy_week


def test_json_of_weeks() -> None:
    week = patchy_week()
    document = json.loads(weeks_json([week]))
    assert document["schema_version"] == 1
    (one,) = document["maps"]
    assert (one["label"], one["grouped_by"], one["unit"]) == ("web-1", None, "%")
    assert (one["time_zone"], one["moved_from_local_clocks"]) == ("Europe/Berlin", False)
    assert (one["metric_name"], one["statistic"]) == (CPU, "mean")
    assert one["mean"] == pytest.approx(week.mean, abs=1e-4)
    assert one["peak"] == {"day": "Tue", "hour": 11, "value": 80.0}
    assert (len(one["values"]), {len(row) for row in one["values"]}) == (7, {24})
    assert one["values"][4][4:7] == [None, None, None]
    assert one["coverage"][4][4:7] == [0, 0, 0]
    values = np.array(one["values"], float)
    np.testing.assert_allclose(values, week.values, atol=1e-4)


def test_json_of_groups_with_their_own_clocks() -> None:
    weeks = group_weeks(*fleet(20), "tag:team", CPU)
    maps = json.loads(weeks_json(weeks))["maps"]
    assert [one["label"] for one in maps] == [week.label for week in weeks]
    assert maps[0]["time_zone"] is None
    assert maps[0]["weight"] == "vCPUs"
    assert maps[0]["grouped_by"] == "tag:team"


def test_json_of_the_overview() -> None:
    resources, profiles = fleet(20)
    document = json.loads(overview_json(overview(resources, profiles, CPU)))
    assert document["machines"] == len(document["rows"]) == 20
    assert {row["resource_ids"][0] for row in document["rows"]} == set(resources)
    assert {len(row["values"]) for row in document["rows"]} == {168}
    assert {row["groups"]["provider"] for row in document["rows"]} <= {
        "AWS",
        "GCP",
        "Azure",
        "OnPrem",
    }
    assert sum(cluster["rows"] for cluster in document["clusters"]) == 20


def test_no_name_can_fool_a_screen() -> None:
    for data in (weeks_json(hostile_weeks()), overview_json(hostile_overview(14))):
        assert data.decode("ascii").count("\n") == 1
        assert not any(byte < 32 and byte != 10 for byte in data)
        json.loads(data)


def read(data: bytes) -> list[dict[str, str]]:
    assert data.count(b"\r\n") == data.count(b"\n")
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def test_csv_of_weeks() -> None:
    lines = read(weeks_csv([patchy_week()]))
    assert len(lines) == 168
    assert list(lines[0]) == ["group", "day", "hour", "value", "coverage"]
    assert (lines[0]["group"], lines[0]["day"], lines[0]["hour"]) == ("web-1", "1", "0")
    assert (lines[100]["value"], lines[100]["coverage"]) == ("", "0.0")
    assert float(lines[40]["coverage"]) == pytest.approx(0.3, abs=0.02)
    assert (lines[167]["day"], lines[167]["hour"]) == ("7", "23")


def test_csv_of_the_overview_names_resources() -> None:
    resources, profiles = fleet(6)
    lines = read(overview_csv(overview(resources, profiles, CPU)))
    assert len(lines) == 6 * 168
    assert {line["group"] for line in lines} == set(resources)


def test_csv_is_safe_from_formulas() -> None:
    lines = read(weeks_csv(hostile_weeks()))
    assert "'=HYPERLINK(1)" in {line["group"] for line in lines}
    assert not any(line["group"].startswith(("=", "+", "-", "@")) for line in lines)
