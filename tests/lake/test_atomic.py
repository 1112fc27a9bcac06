"""Files all or nothing: what is replaced, what is written into, and what stays as it was."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from costopt.lake.atomic import replacing, write_atomically, write_parquet


@contextmanager
def _reading(fifo: Path) -> Iterator[int]:
    """The pipe's end to read from; open before anyone writes, so that nobody waits."""
    end = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    try:
        yield end
    finally:
        os.close(end)


def _give_up_half_way(target: Path, data: bytes) -> None:
    with replacing(target) as path:
        path.write_bytes(data)
        raise RuntimeError("half way")


def test_a_file_is_replaced_and_not_written_into(tmp_path: Path) -> None:
    target = tmp_path / "advice.json"
    target.write_bytes(b"old")
    before = target.stat().st_ino
    with target.open("rb") as reader:
        write_atomically(target, b"new")
        assert reader.read() == b"old"
    assert target.read_bytes() == b"new"
    assert target.stat().st_ino != before
    assert list(tmp_path.iterdir()) == [target]


def test_a_failure_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    target = tmp_path / "advice.json"
    target.write_bytes(b"old")
    with pytest.raises(RuntimeError, match="half way"):
        _give_up_half_way(target, b"half")
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("linked", [False, True])
def test_a_pipe_stays_a_pipe_and_gets_the_data(tmp_path: Path, linked: bool) -> None:
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    target = tmp_path / "link" if linked else fifo
    if linked:
        target.symlink_to(fifo)
    with _reading(fifo) as end:
        write_atomically(target, b"data")
        assert os.read(end, 100) == b"data"
    assert stat.S_ISFIFO(fifo.stat().st_mode)
    assert target.is_symlink() == linked
    assert len(list(tmp_path.iterdir())) == 1 + linked


def test_a_failure_does_not_take_the_pipe_away(tmp_path: Path) -> None:
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    with _reading(fifo), pytest.raises(RuntimeError, match="half way"):
        _give_up_half_way(fifo, b"half")
    assert stat.S_ISFIFO(fifo.stat().st_mode)


def test_links_stay_and_what_they_lead_to_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "links").mkdir()
    kept = tmp_path / "real" / "advice.json"
    kept.write_bytes(b"old")
    inner, outer = tmp_path / "real" / "latest", tmp_path / "links" / "mine"
    inner.symlink_to("advice.json")
    outer.symlink_to("../real/latest")
    before = kept.stat().st_ino
    write_atomically(outer, b"new")
    assert kept.read_bytes() == outer.read_bytes() == b"new"
    assert kept.stat().st_ino != before  # replaced whole, beside itself
    assert outer.is_symlink()
    assert inner.is_symlink()
    assert sorted(path.name for path in tmp_path.rglob("*")) == [
        "advice.json", "latest", "links", "mine", "real",
    ]  # fmt: skip


def test_a_link_to_nothing_yet_makes_what_it_leads_to(tmp_path: Path) -> None:
    link = tmp_path / "latest"
    link.symlink_to("advice.json")
    write_atomically(link, b"new")
    assert link.is_symlink()
    assert (tmp_path / "advice.json").read_bytes() == b"new"


def test_links_in_a_circle_are_refused_and_stay(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.symlink_to(other)
    other.symlink_to(one)
    with pytest.raises(OSError, match="symbolic links"):
        write_atomically(one, b"new")
    assert one.is_symlink()
    assert other.is_symlink()


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="no /proc here")
def test_an_open_descriptor_is_written_into(tmp_path: Path) -> None:
    """As /dev/stdout is, where it leads to a file that others go on writing to."""
    file = tmp_path / "log"
    with file.open("wb") as held:
        link = tmp_path / "out"
        link.symlink_to(f"/proc/self/fd/{held.fileno()}")
        write_atomically(link, b"data")
        assert os.path.samestat(os.fstat(held.fileno()), file.stat())
    assert file.read_bytes() == b"data"
    assert link.is_symlink()
    assert sorted(tmp_path.iterdir()) == [file, link]


def test_a_name_may_be_as_long_as_names_can_be(tmp_path: Path) -> None:
    for name in ("x" * 250 + ".json", "é" * 127):
        assert 254 <= len(os.fsencode(name)) <= 255
        write_atomically(tmp_path / name, b"data")
        assert (tmp_path / name).read_bytes() == b"data"


def test_two_files_at_once_do_not_meet_in_one_temporary(tmp_path: Path) -> None:
    with replacing(tmp_path / ("x" * 250)) as one, replacing(tmp_path / ("x" * 251)) as other:
        one.write_bytes(b"1")
        other.write_bytes(b"2")
        assert one.name.startswith(".tmp-")  # what the lake sweeps after a crash
    assert (tmp_path / ("x" * 250)).read_bytes() == b"1"
    assert (tmp_path / ("x" * 251)).read_bytes() == b"2"


def test_a_table_without_rows_makes_no_file(tmp_path: Path) -> None:
    target = tmp_path / "t.parquet"
    assert write_parquet(target, [pa.table({"a": pa.array([], pa.int64())})]) == 0
    assert not list(tmp_path.iterdir())
    assert write_parquet(target, [pa.table({"a": [1, 2]}), pa.table({"a": [3]})]) == 3
    assert pq.read_table(target)["a"].to_pylist() == [1, 2, 3]
