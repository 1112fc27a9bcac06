"""Machines of one's own in the move rule, by hand: the GPU of docs/method.md for 40,000 stands at
16,118.34 a year and takes 0.1176 an hour of work more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from costopt.frame.traffic import Sent
from costopt.model import ActionType
from costopt.model.bill import Metered, Usage
from costopt.optimize.own import break_even, worth_owning
from costopt.pricing.catalogue import Catalogue
from costopt.pricing.equivalence import Facts
from costopt.pricing.onprem import Site, load
from costopt.pricing.places import Places
from costopt.rules.base import Case
from costopt.rules.move import Moves, moves
from costopt.rules.move.market import World
from costopt.rules.move.own import Owned, joined, own_machines
from costopt.rules.move.own_use import Paid
from costopt.rules.move.settings import MoveSettings
from costopt.rules.move.subjects import Known
from costopt.rules.own_machines import of_class
from tests.conftest import ROOT
from tests.rules.move.world import FREE, HOURS, WINDOW, machine, placed, tagged, world

ALBA, BRNO = ("Acme", "alba"), ("Acme", "brno")
HERE = world({ALBA: "0.05"})
STANDING, POWER = 16_118.34, 0.1176
GPU: Mapping[str, Any] = {
    "vcpus": 32, "memory_gib": 128, "gpu_model": "H100", "gpu_count": 1, "gpu_memory_gib": 80,
    "price": 40_000, "life_years": 4, "busy_kw": 1.0, "idle_kw": 0.3, "hosting_yearly": 800,
    "maintenance_yearly": 2_000, "staff_yearly": 800,
}  # fmt: skip


def site(*, currency: str = "USD", place: Mapping[str, Any] | None = None, **figures: Any) -> Site:
    """One class, `own-1`: the GPU with other figures."""
    return Site.model_validate(
        {"currency": currency, "pue": 1.4, "power_price_kwh": 0.12, "rate_percent": 8.0}
        | dict(place or {}) | {"classes": {"own-1": {**GPU, **figures}}}
    )  # fmt: skip


def card(
    name: str, hourly: float, share: float = 1.0, *, cards: int = 1, here: World = HERE,
    **fields: Any,
) -> Case:  # fmt: skip
    """A machine with cards, at that price, that runs for that share of the hours."""
    case = machine(name, here, **fields)
    assert case.shape is not None
    assert case.cost is not None
    monthly = Decimal(str(hourly * HOURS * share))
    return replace(
        case,
        shape=replace(case.shape, gpu_model="H100", gpu_count=cards, gpu_memory_gib=80.0),
        cost=replace(
            case.cost, monthly=monthly, compute=monthly, compute_list=monthly, running_share=share
        ),
    )


def paid(**shares: Any) -> dict[str, Paid]:
    """Acme's bill: by machine the share of each hour that was paid."""
    return {"acme": Paid(1.0, {name: np.asarray(one, float) for name, one in shares.items()})}


def judged(
    told: Site, *cases: Case, bill: Mapping[str, Paid] | None = None, here: World = HERE,
    settings: MoveSettings = FREE, **how: Any,
) -> tuple[Owned, Moves]:  # fmt: skip
    found = placed(here, *cases, settings=settings, **how)
    owned = own_machines(found, told, bill or {}, WINDOW)
    return owned, joined(found, owned)


def why(found: Owned) -> dict[str, str]:
    return {skip.resource_id: skip.reason for skip in found.skips}


def test_a_gpu_that_runs_all_the_time_by_hand() -> None:
    """8760 x (2.95 - 0.1176) - 16,118.34 = 8,693.49 a year."""
    owned, all_ = judged(site(), card("a", 2.95))
    (one,) = owned.recommendations
    assert one.action_type is ActionType.REPATRIATE
    assert one.recommended is not None
    assert (one.recommended.provider_name, one.recommended.instance_type) == ("own", "own-1")
    yearly = 8760 * (2.95 - POWER) - STANDING
    assert float(one.estimated_monthly_savings.target) == pytest.approx(yearly / 12, abs=0.02)
    assert one.estimated_monthly_cost + one.estimated_monthly_savings.target == Decimal("2153.50")
    used = one.evidence["utilization"]
    assert (used["measured"], used["break_even"]) == (1.0, pytest.approx(0.6496, abs=1e-4))
    assert float(one.evidence["net_present_saving"]) == pytest.approx(2 * yearly, abs=1)
    assert one.evidence["class_capex"] == 40_000
    assert not one.rollback_possible
    assert all_.recommendations == owned.recommendations
    assert all_.fits == ()


@pytest.mark.parametrize(("price", "share"), [(2.95, 0.65), (6.90, 0.27)])
def test_the_break_even_of_the_illustration(price: float, share: float) -> None:
    """65 % at $2.95 an hour, 27 % at $6.90."""
    more, _ = judged(site(), card("a", price, share + 0.01))
    assert [one.resource_id for one in more.recommendations] == ["a"]
    less, _ = judged(site(), card("a", price, share - 0.01))
    assert less.recommendations == ()
    assert why(less) == {"a": "own-dearer"}
    assert f"costs less from {100 * share:.0f} % of the hours on" in less.skips[0].detail
    shown = less.answers[0].shown
    assert shown is not None
    assert shown.break_even(price) == pytest.approx(share, abs=0.005)


def test_what_does_not_surely_save_stays() -> None:
    """At 60,000 it stands at 22,156.76 a year, 3,344.93 less than it saves: not at 70,000."""
    told = site(ranges={"price": (40_000, 60_000)})
    owned, _ = judged(told, card("a", 2.95))
    (one,) = owned.recommendations
    low = 8760 * (2.95 - POWER) - STANDING - 20_000 * 0.301921
    assert float(one.estimated_monthly_savings.low) == pytest.approx(low / 12, abs=0.02)
    told = site(ranges={"price": (40_000, 70_000)})
    assert why(judged(told, card("a", 2.95))[0]) == {"a": "own-unsure"}
    # nor where the cloud's price may fall to what an own one costs
    told = site(ranges={"cloud_price_hourly": (1.9, 3.0)})
    assert why(judged(told, card("a", 2.95))[0]) == {"a": "own-unsure"}


def test_the_weeks_that_were_used_least_count() -> None:
    """Of eight weeks in all the hours, of the latest four in half: 75 % on the whole."""
    half = np.tile([1.0, 0.0], 336)
    owned, _ = judged(
        site(), card("a", 2.95), bill=paid(a=[*np.ones(672), *half]),
    )  # fmt: skip
    assert why(owned) == {"a": "own-unsure"}
    assert "its use at 50 %" in owned.skips[0].detail


def test_what_going_takes_must_be_paid_too() -> None:
    """24 + 40 + 4 hours at 200 are 13,600; two years save 17,386.98. At 300: 20,400."""
    dear = FREE.model_copy(update={"labour_rate": 200.0})
    owned, _ = judged(site(), card("a", 2.95), settings=dear)
    (one,) = owned.recommendations
    assert one.evidence["once"]["labour"] == 13_600
    free, _ = judged(site(), card("a", 2.95))
    assert one.evidence["break_even_months"] > free.recommendations[0].evidence["break_even_months"]
    dearer = FREE.model_copy(update={"labour_rate": 300.0})
    assert why(judged(site(), card("a", 2.95), settings=dearer)[0]) == {"a": "own-unsure"}


def test_data_leaves_once() -> None:
    """1,000 GiB at 0.09 are 90; 250,000 are more than two years save."""
    owned, _ = judged(site(), card("a", 2.95), stored={"a": 1000})
    assert owned.recommendations[0].evidence["once"]["data"] == 90
    assert why(judged(site(), card("a", 2.95), stored={"a": 250_000})[0]) == {"a": "own-unsure"}


def test_needs_share_a_machine() -> None:
    """Cards 3, 2, 2, 1 fill two machines of four; both are worth 4 x 2.95 an hour."""
    told = site(gpu_count=4, price=160_000, memory_gib=1024)
    cases = [card(f"m{n}", 2.95 * n, cards=n) for n in (1, 3)]
    cases += [card(name, 5.90, cards=2) for name in ("m2", "m2b")]
    owned, _ = judged(told, *cases)
    (answer,) = owned.answers
    assert [sorted(m.subject.resource.resource_id for m in rack.members) for rack in answer.taken]\
        == [["m1", "m3"], ["m2", "m2b"]]  # fmt: skip
    assert (len(answer.packed.machines), answer.packed.least, answer.packed.exact) == (2, 2, True)
    saved = {one.resource_id: float(one.estimated_monthly_savings.target)
             for one in owned.recommendations}  # fmt: skip
    assert saved["m3"] == pytest.approx(3 * saved["m1"], abs=0.05)


def test_memory_is_shared_as_cards_are() -> None:
    """Four cards and 96 GiB: of machines with 64 GiB each only one fits."""
    told = site(gpu_count=4, memory_gib=96)
    owned, _ = judged(told, card("a", 9.0), card("b", 9.0))
    assert len(owned.answers[0].packed.machines) == 2


def test_a_machine_too_small_takes_nothing() -> None:
    owned, _ = judged(site(), card("a", 9.0, cards=2), card("b", 9.0))
    assert [one.resource_id for one in owned.recommendations] == ["b"]
    assert owned.answers[0].refused["a"][0] == "own-too-small"
    weak = site(gpu_model="T4", gpu_memory_gib=16)
    assert "memory of a card" in judged(weak, card("a", 9.0))[0].answers[0].refused["a"][1]
    assert judged(site(), machine("cpu", HERE))[0].answers[0].refused == {}


def test_spares_are_whole_machines() -> None:
    """Two at 12.5 % take one spare: 40,000 x 0.301921 + 2,800 = 14,876.83 a year for both."""
    told, two = site(spares_percent=12.5), [card("a", 4.0), card("b", 4.0)]
    owned, _ = judged(told, *two)
    assert owned.answers[0].bought.spares == 1
    yearly = 2 * (8760 * (4.0 - POWER) - STANDING) - 14_876.83
    total = sum(one.estimated_monthly_savings.target for one in owned.recommendations)
    assert float(total) == pytest.approx(yearly / 12, abs=0.05)
    # one alone, with a spare of its own, does not pay at that price
    assert judged(told, card("a", 2.95))[0].recommendations == ()
    assert len(judged(site(), card("a", 2.95))[0].recommendations) == 1


def test_no_more_than_there_is_room_for() -> None:
    owned, _ = judged(site(most=1), card("a", 4.0), card("b", 5.0))
    assert [one.resource_id for one in owned.recommendations] == ["b"]
    assert why(owned) == {"a": "own-no-room"}
    assert judged(site(most=1, spares_percent=10), card("a", 5.0))[0].recommendations == ()


def test_another_currency_at_its_rate() -> None:
    here = HERE.exchanges.convert(Decimal(1), "EUR", "USD")
    assert here is not None
    rate = float(here)
    euros = site(
        currency="EUR",
        place={"power_price_kwh": 0.12 / rate},
        **{key: GPU[key] / rate for key in GPU if key.endswith("_yearly") or key == "price"},
    )
    dollars, _ = judged(site(), card("a", 2.95))
    converted, _ = judged(euros, card("a", 2.95))
    one, other = dollars.recommendations[0], converted.recommendations[0]
    assert other.currency == "USD"
    assert one.estimated_monthly_savings.target == pytest.approx(
        other.estimated_monthly_savings.target, abs=Decimal("0.02")
    )
    unknown, _ = judged(site(currency="XTS"), card("a", 2.95))
    assert unknown.recommendations == ()
    assert "XTS" in unknown.notes[0]


ITALY = {"country": "IT", "latitude": 45.0, "longitude": 7.7}
BOHEMIA = {"country": "CZ", "latitude": 50.0, "longitude": 14.4}


def test_what_must_stay_stays() -> None:
    case = tagged(card("a", 4.0), residency="IT")
    assert len(judged(site(place=ITALY), case)[0].recommendations) == 1
    abroad, _ = judged(site(place=BOHEMIA), case)
    assert abroad.answers[0].refused["a"][0] == "residency"
    unknown, _ = judged(site(), case)
    assert unknown.recommendations == ()
    assert "does not tell where" in unknown.answers[0].refused["a"][1]
    free, _ = judged(site(), card("a", 4.0))
    assert "residency and distance were not looked at" in free.recommendations[0].reason
    assert "not looked at" in free.notes[0]
    far = FREE.model_copy(update={"most_ms": 5.0})
    distant, _ = judged(site(place=BOHEMIA), card("a", 4.0), settings=far)
    assert distant.answers[0].refused["a"][0] == "too-far"


def test_of_a_scaling_group_the_steady_part_goes() -> None:
    """Two of four run at any time, by turns: two own machines are used all the time."""
    turns = {"a": [1, 0], "b": [0, 1], "c": [1, 0], "d": [0, 1]}
    cases = [card(name, 2.95, 0.5, scaling_group="asg") for name in turns]
    cases = [replace(one, resource=replace(one.resource, scaling_group="asg")) for one in cases]
    cases = [replace(one, cost=replace(one.cost, running_share=1.0, monthly=Decimal("2153.5"),
             compute=Decimal("2153.5"))) for one in cases if one.cost]  # fmt: skip
    bill = paid(**{name: np.tile(one, 700) for name, one in turns.items()})
    owned, _ = judged(site(), *cases, bill=bill)
    assert len(owned.recommendations) == 2
    assert owned.answers[0].used == 1.0
    alone = [replace(one, resource=replace(one.resource, scaling_group=None)) for one in cases]
    assert judged(site(), *alone, bill=bill)[0].recommendations == ()


@hypothesis(max_examples=25)
@given(st.lists(st.integers(0, 5), min_size=4, max_size=24), st.sampled_from([2.5, 2.95, 6.9]))
def test_as_many_as_the_quantile_says(running: list[int], price: float) -> None:
    """Of machines alike in one group: the n-th pays where n run in at least u* of the hours."""
    names = [f"m{n}" for n in range(5)]
    cases = [card(name, price, scaling_group="asg") for name in names]
    shares = {name: [float(n < count) for count in running] for n, name in enumerate(names)}
    owned, _ = judged(site(), *cases, bill=paid(**shares))
    share = float(break_even(of_class(site(), "own-1"), price))
    assert len(owned.recommendations) == worth_owning(running, share)


def test_it_must_beat_the_best_of_the_cloud() -> None:
    """In Brno sixteen vCPUs cost a fifth: against that an own machine saves nothing."""
    told = site(gpu_model=None, gpu_count=0, gpu_memory_gib=None, vcpu_speed=1.0)
    here = world({ALBA: "0.15"})
    owned, _ = judged(told, machine("a", here), here=here)
    assert len(owned.recommendations) == 1
    both = world({ALBA: "0.15", BRNO: "0.03"})
    owned, all_ = judged(told, machine("a", both), here=both)
    assert owned.recommendations == ()
    assert [one.action_type for one in all_.recommendations] == [ActionType.MOVE_REGION]
    dearer = world({ALBA: "0.40", BRNO: "0.35"})
    _, all_ = judged(told, machine("a", dearer), here=dearer)
    assert [one.action_type for one in all_.recommendations] == [ActionType.REPATRIATE]


def test_vcpus_are_compared_by_their_speed_or_not_at_all() -> None:
    plain: dict[str, Any] = {"gpu_model": None, "gpu_count": 0, "gpu_memory_gib": None, "vcpus": 16}
    case, here = machine("a", world({ALBA: "0.40"})), world({ALBA: "0.40"})
    silent, _ = judged(site(**plain), case, here=here)
    assert silent.answers[0].refused["a"][0] == "own-speed-unknown"
    assert "vcpu_speed or speed_like" in silent.notes[-1]
    like, _ = judged(site(**plain, speed_like="acme/s1"), case, here=here)
    assert len(like.recommendations) == 1
    slow, _ = judged(site(**plain, vcpu_speed=0.9), case, here=here)
    assert slow.answers[0].refused["a"][0] == "own-too-small"
    double = site(**{**plain, "vcpus": 32}, vcpu_speed=1.0)
    pair, _ = judged(double, case, machine("b", here), here=here)
    assert len(pair.answers[0].packed.machines) == 1


def usage(key: str, quantity: list[float], unit: str) -> Usage:
    return Usage(key, "m", "gcp", None, None, np.array(quantity), np.ones(len(quantity)), unit=unit)


def test_hours_from_the_bills_meters() -> None:
    """Whole machines by their hours; by vCPU-hours only whether they ran."""

    def shares(hours: float, *usages: Usage) -> list[float] | None:
        starts = np.arange(2, dtype=np.int64) * round(3600 * hours)
        found = Paid.of(
            Metered("gcp", "USD", starts, hours, usages, (), np.zeros(2), Decimal(0)), {}
        ).shares.get("m")
        return None if found is None else found.tolist()

    assert shares(1, usage("a", [1, 0.5], "Hrs"), usage("b", [0, 0.25], "Hrs")) == [1, 0.75]
    assert shares(24, usage("a", [12, 24], "")) == [0.5, 1]
    assert shares(1, usage("a", [8, 0], "vCPU-hours"), usage("b", [32, 0], "GiB-h")) == [1, 0]
    assert shares(24, usage("a", [8, 0], "vCPU-hours")) is None


def test_the_example_finds_four_cards_that_are_full_round_the_clock() -> None:
    """g6e.12xlarge in Virginia at 10.49 an hour, against l40s-4 of docs/examples/onprem.toml."""
    there = replace(HERE, catalogue=Catalogue.load(), facts=Facts.load(), places=Places.load())
    case = machine("gpu", there, instance_type="g6e.12xlarge", region="us-east-1", provider="AWS")
    found = moves(
        {"gpu": case}, set(), Known.of({}, Sent({}, {}), {}, [], there.facts), there,
        MoveSettings(), window=WINDOW,
    )  # fmt: skip
    owned = own_machines(found, load(ROOT / "docs" / "examples" / "onprem.toml"), {}, WINDOW)
    (one,) = owned.recommendations
    assert one.recommended is not None
    assert one.recommended.instance_type == "l40s-4"
    assert one.evidence["utilization"]["break_even"] < 0.35
    assert one.evidence["break_even_months"] <= 12


def test_an_empty_fleet() -> None:
    owned = own_machines(placed(HERE), site(), {}, WINDOW)
    assert (owned.recommendations, owned.answers) == ((), ())


def test_a_card_or_a_family_that_nobody_knows_is_told() -> None:
    told = site(gpu_model="H1000")
    here = replace(HERE, facts=Facts.load())
    code, words = judged(told, card("a", 4.0, here=here), here=here)[0].answers[0].refused["a"]
    assert code == "own-card-unknown"
    assert words == "what a card 'H1000' does is not known; did you mean 'H100'?"
    plain: dict[str, Any] = {"gpu_model": None, "gpu_count": 0, "gpu_memory_gib": None}
    for like, words in (
        ("aws/m7ii", "no family 'm7ii' of aws is known; did you mean 'aws/m7i'?"),
        ("awz/m7i", "no provider 'awz' is known"),
    ):
        owned, _ = judged(site(**plain, speed_like=like), machine("a", here), here=here)
        code, detail = owned.answers[0].refused["a"]
        assert code == "own-speed-unknown"
        assert words in detail
