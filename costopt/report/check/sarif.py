"""A check as SARIF 2.1.0, which code scanning and editors read.

A finding is of a machine and not of a line of code, but readers want a place in the repository: so
it stands at the line of its policy, and the resource is its logical location.

Source: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0" (2020).
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any, Final

from costopt import __version__
from costopt.model.check import About, Check, Verdict
from costopt.report.check import wording
from costopt.report.json import written
from costopt.report.safe import terminal

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"


def render(check: Check) -> bytes:
    """One run; what is waived is a suppressed result, what the baseline has is unchanged."""
    place = {one.id: number for number, one in enumerate(check.policies)}
    of = wording.about(check)
    return written(
        {
            "$schema": _SCHEMA,
            "version": "2.1.0",
            "runs": [
                {
                    "tool": {
                        "driver": {
                            "name": "costopt",
                            "semanticVersion": __version__,
                            "rules": [_rule(one) for one in check.policies],
                        }
                    },
                    "columnKind": "unicodeCodePoints",
                    "results": [
                        _result(one, of[one.policy], place[one.policy]) for one in check.verdicts
                    ],
                }
            ],
        }
    )


def _rule(one: About) -> dict[str, Any]:
    rule: dict[str, Any] = {
        "id": one.id,
        "shortDescription": {"text": one.title},
        "fullDescription": {"text": one.description},
        "help": {"text": one.remediation},
        "defaultConfiguration": {"level": one.severity},
        "properties": {"tags": ["cost", one.pack]},
    }
    if one.source.startswith("https://"):
        rule["helpUri"] = one.source
    return rule


def _result(one: Verdict, of: About, number: int) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": one.policy,
        "ruleIndex": number,
        "level": one.severity,
        "message": {"text": terminal(wording.sentence(one))},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _uri(of.path)},
                    "region": {"startLine": of.line},
                },
                "logicalLocations": [
                    {
                        "name": terminal(one.name),
                        "fullyQualifiedName": terminal(one.subject or one.name),
                        "kind": "resource",
                    }
                ],
            }
        ],
        "partialFingerprints": {"costoptFinding/v1": one.finding_id},
        "baselineState": "unchanged" if one.known else "new",
    }
    if one.monthly is not None:
        result["properties"] = {"monthly": float(one.monthly)}
    if one.waiver:
        result["suppressions"] = [
            {
                "kind": "external",
                "status": "rejected" if one.lapsed else "accepted",
                "justification": terminal(
                    f"{one.waiver.reason} ({one.waiver.owner}, until {one.waiver.until})"
                ),
            }
        ]
    return result


def _uri(path: str) -> str:
    """Of a file in the repository relative to it, of another with its scheme."""
    whole = PurePosixPath("/", path).as_uri()
    return whole if path.startswith("/") else whole.removeprefix("file:///")
