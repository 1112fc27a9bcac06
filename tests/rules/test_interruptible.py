"""Who may be interrupted: what people said, what keeps data, and what looks like a batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import groupby
from typing import Any

import numpy as np
import pytest

from costopt import pipeline
from costopt.config import Settings
from costopt.lake.store import Lake
from costopt.model import Resource
from costopt.pricing.catalogue import Catalogue
from costopt.providers.demo import DemoProvider
from costopt.rules.base import Case
from costopt.rules.cases import build
from costopt.rules.interruptible import (
    Answer,
    Basis,
    Interruptibility,
    InterruptibleSettings,
    interruptible,
)
from tests.rules.builders import Metric, Values, recorded, samples

DEFAULTS = InterruptibleSettings()
QUIET = samples(28, 500.0)  # 500 B/s
WEB = samples(28, 80_000.0)


def nightly(hours: int = 5, first: int = 1, level: float = 60.0) -> Values:
    """28 days of five-minute means: idle at 1 %, busy for some hours from `first` o'clock on."""
    day = np.ones(288)
    day[first * 12 : (first + hours) * 12] = level
    return np.tile(day, 28)


def longest_idle(cpu: Values) -> int:
    """Seconds of the longest run under 5 %, which the builders' profiles leave out."""
    runs = (sum(1 for _ in run) for idle, run in groupby(cpu < 5) if idle)
    return 300 * max(runs, default=0)


def machine(
    cpu: Values | None = None,
    *,
    metrics: Mapping[Metric, Values] | None = None,
    **resource: Any,
) -> Case:
    given = {"network_out": QUIET} if metrics is None else metrics
    work = nightly() if cpu is None else cpu
    case = recorded("g16", work, metrics=given, **resource).case
    idle = longest_idle(work)
    profiles = (
        replace(p, longest_idle_seconds=idle) if p.metric_name == "cpu_utilization" else p
        for p in case.profiles
    )
    return replace(case, profiles=tuple(profiles))


def asked(case: Case, *beside: Resource, **settings: Any) -> Interruptibility:
    return interruptible(case, InterruptibleSettings(**settings), beside)


def answer(case: Case, *beside: Resource, **settings: Any) -> tuple[Answer, Basis]:
    found = asked(case, *beside, **settings)
    assert found.reason
    assert not found.reason.endswith(".")
    return found.answer, found.basis


YES, NO, UNKNOWN = Answer.YES, Answer.NO, Answer.UNKNOWN


# -- what people said ------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["yes", "TRUE", "1", "", " on "])
def test_a_tag_says_yes(value: str) -> None:
    case = machine(samples(28, 50), metrics={"network_out": WEB}, tags={"Interruptible": value})
    assert answer(case) == (YES, Basis.SAID)


@pytest.mark.parametrize("value", ["no", "False", "0", "never"])
def test_a_tag_says_no_though_it_looks_it(value: str) -> None:
    assert answer(machine(tags={"interruptible": value})) == (NO, Basis.SAID)


def test_a_no_wins_over_a_yes() -> None:
    tags = {"interruptible": "yes", "preemptible": "no"}
    assert answer(machine(tags=tags)) == (NO, Basis.SAID)


def test_a_tag_that_says_neither_says_nothing() -> None:
    assert answer(machine(tags={"interruptible": "ask Bob"})) == (YES, Basis.SHAPE)


def test_ones_own_tags_take_the_place_of_ours() -> None:
    case = machine(samples(28, 50), tags={"tier": "Batch"})
    assert answer(case, interruptible_tags=["tier=batch"]) == (YES, Basis.SAID)
    assert answer(case, interruptible_tags=["tier=spot"]) == (UNKNOWN, Basis.SHAPE)
    assert answer(case)[0] is UNKNOWN


# -- what keeps data -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "keeps",
    [
        {"resource_name": "orders-db-1"},
        {"resource_name": "session-cache"},
        {"tags": {"role": "RabbitMQ"}},
        {"attributes": {"image": "projects/x/global/images/postgres-16"}},
        {"service_name": "Amazon Relational Database Service"},
        {"resource_name": "kafka-old"},
    ],
)
def test_what_keeps_data_is_never_interrupted(keeps: dict[str, Any]) -> None:
    assert answer(machine(**keeps)) == (NO, Basis.ROLE)
    said = {**keeps, "tags": {**keeps.get("tags", {}), "interruptible": "yes"}}
    assert answer(machine(**said)) == (NO, Basis.ROLE)
    assert "does not count" in asked(machine(**said)).reason
    on_spot = machine(**keeps, pricing_category="Dynamic")
    assert answer(on_spot) == (NO, Basis.ROLE)


def test_letters_within_a_word_say_nothing() -> None:
    assert answer(machine(resource_name="dbadmin-cached-storages")) == (YES, Basis.SHAPE)


def test_a_compute_services_own_name_says_nothing() -> None:
    case = machine(service_name="Amazon Elastic Compute Cloud")
    assert answer(case) == (YES, Basis.SHAPE)


def test_what_stands_by_is_kept_unless_people_say_otherwise() -> None:
    assert answer(machine(resource_name="nat-gateway")) == (NO, Basis.ROLE)
    said = machine(resource_name="proxy-crawler", tags={"interruptible": "yes"})
    assert answer(said) == (YES, Basis.SAID)


def test_gpus_need_checkpoints_said() -> None:
    gpus = {"gpu_model": "H100", "gpu_count": 8}
    assert answer(machine(**gpus)) == (NO, Basis.ROLE)
    assert answer(machine(**gpus, tags={"checkpoints": "yes"})) == (YES, Basis.SAID)
    assert answer(machine(**gpus, tags={"checkpoints": "no"})) == (NO, Basis.ROLE)
    assert answer(machine(**gpus, tags={"interruptible": "yes"})) == (YES, Basis.SAID)


# -- spot already ----------------------------------------------------------------------------


def test_what_runs_on_spot_may_be_interrupted() -> None:
    busy = samples(28, 50)
    assert answer(machine(busy, pricing_category="Dynamic")) == (YES, Basis.SPOT)
    like = [Resource("b", "AWS", pricing_category=c) for c in ("Dynamic", "Standard")]
    assert answer(machine(busy), *like) == (YES, Basis.SPOT)
    assert "1 of the 2 beside it" in asked(machine(busy), *like).reason


# -- what it looks like ----------------------------------------------------------------------


def test_a_batch_looks_like_one() -> None:
    found = asked(machine())
    assert (found.answer, found.basis) == (YES, Basis.SHAPE)
    assert "pauses 79 % of the time" in found.reason  # 19 of 24 hours
    assert "CPU P99 60 %" in found.reason


@pytest.mark.parametrize(
    ("case", "expected", "words"),
    [
        (machine(metrics={"network_out": WEB}), NO, "80 kB/s"),
        (machine(metrics={}), UNKNOWN, "not measured"),
        (machine(metrics={"network_out": QUIET, "request_rate": samples(28, 3.0)}), NO, "requests"),
        (
            machine(metrics={"network_out": QUIET, "disk_write": samples(28, 200_000.0)}),
            UNKNOWN,
            "200 kB/s",
        ),
        (machine(shape={"local_disk_gib": 900.0}), UNKNOWN, "local disks"),
        (machine(samples(28, 50)), UNKNOWN, "run and pause"),
        (machine(nightly(hours=13, first=0)), UNKNOWN, "run and pause"),
        (machine(nightly(level=20.0)), UNKNOWN, "hardly ever busy"),
        (machine(nightly(first=9)), UNKNOWN, "people's hours"),
        (machine(state="stopped"), UNKNOWN, "stopped"),
    ],
)
def test_any_doubt_keeps_it_where_it_is(case: Case, expected: Answer, words: str) -> None:
    found = asked(case)
    assert found.answer is expected
    assert words in found.reason


def test_what_is_uploaded_in_the_runs_is_no_service() -> None:
    upload = np.where(nightly() > 5, 30e6, 200.0)
    assert answer(machine(metrics={"network_out": upload})) == (YES, Basis.SHAPE)


def test_a_group_that_serves_nobody_may_lose_members() -> None:
    other = Resource("b", "AWS", scaling_group="workers")
    worker = machine(samples(28, 50), scaling_group="workers")
    assert answer(worker, other) == (YES, Basis.SHAPE)
    assert answer(worker) == (UNKNOWN, Basis.SHAPE)  # the only one
    web = machine(samples(28, 50), metrics={"network_out": WEB}, scaling_group="workers")
    assert answer(web, other) == (UNKNOWN, Basis.SHAPE)
    assert answer(machine(samples(28, 50)), other) == (UNKNOWN, Basis.SHAPE)


# -- the demo fleet --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Case]:
    """The machines of the demo fleet by app; of several the first."""
    lake = Lake(tmp_path_factory.mktemp("demo"))
    pipeline.collect(DemoProvider(days=15), lake)
    seen = pipeline.observe(lake, Settings(), None)
    cases = build(
        seen.resources,
        seen.profiles,
        seen.findings,
        seen.disputed,
        bill=None,
        catalogue=Catalogue.load(lake.read("prices"), lake.read("shapes")),
        window=seen.window,
        min_monthly_savings=5.0,
    )
    machines = [case for case in cases.values() if case.resource.instance_type]
    ordered = sorted(machines, key=lambda case: case.resource.resource_id, reverse=True)
    return {
        case.resource.tags.get("app", case.resource.resource_name or ""): case for case in ordered
    }


def off_spot(case: Case) -> Case:
    return replace(case, resource=replace(case.resource, pricing_category="Standard"))


def test_the_demos_batches_are_found(demo: dict[str, Case]) -> None:
    render = demo["night-render"]
    assert answer(render) == (YES, Basis.SPOT)
    assert answer(off_spot(render)) == (YES, Basis.SHAPE)
    # by day, and it sends: nobody could tell it from an office's machine by its shape
    assert answer(demo["ci-runner"]) == (YES, Basis.SPOT)
    assert answer(off_spot(demo["ci-runner"]))[0] is not YES


def test_nothing_else_of_the_demo_looks_interruptible(demo: dict[str, Case]) -> None:
    found = {app for app, case in demo.items() if answer(case)[0] is YES}
    assert found == {"night-render", "ci-runner"}


@pytest.mark.parametrize(
    "app",
    ["orders-db", "booking-db", "erp-db", "sql-primary", "session-cache", "kafka-old", "llm-train"],
)
def test_the_demos_databases_never_are(demo: dict[str, Case], app: str) -> None:
    assert answer(demo[app]) == (NO, Basis.ROLE)
