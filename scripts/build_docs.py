"""Regenerate what the documents show of the demo fleet: reports/samples/ and README's example.

    make docs

Tests hold both against the code (tests/e2e/test_samples.py).
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "reports" / "samples"
README = ROOT / "README.md"
COPIED = (
    "recommendations.json",
    "recommendations.csv",
    "recommendations.md",
    "overview.png",
    "teams.png",
)
DRAWN = {
    "backtest.png": ("backtest", "--baseline", "all", "-o"),
    "schedules.png": ("schedule", "-o"),
    "coverage.png": ("commit", "--as-is", "--picture"),
    "moves.png": ("move", "--on-prem", "onprem.toml", "--picture"),
    "own.png": ("move", "--on-prem", "onprem.toml", "--own-picture"),
}
"""Picture -> the command that draws it of the demo fleet."""


def costopt(*arguments: str, cwd: Path) -> str:
    """What the command prints in that folder."""
    command = [sys.executable, "-m", "costopt", *arguments]
    return subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True).stdout


def readme_example(folder: Path) -> str:
    """README's thirty-second example: the three largest recommendations of the demo."""
    text = costopt("recommend", "--limit", "3", cwd=folder)
    lines = [line.rstrip() for line in text.splitlines()]
    return "\n".join(["```text", *lines, "```"])


def with_example(readme: str, example: str) -> str:
    """README with the example between its marks."""
    pattern = r"(<!-- sample:recommend -->\n).*?(<!-- /sample -->)"
    return re.sub(pattern, lambda m: f"{m[1]}{example}\n{m[2]}", readme, flags=re.DOTALL)


def main() -> None:
    """Write the samples and README."""
    SAMPLES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        costopt("demo", cwd=folder)
        for copied in COPIED:
            (SAMPLES / copied).write_bytes((folder / "costopt-demo" / copied).read_bytes())
        shutil.copy(ROOT / "docs" / "examples" / "onprem.toml", folder)
        for picture, command in DRAWN.items():
            costopt(*command, str(SAMPLES / picture), cwd=folder)
        README.write_text(with_example(README.read_text(), readme_example(folder)))
    print(f"wrote {SAMPLES.relative_to(ROOT)}/ and README.md")


if __name__ == "__main__":
    main()
