"""What many regions of a provider sell, as arrays: there are 150,000 prices, and no object each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from costopt.model import Price, Shape
from costopt.pricing.layer import NULL, Layer, Mask, region_key

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Listing:
    """Prices of one provider in one currency, parallel: one a type and region."""

    shapes: tuple[Shape, ...]  # every type of the provider
    layers: tuple[Layer, ...]
    shape: Ints  # (N,) position in `shapes`
    region: Ints  # (N,) position among the regions that were asked for
    layer: Ints  # (N,) position in `layers`
    row: Ints  # (N,) in that layer

    @property
    def hourly(self) -> Floats:
        """(N,) as listed."""
        return self._of_layers([layer.hourly for layer in self.layers])

    @property
    def days(self) -> Floats:
        """(N,) since when it holds, days since 1970; NaN = not told."""
        return self._of_layers([layer.days for layer in self.layers])

    def price(self, position: int) -> Price:
        """The whole price."""
        (found,) = self.layers[int(self.layer[position])].take(self.row[position : position + 1])
        return found

    def _of_layers(self, columns: Sequence[Floats]) -> Floats:
        starts = np.cumsum([0, *(len(column) for column in columns)])
        return np.concatenate([*columns, np.zeros(0)])[starts[self.layer] + self.row]


def listing(
    layers: Sequence[Layer], shapes: Mapping[str, Shape], regions: Sequence[str],
    *, system: str, category: str, currency: str,
) -> Listing:  # fmt: skip
    """What `Catalogue.market` has of each region, of all of them at once.

    Args:
        layers: those that override others come first.
        shapes: by type_key.
    """
    keys = [region_key(region) for region in regions]
    found: list[Ints] = [np.zeros((4, 0), np.int64)]
    seen: Ints = np.zeros(0, np.int64)
    for number, layer in enumerate(layers):
        best = _best(layer, shapes, keys, layer.offered(system, category, currency))
        pair = best[0] * len(keys) + best[1]
        new = best[:, ~np.isin(pair, seen)]
        found.append(np.stack((new[0], new[1], np.full(new.shape[1], number), new[2])))
        seen = np.union1d(seen, pair)
    shape, region, layer_, row = np.concatenate(found, axis=1)
    return Listing(tuple(shapes.values()), tuple(layers), shape, region, layer_, row)


def _best(layer: Layer, shapes: Mapping[str, Shape], keys: Sequence[str], rows: Mask) -> Ints:
    """(3, n) shape, region and row: of this region before every region, of this system before any,
    the cheapest."""
    places = {key: number for number, key in enumerate(keys)}
    names = {key: number for number, key in enumerate(shapes)}
    # Null is -1: it finds the last entry.
    at = np.array([*(places.get(key, -1) for key in layer.region.keys), len(keys)], np.int64)
    of = np.array([*(names.get(key, -1) for key in layer.type.keys), -1], np.int64)
    row = np.flatnonzero(rows & (of[layer.type.values] >= 0) & (at[layer.region.values] >= 0))
    region, shape = at[layer.region.values[row]], of[layer.type.values[row]]
    everywhere = region == len(keys)
    if everywhere.any():
        copies = np.repeat(np.flatnonzero(everywhere), len(keys))
        spread = np.tile(np.arange(len(keys)), int(everywhere.sum()))
        row = np.concatenate((row[~everywhere], row[copies]))
        region = np.concatenate((region[~everywhere], spread))
        shape = np.concatenate((shape[~everywhere], shape[copies]))
    wide = layer.region.values[row] == NULL
    pair, any_system = shape * len(keys) + region, layer.system.values[row] == NULL
    order = np.lexsort((layer.hourly[row], any_system, wide, pair))
    _, first = np.unique(pair[order], return_index=True)
    kept = order[first]
    kept = kept[~_barred(shapes, keys, shape[kept], region[kept])]
    return np.stack((shape[kept], region[kept], row[kept]))


def _barred(shapes: Mapping[str, Shape], keys: Sequence[str], shape: Ints, region: Ints) -> Mask:
    """Which of them cannot be had there."""
    never = [
        number * len(keys) + place
        for number, one in enumerate(shapes.values())
        if one.not_offered_in
        for place, key in enumerate(keys)
        if key in one.not_offered_in
    ]
    return np.isin(shape * len(keys) + region, never)
