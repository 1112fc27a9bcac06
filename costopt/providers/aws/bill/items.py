"""A batch of CUR line items, by one name for each column in all the spellings that CUR has.

`lineItem/UsageAmount` (legacy CSV), `line_item_usage_amount` (Parquet, CUR 2.0) are one; so are
`product/region`, `product_region` and the key `region` of CUR 2.0's `product` map. Money in CUR's
Parquet is float64: it goes to decimals by its shortest text (0.1 is 0.1), and so do quantities.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import cached_property
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from costopt.frame.intake import Misread, told
from costopt.frame.tags import attributes, tags
from costopt.frame.values import amounts, either, marked, texts
from costopt.frame.values import plain as unwrapped
from costopt.providers.aws.bill.reading import Columns
from costopt.schema import COST, STRING_MAP

_TAG_COLUMN: Final = re.compile(r"^(?:resourceTags/|resource_tags_)(?P<key>.+)$")
_CATEGORY_COLUMN: Final = re.compile(r"^(?:costCategory/|cost_category_)(?P<key>.+)$")
_CREATED_BY: Final = "aws:createdBy"
_LARGEST: Final = pa.scalar(Decimal(10) ** 15, COST)
"""No line of a bill is larger, in any currency; sums of such lines still fit into COST."""
_EMPTY: Final = pa.array(["", "NULL", "null", "Null"])


def plain(name: str) -> str:
    """The name without case and punctuation."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def is_named(name: str) -> bool:
    """Whether the column holds one tag or cost category, rather than a field of its own."""
    return bool(_TAG_COLUMN.match(name) or _CATEGORY_COLUMN.match(name))


class Items:
    """Some line items. What a column lacks is null, for a column that is not there too."""

    def __init__(self, columns: Columns) -> None:
        self._given = columns
        self._columns: Columns = {}
        for name, column in columns.items():
            self._columns.setdefault(plain(name), column)
        self._amounts: dict[str, tuple[pa.Array, Misread | None]] = {}
        self.rows = len(next(iter(columns.values())))

    def has(self, name: str) -> bool:
        """Whether there is a column of that name (CUR 2.0's spelling)."""
        return plain(name) in self._columns

    def text(self, *names: str) -> pa.Array:
        """The first of these columns that says something, row by row."""
        there = [self._columns[plain(name)] for name in names if self.has(name)]
        found = pa.nulls(self.rows, pa.string())
        for column in there:
            found = pc.coalesce(found, texts(column).values)
        return found

    def amount(self, name: str) -> pa.Array:
        """Money or a quantity, exact to 12 digits after the point (schema.COST)."""
        if name not in self._amounts:
            column = self._columns.get(plain(name))
            nothing = pa.nulls(self.rows, COST), None
            self._amounts[name] = nothing if column is None else money(column, name)
        return self._amounts[name][0]

    def unread(self) -> Iterator[Misread]:
        """What stood in the amounts asked for so far and could not be read."""
        for _, misread in self._amounts.values():
            if misread is not None:
                yield misread

    def product(self, *names: str) -> pa.Array:
        """An attribute of the product, from a column of its own or from CUR 2.0's map."""
        found = self.text(*(f"product_{name}" for name in names))
        if self._product is not None:
            for name in names:
                said = pc.map_lookup(self._product, pa.scalar(name), "first")
                found = pc.coalesce(found, texts(said).values)
        return found

    def tags(self) -> pa.Array:
        """Tags as AWS's FOCUS has them: the user's under their own keys, AWS's as aws:..."""
        said = self._map("resource_tags")
        if said is None:
            flat = self._named(_TAG_COLUMN)
            said = attributes(flat, self.rows) if flat else None
        if said is None:
            return pa.nulls(self.rows, STRING_MAP)
        coded = said.keys.dictionary_encode()
        keys = pa.array([_tag_key(key) for key in coded.dictionary.to_pylist()], pa.string())
        return pa.MapArray.from_arrays(said.offsets, keys.take(coded.indices), said.items)

    def cost_categories(self) -> pa.Array | None:
        """The account's own cost categories as JSON text; None where there are none."""
        said = self._map("cost_category")
        if said is None:
            flat = self._named(_CATEGORY_COLUMN)
            said = attributes(flat, self.rows) if flat else None
        if said is None or not len(said.keys):
            return None
        return texts(pa.array([dict(row) if row else None for row in said.to_pylist()])).values

    @cached_property
    def _product(self) -> pa.Array | None:
        return self._map("product")

    def _map(self, name: str) -> pa.Array | None:
        """A map column as maps without an offset, from a Parquet map or JSON text."""
        column = self._columns.get(plain(name))
        if column is None:
            return None
        if not pa.types.is_map(column.type):
            return tags(column).values
        return column.cast(STRING_MAP).take(pa.array(range(self.rows), pa.int64()))

    def _named(self, pattern: re.Pattern[str]) -> Columns:
        found: Columns = {}
        for name, column in self._given.items():
            said = pattern.match(name)
            if said:
                found.setdefault(said["key"], column)
        return found


def money(column: pa.Array, name: str) -> tuple[pa.Array, Misread | None]:
    """Amounts of a bill (schema.COST), and the complaint about those that cannot be read.

    Unlike in the files of users, a NaN is no missing value: no bill says it.
    """
    found, misread, _ = amounts(column, COST)
    misread = either(misread, marked(pc.greater(pc.abs(found), _LARGEST)))
    given = unwrapped(column).values
    stood = pc.is_valid(given)
    if pa.types.is_string(given.type):
        empty = pc.is_in(pc.utf8_trim_whitespace(given), _EMPTY)
        stood = pc.and_not(stood, empty)
    misread = either(misread, marked(pc.and_(stood, pc.is_null(found))))
    if misread is None:
        return found, None
    what = told(name, "cannot be read", misread, column)
    return pc.if_else(misread, None, found), what


def _tag_key(key: str) -> str:
    """`user:team` and `user_team` are team; `aws:createdBy` and `aws_created_by` are AWS's own.

    FOCUS leaves a user's keys as the user wrote them, and prefixes the provider's.
    """
    found = re.match(r"^(user|aws)[:_](.+)$", key)
    if found is None:
        return key
    if found[1] == "user":
        return found[2]
    return _CREATED_BY if plain(found[2]) == "createdby" else f"aws:{found[2]}"


def required(names: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """Those of `wanted` that no column stands for."""
    there = {plain(name) for name in names}
    return [name for name in wanted if plain(name) not in there]
