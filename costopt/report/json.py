"""The report as one JSON object of the published schema: the same report, the same bytes."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Any

from costopt.model import Report
from costopt.report.document import document
from costopt.report.safe import HIDDEN


def render(report: Report) -> bytes:
    """UTF-8 JSON (schema/recommendations-1.json)."""
    return written(document(report))


def written(value: Any) -> bytes:
    """Plain values as JSON, indented, ending with a newline; NaN and infinity never appear.

    Names stand as they are, but what could steer a terminal or reorder a line is written as the
    \\u escape that means the same: no reader loses anything, no screen is fooled.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=2)
    return (HIDDEN.sub(_escaped, text) + "\n").encode()


def _escaped(found: re.Match[str]) -> str:
    return found[0] if found[0] == "\n" else json.dumps(found[0])[1:-1]


def schema() -> bytes:
    """The published JSON Schema (draft 2020-12) that `render` keeps to."""
    return files("costopt.report").joinpath("schema/recommendations-1.json").read_bytes()
