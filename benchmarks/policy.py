"""How long policies take over a large fleet, beside Google's CEL asked row by row.

    python benchmarks/policy.py [--resources 100000] [--policies 40] [--sample 1000]

The shipped policies over resources (of fewer than asked for, some twice) against resources whose
fields are drawn from the policies' own examples, some of them unknown. Each run reads and types the
packs anew; `judging` has verdicts with their messages. The reference evaluates match, and where it
holds require, for each resource of a sample with expressions compiled once; what it cannot compile
is left out of both. Prints seconds, the peak of memory, whether both agree, and
`ratio cel_vs_columns: X`.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from cel_expr_python import cel

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from costopt.policy.cases import row
from costopt.policy.evaluate import asked, judged
from costopt.policy.expression import Batch, Kind, paths
from costopt.policy.fields import VARIABLES
from costopt.policy.pack import Policy, gathered, shipped

KNOWN = paths(VARIABLES["resource"])
UNKNOWN = 0.05  # of the values of each field
ENVIRONMENT = cel.NewEnv(
    variables={name: cel.Type.Map(cel.Type.STRING, cel.Type.DYN) for name in VARIABLES["resource"]}
)


def policies(count: int) -> list[Policy]:
    """So many over resources."""
    found = [one for one in gathered([shipped()]) if one.text.over == "resource"]
    if len(found) < count:
        print(f"{len(found)} shipped policies over resources; some are asked twice")
    return list(islice(cycle(found), count))


def fleet(of: list[Policy], count: int, rng: np.random.Generator) -> pa.Table:
    """Every field drawn from what the examples have there."""
    seen: dict[str, list[Any]] = {path: [] for path in KNOWN}
    for policy in of:
        cases = policy.text.cases
        for example in (*cases.passes, *cases.fails, *cases.skips):
            for path, value in row(example, KNOWN, policy).items():
                if value is not None:
                    seen[path].append(sorted(value.items()) if isinstance(value, dict) else value)
    columns = {
        path: drawn(values, KNOWN[path].kind, count, rng) for path, values in seen.items() if values
    }
    columns["resource.id"] = pa.array([f"i-{number:08x}" for number in range(count)])
    columns["resource.name"] = pa.array([f"machine-{number}" for number in range(count)])
    return pa.table(columns)


def drawn(values: list[Any], kind: Kind, count: int, rng: np.random.Generator) -> pa.Array:
    """Some of those, some unknown."""
    places = rng.integers(len(values), size=count)
    missing = rng.random(count) < UNKNOWN
    return pa.array(values, kind.arrow).take(pa.array(places, mask=missing))


def rows(table: pa.Table) -> list[dict[str, Any]]:
    """As the reference wants them: a map in a map; what is unknown is not there."""
    found = []
    for flat in table.to_pylist(maps_as_pydicts="strict"):
        row: dict[str, Any] = {name: {} for name in VARIABLES["resource"]}
        for path, value in flat.items():
            if value is None:
                continue
            *parents, last = path.split(".")
            inside = row
            for parent in parents:
                inside = inside.setdefault(parent, {})
            inside[last] = value
        found.append(row)
    return found


def compiled(text: str) -> Any:
    """The expression for the reference; None = it cannot."""
    try:
        return ENVIRONMENT.compile(text)
    except RuntimeError:  # whatever is wrong with it
        return None


def said(expression: Any, row: Mapping[str, Any]) -> bool | None:
    found = expression.eval(data=row)
    return found.value() if found.type() == cel.Type.BOOL else None


def reference(of: list[Policy], sample: pa.Table) -> tuple[float, list[Policy], int]:
    """Seconds a row and policy; which it could compile; outcomes that differ."""
    pairs = {
        policy.text.id: (compiled(policy.text.match), compiled(policy.text.require))
        for policy in of
    }
    able = [one for one in of if all(pairs[one.text.id])]
    data = rows(sample)
    started = time.perf_counter()
    outcomes = []
    for policy in able:
        match, require = pairs[policy.text.id]
        outcomes.append([said(match, row) and said(require, row) for row in data])
    each = (time.perf_counter() - started) / (len(able) * len(data))
    differ = 0
    for policy, found in zip(able, outcomes, strict=True):
        kept, *_ = asked(policy, Batch.of(sample))
        differ += sum(
            bool(ours) != (theirs is True) for ours, theirs in zip(kept, found, strict=True)
        )
    return each, able, differ


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--resources", type=int, default=100_000)
    parser.add_argument("--policies", type=int, default=40)
    parser.add_argument("--sample", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    of = policies(args.policies)
    numbered = [
        replace(one, text=one.text.model_copy(update={"id": f"{one.text.id}-{number}"}))
        for number, one in enumerate(of)
    ]
    table = fleet(of, args.resources, np.random.default_rng(7))

    asking, judging = [], []
    for _ in range(args.rounds):
        started = time.perf_counter()
        batch = Batch.of(table)
        for policy in numbered:
            asked(policy, batch)
        asking.append(time.perf_counter() - started)
        started = time.perf_counter()
        found = judged(numbered, table, "resource.id", "resource.name")
        judging.append(time.perf_counter() - started)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{len(of)} policies x {args.resources:,} resources, medians of {args.rounds} rounds")
    print(f"  asking   {statistics.median(asking):6.3f} s  {min(asking):.3f} .. {max(asking):.3f}")
    print(
        f"  judging  {statistics.median(judging):6.3f} s  {min(judging):.3f} .. {max(judging):.3f}"
        f"  {len(found.verdicts):,} verdicts"
    )
    print(f"  peak {peak:,.0f} MB")
    each, able, differ = reference(numbered, table.slice(0, args.sample))
    whole = each * args.resources * len(able)
    batch = Batch.of(table)
    started = time.perf_counter()
    for policy in able:
        asked(policy, batch)
    mine = time.perf_counter() - started
    print(
        f"row by row: {each * 1e6:.2f} µs an expression pair, {len(able)} policies; "
        f"outcomes that differ: {differ}"
    )
    print(f"ratio cel_vs_columns: {whole / mine:.0f}")


if __name__ == "__main__":
    main()
