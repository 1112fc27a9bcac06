"""The command as a user runs it: a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """`costopt ARGUMENTS` in that folder; the caller looks at the exit code."""
    command = [sys.executable, "-m", "costopt", *arguments]
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, check=False, timeout=300
    )
