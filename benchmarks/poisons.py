"""Ways in which samples are spoiled on their way: broken sensors, clocks and counters, and malice.

Each takes a table of samples (schema.METRICS) and gives back the one that arrives, or the one that
arrives after it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple
from zlib import crc32

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from costopt import schema

HOUR: Final = 3600
DAY: Final = 24 * HOUR
Samples = pa.Table
Change = Callable[[Samples, np.random.Generator], Samples]


class Poison(NamedTuple):
    """One way, by its title."""

    title: str
    change: Change
    resent: bool = False  # arrives after the true samples, not in their place
    abstains: bool = False  # the quality gate bars what it spoils: advice is withheld


def spikes(share: float) -> Change:
    """That share of CPU samples, at random, becomes 80 to 100 %."""

    def change(samples: Samples, rng: np.random.Generator) -> Samples:
        hit = _cpu(samples) & (rng.random(samples.num_rows) < share)
        return _with(samples, hit, rng.uniform(80, 100, hit.sum()))

    return change


def zeros(share: float) -> Change:
    """That share of CPU samples, at random, becomes zero."""

    def change(samples: Samples, rng: np.random.Generator) -> Samples:
        hit = _cpu(samples) & (rng.random(samples.num_rows) < share)
        return _with(samples, hit, np.zeros(hit.sum()))

    return change


def quiet(samples: Samples, rng: np.random.Generator) -> Samples:
    """Every CPU sample once more, at 6 % of what it was."""
    found = samples.filter(pa.array(_cpu(samples)))
    every = np.ones(found.num_rows, bool)
    return _with(found, every, 0.06 * found["Value"].to_numpy())


def quiet_and_finer(samples: Samples, rng: np.random.Generator) -> Samples:
    """The same at a fifth of the period, five in place of one: a second series that is complete."""
    found = quiet(samples, rng)
    fifth = pc.cast(pc.divide(found["PeriodSeconds"], 5), pa.int32())
    place = found.schema.get_field_index("PeriodSeconds")
    finer = found.set_column(place, schema.METRICS.field("PeriodSeconds"), fifth)
    place = found.schema.get_field_index("Timestamp")
    seconds = pc.cast(fifth, pa.int64())

    def later(times: int) -> Samples:
        ahead = pc.multiply(seconds, times * 1_000_000).cast(pa.duration("us"))
        moved = pc.add(finer["Timestamp"], ahead).cast(schema.TIMESTAMP)
        return finer.set_column(place, schema.METRICS.field("Timestamp"), moved)

    return pa.concat_tables([later(times) for times in range(5)])


def shifted(*offsets: tuple[float, int]) -> Change:
    """Clocks that are wrong: each of a share of the machines, by so many seconds."""

    def change(samples: Samples, rng: np.random.Generator) -> Samples:
        ids = samples["ResourceId"].combine_chunks().dictionary_encode()
        luck = np.array([_luck(name) for name in ids.dictionary.to_pylist()])
        shares, seconds = zip(*offsets, (1.0, 0), strict=True)
        of_each = np.array(seconds)[np.searchsorted(np.cumsum(shares), luck, "right")]
        later = pa.array(of_each[ids.indices.to_numpy()] * 1_000_000).cast(pa.duration("us"))
        place = samples.schema.get_field_index("Timestamp")
        moved = pc.add(samples["Timestamp"], later).cast(schema.TIMESTAMP)
        return samples.set_column(place, schema.METRICS.field("Timestamp"), moved)

    return change


def resets(share: float) -> Change:
    """That share of utilizations, at random, becomes absurd: what a counter gives that started
    again or overflowed."""

    def change(samples: Samples, rng: np.random.Generator) -> Samples:
        percent = pc.ends_with(samples["MetricName"], "_utilization")
        hit = percent.to_numpy() & (rng.random(samples.num_rows) < share)
        return _with(samples, hit, rng.choice([-5.0, -1e6, 180.0, 6e4, 4.3e9], hit.sum()))

    return change


POISONS: Final[Mapping[str, Poison]] = MappingProxyType(
    {
        "spikes-1": Poison("1 % of CPU samples become spikes", spikes(0.01)),
        "spikes-5": Poison("5 % of CPU samples become spikes", spikes(0.05)),
        "zeros-5": Poison("5 % of CPU samples become zero", zeros(0.05)),
        "zeros-20": Poison("20 % of CPU samples become zero", zeros(0.2)),
        "resent-quiet": Poison("every CPU sample re-sent at 6 % of it", quiet, resent=True),
        "resent-finer": Poison(
            "every CPU sample re-sent at 6 % of it, at another period",
            quiet_and_finer,
            resent=True,
            abstains=True,
        ),
        "clock-hour": Poison("half of the clocks one hour ahead", shifted((0.5, HOUR))),
        "clock-days": Poison(
            "3 % of the clocks two days ahead, 3 % behind",
            shifted((0.03, 2 * DAY), (0.03, -2 * DAY)),
        ),
        "resets-1": Poison("1 % of utilizations become absurd, high or negative", resets(0.01)),
    }
)


def _cpu(samples: Samples) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = pc.equal(samples["MetricName"], "cpu_utilization").to_numpy()
    return found


def _with(samples: Samples, hit: npt.NDArray[np.bool_], values: npt.NDArray[Any]) -> Samples:
    changed = samples["Value"].to_numpy().astype(np.float32)
    changed[hit] = values
    place = samples.schema.get_field_index("Value")
    column = pa.array(changed, from_pandas=True)
    return samples.set_column(place, schema.METRICS.field("Value"), column)


def _luck(name: str) -> float:
    """A machine's fixed random number, 0 to 1."""
    return crc32(name.encode()) / 2**32
