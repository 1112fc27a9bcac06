"""A check as workflow commands, which GitHub Actions shows as annotations."""

from __future__ import annotations

from typing import Final

from costopt.model.check import About, Check, Severity, Verdict
from costopt.report.check import wording
from costopt.report.safe import terminal

_COMMANDS: Final[dict[Severity, str]] = {
    "error": "error",
    "warning": "warning",
    "note": "notice",
}


def render(check: Check) -> bytes:
    """A command a line, of what counts; the last line says how it went.

    GitHub shows ten of each kind a step, so that the most severe and dearest come first.
    """
    of = wording.about(check)
    lines = [_command(one, of[one.policy]) for one in check.open]
    return "".join(f"{line}\n" for line in (*lines, terminal(wording.headline(check)))).encode()


def _command(one: Verdict, of: About) -> str:
    properties = {"file": of.path, "line": str(of.line), "title": f"{one.policy}: {one.name}"}
    told = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    message = f"{wording.sentence(one)} Do: {one.remediation} ({one.finding_id})"
    return f"::{_COMMANDS[one.severity]} {told}::{_data(message)}"


def _data(text: str) -> str:
    """One line; what would end it or start an escape is escaped."""
    return terminal(" ".join(text.split())).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
