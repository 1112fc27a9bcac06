"""Expressions of policies: CEL's syntax and meaning, evaluated over whole columns at once."""

from costopt.policy.expression.check import FUNCTIONS, compiled
from costopt.policy.expression.columns import Batch, Column
from costopt.policy.expression.kinds import Described, Kind, Record, Variables, paths
from costopt.policy.expression.syntax import ExpressionError

__all__ = [
    "FUNCTIONS",
    "Batch",
    "Column",
    "Described",
    "ExpressionError",
    "Kind",
    "Record",
    "Variables",
    "compiled",
    "paths",
]
