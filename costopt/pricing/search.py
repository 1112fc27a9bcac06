"""Finding machine types: the cheapest that hold a need, and the names nearest to a wrong one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

import numpy as np
import numpy.typing as npt

from costopt.model import Price, Shape
from costopt.pricing.layer import Layer, type_key

_CARD: Final = re.compile(r"-\d+GB$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Found:
    """A machine type and what it costs in one place."""

    shape: Shape
    price: Price


@dataclass(frozen=True, slots=True)
class Need:
    """The least a machine must have. A figure that a shape does not know does not fulfil it."""

    vcpus: float = 0.0
    memory_gib: float = 0.0
    gpu_model: str | None = None  # "A100", or "A100-80GB" for cards of at least 80 GiB
    gpu_count: int = 0
    architecture: str | None = None

    def holds(self, shape: Shape) -> bool:
        """Whether the shape has all of it."""
        return (
            shape.vcpus >= self.vcpus
            and (not self.memory_gib or (shape.memory_gib or 0.0) >= self.memory_gib)
            and shape.gpu_count >= max(self.gpu_count, 1 if self.gpu_model else 0)
            and (self.gpu_model is None or _same_gpu(self.gpu_model, shape))
            and (self.architecture is None or shape.architecture == self.architecture)
        )


def _same_gpu(wanted: str, shape: Shape) -> bool:
    model, _, card = wanted.rpartition("-") if _CARD.search(wanted) else (wanted, "", "0GB")
    # Providers round a card's memory to either side of its nominal figure.
    least = 0.9 * int(card[:-2])
    return _plain(model) == _plain(shape.gpu_model or "") and (shape.gpu_memory_gib or 0) >= least


def _plain(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def cheapest(
    layers: Sequence[Layer],
    shapes: Mapping[str, Shape],
    *,
    system: str,
    category: str,
    currency: str,
) -> list[Found]:
    """Each of the shapes where it costs least, over all regions.

    Args:
        layers: the first that prices a type in a region hides it in those that follow.
        shapes: type key -> shape; types of no interest left out.
    """
    best: dict[str, Price] = {}
    before: list[tuple[Layer, npt.NDArray[np.bool_]]] = []
    for layer in layers:
        wanted = layer.offered(system, category, currency) & layer.type.any_of(shapes)
        before.append((layer, wanted))
        for other, hiding in before[:-1]:
            wanted = wanted & ~layer.hidden_by(other, hiding)
        rows = np.flatnonzero(wanted)
        rows = rows[np.argsort(layer.hourly[rows], kind="stable")]
        _, first = np.unique(layer.type.values[rows], return_index=True)
        for price in layer.take(rows[first]):
            held = best.setdefault(type_key(price.instance_type), price)
            if price.list_unit_price < held.list_unit_price:
                best[type_key(price.instance_type)] = price
    return [Found(shapes[name], price) for name, price in best.items()]


def by_price(found: Iterable[Found]) -> list[Found]:
    """Cheapest first; then by provider, type and region, so that the order never changes."""
    return sorted(
        found,
        key=lambda f: (
            f.price.list_unit_price,
            f.shape.provider_name,
            f.shape.instance_type,
            f.price.region_id or "",
        ),
    )


def nearest(name: str, shapes: Iterable[Shape], limit: int) -> tuple[Shape, ...]:
    """Shapes whose names contain the text, shortest first; then those spelt most alike."""
    wanted = type_key(name)
    scored = []
    for shape in shapes:
        key = type_key(shape.instance_type)
        if wanted and wanted in key:
            scored.append((0.0, len(key), key, shape))
            continue
        matcher = SequenceMatcher(None, wanted, key)
        if matcher.real_quick_ratio() > 0.6 and matcher.quick_ratio() > 0.6:
            scored.append((2 - matcher.ratio(), len(key), key, shape))
    return tuple(shape for *_, shape in sorted(scored, key=lambda item: item[:3])[:limit])
