"""What goes with rightsize's advice: risk and its price, stop rule, replay, disputes, threads."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from costopt.model import Guard, Recommendation
from costopt.rules.base import Case
from costopt.rules.grounds import confidence
from tests.rules.builders import END, Values, case, kind, m6i, samples, without
from tests.rules.judging import advised, fits, judge, set_so, target


def bursts(share: float, height: float = 60.0) -> Values:
    return samples(level=10, burst=height, burst_share=share)


# -- risk ------------------------------------------------------------------------------------


def test_the_share_over_the_limit_is_bounded_from_the_past() -> None:
    values = bursts(0.002)
    risk = advised(case("g16", values)).risk
    assert risk is not None
    assert risk.limit_percent == 90
    assert (values > 90 * 4 / 16).mean() <= risk.expected_share <= 0.005
    assert risk.expected_share < risk.upper_bound < 0.02
    calm = advised(case("g16", samples(level=10))).risk
    assert calm is not None
    assert calm.expected_share == 0
    assert 0 < calm.upper_bound < 0.01


def test_the_chance_of_a_rollback_is_told_with_its_upper_end() -> None:
    found = advised(case("g16", bursts(0.002)))
    assert found.risk is not None
    assert found.risk.horizon_days == 14
    low, high = found.risk.rollback_probability, found.risk.rollback_probability_upper
    assert low is not None
    assert high is not None
    assert 0.01 < low < high < 1
    assert "undone" not in found.reason  # told once, beside it


def test_the_risk_of_every_smaller_size_is_told_and_never_falls() -> None:
    told = advised(case("g16", bursts(0.002))).evidence["cpu"]["risk_of_sizes"]
    assert list(told) == ["8", "4", "2", "1"]
    assert list(told.values()) == sorted(told.values())


@pytest.mark.parametrize(
    ("chance", "words"),
    [
        (0.0, "very likely safe"),
        (0.0199, "very likely safe"),
        (0.02, "likely safe"),
        (0.0999, "likely safe"),
        (0.1, "worth trying, watched"),
        (0.2999, "worth trying, watched"),
        (0.3, "a gamble"),
        (1.0, "a gamble"),
    ],
)
def test_confidence_is_in_words(chance: float, words: str) -> None:
    assert confidence(chance, 3) == words
    assert confidence(chance, 0) == f"{words}, judged by other machines' past only"


def test_a_machine_without_a_past_of_its_own_is_judged_by_others() -> None:
    values = samples(level=10)
    values[: -10 * 288] = np.nan  # no window to replay, as it began to be measured lately
    values[-7 * 288 : -5 * 288] = np.nan
    found = advised(case("g16", values[-10 * 288 :]))
    assert found.backtest is not None
    assert found.risk is not None
    assert found.risk.confidence is not None


# -- a peak that is not in the last fortnight ------------------------------------------------


def monthly(days: int) -> Values:
    """8 %, and a day at 60 % more than four weeks ago, or at the beginning."""
    values = samples(days=days, level=8)
    values[3 * 288 : 4 * 288] = 60.0
    return values


@pytest.mark.parametrize(("days", "record"), [(28, 1 / 3), (42, 1 / 4)])
def test_nothing_is_said_to_be_safer_than_its_own_record(days: int, record: float) -> None:
    outlook = case("g16", monthly(days)).outlook
    assert outlook is not None
    assert outlook.record.windows_before == days // 14 - 2  # before the four weeks it is judged by
    for capacity in (0.5, 0.25, 0.125):  # 60 % is over their limits
        assert outlook.now.at(np.array([capacity]))[0] >= record
        assert outlook.record.over_before[outlook.now.sizes == capacity] == days // 14 - 2


@pytest.mark.parametrize("days", [21, 28, 42, 60])
def test_the_chance_can_be_reckoned_from_the_evidence(days: int) -> None:
    found = advised(case("g16", monthly(days)), rollback_cost=0.2)
    told = found.evidence["record"]
    big_k, big_w, k, w = (
        told[name] for name in ("over", "windows", "over_before", "windows_before")
    )
    assert (big_w, w) == (days // 14, max(0, days // 14 - 2))
    model = found.evidence["model_probability"]
    by_hand = max(big_k / (big_w + 1), (10 * model + k) / (10 + w))
    assert found.risk is not None
    assert found.risk.rollback_probability == pytest.approx(by_hand, abs=1e-5)


def test_a_record_that_decides_is_no_bound_of_itself() -> None:
    """42 days, 30 % on the first: over a quarter's 22.5 % in one fortnight of three."""
    values = samples(days=42, level=8)
    values[:288] = 30.0
    found = advised(case("g16", values), rollback_cost=0.2)
    assert found.recommended is not None
    assert found.recommended.instance_type == "g2"
    assert found.risk is not None
    assert found.risk.rollback_probability == pytest.approx(1 / 4)
    # of three trials two or fewer in 5 %: 1 - p ** 3; of one or none (1-p)**3 + 3p(1-p)**2
    upper = found.risk.rollback_probability_upper
    assert upper is not None
    assert (1 - upper) ** 3 + 3 * upper * (1 - upper) ** 2 == pytest.approx(0.05)


# -- the price of a rollback -----------------------------------------------------------------


@pytest.mark.parametrize("share", [0.004, 0.002, 0.001, 0.0005, 0.0002])
@pytest.mark.parametrize("height", [40.0, 60.0, 95.0])
@pytest.mark.parametrize("cost", [0.2, 0.5, 2.0])
def test_the_price_at_which_the_answer_flips(share: float, height: float, cost: float) -> None:
    given = case("g16", bursts(share, height))
    outcome = judge(given, rollback_cost=cost)
    if not isinstance(outcome, Recommendation):
        assert height > 45 or share == 0.004
        return
    assert outcome.recommended is not None
    told = outcome.evidence["rollback_cost"]
    assert told["windows"] == cost
    holds = next(n for n in (1, 2, 4, 8, 16, 32) if 90 * n / 16 >= height)
    assert told["safe_hourly_price"] == pytest.approx(0.05 * holds)
    below, above = told["flips_at"] - 0.002, told["flips_at"] + 0.002  # it is rounded
    assert target(given, rollback_cost=max(cost, below)) == outcome.recommended.instance_type
    if told["flips_to"] == "g16":
        fits(given, rollback_cost=above)
    else:
        assert target(given, rollback_cost=above) == told["flips_to"]


# -- the stop rule ---------------------------------------------------------------------------


def test_the_guard_allows_the_budget_s_samples() -> None:
    # 14 days of five minutes are 4,032 samples; 0.5 % of them 20.16: the 21st is too many
    until = END + timedelta(days=14)
    expected = Guard("cpu_utilization", 90, 21, 300, 14, until)
    assert advised(case("g16", samples(level=10))).guards == (expected,)
    assert advised(case("g16", samples(level=10)), limit_percent=80).guards[0].limit_percent == 80


def test_violations_that_today_s_machine_has_too_are_allowed_on_top() -> None:
    values = bursts(0.002, 95.0)  # every 500th: 17 of the last 8,064, so 8.5 of 4,032
    (guard,) = advised(case("g16", values), rollback_cost=0.2).guards
    assert (guard.samples, guard.allowed_today, guard.allowed_disputed) == (21 + 9, 9, 0)


def spiky(height: float = 60.0) -> tuple[Values, Recommendation]:
    """10 % for 28 days, and every 100th sample a disputed spike; to be one of 2 vCPUs, not 16."""
    values, spikes = samples(level=10), list(range(0, 8064, 100))
    values[spikes] = height
    found = advised(case("g16", values, disputed=without(values, spikes)))
    assert found.recommended is not None
    assert found.recommended.instance_type == "g2"
    return values, found


def alarm(seen: Values, guard: Guard, capacity: float) -> int | None:
    """How many samples an alarm has seen when it speaks, in a horizon of the new machine's."""
    over = np.cumsum(seen[:4032] / capacity > guard.limit_percent)
    return int(np.argmax(over >= guard.samples)) + 1 if over[-1] >= guard.samples else None


def test_an_alarm_does_not_speak_for_disputed_spikes_and_does_for_demand() -> None:
    values, found = spiky()
    (guard,) = found.guards
    # 81 of 8,064 samples are disputed and over g2's 11.25 %: 40.5 of 4,032
    assert (guard.samples, guard.allowed_today, guard.allowed_disputed) == (21 + 41, 0, 41)
    for start in range(0, 4032, 288):
        seen = values[start : start + 4032]
        assert alarm(seen, guard, 2 / 16) is None
        assert alarm(seen, replace(guard, samples=21), 2 / 16) is not None
        # demand over the limit for good, after ten days as before
        grown = np.concatenate([seen[: 10 * 288], np.full(4 * 288, 50.0)])
        spoken = alarm(grown, guard, 2 / 16)
        assert spoken is not None
        assert spoken - 10 * 288 <= guard.samples
    (warning,) = [text for text in found.evidence["warnings"] if "alarm" in text]
    assert "allows for 41 of them in 14 days" in warning
    assert "after 5.17 hours over the limit, not 1.75" in warning  # 62 and 21 periods


def test_only_spikes_over_the_new_limit_are_allowed_for() -> None:
    _, found = spiky(height=11.0)
    assert found.guards[0].allowed_disputed == 0
    assert not any("alarm" in text for text in found.evidence.get("warnings", ()))


def test_spikes_over_today_s_limit_are_allowed_for_once() -> None:
    _, found = spiky(height=95.0)
    assert (found.guards[0].allowed_today, found.guards[0].allowed_disputed) == (0, 41)


def test_hourly_means_get_a_guard_of_their_own_period() -> None:
    values = samples(level=10)[: 28 * 24]
    (guard,) = advised(case("g16", values, period=3600)).guards
    assert (guard.samples, guard.period_seconds) == (2, 3600)  # 336 x 0.5 % = 1.68


def test_memory_is_guarded_where_it_becomes_less() -> None:
    metrics = {"memory_utilization": samples(level=20)}
    less = case("m6i.4xlarge", samples(level=5), provider="AWS", types=m6i(), metrics=metrics)
    cpu, memory = advised(less).guards
    assert (cpu.metric_name, memory.metric_name) == ("cpu_utilization", "memory_utilization")
    assert (memory.limit_percent, memory.samples) == (95, 1)
    same = case("g16", samples(level=5), metrics=metrics)  # one memory, whatever the type
    assert [guard.metric_name for guard in advised(same).guards] == ["cpu_utilization"]


# -- the replay ------------------------------------------------------------------------------


def test_the_replay_of_a_history_with_a_known_answer() -> None:
    # 10 % until three weeks ago is over, then 20 %: the origin stands a fortnight back
    values = np.concatenate([samples(days=21, level=10), samples(days=7, level=20)])
    found = advised(case("g16", values))
    assert found.recommended is not None
    assert found.recommended.instance_type == "g4"
    told = found.backtest
    assert told is not None
    # g2's limit is 11.25 %: the seventh day's end and 21 samples more use its budget up, and it is
    # kept for two more, until the larger machine runs
    kept = (7 * 288 + 21 + 2) / 4032
    saved = round(100 * (1 - 0.1 / 0.8) * kept, 2)
    assert told["decisions"] == [
        {
            "origin": (END - timedelta(days=14)).isoformat(),
            "instance_type": "g2",
            "rolled_back": True,
            "added_violations_percent": 50.0,
            "net_savings_percent": saved,
        }
    ]
    assert (told["origins"], told["rolled_back"]) == (1, 1)
    assert (told["train_days"], told["test_days"]) == (14, 14)
    assert told["net_savings_percent"] == saved
    assert told["this_size"] == {"windows": 1, "rolled_back": 0}  # g4 would have held


def test_every_week_has_an_origin_and_leaving_it_alone_is_one_too() -> None:
    values = samples(days=56, level=10)
    values[: 21 * 288] = 60.0  # busy for three weeks
    told = advised(case("g16", values)).backtest
    assert told is not None
    assert [one["origin"][:10] for one in told["decisions"]] == [
        "2026-08-24",
        "2026-08-31",
        "2026-09-07",
        "2026-09-14",
        "2026-09-21",
    ]
    first = told["decisions"][0]
    assert first == {
        "origin": (END - timedelta(days=42)).isoformat(),
        "instance_type": "g16",
        "rolled_back": False,
        "added_violations_percent": 0.0,
        "net_savings_percent": 0.0,
    }
    # the window after the first origin has 60 % in its first week, which no smaller size holds
    assert told["this_size"] == {"windows": 5, "rolled_back": 1}


def test_a_short_history_is_replayed_by_its_halves() -> None:
    told = advised(case("g16", samples(days=10))).backtest
    assert told is not None
    assert (told["origins"], told["train_days"], told["test_days"]) == (1, 5, 5)
    too_short = advised(case("g16", samples(days=3))).backtest
    assert too_short is not None
    assert (too_short["origins"], too_short["test_days"]) == (0, None)
    assert too_short["net_savings_percent"] is None


# -- disputed samples ------------------------------------------------------------------------


def test_disputed_spikes_do_not_size_and_the_size_with_them_is_shown() -> None:
    values = samples(level=10)
    spikes = list(range(0, 8064, 100))
    values[spikes] = 60.0
    found = advised(case("g16", values, disputed=without(values, spikes)))
    assert found.recommended is not None
    assert found.recommended.instance_type == target(case("g16", samples(level=10))) == "g2"
    told = found.evidence["disputed"]
    assert told["samples"] == len(spikes)
    assert told["example_percent"] == 60
    assert told["p99_5_without_percent"] == 10
    assert told["instance_type_with"] == "g16"
    assert told["rollback_probability_with"] == pytest.approx(1, abs=0.05)
    assert found.risk is not None
    assert found.risk.confidence is not None
    assert found.risk.confidence.endswith(", if its disputed CPU spikes are no work")
    assert found.evidence["cpu"]["p99_5_percent"] == 60
    assert found.evidence["cpu"]["p99_5_on_target_percent"] == 80  # 10 % of 16 vCPUs on 2
    fits(case("g16", values))  # the same spikes, undisputed
    assert "disputed" not in advised(case("g16", samples(level=10))).evidence


# -- threads ---------------------------------------------------------------------------------

MEMORY = {"memory_utilization": samples(level=5)}


def aws(level: float, **more: Any) -> Case:
    given: dict[str, Any] = {"provider": "AWS", "types": m6i(), "metrics": MEMORY}
    return case("m6i.2xlarge", samples(level=level), **(given | more))


def sized(level: float, settings: dict[str, Any], **more: Any) -> str | None:
    given: dict[str, Any] = {"provider": "AWS", "types": m6i(), "metrics": MEMORY}
    return set_so("m6i.2xlarge", samples(level=level), settings, **(given | more))


def test_a_flip_by_hyper_threads_is_warned_of() -> None:
    # at 0.63 half the machine holds 30.2 % of demand, not 45 %, a quarter 15.1 %, not 22.5 %
    (warning,) = advised(aws(35)).evidence["warnings"]
    assert warning == (
        "vCPUs are hyper-threads: if the load gains as little from them as compiling does "
        "(smt_speedup 0.63), the answer is m6i.2xlarge"
    )
    assert "the answer is m6i.xlarge" in advised(aws(20)).evidence["warnings"][0]
    cool = advised(aws(9)).evidence
    assert "warnings" not in cool
    assert cool["cpu"]["p99_5_on_target_percent"] == 36
    assert cool["cpu"]["p99_5_on_target_smt_percent"] == 36  # up to half, a core each


def test_with_the_correction_on_nothing_is_left_to_warn_of() -> None:
    assert sized(30, {}) == sized(30, {"smt_speedup": 0.63}) == "m6i.xlarge"
    assert sized(35, {"smt_speedup": 0.63}) is None
    assert sized(20, {"smt_speedup": 0.63}) == "m6i.xlarge"
    # 90 % of two threads at 0.86 is 2 * (0.5 + 0.72 * 0.4) cores, which 8 do at 19.7 %
    assert sized(19.6, {"smt_speedup": 0.86}) == "m6i.large"
    assert sized(19.8, {"smt_speedup": 0.86}) == "m6i.xlarge"
    on = {"smt_speedup": 0.63}
    found = advised(aws(9), **on)
    assert "warnings" not in found.evidence


def test_speedups_by_type_and_family() -> None:
    assert sized(35, {"smt_speedups": {"M6i": 0.63}}) is None
    assert sized(35, {"smt_speedups": {"c5": 0.63}}) == "m6i.xlarge"
    # a family's speedup, and off for one type of it: then that one is compared by its vCPUs
    off_for = {"smt_speedup": 0.63, "smt_speedups": {"m6i.xlarge": 0}}
    assert sized(35, off_for) == "m6i.xlarge"


def test_whole_cores_are_not_warned_of_and_unknown_ones_in_other_words() -> None:
    arm = [
        kind(f"m7g.{n}x", n, f"{0.04 * n:.2f}", 4.0 * n, Architecture="arm64") for n in (2, 4, 8)
    ]
    on_arm = case("m7g.8x", samples(level=35), provider="AWS", types=arm, metrics=MEMORY)
    found = advised(on_arm)
    assert found.recommended is not None
    assert found.recommended.instance_type == "m7g.4x"
    assert "warnings" not in found.evidence
    (unknown,) = advised(case("g16", samples(level=40))).evidence["warnings"]
    assert unknown.startswith("how many cores it has is not known: if its vCPUs are hyper-threads")
