"""Whose bill a file is, by the names of its columns."""

from __future__ import annotations

import re
from collections.abc import Iterable

from costopt.providers.bills.items import plain


def collector(names: Iterable[str]) -> str | None:
    """The source of `costopt collect` that reads such a file on disk: gcp or azure; None = none."""
    flat = {plain(name) for name in names}
    if is_detailed(flat):
        return "gcp"
    return "azure" if is_cost(flat) else None


def is_detailed(names: Iterable[str]) -> bool:
    """Whether these are columns of Google's detailed export, flat or nested."""
    flat = {plain(name) for name in names}
    beside = {"invoice", "invoicemonth", "credits", "costtype"}
    return {"billingaccountid", "cost", "usagestarttime"} <= flat and bool(flat & beside)


def is_cost(names: Iterable[str]) -> bool:
    """Whether these are columns of Azure's cost exports, of whichever agreement."""
    flat = {plain(name) for name in names}
    meters = {"metercategory", "meterid"}
    return bool(flat & meters) and any(re.search(r"cost|quantity|^date$", name) for name in flat)
