"""Whether a workload may be interrupted at any minute, as spot machines are: yes, no, or unknown.

People know; so a tag decides, except that what keeps data is never interrupted, whatever its tag
says. Where nobody said, only what looks like a batch is taken for one: it runs and pauses, and not
by people's hours; it is busy while it runs; it serves nobody, and keeps nothing. Being wrong costs
an outage, staying a few dollars: any doubt is "unknown".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from pydantic import Field

from costopt.model import Profile, Resource, is_stopped
from costopt.rules import roles
from costopt.rules.base import Case, RuleSettings
from costopt.schema import WEEK_SLOTS
from costopt.units import counted

_YES: Final = frozenset({"", "1", "on", "true", "y", "yes"})
_NO: Final = frozenset({"0", "false", "n", "never", "no", "off"})

# Words of names and tags for what keeps data. Those of roles.standby_word that stand by without
# keeping any (a bastion, a proxy) also keep a machine from looking like a batch, but a tag wins.
_KEEPS: Final = re.compile(
    r"""(?<![a-z])(
      activemq | broker | cache | cassandra | ceph | clickhouse | cockroach | consul | couchbase
    | couchdb | database | datanode | db | druid | elasticsearch | etcd | fileserver | ftp | gitlab
    | gluster | hana | influx | influxdb | kafka | ldap | mariadb | memcached | minio | mongo
    | mongodb | mq | mssql | mysql | namenode | nats | neo4j | nfs | opensearch | oracle | pg
    | postgres | postgresql | pulsar | rabbitmq | redis | registry | scylla | sftp | solr | sql
    | stateful | storage | timescale | valkey | vault | zookeeper
    )(?![a-z])""",
    re.VERBOSE,
)

_PAUSED: Final = 0.5
"""Of its samples, at least, under 5 % CPU: it runs less than half of the time."""
_PAUSE_HOURS: Final = 4.0
_BUSY_PERCENT: Final = 30.0
_QUIET: Final = 10_000.0
"""Bytes a second (0.9 GB a day). Of the demo fleet's machines those that serve send 25 kB/s and
more in the median minute, those that only compute at most 7; 5 MB a day, which AWS calls idle,
is 58 B/s and monitoring alone is more."""
_WRITES: Final = 100_000.0
"""Bytes a second to disk in the median minute, which is a pause: logs write less, engines more."""


class Answer(StrEnum):
    """May it be interrupted?"""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Basis(StrEnum):
    """What an answer rests on."""

    SAID = "said"  # a tag
    SPOT = "spot"  # it, or its like, runs on spot already
    ROLE = "role"  # its name, tags, service or kind
    SHAPE = "shape"  # what was measured


@dataclass(frozen=True, slots=True)
class Interruptibility:
    """The answer, why, and what it rests on."""

    answer: Answer
    basis: Basis
    reason: str  # for people: part of a sentence about the machine


class InterruptibleSettings(RuleSettings):
    """Which tags say what a machine puts up with."""

    interruptible_tags: tuple[str, ...] = Field(
        ("interruptible", "preemptible", "fault-tolerant"),
        description="tags by which people say that a machine may be interrupted at any minute "
        "(yes, true, or no value) or never (no, false); or key=value, which says that it may",
    )
    checkpoint_tags: tuple[str, ...] = Field(
        ("checkpoint", "checkpoints", "checkpointed"),
        description="tags by which people say that a GPU machine saves checkpoints",
    )


def interruptible(
    case: Case, settings: InterruptibleSettings, beside: Sequence[Resource] = ()
) -> Interruptibility:
    """Whether that machine's work may be interrupted.

    Args:
        beside: the other machines of its group (scaling group, or the same work by its tags).
    """
    said = _said(case.resource, settings.interruptible_tags)
    if said is False:
        return _no(Basis.SAID, "its tags say that it may not be interrupted")
    if kept := _keeps(case.resource):
        marked = "; the tag that says otherwise does not count" if said else ""
        return _no(Basis.ROLE, f"{kept}, and what keeps data is never interrupted{marked}")
    if said:
        return _yes(Basis.SAID, "its tags say that it may be interrupted")
    return _on_spot(case.resource, beside) or _by_kind(case, settings) or _looks(case, beside)


def _said(resource: Resource, tags: Sequence[str]) -> bool | None:
    """What its tags say; no wins over yes; None = nothing, or nothing that is a yes or a no."""
    given = {key.casefold(): value.strip().casefold() for key, value in resource.tags.items()}
    answers = set()
    for tag in tags:
        key, equals, wanted = tag.casefold().partition("=")
        value = given.get(key.strip())
        if value is None:
            continue
        if equals:
            answers |= {True} if value == wanted.strip() else set()
        else:
            answers |= {True} if value in _YES else {False} if value in _NO else set()
    return False if False in answers else True if answers else None


def _keeps(resource: Resource) -> str | None:
    """What it is, where its service, name, tags or image say that it keeps data."""
    if service := roles.managed_service(resource):
        return f"it is a managed service ({service})"
    images = (resource.attributes.get(key, "") for key in ("image", "license", "os_image"))
    texts = (resource.resource_name or "", *sorted(resource.tags.values()), *images)
    found = _KEEPS.search(" ".join(texts).casefold())
    return f"its name, tags or image say {found[1]!r}" if found else None


def _on_spot(resource: Resource, beside: Sequence[Resource]) -> Interruptibility | None:
    if resource.pricing_category == "Dynamic":
        return _yes(Basis.SPOT, "it runs on spot already")
    if count := sum(one.pricing_category == "Dynamic" for one in beside):
        return _yes(Basis.SPOT, f"{count} of the {len(beside)} beside it run on spot already")
    return None


def _by_kind(case: Case, settings: InterruptibleSettings) -> Interruptibility | None:
    if word := roles.standby_word(case.resource):
        return _no(Basis.ROLE, f"its name or tags say {word!r}: others may rely on its being there")
    if not case.gpu_count:
        return None
    if _said(case.resource, settings.checkpoint_tags):
        return _yes(Basis.SAID, "its tags say that it saves checkpoints")
    return _no(
        Basis.ROLE,
        "it has GPUs and no tag says that it saves checkpoints, so days of work could be lost",
    )


def _looks(case: Case, beside: Sequence[Resource]) -> Interruptibility:
    """By what was measured: every test must be passed, the first that is not is the reason."""
    if is_stopped(case.resource):
        return _unknown(f"its state is {case.resource.state}")
    many = bool(case.resource.scaling_group) and len(beside) > 0
    if answer := _serves(case, many) or _keeps_files(case, many):
        return answer
    if many:
        others = counted(len(beside), "other")
        return _yes(
            Basis.SHAPE,
            f"it is one of a scaling group that makes up for lost members ({others}), and serves "
            "nobody",
        )
    return _batch(case)


def _serves(case: Case, many: bool) -> Interruptibility | None:
    requests, sent = case.profile("request_rate"), case.profile("network_out")
    if requests and requests.mean > 0:
        told = f"it answers requests ({requests.mean:.3g} a second)"
    elif sent is None:
        return _unknown("what it sends is not measured, so whether it serves anybody is not known")
    elif sent.p50 > _QUIET:
        told = f"it sends steadily ({sent.p50 / 1000:,.0f} kB/s in the median minute)"
    else:
        return None
    if many:
        return _unknown(f"{told}; of a group, a part could be on spot: tag it if so")
    return _no(Basis.SHAPE, f"{told}, so it serves somebody")


def _keeps_files(case: Case, many: bool) -> Interruptibility | None:
    written = case.profile("disk_write")
    if not many and written is not None and written.p50 > _WRITES:
        return _unknown(
            f"it writes to its disk steadily ({written.p50 / 1000:,.0f} kB/s in the median "
            "minute), so it may keep something"
        )
    if case.shape is not None and case.shape.local_disk_gib:
        return _unknown("it has local disks, and what is on them is lost with the machine")
    return None


def _batch(case: Case) -> Interruptibility:
    cpu = case.profile("cpu_utilization")
    if cpu is None:
        return _unknown("its CPU is not measured well enough to see whether it runs and pauses")
    paused, pause = cpu.share_under_5 or 0.0, (cpu.longest_idle_seconds or 0) / 3600
    if paused < _PAUSED or pause < _PAUSE_HOURS:
        return _unknown(
            "it does not run and pause as a batch does; if it may be interrupted, tag it"
        )
    if cpu.p99 < _BUSY_PERCENT:
        return _unknown(f"it is hardly ever busy (CPU P99 {cpu.p99:.3g} %), so it is no batch")
    by_day = _by_day(cpu)
    if np.isnan(by_day) or by_day > _EVEN:
        return _unknown(
            f"it works at people's hours ({100 * by_day:.0f} % of its CPU on weekdays from 8 to "
            "20), so somebody may be working on it"
        )
    return _yes(
        Basis.SHAPE,
        f"it looks like a batch: it pauses {100 * paused:.0f} % of the time, is busy when it runs "
        f"(CPU P99 {cpu.p99:.3g} %), works outside people's hours and sends nearly nothing",
    )


_DAY: Final = np.zeros((7, 24), bool)
_DAY[:5, 8:20] = True
_EVEN: Final = float(_DAY.sum()) / WEEK_SLOTS
"""Share of the week's hours that are weekdays from 8 to 20: what steady work would fall into."""


def _by_day(cpu: Profile) -> float:
    """Share of its CPU time on weekdays from 8 to 20 of its own clock; NaN = no such hours seen."""
    week = np.nan_to_num(np.asarray(cpu.week_mean, np.float64).reshape(7, 24))
    total = float(week.sum())
    return float(week[_DAY].sum()) / total if total else np.nan


def _yes(basis: Basis, reason: str) -> Interruptibility:
    return Interruptibility(Answer.YES, basis, reason)


def _no(basis: Basis, reason: str) -> Interruptibility:
    return Interruptibility(Answer.NO, basis, reason)


def _unknown(reason: str) -> Interruptibility:
    return Interruptibility(Answer.UNKNOWN, Basis.SHAPE, reason)
