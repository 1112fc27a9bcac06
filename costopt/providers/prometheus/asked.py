"""Which stretches of time a fleet's samples were asked for: what the lake holds tells only where
they end, and not whether they began later or were left alone between.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from costopt.providers.prometheus.measures import Measure
from costopt.providers.prometheus.slots import Span, ceil

_BEGAN = "began"


@dataclass(frozen=True)
class Asked:
    """The stretches of each measure, as earlier collects that ended well noted them."""

    stretches: Mapping[str, tuple[Span, ...]]
    began: int | None  # from when on the first collect asked, though it may have been killed

    @classmethod
    def read(cls, note: str) -> Asked:
        """What an earlier collect noted; "" = none did."""
        found: dict[str, Any] = json.loads(note or "{}")
        began = found.pop(_BEGAN, None)
        return cls({name: tuple(Span(*s) for s in told) for name, told in found.items()}, began)

    def beginning(self, span: Span) -> str:
        """The note to keep before the samples of a collect over that span come."""
        return self._written(self.stretches, span)

    def noted(self, span: Span, whole: Iterable[Measure]) -> str:
        """The note to keep once the samples of these measures have come."""
        more = {_name(m): _merged((*self.stretches.get(_name(m), ()), span)) for m in whole}
        return self._written({**self.stretches, **more}, span)

    def holes(self, measure: Measure, span: Span, reach: int, period: int) -> list[Span]:
        """What the span has before `reach`, up to where the lake's samples go, and was not asked.

        Where nobody noted anything, none: all before `reach` is taken as asked.
        """
        told = self.stretches.get(_name(measure), ())
        if not told and self.began is not None:
            told = (Span(self.began, max(reach, self.began)),)
        if not told:
            return []
        found, at = [], span.start
        for one in (*told, Span(span.stop, span.stop)):
            stop = ceil(min(one.start, reach, span.stop), period)
            if at < stop:
                found.append(Span(at, stop))
            at = max(at, one.stop // period * period)
        return found

    def _written(self, stretches: Mapping[str, tuple[Span, ...]], span: Span) -> str:
        began = span.start if self.began is None else self.began
        return json.dumps({**stretches, _BEGAN: began}, sort_keys=True)


def _name(measure: Measure) -> str:
    return f"{measure.metric} {measure.statistic} {measure.source}"


def _merged(stretches: Iterable[Span]) -> tuple[Span, ...]:
    found: list[Span] = []
    for one in sorted(one for one in stretches if one.start < one.stop):
        if found and one.start <= found[-1].stop:
            found[-1] = Span(found[-1].start, max(found[-1].stop, one.stop))
        else:
            found.append(one)
    return tuple(found)
