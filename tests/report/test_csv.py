"""The CSV reads back as it was meant, in a parser and in a spreadsheet."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

from hypothesis import given

from costopt.model import Report
from costopt.report import csv as csv_format
from costopt.report.safe import csv_cell
from tests.report import builders


def _rows(report: Report) -> list[dict[str, str]]:
    text = csv_format.render(report).decode()
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def test_the_header_is_stable() -> None:
    header = csv_format.render(builders.report()).decode()
    assert header == ",".join(csv_format.COLUMNS) + "\r\n"
    assert csv_format.COLUMNS[:4] == ("recommendation_id", "rule", "action_type", "resource_id")
    assert len(set(csv_format.COLUMNS)) == len(csv_format.COLUMNS)


def test_a_row_holds_the_recommendation() -> None:
    (row,) = _rows(builders.report((builders.recommendation(),)))
    assert row["resource_id"] == "i-0aa11"
    assert row["current_instance_type"] == "m5.4xlarge"
    assert row["recommended_hourly_price"] == "0.214"
    assert row["estimated_monthly_savings_target"] == "468.66"
    assert row["lookback_start"] == "2026-09-02T00:00:00Z"
    assert row["restart_needed"] == "true"
    assert row["risk_upper_bound"] == "0.012"
    assert row["tags"] == "team=web"
    assert row["risk_rollback_probability"] == "0.0573"
    assert row["risk_confidence"] == "likely safe"
    assert (row["backtest_origins"], row["backtest_net_savings_percent"]) == ("3", "41.23")
    assert row["undo_when"] == (
        "CPU was over 90 % in 21 periods of 5 minutes, or memory over 95 % in 1 period of 5 minutes"
    )


def test_what_is_unknown_is_empty_and_what_is_gone_is_zero() -> None:
    (row,) = _rows(builders.report((builders.stop(sub_account_id=None),)))
    assert (row["sub_account_id"], row["risk_expected_share"]) == ("", "")
    assert (row["recommended_vcpus"], row["recommended_instance_type"]) == ("0", "")
    assert (row["backtest_origins"], row["undo_when"]) == ("", "")


def test_a_schedule_stands_in_words() -> None:
    plain, group, machine = _rows(
        builders.report(
            (
                builders.schedule(),
                builders.schedule("asg-web", replicas=4),
                builders.recommendation(),
            )
        )
    )
    assert (machine["schedule_runs"], machine["replicas"]) == ("Mon-Fri 07:00-18:30", "")
    assert (machine["schedule_time_zone"], machine["schedule_slot_minutes"]) == (
        "Europe/Amsterdam",
        "30",
    )
    assert machine["schedule_days"] == "2026-12-25 Christmas Day"
    assert group["replicas"] == "4"
    assert {plain[name] for name in plain if name.startswith("schedule_")} == {""}


def test_disputed_spikes_have_columns() -> None:
    spiky = builders.recommendation(evidence={"disputed": builders.DISPUTED})
    (row,) = _rows(builders.report((spiky,)))
    assert row["disputed_samples"] == "92"
    assert row["instance_type_if_disputed_are_real"] == "m5.2xlarge"
    (row,) = _rows(builders.report((builders.recommendation(),)))
    assert row["disputed_samples"] == row["instance_type_if_disputed_are_real"] == ""


def test_a_negative_amount_is_a_number() -> None:
    one = builders.recommendation(estimated_monthly_cost=Decimal("-3.5"))
    assert ",-3.5," in csv_format.render(builders.report((one,))).decode()
    assert ",-156.22," in csv_format.render(builders.report((builders.larger(),))).decode()


def test_the_chance_of_undoing_a_larger_machine_is_empty_not_zero() -> None:
    (row,) = _rows(builders.report((builders.larger(),)))
    names = ("rollback_probability", "rollback_probability_upper", "horizon_days")
    assert [row[f"risk_{name}"] for name in names] == [""] * 3
    assert row["risk_confidence"] == "not applicable: a larger machine"


@given(builders.REPORTS)
def test_any_report_reads_back_and_runs_nothing(report: Report) -> None:
    rows = _rows(report)
    assert len(rows) == len(report.recommendations)
    for row, one in zip(rows, report.recommendations, strict=True):
        assert row["resource_id"] == csv_cell(one.resource_id)
        saved = Decimal(row["estimated_monthly_savings_target"])
        assert saved == one.estimated_monthly_savings.target
        for name, cell in row.items():
            amounts = ("current_monthly", "estimated", "stranded")
            numeric = name.startswith(amounts) and "basis" not in name
            assert numeric or not cell.lstrip().startswith(("=", "+", "-", "@")), (name, cell)
