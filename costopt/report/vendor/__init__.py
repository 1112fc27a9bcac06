"""The vendors' own advice beside ours: where they differ, and why (docs/compare-vendor.md).

Pure: what a vendor's type would do is judged by the same functions that judge our own offers.
"""

from __future__ import annotations

from costopt.report.vendor.advice import Told, told
from costopt.report.vendor.comparison import compare, compared
from costopt.report.vendor.files import as_csv, as_json, as_markdown, first, schema
from costopt.report.vendor.sides import Comparison
from costopt.report.vendor.text import as_text, story

__all__ = [
    "Comparison",
    "Told",
    "as_csv",
    "as_json",
    "as_markdown",
    "as_text",
    "compare",
    "compared",
    "first",
    "schema",
    "story",
    "told",
]
