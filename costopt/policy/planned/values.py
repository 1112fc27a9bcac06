"""The attributes of one planned resource: known, or known only once the plan is done."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from costopt.errors import InputError

_LARGEST: Final = Decimal(10**9)
"""No attribute that we count by (machines, GiB, IOPS) comes near it."""


class Values:
    """Attributes of a resource or of a block in it. What is null, absent or unknown is None."""

    def __init__(self, known: Mapping[str, Any], unknown: Any, where: str) -> None:
        self._known = known
        self._unknown = unknown  # the same tree, true where a value comes only by doing it
        self.where = where

    def has(self, name: str) -> bool:
        """Whether it is told of at all, be it as null or as unknown."""
        return name in self._known or self.is_unknown(name)

    def is_unknown(self, name: str) -> bool:
        """Whether it, or all that it stands in, is known only once the plan is done."""
        if isinstance(self._unknown, Mapping):
            return self._unknown.get(name) is True
        return self._unknown is True

    def text(self, name: str) -> str | None:
        """A text; None where it is empty, too.

        Raises:
            InputError: it is something else.
        """
        value = self._known.get(name)
        if value is None or isinstance(value, str):
            return plain(value) if value else None
        raise self._odd(name, "a text", value)

    def flag(self, name: str) -> bool | None:
        """True or false.

        Raises:
            InputError: it is something else.
        """
        value = self._known.get(name)
        if value is None or isinstance(value, bool):
            return value
        raise self._odd(name, "true or false", value)

    def number(self, name: str) -> Decimal | None:
        """A number from 0 on.

        Raises:
            InputError: it is something else.
        """
        value = self._known.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise self._odd(name, "a number", value)
        try:
            number = Decimal(str(value))
        except ArithmeticError:
            raise self._odd(name, "a number", value) from None
        if not number.is_finite() or not 0 <= number <= _LARGEST:
            raise self._odd(name, f"a number from 0 to {_LARGEST:,}", value)
        return number

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts; () where nothing is told.

        Raises:
            InputError: it is something else.
        """
        value = self._known.get(name) or ()
        if not isinstance(value, list | tuple):
            raise self._odd(name, "a list", value)
        if not all(isinstance(one, str) for one in value if one is not None):
            raise self._odd(name, "a list of texts", value)
        return tuple(plain(one) for one in value if one is not None)

    def tags(self, name: str) -> dict[str, str] | None:
        """Names and values; {} where it says that there are none, None where it says nothing, or
        has them as a list.

        Raises:
            InputError: it is something else.
        """
        if self.is_unknown(name) or not self.has(name):
            return None
        value = self._known.get(name) or {}
        if isinstance(value, list):
            return None
        if not isinstance(value, Mapping):
            raise self._odd(name, "a map", value)
        return {plain(key): plain(str(one)) for key, one in value.items() if one is not None}

    def blocks(self, name: str) -> tuple[Values, ...]:
        """The blocks of that name; () where there are none, or none that is known.

        Raises:
            InputError: it is something else.
        """
        value = self._known.get(name) or ()
        found = (value,) if isinstance(value, Mapping) else value
        if not isinstance(found, list | tuple):
            raise self._odd(name, "a list of blocks", value)
        unknown = self._unknown.get(name) if isinstance(self._unknown, Mapping) else self._unknown
        return tuple(
            self._block(name, number, one, unknown) for number, one in enumerate(found) if one
        )

    def block(self, name: str) -> Values:
        """The first block of that name; an empty one where there is none that is known."""
        found = self.blocks(name)
        unknown = self.is_unknown(name)
        return found[0] if found else Values({}, unknown, f"{self.where}.{name}")

    def _block(self, name: str, number: int, one: Any, unknown: Any) -> Values:
        where = f"{self.where}.{name}.{number}"
        if not isinstance(one, Mapping):
            raise InputError(f"needs a block, not {_shown(one)}", where=where)
        if isinstance(unknown, list):
            unknown = unknown[number] if number < len(unknown) else None
        return Values(one, unknown, where)

    def _odd(self, name: str, wanted: str, value: Any) -> InputError:
        return InputError(f"needs {wanted}, not {_shown(value)}", where=f"{self.where}.{name}")


def plain(text: str) -> str:
    """Text that every encoding takes: JSON can hold half a character (\\ud800)."""
    return text.encode(errors="replace").decode()


def _shown(value: Any) -> str:
    """As much of it as helps; a plan holds secrets, so no more than what kind it is."""
    kinds = {
        dict: "an object", list: "a list", str: "a text", bool: "true or false",
        int: "a number", float: "a number",
    }  # fmt: skip
    return kinds.get(type(value), "null")
