"""What the documents show is what the code says."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import ROOT

SAMPLES = ROOT / "reports" / "samples"


@pytest.mark.parametrize(
    "name", ["recommendations.json", "recommendations.csv", "recommendations.md"]
)
def test_samples_are_what_the_demo_writes(home: Path, name: str) -> None:
    written = (home / "costopt-demo" / name).read_bytes()
    assert (SAMPLES / name).read_bytes() == written, "run: make docs"


def test_readme_shows_what_the_demo_prints(home: Path) -> None:
    docs = runpy.run_path(str(ROOT / "scripts" / "build_docs.py"))
    readme = (ROOT / "README.md").read_text()
    example = docs["readme_example"](home)
    assert docs["with_example"](readme, example) == readme, "run: make docs"


@pytest.mark.parametrize("name", ["overview.svg", "teams.svg"])
def test_pictures_open_in_a_real_browser(
    home: Path, opened: Callable[[Path], np.ndarray], name: str
) -> None:
    """The browser draws it: many colours, not a blank page or an XML error."""
    pixels = opened(home / "costopt-demo" / name)
    colours = {tuple(pixel) for row in pixels[::7, ::7] for pixel in row.round(2)}
    assert len(colours) > 50
