"""Mapping files: every error names the file, the line, the field, and what was meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from costopt.errors import InputError
from costopt.providers import mapping
from tests.conftest import ROOT

EXAMPLES = sorted((ROOT / "docs" / "examples" / "mappings").glob("*.yml"))


def load(folder: Path, text: str | bytes) -> mapping.FileMapping:
    path = folder / "map.yml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return mapping.load(path)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_are_mappings_that_say_what_they_are(path: Path) -> None:
    assert mapping.load(path).about
    assert path.read_text().startswith("# ")


def test_short_forms_and_fractions(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        """
metrics:
  csv: {delimiter: ";\\t", decimal: ",", thousands: "."}
  columns:
    ResourceId: {file_name: '_(\\d+)', prefix: vm-}
    Timestamp: {column: ts, unit: ms, zone: Europe/Amsterdam}
  values:
    - {metric: network_in, column: rx, scale: 1/8, offset: 1.5, statistic: max}
resources: {from: metrics, columns: {x_vCPUs: cores}, tags: {team: owner}}
prices: {files: [a*.csv, b*.csv]}
""",
    )
    assert found.resources.origin == "metrics"
    assert found.resources.columns["x_vCPUs"].column == "cores"
    assert found.metrics.values[0].scale == 0.125
    assert found.prices.patterns == ("a*.csv", "b*.csv")
    assert found.shapes.patterns == ("*",)


def test_words_stay_words_as_people_write_them(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        "metrics:\n  skip_where: [{column: off, equals: no}]\n"
        "resources: {columns: {RegionId: {value: NO}, x_LaunchedAt: {value: 2024-07-01}}}\n"
        "shapes: {columns: {x_CurrentGeneration: {value: true}}}\n",
    )
    assert found.metrics.skip_where[0].column == "off"
    assert found.metrics.skip_where[0].equals == "no"
    assert found.resources.columns["RegionId"].value == "NO"
    assert found.resources.columns["x_LaunchedAt"].value == "2024-07-01"
    assert found.shapes.columns["x_CurrentGeneration"].value is True


def test_an_empty_file_maps_nothing(tmp_path: Path) -> None:
    assert load(tmp_path, "# nothing yet\n") == mapping.FileMapping()


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("metrics:\n  colums: {}\n", 2, "metrics.colums: no such field; did you mean 'columns'?"),
        ("metrix: {}\n", 1, "metrix: no such field; did you mean 'metrics'?"),
        (
            "metrics:\n  columns:\n    ResourceID: x\n",
            2,
            "'ResourceID' is none of our columns; did you mean ResourceId?",
        ),
        (
            "metrics:\n  columns:\n    Timestamp:\n      colunm: x\n",
            4,
            "no such field; did you mean 'column'?",
        ),
        ("metrics:\n  columns:\n    Timestamp: {}\n", 3, "exactly one of column, value, file_name"),
        (
            "metrics:\n  columns:\n    Timestamp: {column: a, value: 1}\n",
            3,
            "exactly one of column, value, file_name",
        ),
        (
            "metrics:\n  columns:\n    Timestamp: {column: a, zone: Europe/Amsterdm}\n",
            3,
            "'Europe/Amsterdm' is no IANA time zone",
        ),
        (
            "metrics:\n  columns:\n    ResourceId: {file_name: 'a(b'}\n",
            3,
            "not a regular expression",
        ),
        (
            "metrics:\n  columns:\n    ResourceId: {file_name: 'ab'}\n",
            3,
            "exactly one group in parentheses, has 0",
        ),
        (
            "metrics:\n  values:\n  - {metric: m, column: c}\n"
            "  - {metric: m, column: c, scale: a}\n",
            4,
            "neither a number nor a fraction like 1/1024",
        ),
        (
            "metrics:\n  values:\n  - {metric: m, column: c, scale: 1/0}\n",
            3,
            "neither a number nor a fraction",
        ),
        ("metrics:\n  skip_where:\n  - {column: a}\n", 3, "exactly one of equals, less_than"),
        ("metrics:\n  csv: {delimiter: '::'}\n", 2, "one character, which blanks may follow"),
        ("metrics:\n  csv: {decimal: ',', thousands: ','}\n", 2, "must be different marks"),
        ("metrics:\n  csv: {encoding: utf-7}\n", 2, "encoding: is one of 'utf-8'"),
        (
            "charges:\n  columns:\n    BilledCost: {column: cost, scale: 2}\n",
            2,
            "amounts are taken as they stand",
        ),
        ("- a\n", 1, "the file: needs fields of its own"),
        ("metrics: [1\n", 2, "not YAML"),
        ("a: !!python/object:os.system x\n", 1, "not YAML"),
    ],
)
def test_errors_name_file_line_and_field(tmp_path: Path, text: str, line: int, said: str) -> None:
    with pytest.raises(InputError) as caught:
        load(tmp_path, text)
    assert caught.value.where.rpartition(":")[0] == f"{tmp_path / 'map.yml'}:{line}"
    assert said in caught.value.what


def test_no_such_mapping(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such mapping file"):
        mapping.load(tmp_path / "none.yml")
