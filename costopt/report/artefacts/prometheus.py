"""Guards as Prometheus alerting rules over node_exporter's metrics: the rule itself, exactly.

The rule is evaluated once a period, so that a fleet's rules do not weigh on the server: each reads
the whole horizon. The server must keep its data as long as that (15 days by default).

Source: prometheus.io, Alerting rules; node_exporter's metric names; RE2 syntax for matchers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final

import yaml

from costopt.report.artefacts.base import Artefact, Watch, rule
from costopt.report.artefacts.promql import averaged, counted, span

FILE: Final = "prometheus-rules.yml"
_DEPLOY: Final = f"promtool check rules DIR/{FILE}, then name it under rule_files and reload"
_SPECIAL: Final = re.compile(r"[\\.+*?()|\[\]{}^$]")  # what RE2's QuoteMeta escapes
_UNREADABLE: Final = re.compile("[\ud800-\udfff\ufffd]")  # what PromQL refuses in a string


def artefacts(watches: Sequence[Watch], instance_label: str) -> list[Artefact]:
    """One file of rules, a group a machine and metric; none without guards.

    Args:
        instance_label: the label whose value is a machine's name or id, with or without a port.
    """
    if not watches:
        return []
    groups = [_group(watch, instance_label) for watch in watches]
    text = yaml.dump({"groups": groups}, Dumper=_Dumper, sort_keys=False, width=1000)
    return [Artefact(FILE, text.encode(), _DEPLOY)]


def _group(watch: Watch, label: str) -> dict[str, Any]:
    alert = {
        "alert": watch.name.replace("-", "_"),
        "expr": _Block(counted(_value(watch, label), watch)),
        "labels": {
            "severity": "warning",
            "costopt_recommendation": watch.recommendation.recommendation_id,
        },
        "annotations": {
            "summary": _literal(f"{watch.label}: undo the resize, {watch.metric} is short"),
            "description": _literal(rule(watch)),
        },
    }
    return {"name": watch.name, "interval": span(watch.guard.period_seconds), "rules": [alert]}


def _value(watch: Watch, label: str) -> str:
    """Mean in percent over the last period, of whichever target has the machine's name or id."""
    period = span(watch.guard.period_seconds)
    machine = f"{label}=~{_quoted(_either(watch))}"
    if watch.metric == "CPU":
        # waiting for a disk is no use of a CPU: as `costopt collect prometheus` counts
        idle = f'rate(node_cpu_seconds_total{{mode=~"idle|iowait", {machine}}}[{period}])'
        return f"100 * (1 - avg by ({label}) (sum without (mode) ({idle})))"
    free, whole = (
        f"avg by ({label}) ({averaged(f'node_memory_{name}_bytes{{{machine}}}', watch)})"
        for name in ("MemAvailable", "MemTotal")
    )
    return f"100 * (1 - {free} / {whole})"


def _either(watch: Watch) -> str:
    one = watch.recommendation
    names = dict.fromkeys(name for name in (one.resource_name, one.resource_id) if name)
    found = "|".join(_UNREADABLE.sub(".", _SPECIAL.sub(r"\\\g<0>", name)) for name in names)
    return f"(?:{found})(?::[0-9]+)?"


def _quoted(text: str) -> str:
    """A PromQL string: JSON's escapes are all Go's."""
    return json.dumps(text, ensure_ascii=False)


def _literal(text: str) -> str:
    """Text in which Go's template language has nothing to run."""
    return text.replace("{{", '{{ "{{" }}')


class _Block(str):
    """Text that YAML shows line by line."""

    __slots__ = ()


class _Dumper(yaml.SafeDumper):
    """SafeDumper with blocks, and without anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _block(dumper: yaml.SafeDumper, text: _Block) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style="|")


_Dumper.add_representer(_Block, _block)
