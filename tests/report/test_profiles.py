"""The list of series on pages of all widths: every figure whole, with its unit."""

from __future__ import annotations

import pytest

from costopt.report import profiles as draw
from costopt.report.screen import cells_of
from tests.report.cases import profile

LONG = "llm-train-use1-with-a-long-name-of-its-own-01"
NAMES = {"i-0aa11": "web", "i-gpu": LONG}
LINES = (
    profile(mean=0.0),
    profile("network_in", mean=999_600.0, p95=999.4, p99_5=123e6, max=1.7e9),
    profile("request_rate", mean=12_345.0, p95=0.0004, p99_5=23_456.0, max=98_765.0),
    profile("gpu_memory_bandwidth", resource_id="i-gpu", device="GPU-7", statistic="max"),
    profile("gpu_power", resource_id="i-gpu", mean=71.0, p95=699.9, p99_5=700.0, max=1020.0),
    profile("x_y_of_our_own_cache_hits_and_misses", resource_id="i-gpu", device="0"),
)
WHOLE = {
    "P99.5": ["12.4 %", "123 MB/s", "23,456 1/s", "12.4 %", "700 W", "12.4"],
    "max": ["31.5 %", "1.7 GB/s", "98,765 1/s", "31.5 %", "1,020 W", "31.5"],
    "mean": ["0 %", "1 MB/s", "12,345 1/s", "4.5 %", "71 W", "4.5"],
    "P95": ["8.5 %", "999 B/s", "<0.001 1/s", "8.5 %", "700 W", "8.5"],
}


def page(width: int) -> list[str]:
    return draw.fleet_text(LINES, NAMES, width=width, colour=False).splitlines()


def column(lines: list[str], head: str) -> list[str]:
    """What stands in the column, by the place of its head, which ends where its figures do."""
    heads = next(line for line in lines if " mean " in line or " P99.5 " in line)
    end = heads.index(f" {head} ") + 1 + len(head)
    told = (line[:end].rpartition("  ")[2] for line in lines[lines.index(heads) + 1 :])
    return [text for text in told if text[:1].isdigit() or text[:1] == "<"]


@pytest.mark.parametrize("width", [60, 72, 80, 100, 112, 140, 200])
def test_no_line_is_too_wide_and_no_figure_loses_its_unit(width: int) -> None:
    lines = page(width)
    assert max(map(cells_of, lines)) <= width
    shown = [head for head in WHOLE if any(f" {head} " in line for line in lines[:2])]
    assert shown == list(WHOLE) if width >= 80 else {"P99.5", "max"} <= set(shown)
    for head in shown:
        assert column(lines, head) == WHOLE[head]


@pytest.mark.parametrize("width", [60, 80])
def test_where_there_is_little_room_names_stand_above_and_series_wrap(width: int) -> None:
    lines = page(width)
    assert lines[0] == "  machine"
    assert [line.strip() for line in lines if line.startswith("  ") and line[2] != " "] == [
        "machine",
        "web",
        LONG,
    ]
    told = " ".join(line[4:].split("  ")[0] for line in lines if line.startswith("    "))
    assert "GPU memory bandwidth GPU-7 (max)" in told
    assert "Y of our own cache hits and misses 0" in told


def test_where_there_is_room_a_line_has_it_all() -> None:
    head, *lines = page(200)
    assert head.split()[:3] == ["machine", "metric", "mean"]
    assert head.endswith("Mo Tu We Th Fr Sa Su")
    assert [line.split()[0] for line in (lines[0], lines[3])] == ["web", LONG]


def test_nothing_is_a_head_without_lines() -> None:
    (head,) = draw.fleet_text((), {}, width=120, colour=False).splitlines()
    assert head.split()[0] == "machine"
