"""Rows of an inventory, as every cloud's provider gives them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

Row = dict[str, Any]
"""Columns of schema.RESOURCES; those left out are null."""


def attributes(**values: str | float | bool | datetime | None) -> dict[str, str] | None:
    """x_Attributes: what is known of the values, as text; truth as true or false, times as ISO."""
    return {name: _text(value) for name, value in values.items() if value not in (None, "")} or None


def _text(value: str | float | bool | datetime) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, datetime) else str(value)
