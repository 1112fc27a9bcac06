"""One resource's story: complete, redoable, and told for every kind of resource."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import cast

import pytest
from rich.cells import cell_len

from costopt.frame.checks import CHECKS
from costopt.model import Disputed, Finding, FindingLevel, Savings, Skip
from costopt.report.explain import explain
from costopt.report.remedies import REMEDIES
from costopt.rules.base import Fit
from tests.report import builders, cases

ADVICE = builders.recommendation(
    estimated_monthly_savings=Savings(
        Decimal(225), Decimal(225), Decimal(375), Decimal("468.66"), "charges"
    ),
    estimated_monthly_cost=Decimal("315.50"),
    stranded_commitment=Decimal(150),
    alternatives=(builders.offer("m5a.xlarge", vcpus=4.0, memory_gib=16.0),),
    evidence={
        "cpu_p99_5": 12.4,
        "trusted": True,
        "candidates": [
            {"instance_type": "m5.large", "vcpus": 2, "why_not": "2 vCPUs do not hold it"},
            {"instance_type": "m5.xlarge", "vcpus": 4, "why_not": "chosen"},
        ],
        "warnings": ["ask its owner"],
    },
)
IN_USE = Fit("i-0aa11", "idle", "in use: CPU P95 8.5 % (idle < 3 %)", {"definition": "costopt"})


def _flat(story: str) -> str:
    return " ".join(story.split())


def test_the_story_of_advice_is_whole() -> None:
    story = _flat(explain(cases.case(), (IN_USE, ADVICE), builders.report((ADVICE,))))
    for part in (
        "web-17 Rightsize: m5.4xlarge → m5.xlarge, saves 225.00 USD a month",
        "m5.4xlarge, 16 vCPUs, 64 GiB, VM, x86_64",
        "540.50 USD, by the bill, after discounts",
        "500.00 USD, billed by the time it runs",
        "40.50 USD (disks",
        "0.856 USD (list), 0.6849 USD (as billed)",
        "40.0 % of it under a commitment",
        "4.5 % 8.5 % 12.4 % 31.5 % 17,000 98.4 %",
        "Busiest hour of the week: Monday 14:00 (P95 31 %); quietest: Monday 03:00 (P95 1 %), "
        "Europe/Berlin time.",
        "longest for 27 hours",
        "Unknown, which is never zero: Memory utilization (not measured), Network in (not "
        "measured), Network out (not measured).",
        "the longest gap lasts (3 hours) [gap]",
        "in use: CPU P95 8.5 % (idle < 3 %)",
        "CPU P99.5 12.4",
        "m5.large 2 2 vCPUs do not hold it",
        "0.856 → 0.214 USD an hour (75.0 % less) x 730 h = 624.88 → 156.22 a month",
        "75.0 % of 500.00 USD of compute = 375.00 USD a month",
        "540.50 - 225.00 = 315.50 USD a month",
        "150.00 of it waits until the commitment that covers the machine is used elsewhere",
        "225.00 USD a month off the bill",
        "How sure it is likely safe",
        "5.7 % within 14 days, ≤ 8.5 %",
        "as soon as CPU was over 90 % in 21 periods of 5 minutes, or memory over 95 % in 1 period "
        "of 5 minutes, within 14 days of the change (before 2026-11-15 UTC if it is made now)",
        "above 90 % of the new size for 0.31 % of the time, ≤ 1.2 %",
        "This size would have been undone in 2 of 3 past fortnights; memory, sized as now, ran out "
        "after 0 of 2 past moments",
        "Decided then at 3 past moments: 1 undone, 41 % saved. Each chose its own size by the 28 "
        "days before it, and was held against the 14 days after it:",
        "2026-10-04 no change no 0 % 0 % 2026-10-11 m5.xlarge yes 1.3 % 49 % "
        "2026-10-18 m5.xlarge no 0.025 % 75 %",
        "with a restart; can be undone",
        "m5a.xlarge",
        "What this cannot see",
        "CPU above 22.5 % of today's machine (90 % of the new one)",
    ):
        assert part in story, part


SIZING = {
    "cpu": {"samples": 17_000, "risk_of_sizes": {"8": 0.01, "4": 0.0573, "2": 1.0}},
    "memory": {
        "measured": True, "today_gib": 64, "peak_percent": 18.2, "headroom_percent": 15,
        "headroom_basis": "9 machines are too few", "growth": 1.3, "trend_percent_a_day": 0.4,
        "decided_by": "headroom", "needed_gib": 13.7,
    },
    "rollback_cost": {"windows": 0.5, "safe_hourly_price": 0.428, "flips_at": 3.084,
                      "flips_to": "m5.2xlarge"},
    "disputed": builders.DISPUTED,
    "warnings": ["vCPUs are hyper-threads"],
    "candidates": 7,
    "model_probability": 0.0142,
    "record": {"windows": 5, "over": 1, "windows_before": 3, "over_before": 0},
}  # fmt: skip


def _sized(**fields: object) -> str:
    advice = replace(ADVICE, evidence=SIZING | fields)
    return _flat(explain(cases.case(), (advice,), builders.report((advice,))))


def test_a_size_says_why() -> None:
    story = _sized()
    for part in (
        "m5.xlarge 4 16 0.214 5.7 % 0.2385 recommended",  # 0.214 + 0.0573 * (0.214 + 0.214)
        "peaks at 18.2 % of 64 GiB; needs 13.7 GiB to keep 15 % free (9 machines are too few)",
        "92 CPU spikes that no other metric confirms, like 87 % at 2026-10-20 23:10 UTC, left out; "
        "were they real, the answer would be m5.2xlarge, not m5.xlarge",
        "It rests on 1.4 % by the model; its own record: over the budget in 1 of 5 fortnights",
        "Before you change it • vCPUs are hyper-threads",
        "≤ 1.2 %, disputed spikes counted",
        "stays the answer until one costs more than 3.08 windows of 14 days (--rollback-cost, now "
        "0.5); then m5.2xlarge is.",
    ):
        assert part in story, part
    for twice in ("hyper-threads", "flips at", "9 machines are too few", "risk of sizes"):
        assert story.count(twice) <= 1, twice
    assert "Alternatives" not in story  # they stand among the sizes


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"decided_by": "growth"}, "13.7 GiB, as its peak has grown by 30 % in a fortnight before"),
        ({"decided_by": "trend"}, "13.7 GiB, as its peaks rise by 0.4 points a day"),
        ({"headroom_percent": None}, "13.7 GiB, as today: 9 machines are too few"),
        ({"measured": False}, "not measured: the 64 GiB of today are kept"),
        ({"measured": False, "today_gib": None}, "not measured: as much as today"),
    ],
)
def test_what_decided_the_memory(told: dict[str, object], said: str) -> None:
    assert said in _sized(memory={**cast("dict[str, object]", SIZING["memory"]), **told})


def test_an_answer_that_nothing_flips_and_spikes_that_change_nothing() -> None:
    disputed = builders.DISPUTED | {"instance_type_with": "m5.xlarge"}
    story = _sized(rollback_cost={"windows": 0.5, "safe_hourly_price": 0.4}, disputed=disputed)
    assert "dearer rollback" not in story
    assert "were they real, the answer would be the same" in story


def test_a_machine_without_a_record_says_so() -> None:
    none = {"windows": 0, "over": 0, "windows_before": 0, "over_before": 0}
    assert "has lived through no whole fortnight" in _sized(record=none)


def test_too_short_a_past_says_so() -> None:
    advice = replace(ADVICE, backtest=builders.UNTRIED)
    story = _flat(explain(cases.case(), (advice,), builders.report((advice,))))
    assert "Replayed not: its history is too short" in story


def test_a_well_sized_machine_shows_the_sizes_beside_it() -> None:
    fit = Fit("i-0aa11", "rightsize", "nothing smaller is cheaper", SIZING)
    story = _flat(explain(cases.case(), (fit,), builders.report()))
    assert "The sizes beside it" in story
    assert "m5.4xlarge 16 64 0.856 none 0.856 today's" in story


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (
            {"rollback_cost": {"windows": 120, "safe_hourly_price": 0.428}},
            "where one costs less than 100 windows (--rollback-cost, now 120), m5.2xlarge is",
        ),
        ({"rollback_cost": {"windows": None}}, "a larger risk budget (--risk-budget)"),
        (
            {"rollback_cost": {"windows": 0.5}, "cpu": {"risk_of_sizes": {}}},
            "no other rollback cost",
        ),
        ({"memory": {"measured": False, "today_gib": 64}}, "samples of memory_utilization"),
    ],
)
def test_a_well_sized_machine_says_what_would_change_that(
    fields: dict[str, object], said: str
) -> None:
    fit = Fit("i-0aa11", "rightsize", "as it is", SIZING | fields)
    story = _flat(explain(cases.case(), (fit,), builders.report()))
    assert said in story.split("What would change the answer")[1]


def test_a_larger_machine_costs_more_and_says_so() -> None:
    advice = builders.larger("i-0aa11", evidence=SIZING)
    story = _flat(explain(cases.case(), (advice,), builders.report((advice,))))
    for part in (
        "web-17 Rightsize: m5.xlarge → m5.2xlarge, costs 156.22 USD a month more",
        "(100.0 % more) x 730 h = 156.22 → 312.44 a month",
        "Costs more 156.22 USD a month on the bill",
        "540.50 + 156.22 = 696.72 USD a month",
        "demand is cut off at today's size",
        "Less demand",
    ):
        assert part in story, part
    for absent in ("How sure it is", "saves", "undo risk", "was not replayed"):
        assert absent not in story, absent


def test_a_stop_at_list_price_says_what_it_does_not_know() -> None:
    cost = replace(cases.COST, basis="list", monthly=Decimal("624.88"), compute=Decimal("624.88"),
                   committed_share=0.0)  # fmt: skip
    stop = builders.stop("i-0aa11", estimated_monthly_savings=builders.savings("624.88", "list"))
    story = _flat(explain(cases.case(cost=cost), (stop, None), builders.report((stop,))))
    assert "Stop: m5.4xlarge → stopped, saves 624.88 USD a month" in story
    assert "624.88 USD, by the list price" in story
    assert "0.856 → 0.00 USD an hour (100.0 % less)" in story
    assert "no bill names it, so the saving is at list price" in story
    assert "then it is in use" in story


def test_advice_that_lost_is_told() -> None:
    stop = builders.stop("i-0aa11")
    story = _flat(explain(cases.case(), (stop, ADVICE), builders.report((stop,))))
    assert "Not taken: idle saves more, and the same money is saved only once." in story


def test_a_fit_says_why() -> None:
    story = _flat(explain(cases.case(), (IN_USE,), builders.report()))
    assert "Well sized: it was judged, and there is nothing to change." in story


def test_a_skip_says_what_would_help() -> None:
    skip = Skip("i-0aa11", "rightsize", "no-market", "no priced machine types in eu-west-1")
    story = _flat(explain(cases.case(cost=None), (skip,), builders.report((), (skip,))))
    assert "no advice: no-market no priced machine types in eu-west-1" in story
    assert f"rightsize: {REMEDIES['no-market']}." in story
    assert "Unknown: no bill names it, and no price list either." in story


def test_every_check_that_can_close_the_gate_has_a_remedy() -> None:
    notes = {"zeros", "conflicts", "gap", "not-finite", "duplicates", "off-grid"}
    assert CHECKS.keys() - notes <= REMEDIES.keys()


def test_a_skip_of_an_unknown_reason_is_told_by_its_detail() -> None:
    skip = Skip("i-0aa11", "theirs", "moon-phase", "the moon is full")
    assert "theirs: the moon is full." in _flat(
        explain(cases.case(), (skip,), builders.report((), (skip,)))
    )


def test_a_disk_has_a_story_too() -> None:
    story = _flat(explain(cases.disk(), (None, None), builders.report()))
    assert "vol-1 No advice: no rule concerns this kind of resource." in story
    assert "12.00 USD, by the bill" in story
    assert "What it did" not in story


def test_unusable_data_and_disputed_spikes_are_shown() -> None:
    gate = Finding("i-0aa11", "cpu_utilization", "stale", FindingLevel.GATE, 9, "2026-10-20", "old")
    story = _flat(explain(cases.case(findings=(gate,)), (), builders.report()))
    assert "Unusable: CPU utilization: old (2026-10-20) [stale]" in story
    spikes = Disputed(
        samples=3, example_at=builders.END - timedelta(days=1), example_value=97.0, mean=4.0,
        std=1.0, max=12.0, p50=4.0, p90=6.0, p95=7.0, p99=9.0, p99_5=9.9, histogram=(1,),
    )  # fmt: skip
    story = _flat(explain(cases.case(disputed=spikes, findings=()), (), builders.report()))
    assert "3 CPU spikes that no other metric confirms, for example 97 %" in story
    assert "the P99.5 is 9.9 % instead of 12.4 %" in story
    assert "The quality gate found nothing wrong with its data." in story


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_every_line_fits_and_nothing_is_alive(width: int) -> None:
    for text in builders.HOSTILE:
        resource = replace(cases.MACHINE, resource_name=text, tags={text: text}, state=text)
        profiles = (cases.profile(), cases.profile(text), cases.profile("gpu_power", device=text))
        case = cases.case(resource=resource, profiles=profiles)
        advice = replace(ADVICE, reason=text, evidence={text: [{text: text}], "b": {text: [text]}})
        story = explain(case, (IN_USE, advice), builders.report((advice,)), width=width)
        sized = replace(builders.hostile().recommendations[0], resource_id=advice.resource_id,
                        evidence=SIZING | {"warnings": [text]})  # fmt: skip
        story += explain(case, (sized,), builders.report((sized,)), width=width)
        lines = story.split("\n")
        assert all(cell_len(line) <= width for line in lines)
        assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for line in lines for c in line)
        assert not set(story) & set("\u202e\u2066")
