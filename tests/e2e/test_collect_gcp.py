"""A folder of Google Cloud projects, collected, looked at and advised on by the command line."""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from costopt.lake import packed
from costopt.lake.store import Lake
from tests.e2e.conftest import Leave, Left
from tests.fakes import gcp_cloud, gcp_monitoring
from tests.fakes.gcp_monitoring import Measured, Monitoring
from tests.fakes.gcp_rest import Answer, Call, error

NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
UNTIL = ("--until", NOW.isoformat(), "--max-attempts", "8")
FOLDER = ("--folder", "111", *UNTIL)
SHOP = ("--project", "shop-prod-1", "--days", "1", *UNTIL)
SECRETS = ("ya29.PLANTEDaccess-token_0123456789", "AIzaPLANTED-key_0123456789abcdefghijklm")
CORE, GIB = 0.03, 0.004  # dollars an hour, of T2D
BURDEN = {"idle": 0.05, "large": 0.2, "busy": 0.95, "lab": 0.05}
"""What of the most that the fake would measure each machine uses."""


@dataclass
class Google:
    """What a test sees of it."""

    cloud: gcp_cloud.Cloud
    monitoring: Monitoring
    ids: dict[str, str] = field(default_factory=dict)  # ResourceIds by name

    def ordinary(self) -> None:
        """Nothing refused, nothing cut."""
        self.cloud.rest.rules.clear()
        self.cloud.rest.calls.clear()
        self.cloud.advice.items.clear()
        self.cloud.page = 500
        self.cloud.catalogue.page = 5000
        plain = Monitoring(NOW, self.monitoring.series, value=self.monitoring.value)
        vars(self.monitoring).update(vars(plain))

    def read(self) -> int:
        """Calls that are billed."""
        return sum(one.method == "ListTimeSeries" for one in self.monitoring.asked)


@pytest.fixture(scope="module")
def whole() -> Iterator[Google]:
    """Four projects of a folder: three machines in one, one in each of two, nothing in the last."""
    with gcp_cloud.cloud() as made, pytest.MonkeyPatch.context() as patch:
        above = made.folder("111", "organizations/1")
        burdens: dict[str, float] = {}
        google = Google(made, Monitoring(NOW, value=lambda s, n: _measured(burdens, s, n)))
        where = {
            "shop-prod-1": ("idle", "large", "busy"),
            "lab-test-1": ("lab",),
            "shut-prod-1": ("shut",),
            "bare-prod-1": (),
        }
        for project_id, names in where.items():
            project = made.project(project_id, parent=above)
            for name in names:
                machine = project.instance(name, machine_type="t2d-standard-8")
                burdens[machine["id"]] = BURDEN.get(name, 1)
                google.monitoring.series += _series(project_id, machine["id"])
                zone = f"//compute.googleapis.com/projects/{project_id}/zones/{gcp_cloud.ZONE}"
                google.ids[name] = f"{zone}/instances/{name}"
        region = gcp_cloud.ZONE.rpartition("-")[0]
        made.catalogue.add("T2D AMD Instance Core running in Belgium", str(CORE), region)
        made.catalogue.add("T2D AMD Instance Ram running in Belgium", str(GIB), region)
        with gcp_monitoring.served(google.monitoring) as url:
            patch.setenv("CLOUDSDK_API_ENDPOINT_OVERRIDES_MONITORING", url)
            yield google


def _series(project_id: str, instance: str) -> list[Measured]:
    """All but file systems, which nothing is decided by."""
    every = gcp_monitoring.machine(project_id, instance, agent=True)
    return [one for one in every if "disk/percent_used" not in one.metric]


def _measured(burdens: dict[str, float], series: Measured, minute: Any) -> Any:
    return gcp_monitoring.point(series, minute) * burdens[series.instance]


@pytest.fixture
def google(whole: Google) -> Google:
    whole.ordinary()
    return whole


Collect = Callable[..., Left]


@pytest.fixture
def costopt(leave: Leave) -> Leave:
    """A command, which breaks nothing off."""

    def call(*words: str | Path) -> Left:
        done = leave(*words)
        assert "Traceback" not in done.stderr, done.stderr
        return done

    return call


@pytest.fixture
def collect(costopt: Leave) -> Collect:
    """`costopt collect gcp` into that home."""
    return lambda home, *words: costopt("collect", "gcp", *words, "--home", home)


def everything(home: Path) -> dict[str, object]:
    """What the lake holds, without when it was written."""
    lake = Lake(home / "lake")
    order = [(name, "ascending") for name in ("ResourceId", "MetricName", "Statistic", "Day")]
    samples = pa.concat_tables(packed.scan(lake))
    return {
        "samples": samples.select([*(name for name, _ in order), "Samples"]).sort_by(order),
        **{name: lake.read(name) for name in ("resources", "shapes", "prices")},  # type: ignore[arg-type]
    }


def _trouble(google: Google) -> None:
    """Small pages, one of which has expired; throttling; and two projects that refuse."""
    google.cloud.page = 1
    google.cloud.catalogue.page = 1
    google.cloud.expire("compute.instances")
    slower = error(429, "Too fast.", "rateLimitExceeded", headers={"Retry-After": "0"})
    google.cloud.fail("compute.disks", slower, times=2)
    google.cloud.fail("cloudbilling.skus", slower)
    google.cloud.refuse("shut-prod-1")
    google.monitoring.page_points = 9_000
    google.monitoring.throttled = lambda number: number in (2, 6, 11)
    google.monitoring.retry_after = 0.01
    google.monitoring.denied = lambda project: project in ("shut-prod-1", "lab-test-1")
    tokens = iter([True])
    google.monitoring.forgotten = lambda number: next(tokens, False)


def test_from_a_folder_to_advice_through_trouble(
    google: Google, tmp_path: Path, collect: Collect, costopt: Leave
) -> None:
    _trouble(google)
    done = collect(tmp_path, *FOLDER, "--days", "15")
    assert done.returncode == 4, done.stderr
    assert done.stderr.index("at $0.50 per million") < done.stderr.index("collected from gcp")
    assert "MISSING shut-prod-1" in done.stderr
    assert "MISSING lab-test-1" in done.stderr
    assert "bare-prod-1" not in done.stderr
    assert google.monitoring.calls(outcome="RESOURCE_EXHAUSTED")
    assert google.monitoring.calls(outcome="INVALID_ARGUMENT")  # a page that had expired
    listed = {row["ResourceId"] for row in Lake(tmp_path / "lake").read("resources").to_pylist()}
    assert listed == {google.ids[name] for name in BURDEN}

    doctor = costopt("doctor", "gcp", *FOLDER)
    assert doctor.returncode == 4
    assert "FAILED  compute.instances.list  shut-prod-1" in doctor.stdout
    assert "FAILED  monitoring.timeSeries.list  lab-test-1" in doctor.stdout
    advice = json.loads(costopt("recommend", "--format", "json", "--home", tmp_path).stdout)
    smaller = {one["resource_id"]: one for one in advice["recommendations"]}
    hourly = 8 * CORE + 32 * GIB
    for name, vcpus in (("idle", 1), ("large", 2)):
        one = smaller.pop(google.ids[name])
        assert one["recommended"]["instance_type"] == f"t2d-standard-{vcpus}"
        saving = 730 * (hourly - vcpus * (CORE + 4 * GIB))
        assert one["estimated_monthly_savings"]["at_list"] == pytest.approx(saving, abs=0.01)
    assert not smaller  # busy is of the right size, of lab nothing is known
    assert {one["resource_id"] for one in advice["skips"]} == {google.ids["lab"]}


def test_what_google_recommends_stands_beside_ours(
    google: Google, tmp_path: Path, collect: Collect, costopt: Leave
) -> None:
    shop = google.cloud.projects["shop-prod-1"]
    advice, kind, zone = google.cloud.advice, "t2d-standard-8", f"zones/{gcp_cloud.ZONE}"
    advice.machine_type(shop, "idle", kind, "t2d-standard-1", units=-150)
    advice.idle(shop, zone, "instances", "large", "STOP_VM", -150)
    odd = advice.machine_type(shop, "busy", kind, "t2d-standard-16", units=1)
    odd["primaryImpact"]["costProjection"]["duration"] = "0s"  # stops no collect
    assert collect(tmp_path, *SHOP, "--days", "15").returncode == 0
    compared = ("recommend", "--compare-vendor", "--home", tmp_path, "--provider", "gcp")
    found = json.loads(costopt(*compared, "--format", "json").stdout)
    assert found["asked"] == {"Google Cloud Recommender": 1}
    rows = {one["resource_id"]: one for one in found["compared"]}
    assert {key: row["verdict"] for key, row in rows.items()} == {
        google.ids["idle"]: "agree",
        google.ids["large"]: "same direction",
        google.ids["busy"]: "only them",
    }
    month = round(150 * 730 / 720, 6)  # Google's span is 30 days
    assert rows[google.ids["idle"]]["supported_monthly_savings"] == month
    assert "costopt finds it in use" in rows[google.ids["large"]]["why"]
    assert rows[google.ids["large"]]["supported_monthly_savings"] == 0
    assert rows[google.ids["busy"]]["vendor"]["monthly_savings"] is None
    assert found["totals"]["claimed_monthly_savings"] == pytest.approx(2 * month)
    assert found["totals"]["supported_monthly_savings"] == month
    assert "152.08 USD" in costopt(*compared).stdout


def test_who_refused_to_recommend_says_nothing(
    google: Google, tmp_path: Path, collect: Collect, costopt: Leave
) -> None:
    google.cloud.refuse("shop-prod-1", "recommender.computeInstanceMachineType")
    done = collect(tmp_path, *SHOP, "--days", "15")
    assert done.returncode == 0  # no data are missing
    assert "recommender.computeInstanceMachineTypeRecommendations.list" in done.stderr
    page = costopt("recommend", "--compare-vendor", "--home", tmp_path).stdout
    assert "Neither has advice on any resource." in page
    assert "2 resources on which costopt has advice, and no vendor could be asked" in page


def test_trouble_changes_nothing_of_what_is_collected(
    google: Google, tmp_path: Path, collect: Collect
) -> None:
    assert collect(tmp_path / "calm", *SHOP).returncode == 0
    _trouble(google)
    google.monitoring.page_points = 700
    broken = iter([True, True])
    google.monitoring.failing = lambda number, metric: next(broken, False)
    done = collect(tmp_path / "rough", *SHOP)
    assert done.returncode == 0, done.stderr
    assert google.monitoring.calls(outcome="INTERNAL")
    assert everything(tmp_path / "rough") == everything(tmp_path / "calm")


def test_a_second_collect_adds_nothing_and_asks_for_little(
    google: Google, tmp_path: Path, collect: Collect
) -> None:
    assert collect(tmp_path, *SHOP).returncode == 0
    before, points = everything(tmp_path), sum(a.points for a in google.monitoring.calls())
    google.monitoring.asked.clear()
    again = collect(tmp_path, *SHOP)
    assert "nothing new" in again.stderr
    assert everything(tmp_path) == before
    assert sum(a.points for a in google.monitoring.calls()) < points / 20


def test_kill_9_in_the_middle_and_again_equals_an_undisturbed_one(
    google: Google, tmp_path: Path, collect: Collect
) -> None:
    assert collect(tmp_path / "whole", *SHOP).returncode == 0
    half = google.read() // 2
    google.monitoring.asked.clear()
    reached, go_on = threading.Event(), threading.Event()

    def stuck(_: str) -> bool:
        if google.read() > half:
            reached.set()
            go_on.wait(60)
        return False

    google.monitoring.denied = stuck
    home = tmp_path / "killed"
    running = subprocess.Popen(
        [sys.executable, "-m", "costopt", "collect", "gcp", *SHOP, "--home", str(home)],
        stderr=subprocess.DEVNULL,
    )
    assert reached.wait(60)
    running.send_signal(signal.SIGKILL)
    assert running.wait(30) == -signal.SIGKILL
    go_on.set()
    assert Lake(home / "lake").read("resources").num_rows  # what was there before is kept
    google.ordinary()
    assert collect(home, *SHOP).returncode == 0
    assert everything(home) == everything(tmp_path / "whole")
    assert not list((home / "lake" / "staging").glob("*"))


def test_nothing_paid_is_asked_above_the_limit_or_in_a_dry_run(
    google: Google, tmp_path: Path, collect: Collect
) -> None:
    dry = collect(tmp_path, *SHOP, "--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert "dry run: none of these calls is made" in dry.stderr
    assert "nothing was collected" in dry.stderr
    assert not list(tmp_path.rglob("*.parquet"))
    above = collect(tmp_path, *SHOP, "--max-api-cost", "0.000001")
    assert above.returncode == 4
    assert "raise --max-api-cost" in above.stderr
    assert google.read() == 0
    assert Lake(tmp_path / "lake").read("resources").num_rows == 3


def test_no_secret_is_logged_told_or_kept(
    google: Google, tmp_path: Path, collect: Collect, caplog: pytest.LogCaptureFixture
) -> None:
    token, key = SECRETS
    said = f"Authorization: Bearer {token} with key={key} has no permission"

    def deny(call: Call) -> Answer | None:
        if call.name == "compute.addresses.aggregatedList":
            return error(403, said, "forbidden", headers={"X-Token": token})
        return None

    google.cloud.rest.rules.append(deny)
    google.cloud.page = 1
    google.monitoring.page_points = 700
    with caplog.at_level(logging.DEBUG):
        done = collect(tmp_path, *SHOP)
    assert done.returncode == 4
    assert "MISSING shop-prod-1 compute.addresses" in done.stderr
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) > 4
    for text in (done.stdout.encode(), done.stderr.encode(), caplog.text.encode(), *written):
        for secret in (token.encode(), key.encode(), b"pageToken"):
            assert secret not in text
