"""How long work tells where it is."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str], None]
"""Told the name of each step as it begins."""
