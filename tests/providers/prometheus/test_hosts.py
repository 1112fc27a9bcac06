"""The hosts file: its errors, its sums, and the machines beside it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.errors import InputError
from costopt.frame.inventory import resized
from costopt.pricing.catalogue import Catalogue
from costopt.providers.prometheus import hosts
from costopt.providers.prometheus.amortisation import Ownership, hourly, recovery_factor
from costopt.providers.prometheus.fleet import Cards, Machine
from costopt.providers.prometheus.inventory import Inventory, card_model
from costopt.units import HOURS_PER_MONTH
from tests.conftest import ROOT

EXAMPLE = ROOT / "docs" / "examples" / "hosts.yml"
DEFAULTS = (
    "defaults: {currency: EUR, years: 4, discount_rate: 8, pue: 1.4, power_price_kwh: 0.18}\n"
)


def written(folder: Path, text: str) -> Path:
    path = folder / "hosts.yml"
    path.write_text(text)
    return path


def inventory(folder: Path, text: str, *machines: Machine) -> Inventory:
    entries = hosts.load(written(folder, text))
    return Inventory(machines, entries, "hosts.yml")


def machine(name: str, **given: object) -> Machine:
    return Machine(name, name=f"{name}.example", vcpus=32.0, memory_gib=125.6, **given)  # type: ignore[arg-type]


def test_an_hour_is_what_a_spreadsheet_says() -> None:
    """PMT(8 %, 4, -6200, 400) = 1783.14 a year; the rest by hand."""
    web = hosts.load(EXAMPLE)[0]
    assert web.cost is not None
    growth = 1.08**4
    yearly = (6200 - 400 / growth) * (0.08 * growth / (growth - 1))
    assert float(web.cost.capital) == pytest.approx(yearly / 8760, abs=1e-6)
    assert web.cost.capital == Decimal("0.203555")
    assert web.cost.maintenance == Decimal("0.027397")  # 240 / 8760
    assert web.cost.hosting == Decimal("0.047945")  # 35 / 730
    assert web.cost.power == Decimal("0.070560")  # 0.28 kW x 1.4 x 0.18
    assert web.cost.total == Decimal("0.349457")


@given(
    st.decimals(100, 500_000, places=2),
    st.integers(1, 12),
    st.decimals(0, 30, places=2),
    st.decimals(0, 1, places=3),
)
def test_the_hours_pay_back_the_machine(
    price: Decimal, years: int, percent: Decimal, left: Decimal
) -> None:
    """Today's value of all the hours and of what is left is the price."""
    rate = percent / 100 if percent >= Decimal("0.25") else Decimal(0)
    zero = Decimal(0)
    salvage = price * left
    owned = Ownership(price, Decimal(years), salvage, rate, zero, Decimal(1), zero, zero, zero)
    yearly = hourly(owned).total * 12 * HOURS_PER_MONTH
    worth = sum(yearly / (1 + rate) ** n for n in range(1, years + 1))
    worth += salvage / (1 + rate) ** years
    assert abs(worth - price) <= Decimal("0.01") * years  # an hour is rounded to 1e-6


def test_without_interest_each_year_pays_its_share() -> None:
    assert recovery_factor(Decimal(0), Decimal(4)) == Decimal("0.25")


ERRORS = {
    "a field that is none": ("hosts:\n  - match: a\n    memory_gb: 4\n", 3, "'memory_gib'"),
    "in the defaults": (
        "defaults:\n  pue: 1.2\n  curency: EUR\nhosts: [{match: a}]\n", 3, "'currency'",
    ),
    "in the cards": (
        "hosts:\n  - match: a\n    gpus:\n      model: H100\n      cout: 8\n", 5, "'count'",
    ),
    "no hosts": ("defaults: {pue: 1.2}\n", 1, "hosts"),
    "nothing": ("", 1, "hosts"),
    "no YAML": ("hosts: [\n", 2, "not YAML"),
    "text for a number": ("hosts:\n- match: a\n  purchase_price: cheap\n", 3, "not a number"),
    "a comma": ("hosts:\n- match: a\n  kw: 0,5\n", 3, "not a number"),
    "below zero": ("hosts:\n- match: a\n  kw: -1\n", 3, "must not be below 0"),
    "a share for a percentage": (
        "defaults:\n  discount_rate: 0.08\nhosts: [{match: a}]\n", 2, "8 is 8 %",
    ),
    "a percentage for a ratio": (
        "defaults:\n  pue: 140\nhosts: [{match: a}]\n", 2, "between 1 and 5",
    ),
    "a price and no more": (
        "hosts:\n- match: a\n  purchase_price: 5\n", 2, "nor defaults say: currency, years",
    ),
    "threads below cores": (
        "hosts:\n- {match: a, cores: 8, threads: 4, memory_gib: 4}\n", 2, "fewer threads",
    ),
    "half a shape": ("hosts:\n- {match: a, threads: 4}\n", 2, "memory_gib beside it"),
    "a clock that is none": (
        "hosts:\n- match: a\n  time_zone: Europe/Amsterdm\n", 3, "no IANA time zone",
    ),
    "watts": ("hosts:\n- match: a\n  kw: 280\n", 3, "kW, not W?"),
    "a key twice": (
        "hosts:\n- match: a\n  kw: 1\n  site: x\n  kw: 2\n", 5,
        "'kw' stands twice, first in line 3",
    ),
    "a time for a number": ("hosts:\n- match: a\n  years: 1:30\n", 3, "'1:30' is not a number"),
    "a time for a count": (
        "hosts:\n- {match: a, threads: 1:30, memory_gib: 4}\n", 2, "'1:30' is not a number",
    ),
    "too deep": ("[" * 20_000, 0, "nested too deeply"),
    "no name": ("hosts:\n- match: []\n", 2, "needs at least one"),
    "cards without fields": ("hosts:\n- match: a\n  gpus: H100\n", 3, "needs fields of its own"),
    "true for a text": ("hosts:\n- match: a\n  site: true\n", 3, "in quotes"),
    "a yes for a count": ("hosts:\n- {match: a, threads: yes}\n", 2, "'yes' is not a number"),
    "true for a count": ("hosts:\n- {match: a, threads: true}\n", 2, "threads: needs a number"),
    "a currency that is none": ("defaults: {currency: euro}\nhosts: [{match: a}]\n", 1, "EUR"),
    "half a card": (
        "hosts:\n- match: a\n  gpus: {model: H100, count: 1.5}\n", 3, "not a whole number",
    ),
    "salvage of the defaults": (
        DEFAULTS.replace("{", "{salvage: 400, ")
        + "hosts:\n- {match: b}\n- {match: a, purchase_price: 300, kw: 1}\n", 4,
        "salvage 400 > purchase_price 300",
    ),
    "two shapes of one type": (
        "hosts:\n- {match: a, type: x, threads: 8, memory_gib: 4}\n- {match: b}\n"
        "- {match: c, type: x, threads: 8, memory_gib: 8}\n", 4, "two entries name the type 'x'",
    ),
    "two cards of one type": (
        "hosts:\n- {match: a, type: x, gpus: {model: L4, count: 1}}\n"
        "- {match: c, type: x, gpus: {model: L4, count: 2}}\n", 3, "two entries name the type",
    ),
    "two prices of one type": (
        DEFAULTS + "hosts:\n- {match: a, type: x, kw: 1, purchase_price: 100}\n"
        "- {match: b, type: x, kw: 1, purchase_price: 101}\n", 4, "differ in shape or cost",
    ),
    "worth more than it cost": (
        DEFAULTS + "hosts:\n- {match: a, purchase_price: 5, salvage: 6, kw: 1}\n", 3, "salvage",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "line", "said"), ERRORS.values(), ids=ERRORS)
def test_errors_name_the_line_and_the_field(
    text: str, line: int, said: str, tmp_path: Path
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(InputError) as caught:
        hosts.load(path)
    assert said in caught.value.what
    where = caught.value.where
    assert (where.rpartition(":")[0] == f"{path}:{line}") if line else (where == str(path))


def test_numbers_are_read_as_they_are_written(tmp_path: Path) -> None:
    """YAML 1.1 takes 06200 for 3200, in octal."""
    text = DEFAULTS + "hosts:\n- {match: 007, purchase_price: 06200, kw: .5, tags: {rack: 012}}\n"
    (entry,) = hosts.load(written(tmp_path, text))
    assert entry.host.match == ("007",)
    assert (entry.host.purchase_price, entry.host.kw) == (6200, Decimal("0.5"))
    assert entry.costs.tags == {"rack": "012"}


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such hosts file"):
        hosts.load(tmp_path / "none.yml")


def test_the_first_entry_that_matches_counts(tmp_path: Path) -> None:
    entries = hosts.load(written(tmp_path, "hosts:\n- match: [web-1, WEB-2]\n- match: web-*\n"))
    found = [hosts.entry_of(entries, name) for name in ("web-2", "web-3", "db-1")]
    assert [entry and entry.line for entry in found] == [2, 3, None]
    assert hosts.entry_of(entries, "10.0.0.1", "web-9") is entries[1]  # by its own name


def test_a_machine_has_the_shape_and_price_of_its_entry(tmp_path: Path) -> None:
    found = inventory(tmp_path, EXAMPLE.read_text(), machine("web-1"), machine("db-1"))
    rows = found.resources().to_pylist(maps_as_pydicts="strict")
    web, db = rows
    assert (web["ProviderName"], web["RegionId"], web["x_TimeZone"]) == (
        "OnPrem",
        "ams",
        "Europe/Amsterdam",
    )
    assert web["Tags"] == {"owner": "platform"}
    assert db["Tags"] == {"owner": "platform", "team": "data"}
    assert (web["x_vCPUs"], web["x_MemoryGiB"]) == (32.0, 128.0)
    shown = web["x_Attributes"]
    parts = ("capital", "maintenance", "hosting", "power")
    assert sum(Decimal(shown[f"hourly_{p}"]) for p in parts) == Decimal(shown["hourly_price"])
    assert shown["purchase_price"] == "6200"
    assert shown["discount_rate_percent"] == "8"
    assert shown["currency"] == "EUR"
    catalogue = Catalogue.load(found.prices(), found.shapes())
    price = catalogue.price("OnPrem", "ams", web["x_InstanceType"])
    assert price is not None
    assert price.list_unit_price == Decimal("0.349457")
    assert price.currency == "EUR"
    shape = catalogue.shape("OnPrem", "database")
    assert shape is not None
    assert (shape.vcpus, shape.physical_cores, shape.memory_gib) == (64.0, 32.0, 512.0)
    # an entry without a type is of machines that are there: that there are none is told
    assert catalogue.price("OnPrem", "ams", "192vcpu-2048gib-8xh100") is None
    assert [p.where for p in found.problems if "no machine here" in p.what] == ["hosts.yml:35"]
    assert [p.where for p in found.problems if "64 threads" in p.what] == ["db-1"]


def test_an_entry_in_the_shade_names_the_line_that_takes_its_machines(tmp_path: Path) -> None:
    text = "hosts:\n- match: web-*\n- match: web-1\n- match: db-1\n"
    found = inventory(tmp_path, text, machine("web-1"))
    told = {p.where: p.what for p in found.problems}
    assert told["hosts.yml:3"].startswith("'web-1' is taken by line 2")
    assert told["hosts.yml:4"] == "'db-1' is no machine here"


def test_a_type_that_is_only_offered_is_no_problem(tmp_path: Path) -> None:
    text = "hosts:\n- match: a\n- {match: spare, type: small, threads: 8, memory_gib: 32}\n"
    found = inventory(tmp_path, text, machine("a"))
    assert found.problems == []
    assert found.shapes().column("x_InstanceType").to_pylist()[-1] == "small"


def test_machines_without_an_entry_still_show_up(tmp_path: Path) -> None:
    found = inventory(tmp_path, "hosts: [{match: other}]\n", machine("a"), machine("b"))
    row = found.resources().to_pylist()[0]
    assert (row["x_vCPUs"], row["x_MemoryGiB"], row["x_InstanceType"]) == (32.0, 126.0, None)
    (bare,) = [p for p in found.problems if "no price" in p.what]
    assert bare.count == 2


def test_a_price_without_a_shape_takes_the_measured_one(tmp_path: Path) -> None:
    text = DEFAULTS + "hosts: [{match: '*', purchase_price: 5000, kw: 0.3}]\n"
    cards = Cards("H100 80GB HBM3", 2, 80.0)
    found = inventory(tmp_path, text, machine("a"), machine("g", cards=cards))
    types = {m["ResourceId"]: m["x_InstanceType"] for m in found.resources().to_pylist()}
    assert types == {"a": "32vcpu-126gib", "g": "32vcpu-126gib-2xh100"}
    assert found.prices().num_rows == 2


def test_one_size_at_two_costs_is_two_types(tmp_path: Path) -> None:
    size = "threads: 8, memory_gib: 32, kw: 0.2"
    text = DEFAULTS + (
        f"hosts:\n- {{match: old-*, {size}, purchase_price: 2000}}\n"
        f"- {{match: new-*, {size}, purchase_price: 3000}}\n"
    )
    found = inventory(tmp_path, text, machine("old-1"), machine("new-1"))
    assert found.prices().column("x_InstanceType").to_pylist() == [
        "8vcpu-32gib",
        "8vcpu-32gib-new",
    ]
    sites = text.replace("match: old-*", "match: old-*, type: x, site: a").replace(
        "match: new-*", "match: new-*, type: x, site: b"
    )
    found = inventory(tmp_path, sites, machine("old-1"), machine("new-1"))
    places = [(row["x_InstanceType"], row["RegionId"]) for row in found.prices().to_pylist()]
    assert places == [("x", "a"), ("x", "b")]


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("H100 80GB HBM3", "H100"),
        ("A100-SXM4-40GB", "A100"),
        ("Tesla V100-SXM2-16GB", "V100"),
        ("L40S", "L40S"),
        ("A10G", "A10G"),
        ("RTX PRO 6000", "RTX PRO 6000"),
        ("GB200", "GB200"),
    ],
)
def test_cards_are_named_as_in_the_catalogue(name: str, model: str) -> None:
    assert card_model(name) == model


def test_only_another_measured_size_is_a_resize(tmp_path: Path) -> None:
    """A hosts file that comes later, is corrected or loses an entry takes no history away."""
    known = (
        "hosts: [{match: none}]\n",
        "hosts: [{match: a, type: web, threads: 32, memory_gib: 12}]\n",
        "hosts: [{match: a, type: large, threads: 32, memory_gib: 128}]\n",
        DEFAULTS + "hosts: [{match: a, purchase_price: 5000, kw: 0.3}]\n",
    )

    def row(text: str, one: Machine) -> dict[str, object]:
        (found,) = inventory(tmp_path, text, one).resources().to_pylist(maps_as_pydicts="strict")
        return dict(found)

    rows = [row(text, machine("a")) for text in known]
    assert not any(resized(one, other) for one in rows for other in rows)
    grown = Machine("a", vcpus=64.0, memory_gib=125.6)
    carded = machine("a", cards=Cards("NVIDIA L4", 2, 24.0))
    one = row(known[2], machine("a", cards=Cards("NVIDIA L4", 1, 24.0)))
    assert all(resized(before, row(text, grown)) for before in rows for text in known)
    assert resized(one, row(known[2], carded))


def test_what_can_hardly_be_meant_is_told(tmp_path: Path) -> None:
    """Memory in MiB or of another machine, watts of a rack, cents for euros."""
    text = DEFAULTS.replace("0.18", "18") + (
        "hosts:\n- {match: a, threads: 32, memory_gib: 12.8, purchase_price: 5000, kw: 3.5}\n"
        "- {match: g, threads: 32, memory_gib: 126, gpus: {model: H100, count: 8, memory_gib: 80},"
        " purchase_price: 9000, kw: 14}\n"
    )
    cards = Cards("NVIDIA H100 80GB HBM3", 4, 80.0)
    found = inventory(tmp_path, text, machine("a"), machine("g", cards=cards))
    told = {(p.where, p.what.partition(":")[0]) for p in found.problems}
    assert told == {
        ("a", "hosts.yml says 12.8 GiB of memory, the machine shows 125.6"),
        ("g", "hosts.yml says 8 GPUs, the machine shows 4"),
        ("hosts.yml:3", "3.5 kW is much for one machine without GPUs"),
        ("hosts.yml:3", "18 EUR a kWh is much"),
        ("hosts.yml:4", "18 EUR a kWh is much"),
    }


def test_past_its_years_a_machine_costs_what_it_takes_to_run(tmp_path: Path) -> None:
    text = DEFAULTS + "hosts:\n- {match: a, purchase_price: 5000, kw: 0.3, bought: 2020-05-01}\n"
    path = written(tmp_path, text)
    for day, paid in ((date(2024, 4, 30), False), (date(2024, 5, 1), True)):
        (entry,) = hosts.load(path, day)
        assert entry.cost is not None
        assert (entry.cost.capital == 0) is paid
        assert entry.cost.power == Decimal("0.075600")  # 0.3 kW x 1.4 x 0.18
    (row,) = (
        Inventory([machine("a")], hosts.load(path, day), "hosts.yml")
        .resources()
        .to_pylist(maps_as_pydicts="strict")
    )
    assert row["x_Attributes"]["bought"] == "2020-05-01"
    assert row["x_Attributes"]["hourly_capital"] == "0"
