"""What must hold of the rules' advice, whatever the machine, its demand and the market."""

from __future__ import annotations

import random
from datetime import timedelta
from decimal import Decimal
from itertools import product
from typing import Any

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from costopt.model import Recommendation, Shape
from costopt.rules.base import Case
from costopt.rules.idle import Idle, IdleSettings
from costopt.rules.rightsize import Rightsize
from costopt.rules.rightsize_settings import RightsizeSettings
from tests.rules.builders import END, Type, Values, billed, case, catalogue, kind, plan_of

FAST = settings(max_examples=60, derandomize=True)
SIZES = (1, 2, 4, 8, 16, 32, 48, 64, 96)
FAMILIES = {  # GiB a vCPU, price a vCPU, further columns
    "m6i": (4.0, "0.048", {"Architecture": "x86_64"}),
    "r6i": (8.0, "0.063", {"Architecture": "x86_64"}),
    "c6i": (2.0, "0.0425", {"Architecture": "x86_64", "NetworkGbps": 2.0}),
    "m6a": (4.0, "0.0432", {"Architecture": "x86_64"}),
    "m7g": (4.0, "0.0380", {"Architecture": "arm64"}),
    "m5": (4.0, "0.040", {"Architecture": "x86_64"}),
    "t3": (4.0, "0.030", {"Architecture": "x86_64", "BurstableBaselinePercent": 20.0}),
    "i4i": (8.0, "0.080", {"Architecture": "x86_64", "LocalDiskGiB": 468.0}),
    "g5": (4.0, "0.020", {"Architecture": "x86_64", "GPUCount": 1}),
}


def market(families: set[str], sizes: tuple[int, ...] = SIZES) -> tuple[Type, ...]:
    """Every size of those families."""
    return tuple(
        kind(f"{name}.{size}x", size, str(Decimal(price) * size), ratio * size, **columns)
        for name in sorted(families)
        for size in sizes
        for ratio, price, columns in (FAMILIES[name],)
    )


def _markets() -> list[tuple[Type, ...]]:
    """Each family alone, all together, and some others: so few that `catalogue` keeps them all."""
    chance, names = random.Random(0), sorted(FAMILIES)
    mixed = [set(chance.sample(names, 2 + number % 5)) for number in range(20)]
    return [market(families) for families in (*({name} for name in names), *mixed, set(names))]


MARKETS = st.sampled_from(_markets())


@st.composite
def demands(draw: st.DrawFn) -> Values:
    """Fifteen days of hourly means in hundredths of a percent: a level, noise, and bursts."""
    # mostly so little that a smaller size would do: else there is nothing to look at
    level = draw(st.integers(1, 1_500) | st.integers(1, 9_000)) / 100
    spread = draw(st.integers(0, 500)) / 100
    burst = draw(st.integers(1, 3_000) | st.integers(1, 10_000)) / 100
    share = draw(st.sampled_from((0.0, 0.003, 0.02, 0.2)))
    chance = np.random.default_rng(draw(st.integers(0, 99)))
    values = level + spread * chance.uniform(-1, 1, 360)
    values[chance.random(360) < share] = burst
    return np.round(np.clip(values, 0, 100), 2)


@st.composite
def machines(draw: st.DrawFn) -> dict[str, Any]:
    """What `built` needs for a machine of that market."""
    types = draw(MARKETS)
    sold = [t for t in types if not t.name.startswith("g5")]
    assume(sold)
    large = [t for t in sold if t.vcpus >= 16]
    today = draw(st.sampled_from(large) | st.sampled_from(sold)).name
    flags = ("allow_architecture_change", "allow_burstable", "allow_local_disk_loss", "size_memory")
    return {
        "types": types,
        "today": today,
        "cpu": draw(demands()),
        "memory": draw(st.none() | demands()),
        "network": draw(st.none() | st.floats(1, 3e8)),
        "settings": RightsizeSettings(
            rollback_cost=draw(st.sampled_from((0.05, 0.2, 0.5, 2.0))),
            **{f: draw(st.booleans()) for f in flags},
        ),
    }


def built(machine: dict[str, Any], **more: Any) -> Case:
    metrics = {}
    if machine["memory"] is not None:
        metrics["memory_utilization"] = machine["memory"]
    if machine["network"] is not None:
        flat = np.full(360, machine["network"])
        metrics |= {"network_in": flat, "network_out": flat}
    return case(
        machine["today"],
        machine["cpu"],
        provider="AWS",
        types=machine["types"],
        metrics=metrics,
        period=3600,
        settings=machine["settings"],
        **more,
    )


def rightsize(machine: dict[str, Any], **more: Any) -> Recommendation | None:
    """Advice to make it smaller, if any."""
    outcome = Rightsize(machine["settings"]).judge(built(machine, **more))
    if not isinstance(outcome, Recommendation) or outcome.estimated_monthly_savings.at_list <= 0:
        return None
    return outcome


def target(machine: dict[str, Any], advice: Recommendation) -> tuple[Shape, Shape]:
    """Today's shape and the recommended one."""
    sold = catalogue("AWS", *machine["types"])
    assert advice.recommended is not None
    assert advice.recommended.instance_type is not None
    today = sold.shape("AWS", machine["today"])
    chosen = sold.shape("AWS", advice.recommended.instance_type)
    assert today is not None
    assert chosen is not None
    return today, chosen


@FAST
@given(machines())
def test_a_chosen_target_satisfies_every_constraint(machine: dict[str, Any]) -> None:
    advice = rightsize(machine)
    if advice is None:
        return
    today, chosen = target(machine, advice)
    allowed = machine["settings"]
    ratio = today.vcpus / chosen.vcpus
    assert ratio >= 1
    assert chosen.gpu_count == 0
    assert today.memory_gib is not None
    assert chosen.memory_gib is not None
    if machine["memory"] is None or not allowed.size_memory or not machine["memory"].max():
        assert chosen.memory_gib >= today.memory_gib
    else:
        used = machine["memory"].max() / 100 * today.memory_gib
        assert used <= 0.85 * chosen.memory_gib * 1.005 + 1e-9
    if not allowed.allow_architecture_change:
        assert chosen.architecture == today.architecture
    if not allowed.allow_local_disk_loss:
        assert chosen.local_disk_gib >= today.local_disk_gib
    baseline = chosen.burstable_baseline_percent
    if baseline is not None:
        assert allowed.allow_burstable or today.burstable_baseline_percent is not None
        assert machine["cpu"].mean() * ratio < baseline
        assert np.quantile(machine["cpu"], 0.95, method="inverted_cdf") * ratio < 2 * baseline
    if machine["network"] and chosen.network_gbps:
        assert machine["network"] * 2 * 8 / 1e9 <= 0.8 * chosen.network_gbps
    assert advice.recommended.hourly_price < advice.current.hourly_price  # type: ignore[union-attr,operator]
    assert advice.risk is not None
    assert advice.risk.rollback_probability is not None
    assert advice.risk.rollback_probability_upper is not None
    assert 0 < advice.risk.rollback_probability <= advice.risk.rollback_probability_upper <= 1
    assert (machine["cpu"] * ratio > 90).mean() <= advice.risk.expected_share + 1e-12
    assert advice.risk.expected_share <= advice.risk.upper_bound <= 1


@FAST
@given(
    machines(),
    st.decimals(0, 5000, places=6),
    st.decimals(0, 5000, places=6),
    st.decimals(0, 9000, places=6),
    st.floats(0, 1),
)
def test_savings_never_exceed_spend(
    machine: dict[str, Any], compute: Decimal, monthly: Decimal, listed: Decimal, committed: float
) -> None:
    cost = billed(str(compute), monthly=str(monthly), listed=str(listed), committed_share=committed)
    given = built(machine, cost=cost)
    outcomes = [
        Idle(IdleSettings(definition="optscale-abandoned")).judge(given),
        Rightsize(machine["settings"]).judge(given),
    ]
    advised = plan_of({"m-1": outcomes}, given)
    assert len(advised) <= 1
    for advice in advised:
        saving = advice.estimated_monthly_savings
        assert 0 <= saving.low <= saving.target <= saving.high <= min(compute, monthly)
        assert saving.target + advice.estimated_monthly_cost == monthly
        assert saving.target + advice.stranded_commitment == saving.high
        assert saving.at_list is None or saving.at_list >= 0


@settings(FAST, max_examples=15)
@given(machines(), st.integers(0, 2**32))
def test_the_order_of_the_price_list_does_not_matter(machine: dict[str, Any], seed: int) -> None:
    types = list(machine["types"])
    random.Random(seed).shuffle(types)
    assert rightsize(machine) == rightsize(machine | {"types": tuple(types)})


@FAST
@given(machines(), st.floats(1, 3))
def test_more_demand_never_gives_a_smaller_target(machine: dict[str, Any], factor: float) -> None:
    steady = tuple(t for t in machine["types"] if not t.name.startswith("t3"))
    assume(any(t.name == machine["today"] for t in steady))
    machine |= {"types": steady}
    less = rightsize(machine)
    more = rightsize(machine | {"cpu": np.clip(np.round(machine["cpu"] * factor, 2), 0, 100)})
    if more is not None:
        assert less is not None
        assert target(machine, more)[1].vcpus >= target(machine, less)[1].vcpus


@FAST
@given(machines(), st.floats(0.01, 4), st.floats(1, 100))
def test_a_dearer_rollback_never_gives_a_smaller_target(
    machine: dict[str, Any], cost: float, factor: float
) -> None:
    def at(rollback_cost: float) -> Recommendation | None:
        update = {"rollback_cost": rollback_cost, "min_savings_percent": 0.0}
        changed = machine["settings"].model_copy(update=update)
        return rightsize(machine | {"settings": changed}, min_monthly_savings=0.0)

    cheap, dear = at(cost), at(cost * factor)
    if dear is not None:
        assert cheap is not None
        assert target(machine, dear)[1].vcpus >= target(machine, cheap)[1].vcpus


@FAST
@given(machines())
def test_missing_memory_never_yields_less_memory(machine: dict[str, Any]) -> None:
    machine |= {"memory": None}
    advice = rightsize(machine)
    if advice is not None:
        today, chosen = target(machine, advice)
        assert (chosen.memory_gib or 0) >= (today.memory_gib or 0)
        assert "memory is not measured" in advice.reason


def applied(machine: dict[str, Any], advice: Recommendation) -> dict[str, Any]:
    """The machine on its recommended type: the same work, clipped, to hundredths of a percent."""
    today, chosen = target(machine, advice)
    assert today.memory_gib is not None
    assert chosen.memory_gib is not None
    after = machine | {
        "today": chosen.instance_type,
        "cpu": np.minimum(100, np.round(machine["cpu"] * today.vcpus / chosen.vcpus, 2)),
    }
    if machine["memory"] is not None:
        scaled = machine["memory"] * today.memory_gib / chosen.memory_gib
        after["memory"] = np.minimum(100, np.round(scaled, 2))
    return after


@settings(FAST, max_examples=120)
@given(machines())
def test_what_was_applied_is_left_alone(machine: dict[str, Any]) -> None:
    advice = rightsize(machine)
    if advice is not None:
        resized_at = END - timedelta(days=15)  # beyond the cooldown; all samples are of the new one
        again = rightsize(applied(machine, advice), resized_at=resized_at)
        assert again is None, (advice.reason, again.reason)


def test_a_demand_at_the_very_edge_of_a_size_is_left_alone_too() -> None:
    """A hundredth of a percent off it: nearer, two roundings of one demand differ."""
    types = market({"m6i"}, (1, 2, 4, 5, 7, 13, 16, 23, 64))
    sizes = {int(t.vcpus): t.name for t in types}
    advised = 0
    for edge, today, off in product(sizes, sizes, (-2, -1, 1, 2)):
        machine = {
            "types": types,
            "today": sizes[today],
            "cpu": np.full(360, max(0.01, round(90 * edge / today + off / 100, 2))),
            "memory": np.full(360, 0.01),
            "network": None,
            "settings": RightsizeSettings(),
        }
        advice = rightsize(machine) if edge < today else None
        if advice is not None:
            advised += 1
            assert rightsize(applied(machine, advice)) is None, (edge, today, off)
    assert advised > 100
