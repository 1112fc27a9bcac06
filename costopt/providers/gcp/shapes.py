"""What Compute Engine's machine types are, by machineTypes.list (free, 500 types a page)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Final, NamedTuple

import pyarrow as pa
from google.cloud.compute_v1 import MachineTypesClient

from costopt import schema
from costopt.model import Shape
from costopt.pricing import builtin
from costopt.providers.base import Problem
from costopt.providers.gcp import machine_types
from costopt.providers.gcp.access import Access, told
from costopt.providers.gcp.names import last
from costopt.providers.rows import of_shape

SOURCE: Final = schema.GCP_TYPES
CALL: Final = "compute.machineTypes.list"
_PAGE: Final = 500
_SERIES: Final = re.compile(r"[a-z]\w*")
_ARCHITECTURES: Final = {"ARM64": "arm64", "X86_64": "x86_64"}


class Use(NamedTuple):
    """A machine type in use somewhere."""

    project: str
    zone: str
    instance_type: str


@dataclass
class MachineTypes:
    """The types in use and all of their series, which one may move to; each series is asked for
    once, where it is used."""

    access: Access
    problems: list[Problem]
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By type (schema.SHAPES)."""
    _listed: set[str] = field(default_factory=set)  # series
    _hidden: set[str] = field(default_factory=set)  # projects that do not tell

    def learn(self, uses: Iterable[Use]) -> None:
        """Ask for what is not known yet. A project that refuses is a problem, though not a fatal
        one: other projects are asked, and the built-in shapes stand in."""
        wanted: dict[tuple[str, str], set[str]] = {}
        for use in sorted(set(uses)):
            series = machine_types.series(use.instance_type)
            if (shape := machine_types.custom(use.instance_type)) is not None:
                self._keep(shape)
            if _SERIES.fullmatch(series):
                wanted.setdefault((use.project, use.zone), set()).add(series)
        for (project, zone), all_series in wanted.items():
            lacking = sorted(all_series - self._listed)
            if lacking and project not in self._hidden:
                self._ask(project, zone, lacking)

    def table(self) -> pa.Table:
        """All types learnt (schema.SHAPES), by name."""
        rows = [self.rows[name] for name in sorted(self.rows)]
        return pa.Table.from_pylist(rows, schema=schema.SHAPES)

    def of(self, instance_type: str) -> Mapping[str, Any]:
        """The type's row, else the built-in one, else {}."""
        return self.rows.get(instance_type) or built_in(instance_type)

    def _ask(self, project: str, zone: str, series: list[str]) -> None:
        self._hidden.add(project)
        with told(self.problems, f"{project} {zone} {CALL}", fatal=False):
            for answer in self._answers(project, zone, series):
                self._take(answer)
            self._hidden.remove(project)
            self._listed |= set(series)

    def _answers(self, project: str, zone: str, series: list[str]) -> Iterator[Any]:
        asked = {
            "project": project,
            "zone": zone,
            "max_results": _PAGE,
            "filter": f'name eq "({"|".join(series)})-.*"',  # a regular expression, of the whole
        }
        client = self.access.rest("compute", MachineTypesClient)
        for page in self.access.listing(client.list, asked):
            yield from page.items

    def _take(self, answer: Any) -> None:
        """A burstable type of which nobody knows what it sustains is left out: taken for a type
        with full CPUs, it would be recommended where it cannot serve."""
        if answer.is_shared_cpu and machine_types.baseline_percent(answer.name) is None:
            what = "burstable, and what it sustains is not known: no machine is moved to it"
            problem = Problem(f"{CALL} {answer.name}", what)
            if problem not in self.problems:
                self.problems.append(problem)
            return
        self._keep(shape(answer))

    def _keep(self, shape: Shape) -> None:
        # of no day: the call says what is, not since when
        self.rows.setdefault(shape.instance_type, of_shape(shape, SOURCE))


def shape(answer: Any) -> Shape:
    """What the API tells of a type, and what its name says beyond that."""
    made = machine_types.described(
        answer.name,
        float(answer.guest_cpus),
        answer.memory_mb / 1024,
        deprecated=bool(answer.deprecated.state),
    )
    more: dict[str, Any] = {}
    if answer.architecture in _ARCHITECTURES:
        more["architecture"] = _ARCHITECTURES[answer.architecture]
    if answer.accelerators and not made.gpu_count:
        one = answer.accelerators[0]
        gpus = machine_types.accelerators(
            last(one.guest_accelerator_type), one.guest_accelerator_count
        )
        more |= {
            "gpu_model": gpus.model,
            "gpu_count": gpus.cards,
            "gpu_memory_gib": gpus.card_gib,
        }
    if not made.local_disk_gib:
        partitions = answer.bundled_local_ssds.partition_count
        more["local_disk_gib"] = machine_types.local_ssds_gib(answer.name, partitions)
    return replace(made, **more)


def built_in(instance_type: str) -> Mapping[str, Any]:
    """The built-in shape of the type (schema.SHAPES); {} = there is none."""
    return _snapshot().get(instance_type, {})


@cache
def _snapshot() -> dict[str, dict[str, Any]]:
    table = builtin.read("gcp", "shapes")
    rows = [] if table is None else table.to_pylist()
    return {row["x_InstanceType"]: row for row in rows}
