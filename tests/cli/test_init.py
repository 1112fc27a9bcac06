"""`costopt init`: what it writes says everything and changes nothing."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from costopt import config, registry
from costopt.cli.init import init, starting_toml
from costopt.config import Settings
from costopt.errors import ConfigError
from costopt.rules.judgement import OF_FLEETS


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_file_loads_as_the_defaults(folder: Path) -> None:
    result = CliRunner().invoke(init)
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    loaded = config.load(environ={})
    assert loaded.model_copy(update={"rules": {}}) == Settings()
    assert not any(loaded.rules.values())
    assert "currency" not in loaded.model_fields_set  # the bill's own still counts


def test_with_every_comment_taken_away_it_says_the_defaults(folder: Path) -> None:
    active = re.sub(r"^#(?=\w)", "", starting_toml(), flags=re.MULTILINE)
    assert set(tomllib.loads(active)) == set(Settings.model_fields)
    (folder / "costopt.toml").write_text(active)
    loaded = config.load(environ={})
    assert loaded.model_copy(update={"rules": {}}) == Settings()
    rules = {name: registry.find("rule", name).Settings for name in registry.names("rule")}
    for name, of_rule in {**rules, **OF_FLEETS}.items():
        default, unset = of_rule(), {"most_providers"}
        assert of_rule.model_validate(loaded.rules[name]) == default
        assert loaded.rules[name].keys() == of_rule.model_fields.keys() - unset
    assert "# most_providers, unset by default: providers in use" in starting_toml()


def test_every_setting_is_explained(folder: Path) -> None:
    lines = starting_toml().splitlines()
    for number, line in enumerate(lines):
        if re.match(r"#\w+ = ", line):
            assert lines[number - 1].startswith("# "), line
    assert max(map(len, lines)) <= 100
    assert "# least share of samples present; at least 0, at most 1" in lines


def test_a_file_that_is_there_is_left_alone(folder: Path) -> None:
    there = folder / "costopt.toml"
    there.write_text('currency = "EUR"\n')
    error = CliRunner().invoke(init).exception
    assert isinstance(error, ConfigError)
    assert "--force" in str(error)
    assert there.read_text() == 'currency = "EUR"\n'
    assert CliRunner().invoke(init, ["--force"]).exit_code == 0
    assert there.read_text() == starting_toml()
