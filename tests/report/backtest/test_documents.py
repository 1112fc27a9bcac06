"""JSON and CSV: every field of the nouns, kept to the published schema."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import fields, replace
from math import nan
from typing import Any

import jsonschema
import pytest
from hypothesis import given

from costopt.backtest import result as nouns
from costopt.backtest.result import Backtest
from costopt.report.backtest import as_csv, as_json, schema
from tests.report.backtest import builders

SCHEMA = json.loads(schema())
VALIDATOR = jsonschema.Draft202012Validator(
    SCHEMA, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
)
NOUNS = {
    nouns.Interval: "interval",
    nouns.Guarded: "guarded",
    nouns.MethodScore: "score",
    nouns.MemoryScore: "memory",
    nouns.Bin: "bin",
    nouns.Calibration: "calibration",
}


def document(result: Backtest) -> dict[str, Any]:
    def refused(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    found = json.loads(as_json(result), parse_constant=refused)
    VALIDATOR.validate(found)
    assert isinstance(found, dict)
    return found


def rows(result: Backtest) -> list[dict[str, str]]:
    text = as_csv(result).decode()
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def test_the_schema_is_valid_and_closed() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    for part in [SCHEMA, *SCHEMA["$defs"].values()]:
        assert part["description"]
        if "properties" in part:
            assert part["additionalProperties"] is False
            assert sorted(part["required"]) == sorted(part["properties"])


@pytest.mark.parametrize("noun", NOUNS)
def test_the_schema_has_every_field_of_the_nouns(noun: Any) -> None:
    assert list(SCHEMA["$defs"][NOUNS[noun]]["properties"]) == [f.name for f in fields(noun)]


def test_the_schema_has_every_field_of_a_backtest() -> None:
    whole = ["schema_version", *(field.name for field in fields(Backtest))]
    assert list(SCHEMA["properties"]) == whole


@pytest.mark.parametrize(
    "result",
    [
        builders.backtest(1, calibration=None, skipped={}),
        builders.backtest(27),
        builders.with_memory(),
        builders.three_kappas(),
    ],
)
def test_backtests_keep_to_the_schema(result: Backtest) -> None:
    found = document(result)
    assert [score["name"] for score in found["scores"]] == [s.name for s in result.scores]


@given(builders.backtests())
def test_any_backtest_keeps_to_the_schema(result: Backtest) -> None:
    assert len(document(result)["scores"]) == len(rows(result)) == len(result.scores)


def test_json_holds_the_figures() -> None:
    found = document(builders.with_memory())
    assert found["origins"][0] == "2026-01-19T00:00:00Z"
    assert found["window"]["end"] == "2026-02-23T00:00:00Z"
    assert found["skipped"] == {"short-history": 37, "thin-data": 4}
    ours, other = found["scores"][:2]
    assert ours["net"] == {"value": 0.665, "low": 0.645, "high": 0.685}
    assert ours["net_minus_ours"] is None
    assert other["net_minus_ours"]["value"] == -0.004
    assert [g["lead_minutes"] for g in ours["guarded"]] == [10, 240, 1440]
    assert found["memory"][1]["out_of_memory"]["high"] == 0.099
    assert found["calibration"]["bins"][0] == {
        "predicted": 0.021, "observed": 0.018, "count": 6211,
    }  # fmt: skip


def test_the_unknown_is_null_and_empty_never_zero() -> None:
    unknown = builders.score("vpa", "VPA", nan, 1, over_90=nan)
    result = builders.backtest(1)
    result = replace(result, scores=(*result.scores, unknown))
    found = document(result)["scores"][1]
    assert found["net"] == {"value": None, "low": None, "high": None}
    assert found["over_90"] is None
    ours, row = rows(result)
    assert (row["net"], row["over_90"], ours["net_minus_ours"]) == ("", "", "")


def test_a_row_holds_a_method() -> None:
    _, row = rows(builders.backtest(2))
    assert row["name"] == "aws-co"
    assert (row["net"], row["net_low"], row["net_high"]) == ("0.661", "0.641", "0.681")
    assert row["guarded_240_worst"] == "0.0168"
    assert row["guarded_10_net_high"] == "0.681"
    assert row["net_minus_ours"] == "-0.004"


def test_a_title_runs_nothing_in_a_spreadsheet() -> None:
    bad = builders.score("x", "=HYPERLINK(1)", 1, 1)
    assert rows(builders.backtest(scores=(bad,)))[0]["title"] == "'=HYPERLINK(1)"
    assert b"\x1b" not in as_json(builders.backtest(scores=(replace(bad, title="\x1b[31m"),)))


def test_the_order_of_skips_in_memory_changes_nothing() -> None:
    result = builders.backtest()
    turned = replace(result, skipped=dict(reversed(list(result.skipped.items()))))
    assert as_json(turned) == as_json(result)
