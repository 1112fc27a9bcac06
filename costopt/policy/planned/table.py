"""Planned changes as policies over `change` judge them: a column a field of policy/fields.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa

from costopt.model import ActionType
from costopt.policy.expression import paths
from costopt.policy.fields import VARIABLES
from costopt.policy.planned.priced import Priced
from costopt.policy.planned.terraform import Planned
from costopt.policy.planned.unbilled import is_free
from costopt.policy.planned.values import Values
from costopt.policy.subjects import ID, NAME, column
from costopt.units import provider_key

_ENDED: Final = frozenset({ActionType.STOP, ActionType.DELETE})
"""Advice that a resource be there no more."""
_RESIZED: Final = frozenset(
    {ActionType.RIGHTSIZE, ActionType.UPGRADE, ActionType.MIGRATE_TO_GRAVITON}
)
"""Advice that it be of another type."""

_TAGS: Final = ("tags_all", "tags", "labels")
_LABELS: Final = ("terraform_labels", "labels", "resource_labels", "user_labels")
"""Google calls something else tags: what firewalls go by. The first holds the provider's, too."""
_PROVISIONED: Final = "goog-terraform-provisioned"
"""A label that the provider adds by itself: registry.terraform.io, hashicorp/google, provider
reference, add_terraform_attribution_label."""


def changes(priced: Sequence[Priced], currency: str, resources: pa.Table | None = None) -> pa.Table:
    """Every change, with the running resource that it is about.

    Args:
        currency: of the amounts.
        resources: as subjects.resources gives them; None = none are known. A change is about that
            resource whose id is its id, ARN or self link.
    """
    at = _about(priced, resources)
    kinds = paths(VARIABLES["change"])
    rows = [_row(one) for one in priced]
    columns = {
        path: column([row.get(path) for row in rows], field.kind)
        for path, field in kinds.items()
        if path.startswith("change.")
    }
    if resources is not None:
        running = resources.take(pa.array(at, pa.int64()))
        joined = [name for name in running.column_names if not name.startswith("fleet.")]
        columns |= {name: running.column(name) for name in joined}
    columns["change.undoes_advice"] = _undoing(priced, columns, at)
    whole = fleet(priced, currency, resources)
    for path in set(whole.column_names) - {ID, NAME}:
        columns[path] = pa.repeat(whole.column(path)[0], len(rows))
    return pa.table(columns)


def fleet(priced: Sequence[Priced], currency: str, resources: pa.Table | None = None) -> pa.Table:
    """One row: all changes together, beside what is known of the whole fleet."""
    kinds = paths(VARIABLES["fleet"])
    known = [one.difference for one in priced if one.difference is not None]
    row = {
        "fleet.planned_monthly": sum(known, Decimal(0)),
        "fleet.planned_unpriced": len(priced) - len(known),
        "fleet.currency": currency,
    }
    columns = {path: column([value], kinds[path].kind) for path, value in row.items()}
    if resources is not None and len(resources):
        others = [n for n in resources.column_names if n.startswith("fleet.") and n not in columns]
        columns |= {name: resources.column(name).slice(0, 1) for name in others}
    return pa.table({ID: [""], NAME: ["all planned changes"], **columns})


def _row(one: Priced) -> dict[str, Any]:
    planned, contents, shape = one.planned, one.contents, one.shape
    machine = contents.machine if contents else None
    count = contents.count if contents else None
    found = {
        "action": planned.action,
        "kind": planned.kind,
        "address": planned.address,
        "provider": planned.provider,
        "region": one.region,
        "instance_type": machine.instance_type if machine else None,
        "volume_type": _volume_type(one),
        "gpu_model": (shape.gpu_model if shape else None)
        or (machine.gpu_model if machine else None),
        "why_unpriced": "; ".join(one.unpriced) or None,
        "vcpus": _times(shape.vcpus if shape else None, count),
        "memory_gib": _times(shape.memory_gib if shape else None, count),
        "gpu_count": _times(_cards(one), count) if machine else _cards(one),
        "count": count if machine else _cards(one),
        "size_gib": _size(one),
        "hourly": one.hourly,
        "monthly_before": one.monthly_before,
        "monthly": one.monthly,
        "monthly_difference": one.difference,
        "current_generation": shape.current_generation if shape else None,
        "priced": one.difference is not None,
        "tags": _tags(planned),
    }
    return {f"change.{name}": value for name, value in found.items()}


def _times(value: float | None, count: Decimal | None) -> float | None:
    return None if value is None or count is None else value * float(count)


def _cards(one: Priced) -> int | None:
    """Of one machine; 0 where there is none."""
    if one.contents is None:
        return 0 if is_free(one.planned.kind) else None
    machine = one.contents.machine
    if machine is None:
        return 0
    of_type = one.shape.gpu_count if one.shape else None
    return of_type or machine.gpu_count or of_type


def _volume_type(one: Priced) -> str | None:
    """What all its disks are of whose type is known."""
    disks = one.contents.disks.values() if one.contents else ()
    kinds = {disk.volume_type for disk in disks if disk.volume_type}
    return kinds.pop() if len(kinds) == 1 else None


def _size(one: Priced) -> Decimal | None:
    if one.contents is None or one.contents.count is None or not one.contents.disks:
        return None
    sizes = [disk.size_gib for disk in one.contents.disks.values()]
    known = [size for size in sizes if size is not None]
    return sum(known, Decimal(0)) * one.contents.count if len(known) == len(sizes) else None


def _tags(planned: Planned) -> Mapping[str, str] | None:
    """Once done, of what goes before; with those that the provider adds to all, where they are
    told. None of what can have none."""
    values = planned.after or planned.before
    if values is None or is_free(planned.kind):
        return None
    if planned.kind == "aws_autoscaling_group":
        return _of_blocks(values)
    for name in _LABELS if planned.provider == "GCP" else _TAGS:
        if (found := values.tags(name)) is not None:
            return {key: value for key, value in found.items() if key != _PROVISIONED}
    return None


def _of_blocks(values: Values) -> Mapping[str, str]:
    """Of a scaling group: each in a block of its own."""
    pairs = ((one.text("key"), one.text("value")) for one in values.blocks("tag"))
    return {key: value or "" for key, value in pairs if key}


def _about(priced: Sequence[Priced], resources: pa.Table | None) -> list[int | None]:
    """The row of the running resource, of each change."""
    if resources is None:
        return [None] * len(priced)
    ids = zip(
        resources.column("resource.provider").to_pylist(),
        resources.column("resource.id").to_pylist(),
        strict=True,
    )
    rows = {_key(provider or "", one): row for row, (provider, one) in enumerate(ids)}
    return [next((rows[key] for key in _keys(one.planned) if key in rows), None) for one in priced]


def _keys(planned: Planned) -> list[tuple[str, str]]:
    """What it may be called where it runs: it is there before the change."""
    values = planned.before
    named = [values.text(name) for name in ("arn", "self_link", "id")] if values else []
    return [_key(planned.provider, one) for one in named if one]


def _key(provider: str, resource_id: str) -> tuple[str, str]:
    """Google's names begin with its API or its site, or with neither; Azure's case varies."""
    plain = resource_id.casefold()
    _, found, path = plain.partition("projects/")
    return provider_key(provider), path if found and provider_key(provider) == "gcp" else plain


def _undoing(
    priced: Sequence[Priced], columns: Mapping[str, Any], at: Sequence[int | None]
) -> pa.Array:
    """Whether a change makes or keeps what the advice for its resource ends.

    Unknown where no running resource is known, and of advice of which a plan tells nothing.
    """
    if "recommendation.action" not in columns:
        return pa.nulls(len(priced), pa.bool_())
    advice = zip(
        columns["recommendation.action"].to_pylist(),
        columns["recommendation.target"].to_pylist(),
        strict=True,
    )
    told = [
        None if row is None else _undoes(one, action, target)
        for one, row, (action, target) in zip(priced, at, advice, strict=True)
    ]
    return pa.array(told, pa.bool_())


def _undoes(one: Priced, action: str | None, target: str | None) -> bool | None:
    if action is None or one.planned.after is None:
        return False
    if action in _ENDED:
        return True
    machine = one.contents.machine if one.contents else None
    if action not in _RESIZED or target is None or machine is None or machine.instance_type is None:
        return None
    return machine.instance_type.casefold() != target.casefold()
