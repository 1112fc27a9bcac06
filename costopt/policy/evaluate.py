"""Policies asked of tables: a verdict for each subject that breaks one, and what was not judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from costopt.model.check import Unjudged, Verdict
from costopt.policy.expression import Batch
from costopt.policy.pack import Policy
from costopt.units import cents, money


@dataclass(frozen=True, slots=True)
class Judged:
    """What all policies say of all subjects."""

    verdicts: tuple[Verdict, ...]
    unjudged: tuple[Unjudged, ...]
    passed: Mapping[str, int]  # policy -> subjects that keep it


def judged(policies: Sequence[Policy], subjects: pa.Table, ids: str, names: str) -> Judged:
    """Every policy asked of every row.

    Args:
        subjects: a column a field (policy/fields.py), called by its path; others are unknown.
        ids: the column that tells subjects apart; `names`: what people call them.
    """
    batch = Batch.of(subjects)
    verdicts: list[Verdict] = []
    unjudged: list[Unjudged] = []
    passed: dict[str, int] = {}
    for policy in policies:
        kept, broken, unknown = asked(policy, batch)
        passed[policy.text.id] = int(kept.sum())
        verdicts += _verdicts(policy, batch, np.flatnonzero(broken), (ids, names))
        unjudged += _unjudged(policy, batch, np.flatnonzero(unknown), ids)
    return Judged(tuple(verdicts), tuple(unjudged), passed)


def asked(policy: Policy, batch: Batch) -> tuple[npt.NDArray[np.bool_], ...]:
    """One policy of every row.

    Returns:
        (rows,) each: those that keep it, that break it, and of which too little is known.
    """
    matched = policy.match.array(batch)
    held = policy.require.array(batch)
    judged_ = pc.fill_null(matched, False)
    known = pc.is_valid(held)
    kept = pc.and_(judged_, pc.fill_null(held, False))
    broken = pc.and_(judged_, pc.and_(known, pc.invert(pc.fill_null(held, True))))
    unknown = pc.or_(pc.is_null(matched), pc.and_(judged_, pc.invert(known)))
    return tuple(np.asarray(part, bool) for part in (kept, broken, unknown))


def _verdicts(
    policy: Policy, batch: Batch, rows: npt.NDArray[np.int64], called: tuple[str, str]
) -> Iterator[Verdict]:
    if not len(rows):
        return
    ids, names = called
    part = batch.taken(pa.array(rows), policy.fields | {ids, names})
    amounts = policy.monthly.array(part).to_pylist() if policy.monthly else [None] * len(rows)
    told = zip(
        part.columns[ids].to_pylist(),
        part.columns[names].to_pylist(),
        policy.message.filled(part),
        amounts,
        strict=True,
    )
    for subject, name, message, amount in told:
        yield Verdict(
            policy=policy.text.id,
            severity=policy.text.severity,
            subject=subject,
            name=name or subject,
            message=message,
            remediation=policy.text.remediation,
            monthly=None if amount is None else cents(money(amount)),
        )


def _unjudged(
    policy: Policy, batch: Batch, rows: npt.NDArray[np.int64], ids: str
) -> Iterator[Unjudged]:
    """Grouped by what was not known."""
    if not len(rows):
        return
    read = sorted(policy.match.fields | policy.require.fields)
    part = batch.taken(pa.array(rows), frozenset({*read, ids}))
    missing = [
        np.ones(len(rows), bool)
        if (column := part.columns.get(path)) is None
        else np.asarray(column.is_null(), bool)
        for path in read
    ]
    found: dict[tuple[str, ...], list[str]] = {}
    for number, subject in enumerate(part.columns[ids].to_pylist()):
        why = tuple(path for path, gone in zip(read, missing, strict=True) if gone[number])
        found.setdefault(why, []).append(subject)
    for why in sorted(found):
        yield Unjudged(policy.text.id, why, tuple(found[why]))
