"""Reports built by hand, and any report at all (hypothesis), for whatever renders them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from costopt.model import (
    ActionType,
    Effort,
    Finding,
    FindingLevel,
    Guard,
    Offer,
    Recommendation,
    Report,
    Risk,
    Savings,
    Skip,
    Summary,
    Window,
)
from costopt.model.week import DayPlan, WeekPlan

END = datetime(2026, 11, 1, tzinfo=UTC)
WINDOW = Window(END - timedelta(days=60), END)

HOSTILE = (
    "\x1b[31mred\x1b[0m\x07",
    "\x1b]8;;https://evil.example\x07click\x1b]8;;\x07",
    "\u202egnp.exe\u2066",
    "<script>alert(1)</script>",
    "=HYPERLINK(A1)",
    "+1;=2",
    "@team #12 www.evil.example https://evil.example",
    "a|b\\|c`d`",
    "two\r\nlines\tand a tab",
    "NaN",
    "日本語のサーバー",
    "[bold]markup[/bold] :smile:",
    "'; drop table resources; --",
)

UNTIL = END + timedelta(days=14)
GUARDS = (
    Guard("cpu_utilization", 90.0, 21, 300, 14, UNTIL),
    Guard("memory_utilization", 95.0, 1, 300, 14, UNTIL),
)
BACKTEST: dict[str, Any] = {
    "origins": 3,
    "rolled_back": 1,
    "net_savings_percent": 41.23,
    "train_days": 28,
    "test_days": 14,
    "this_size": {"windows": 3, "rolled_back": 2},
    "decisions": [
        {"origin": "2026-10-04T00:00:00+00:00", "instance_type": "m5.4xlarge", "rolled_back": False,
         "added_violations_percent": 0.0, "net_savings_percent": 0.0},
        {"origin": "2026-10-11T00:00:00+00:00", "instance_type": "m5.xlarge", "rolled_back": True,
         "added_violations_percent": 1.2574, "net_savings_percent": 48.7},
        {"origin": "2026-10-18T00:00:00+00:00", "instance_type": "m5.xlarge", "rolled_back": False,
         "added_violations_percent": 0.0248, "net_savings_percent": 75.0},
    ],
    "memory": {"origins": 2, "out_of_memory": 0},
}  # fmt: skip
"""What rules/replay.py tells of three past moments: left alone, undone, kept."""

UNTRIED: dict[str, Any] = {
    "origins": 0,
    "rolled_back": 0,
    "net_savings_percent": None,
    "train_days": None,
    "test_days": None,
    "this_size": {"windows": 0, "rolled_back": 0},
    "decisions": [],
}
"""What it tells where the history is too short for a past moment."""

DISPUTED: dict[str, Any] = {
    "samples": 92, "example_at": "2026-10-20T23:10:00+00:00", "example_percent": 86.9,
    "p99_5_without_percent": 11.29, "instance_type_with": "m5.2xlarge",
}  # fmt: skip
"""What rules/evidence.py tells of CPU spikes that did not size."""

RISK = Risk(90.0, 0.0031, 0.012, "histogram", 0.0573, 0.0841, 14, "likely safe")


def offer(instance_type: str | None = "m5.4xlarge", **fields: Any) -> Offer:
    """An AWS m5.4xlarge, or what `fields` say."""
    known: dict[str, Any] = {
        "provider_name": "AWS",
        "region_id": "eu-west-1",
        "instance_type": instance_type,
        "vcpus": 16.0,
        "memory_gib": 64.0,
        "hourly_price": Decimal("0.856"),
        "currency": "USD",
    }
    return Offer(**(known | fields))


def recommendation(resource_id: str = "i-0aa11", **fields: Any) -> Recommendation:
    """m5.4xlarge to m5.xlarge for 468.66 USD a month, or what `fields` say."""
    known: dict[str, Any] = {
        "rule": "rightsize",
        "action_type": ActionType.RIGHTSIZE,
        "resource_id": resource_id,
        "resource_name": "web-17",
        "sub_account_id": "123456789012",
        "current": offer(),
        "recommended": offer(
            "m5.xlarge", vcpus=4.0, memory_gib=16.0, hourly_price=Decimal("0.214")
        ),
        "estimated_monthly_cost": Decimal("156.22"),
        "estimated_monthly_savings": savings("468.66"),
        "currency": "USD",
        "lookback": WINDOW,
        "reason": "CPU stayed below 12.4 % for 99.5 % of 60 days, and memory below 18 %.",
        "implementation_effort": Effort.LOW,
        "restart_needed": True,
        "rollback_possible": True,
        "evidence": {"cpu_p99_5": 12.4, "memory_max": 18.0},
        "risk": RISK,
        "backtest": BACKTEST,
        "guards": GUARDS,
        "tags": {"team": "web"},
    }
    return Recommendation(**(known | fields))


def savings(target: str, basis: str = "charges") -> Savings:
    """That target, a tenth less and a tenth more."""
    amount = Decimal(target)
    return Savings(amount * 9 / 10, amount, amount * 11 / 10, amount, basis)


def stop(resource_id: str = "i-0bb22", **fields: Any) -> Recommendation:
    """An idle machine to be stopped."""
    known: dict[str, Any] = {
        "rule": "idle",
        "action_type": ActionType.STOP,
        "resource_name": "forgotten",
        "recommended": None,
        "estimated_monthly_cost": Decimal("8.00"),
        "estimated_monthly_savings": savings("616.88", "list"),
        "risk": None,
        "backtest": None,
        "guards": (),
        "restart_needed": False,
        "reason": "CPU never passed 2 % and the network carried nothing in 60 days.",
    }
    return recommendation(resource_id, **(known | fields))


def larger(resource_id: str = "i-0ee55", **fields: Any) -> Recommendation:
    """A machine that cuts its demand off: the next larger one costs 156.22 USD a month more."""
    amount = Decimal("-156.22")
    known: dict[str, Any] = {
        "resource_name": "checkout-3",
        "current": offer("m5.xlarge", vcpus=4.0, memory_gib=16.0, hourly_price=Decimal("0.214")),
        "recommended": offer(
            "m5.2xlarge", vcpus=8.0, memory_gib=32.0, hourly_price=Decimal("0.428")
        ),
        "estimated_monthly_cost": Decimal("312.44"),
        "estimated_monthly_savings": Savings(amount, amount, amount, amount, "charges"),
        "risk": Risk(90.0, 0.0, 0.004, "histogram", confidence="not applicable: a larger machine"),
        "backtest": None,
        "guards": (),
        "reason": "CPU is over 90 % for 28.0 % of the time, so it wants more than it gets.",
    }
    return recommendation(resource_id, **(known | fields))


def schedule(resource_id: str = "i-0ff66", **fields: Any) -> Recommendation:
    """A machine of the office: Monday to Friday, 07:00 to 18:30, but for Christmas."""
    known: dict[str, Any] = {
        "rule": "schedule",
        "action_type": ActionType.SCHEDULE,
        "resource_name": "ci-runner",
        "recommended": offer(),
        "estimated_monthly_cost": Decimal("213.79"),
        "estimated_monthly_savings": savings("411.05"),
        "reason": "in use for 50 of 168 hours a week over 6 whole weeks",
        "evidence": {"schedule": {"hours_a_week": 57.5, "hours_a_week_today": 168.0}},
        "risk": Risk(5.0, 0.0, 0.0113, "held-out weeks"),
        "backtest": {**BACKTEST, "origins": 2, "decisions": BACKTEST["decisions"][:2]},
        "guards": (),
        "schedule": OFFICE,
    }
    return recommendation(resource_id, **(known | fields))


_DAY = (0,) * 14 + (1,) * 23 + (0,) * 11
OFFICE = WeekPlan(
    "Europe/Amsterdam",
    _DAY * 5 + (0,) * 96,
    (DayPlan(date(2026, 12, 25), (0,) * 48, "Christmas Day"),),
)


def report(
    recommendations: tuple[Recommendation, ...] = (), skips: tuple[Skip, ...] = (), **fields: Any
) -> Report:
    """Those recommendations and skips with totals that add up, as the pipeline makes them."""
    targets = [r.estimated_monthly_savings.target for r in recommendations]
    saved, extra = sum(targets, Decimal(0)), sum((-t for t in targets if t < 0), Decimal(0))
    spend = max(Decimal("48210.50"), saved + extra)
    ordered = sorted(
        recommendations, key=lambda r: (-r.estimated_monthly_savings.target, r.resource_id)
    )
    known: dict[str, Any] = {
        "as_of": END,
        "window": WINDOW,
        "currency": "USD",
        "summary": Summary(
            monthly_spend=spend,
            monthly_savings=saved,
            monthly_spend_after=spend - saved,
            reconciled_percent=98.25,
            resources=412,
            well_sized=301,
            recommendations=len(recommendations),
            skips=Counter(skip.reason for skip in skips),
            monthly_extra_cost=extra,
        ),
        "recommendations": tuple(ordered),
        "skips": skips,
    }
    return Report(**(known | fields))


def fleet() -> Report:
    """A believable report: several clouds, long ids, skips, notes."""
    azure = offer(
        "Standard_D16s_v5",
        provider_name="Azure",
        region_id="westeurope",
        hourly_price=Decimal("0.922"),
    )
    azure_id = (
        "/subscriptions/0b1f6471-1bf0-4dda-aec3-cb9272f09590/resourceGroups/shop-production"
        "/providers/Microsoft.Compute/virtualMachines/shop-checkout-7"
    )
    gpu = offer(
        "a2-highgpu-4g",
        provider_name="GCP",
        region_id="us-central1",
        vcpus=48.0,
        memory_gib=340.0,
        gpu_model="A100",
        gpu_count=4,
        hourly_price=Decimal("14.694"),
    )
    return report(
        (
            recommendation(),
            stop(),
            stop("gpu-train-3", resource_name=None, current=gpu,
                 estimated_monthly_savings=savings("10726.62")),
            recommendation(
                azure_id,
                resource_name="shop-checkout-7",
                current=azure,
                recommended=replace(
                    azure, instance_type="Standard_D4s_v5", vcpus=4.0, memory_gib=16.0,
                    hourly_price=Decimal("0.2305"),
                ),
                estimated_monthly_savings=savings("504.795"),
            ),
            larger(),
        ),
        (
            Skip("i-0cc33", "", "thin-data", "Only 3.2 of the 7 days of history that are needed."),
            Skip("i-0dd44", "", "thin-data", "Only 1.0 of the 7 days of history that are needed."),
            Skip("vm-9", "rightsize", "no-price", "No list price for x9.huge in OnPrem / cellar."),
        ),
        findings=(
            Finding("i-0aa11", "cpu_utilization", "gap", FindingLevel.NOTE, 2, "2026-10-03T04:00Z",
                    "2 gaps, the longest 3 hours."),
        ),
        notes=("12 rows of the bill are in EUR and were left out of every sum.",),
    )  # fmt: skip


def hostile() -> Report:
    """Every text that a cloud or a user can choose is an attack."""
    rows = tuple(
        recommendation(
            f"{text}{number}",
            resource_name=text,
            sub_account_id=text,
            reason=f"{text} was idle.",
            current=offer(text, region_id=text, provider_name=text, gpu_model=text, gpu_count=1),
            tags={text: text},
            evidence={text: text, "nan": float("nan"), "inf": [float("inf")]},
            risk=Risk(90.0, 0.01, 0.02, text, 0.3, 0.4, 14, text),
            backtest=_hostile_replay(text),
            guards=tuple(replace(guard, metric_name=text) for guard in GUARDS),
        )
        for number, text in enumerate(HOSTILE)
    )
    skips = tuple(Skip(f"{text}{text}", "rightsize", "no-price", text) for text in HOSTILE)
    return report(rows, skips, notes=HOSTILE)


def _hostile_replay(text: str) -> dict[str, Any]:
    decision = {"origin": "2026-10-18T00:00:00+00:00", "instance_type": text, "rolled_back": True,
                "added_violations_percent": 1.0, "net_savings_percent": 1.0}  # fmt: skip
    return BACKTEST | {"decisions": [decision]}


# -- any report ------------------------------------------------------------------------------

TEXT = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30),
)
_MONEY = st.decimals("0", "1000000", places=6)
_SAVED = st.decimals("-10000", "1000000", places=6)
_SIZE = st.one_of(st.none(), st.sampled_from([0.25, 1.0, 2.0, 96.0, 1.75]))
_SHARE = st.floats(0, 1)

OFFERS = st.builds(
    Offer,
    provider_name=TEXT,
    region_id=st.none() | TEXT,
    instance_type=st.none() | TEXT,
    vcpus=_SIZE,
    memory_gib=_SIZE,
    gpu_model=st.none() | TEXT,
    gpu_count=st.integers(0, 16),
    hourly_price=st.none() | st.decimals("0", "400", places=10),
    pricing_category=st.sampled_from([None, "Standard", "Dynamic", "Committed"]),
)
_EVIDENCE = st.dictionaries(
    TEXT, st.one_of(st.floats(), st.integers(), TEXT, st.none(), st.lists(st.floats(), max_size=3))
)
_DAYS = st.tuples(st.integers(0, 64), st.integers(0, 24), st.integers(0, 64)).map(
    lambda drawn: (drawn[0],) * drawn[1] + (drawn[2],) * (24 - drawn[1])
)
_WEEKS = st.builds(
    WeekPlan,
    time_zone=st.sampled_from(["Europe/Berlin", "UTC"]),
    levels=st.lists(_DAYS, min_size=7, max_size=7).map(lambda days: sum(days, ())),
    days=st.lists(
        st.builds(DayPlan, st.dates(date(2026, 11, 1), date(2027, 11, 1)), _DAYS, TEXT),
        max_size=2,
        unique_by=lambda one: one.day,
    ).map(lambda days: tuple(sorted(days, key=lambda one: one.day))),
)
RECOMMENDATIONS = st.builds(
    Recommendation,
    rule=st.sampled_from(["idle", "rightsize"]),
    action_type=st.sampled_from(ActionType),
    resource_id=TEXT,
    resource_name=st.none() | TEXT,
    sub_account_id=st.none() | TEXT,
    current=OFFERS,
    recommended=st.none() | OFFERS,
    estimated_monthly_cost=_MONEY,
    estimated_monthly_savings=st.builds(
        Savings, _SAVED, _SAVED, _SAVED, st.none() | _SAVED, st.sampled_from(["charges", "list"])
    ),
    currency=st.just("USD"),
    lookback=st.just(WINDOW),
    reason=TEXT,
    implementation_effort=st.sampled_from(Effort),
    restart_needed=st.booleans(),
    rollback_possible=st.booleans(),
    evidence=_EVIDENCE,
    alternatives=st.lists(OFFERS, max_size=2).map(tuple),
    risk=st.none()
    | st.builds(Risk, st.just(90.0), _SHARE, _SHARE, TEXT)
    | st.builds(
        Risk, st.just(90.0), _SHARE, _SHARE, TEXT, _SHARE, _SHARE, st.just(14), st.none() | TEXT
    ),
    backtest=st.sampled_from([None, BACKTEST, UNTRIED]),
    guards=st.sampled_from([(), GUARDS[:1], GUARDS]),
    stranded_commitment=_MONEY,
    schedule=st.none() | _WEEKS,
    replicas=st.none() | st.integers(1, 64),
    tags=st.dictionaries(TEXT, TEXT, max_size=3),
)
SKIPS = st.builds(
    Skip, TEXT, st.sampled_from(["", "idle"]), st.sampled_from(["no-price", "thin-data"]), TEXT
)
REPORTS = st.builds(
    report,
    st.lists(RECOMMENDATIONS, max_size=4).map(tuple),
    st.lists(SKIPS, max_size=4).map(tuple),
    notes=st.lists(TEXT, max_size=2).map(tuple),
)
