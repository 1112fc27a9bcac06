"""A JSON file of a program that somebody hands us: bounded, and plain before anything reads it."""

from __future__ import annotations

import json
from math import isfinite
from pathlib import Path
from typing import Any, Final

from costopt.errors import InputError

LARGEST: Final = 64 * 1024 * 1024
"""Bytes; a plan of 10,000 resources is about 40 MiB."""
_HINT: Final = "make it with: terraform show -json plan.bin > plan.json"


def read(path: Path) -> dict[str, Any]:
    """The object that the file holds; UTF-8, or UTF-16 as PowerShell's `>` writes it.

    Raises:
        InputError: no such file, too large, not JSON (NaN and Infinity are none), nested so deep
            that no plan is, or no object.
    """
    found = _parsed(_data(path), str(path))
    if not isinstance(found, dict):
        raise InputError("not a plan: no JSON object", where=str(path), hint=_HINT)
    return found


def _data(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except FileNotFoundError:
        raise InputError("no such plan", where=str(path), hint=_HINT) from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from None
    if len(data) > LARGEST:
        raise InputError(f"not a plan: larger than {LARGEST // 1024**2} MiB", where=str(path))
    return data


def _parsed(data: bytes, where: str) -> Any:
    try:
        return json.loads(data, parse_constant=_no_number, parse_float=_finite)
    except json.JSONDecodeError as error:
        place = f"{where}:{error.lineno}:{error.colno}"
        raise InputError(f"not JSON: {error.msg}", where=place, hint=_HINT) from None
    except UnicodeDecodeError:
        raise InputError("not JSON: neither UTF-8 nor UTF-16", where=where, hint=_HINT) from None
    except RecursionError:
        raise InputError("not a plan: nested too deeply", where=where) from None
    except ValueError as error:  # a number that is none, or of thousands of digits
        raise InputError(f"not JSON: {str(error).split(';')[0]}", where=where) from None


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number of JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise ValueError(f"{text} is too large a number")
    return number
