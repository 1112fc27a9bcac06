"""Files of a bill as columns: lines of JSON, and files that are damaged at whichever byte."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.errors import InputError
from costopt.providers.bills import reading


def read(path: Path) -> list[dict[str, str | None]]:
    found = []
    for columns in reading.batches(path, str(path), list):
        found += pa.table(columns).to_pylist()
    return found


def test_lines_of_json_are_flat_and_keep_their_digits(tmp_path: Path) -> None:
    path = tmp_path / "bill.json"
    path.write_text(
        '{"a": {"b": 0.10000000000000000555, "c": null}, "n": 12345678901234567890}\n'
        '\n{"list": [{"k": "v"}], "yes": true, "nan": NaN}\n'
    )
    assert read(path) == [
        {"a.b": "0.10000000000000000555", "n": "12345678901234567890"}
        | dict.fromkeys(("list", "yes", "nan")),
        {"a.b": None, "n": None, "list": '[{"k": "v"}]', "yes": "true", "nan": "NaN"},
    ]


@pytest.mark.parametrize(
    "text", ['{"a": 1}\n[1]\n', '{"a": 1}\n{"a": ', '{"a": 1}\n{"a"', "{" * 90_000, '{"a": 1} x']
)
def test_what_is_no_json_refuses_the_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bill.json"
    path.write_text(text)
    with pytest.raises(InputError, match="damaged"):
        read(path)


def test_a_bill_that_is_only_its_header_has_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "bill.csv"
    path.write_bytes(b"\xef\xbb\xbfa,b\r\n")
    assert read(path) == []


def test_a_zip_is_all_the_files_in_it(tmp_path: Path) -> None:
    path = tmp_path / "bill.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("run/part_1.csv", "b,cost\nx,90\n")
        archive.writestr("run/part_0.csv.gz", gzip.compress(b"cost\n10\n"))
        archive.writestr("run/manifest.json", "{}")
        archive.writestr("__MACOSX/run/part_0.csv", "junk")
        archive.writestr("readme.txt", "what it is")
    assert [row["cost"] for row in read(path)] == ["10", "90"]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("bill", "cost\n5\n")
    assert [row["cost"] for row in read(path)] == ["5"]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("bill.parquet", _whole()["parquet"])
    with pytest.raises(InputError, match="Parquet in a zip"):
        read(path)


def _zipped(text: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bill.csv", text)
    return file.getvalue()


def _whole() -> dict[str, bytes]:
    rows = [{"cost": f"{number}.25", "name": f"machine {number}"} for number in range(400)]
    text = "cost,name\n" + "".join(f"{row['cost']},{row['name']}\n" for row in rows)
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), file, write_page_checksum=True)
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    return {
        "csv.gz": gzip.compress(text.encode()),
        "json.gz": gzip.compress(lines.encode()),
        "parquet": file.getvalue(),
        "zip": _zipped(text),
    }


@settings(max_examples=60)
@given(kind=st.sampled_from(sorted(_whole())), data=st.data())
def test_a_file_that_is_cut_off_is_never_taken_for_a_shorter_bill(
    tmp_path_factory: pytest.TempPathFactory, kind: str, data: st.DataObject
) -> None:
    content = _whole()[kind]
    path = tmp_path_factory.mktemp("cut") / f"bill.{kind}"
    path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    with pytest.raises(InputError):
        read(path)
