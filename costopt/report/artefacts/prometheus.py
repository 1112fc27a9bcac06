"""Guards as Prometheus alerting rules over node_exporter's metrics, or cAdvisor's where a node has
no node_exporter: the rule itself, exactly.

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

from costopt.errors import ConfigError
from costopt.report.artefacts.base import Artefact, Watch, rule
from costopt.report.artefacts.promql import averaged, counted, span
from costopt.schema import EXPORTER_TAG, INSTANCE_TAG

FILE: Final = "prometheus-rules.yml"
_DEPLOY: Final = f"promtool check rules DIR/{FILE}, then name it under rule_files and reload"
_NODENAME: Final = "nodename"  # of node_uname_info alone
_SPECIAL: Final = re.compile(r"[\\.+*?()|\[\]{}^$]")  # what RE2's QuoteMeta escapes
_UNREADABLE: Final = re.compile("[\ud800-\udfff\ufffd]")  # what PromQL refuses in a string


def artefacts(watches: Sequence[Watch], instance_label: str) -> list[Artefact]:
    """One file of rules, a group a machine and metric; none without guards.

    Args:
        instance_label: the label whose value is a machine's name or id, with or without a port; the
            instance that a collect has kept beside the machine goes before both.
    Raises:
        ConfigError: a label that none of the metrics bears.
    """
    if not watches:
        return []
    if instance_label == _NODENAME:
        raise ConfigError(
            f"node_exporter's metrics bear no label {_NODENAME!r}, so these rules would never fire",
            where="--instance-label",
            hint="leave it away: machines collected by their nodename carry their instance",
        )
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
    machine = f"{label}=~{_quoted(_target(watch, label))}"
    if watch.recommendation.tags.get(EXPORTER_TAG) == "cadvisor":
        return _root_container(watch, label, machine)
    if watch.metric == "CPU":
        # Waiting for a disk is no use of a CPU; a ratio of rates, as a start or an outage within
        # the period lowers both alike: as `costopt collect prometheus` counts.
        idle, every = (
            f"sum by ({label}) (rate(node_cpu_seconds_total{{{mode}{machine}}}[{period}]))"
            for mode in ('mode=~"idle|iowait", ', "")
        )
        return f"100 * (1 - {idle} / {every})"

    def mean(name: str) -> str:
        return averaged(f"node_memory_{name}_bytes{{{machine}}}", watch)

    # before Linux 3.14 nothing tells what is available
    parts = " + ".join(mean(name) for name in ("MemFree", "Buffers", "Cached"))
    free = f"avg by ({label}) ({mean('MemAvailable')} or {parts})"
    return f"100 * (1 - {free} / avg by ({label}) ({mean('MemTotal')}))"


def _root_container(watch: Watch, label: str, machine: str) -> str:
    """Of a Kubernetes node without node_exporter: by cAdvisor, whose container "/" is the node."""
    root = f'{{id="/", {machine}}}'
    if watch.metric == "CPU":
        period = span(watch.guard.period_seconds)
        used = f"sum without (cpu) (rate(container_cpu_usage_seconds_total{root}[{period}]))"
        size = f"machine_cpu_cores{{{machine}}}"
    else:
        used = averaged(f"container_memory_working_set_bytes{root}", watch)
        size = f"machine_memory_bytes{{{machine}}}"
    return f"100 * avg by ({label}) ({used}) / max by ({label}) ({size})"


def _target(watch: Watch, label: str) -> str:
    """What the label says of the machine: the instance that was collected, else its name or id."""
    one = watch.recommendation
    kept = one.tags.get(INSTANCE_TAG) if label == "instance" else None
    if kept:
        return _pattern(kept)
    names = dict.fromkeys(name for name in (one.resource_name, one.resource_id) if name)
    return f"(?:{'|'.join(map(_pattern, names))})(?::[0-9]+)?"


def _pattern(text: str) -> str:
    """What matches that text alone."""
    return _UNREADABLE.sub(".", _SPECIAL.sub(r"\\\g<0>", text))


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
