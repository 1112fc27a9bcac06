"""Variables and three machines that expressions of tests speak of."""

from __future__ import annotations

from typing import Any, Final

import pyarrow as pa

from costopt.policy.expression import Batch, Described, Kind, Record, compiled

VARIABLES: Final = {
    "resource": Record(
        {
            "name": Described(Kind.TEXT, "what it is called"),
            "vcpus": Described(Kind.NUMBER, "threads"),
            "running": Described(Kind.BOOL, "whether it runs"),
            "tags": Described(Kind.TAGS, "its tags"),
        }
    ),
    "profile": Record(
        {
            "cpu": Record(
                {
                    "p99": Described(Kind.NUMBER, "percent"),
                    "mean": Described(Kind.NUMBER, "percent"),
                }
            )
        }
    ),
}
MACHINES: Final = (
    {"resource.name": "web-1", "resource.vcpus": 8.0, "resource.running": True,
     "resource.tags": [("owner", "ann"), ("env", "prod")], "profile.cpu.p99": None},
    {"resource.name": "db", "resource.vcpus": 2.0, "resource.running": False,
     "resource.tags": [], "profile.cpu.p99": 50.0},
    {"resource.name": None, "resource.vcpus": None, "resource.running": None,
     "resource.tags": None, "profile.cpu.p99": 3.0},
)  # fmt: skip
KINDS: Final = {
    "resource.name": Kind.TEXT,
    "resource.vcpus": Kind.NUMBER,
    "resource.running": Kind.BOOL,
    "resource.tags": Kind.TAGS,
    "profile.cpu.p99": Kind.NUMBER,
}


def batch(*rows: dict[str, Any]) -> Batch:
    """Those rows; none named: the three machines. `profile.cpu.mean` is no column."""
    found = rows or MACHINES
    columns = {
        name: pa.array([row.get(name) for row in found], kind.arrow) for name, kind in KINDS.items()
    }
    return Batch.of(pa.table(columns))


def values(text: str, *rows: dict[str, Any]) -> list[Any]:
    """What the expression says of each row."""
    found: list[Any] = compiled(text, VARIABLES).array(batch(*rows)).to_pylist()
    return found
