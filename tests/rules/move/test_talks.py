"""What groups send each other, and what stays as an end of it; amounts by hand.

16 vCPUs cost 584 a month in Alba and 467.20 in Brno: 116.80 less, over 24 months 2,803.20. A GiB to
another region costs 0.02, to another provider 0.09. Nothing else is paid.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from costopt.errors import ConfigError
from costopt.frame.traffic import Traffic
from costopt.report.move.others import others
from costopt.rules.base import Case
from costopt.rules.move import Moves
from costopt.rules.move.fleet import anywhere
from costopt.rules.move.reported import reported
from costopt.rules.move.settings import MoveSettings, Talk
from tests.report.move.moved import plan
from tests.rules.move.world import END, FREE, gone, machine, placed, tagged, why, world

ALBA, BRNO, CORK = ("Acme", "alba"), ("Acme", "brno"), ("Acme", "cork")
CHEAP = {ALBA: "0.05", BRNO: "0.04"}


def talking(*talks: Talk, **more: object) -> MoveSettings:
    return FREE.model_copy(update={"talks": talks, **more})


def windows(case: Case) -> Case:
    return replace(case, resource=replace(case.resource, operating_system="Windows"))


def two(first: str = "a", second: str = "b", **how: float) -> Talk:
    return Talk(first=first, second=second, **how)


def saved(found: Moves) -> Decimal:
    return sum((o.estimated_monthly_savings.target for o in found.recommendations), Decimal(0))


def test_what_it_sends_to_what_stays_is_in_every_figure() -> None:
    """2,000 GiB at 0.02 are 40 a month: 76.80 are saved, 1,843.20 in two years. People's time
    (28 hours at 10) is paid in 280 / 76.80 = 3.65 months."""
    here = world(CHEAP)
    cases = machine("a", here), windows(machine("b", here))
    settings = talking(two(there_gib=2000), labour_rate=10.0)
    found = placed(here, *cases, settings=settings)
    (one,) = found.recommendations
    saving, told = one.estimated_monthly_savings, one.evidence
    assert (saving.target, saving.low, one.estimated_monthly_cost) == (
        Decimal("76.80"), Decimal("76.80"), Decimal("507.20"),
    )  # fmt: skip
    assert told["monthly"]["then"] == Decimal("507.20")
    assert told["monthly"]["of_it_talks"] == 40
    assert told["net_present_saving"] == told["net_present_saving_low"] == Decimal("1563.20")
    assert told["break_even_months"] == pytest.approx(3.65, abs=0.01)
    assert "40 of it a month for what it and b send each other" in one.reason


def test_prices_off_the_wrong_way_are_off_for_talks_too() -> None:
    """10 % off, the machine's price and the 40: the low end is 584 - 1.1 x 507.20."""
    here = world(CHEAP, day=END.date().replace(year=2016))
    cases = machine("a", here), windows(machine("b", here))
    settings = talking(two(there_gib=2000), price_drift_percent=1.0)
    (one,) = placed(here, *cases, settings=settings).recommendations
    assert float(one.estimated_monthly_savings.low) == pytest.approx(584 - 1.1 * 507.2, abs=0.02)
    # At 3,600 GiB it would save 44.80 as expected, and might lose: 584 - 1.1 x 539.20 is -9.12.
    more = talking(two(there_gib=3600), price_drift_percent=1.0)
    assert gone(placed(here, *cases, settings=more)) == {}


def test_what_a_group_gets_costs_what_leaves_the_other_place() -> None:
    here = world({**CHEAP, ("Bolt", "alba-1"): "0.03"})
    cases = machine("a", here), windows(machine("b", here))
    settings = talking(two(back_gib=1000), to=("bolt",))
    (one,) = placed(here, *cases, settings=settings).recommendations
    assert one.evidence["monthly"]["of_it_talks"] == 90  # to another provider


def test_groups_that_go_together_pay_nothing_and_groups_apart_each_their_own() -> None:
    here = world({**CHEAP, CORK: "0.03"})
    a, b = machine("a", here), tagged(machine("b", here), residency="IT, CZ")
    apart = placed(here, a, b, settings=talking(two(there_gib=1000, back_gib=500)))
    assert gone(apart) == {"a": "cork", "b": "brno"}  # 116.80 more for 30
    talks = {o.resource_id: o.evidence["monthly"]["of_it_talks"] for o in apart.recommendations}
    assert talks == {"a": 20, "b": 10}
    together = placed(here, a, b, settings=talking(two(there_gib=5000, back_gib=5000)))
    assert gone(together) == {"a": "brno", "b": "brno"}
    assert saved(together) == Decimal("233.60")


@pytest.mark.parametrize("gib", [0, 700, 2500, 9000])
@pytest.mark.parametrize("home", ["alba", "brno"])
def test_what_is_told_adds_up_to_what_the_search_found(gib: int, home: str) -> None:
    """Whoever goes where: the groups' net present savings are those of all together."""
    here = world({**CHEAP, CORK: "0.03"})
    cases = (
        tagged(machine("a", here), residency="IT, IE"),
        machine("b", here, region=home),
        windows(machine("c", here)),
    )
    talks = two(there_gib=gib), two("b", "c", there_gib=100, back_gib=200), two("a", "c")
    found = placed(here, *cases, settings=talking(*talks))
    assert found.assignment is not None
    told = sum(o.evidence["net_present_saving"] for o in found.recommendations)
    assert float(told) == pytest.approx(found.assignment.saving, abs=0.05)
    assert float(saved(found)) == pytest.approx(found.assignment.saving / 24, abs=0.05)


def test_what_joins_its_peer_saves_the_traffic_between_them() -> None:
    """b is in Brno: 3,000 GiB at 0.02 are 60 a month today, on a's bill as traffic to regions."""
    here = world({ALBA: "0.05", BRNO: "0.05"})
    cases = machine("a", here), windows(machine("b", here, region="brno"))
    billed = {"a": Traffic(regions=3000)}
    (one,) = placed(
        here, *cases, settings=talking(two(there_gib=3000)), sent=billed
    ).recommendations
    assert one.estimated_monthly_savings.target == 60
    assert one.evidence["monthly"]["now"] == 644


def test_what_is_measured_is_not_counted_beside_what_is_told() -> None:
    """1,000 of the 2,000 GiB that leave it are told: the others go to neighbours that stay."""
    here = world(CHEAP)
    cases = machine("a", here), windows(machine("b", here))
    zones = {"a": Traffic(zones=2000)}
    (one,) = placed(here, *cases, settings=talking(two(there_gib=1000)), sent=zones).recommendations
    told = one.evidence["monthly"]
    assert (told["of_it_talks"], told["of_it_to_neighbours"]) == (20, 20)


def test_the_story_holds_other_places_against_where_its_peers_will_be() -> None:
    """a and b go to Brno together; a alone in Cork would pay for 5,000 GiB to b: 100 a month."""
    here = world({**CHEAP, CORK: "0.035"})
    cases = machine("a", here), tagged(machine("b", here), residency="IT, CZ")
    found = placed(here, *cases, settings=talking(two(there_gib=5000)))
    assert gone(found) == {"a": "brno", "b": "brno"}
    ground = next(one for one in found.grounds if one.group.label == "a")
    at = {one.place: one.monthly for one in others(ground, anywhere(ground, END))}
    assert at["Acme brno"] == pytest.approx(467.2)
    assert at["Acme cork"] == pytest.approx(408.8 + 100)


@pytest.mark.parametrize(
    "peer", ["win", "w-0", "lost", "db-0"], ids=["tag", "name", "no place", "database"]
)
def test_what_stays_is_an_end_all_the_same(peer: str) -> None:
    """Enough to keep a: 6,000 GiB are 120."""
    here = world(CHEAP)
    win = tagged(windows(machine("w-0", here)), app="win")
    lost = machine("lost", here)
    lost = replace(lost, resource=replace(lost.resource, region_id="mars"))
    database = machine("db-0", here)
    database = replace(database, resource=replace(database.resource, instance_type="db.r5.large"))
    cases = machine("a", here), win, lost, database
    keeps = placed(here, *cases, settings=talking(two(second=peer, there_gib=6000)))
    assert why(keeps)["a"] == "limit-shared"
    label = "win" if peer == "w-0" else peer
    (told,) = [skip.detail for skip in keeps.skips if skip.resource_id == "a"]
    assert f"what it and {label} send each other would cost 120.00 USD a month more" in told
    goes = placed(here, *cases, settings=talking(two(second=peer, there_gib=1000)))
    assert gone(goes) == {"a": "brno"}
    assert saved(goes) == Decimal("96.80")


def test_a_machine_stands_for_its_group() -> None:
    here = world(CHEAP)
    cases = [tagged(machine(name, here), app="x") for name in ("x1", "x2")]
    settings = talking(two("x1", "b", there_gib=1000))
    found = placed(here, *cases, windows(machine("b", here)), settings=settings)
    assert saved(found) == Decimal("213.60")  # 2 x 116.80 less 20


def test_what_the_plan_stops_sends_nothing() -> None:
    here = world(CHEAP)
    cases = machine("a", here), machine("b", here), windows(machine("c", here))
    off = replace(cases[2], resource=replace(cases[2].resource, state="stopped"))
    much = talking(two(there_gib=1e6), two("a", "c", there_gib=1e6))
    found = placed(here, cases[0], cases[1], off, settings=much, ended=["b"])
    assert gone(found) == {"a": "brno"}
    assert saved(found) == Decimal("116.80")


def test_too_far_from_what_stays() -> None:
    here = world(CHEAP)
    cases = machine("a", here), windows(machine("b", here))
    found = placed(here, *cases, settings=talking(two(most_ms=5.0)))
    assert why(found)["a"] == "limit-shared"
    (told,) = [skip.detail for skip in found.skips if skip.resource_id == "a"]
    assert "a limit keeps it: talks, b: most_ms = 5 (rules.move)" in told


def test_only_what_nothing_is_called_is_refused() -> None:
    here = world(CHEAP)
    with pytest.raises(ConfigError, match="no group and no machine is called 'c'"):
        placed(here, machine("a", here), settings=talking(two("a", "c")))


def test_who_goes_along_counts_with_whom_it_goes() -> None:
    """b loses 58.40 in Brno, where 8 of its vCPUs are dearer than today's: a saves 116.80, and the
    120 that they would pay apart keep them together. 58.40 are saved, not 116.80."""
    here = world(CHEAP)
    b = machine("b", here, monthly=408.8)
    found = placed(here, machine("a", here), b, settings=talking(two(there_gib=6000)))
    assert gone(found) == {"a": "brno", "b": "brno"}
    each = {one.resource_id: one for one in found.recommendations}
    assert each["b"].estimated_monthly_savings.target == Decimal("-58.40")
    assert "goes together with a: they send each other data" in each["b"].reason
    assert {one.resource_id for one in reported(found, plan()).recommendations} == {"a", "b"}
    kept = reported(found, plan(), min_monthly_savings=58.41)
    assert kept.recommendations == ()
    assert {skip.reason for skip in kept.skips} == {"small-saving"}
    assert "a and b would save 58.40 USD a month" in kept.skips[0].detail
