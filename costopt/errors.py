"""Errors for people: what is wrong, where, and what to do next. Each knows its exit code.

Exit codes (docs: README, "Exit codes"): 0 clean, 1 a policy failed, 2 usage, configuration or
input, 3 data below the quality gate, 4 a provider failed.
"""

from __future__ import annotations


class CostoptError(Exception):
    """Base of every error that costopt shows without a traceback.

    Args:
        what: one sentence that says what is wrong.
        where: file, line, column, resource or call it happened at; "" when the sentence says it.
        hint: what to do next; "" when nothing sensible can be said.
    """

    exit_code = 2

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}\n  next: {self.hint}" if self.hint else text


class ConfigError(CostoptError):
    """A setting, flag or costopt.toml entry cannot be used."""


class InputError(CostoptError):
    """A user's file cannot be read as what it claims to be."""


class InsufficientData(CostoptError):
    """Nothing usable is left above the quality gate."""

    exit_code = 3


class ProviderError(CostoptError):
    """A provider (API, file set, metrics store) failed; what it gave before is kept."""

    exit_code = 4
