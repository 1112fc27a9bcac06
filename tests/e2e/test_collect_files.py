"""`costopt collect files` as a person meets it: what it prints, where, and how it leaves."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from costopt import cli
from costopt.errors import InputError
from costopt.lake.packed import scan
from costopt.lake.store import Lake
from tests.frame.test_bill import SOUND
from tests.providers.given import write

METRICS = "ResourceId,Timestamp,cpu_utilization\n" + "".join(
    f"i-{n % 2},{1719835200 + 300 * (n // 2)},{n % 50}\n" for n in range(1200)
)
RESOURCES = "provider,resource_id,vcpus\nAWS,i-0,2\nAWS,i-1,4\n"


def bill(*changes: dict[str, str]) -> str:
    rows = [SOUND, *(SOUND | change for change in changes)]
    lines = [
        ",".join('"' + str(v or "").replace('"', '""') + '"' for v in r.values()) for r in rows
    ]
    return "\n".join([",".join(SOUND), *lines]) + "\n"


def collect(*arguments: object) -> Result:
    return CliRunner().invoke(cli.costopt, ["collect", *map(str, arguments)])


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    write(tmp_path / "machines.csv", RESOURCES)
    write(tmp_path / "samples.csv", METRICS)
    write(tmp_path / "bill.csv", bill())
    return tmp_path


def test_a_collection_and_the_same_again(fleet: Path) -> None:
    arguments = ("files", "--home", fleet / "home", "--resources", fleet / "machines.csv",
                 "--metrics", fleet / "samples.csv", "--charges", fleet / "bill.csv")  # fmt: skip
    first = collect(*arguments)
    assert first.exit_code == 0
    assert first.stdout == ""
    lines = first.stderr.splitlines()
    assert lines[0] == f"collected from files into {fleet / 'home' / 'lake'}"
    assert [line.split()[:2] for line in lines[1:4]] == [
        ["resources", "2"],
        ["charges", "1"],
        ["metrics", "1,200"],
    ]
    assert lines[-1] == f"next: costopt recommend --home {fleet / 'home'}"

    lake = Lake(fleet / "home" / "lake")
    held = (lake.read("resources"), lake.read_charges(), list(scan(lake)))
    again = collect(*arguments)
    assert again.exit_code == 0
    assert (lake.read("resources"), lake.read_charges()) == held[:2]
    samples = [shard.column("Samples").to_pylist() for shard in scan(lake)]
    assert samples == [shard.column("Samples").to_pylist() for shard in held[2]]


def test_what_could_not_be_used_is_told_and_the_rest_kept(fleet: Path) -> None:
    write(fleet / "samples.csv", METRICS + "i-0,yesterday,5\ni-0,tomorrow,5\ni-1,1719835200\n")
    done = collect("files", "--home", fleet / "home", "--metrics", fleet / "samples.csv")
    assert done.exit_code == 0
    told = done.stderr.splitlines()
    path = fleet / "samples.csv"
    assert "2 problems; what could be used was kept:" in told
    assert f"  {path}:1204: 2 values under 3 columns: i-1,1719835200" in told
    assert f"  {path}:1202: Timestamp 'yesterday' is not a time: row left out (2 rows)" in told


def test_a_part_that_is_missing_leaves_with_4(fleet: Path) -> None:
    folder = fleet / "metrics"
    write(folder / "a.csv", METRICS)
    write(folder / "b.csv", "")
    done = collect("files", "--home", fleet / "home", "--metrics", folder)
    assert done.exit_code == 4
    assert f"  MISSING {folder / 'b.csv'}: an empty file" in done.stderr.splitlines()
    assert "metrics" in done.stderr
    assert "1,200 samples" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "needs at least one of --resources, --metrics, --charges, --prices, --shapes"),
        (("--mapping", "m.yml"), "needs at least one of --resources"),
        (("--metric", "m.csv"), "No such option"),
    ],
)
def test_usage(arguments: tuple[str, ...], said: str) -> None:
    done = collect("files", *arguments)
    assert done.exit_code == 2
    assert said in done.stderr


@pytest.mark.parametrize(
    ("name", "content", "where", "said"),
    [
        ("--resources", None, "", "no such file or folder"),
        ("--resources", "host,provider\nh,OnPrem\n", ":1", "no column ResourceId"),
        ("--metrics", "ResourceId,Timestamp,cpu\na,1,2\n", ":1", "no column Value"),
        ("--metrics", "a\n", ":1", "no column ResourceId for the metrics table (nor Timestamp)"),
        ("--charges", "cost\n1\n", ":1", "no column EffectiveCost for the charges table"),
        ("--prices", "provider,instance_type,hourly_price,currency\nA,b,free,USD\n", ":2", "not"),
        ("--shapes", "provider,instance_type,vcpus\nA,b,many\n", ":2", "x_vCPUs 'many' is not a"),
        ("--mapping", "metrics: {file: x}\n", ":1:11", "did you mean 'files'?"),
    ],
)  # fmt: skip
def test_errors_name_the_file_the_line_and_the_next_step(
    fleet: Path, name: str, content: str | None, where: str, said: str
) -> None:
    path = fleet / "given"
    if content is not None:
        write(path, content)
    more = ("--metrics", fleet / "samples.csv") if name == "--mapping" else ()
    done = collect("files", "--home", fleet / "home", name, path, *more)
    assert isinstance(done.exception, InputError)
    assert done.exception.where == f"{path}{where}"
    assert said in done.exception.what
    assert done.exception.hint


def test_an_error_is_text_and_exit_code_2(fleet: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "costopt", "collect", "files", "--metrics", "none.csv"],
        cwd=fleet,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (
        "costopt: none.csv: no such file or folder\n"
        "  next: check the path; a relative one is taken from the current folder\n"
    )


def test_what_was_told_before_a_failure_is_not_lost(fleet: Path) -> None:
    write(fleet / "machines.csv", RESOURCES + "AWS,,8\n")
    done = collect(
        "files", "--home", fleet / "home",
        "--resources", fleet / "machines.csv", "--metrics", fleet / "none.csv",
    )  # fmt: skip
    assert done.exit_code == 4
    assert f"{fleet / 'machines.csv'}:4: ResourceId is missing: row left out" in done.stderr
    assert f"{fleet / 'none.csv'}: no such file or folder" in done.stderr
    assert Lake(fleet / "home" / "lake").read("resources").num_rows == 2


def test_every_provider_with_settings_is_a_subcommand() -> None:
    shown = collect("--help").stdout
    assert "files" in shown
    assert "check-focus" in shown
    help_text = collect("files", "--help").stdout
    for option in ("--resources", "--metrics", "--charges", "--prices", "--shapes", "--mapping"):
        assert option in help_text


# -- check-focus -----------------------------------------------------------------------------


def test_a_sound_bill_breaks_nothing(fleet: Path) -> None:
    done = collect("check-focus", fleet / "bill.csv")
    assert done.exit_code == 0
    assert done.stdout == f"{fleet / 'bill.csv'}: 1 row, breaks no rule that can be checked\n"


def test_broken_rules_by_column_and_row(fleet: Path) -> None:
    path = write(fleet / "bill.csv", bill({"ChargeFrequency": "Usage-based"}, {"Tags": "x"}))
    done = collect("check-focus", path)
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        f"{path}: 3 rows, breaks 2 rules",
        "  ChargeFrequency/allowed-values, 1 row",
        "    must be one of One-Time, Recurring, Usage-Based; it is 'Usage-based'",
        "    at line 3",
        "  Tags/key-value-format, 1 row",
        "    must be a JSON object of numbers, text, true, false or null (KeyValueFormat);"
        " it is 'x'",
        "    at line 4",
    ]
    [one] = json.loads(collect("check-focus", "--format", "json", path).stdout)
    assert one["rows"] == 3
    assert [v["rule"] for v in one["violations"]] == [
        "ChargeFrequency/allowed-values",
        "Tags/key-value-format",
    ]
    assert one["violations"][0]["places"] == [f"{path}:3"]


def test_what_is_only_a_should_does_not_fail(fleet: Path) -> None:
    path = write(fleet / "bill.csv", bill({"ChargeDescription": ""}))
    done = collect("check-focus", path)
    assert done.exit_code == 0
    assert "ChargeDescription/described (SHOULD), 1 row" in done.stdout


def test_a_bill_of_nothing(fleet: Path) -> None:
    done = collect("check-focus", write(fleet / "bill.csv", ",".join(SOUND) + "\n"))
    assert isinstance(done.exception, InputError)
    assert done.exception.what == "no rows below the header"


def test_exchange_rates_that_cannot_be_are_told_and_not_taken(tmp_path: Path) -> None:
    """Held against the shipped 1.1133 dollars, 184.37 yen and 4.2318 zlotys a euro."""
    rates = """from,to,rate,day
EUR,USD,0.0009,2026-11-01
EUR,JPY,0.0054,2026-11-01
CHF,CHF,2,2026-11-01
EUR,XXQ,2,2026-11-01
EUR,SEK,10.9,2099-01-01
EUR,PLN,6,2026-11-01
"""
    found = collect("files", "--home", tmp_path, "--exchange", write(tmp_path / "rates.csv", rates))
    assert found.exit_code == 0
    lines = found.stderr.splitlines()
    assert lines[1].split() == ["exchange", "1", "new", "row"]
    assert lines[2:] == [
        "6 problems; what could be used was kept:",
        "  exchange: EUR in USD of 2026-11-01 at 0.0009: 1/1,237 of the 1.1133 of 2026-10-28: "
        "not taken",
        "  exchange: EUR in JPY of 2026-11-01 at 0.0054: 1/34,143 of the 184.37 of 2026-05-08; "
        "it seems to be the other way round, of one JPY in EUR: not taken",
        "  exchange: CHF in CHF of 2026-11-01 at 2: a currency is worth 1 in itself: not taken",
        "  exchange: EUR in XXQ of 2026-11-01 at 2: 'XXQ' is no currency of ISO 4217: not taken",
        "  exchange: EUR in SEK of 2099-01-01 at 10.9: its day, 2099-01-01, is yet to come: "
        "not taken",
        "  exchange: EUR in PLN of 2026-11-01 at 6: 1.4 times the 4.2318 of 2026-05-08: taken",
    ]
    (row,) = Lake(tmp_path / "lake").read("exchange").to_pylist()
    assert (row["x_Currency"], row["x_ToCurrency"]) == ("EUR", "PLN")
