"""Which machines look alike over the week: clusters, and an order in which neighbours resemble.

Ward's clustering of standardised weekly shapes (J. H. Ward 1963; by nearest-neighbour chains,
F. Murtagh 1983), in NumPy. It grows with the square of its points, so a large fleet is first cut
into some hundred pieces along its principal directions (D. Boley 1998), which is linear.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from costopt.profile.week import Array

POINTS: Final = 400
"""The most points that are clustered directly; more machines are cut into PIECES first."""
PIECES: Final = 256
_CLUSTERS: Final = 8
"""With more bands than this a reader of a slide stops telling them apart."""
_LEAST_SHARE: Final = 0.02
"""A cluster smaller than this share of the fleet stays with its nearest."""
_LEAST_HEIGHT: Final = 0.02
"""A merge lower than this share of the tallest joins what nobody would tell apart."""
_DIRECTIONS: Final = 12
"""Principal directions kept: daily, weekly and nightly rhythms need some six, the rest is noise."""
_LEVEL: Final = 12.0
"""What the level of demand counts beside its shape: two opposite rhythms are 26 apart."""
_FLAT: Final = 0.05
"""A deviation below this share of the scale is noise: it is not blown up to a shape."""

Rows = npt.NDArray[np.intp]


class _Merge(NamedTuple):
    left: int  # a point, or n + the number of an earlier merge
    right: int
    height: float


def alike(values: Array, scale: float) -> list[Rows]:
    """Clusters of look-alikes, the busiest first; in each the branches of its tree, busiest first.

    The same rows in the same order give the same answer: sort them by id first.

    Args:
        values: float64 (n, 168), NaN = missing; every row has a value.
        scale: the metric's usual range (100 for percentages), in its unit.
    Returns:
        At most 8 arrays; together a permutation of 0..n-1.
    """
    level: Array = np.nanmean(values, axis=1)
    if len(values) < 3:
        return [np.argsort(-level, kind="stable")]
    points = _features(values, level, scale)
    pieces = (
        _pieces(points) if len(points) > POINTS else [np.array([i]) for i in range(len(points))]
    )
    sizes = np.array([len(piece) for piece in pieces])
    centres = np.array([points[piece].mean(axis=0) for piece in pieces])
    busy = np.array([level[piece].mean() for piece in pieces])
    merges = _ward(centres, sizes)
    orders = _orders(merges, busy)
    clusters = [
        np.concatenate([_by_level(pieces[piece], level) for piece in orders[node]])
        for node in _cut(merges, orders, sizes)
    ]
    return _chained(clusters, points, level)


def _features(values: Array, level: Array, scale: float) -> Array:
    """(n, <= 12): the smoothed shape without its level, and the level, by principal directions."""
    filled = np.where(np.isnan(values), level[:, None], values)
    smooth = (np.roll(filled, 1, axis=1) + 2 * filled + np.roll(filled, -1, axis=1)) / 4
    smooth -= smooth.mean(axis=1, keepdims=True)
    shape = smooth / np.maximum(smooth.std(axis=1, keepdims=True), _FLAT * scale)
    features = np.column_stack([shape, _LEVEL * np.sqrt(np.clip(level / scale, 0, 1))])
    features -= features.mean(axis=0)
    _, directions = np.linalg.eigh(features.T @ features)
    kept: Array = np.round(features @ directions[:, ::-1][:, :_DIRECTIONS], 6)
    return kept


def _pieces(points: Array) -> list[Rows]:
    """Cut the widest piece at its mean, across its principal direction, until there are PIECES."""
    pieces = [np.arange(len(points))]
    spreads = [_spread(points)]
    while len(pieces) < PIECES and max(spreads) > 0:
        widest = int(np.argmax(spreads))
        rows = pieces[widest]
        centred = points[rows] - points[rows].mean(axis=0)
        along = centred @ np.linalg.eigh(centred.T @ centred)[1][:, -1]
        for at, part in ((widest, rows[along > 0]), (len(pieces), rows[along <= 0])):
            pieces[at : at + 1] = [part]
            spreads[at : at + 1] = [_spread(points[part])]
    return pieces


def _spread(points: Array) -> float:
    return float(((points - points.mean(axis=0)) ** 2).sum().round(6)) if len(points) > 1 else 0.0


def _ward(points: Array, sizes: npt.NDArray[np.intp]) -> list[_Merge]:
    """Ward's tree: n - 1 merges, children before parents, the last one is the root."""
    n = len(points)
    weight = sizes.astype(np.float64)
    squares = (points**2).sum(axis=1)
    apart = np.maximum(squares[:, None] + squares - 2 * points @ points.T, 0)
    apart *= weight[:, None] * weight / (weight[:, None] + weight)
    np.fill_diagonal(apart, np.inf)
    node = np.arange(n)
    merges: list[_Merge] = []
    chain: list[int] = []
    while len(merges) < n - 1:
        if not chain:
            chain = [int(np.argmax(weight > 0))]
        tip = chain[-1]
        nearest = int(np.argmin(apart[tip]))
        if len(chain) == 1 or apart[tip, nearest] < apart[tip, chain[-2]]:
            chain.append(nearest)
            continue
        other = chain[-2]
        del chain[-2:]
        height = float(apart[tip, other])
        merges.append(_Merge(int(node[other]), int(node[tip]), height))
        # Lance and Williams's update of every distance to the joined cluster.
        joined = (weight[tip] + weight) * apart[tip] + (weight[other] + weight) * apart[other]
        joined = (joined - weight * height) / (weight[tip] + weight[other] + weight)
        apart[other] = apart[:, other] = joined
        apart[tip] = apart[:, tip] = np.inf
        weight[other], weight[tip] = weight[tip] + weight[other], 0.0
        node[other] = n + len(merges) - 1
    return merges


def _orders(merges: list[_Merge], busy: Array) -> list[list[int]]:
    """Each node's points, of every two branches the busier one first."""
    orders = [[point] for point in range(len(busy))]
    for left, right, _ in merges:
        one, other = orders[left], orders[right]
        swap = busy[one].mean() < busy[other].mean()
        orders.append(other + one if swap else one + other)
    return orders


def _cut(merges: list[_Merge], orders: list[list[int]], sizes: npt.NDArray[np.intp]) -> list[int]:
    """The nodes that stand for clusters: the tallest merges undone, while both sides matter."""
    points = len(sizes)
    least = _LEAST_SHARE * sizes.sum()
    branches = [points + len(merges) - 1]
    while len(branches) < _CLUSTERS:
        splits = [
            (merge.height, node)
            for node in branches
            if node >= points
            and (merge := merges[node - points]).height > _LEAST_HEIGHT * merges[-1].height
            and min(sizes[orders[side]].sum() for side in merge[:2]) > least
        ]
        if not splits:
            break
        _, node = max(splits)
        branches.remove(node)
        branches += merges[node - points][:2]
    return branches


def _by_level(rows: Rows, level: Array) -> Rows:
    """The rows of one piece, busiest first."""
    return rows[np.argsort(-level[rows], kind="stable")]


def _chained(clusters: list[Rows], points: Array, level: Array) -> list[Rows]:
    """The busiest cluster first, then always the one that resembles the last most."""
    centres = np.array([points[cluster].mean(axis=0) for cluster in clusters])
    order = [int(np.argmax([level[cluster].mean() for cluster in clusters]))]
    while len(order) < len(clusters):
        apart = np.linalg.norm(centres - centres[order[-1]], axis=1)
        apart[order] = np.inf
        order.append(int(np.argmin(apart)))
    return [clusters[at] for at in order]
