"""Help pages of providers' commands, at 80 columns."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from costopt.cli import costopt

PAGES = (
    "collect aws", "collect files", "collect prometheus", "doctor aws", "doctor prometheus",
    "prices update aws", "prices update azure", "prices update gcp",
)  # fmt: skip


def page(words: str) -> str:
    shown = CliRunner(env={"COLUMNS": "80"}).invoke(
        costopt, [*words.split(), "--help"], terminal_width=80
    )
    assert shown.exit_code == 0
    return shown.stdout


@pytest.mark.parametrize("words", PAGES)
def test_a_page_is_whole_and_in_order(words: str) -> None:
    shown = page(words)
    assert max(map(len, shown.splitlines())) <= 80
    options = [line.split()[0] for line in shown.splitlines() if line.startswith("  -")]
    *ours, help_option = options
    assert help_option in ("-h,", "--help")
    if not words.startswith("doctor"):
        assert ours[-2:] == ["--home", "--config"]


@pytest.mark.parametrize("provider", ["aws", "prometheus"])
def test_doctor_speaks_of_trying_and_shows_only_what_it_heeds(provider: str) -> None:
    shown = page(f"doctor {provider}")
    assert f"Try what `costopt collect {provider}` needs." in shown
    assert "  Collect " not in shown
    for option in ("--dry-run", "--max-api-cost", "--home", "--config"):
        assert option not in shown
        assert option in page("collect aws")
    assert "--policy" in shown


def test_doctor_takes_all_options_of_the_collect_though_some_mean_nothing_to_it() -> None:
    words = ["doctor", "aws", "--dry-run", "--max-api-cost", "1", "--home", "x", "--policy"]
    done = CliRunner().invoke(costopt, words, standalone_mode=False)
    assert done.exception is None
    assert '"cloudwatch:GetMetricData"' in done.stdout


@pytest.mark.parametrize("group", ["collect", "doctor"])
def test_no_line_of_a_list_of_commands_is_cut(group: str) -> None:
    lines = page(group).splitlines()
    for name in ("aws", "prometheus"):
        (line,) = [line for line in lines if line.startswith(f"  {name} ")]
        assert line.endswith(".")
        assert not line.endswith("...")


def test_a_moment_and_a_figure_read_as_they_are_given() -> None:
    shown = page("collect aws")
    assert "--until MOMENT" in shown
    assert "Default: 10\n" in shown


def test_of_a_wrong_part_the_right_ones_are_told() -> None:
    words = ["collect", "aws", "--skip", "bills"]
    with pytest.raises(click.UsageError, match="'metrics', 'charges', 'prices' or 'advice'"):
        CliRunner().invoke(costopt, words, standalone_mode=False, catch_exceptions=False)


@pytest.mark.parametrize("provider", ["aws", "gcp", "azure", "prometheus"])
def test_a_moment_ahead_of_now_is_refused(provider: str) -> None:
    words = ["collect", provider, "--until", "2999-01-01"]
    words += ["--url", "http://127.0.0.1:1"] if provider == "prometheus" else []
    told = CliRunner().invoke(costopt, words)
    assert told.exit_code == 2
    assert "--until: 2999-01-01 00:00 UTC is in the future" in told.output
