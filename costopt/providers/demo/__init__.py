"""The demo fleet: a believable company's machines, samples and bill, generated from a seed."""

from __future__ import annotations

from costopt.providers.demo.provider import DemoProvider
from costopt.providers.demo.truth import Label, Truth, Wart

__all__ = ["DemoProvider", "Label", "Truth", "Wart"]
