"""A batch of CUR line items, by one name for each column in all the spellings that CUR has.

`lineItem/UsageAmount` (legacy CSV), `line_item_usage_amount` (Parquet, CUR 2.0) are one; so are
`product/region`, `product_region` and the key `region` of CUR 2.0's `product` map.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from costopt.frame.tags import attributes, tags
from costopt.frame.values import texts
from costopt.providers.bills import items
from costopt.providers.bills.items import plain
from costopt.providers.bills.reading import Columns
from costopt.schema import STRING_MAP

_TAG_COLUMN: Final = re.compile(r"^(?:resourceTags/|resource_tags_)(?P<key>.+)$")
_CATEGORY_COLUMN: Final = re.compile(r"^(?:costCategory/|cost_category_)(?P<key>.+)$")
_CREATED_BY: Final = "aws:createdBy"


def is_named(name: str) -> bool:
    """Whether the column holds one tag or cost category, rather than a field of its own."""
    return bool(_TAG_COLUMN.match(name) or _CATEGORY_COLUMN.match(name))


class Items(items.Items):
    """Some line items."""

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
