"""Who was asked what, and which of several recommendations counts."""

from __future__ import annotations

from typing import Any

import pytest

from costopt.providers.aws.advice import CALLS
from costopt.providers.gcp.advice import RECOMMENDERS
from costopt.report.vendor.advice import TELLS
from tests.report.vendor.beside import advice, beside, compared, machine, only, ours, told
from tests.rules.builders import samples

HERE: dict[str, Any] = {"region_id": "europe-west1", "attributes": {"zone": "europe-west1-b"}}
SIZES = "google.compute.instance.MachineTypeRecommender"
ENDS = "google.compute.instance.IdleResourceRecommender"


def test_of_every_call_of_a_provider_it_is_known_what_it_tells() -> None:
    aws = {call.operation.removeprefix("get_") for call in CALLS}
    assert TELLS.keys() == aws | {one.name for one in RECOMMENDERS}


@pytest.mark.parametrize(
    ("scope", "says"),
    [
        (f"europe-west1-b {SIZES}", True),
        (f"europe-west1-b {ENDS}", False),  # the other was refused
        ("europe-west1-b google.compute.disk.IdleResourceRecommender", False),
        (f"europe-west1-c {SIZES}", False),  # this zone's call failed
        (f"europe-west12-a {SIZES}", False),
        ("europe-west1 ec2_instance_recommendations", True),
        ("europe-west1 idle_recommendations", False),
        ("europe-west1 of some other vendor", True),
        ("", True),
    ],
)
def test_only_who_was_asked_for_such_advice_there_says_nothing(scope: str, says: bool) -> None:
    found = beside(machine(**HERE), told(scopes=(scope,)))
    assert [row.verdict for row in found.rows] == ["only us"] * says
    left_out = (
        "1 resource on which costopt has advice, and no vendor could be asked for any: left out"
    )
    assert (left_out in found.notes) is not says


@pytest.mark.parametrize(("call", "says"), [(SIZES, False), (ENDS, True)])
def test_silence_on_what_we_would_stop(call: str, says: bool) -> None:
    quiet = {name: samples(28, 5, spread=1) for name in ("network_in", "network_out")}
    one = machine(level=0.3, metrics=quiet, **HERE)
    assert ours(one).action_type == "Stop"
    assert bool(beside(one, told(scopes=(f"europe-west1-b {call}",))).rows) is says


def test_a_word_that_is_no_advice_needs_no_silence() -> None:
    """Of two calls one was refused; the other finds the machine right as it is."""
    quiet = {name: samples(28, 5, spread=1) for name in ("network_in", "network_out")}
    one = machine(level=0.3, metrics=quiet, region_id="us-east-1")
    kept = advice("keep", x_Finding="Optimized")
    found = beside(one, told(kept, scopes=("us-east-1 ec2_instance_recommendations",)))
    assert only(found).why.startswith("AWS Compute Optimizer finds it Optimized over 14 days")


def test_of_several_the_most_far_reaching_is_compared() -> None:
    row = only(compared(machine(), advice(to="m6i.xlarge"), advice("stop", x_Finding="Idle")))
    assert row.theirs.action == "stop"
    assert "costopt takes m6i.large: CPU P99.5 is" in row.why
    assert "costopt finds it in use" in row.why
