"""What nobody prices where a group is today: it is not taken to be free there."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from costopt.frame.traffic import Traffic
from costopt.model import RateKind
from costopt.rules.move.market import World
from costopt.rules.move.stays import kept_from
from tests.rules.move.world import gone, machine, placed, why, world


def test_storage_without_a_price_at_home_is_compared_nowhere() -> None:
    """A TiB costs 102.40 in Brno, and nobody says what in Alba: still 116.80 are saved."""
    here = world({("Acme", "alba"): "0.05", ("Acme", "brno"): "0.04"})
    rates = here.catalogue.rates
    here.catalogue.rates = lambda name, kind, region: (  # type: ignore[method-assign]
        () if (kind, region) == (RateKind.BLOCK_STORAGE, "alba") else rates(name, kind, region)
    )
    found = placed(here, machine("a", here), stored={"a": 1024})
    (one,) = found.recommendations
    assert one.estimated_monthly_savings.target == Decimal("116.80")
    assert one.evidence["monthly"]["now"] == 584
    assert one.evidence["monthly"]["then_storage"] == 0
    assert "nobody says what it costs in Acme alba" in one.reason


def test_storage_that_is_priced_is_compared() -> None:
    here = world({("Acme", "alba"): "0.05", ("Acme", "brno"): "0.04"})
    (one,) = placed(here, machine("a", here), stored={"a": 1024}).recommendations
    assert one.evidence["monthly"]["now"] == Decimal("686.4")
    assert "nobody says" not in one.reason


def test_a_bill_without_hours_is_not_compared() -> None:
    """What costs 584 a month ran for some time; 0 hours elsewhere would cost nothing."""
    here = world({("Acme", "alba"): "0.05", ("Acme", "brno"): "0.04"})
    case = machine("a", here)
    assert case.cost is not None
    found = placed(here, replace(case, cost=replace(case.cost, running_share=0.0)))
    assert why(found) == {"a": "hours-unknown"}
    assert found.skips[0].detail == "no row of the bill says for how long it ran"
    assert found.recommendations == ()


def without(here: World, *unknown: tuple[RateKind, str]) -> World:
    """The world without those rates."""
    rates = here.catalogue.rates
    here.catalogue.rates = lambda name, kind, region: (  # type: ignore[method-assign]
        () if (kind, region) in unknown else rates(name, kind, region)
    )
    return here


def test_a_place_that_tells_no_price_of_disks_is_told() -> None:
    """116.80 a month for 24 months, and 6 once for taking 300 GiB there."""
    here = world({("Acme", "alba"): "0.05", ("Acme", "brno"): "0.04"})
    here = without(here, (RateKind.BLOCK_STORAGE, "brno"))
    found = placed(here, machine("a", here), stored={"a": 300})
    assert why(found) == {"a": "storage-unpriced"}
    assert found.skips[0].detail == (
        "a would save 2,797 USD over 24 months in Acme brno if its 300 GiB of disks cost there "
        "what they do here, which is not known"
    )
    assert kept_from(found.grounds[0]) is None
    assert gone(placed(here, machine("a", here))) == {"a": "brno"}


def test_a_known_place_comes_before_an_unknown_one() -> None:
    here = world({("Acme", "alba"): "0.05", ("Acme", "brno"): "0.03", ("Acme", "cork"): "0.04"})
    here = without(here, (RateKind.BLOCK_STORAGE, "brno"))
    assert gone(placed(here, machine("a", here), stored={"a": 300})) == {"a": "cork"}


def test_a_dearer_place_is_not_told() -> None:
    here = world({("Acme", "alba"): "0.05", ("Acme", "brno"): "0.06"})
    here = without(here, (RateKind.BLOCK_STORAGE, "brno"))
    assert why(placed(here, machine("a", here), stored={"a": 300})) == {}


def test_disks_of_an_unknown_size_are_told() -> None:
    here = world({("Acme", "alba"): "0.05", ("Acme", "brno"): "0.04"})
    found = placed(here, machine("a", here), stored={"a": float("nan")})
    assert why(found) == {"a": "storage-unpriced"}
    assert "but how large its disks are is not known" in found.skips[0].detail


def test_traffic_without_a_price_is_told() -> None:
    here = world({("Acme", "alba"): "0.05", ("Acme", "brno"): "0.04"})
    here = without(here, (RateKind.EGRESS_INTERNET, "brno"))
    found = placed(here, machine("a", here), sent={"a": Traffic(internet=10)})
    assert why(found) == {"a": "traffic-unpriced"}
