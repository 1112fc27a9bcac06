"""A plan's configuration: what stands in the files, as far as it helps to tell what is planned.

The plan itself does not say in which region a resource will be, nor which launch template a group
has that is made along with it: both are found by the expressions here. An expression counts where
it is constant, or one variable whose value the plan tells; others are unknown, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

_INDEX: Final = re.compile(r"\[(?:\"(?:[^\"\\]|\\.)*\"|\d+)\]")
_MODULE: Final = re.compile(r"module\.([^.\[]+)\.?")
_DEEPEST: Final = 50
"""Variables handed on through so many modules at most: none of these comes near."""


def unindexed(address: str) -> str:
    """The address without its indices: module.web["a"].aws_instance.app[0] -> ..."""
    return _INDEX.sub("", address)


def modules_of(address: str) -> tuple[str, ...]:
    """Names of the modules that an address goes through, the outermost first."""
    return _split(address)[0]


def _split(address: str) -> tuple[tuple[str, ...], str]:
    """The modules, and what is left: kind and name."""
    left, modules = unindexed(address), []
    at = 0
    while match := _MODULE.match(left, at):
        modules.append(match[1])
        at = match.end()
    return tuple(modules), left[at:]


@dataclass(frozen=True, slots=True, eq=False)
class Configuration:
    """The plan's `configuration` and `variables`. Whatever is not as it should be is not there."""

    root: Mapping[str, Any]
    providers: Mapping[str, Any]
    variables: Mapping[str, Any]
    _resources: dict[tuple[str, ...], Mapping[str, Any]] = field(default_factory=dict)
    _agreed: dict[tuple[str, str], str | None] = field(default_factory=dict)

    @classmethod
    def of(cls, plan: Mapping[str, Any]) -> Configuration:
        """Of a whole plan."""
        found = _map(plan.get("configuration"))
        return cls(
            _map(found.get("root_module")),
            _map(found.get("provider_config")),
            _map(plan.get("variables")),
        )

    def setting(self, address: str, kind: str, name: str) -> str | None:
        """What the provider of a resource is configured with, as text; None = not known."""
        modules = modules_of(address)
        if len(modules) > _DEEPEST:
            return None
        told_key = self._resource(address).get("provider_config_key")
        key = told_key if isinstance(told_key, str) else kind.partition("_")[0]
        local = key.rsplit(":", 1)[-1]
        # Each with the module in which its expressions stand.
        scopes = {
            candidate: modules[:depth]
            for depth in range(len(modules), 0, -1)
            for candidate in _module_keys(modules[:depth], local)
        }
        if told_key or not modules:
            scopes = {key: scopes.get(key, ()), **scopes}
        for candidate, scope in scopes.items():
            told = _map(_map(self.providers.get(candidate)).get("expressions"))
            if name in told:
                return self._value(told[name], scope)
        if not modules and local in self.providers:
            return None  # it has one, which does not say
        return self._common(local.split(".")[0], name)

    def references(self, address: str, name: str) -> tuple[str, ...]:
        """What an attribute of a resource, or anything in a block of it, is made from."""
        told = _map(self._resource(address).get("expressions"))
        return tuple(_references(told.get(name)))

    def _common(self, provider: str, name: str) -> str | None:
        """What all configurations of the provider in the root agree on: which of them a module was
        handed is not told before Terraform 1.1."""
        if (provider, name) not in self._agreed:
            found = {
                self._value(_map(_map(entry).get("expressions")).get(name), ())
                for key, entry in self.providers.items()
                if ":" not in key and key.split(".")[0] == provider
            }
            self._agreed[provider, name] = found.pop() if len(found) == 1 else None
        return self._agreed[provider, name]

    def _resource(self, address: str) -> Mapping[str, Any]:
        modules, last = _split(address)
        if modules not in self._resources:
            every = [_map(one) for one in _list(self._module(modules).get("resources"))]
            self._resources[modules] = {str(one.get("address")): one for one in every}
        return _map(self._resources[modules].get(last))

    def _module(self, names: tuple[str, ...]) -> Mapping[str, Any]:
        found = self.root
        for name in names:
            found = _map(_map(_map(found.get("module_calls")).get(name)).get("module"))
        return found

    def _value(self, expression: Any, modules: tuple[str, ...], depth: int = 0) -> str | None:
        """An expression of a module's, where it is constant or one variable."""
        told = _map(expression)
        if "constant_value" in told:
            value = told["constant_value"]
            return value if isinstance(value, str) else None
        names = _list(told.get("references"))
        one = names[0] if len(names) == 1 and isinstance(names[0], str) else ""
        if not re.fullmatch(r"var\.[\w-]+", one) or depth >= _DEEPEST:
            return None
        return self._variable(one.removeprefix("var."), modules, depth)

    def _variable(self, name: str, modules: tuple[str, ...], depth: int) -> str | None:
        if not modules:
            value = _map(self.variables.get(name)).get("value")
            return value if isinstance(value, str) else self._default(name, modules)
        outer = self._module(modules[:-1])
        call = _map(_map(outer.get("module_calls")).get(modules[-1]))
        given = _map(call.get("expressions"))
        if name in given:
            return self._value(given[name], modules[:-1], depth + 1)
        return self._default(name, modules)

    def _default(self, name: str, modules: tuple[str, ...]) -> str | None:
        module = self._module(modules)
        value = _map(_map(module.get("variables")).get(name)).get("default")
        return value if isinstance(value, str) else None


def _module_keys(modules: tuple[str, ...], local: str) -> tuple[str, ...]:
    """Of a module's own configuration, as Terraform from 0.13 on and as 0.12 call it."""
    whole = ".".join(f"module.{name}" for name in modules)
    return f"{whole}:{local}", f"{modules[-1]}:{local}"


def _references(expression: Any, depth: int = 0) -> Iterator[str]:
    if depth > _DEEPEST:
        return
    if isinstance(expression, list):
        for one in expression:
            yield from _references(one, depth + 1)
    elif isinstance(expression, Mapping):
        for name, one in expression.items():
            if name == "references":
                yield from (text for text in _list(one) if isinstance(text, str))
            else:
                yield from _references(one, depth + 1)


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
