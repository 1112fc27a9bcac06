"""What GPUs and other accelerators can do: facts/gpus.csv, from datasheets and tables of them.

Throughput is the peak without sparsity. A figure that no source gives is None, and fulfils no
floor: so a card whose maker keeps back its 16-bit figure cannot take the place of one whose floor
is told in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from costopt.model import Shape
from costopt.pricing import facts

_WHOLE: Final = 0.9
"""A machine that shows at least this share of a card's nominal memory has the whole card: providers
show 22.4 of an A10G's 24 GiB, 44.7 of an L40S's 48, 268.6 of a B300's 288."""


@dataclass(frozen=True, slots=True)
class GpuFacts:
    """One card, or a share of one. None = not known."""

    model: str
    memory_gib: float
    bandwidth_gb_s: float | None
    fp32_tflops: float | None
    fp16_tflops: float | None  # dense, tensor units where it has them
    bf16_tflops: float | None  # likewise; None too where it cannot
    fp8_tflops: float | None  # likewise
    tdp_watts: float | None
    nvlink: bool
    mig: bool | None
    architecture: str
    source: str

    @property
    def tensor_tflops(self) -> float | None:
        """Dense 16-bit throughput: of FP16 or BF16, whichever is known and higher."""
        known = [value for value in (self.fp16_tflops, self.bf16_tflops) if value is not None]
        return max(known, default=None)

    def share(self, part: float) -> GpuFacts:
        """A part of the card, 0..1: as much of all that it does."""
        return replace(
            self,
            memory_gib=self.memory_gib * part,
            bandwidth_gb_s=_times(self.bandwidth_gb_s, part),
            fp32_tflops=_times(self.fp32_tflops, part),
            fp16_tflops=_times(self.fp16_tflops, part),
            bf16_tflops=_times(self.bf16_tflops, part),
            fp8_tflops=_times(self.fp8_tflops, part),
            tdp_watts=_times(self.tdp_watts, part),
        )


class Gpus:
    """Cards by model, and by memory where a model comes with more than one."""

    def __init__(self, cards: Mapping[str, tuple[GpuFacts, ...]]) -> None:
        self._cards = cards

    @classmethod
    def load(cls) -> Gpus:
        """The built-in table."""
        cards: dict[str, list[GpuFacts]] = {}
        for row in facts.rows("gpus"):
            for name in (row["model"], *filter(None, row["aliases"].split(";"))):
                cards.setdefault(model_key(name), []).append(_card(row))
        by_memory = {
            name: tuple(sorted(found, key=lambda card: card.memory_gib))
            for name, found in cards.items()
        }
        return cls(by_memory)

    def gpu(self, model: str, memory_gib: float | None = None) -> GpuFacts | None:
        """What a whole card of that model does; None = not in the table.

        Args:
            model: as bills, providers and catalogues spell it; letters' case, blanks, dashes and
                the maker's name make no difference.
            memory_gib: tells variants apart: the largest that is no larger. None = the smallest,
                so that too much is never assumed.
        """
        cards = self._cards.get(model_key(model))
        if not cards:
            return None
        no_larger = [c for c in cards if memory_gib and c.memory_gib * _WHOLE <= memory_gib]
        return no_larger[-1] if no_larger else cards[0]

    def gpu_of(self, shape: Shape) -> GpuFacts | None:
        """What one of a machine's cards does; None = it has none, or none that is known.

        A share of a card (Azure's NVads, AWS's g6f) has the share of its memory in all it does:
        what time-slicing leaves it for sure when its neighbours are busy.
        """
        if not shape.gpu_model or not shape.gpu_count:
            return None
        card = self.gpu(shape.gpu_model, shape.gpu_memory_gib)
        if card is None or shape.gpu_memory_gib is None:
            return card
        part = shape.gpu_memory_gib / card.memory_gib
        return card if part >= _WHOLE else card.share(part)


_MAKERS: Final = ("nvidia", "tesla", "amd", "aws")


def model_key(model: str) -> str:
    """One key for "NVIDIA Tesla T4", "tesla-t4" and "T4"."""
    words = "".join(c if c.isalnum() else " " for c in model.casefold()).split()
    return "".join(word for word in words if word not in _MAKERS)


def _card(row: Mapping[str, str]) -> GpuFacts:
    number = {name: float(row[name]) if row[name] else None for name in _FIGURES}
    return GpuFacts(
        model=row["model"],
        memory_gib=float(row["memory_gib"]),
        **number,
        nvlink=row["nvlink"] == "yes",
        mig=row["mig"] == "yes" if row["mig"] else None,
        architecture=row["architecture"],
        source=f"{row['source']} (read {row['read']})",
    )


_FIGURES: Final[Iterable[str]] = (
    "bandwidth_gb_s",
    "fp32_tflops",
    "fp16_tflops",
    "bf16_tflops",
    "fp8_tflops",
    "tdp_watts",
)


def _times(value: float | None, part: float) -> float | None:
    return None if value is None else value * part
