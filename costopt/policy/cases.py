"""The examples of policies, run as tests: what each says must be what it is listed under."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import pyarrow as pa

from costopt.errors import InputError
from costopt.policy.evaluate import asked
from costopt.policy.expression import Batch, Described, Kind, paths
from costopt.policy.fields import VARIABLES
from costopt.policy.pack import Case, Policy


def failures(policy: Policy) -> Iterator[str]:
    """What examples of the policy do not do as they are listed, in sentences.

    Raises:
        InputError: an example has a field that there is not, or a value of another kind.
    """
    cases = policy.text.cases
    for wanted, examples in (("pass", cases.passes), ("fail", cases.fails), ("skip", cases.skips)):
        found = outcomes(policy, examples)
        for number, outcome in enumerate(found, start=1):
            if outcome != wanted:
                yield (
                    f"{policy.where}: {policy.text.id}: example {number} under {wanted!r} "
                    f"comes out as {outcome!r}"
                )


def outcomes(policy: Policy, examples: Sequence[Case]) -> list[str]:
    """pass, fail or skip of each: skip is what it does not match, or of which too little is known.

    Raises:
        InputError: an example has a field that there is not, or a value of another kind.
    """
    known = paths(VARIABLES[policy.text.over])
    rows = [row(example, known, policy) for example in examples]
    if not rows:
        return []
    columns = {
        path: _column([row.get(path) for row in rows], known[path].kind)
        for path in sorted({path for row in rows for path in row})
    }
    kept, broken, _ = asked(policy, Batch(columns, len(rows)))
    return [
        "pass" if one else "fail" if other else "skip"
        for one, other in zip(kept, broken, strict=True)
    ]


def _column(values: Sequence[Any], kind: Kind) -> pa.Array:
    plain = [sorted(value.items()) if isinstance(value, dict) else value for value in values]
    return pa.array(plain, kind.arrow)


def row(example: Case, known: Mapping[str, Described], policy: Policy) -> dict[str, Any]:
    """An example's fields by path.

    Raises:
        InputError: it has a field that there is not, or a value of another kind.
    """
    found: dict[str, Any] = {}

    def walk(prefix: str, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            path = f"{prefix}.{name}" if prefix else name
            field = known.get(path)
            if field is not None:
                found[path] = _checked(path, value, field.kind, policy)
            elif isinstance(value, dict) and any(one.startswith(f"{path}.") for one in known):
                walk(path, value)
            else:
                near = get_close_matches(path, known, n=1, cutoff=0.5)
                hint = f"did you mean {near[0]}?" if near else ""
                what = f"an example of {policy.text.id} has no field {path!r}"
                raise InputError(what, where=policy.where, hint=hint)

    walk("", example)
    return found


def _checked(path: str, value: Any, kind: Kind, policy: Policy) -> Any:
    if kind is Kind.NUMBER and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    wanted = {Kind.BOOL: bool, Kind.TEXT: str, Kind.TAGS: dict}.get(kind)
    texts = kind is not Kind.TAGS or all(isinstance(one, str) for one in dict(value).values())
    if value is None or (wanted and isinstance(value, wanted) and texts):
        return value
    raise InputError(
        f"an example of {policy.text.id}: {path} is {kind.words}, not {value!r}",
        where=policy.where,
    )
