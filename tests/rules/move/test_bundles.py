"""What moves together, and what it is called."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from costopt.model import Resource
from costopt.rules.move.bundles import bundles
from costopt.rules.move.disks import Disks
from costopt.rules.move.settings import MoveSettings

SETTINGS = MoveSettings()


def vm(name: str, region: str = "alba", **fields: Any) -> Resource:
    return Resource(name, "Acme", resource_name=name, region_id=region, **fields)


def tagged(name: str, region: str = "alba", **tags: str) -> Resource:
    return vm(name, region, tags=tags)


def labels(*machines: Resource, shared: tuple[tuple[str, ...], ...] = ()) -> dict[str, str]:
    return {name: one.label for name, one in bundles(machines, shared, SETTINGS).items()}


def test_a_label_is_the_tags_value_whatever_is_in_it() -> None:
    evil = 'ho"st\n${x} %s|<script>, =evil'
    assert labels(tagged("a", app=evil), vm("b")) == {"a": evil, "b": "b"}


def test_two_tags_of_one_value_are_told_apart_by_the_tag() -> None:
    found = labels(tagged("a", app="web"), tagged("b", service="web"), tagged("c", app="db"))
    assert found == {"a": "app=web", "b": "service=web", "c": "db"}


def test_one_app_in_two_places_is_told_apart_by_the_place() -> None:
    found = labels(tagged("a", app="web"), tagged("b", "brno", app="web"), tagged("c", app="web"))
    assert found == {"a": "web in acme/alba", "b": "web in acme/brno", "c": "web in acme/alba"}


def test_accounts_are_places_too() -> None:
    first, second = (
        replace(tagged(name, app="web"), sub_account_id=name) for name in ("one", "two")
    )
    assert labels(first, second) == {
        "one": "web in acme/alba (one)",
        "two": "web in acme/alba (two)",
    }


def test_machines_of_one_name_are_called_by_their_ids() -> None:
    twins = [replace(vm(name), resource_name="web") for name in ("i-1", "i-2")]
    assert labels(*twins) == {"i-1": "i-1", "i-2": "i-2"}


def test_who_shares_a_disk_is_tied_with_all_of_its_group() -> None:
    fleet = tagged("a", app="web"), tagged("b", app="web"), tagged("c", app="db"), vm("d"), vm("e")
    found = bundles(fleet, [("a", "c"), ("c", "d")], SETTINGS)
    assert len({found[name] for name in "abcd"}) == 1
    assert found["a"].label == "db + web + d"
    assert found["e"].label == "e"


def test_no_disk_is_in_two_regions() -> None:
    found = bundles([vm("a"), vm("b", "brno")], [("a", "b", "nobody")], SETTINGS)
    assert found["a"] != found["b"]


def test_a_scaling_group_with_a_hostile_name_is_no_app() -> None:
    fake = vm("g", scaling_group="app=web", resource_type="VirtualMachine")
    found = bundles([tagged("a", app="web"), fake], (), SETTINGS)
    assert found["a"].name != found["g"].name
    assert found["a"].label != found["g"].label


def test_a_shared_disk_counts_once() -> None:
    def disk(name: str, size: str | None, holders: str) -> Resource:
        size_told = {"size_gib": size} if size else {}
        return Resource(name, "Acme", attributes={**size_told, "attached_to": holders})

    every = [vm("a"), vm("b"), vm("c", state="stopped"), disk("d1", "100", "a, b"),
             disk("d2", "30", "a"), disk("d3", "50", "c,b")]  # fmt: skip
    found = Disks.of({one.resource_id: one for one in every}, ended=())
    assert found.stored == {"a": 80.0, "b": 100.0}
    assert found.shared == (("a", "b"),)
    alone = Disks.of({one.resource_id: one for one in every}, ended=["a"])
    assert alone.stored == {"a": 30.0, "b": 150.0}
    assert alone.shared == ()


words = st.sampled_from(["web", "db", "app=web", "web, acme/alba", "web in acme/alba", ""])
machines = st.builds(
    lambda tag, value, region, name: (tag, value, region, name),
    st.sampled_from(["app", "service", "other"]), words, st.sampled_from(["alba", "brno"]), words,
)  # fmt: skip


@given(st.lists(machines, max_size=8), st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7))))
def test_no_two_bundles_are_called_alike_and_order_is_nothing(
    told: list[tuple[str, str, str, str]], pairs: list[tuple[int, int]]
) -> None:
    fleet = [
        Resource(f"i-{n}", "Acme", resource_name=name, region_id=region, tags={tag: value})
        for n, (tag, value, region, name) in enumerate(told)
    ]
    shared = [(f"i-{one}", f"i-{other}") for one, other in pairs]
    found = bundles(fleet, shared, SETTINGS)
    every = set(found.values())
    assert len({one.name for one in every}) == len({one.label for one in every}) == len(every)
    assert bundles(fleet[::-1], shared[::-1], SETTINGS) == found
