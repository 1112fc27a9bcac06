"""`terraform show -json` (and OpenTofu's `tofu show -json`) of a plan: what it would change.

Read are format_version 0.1 (Terraform 0.12) to 1.x, which are additive:
developer.hashicorp.com/terraform/internals/json-format (read 2026-11).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from costopt.errors import InputError
from costopt.policy.planned import document
from costopt.policy.planned.configuration import Configuration, unindexed
from costopt.policy.planned.values import Values, plain

Action: TypeAlias = Literal["create", "update", "delete", "replace", "no-op"]
Side: TypeAlias = Literal["before", "after"]

_ACTIONS: Final[Mapping[tuple[str, ...], Action]] = {
    ("no-op",): "no-op",
    ("create",): "create",
    ("update",): "update",
    ("delete",): "delete",
    ("create", "delete"): "replace",
    ("delete", "create"): "replace",
    ("forget",): "no-op",  # Terraform 1.7: it leaves the state and stays where it is
    ("create", "forget"): "create",
}
_NOT_CHANGED: Final = frozenset({("read",), ("open",)})
"""Data sources and ephemeral resources: nothing that is billed comes of them."""
_PROVIDERS: Final = {
    "aws": "AWS", "awscc": "AWS", "google": "GCP", "google-beta": "GCP",
    "azurerm": "Azure", "azapi": "Azure",
}  # fmt: skip
_HINT: Final = "make it with: terraform show -json plan.bin > plan.json"
_VERSION: Final = re.compile(r"(0|1)\.\d{1,6}")


@dataclass(frozen=True, slots=True, eq=False)
class Planned:
    """One resource of the plan, before and after."""

    address: str
    kind: str  # aws_instance
    provider: str  # AWS, GCP, Azure; others as Terraform calls them
    action: Action
    before: Values | None  # None = it is not there yet
    after: Values | None  # None = it goes

    def values(self, side: Side) -> Values | None:
        """Those of before, or of after."""
        return self.before if side == "before" else self.after


@dataclass(frozen=True, eq=False)
class Plan:
    """What a plan holds."""

    every: tuple[Planned, ...]  # with what stays as it is
    configuration: Configuration

    @property
    def changes(self) -> tuple[Planned, ...]:
        """Those that change."""
        return tuple(one for one in self.every if one.action != "no-op")

    def referred(self, one: Planned, name: str, kinds: tuple[str, ...]) -> Planned | None:
        """The resource of the plan that an attribute of another is made from, by its files.

        Returns:
            None where there is none of these kinds, or several that it could be.
        """
        for reference in self.configuration.references(one.address, name):
            kind, _, rest = unindexed(reference).partition(".")
            if kind in kinds:
                return self._at(f"{_module(one.address)}{kind}.{rest.split('.')[0]}", one)
        return None

    def called(self, kind: str, name: str, value: str) -> Planned | None:
        """The resource of that kind with that attribute, before or after."""
        return self._by_value.get((kind, name, value))

    def _at(self, place: str, beside: Planned) -> Planned | None:
        """What stands there: of several, the one with the index of that which asks for it."""
        found = self._by_place.get(place, {})
        if len(found) == 1:
            return next(iter(found.values()))
        return found.get(_index(beside.address))

    @cached_property
    def _by_place(self) -> dict[str, dict[str, Planned]]:
        """By its address without its own index, then by that."""
        found: dict[str, dict[str, Planned]] = {}
        for one in self.every:
            place = f"{_module(one.address)}{_last(one.address)}"
            found.setdefault(place, {})[_index(one.address)] = one
        return found

    @cached_property
    def _by_value(self) -> dict[tuple[str, str, str], Planned]:
        return {
            (one.kind, name, value): one
            for one in self.every
            if one.kind in _ASKED_FOR
            for values in (one.before, one.after)
            if values
            for name in ("id", "name", "self_link")
            if (value := values.text(name))
        }


_ASKED_FOR: Final = frozenset(
    {
        "aws_launch_template", "aws_launch_configuration", "azurerm_kubernetes_cluster",
        "google_compute_instance_template", "google_compute_region_instance_template",
        "google_container_cluster",
    }
)  # fmt: skip


def read(path: Path) -> Plan:
    """The plan that a file holds.

    Raises:
        InputError: it is no plan: what is wrong, and where in it.
    """
    return plan_of(document.read(path), str(path))


def plan_of(told: Mapping[str, Any], where: str) -> Plan:
    """The plan that an object is.

    Args:
        where: what people call it.
    Raises:
        InputError: it is none.
    """
    version = told.get("format_version")
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        what = "not a Terraform plan: needs a format_version from 0.1 to 1.x"
        raise InputError(what, where=where, hint=_HINT)
    if "resource_changes" not in told and "values" in told and "planned_values" not in told:
        raise InputError("a state, not a plan", where=where, hint=_HINT)
    changes = told.get("resource_changes") or []
    if not isinstance(changes, list):
        raise InputError("needs a list", where=f"{where}: resource_changes", hint=_HINT)
    return Plan(tuple(_every(changes, where)), Configuration.of(told))


def _every(changes: list[Any], where: str) -> Iterator[Planned]:
    seen: set[str] = set()
    for number, one in enumerate(changes):
        place = f"{where}: resource_changes.{number}"
        if not isinstance(one, Mapping):
            raise InputError("needs an object", where=place, hint=_HINT)
        planned = _planned(one, place)
        if planned is None or "deposed" in one:
            continue  # a deposed object is the rest of a replacement that failed halfway
        if planned.address in seen:
            raise InputError(f"{planned.address!r} stands twice", where=place)
        seen.add(planned.address)
        yield planned


def _planned(one: Mapping[str, Any], place: str) -> Planned | None:
    """None of a data source."""
    address, kind = _needed(one, "address", place), _needed(one, "type", place)
    change = one.get("change")
    if not isinstance(change, Mapping):
        raise InputError("needs an object", where=f"{place}.change", hint=_HINT)
    actions = change.get("actions")
    if not isinstance(actions, list) or not all(isinstance(text, str) for text in actions):
        raise InputError("needs a list of actions", where=f"{place}.change.actions", hint=_HINT)
    if one.get("mode") == "data" or tuple(actions) in _NOT_CHANGED:
        return None
    action = _ACTIONS.get(tuple(actions))
    if action is None:
        known = "create, update, delete, both delete and create, or no-op"
        raise InputError(
            f"no actions of a plan; there are {known}", where=f"{place}.change.actions"
        )
    before = _values(change, "before", None, f"{place} ({address}).before")
    unknown = change.get("after_unknown")
    after = _values(change, "after", unknown, f"{place} ({address}).after")
    return Planned(address, kind, _provider(one, kind), action, before, after)


def _needed(one: Mapping[str, Any], name: str, place: str) -> str:
    value = one.get(name)
    if not isinstance(value, str) or not value:
        raise InputError("needs a text", where=f"{place}.{name}", hint=_HINT)
    return plain(value)


def _values(change: Mapping[str, Any], name: Side, unknown: Any, where: str) -> Values | None:
    value = change.get(name)
    if value is None:
        return Values({}, True, where) if unknown is True else None
    if not isinstance(value, Mapping):
        raise InputError("needs an object", where=where, hint=_HINT)
    return Values(value, unknown, where)


def _provider(one: Mapping[str, Any], kind: str) -> str:
    """By its source (registry.terraform.io/hashicorp/aws; 0.12: aws), else by the kind."""
    given = one.get("provider_name")
    name = given.rsplit("/", 1)[-1] if isinstance(given, str) and given else kind.partition("_")[0]
    return _PROVIDERS.get(name, plain(name))


def _module(address: str) -> str:
    """What stands before kind and name, with its indices: module.web["a"]."""
    own = _last(address)
    return address[: len(address) - len(own) - len(_index(address))]


def _last(address: str) -> str:
    """Kind and name."""
    return ".".join(unindexed(address).split(".")[-2:])


def _index(address: str) -> str:
    """The last index: [0], ["a"], or nothing."""
    match = re.search(r"\[(?:\"(?:[^\"\\]|\\.)*\"|\d+)\]$", address)
    return match[0] if match else ""
