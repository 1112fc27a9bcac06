"""Values that are readable and still make no sense in their column, and words for one thing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pyarrow as pa
import pyarrow.compute as pc

from costopt.frame.intake import Intake, told
from costopt.frame.values import marked

_CATEGORY: Final = {
    "standard": "Standard",
    "on-demand": "Standard",
    "ondemand": "Standard",
    "on demand": "Standard",
    "dynamic": "Dynamic",
    "spot": "Dynamic",
    "preemptible": "Dynamic",
    "low priority": "Dynamic",
    "committed": "Committed",
    "reserved": "Committed",
}
_SPELLINGS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "x_Architecture": {
            "amd64": "x86_64",
            "x64": "x86_64",
            "x86-64": "x86_64",
            "x86_64": "x86_64",
            "aarch64": "arm64",
            "arm64": "arm64",
            "arm": "arm64",
        },
        "x_OperatingSystem": {"linux": "Linux", "linux/unix": "Linux", "windows": "Windows"},
        "x_PricingCategory": _CATEGORY,
        "PricingCategory": _CATEGORY,
        "x_State": {s: s for s in ("running", "stopped", "terminated", "stopping", "pending")},
    }
)
# A disk or an address has 0 vCPUs in many an inventory: it has none, which is no fault.
_SIZES: Final = ("x_vCPUs", "x_MemoryGiB", "x_PhysicalCores", "x_GPUMemoryGiB")


def spelled(table: pa.Table) -> pa.Table:
    """The table with one word for one thing (amd64 is x86_64, spot is Dynamic)."""
    for name, words in _SPELLINGS.items():
        if name in table.column_names:
            column = table.column(name)
            index = pc.index_in(pc.utf8_lower(column), pa.array(list(words)))
            known = pc.take(pa.array(list(words.values())), index)
            table = replaced(table, name, pc.coalesce(known, column))
    return table


def sized(intake: Intake) -> Intake:
    """Sizes above 0 only: 0 is none, less is told; a price or required size of 0 costs its row."""
    table, kept, complaints = intake.table, intake.kept, list(intake.misread)
    for name in ("ListUnitPrice", *_SIZES):
        if name not in table.column_names:
            continue
        required = not table.schema.field(name).nullable
        column = table.column(name).combine_chunks()
        wrong = marked(pc.less_equal(column, 0) if required else pc.less(column, 0))
        if wrong is not None:
            one = told(name, "is not more than 0", wrong, column, refused=required)
            complaints.append(replace(one, row=int(kept[one.row])))
        if required and wrong is not None:
            stays = pc.invert(wrong)
            table, kept = table.filter(stays), kept[stays.to_numpy(zero_copy_only=False)]
        elif not required:
            table = replaced(table, name, pc.if_else(pc.greater(column, 0), column, None))
    return Intake(table, kept, tuple(complaints))


def clocked(intake: Intake) -> Intake:
    """Time zones that exist; another is missing, and told."""
    column = intake.table.column("x_TimeZone").combine_chunks()
    unknown = [name for name in pc.unique(column).to_pylist() if name and not _is_zone(name)]
    if not unknown:
        return intake
    wrong = pc.is_in(column, pa.array(unknown))
    one = told("x_TimeZone", "is no IANA time zone", wrong, column)
    one = replace(one, row=int(intake.kept[one.row]))
    table = replaced(intake.table, "x_TimeZone", pc.if_else(wrong, None, column))
    return Intake(table, intake.kept, (*intake.misread, one))


def replaced(table: pa.Table, name: str, column: pa.Array | pa.ChunkedArray) -> pa.Table:
    """The table with that column's values replaced."""
    at = table.schema.get_field_index(name)
    return table.set_column(at, table.schema.field(at), column)


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
