"""What can be plugged in, by kind and name: providers, rules, report formats.

Built-ins are named here as text and imported only when asked for, so that listing them costs
nothing and no SDK is loaded. Other packages add theirs by entry points in the group
`costopt.<kind>`; a name they share with a built-in is an error, not an override.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Any, Final

from costopt.errors import ConfigError

BUILTIN: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "provider": {
            "aws": "costopt.providers.aws:AwsProvider",
            "azure": "costopt.providers.azure:AzureProvider",
            "demo": "costopt.providers.demo:DemoProvider",
            "files": "costopt.providers.files:FilesProvider",
            "gcp": "costopt.providers.gcp:GcpProvider",
            "prometheus": "costopt.providers.prometheus:PrometheusProvider",
        },
        "price-list": {
            "digitalocean": "costopt.providers.lists.digitalocean:LISTING",
            "exoscale": "costopt.providers.lists.exoscale:LISTING",
            "hetzner": "costopt.providers.lists.hetzner:LISTING",
            "linode": "costopt.providers.lists.linode:LISTING",
            "ovh": "costopt.providers.lists.ovh:LISTING",
            "scaleway": "costopt.providers.lists.scaleway:LISTING",
            "stackit": "costopt.providers.lists.stackit:LISTING",
            "vultr": "costopt.providers.lists.vultr:LISTING",
        },
        "rule": {
            "idle": "costopt.rules.idle:Idle",
            "rightsize": "costopt.rules.rightsize:Rightsize",
            "schedule": "costopt.rules.schedule:Schedule",
        },
        "format": {
            "table": "costopt.report.text:render",
            "json": "costopt.report.json:render",
            "csv": "costopt.report.csv:render",
            "markdown": "costopt.report.markdown:render",
        },
        "check-format": {
            "github": "costopt.report.check.github:render",
            "gitlab": "costopt.report.check.gitlab:render",
            "json": "costopt.report.check.json:render",
            "junit": "costopt.report.check.junit:render",
            "markdown": "costopt.report.check.markdown:render",
            "sarif": "costopt.report.check.sarif:render",
        },
    }
)


def names(kind: str) -> tuple[str, ...]:
    """Every name of that kind, sorted: built-ins and entry points."""
    return tuple(sorted({*BUILTIN.get(kind, {}), *_entry_points(kind)}))


def find(kind: str, name: str) -> Any:
    """The object registered under that kind and name.

    Raises:
        ConfigError: no such name; the message lists what there is and the nearest.
    """
    target = _entry_points(kind).get(name) or BUILTIN.get(kind, {}).get(name)
    if target is None:
        raise ConfigError(f"no {kind} named {name!r}", hint=suggest(name, names(kind)))
    module, _, attribute = target.partition(":")
    return getattr(import_module(module), attribute)


@cache
def _entry_points(kind: str) -> dict[str, str]:
    """Looked for once: every installed package's list is read, which takes 10 ms."""
    found = {point.name: point.value for point in entry_points(group=f"costopt.{kind}")}
    if shared := sorted(found.keys() & BUILTIN.get(kind, {}).keys()):
        raise ConfigError(
            f"an installed package registers the {kind} {shared[0]!r}, which is built in",
            hint="uninstall it, or ask its author to choose another name",
        )
    return found


def suggest(name: str, known: Iterable[str]) -> str:
    """For an error's hint: the nearest of the known names, and all of them."""
    options = list(known)
    nearest = get_close_matches(name, options, n=1)
    listed = "one of: " + ", ".join(options)
    return f"did you mean {nearest[0]!r}? {listed}" if nearest else listed
