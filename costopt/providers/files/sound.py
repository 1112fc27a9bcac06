"""Values that are readable and still make no sense in their column, and words for one thing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from costopt.frame.intake import Intake, told
from costopt.frame.values import marked
from costopt.model import RateKind
from costopt.model.zone import time_zone

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
            one = told(name, "is not more than 0", wrong, _shown(column), refused=required)
            complaints.append(replace(one, row=int(kept[one.row])))
        if required and wrong is not None:
            stays = pc.invert(wrong)
            table, kept = table.filter(stays), kept[stays.to_numpy(zero_copy_only=False)]
        elif not required:
            table = replaced(table, name, pc.if_else(pc.greater(column, 0), column, None))
    return Intake(table, kept, tuple(complaints))


def charged(intake: Intake) -> Intake:
    """Rates of a kind there is, at a price (0 is included) and from an amount that is none below 0;
    any other costs its row."""
    kind = intake.table.column("x_RateKind").combine_chunks()
    plain = pc.replace_substring_regex(pc.utf8_lower(pc.utf8_trim_whitespace(kind)), "[_ ]+", "-")
    known = pc.is_in(plain, pa.array([name.value for name in RateKind]))
    kinds = ", ".join(RateKind)
    told_of = _left_out(intake, "x_RateKind", pc.invert(known), f"is none of {kinds}")
    kept = pc.filter(plain, known)
    table = replaced(told_of.table, "x_RateKind", kept)
    table = replaced(table, "x_FromGiB", pc.fill_null(table.column("x_FromGiB"), 0.0))
    sound = Intake(table, told_of.kept, told_of.misread)
    for name in ("ListUnitPrice", "x_FromGiB"):
        below = pc.less(sound.table.column(name).combine_chunks(), 0)
        sound = _left_out(sound, name, below, "is below 0")
    return sound


def exchanged(intake: Intake) -> Intake:
    """Exchange rates above 0; any other costs its row."""
    wrong = pc.less_equal(intake.table.column("x_Rate").combine_chunks(), 0)
    return _left_out(intake, "x_Rate", wrong, "is not more than 0")


def _left_out(intake: Intake, name: str, wrong: pa.BooleanArray, what: str) -> Intake:
    """Without the rows marked, which are told."""
    if marked(wrong) is None:
        return intake
    column = intake.table.column(name).combine_chunks()
    one = told(name, what, wrong, _shown(column), refused=True)
    one = replace(one, row=int(intake.kept[one.row]))
    stays = pc.invert(wrong)
    at = intake.kept[stays.to_numpy(zero_copy_only=False)]
    return Intake(intake.table.filter(stays), at, (*intake.misread, one))


def _shown(column: pa.Array) -> pa.Array:
    """The column as it is shown to people: 0E-10 is no way to write nothing."""
    return column.cast(pa.float64()) if pa.types.is_decimal(column.type) else column


def clocked(intake: Intake) -> Intake:
    """Time zones that exist, as the database spells them; another is missing, and told."""
    column = intake.table.column("x_TimeZone").combine_chunks()
    names = [name for name in pc.unique(column).to_pylist() if name]
    known = {name: zone for name in names if (zone := time_zone(name))}
    if all(name == zone for name, zone in known.items()) and len(known) == len(names):
        return intake
    at = pc.index_in(column, pa.array(list(known), pa.string()))
    spelled = pc.take(pa.array(list(known.values()), pa.string()), at)
    clean = replace(intake, table=replaced(intake.table, "x_TimeZone", spelled))
    unknown = [name for name in names if name not in known]
    if not unknown:
        return clean
    wrong = pc.is_in(column, pa.array(unknown))
    one = told("x_TimeZone", "is no IANA time zone", wrong, column)
    one = replace(one, row=int(intake.kept[one.row]))
    return replace(clean, misread=(*intake.misread, one))


def replaced(table: pa.Table, name: str, column: pa.Array | pa.ChunkedArray) -> pa.Table:
    """The table with that column's values replaced."""
    at = table.schema.get_field_index(name)
    return table.set_column(at, table.schema.field(at), column)
