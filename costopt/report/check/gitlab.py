"""A check as GitLab's code quality report."""

from __future__ import annotations

from typing import Final

from costopt.model.check import Check, Severity
from costopt.report.check import wording
from costopt.report.json import written
from costopt.report.safe import terminal

_SEVERITIES: Final[dict[Severity, str]] = {"error": "major", "warning": "minor", "note": "info"}


def render(check: Check) -> bytes:
    """Of what counts: GitLab tells by the fingerprint what is new."""
    of = wording.about(check)
    return written(
        [
            {
                "description": terminal(wording.sentence(one)),
                "check_name": one.policy,
                "fingerprint": one.finding_id,
                "severity": _SEVERITIES[one.severity],
                "location": {
                    "path": of[one.policy].path,
                    "lines": {"begin": of[one.policy].line},
                },
            }
            for one in check.open
        ]
    )
