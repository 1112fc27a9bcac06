"""What the user knows better than a cloud: nothing that a collect brings takes its place."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from costopt import schema
from costopt.pricing.layer import type_key
from costopt.units import provider_key


def beside_own(fresh: pa.Table, held: pa.Table) -> pa.Table:
    """The shapes of types that no shape of the user's own describes (schema.SHAPES).

    Args:
        fresh: of a collect.
        held: the lake's.
    """
    own = held.filter(pc.invert(schema.published(held)))
    described = set(_keys(own))
    return fresh.filter(pa.array([key not in described for key in _keys(fresh)], pa.bool_()))


def _keys(shapes: pa.Table) -> list[tuple[str, str]]:
    columns = (shapes.column(name).to_pylist() for name in ("ProviderName", "x_InstanceType"))
    return [(provider_key(name), type_key(kind)) for name, kind in zip(*columns, strict=True)]
