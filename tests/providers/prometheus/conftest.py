"""A real Prometheus with two weeks of three machines, whose every value is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Final, NamedTuple

import pytest

from tests.fakes.prometheus import DAY, Given, real

END: Final = int(datetime(2026, 3, 16, tzinfo=UTC).timestamp())
DAYS: Final = 14
START: Final = END - DAYS * DAY
PERIOD: Final = 300
SCRAPE: Final = 100
LATE: Final = END - 2 * DAY
REBOOT: Final = START + 5 * DAY + 3 * 3600
"""db-1's counters begin anew here."""
GIB: Final = 1024**3
NODES: Final = ("db-1", "gpu-1", "web-1")
CARDS: Final = ("GPU-aaaa", "GPU-bbbb")
BLANK: Final = 9223372036854775794.0


def hour_wave(at: int) -> float:
    """A whole number of percent, 10 to 33, that stays for a period and changes with the hour."""
    return 10.0 + at // PERIOD % 12 + at // 3600 % 12


def busy(node: str, at: int) -> float:
    """Percent CPU of the period that starts then."""
    return hour_wave(at) + 5 * NODES.index(node)


def received(node: str, at: int) -> float:
    """Bytes a second on the physical interface."""
    return 1000.0 * hour_wave(at) + NODES.index(node)


def used_gib(node: str, at: int) -> float:
    """Memory in use, sample by sample, out of 64 GiB."""
    return 8.0 + at // SCRAPE % 5 + NODES.index(node)


def card_use(card: str, at: int) -> float:
    """GPU utilization of a sample."""
    return float(at // SCRAPE % 60 + 20 * CARDS.index(card))


class Counter(NamedTuple):
    """A rate a second that holds for each period, as a counter that is scraped."""

    name: str
    labels: dict[str, str]
    rate: Callable[[int], float]
    reboot: int | None = None

    def given(self, since: int = START) -> Given:
        """From that second on, what it counts."""

        def points() -> Iterator[tuple[float, float]]:
            total = 12345.0
            for at in range(since, END + 1, SCRAPE):
                yield at, round(total, 6)
                if at == self.reboot:
                    total = 0.0
                total += self.rate(at // PERIOD * PERIOD) * SCRAPE

        return Given(self.name, self.labels, points())


def gauge(
    name: str, labels: dict[str, str], value: Callable[[int], float], since: int = START
) -> Given:
    moments = range(since, END + 1, SCRAPE)
    return Given(name, labels, ((at, value(at)) for at in moments))


def _node(node: str, job: str, since: int = START) -> Iterator[Given]:
    target = {"instance": f"{node}:9100", "job": job}
    reboot = REBOOT if node == "db-1" else None
    for cpu in ("0", "1"):
        shares: dict[str, Callable[[int], float]] = {
            "user": lambda at: busy(node, at) / 200,
            "steal": lambda at: busy(node, at) / 200,
            "iowait": lambda at: 0.05,
            "idle": lambda at: 0.95 - busy(node, at) / 100,
        }
        for mode, share in shares.items():
            labels = {**target, "cpu": cpu, "mode": mode}
            yield Counter("node_cpu_seconds_total", labels, share, reboot).given(since)
    yield gauge("node_memory_MemTotal_bytes", target, lambda at: 63.2 * GIB, since)
    if node != "web-1":  # an exporter before Linux 3.14 has no MemAvailable
        yield gauge(
            "node_memory_MemAvailable_bytes", target,
            lambda at: 63.2 * GIB - used_gib(node, at) * GIB, since,
        )  # fmt: skip
    else:
        for name, share in (("MemFree", 0.5), ("Buffers", 0.2), ("Cached", 0.3)):
            yield gauge(
                f"node_memory_{name}_bytes", target,
                lambda at, s=share: s * (63.2 * GIB - used_gib(node, at) * GIB), since,  # type: ignore[misc]
            )  # fmt: skip
    # what is to be left out need not be there for long
    for device, factor in (("eth0", 1), ("lo", 7), ("veth12ab", 3), ("bond0", 1), ("eth0.100", 1)):
        yield Counter(
            "node_network_receive_bytes_total", {**target, "device": device},
            lambda at, f=factor: f * received(node, at), reboot,  # type: ignore[misc]
        ).given(since if device == "eth0" else LATE)  # fmt: skip
    for device, factor in (("sda", 1), ("sda1", 1), ("nvme0n1", 2), ("dm-0", 3), ("loop0", 9)):
        yield Counter(
            "node_disk_written_bytes_total", {**target, "device": device},
            lambda at, f=factor: f * 4096.0, reboot,  # type: ignore[misc]
        ).given(since if device in ("sda", "nvme0n1") else LATE)  # fmt: skip
        yield Counter(
            "node_disk_io_time_seconds_total", {**target, "device": device},
            lambda at, f=factor: f * 0.1, reboot,  # type: ignore[misc]
        ).given(since if device in ("sda", "nvme0n1") else LATE)  # fmt: skip
    info = {"nodename": f"{node}.example", "machine": "x86_64", "sysname": "Linux"}
    yield gauge("node_uname_info", {**target, **info}, lambda at: 1.0, LATE)


def _card(card: str) -> Iterator[Given]:
    number = str(CARDS.index(card))
    labels = {"instance": "10.0.0.9:9400", "job": "dcgm", "gpu": number, "UUID": card,
              "modelName": "NVIDIA H100 80GB HBM3", "Hostname": "gpu-1.example"}  # fmt: skip
    yield gauge(
        "DCGM_FI_DEV_GPU_UTIL", labels,
        lambda at: BLANK if at // PERIOD % 50 == 49 else card_use(card, at),
    )  # fmt: skip
    # the pods that use a card change every six hours
    for pod in ("train-a", "train-b"):
        moments = (t for t in range(START, END + 1, SCRAPE) if t // 21_600 % 2 == (pod[-1] == "b"))
        points = [(at, card_use(card, at) / 100) for at in moments]
        yield Given("DCGM_FI_PROF_SM_ACTIVE", {**labels, "pod": pod}, points)
    used, whole = 20_000.0, 81_000.0
    yield gauge("DCGM_FI_DEV_FB_USED", labels, lambda at: used + at // SCRAPE % 3 * 300)
    yield gauge("DCGM_FI_DEV_FB_FREE", labels, lambda at: whole - used - at // SCRAPE % 3 * 300)
    yield gauge("DCGM_FI_DEV_POWER_USAGE", labels, lambda at: 300.0 + at // SCRAPE % 3)
    for part in ("1", "2"):
        yield gauge("DCGM_FI_PROF_GR_ENGINE_ACTIVE", {**labels, "GPU_I_ID": part},
                    lambda at, p=part: int(p) / 10)  # fmt: skip  # type: ignore[misc]


def everything() -> Iterator[Given]:
    for node in NODES:
        yield from _node(node, "node")
    yield from _node("gpu-1", "node-again", LATE)  # scraped by two jobs
    for card in CARDS:
        yield from _card(card)


@pytest.fixture(scope="session")
def backfilled(
    prometheus: str, promtool: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of one that holds `everything`."""
    with real(prometheus, promtool, tmp_path_factory.mktemp("prometheus"), everything()) as url:
        yield url
