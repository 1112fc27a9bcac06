"""When a silence is an end: decommissioned, renamed, down for a day, and back again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from costopt.frame.inventory import present
from costopt.lake.store import Lake
from costopt.model import is_stopped
from costopt.pipeline import collect
from costopt.pricing.catalogue import Catalogue
from costopt.providers.base import Problem
from costopt.providers.prometheus import PrometheusProvider, PrometheusSettings
from tests.fakes.prometheus import DAY, Scripted, Told, serving

NAMES = ["node_uname_info", "node_cpu_seconds_total", "node_memory_MemTotal_bytes"]
KUBE = {"node": "n-7", "provider_id": "aws:///eu-west-1a/i-07"}
NOON = int(datetime(2024, 5, 19, 12, tzinfo=UTC).timestamp())
START = NOON - 6 * DAY
EVER = [(START, NOON + 400 * DAY)]
Times = list[tuple[int, int]]  # first and last second with samples


class Fleet:
    """Machines that report at their times, to a server that scrapes at its own."""

    def __init__(self, **machines: Times) -> None:
        self.machines = machines
        self.nodes: set[str] = set()  # that are Kubernetes' of a cloud
        self.renamed: dict[str, str] = {}
        self.server: Times = EVER
        self.retention = 400

    def at(self, now: int) -> Scripted:
        """The server at that moment."""
        told = [
            Told("max by (instance", {}, lambda at: 12.0),
            Told("count(node_memory", {}, self._count),
        ]
        for name, times in self.machines.items():
            if not any(
                last >= now - self.retention * DAY and first <= now for first, last in times
            ):
                continue  # not even a series any more
            own = self.renamed.get(name, name)
            labels = {"instance": f"{own}:9100", "job": "node"}
            info = {**labels, "nodename": f"{name}.example", "sysname": "Linux"}
            if name in self.nodes:
                told.append(Told("kube_node_info", {**KUBE, "node": f"{name}.example"}, _one))
            told += [
                Told("node_uname_info", info, _one),
                Told("count without", labels, self._value(name, 8.0)),
                Told("100 * (1 - sum", labels, self._value(name, 5.0)),
                Told("node_memory_MemTotal_bytes", labels, self._value(name, 32e9)),
            ]
        names = [*NAMES, *(["kube_node_info"] if self.nodes else [])]
        return Scripted(told=told, names=names)

    def _there(self, name: str, at: int) -> bool:
        up = any(first <= at <= last for first, last in self.machines[name])
        return up and any(first <= at <= last for first, last in self.server)

    def _value(self, name: str, value: float) -> Callable[[int], float | None]:
        return lambda at: value if self._there(name, at) else None

    def _count(self, at: int) -> float | None:
        return float(sum(self._there(name, at) for name in self.machines)) or None


def _one(at: int) -> float:
    return 1.0


class House:
    """One lake, collected into from day to day."""

    def __init__(self, folder: Path, fleet: Fleet) -> None:
        self.lake, self.fleet, self.folder = Lake(folder / "lake"), fleet, folder
        self.url = ""

    def collect(self, day: float, hosts: str = "", **given: object) -> list[Problem]:
        """What was told by the collect so many days after noon."""
        now = NOON + int(day * DAY)
        if hosts:
            (self.folder / "hosts.yml").write_text(hosts)
            given["hosts"] = self.folder / "hosts.yml"
        with serving(self.fleet.at(now)) as server:
            settings = {"url": server.url, "until": datetime.fromtimestamp(now, UTC), "days": 5,
                        "period": 3600, "gone_after": 3, **given}  # fmt: skip
            source = PrometheusProvider(PrometheusSettings(**settings))  # type: ignore[arg-type]
            self._under_one_address(source, server.url)
            collect(source, self.lake)
            self._under_one_address(source, server.url)
        return source.problems

    def _under_one_address(self, source: PrometheusProvider, url: str) -> None:
        """Each of our servers has a port of its own; users have one address."""
        notes = self.lake.notes("prometheus")
        for what in ("machines", "prices"):
            if self.url and f"{what} {self.url}" in notes:
                self.lake.note("prometheus", {f"{what} {url}": notes[f"{what} {self.url}"]})
        self.url = url

    def states(self) -> dict[str, str | None]:
        rows = present(self.lake.read("resources"), datetime.max.replace(tzinfo=UTC), "UTC")
        return {name: resource.state for name, resource in rows.items()}

    def rows(self, name: str) -> int:
        found = self.lake.read("resources").column("ResourceId").to_pylist()
        return found.count(name)


@pytest.fixture
def fleet() -> Fleet:
    """web-2 falls silent at noon."""
    return Fleet(web1=EVER, web2=[(START, NOON)])


@pytest.fixture
def house(tmp_path: Path, fleet: Fleet) -> House:
    return House(tmp_path, fleet)


def test_a_machine_that_is_silent_for_long_is_gone_and_told_once(house: House) -> None:
    stated = PrometheusSettings.model_fields["gone_after"].default
    usual: dict[str, Any] = {"days": 16, "gone_after": stated}
    assert house.collect(0, **usual) == []
    for day in (1, 13):
        assert house.collect(day, **usual) == []
        assert house.states() == {"web1": "running", "web2": None}
    (told,) = house.collect(14, **usual)
    assert (told.where, told.count, told.fatal) == ("machines", 1, False)
    assert told.what == "taken as gone, with the day of the last sample: web2 (2024-05-19)"
    for day in (15, 200):
        assert house.collect(day, **usual) == []
        assert house.states() == {"web1": "running", "web2": "terminated"}
    assert house.rows("web2") == 3  # running, not known, gone
    gone = present(house.lake.read("resources"), datetime.max.replace(tzinfo=UTC), "UTC")["web2"]
    assert is_stopped(gone)
    assert gone.vcpus == 8.0  # what it was is still known


def test_one_that_the_server_has_forgotten_is_gone_by_what_the_lake_holds(house: House) -> None:
    """Retention of a day: nothing of it is left there when its time has come."""
    house.fleet.retention = 1
    house.collect(0)
    for day in (1.5, 2.9):
        assert house.collect(day, days=1) == []
        assert house.states()["web2"] != "terminated"
    (told,) = house.collect(4, days=1)
    assert "web2 (2024-05-19)" in told.what
    assert house.states() == {"web1": "running", "web2": "terminated"}


def test_a_day_s_outage_ends_nothing(house: House, fleet: Fleet) -> None:
    fleet.machines["web2"] = [(START, NOON), (NOON + DAY, NOON + 400 * DAY)]
    for day in (0, 0.9, 6):
        assert house.collect(day) == []
    assert house.states() == {"web1": "running", "web2": "running"}


def test_who_comes_back_lives_again(house: House, fleet: Fleet) -> None:
    fleet.machines["web2"] = [(START, NOON), (NOON + 5 * DAY, NOON + 400 * DAY)]
    house.collect(0)
    house.collect(4)
    assert house.states()["web2"] == "terminated"
    assert house.collect(6) == []
    assert house.states()["web2"] == "running"
    assert house.collect(7) == []


def test_a_server_that_was_away_itself_ends_nobody(house: House, fleet: Fleet) -> None:
    """It is back since an hour, and web-2 was not scraped yet."""
    fleet.machines["web2"] = EVER
    fleet.server = [(START, NOON), (NOON + 8 * DAY - 3600, NOON + 400 * DAY)]
    house.collect(0)
    fleet.machines["web2"] = [(START, NOON), (NOON + 8 * DAY + 60, NOON + 400 * DAY)]
    assert house.collect(8) == []
    assert "terminated" not in house.states().values()


def test_what_another_server_tells_of_is_none_of_ours(house: House) -> None:
    """Two servers, one lake: each ends its own machines only."""
    house.collect(0)
    other = House(house.folder, Fleet(db1=EVER))
    other.lake = house.lake
    for day in (0, 8):
        assert other.collect(day) == []
    assert house.states() == {"web1": "running", "web2": "running", "db1": "running"}


def test_matchers_hide_machines_and_do_not_end_them(house: House, fleet: Fleet) -> None:
    house.collect(0)
    fleet.machines = {"web1": EVER}
    assert house.collect(8, only='instance=~"web1.*"') == []
    assert house.states()["web2"] == "running"


HOSTS = "hosts:\n- match: {match}\n  threads: 8\n  memory_gib: 32\n"


def test_whom_the_hosts_file_names_stays_and_is_told(house: House) -> None:
    hosts = HOSTS.format(match="[web1, web2]")
    house.collect(0, hosts)
    for day in (4, 20):
        (told,) = house.collect(day, hosts)
        assert told.where == "web2"
        assert told.what.startswith("silent since 2024-05-19, but the hosts file names it")
    assert house.states()["web2"] is None


def test_a_pattern_of_the_hosts_file_keeps_nobody(house: House) -> None:
    hosts = HOSTS.format(match='"web*"')
    house.collect(0, hosts)
    assert [p.where for p in house.collect(4, hosts)] == ["machines"]
    assert house.states()["web2"] == "terminated"


def test_the_hosts_file_may_give_an_end(house: House) -> None:
    """From that day on, without waiting; the entry is no offer any more, nor told as unused."""
    hosts = HOSTS.format(match="web1") + (
        "- {match: web2, type: old, threads: 8, memory_gib: 32, until: 2024-05-21}\n"
    )
    house.collect(0, hosts)
    assert house.collect(1, hosts) == []
    assert house.states()["web2"] is None
    (told,) = house.collect(2, hosts)
    assert told.what.endswith("web2 (2024-05-19)")
    assert house.states()["web2"] == "terminated"
    assert house.collect(3, hosts) == []


def test_an_end_that_is_not_kept_is_told(house: House, fleet: Fleet) -> None:
    fleet.machines["web2"] = EVER
    hosts = HOSTS.format(match="web1") + "- {match: web2, until: 2024-05-15}\n"
    for _ in range(2):
        (told,) = house.collect(0, hosts)
        assert told == Problem(
            "web2", "reports after 2024-05-15, its end in the hosts file: it is kept"
        )
        assert house.states()["web2"] == "running"


def test_another_label_renames_at_once(house: House, fleet: Fleet) -> None:
    """The old ids would stand beside the new ones for two weeks."""
    fleet.machines["web2"] = EVER
    house.collect(0)
    told = house.collect(1, machine_label="nodename")
    assert {(p.where, p.what) for p in told} == {
        ("web1", "is listed as 'web1.example' now, and not twice"),
        ("web2", "is listed as 'web2.example' now, and not twice"),
    }
    states = house.states()
    assert states.pop("web1") == states.pop("web2") == "terminated"
    assert states == {"web1.example": "running", "web2.example": "running"}


def test_a_cloud_s_node_is_gone_when_kubernetes_has_dropped_it_for_two_days(
    house: House, fleet: Fleet
) -> None:
    fleet.nodes = {"web2"}
    house.collect(0)
    assert house.states() == {"web1": "running", "i-07": "running"}
    house.collect(1)
    assert house.states()["i-07"] is None
    told = {p.where: p.what for p in house.collect(2)}
    assert "i-07" in told["machines"]
    assert house.states()["i-07"] == "terminated"


def test_the_samples_of_one_that_is_gone_at_the_first_sight_have_their_machine(
    house: House,
) -> None:
    assert house.collect(4) == []
    assert house.states() == {"web1": "running", "web2": "terminated"}
    assert house.collect(4.5) == []
    assert house.rows("web2") == 1


PRICED = """\
defaults: {currency: EUR, years: 4, discount_rate: 8, pue: 1.4, power_price_kwh: 0.2, site: ams}
hosts:
"""
WEB = "  - {match: web*, type: web, threads: 8, memory_gib: 32, purchase_price: 9000, kw: 0.3}\n"
SPARE = "  - {match: x, type: spare, threads: 2, memory_gib: 8, purchase_price: 900, kw: 0.1}\n"


def _market(house: House) -> list[str]:
    catalogue = Catalogue.load(house.lake.read("prices"), house.lake.read("shapes"))
    found = catalogue.market("OnPrem", "ams", currency="EUR").shapes
    return [shape.instance_type for shape in found]


def test_the_newest_hosts_file_says_what_can_be_had(house: House) -> None:
    """An entry that goes takes its type off the market, and one that comes back brings it."""
    house.collect(0, PRICED + WEB + SPARE)
    assert sorted(_market(house)) == ["spare", "web"]
    house.collect(0.1, PRICED + WEB)
    assert _market(house) == ["web"]
    house.collect(0.2, PRICED + WEB)
    assert _market(house) == ["web"]
    house.collect(0.3, PRICED + WEB + SPARE)
    assert sorted(_market(house)) == ["spare", "web"]
    house.collect(0.4)  # no file is no other file
    assert sorted(_market(house)) == ["spare", "web"]
    house.collect(0.5, PRICED.replace("ams", "fra") + WEB)
    assert _market(house) == []


def test_another_server_s_file_ends_nothing_of_ours(house: House) -> None:
    house.collect(0, PRICED + WEB)
    other = House(house.folder, Fleet(db1=EVER))
    other.lake = house.lake
    other.collect(0, PRICED + SPARE)
    assert sorted(_market(house)) == ["spare", "web"]
