"""Any file is read rightly or refused in words: delimiters, encodings, ragged rows, broken ends."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from costopt.errors import InputError
from costopt.providers.files import FilesProvider
from tests.providers.given import problems, provider, samples, write

HEADER = "ResourceId,Timestamp,PeriodSeconds,MetricName,Value\n"


def row(minute: int, value: object = 1, resource: str = "i-1") -> str:
    return f"{resource},2024-07-01T00:{minute:02d}:00Z,300,cpu_utilization,{value}\n"


def values(files: FilesProvider) -> list[float]:
    return [sample["Value"] for sample in samples(files)]


def read(folder: Path, content: str | bytes, name: str = "m.csv") -> tuple[list[float], list[str]]:
    """The values of a metrics file, and the problems told."""
    files = provider(metrics=write(folder / name, content))
    return values(files), problems(files, folder)


THREE = HEADER + row(0, 1) + row(5, 2) + row(10, 3)


@pytest.mark.parametrize(
    "content",
    [
        THREE,
        THREE.rstrip(),
        "\ufeff" + THREE,
        THREE.replace("\n", "\r\n"),
        THREE.replace("\n", "\r"),
        "\n\n" + THREE.replace("\n", "\n\n"),
        THREE.replace(",", ";"),
        THREE.replace(",", "\t"),
        THREE.replace(",", "|"),
        THREE.replace(",", " , "),
        "sep=;\n" + THREE.replace(",", ";"),
        THREE.replace("i-1", '"i-1"'),
        gzip.compress(THREE.encode()),
        gzip.compress(HEADER.encode()) + gzip.compress(THREE.removeprefix(HEADER).encode()),
    ],
    ids=[
        "plain", "no last newline", "byte order mark", "CRLF", "CR", "blank lines", "semicolon",
        "tab", "bar", "blanks", "Excel's sep", "quotes", "gzip", "gzip in two members",
    ],
)  # fmt: skip
def test_one_table_in_many_notations(tmp_path: Path, content: str | bytes) -> None:
    assert read(tmp_path, content) == ([1, 2, 3], [])


def test_the_name_of_a_file_says_nothing_of_its_kind(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    pq.write_table(pa.table({"ResourceId": ["i-1"], "Timestamp": [1719792000],
                             "PeriodSeconds": [300], "cpu_utilization": [1.0]}), table)  # fmt: skip
    assert values(provider(metrics=table)) == [1]
    assert read(tmp_path, THREE, name="data")[0] == [1, 2, 3]


def test_ragged_rows_are_counted_with_the_line_of_the_first(tmp_path: Path) -> None:
    content = HEADER + row(0, 1) + "\n" + row(5, "2,5") + row(10, 3) + "i-1,2024\n"
    found, told = read(tmp_path, content)
    assert found == [1, 3]
    assert told == [
        "m.csv:4: 6 values under 5 columns (a ',' without quotes?): "
        "i-1,2024-07-01T00:05:00Z,300,cpu_utilization,2,5"
    ]


def test_lines_count_newlines_within_quotes(tmp_path: Path) -> None:
    content = HEADER + row(0, 1).replace("i-1", '"i\n1"') + row(5, "soon") + row(10, 3)
    found, told = read(tmp_path, content)
    assert found == [1, 3]
    assert told == ["m.csv:4: Value 'soon' is not a number: taken as missing"]


def test_an_open_quote_ends_the_reading_where_it_opens(tmp_path: Path) -> None:
    content = HEADER + row(0, 1) + row(5, 2).replace("i-1", '"i-1') + row(10, 3) * 3
    found, told = read(tmp_path, content)
    assert found == [1]
    assert told == ["m.csv:3: a quote opens here and never closes: from here on nothing was read"]


def test_a_row_without_end_is_refused(tmp_path: Path) -> None:
    content = HEADER + row(0, 1) + row(5, 2).replace("i-1", '"' + "x\n" * (8 << 20))
    found, told = read(tmp_path, content)
    assert found == [1]
    assert told[0].startswith("m.csv:3: from here on nothing was read: a row is longer than 4 MiB")


def test_long_fields_are_read(tmp_path: Path) -> None:
    content = HEADER + row(0, 1, "x" * 300_000) + row(5, "?") + row(10, 3)
    limit = csv.field_size_limit()
    found, told = read(tmp_path, content)
    assert found == [3, 1]
    assert told == ["m.csv:3: Value '?' is not a number: taken as missing"]
    assert csv.field_size_limit() == limit


def test_a_gzip_that_breaks_off_gives_its_whole_lines(tmp_path: Path) -> None:
    content = HEADER + "".join(
        row(n % 60, n * 7919 % 100_003 / 1000, f"i-{n}") for n in range(5000)
    )
    packed = gzip.compress(content.encode())
    files = provider(metrics=write(tmp_path / "m.csv.gz", packed[: len(packed) // 2]))
    found = samples(files)
    assert 1000 < len(found) < 4000
    for sample in found:  # no number cut short
        assert sample["Value"] == pytest.approx(
            int(sample["ResourceId"][2:]) * 7919 % 100_003 / 1000
        )
    [problem] = files.problems
    assert problem.fatal
    assert problem.where == f"{tmp_path / 'm.csv.gz'}:{len(found) + 1}"
    assert "breaks off after this line" in problem.what


def test_a_damaged_gzip_is_refused_whole(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress((HEADER + row(0, 1) * 5000).encode()))
    packed[-6] ^= 1  # its checksum
    with pytest.raises(InputError, match="damaged gzip data"):
        read(tmp_path, bytes(packed), name="m.csv.gz")


@pytest.mark.parametrize(
    ("content", "line", "said"),
    [
        (b"", "", "an empty file"),
        (b"\n \n\n", "", "no header: nothing but blank lines"),
        (THREE.encode("utf-16"), ":1", "UTF-16 text"),
        (THREE.encode("utf-16-le"), ":1", "binary data (or UTF-16 text)"),
        (b"ResourceId,caf\xe9\n1,2\n", ":1", "not UTF-8 text (byte 0xe9 in column 15)"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", ":1", "not UTF-8 text (byte 0x89 in column 1)"),
        (b"GIF89a\x00\x01\n", ":1", "binary data"),
        (b"PK\x03\x04" + bytes(20), "", "a ZIP archive or an Excel workbook"),
        (b"BZh91AY&SY", "", "compressed by bzip2"),
        (b"x" * (2 << 20), ":1", "no line ends in the first MiB"),
        (b'"' + b"x\n" * 100, "", "no header that ends"),
        (b"," * 20_000 + b"\n", ":1", "20,001 columns: not a table"),
        (b"PAR1" + b"rubbish" * 9, "", "a damaged or incomplete Parquet file"),
        (gzip.compress(THREE.encode())[:15], "", "nothing in it"),
        (gzip.compress(b""), "", "nothing in it"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_table_is_refused_in_words(
    tmp_path: Path, content: bytes, line: str, said: str
) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, content)
    assert said in caught.value.what
    assert caught.value.where == f"{tmp_path / 'm.csv'}{line}"


def test_another_encoding_is_read_where_it_is_named(tmp_path: Path) -> None:
    content = (HEADER + row(0, 1, "café")).encode("latin-1")
    files = provider(
        "metrics: {csv: {encoding: latin-1}}", tmp_path, metrics=write(tmp_path / "m.csv", content)
    )
    assert samples(files)[0]["ResourceId"] == "café"
    with pytest.raises(InputError, match=r"ResourceId 'caf.*is not UTF-8 text: row left out"):
        read(tmp_path, content)


def test_a_bad_byte_costs_only_its_row(tmp_path: Path) -> None:
    content = (
        (HEADER + row(0, 1)).encode() + row(5, 2, "caf\xe9").encode("latin-1") + row(9).encode()
    )
    found, told = read(tmp_path, content)
    assert found == [1, 1]
    assert told == [r"m.csv:3: ResourceId 'caf\\xe9' is not UTF-8 text: row left out"]


def test_nul_bytes_are_values_that_cannot_be_read(tmp_path: Path) -> None:
    found, told = read(tmp_path, HEADER + row(0, "1\x00") + row(5, 2))
    assert found == [2]
    assert told == [r"m.csv:2: Value '1\\x00' is not a number: taken as missing"]


def test_a_header_without_rows_is_told(tmp_path: Path) -> None:
    assert read(tmp_path, HEADER) == ([], ["m.csv:1: no rows below the header"])


def test_nothing_usable_is_an_error_with_the_first_reason(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, HEADER + row(0).replace("2024-07-01T", "01/07/2024 ") * 3)
    assert caught.value.where == f"{tmp_path / 'm.csv'}:2"
    assert "no row could be used" in caught.value.what
    assert "Timestamp '01/07/2024 00:00:00Z' is not a time: row left out" in caught.value.what
    assert "mapping" in caught.value.hint


def test_columns_that_come_twice(tmp_path: Path) -> None:
    twice = HEADER.replace("Value", "Value,value") + row(0, "1,2")
    with pytest.raises(InputError, match="the columns 'Value' and 'value' both mean Value"):
        read(tmp_path, twice)
    same = HEADER.replace("Value", "Value,Value") + row(0, "1,2")
    assert read(tmp_path, same) == ([1], [])  # the second is "Value (2)", and is not ours
    other = HEADER.replace("Value", "Value,note,note,,") + row(0, "1,a,b,c,d")
    assert read(tmp_path, other) == ([1], [])


# -- folders ---------------------------------------------------------------------------------


def test_a_folder_is_all_its_data_files_at_any_depth(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    write(folder / "b" / "2.csv", HEADER + row(5, 2))
    write(folder / "a.csv.gz", gzip.compress((HEADER + row(0, 1)).encode()))
    write(folder / "notes.txt", "no data")
    write(folder / ".hidden.csv", "no data")
    write(folder / ".cache" / "x.csv", "no data")
    write(folder / "_SUCCESS", "")
    assert values(provider(metrics=folder)) == [1, 2]


def test_one_bad_file_does_not_stop_the_others(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    write(folder / "a.csv", "nothing,of,use\n1,2,3\n")
    write(folder / "b.csv", HEADER + row(0, 1))
    write(folder / "c.parquet", b"PAR1")
    files = provider(metrics=folder)
    assert values(files) == [1]
    assert [p.fatal for p in files.problems] == [True, True]
    assert problems(files, folder)[0].startswith("a.csv:1: no column ResourceId")
    assert problems(files, folder)[1].startswith("c.parquet: a damaged or incomplete Parquet file")


def test_only_bad_files_are_an_error(tmp_path: Path) -> None:
    write(tmp_path / "data" / "a.csv", "")
    write(tmp_path / "data" / "b.csv", b"\x00")
    with pytest.raises(InputError, match="an empty file"):
        values(provider(metrics=tmp_path / "data"))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "no such file or folder"),
        (lambda path: path.mkdir(), "no data files in this folder"),
        (lambda path: write(path / "a.txt", "x"), "no data files in this folder"),
    ],
    ids=["absent", "empty", "other files"],
)
def test_nothing_there(tmp_path: Path, make: object, said: str) -> None:
    path = tmp_path / "data"
    assert callable(make)
    make(path)
    with pytest.raises(InputError, match=said) as caught:
        values(provider(metrics=path))
    assert caught.value.where == str(path)


# -- Parquet ---------------------------------------------------------------------------------


def parquet(path: Path, columns: dict[str, object], **options: object) -> Path:
    pq.write_table(pa.table(columns), path, **options)
    return path


BASE = {
    "ResourceId": pa.array(["i-1", "i-1", "i-2"]),
    "Timestamp": pa.array([1719792000, 1719792300, 1719792000]),
    "PeriodSeconds": pa.array([300, 300, 300]),
    "cpu_utilization": pa.array([1.0, None, float("nan")]),
}


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("ResourceId", pa.array(["i-1", "i-1", "i-2"]).dictionary_encode()),
        ("ResourceId", pa.array(["i-1", "i-1", "i-2"], pa.large_string())),
        ("ResourceId", pa.array([b"i-1", b"i-1", b"i-2"])),
        ("Timestamp", pa.array([1719792000, 1719792300, 1719792000], pa.timestamp("s"))),
        ("Timestamp", pa.array([1719792000000] * 3, pa.timestamp("ms", "Asia/Tokyo"))),
        ("Timestamp", pa.array(["2024-07-01", "2024-07-01 00:05", "2024-07-01"])),
        ("PeriodSeconds", pa.array([300.0] * 3)),
        ("cpu_utilization", pa.array([1, None, None], pa.int16())),
        ("cpu_utilization", pa.array(["1", "", "NULL"])),
        ("cpu_utilization", pa.array([1, None, None], pa.decimal128(10, 4))),
        ("cpu_utilization", pa.array([1.0, None, None], pa.float16())),
    ],
    ids=lambda value: value if isinstance(value, str) else str(value.type),
)
def test_parquet_of_any_flat_type(tmp_path: Path, name: str, array: pa.Array) -> None:
    files = provider(metrics=parquet(tmp_path / "m.parquet", BASE | {name: array}))
    assert values(files) == [1]
    assert files.problems == []


def test_nested_parquet_is_told_by_row(tmp_path: Path) -> None:
    lists = BASE | {"Timestamp": pa.array([[1719792000]] * 3)}
    with pytest.raises(InputError) as caught:
        values(provider(metrics=parquet(tmp_path / "m.parquet", lists)))
    assert caught.value.where == f"{tmp_path / 'm.parquet'}, row 1"
    assert "Timestamp '[1719792000]' is not a time" in caught.value.what


def test_the_end_of_a_damaged_parquet_is_told(tmp_path: Path) -> None:
    count = 400_000
    path = parquet(
        tmp_path / "m.parquet",
        {
            "ResourceId": pa.array([f"i-{n % 7}" for n in range(count)]),
            "Timestamp": pa.array(range(1719792000, 1719792000 + 300 * count, 300)),
            "PeriodSeconds": pa.array([300] * count),
            "cpu_utilization": pa.array([n % 100 / 1 for n in range(count)]),
        },
        row_group_size=100_000,
        write_page_checksum=True,
    )
    data = bytearray(path.read_bytes())
    middle = len(data) * 3 // 5
    data[middle : middle + 2000] = bytes(2000)
    path.write_bytes(data)
    files = provider(metrics=path)
    found = values(files)
    assert 100_000 <= len(found) < count
    assert any(p.fatal and "from here on nothing was read" in p.what for p in files.problems)


def test_a_wide_parquet_streams_batch_by_batch(tmp_path: Path) -> None:
    count = 300_000
    path = parquet(
        tmp_path / "m.parquet",
        {
            "ResourceId": pa.array(["i-1"] * count),
            "Timestamp": pa.array(range(1719792000, 1719792000 + 300 * count, 300)),
            "cpu_utilization": pa.array([1.0] * count),
        },
        row_group_size=count,
    )
    sizes = [table.num_rows for table in provider(metrics=path).metrics(None)]
    assert sum(sizes) == count
    assert max(sizes) < count
