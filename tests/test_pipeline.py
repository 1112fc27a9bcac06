"""The whole way where no single part can be tested alone: clocks, currencies, states, settings."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from costopt import pipeline, registry, schema
from costopt.config import Settings
from costopt.errors import ConfigError, InsufficientData, ProviderError
from costopt.lake import packed
from costopt.lake.store import Lake
from costopt.model import ActionType, Report, Window
from tests.fakes.fleet import END, FakeFleet, Machine, long_samples, steady


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def fleet(*machines: Machine) -> FakeFleet:
    return FakeFleet(machines or [Machine("m", 16, steady(14, 10))])


def report(lake: Lake, provider: FakeFleet, settings: Settings | None = None) -> Report:
    pipeline.collect(provider, lake)
    return pipeline.analyse(lake, settings or Settings(), None).report


def test_now_is_how_far_the_data_reach(lake: Lake) -> None:
    assert report(lake, fleet()).as_of == END


def test_one_clock_that_runs_ahead_does_not_move_now(lake: Lake) -> None:
    class Ahead(FakeFleet):
        def metrics(self, window: Window | None) -> Iterator[pa.Table]:
            *right, wrong = super().metrics(window)
            yield from right
            late = pc.add(wrong["Timestamp"], timedelta(days=400))
            yield wrong.set_column(3, schema.METRICS.field("Timestamp"), late)

    machines = [Machine(f"m{n}", 16, steady(14, 10, seed=n)) for n in range(12)]
    found = report(lake, Ahead(machines))
    assert found.as_of == END
    assert found.summary.recommendations == 11


def test_a_far_future_sample_of_one_of_two_machines_does_not_move_now(lake: Lake) -> None:
    machines = [Machine(f"m{n}", 16, steady(14, 10, seed=n)) for n in range(2)]
    pipeline.collect(FakeFleet(machines), lake)
    late = long_samples("m0", "cpu_utilization", steady(0.1, 10))
    times = pc.add(late["Timestamp"], timedelta(days=9999))
    lake.append_metrics("fake", [late.set_column(3, schema.METRICS.field("Timestamp"), times)])
    found = pipeline.analyse(lake, Settings(), None).report
    assert found.as_of == END
    assert found.summary.recommendations == 2


def test_corrected_tags_count_at_once_and_are_no_resize(lake: Lake) -> None:
    pipeline.collect(fleet(), lake)
    tagged = Machine("m", 16, steady(14, 10), columns={"Tags": [("team", "web")]})
    (advice,) = report(lake, fleet(tagged)).recommendations
    assert advice.tags == {"team": "web"}


def test_a_size_corrected_before_there_are_samples_replaces_the_wrong_one(lake: Lake) -> None:
    lake.append("resources", FakeFleet([Machine("m", 4, steady(1, 10))]).resources())
    (advice,) = report(lake, fleet()).recommendations
    assert advice.current.vcpus == 16


def test_a_size_wrong_from_the_start_is_corrected_by_a_date_before_the_samples(lake: Lake) -> None:
    pipeline.collect(FakeFleet([Machine("m", 64, steady(14, 10))]), lake)
    since = {"x_ObservedAt": END - timedelta(days=100)}
    (advice,) = report(lake, fleet(Machine("m", 16, steady(14, 10), columns=since))).recommendations
    assert advice.current.vcpus == 16


def test_savings_never_exceed_spend_whatever_is_credited(lake: Lake) -> None:
    class Credited(FakeFleet):
        def charges(self, window: Window | None) -> Iterator[pa.Table]:
            for table in super().charges(window):
                yield table
                (row,) = table.slice(0, 1).to_pylist(maps_as_pydicts="strict")
                row |= {"ResourceId": None, "ChargeCategory": "Credit"}
                row |= {"EffectiveCost": Decimal(-5000)}
                yield pa.Table.from_pylist([row], schema=schema.CHARGES)

    found = report(lake, Credited(fleet().machines, billed=True))
    assert 0 < found.summary.monthly_savings <= found.summary.monthly_spend
    assert found.summary.reconciled_percent == pytest.approx(100)
    assert any("credits of" in note for note in found.notes)


def test_an_unknown_rule_section_is_refused(lake: Lake) -> None:
    pipeline.collect(fleet(), lake)
    with pytest.raises(ConfigError, match="no rule named 'idel'"):
        pipeline.analyse(lake, Settings(rules={"idel": {"x": 1}}), None)


def test_an_empty_lake_is_insufficient_data(lake: Lake) -> None:
    with pytest.raises(InsufficientData, match="holds no metrics") as raised:
        pipeline.analyse(lake, Settings(), None)
    for provider in registry.names("provider"):
        assert provider in str(raised.value.hint)


def test_samples_a_killed_collect_left_uncompacted_count(lake: Lake) -> None:
    provider = fleet()
    for name in ("resources", "shapes", "prices"):
        lake.append(name, getattr(provider, name)())
    lake.append_metrics(provider.name, provider.metrics(None))
    assert lake.pending()
    assert pipeline.analyse(lake, Settings(), None).report.summary.recommendations == 1


def test_a_stopped_machine_is_told_as_such_not_as_stale(lake: Lake) -> None:
    stopped = Machine("off", 16, steady(14, 10)[:-2000], columns={"x_State": "stopped"})
    found = report(lake, fleet(stopped, Machine("on", 16, steady(14, 10))))
    assert [(s.resource_id, s.reason) for s in found.skips] == [("off", "not-running")]


def test_amounts_of_two_currencies_are_never_added(lake: Lake) -> None:
    class Euros(FakeFleet):
        def prices(self) -> pa.Table:
            dollars = super().prices()
            names = pa.repeat("Hetzner", dollars.num_rows)
            euros = pa.repeat("EUR", dollars.num_rows)
            other = dollars.set_column(0, schema.PRICES.field("ProviderName"), names)
            other = other.set_column(
                schema.PRICES.get_field_index("PricingCurrency"),
                schema.PRICES.field("PricingCurrency"),
                euros,
            )
            return pa.concat_tables([dollars, other.cast(dollars.schema)])

        def shapes(self) -> pa.Table:
            shapes = super().shapes()
            names = pa.repeat("Hetzner", shapes.num_rows)
            return pa.concat_tables(
                [shapes, shapes.set_column(0, schema.SHAPES.field("ProviderName"), names)]
            )

    abroad = Machine("de", 16, steady(14, 10), columns={"ProviderName": "Hetzner"})
    machines = [Machine("a", 16, steady(14, 10)), Machine("b", 16, steady(14, 10)), abroad]
    found = report(lake, Euros(machines))
    assert found.currency == "USD"
    assert found.summary.monthly_spend == 2 * 16 * Decimal("0.05") * 730
    assert [(s.resource_id, s.reason) for s in found.skips] == [("de", "other-currency")]
    in_euros = pipeline.analyse(lake, Settings(currency="EUR"), None).report
    assert [r.resource_id for r in in_euros.recommendations] == ["de"]
    assert in_euros.summary.monthly_spend == 16 * Decimal("0.05") * 730


def test_a_machine_without_a_type_is_priced_by_its_size(lake: Lake) -> None:
    nameless = Machine("m", 16, steady(14, 10), columns={"x_InstanceType": None})
    (advice,) = report(lake, fleet(nameless)).recommendations
    assert advice.current.hourly_price == Decimal("0.8")
    assert "priced as g16" in advice.reason


def test_a_bad_rule_setting_names_itself(lake: Lake) -> None:
    pipeline.collect(fleet(), lake)
    settings = Settings(rules={"idle": {"definition": "lazy"}})
    with pytest.raises(ConfigError, match=r"rules\.idle\.definition"):
        pipeline.analyse(lake, settings, None)


def test_the_lookback_bounds_what_is_judged(lake: Lake) -> None:
    busy_then_quiet = [*steady(10, 80), *steady(14, 2)]
    machine = Machine("m", 16, dataclasses.replace(fleet().machines[0]).cpu)
    machine = dataclasses.replace(machine, cpu=pa.array(busy_then_quiet).to_numpy())
    assert report(lake, fleet(machine)).recommendations == ()
    settings = Settings(lookback_days=13)
    (advice,) = pipeline.analyse(lake, settings, None).report.recommendations
    assert advice.action_type in (ActionType.RIGHTSIZE, ActionType.STOP)


def test_collecting_twice_gives_the_same_tables(lake: Lake) -> None:
    pipeline.collect(FakeFleet(fleet().machines, billed=True), lake)

    def tables() -> dict[str, bytes]:
        return {
            str(path.relative_to(lake.root)): path.read_bytes()
            for path in sorted(lake.root.rglob("*.parquet"))
        }

    before = tables()
    again = pipeline.collect(FakeFleet(fleet().machines, billed=True), lake)
    assert tables().keys() == before.keys()
    assert packed.days(lake)
    assert {name: n for name, n in again.rows.items() if name != "metrics"} == {
        "resources": 0,
        "shapes": 0,
        "prices": 0,
        "charges": 0,
    }


class Halting(FakeFleet):
    """A provider whose bill cannot be had."""

    def charges(self, window: Window | None) -> Iterator[pa.Table]:
        raise ProviderError("access denied", where="bill", hint="grant it")
        yield


def test_a_table_that_fails_does_not_stop_the_others(lake: Lake) -> None:
    collected = pipeline.collect(Halting(fleet().machines), lake)
    assert [(p.where, p.fatal) for p in collected.problems] == [("bill", True)]
    assert pipeline.analyse(lake, Settings(), None).report.summary.recommendations == 1


def test_where_nothing_could_be_had_the_first_failure_is_raised(lake: Lake) -> None:
    pipeline.collect(fleet(), lake)

    class Mute(Halting):
        def metrics(self, window: Window | None) -> Iterator[pa.Table]:
            yield from ()

    with pytest.raises(ProviderError, match="access denied"):
        pipeline.collect(Mute(fleet().machines), lake)
