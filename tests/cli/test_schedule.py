"""`costopt schedule` on machines and a group with weeks of their own, in a real lake."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jsonschema
import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner, Result

from costopt import pipeline, schema
from costopt.cli.recommend import recommend
from costopt.cli.schedule import schedule
from costopt.errors import ConfigError, InsufficientData
from costopt.lake.packed import compact
from costopt.lake.store import Lake
from costopt.model.week import WEEKDAYS, WeekPlan
from costopt.pipeline import Analysis
from costopt.report.artefacts.schedules import forms
from costopt.report.json import schema as json_schema
from tests.report import builders
from tests.report.artefacts.schedules import plans, readers

END = datetime(2026, 8, 24, tzinfo=UTC)  # a Monday, before the moments of `plans`
WEEKS, PERIOD = 5, 900
SAMPLES = WEEKS * 7 * 96
ZONE = "Europe/Amsterdam"
OFFICE, CLOCKLESS, BUSY = (f"i-0123456789abcdef{n}" for n in range(3))
MEMBERS = tuple(f"i-0fedcba98765432{n:02}" for n in range(4))
GROUP = "web-asg"


def _resource(resource_id: str, name: str, group: str | None = None) -> dict[str, Any]:
    return {
        "ProviderName": "AWS", "ResourceId": resource_id, "ResourceName": name,
        "SubAccountId": "123456789012", "RegionId": "eu-west-1", "x_InstanceType": "m9.test",
        "x_vCPUs": 4.0, "x_MemoryGiB": 16.0, "x_State": "running", "x_TimeZone": ZONE,
        "x_ScalingGroup": group, "Tags": {"team": "web" if group else "dev"},
    }  # fmt: skip


RESOURCES = [
    _resource(OFFICE, "ci-runner"),
    _resource(CLOCKLESS, "batch"),
    _resource(BUSY, "busy"),
    *(_resource(one, f"web-{n}", GROUP) for n, one in enumerate(MEMBERS)),
]


def _local_hours() -> np.ndarray:
    """(samples, 2): weekday and hour of each sample on the machines' clock."""
    start = END - timedelta(seconds=PERIOD * SAMPLES)
    moments = (
        (start + timedelta(seconds=PERIOD * n)).astimezone(ZoneInfo(ZONE)) for n in range(SAMPLES)
    )
    return np.array([(at.weekday(), at.hour) for at in moments])


def _cpu() -> dict[str, np.ndarray]:
    """Percent: an office's machine, one with no habit, a busy one, a group busy by day."""
    rng = np.random.default_rng(7)
    day, hour = _local_hours().T
    office = (day < 5) & (hour >= 8) & (hour < 18)
    week = np.arange(SAMPLES) // 672
    odd = (day == week) | (day == (3 * week + 2) % 7)  # two days, other ones each week
    noise = rng.uniform(0, 0.4, SAMPLES)
    web = np.where((hour >= 8) & (hour < 20), 45.0, 12.0)
    return {
        OFFICE: np.where(office, 40.0, 0.5) + noise,
        CLOCKLESS: np.where(odd, 40.0, 0.5) + noise,
        BUSY: 60 + 20 * noise,
        **dict.fromkeys(MEMBERS, web + noise),
    }


def _samples(resource_id: str, metric: str, values: np.ndarray) -> pa.Table:
    start = END - timedelta(seconds=PERIOD * SAMPLES)
    return pa.Table.from_pydict(
        {
            "ResourceId": [resource_id] * SAMPLES,
            "MetricName": [metric] * SAMPLES,
            "Statistic": ["mean"] * SAMPLES,
            "Timestamp": [start + timedelta(seconds=PERIOD * n) for n in range(SAMPLES)],
            "PeriodSeconds": [PERIOD] * SAMPLES,
            "Value": values.astype(np.float32),
            "x_Device": [None] * SAMPLES,
        },
        schema=schema.METRICS,
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    lake = Lake(folder / "lake")
    rows = [{name: row.get(name) for name in schema.RESOURCES.names} for row in RESOURCES]
    lake.append("resources", pa.Table.from_pylist(rows, schema=schema.RESOURCES))
    own = {"ProviderName": "AWS", "x_InstanceType": "m9.test"}
    shape = own | {"x_vCPUs": 4, "x_MemoryGiB": 16.0}
    price = own | {
        "PricingCategory": "Standard", "ListUnitPrice": Decimal("0.2"), "PricingCurrency": "USD",
    }  # fmt: skip
    lake.append("shapes", pa.Table.from_pylist([shape], schema=schema.SHAPES))
    lake.append("prices", pa.Table.from_pylist([price], schema=schema.PRICES))
    tables = []
    for resource_id, used in _cpu().items():
        tables.append(_samples(resource_id, "cpu_utilization", used))
        traffic = used * 1000
        tables += [_samples(resource_id, f"network_{way}", traffic) for way in ("in", "out")]
    lake.append_metrics("files", tables)
    compact(lake)
    return folder


def _run(home: Path, *args: str) -> Result:
    return CliRunner().invoke(schedule, ["--home", str(home), *args])


def _json(home: Path, *args: str) -> dict[str, Any]:
    result = _run(home, "--format", "json", *args)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    jsonschema.validate(found, json.loads(json_schema()))
    assert isinstance(found, dict)
    return found


def _flat(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return " ".join(result.stdout.split())


@pytest.fixture(scope="module")
def weeks(home: Path) -> dict[str, WeekPlan]:
    """Each advised week, as its JSON tells it."""
    told = {one["resource_id"]: one["schedule"] for one in _json(home)["recommendations"]}
    return {id_: WeekPlan(one["time_zone"], tuple(one["levels"])) for id_, one in told.items()}


def test_the_machine_and_the_group_with_a_week_have_schedules(home: Path) -> None:
    """08:00 to 18:00, half an hour each side, half an hour to start: 57.5 h of 168. The group's
    45.2 % of 4 x 4 vCPUs by day need 3.02 of 2.4, so 4; 12.4 % by night the 2 that are left."""
    found = _json(home)
    by_id = {one["resource_id"]: one for one in found["recommendations"]}
    assert by_id.keys() == {OFFICE, GROUP}
    machine, group = by_id[OFFICE], by_id[GROUP]
    assert machine["schedule"]["runs"] == "Mon-Fri 07:00-18:30"
    assert (machine["schedule"]["time_zone"], machine["replicas"]) == (ZONE, None)
    saved = machine["estimated_monthly_savings"]["target"]
    assert saved == pytest.approx(146 * (1 - 57.5 / 168), abs=0.01)
    assert group["replicas"] == 4
    assert group["schedule"]["runs"] == "daily 2 until 07:00, 4 until 20:30, then 2"
    assert {skip["reason"] for skip in found["skips"]} >= {"no-habit"}
    assert found["summary"]["monthly_spend"] == 7 * 146


def test_the_changes_say_the_same_as_the_levels(home: Path) -> None:
    for one in _json(home)["recommendations"]:
        told = one["schedule"]
        level, rebuilt = told["changes"][-1]["level"], []
        starts = {
            WEEKDAYS.index(c["weekday"]) * 48 + int(c["time"][:2]) * 2 + int(c["time"][3:]) // 30: c
            for c in told["changes"]
        }
        for slot in range(336):
            level = starts[slot]["level"] if slot in starts else level
            rebuilt.append(level)
        assert rebuilt == told["levels"]


def test_recommend_tells_the_same(home: Path) -> None:
    args = ["--home", str(home), "--rule", "schedule", "--format", "json"]
    assert CliRunner().invoke(recommend, args).stdout == _run(home, "--format", "json").stdout


def test_the_table_and_its_next_steps(home: Path) -> None:
    result = _run(home)
    page = _flat(result)
    assert "\x1b" not in result.stdout
    assert "Mon-Fri 07:00-18:30 (Europe/Amsterdam)" in page
    assert "ci-runner 110.5 h" in page
    assert f"costopt schedule --home {home} --explain" in page


def test_skips_are_listed(home: Path) -> None:
    page = _flat(_run(home, "--skips"))
    assert "no-habit" in page
    assert CLOCKLESS in page


def test_csv_and_markdown(home: Path, tmp_path: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(_run(home, "--format", "csv").stdout, newline="")))
    assert {row["schedule_runs"] for row in rows} >= {"Mon-Fri 07:00-18:30"}
    target = tmp_path / "advice.md"
    assert _run(home, "-o", str(target)).exit_code == 0
    assert f"`ci-runner` (`{OFFICE}`)" in target.read_text()


def test_only_what_was_named_or_chosen(home: Path) -> None:
    assert [one["resource_id"] for one in _json(home, "CI-runner")["recommendations"]] == [OFFICE]
    both = _json(home, OFFICE, GROUP)
    assert (both["summary"]["resources"], len(both["recommendations"])) == (2, 2)
    found = _json(home, "--tag", "team=web")
    assert [one["resource_id"] for one in found["recommendations"]] == [GROUP]
    assert found["summary"]["monthly_spend"] == 4 * 146  # the members', once


def test_settings_are_of_the_project(home: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('[rules.schedule]\nholidays = "NL"\nexclude = ["web-"]\n')
    found = _json(home, "--config", str(own))
    (machine,) = found["recommendations"]
    days = {one["date"]: one for one in machine["schedule"]["days"]}
    assert days["2026-12-25"] == {
        "date": "2026-12-25", "reason": "Christmas Day", "levels": [0] * 48
    }  # fmt: skip
    assert "excluded" in found["summary"]["skips"]
    result = _run(home, "--config", str(own), "--explain", "ci-runner")
    assert "25 Dec 2026 Christmas Day" in _flat(result)


@pytest.mark.parametrize("wanted", ["ci-runner", GROUP, "batch", "busy"])
def test_everything_with_samples_has_a_story(home: Path, wanted: str) -> None:
    page = _flat(_run(home, "--explain", wanted))
    assert "The week" in page
    assert "Held-out weeks" in page


def test_a_member_has_no_week_of_its_own(home: Path) -> None:
    error = _run(home, "--explain", "web-1").exception
    assert isinstance(error, InsufficientData)
    assert "scaling group web-asg is planned as a whole" in str(error)


# -- pictures --------------------------------------------------------------------------------


def test_pictures_of_one_and_of_all(home: Path, tmp_path: Path) -> None:
    one, every = tmp_path / "one.png", tmp_path / "all.SVG"
    result = _run(home, "ci-runner", "-o", str(one))
    assert (result.exit_code, result.stdout) == (0, "")
    assert one.read_bytes().startswith(b"\x89PNG")
    page = _flat(_run(home, "--picture", str(every)))
    assert "Mon-Fri 07:00-18:30" in page  # the table stays
    svg = every.read_text()
    assert "ci-runner" in svg
    for one in _json(home)["recommendations"]:  # the money is the table's
        assert f"{one['estimated_monthly_savings']['target']:,.2f} USD a month saved" in svg
    assert GROUP in svg


def test_a_machine_without_a_schedule_is_drawn_as_refused(home: Path) -> None:
    result = _run(home, "batch", "--format", "svg")
    assert "not advised: its weeks are not alike" in result.stdout


def test_nothing_advised_is_nothing_to_draw(home: Path, tmp_path: Path) -> None:
    args = ("--min-monthly-savings", "9999", "-o", str(tmp_path / "x.png"))
    assert isinstance(_run(home, *args).exception, InsufficientData)
    assert not (tmp_path / "x.png").exists()


def test_the_picture_opens_in_a_real_browser(
    home: Path, tmp_path: Path, opened: Callable[[Path], np.ndarray]
) -> None:
    picture = tmp_path / "week.svg"
    assert _run(home, "ci-runner", GROUP, "-o", str(picture)).exit_code == 0
    pixels = opened(picture)
    colours = {tuple(pixel) for row in pixels[::7, ::7] for pixel in row.round(2)}
    assert len(colours) > 20
    blue = np.abs(pixels[:, :, :3] - np.array([0, 0x77, 0xBB]) / 255).max(axis=2) < 0.02
    assert blue.sum() > 500  # the line of the plan


# -- files to deploy -------------------------------------------------------------------------


def _files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


@pytest.mark.parametrize(
    ("form", "resource", "read"),
    [
        ("eventbridge", OFFICE, readers.eventbridge),
        ("aws-autoscaling", GROUP, readers.aws_autoscaling),
        ("crontab", OFFICE, readers.crontab),
        ("instance-scheduler", OFFICE, readers.instance_scheduler),
        ("terraform", OFFICE, readers.terraform),
    ],
)
def test_what_is_emitted_reads_back_as_the_week(
    home: Path,
    tmp_path: Path,
    weeks: dict[str, WeekPlan],
    form: str,
    resource: str,
    read: Callable[..., list[int]],
) -> None:
    folder = tmp_path / "to deploy"
    result = _run(home, resource, "--emit", form, "-o", str(folder))
    assert (result.exit_code, result.stdout) == (0, ""), result.output
    assert "deploy: " in result.stderr
    assert "tell the users of a machine how to start it" in result.stderr
    plan = weeks[resource]
    levels, wanted = read(_files(folder), ZONE), plans.wanted(plan)
    assert [levels[n] for n in plans.settled(ZONE)] == [wanted[n] for n in plans.settled(ZONE)]


def test_what_a_form_leaves_out_is_told(home: Path, tmp_path: Path) -> None:
    result = _run(home, "--emit", "keda", "-o", str(tmp_path / "k"))
    assert result.exit_code == 0
    assert "nothing to write: no schedules for these recommendations" in result.stderr
    assert "2 schedules not written, since keda is not for these resources" in result.stderr
    assert not (tmp_path / "k").exists()


def test_each_in_its_own_form_from_both_commands(home: Path, tmp_path: Path) -> None:
    assert _run(home, "--emit", "own", "-o", str(tmp_path / "a")).exit_code == 0
    args = ["--home", str(home), "--rule", "schedule", "--emit", "schedules"]
    assert CliRunner().invoke(recommend, [*args, "-o", str(tmp_path / "b")]).exit_code == 0
    files = _files(tmp_path / "a")
    assert files == _files(tmp_path / "b")
    assert any("autoscaling" in name for name in files)
    assert any("eventbridge" in name for name in files)


@pytest.mark.parametrize("form", forms.FORMS)
def test_every_form_can_be_emitted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, form: str
) -> None:
    office = plans.week(plans.OFFICE)
    rows = [plans.row(kind, office) for kind in plans.PLACES]
    report = plans.report(*rows)
    found = Analysis(builders.WINDOW, report.as_of, {}, {}, {}, {}, {}, report)
    monkeypatch.setattr(pipeline, "analyse", lambda *_: found)
    result = _run(tmp_path / "none", "--emit", form, "-o", str(tmp_path / "x"))
    assert result.exit_code == 0, result.output
    made = forms.artefacts(report, form=form)
    assert made
    assert _files(tmp_path / "x") == {one.path: one.data for one in made}
    for line in forms.left_out(report, form=form):
        assert line in result.stderr


# -- what does not go together ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--emit", "eventbridge"), "add --output DIR"),
        (("--emit", "eventbridge", "-o", "DIR", "--format", "json"), "leave --format away"),
        (("--emit", "eventbridge", "-o", "DIR", "--picture", "x.png"), "leave --picture away"),
        (("--emit", "eventbridge", "-o", "FILE"), "is not a folder"),
        (("--emit", "sundial", "-o", "DIR"), "'sundial' is not"),
        (("-o", "x.pdf"), ".pdf is no format here"),
        (("--picture", "x.gif"), "neither in .png nor in .svg"),
        (("--format", "csv", "--skips"), "--skips lists them in the table"),
        (("--explain", "ci-runner", "--format", "json"), "leave --format away"),
        (("batch", "--explain", "ci-runner"), "--explain tells of one resource"),
        (("--tag", "team=web", "--explain", "ci-runner"), "--explain tells of one resource"),
        (("--tag", "web"), "is not key=value"),
        (("--min-monthly-savings", "nan"), "nan is no number to go by"),
    ],
)
def test_usage_errors(home: Path, tmp_path: Path, args: tuple[str, ...], said: str) -> None:
    (tmp_path / "FILE").write_text("mine")
    (tmp_path / "DIR").mkdir()
    given = [str(tmp_path / one) if one in ("FILE", "DIR") else one for one in args]
    result = _run(home, *given)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())


def test_unknown_names_and_empty_lakes(home: Path, tmp_path: Path) -> None:
    error = _run(home, "ci-runer").exception
    assert isinstance(error, ConfigError)
    assert "did you mean ci-runner?" in str(error)
    assert isinstance(_run(home, "--provider", "GCP").exception, ConfigError)
    assert isinstance(_run(tmp_path).exception, InsufficientData)
    bad = tmp_path / "bad.toml"
    bad.write_text('[rules.schedule]\nholidays = "Atlantis"\n')
    assert isinstance(_run(home, "--config", str(bad)).exception, ConfigError)
    bad.write_text("[rules.schedule]\nslot_minutes = 7\n")
    assert isinstance(_run(home, "--config", str(bad)).exception, ConfigError)


def test_the_schema_is_that_of_recommend() -> None:
    assert CliRunner().invoke(schedule, ["--schema"]).stdout_bytes == json_schema()
