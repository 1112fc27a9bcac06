"""What `costopt collect check-focus` prints."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from costopt.frame.focus import HEADER
from costopt.providers.files.checking import Checked
from costopt.units import counted


def as_text(found: Sequence[Checked]) -> str:
    """For people: every broken rule with its first rows."""
    lines = []
    for one in found:
        broken = len(one.violations)
        verdict = (
            f"breaks {broken} rule{'s' * (broken > 1)}"
            if broken
            else "breaks no rule that can be checked"
        )
        lines.append(f"{one.path}: {_rows(one.rows)}, {verdict}")
        for violation, places in one.violations:
            level = "" if violation.level == "MUST" else f" ({violation.level})"
            rows = "" if violation.rows[0] == HEADER else f", {_rows(violation.count)}"
            lines.append(f"  {violation.rule}{level}{rows}")
            value = "" if violation.rows[0] == HEADER else f"; it is {violation.value!r}"
            lines.append(f"    {violation.message}{value}")
            more = ", ..." if violation.count > len(places) else ""
            lines.append(f"    at {_lines(one.path, places)}{more}")
        lines += [f"  not read: {d.where}: {d.what} ({_rows(d.count)})" for d in one.damage]
    return "\n".join(lines) + "\n"


def as_json(found: Sequence[Checked]) -> str:
    """For programs: one object a file."""
    return (
        json.dumps(
            [
                {
                    "path": str(one.path),
                    "rows": one.rows,
                    "violations": [
                        {
                            "rule": violation.rule,
                            "level": violation.level,
                            "column": violation.column,
                            "message": violation.message,
                            "count": violation.count,
                            "rows": list(violation.rows),
                            "places": list(places),
                            "value": violation.value,
                        }
                        for violation, places in one.violations
                    ],
                    "not_read": [
                        {"where": d.where, "what": d.what, "count": d.count} for d in one.damage
                    ],
                }
                for one in found
            ],
            indent=2,
        )
        + "\n"
    )


def _lines(path: Path, places: Sequence[str]) -> str:
    """The places without the file's name, which stands above them: line 2, 3 or row 2, row 3."""
    bare = [place.removeprefix(str(path)).lstrip(":, ") for place in places]
    numbered = bare[0].isdigit()
    return ("line " if numbered else "") + (", ".join(bare) or "the columns")


def _rows(count: int) -> str:
    return counted(count, "row")
