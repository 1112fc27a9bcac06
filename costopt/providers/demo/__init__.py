"""The demo fleet: a believable company's machines, samples and bill, generated from a seed."""

from __future__ import annotations

from costopt.providers.demo.provider import DemoProvider
from costopt.providers.demo.truth import Label, Placement, Truth, Wart

__all__ = ["DemoProvider", "Label", "Placement", "Truth", "Wart"]
