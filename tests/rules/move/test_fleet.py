"""Where groups go, and why they stay; amounts by hand: a vCPU and hour, 16 vCPUs, 730 hours."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.errors import ConfigError
from costopt.frame.traffic import Traffic
from costopt.model import ActionType
from costopt.pricing.scenario import Change
from costopt.rules.move.settings import MoveSettings, Talk
from tests.rules.move.world import FREE, each, gone, machine, placed, tagged, why, world

ALBA, BRNO, CORK = ("Acme", "alba"), ("Acme", "brno"), ("Acme", "cork")
DOVER, ELKO, BOLT = ("Acme", "dover"), ("Acme", "elko"), ("Bolt", "alba-1")
CHEAP = {ALBA: "0.05", BRNO: "0.04"}


def test_a_cheaper_region_by_hand() -> None:
    """16 vCPUs x 730 h x 0.05 = 584; at 0.04 it is 467.20."""
    here = world(CHEAP)
    found = placed(here, machine("a", here))
    (one,) = found.recommendations
    assert one.action_type is ActionType.MOVE_REGION
    assert one.estimated_monthly_savings.target == Decimal("116.80")
    assert one.estimated_monthly_cost == Decimal("467.20")
    assert one.evidence["net_present_saving"] == Decimal("2803.20")  # 24 months, money is free
    assert gone(found) == {"a": "brno"}


def test_what_it_takes_to_go_by_hand() -> None:
    """100 GiB at 0.02, 24 + 4 hours at 10, and half a month of both: 2 + 280 + 594 / 2 = 579.
    Stored GiB cost as much here and there. 116.80 a month pay for it in 4.96 months."""
    here = world(CHEAP)
    costs = FREE.model_copy(update={"labour_rate": 10.0, "dual_run_days": 730 / 48})
    (one,) = placed(here, machine("a", here), settings=costs, stored={"a": 100}).recommendations
    once = one.evidence["once"]
    assert (once["data"], once["labour"], once["dual_run"]) == (2, 280, 297)
    assert one.evidence["break_even_months"] == pytest.approx(579 / 116.8, abs=0.01)
    assert one.evidence["net_present_saving"] == pytest.approx(Decimal(24 * 116.8 - 579))


def test_it_stays_where_going_costs_more_than_it_saves() -> None:
    here = world(CHEAP)
    dear = FREE.model_copy(update={"labour_rate": 101.0})  # 28 hours: 2,828
    found = placed(here, machine("a", here), settings=dear)
    assert found.recommendations == ()
    assert [fit.resource_id for fit in found.fits] == ["a"]


def test_old_prices_must_leave_something_over() -> None:
    """Of 20 % that are saved, prices of ten years may be 30 % off."""
    here = world(CHEAP, day=date(2016, 10, 5))
    careful = FREE.model_copy(update={"price_drift_percent": 3.0})
    found = placed(here, machine("a", here), settings=careful)
    assert why(found) == {"a": "move-unsure"}


def test_stale_prices_are_said_in_the_advice() -> None:
    here = world(CHEAP, day=date(2026, 1, 1))
    (one,) = placed(here, machine("a", here)).recommendations
    assert "prices there are of 2026-01-01 and may be stale" in one.reason
    fresh = world(CHEAP)
    (one,) = placed(fresh, machine("a", fresh)).recommendations
    assert "stale" not in one.reason


@pytest.mark.parametrize("tag", ["IT", "it, FR", "alba"])
def test_residency_by_tag(tag: str) -> None:
    here = world(CHEAP)
    found = placed(here, tagged(machine("a", here), residency=tag))
    assert gone(found) == {}
    assert why(found) == {"a": "residency"}


def test_residency_by_setting_and_both_wishes_hold() -> None:
    here = world({**CHEAP, CORK: "0.045"})
    only = FREE.model_copy(update={"residency": {"data=patients": ("IT", "IE")}})
    case = tagged(machine("a", here), data="patients")
    assert gone(placed(here, case, settings=only)) == {"a": "cork"}
    both = tagged(machine("a", here), data="patients", residency="IT, CZ")
    assert why(placed(here, both, settings=only)) == {"a": "residency"}


def test_nothing_leaves_the_union_or_its_continent_unasked() -> None:
    here = world({ALBA: "0.05", DOVER: "0.02", ELKO: "0.01"})
    found = placed(here, machine("a", here))
    assert why(found) == {"a": "other-continent"}
    asked = FREE.model_copy(update={"places": ("UK", "EU")})
    assert gone(placed(here, machine("a", here), settings=asked)) == {"a": "dover"}
    anywhere = FREE.model_copy(update={"places": ("elko",)})
    assert gone(placed(here, machine("a", here), settings=anywhere)) == {"a": "elko"}


def test_no_farther_than_is_borne() -> None:
    here = world({ALBA: "0.05", CORK: "0.03"})
    near = FREE.model_copy(update={"most_ms": 20.0})  # Alba to Cork: about 1,480 km, 33 ms
    assert why(placed(here, machine("a", here), settings=near)) == {"a": "too-far"}
    assert gone(placed(here, machine("a", here))) == {"a": "cork"}


def test_another_provider_only_where_it_may_be_moved_to() -> None:
    here = world({ALBA: "0.05", BOLT: "0.03"})
    assert gone(placed(here, machine("a", here))) == {}
    wide = FREE.model_copy(update={"to": ("acme", "bolt")})
    (one,) = placed(here, machine("a", here), settings=wide).recommendations
    assert one.action_type is ActionType.MOVE_PROVIDER
    used = placed(here, machine("a", here), machine("b", here, provider="Bolt", region="alba-1"))
    assert gone(used) == {"a": "alba-1"}  # the fleet runs there already
    with pytest.raises(ConfigError, match="no prices of a provider 'acne'"):
        placed(here, machine("a", here), settings=FREE.model_copy(update={"to": ("acne",)}))


def test_traffic_to_neighbours_keeps_it_where_it_is() -> None:
    """Zone traffic is billed; across regions 6,000 GiB at 0.02 cost 120, and 116.80 are saved."""
    here = world(CHEAP)
    talk = {"a": Traffic(zones=6000)}
    found = placed(here, machine("a", here), sent=talk)
    assert why(found) == {"a": "egress"}
    assert "6,000 GiB" in found.skips[0].detail
    assert gone(placed(here, machine("a", here), sent={"a": Traffic(zones=5000)})) == {"a": "brno"}


def test_users_traffic_costs_as_much_from_there() -> None:
    here = world(CHEAP)
    assert gone(placed(here, machine("a", here), sent={"a": Traffic(internet=1e6)})) == {
        "a": "brno"
    }


def test_what_nobody_prices_is_not_free() -> None:
    """No rate of storage at Bolt: a machine with a disk cannot be told what it would cost."""
    here = world({ALBA: "0.05", BOLT: "0.01"})
    wide = FREE.model_copy(update={"to": ("bolt", "acme")})
    rates = here.catalogue.rates
    here.catalogue.rates = lambda name, *rest, **more: (  # type: ignore[method-assign]
        () if name == "Bolt" else rates(name, *rest, **more)
    )
    assert gone(placed(here, machine("a", here), settings=wide)) == {"a": "alba-1"}
    assert gone(placed(here, machine("a", here), settings=wide, stored={"a": 10})) == {}


@pytest.mark.parametrize("part", ["compute", "monthly"])
def test_what_refunds_leave_below_zero_stays_and_the_rest_moves(part: str) -> None:
    """Its discount would come to less than nothing, and so would it everywhere."""
    here = world(CHEAP)
    refunded = machine("b", here)
    assert refunded.cost is not None
    cost = replace(refunded.cost, **{part: Decimal(-18)}, basis="charges")
    found = placed(here, machine("a", here), replace(refunded, cost=cost))
    assert (gone(found), why(found)) == ({"a": "brno"}, {"b": "no-price"})


def test_a_group_moves_as_a_whole() -> None:
    """16 vCPUs save 116.80 a month, and 16 more that hardly run at that price lose nothing."""
    here = world(CHEAP)
    cases = [tagged(one, app="search") for one in each(["a", "b"], here)]
    assert gone(placed(here, *cases)) == {"a": "brno", "b": "brno"}
    resident = [cases[0], tagged(machine("b", here), app="search", residency="IT")]
    assert why(placed(here, *resident)) == {"a": "residency", "b": "residency"}


def test_a_member_that_cannot_be_moved_keeps_the_others() -> None:
    here = world(CHEAP)
    windows = machine("b", here)
    windows = replace(windows, resource=replace(windows.resource, operating_system="Windows"))
    found = placed(here, tagged(machine("a", here), app="x"), tagged(windows, app="x"))
    assert why(found) == {"a": "kept-by-member", "b": "licensed-system"}
    alone = placed(here, tagged(machine("a", here), app="y"), tagged(windows, app="x"))
    assert gone(alone) == {"a": "brno"}


def test_what_the_plan_stops_goes_nowhere_and_keeps_nobody() -> None:
    here = world(CHEAP)
    windows = machine("b", here)
    windows = replace(windows, resource=replace(windows.resource, operating_system="Windows"))
    cases = tagged(machine("a", here), app="x"), tagged(windows, app="x")
    assert gone(placed(here, *cases, ended=["b"])) == {"a": "brno"}


def test_what_the_plan_leaves_is_what_moves() -> None:
    """Off half of the time, 58.40 a month are saved and not 116.80."""
    here = world(CHEAP)
    (one,) = placed(here, machine("a", here), a=Change(keep=0.5)).recommendations
    assert one.estimated_monthly_savings.target == Decimal("58.40")


def test_what_another_machine_saves_here_as_well_is_no_reason_to_go() -> None:
    """It is billed at twice the list price: the list's machine is had here, too."""
    here = world({ALBA: "0.05", BRNO: "0.05"})
    found = placed(here, machine("a", here, monthly=1168))
    assert gone(found) == {}


def test_groups_that_talk_stay_together_or_go_together() -> None:
    """b must stay. a alone would save 116.80 and pay 10,000 GiB at 0.02, each way."""
    here = world(CHEAP)
    cases = tagged(machine("a", here), app="a"), tagged(machine("b", here), app="b", residency="IT")
    talks = (Talk(first="a", second="b", there_gib=5000, back_gib=5000),)
    tied = FREE.model_copy(update={"talks": talks})
    found = placed(here, *cases, settings=tied)
    assert why(found) == {"a": "limit-shared", "b": "residency"}
    free = tagged(machine("b", here), app="b")
    assert gone(placed(here, cases[0], free, settings=tied)) == {"a": "brno", "b": "brno"}
    wrong = FREE.model_copy(update={"talks": (Talk(first="a", second="c"),)})
    with pytest.raises(ConfigError, match="no group and no machine is called 'c'"):
        placed(here, *cases, settings=wrong)


def test_a_quota_lets_the_larger_saving_go() -> None:
    here = world(CHEAP)
    few = FREE.model_copy(update={"quotas": {"acme/brno": 16.0}})
    cases = machine("a", here), machine("b", here, instance_type="s1.2xlarge")
    found = placed(here, *cases, settings=few)
    assert gone(found) == {"a": "brno"}
    assert why(found) == {"b": "limit-shared"}


def test_promised_spending_keeps_what_would_be_paid_anyway() -> None:
    here = world({ALBA: "0.05", BOLT: "0.03"})
    wide = FREE.model_copy(update={"to": ("acme", "bolt"), "minimum_spend": {"acme": 584.0}})
    assert gone(placed(here, machine("a", here), settings=wide)) == {}
    less = wide.model_copy(update={"minimum_spend": {"acme": 100.0}})
    assert gone(placed(here, machine("a", here), settings=less)) == {"a": "alba-1"}


@pytest.mark.parametrize(
    ("update", "words"),
    [
        ({"places": ("Atlantis",)}, "Atlantis"),
        ({"residency": {"a=b": ("XX",)}}, "XX"),
        ({"quotas": {"acme/nowhere": 1.0}}, "acme/nowhere"),
    ],
)
def test_settings_that_name_nothing_are_refused(update: dict[str, object], words: str) -> None:
    here = world(CHEAP)
    with pytest.raises(ConfigError, match=words):
        placed(here, machine("a", here), settings=FREE.model_copy(update=update))


def test_what_is_to_stay_stays_with_its_group() -> None:
    here = world(CHEAP)
    kept = MoveSettings(**{**FREE.model_dump(), "stay": ("b",)})
    cases = [tagged(one, app="x") for one in each(["a", "b"], here)]
    assert why(placed(here, *cases, settings=kept)) == {"a": "kept-by-member", "b": "excluded"}


PRICES = st.sampled_from(["0.02", "0.03", "0.04", "0.05", "0.06", "0.07"])


@settings(max_examples=25)
@given(
    st.lists(st.tuples(st.sampled_from(list("xyz")), st.booleans()), min_size=1, max_size=5),
    st.fixed_dictionaries(dict.fromkeys((ALBA, BRNO, CORK, ELKO), PRICES)),
    st.sampled_from(["0.02", "0.03", "0.05"]),
)
def test_properties(
    fleet: list[tuple[str, bool]], listed: dict[tuple[str, str], str], more: str
) -> None:
    """A forbidden region is never proposed; one more place never costs more; units and the order
    of input do not matter; enough traffic keeps everything."""

    def run(prices: dict[tuple[str, str], str], gib: float = 0.0, *, turned: bool = False,
            **how: object) -> tuple[dict[str, str], float]:  # fmt: skip
        here = world(prices, **how)  # type: ignore[arg-type]
        cases = [
            tagged(machine(f"m{n}", here), app=app, **({"residency": "IT, IE"} if bound else {}))
            for n, (app, bound) in enumerate(fleet)
        ]
        sent = {f"m{n}": Traffic(zones=gib) for n in range(len(fleet))} if gib else {}
        found = placed(here, *(reversed(cases) if turned else cases), sent=sent)
        assert found.assignment is not None
        return gone(found), found.assignment.cost

    went, cost = run(listed)
    bound_apps = {app for app, bound in fleet if bound}
    for n, (app, _) in enumerate(fleet):
        assert went.get(f"m{n}") != "elko"  # of another continent
        assert app not in bound_apps or went.get(f"m{n}") in (None, "cork")
    assert run({**listed, DOVER: more})[1] <= cost + 1e-6  # not in the Union: no place for them
    assert run({**listed, BRNO: min(listed[BRNO], more)})[1] <= cost + 1e-6
    assert run(listed, turned=True)[0] == went
    tenfold, dearer = run(listed, factor=Decimal(10))
    assert tenfold == went
    assert dearer == pytest.approx(10 * cost)
    assert run(listed, gib=1e5)[0] == {}
