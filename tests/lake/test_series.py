"""Series are numbered the same however their columns are encoded, and however many there are."""

import numpy as np
import pyarrow as pa
import pytest

from costopt.lake.series import KEYS, Vocabulary, _combine


def keys(*rows: tuple[str, str, str, str | None, int]) -> pa.Table:
    columns = list(zip(*rows, strict=True))
    types = [pa.string()] * 4 + [pa.int32()]
    arrays = [pa.array(c, t) for c, t in zip(columns, types, strict=True)]
    return pa.table(arrays, names=list(KEYS))


A = ("vm-a", "cpu_utilization", "mean", None, 300)
B = ("vm-b", "cpu_utilization", "mean", "", 300)
C = ("vm-a", "network_in", "max", "eth0", 60)


def test_numbers_hold_from_batch_to_batch() -> None:
    vocabulary = Vocabulary(shards=4)
    first = vocabulary.batch(keys(A, B, A))
    encoded = keys(C, B, A)
    for place, name in enumerate(KEYS[:4]):
        encoded = encoded.set_column(place, name, encoded.column(name).dictionary_encode())
    second = vocabulary.batch(encoded)
    a, b = first.ids[first.codes[:2]]
    assert first.ids[first.codes].tolist() == [a, b, a]
    assert second.ids[second.codes].tolist()[1:] == [b, a]
    ids = second.ids[second.codes]
    assert vocabulary.periods(ids).tolist() == [60, 300, 300]
    assert vocabulary.percent(ids).tolist() == [False, True, True]
    assert (
        pa.table(vocabulary.columns(ids)).to_pylist()
        == keys(C, (*B[:3], "", 300), (*A[:3], "", 300)).to_pylist()
    )


def test_the_order_is_by_shard_then_keys() -> None:
    vocabulary = Vocabulary(shards=3)
    rows = [(f"vm-{i}", metric, "mean", "", 300) for i in range(20) for metric in "zay"]
    ids = vocabulary.batch(keys(*rows)).ids
    shards = vocabulary.shards(ids).tolist()
    expected = sorted(range(len(rows)), key=lambda i: (shards[i], rows[i]))
    assert [rows[i] for i in vocabulary.order(ids)] == [rows[i] for i in expected]


@pytest.mark.parametrize("largest", [1 << 62, 30, 2])
def test_combinations_are_told_apart_even_where_an_integer_cannot_hold_them(largest: int) -> None:
    rng = np.random.default_rng(4)
    columns = [(rng.integers(count, size=200), count) for count in (7, 1, 5, 3, 2)]
    codes, parts = _combine(columns, largest=largest)
    for (column, _), part in zip(columns, parts, strict=True):
        assert np.array_equal(part[codes], column)
    assert len(set(zip(*(p.tolist() for p in parts), strict=True))) == len(parts[0])
