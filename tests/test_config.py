"""Settings: what is refused, in words that say which one, and what the bounds leave possible."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from annotated_types import Le
from pydantic import BaseModel

from costopt import config, registry
from costopt.errors import ConfigError

SECTIONS: dict[str, type[BaseModel]] = {
    "": config.Settings,
    **{f"{name}.": section for name, section in config.SECTIONS.items()},
    **{f"rules.{name}.": registry.find("rule", name).Settings for name in registry.names("rule")},
}


def _numbers() -> Iterator[tuple[str, type[BaseModel], str]]:
    """Every setting that is a number: the head it stands under, and its name."""
    for head, section in SECTIONS.items():
        for name, field in section.model_fields.items():
            if field.annotation in (float, int):
                yield head, section, name


def _load(folder: Path, head: str, name: str, written: str) -> config.Settings:
    """The settings of a file that says that one thing; rules' own ones are looked at, too."""
    title = f"[{head.removesuffix('.')}]\n" if head else ""
    (folder / "costopt.toml").write_text(f"{title}{name} = {written}\n")
    settings = config.load(folder / "costopt.toml", environ={})
    if head.startswith("rules."):
        settings.of_rule(head.split(".")[1], SECTIONS[head])
    return settings


NUMBERS = list(_numbers())
LENGTHS = [one for one in NUMBERS if one[2].endswith(("_days", "_hours"))]


def test_the_lengths_of_time_are_found() -> None:
    found = {head + name for head, _, name in LENGTHS}
    assert found >= {
        "lookback_days", "quality.min_days", "quality.max_age_days", "quality.stuck_hours",
        "rules.idle.min_age_days", "rules.rightsize.cooldown_days",
    }  # fmt: skip
    assert len(NUMBERS) > len(LENGTHS)


@pytest.mark.parametrize(("head", "section", "name"), NUMBERS)
@pytest.mark.parametrize("written", ["inf", "nan", "-inf", "true", "false"])
def test_a_number_is_one_and_finite(
    tmp_path: Path, head: str, section: type[BaseModel], name: str, written: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        _load(tmp_path, head, name, written)
    assert repr(head + name) in str(caught.value)


@pytest.mark.parametrize(("head", "section", "name"), LENGTHS)
def test_a_length_of_time_has_an_end(
    tmp_path: Path, head: str, section: type[BaseModel], name: str
) -> None:
    for written in ("1e9", "1e12", "1e300"):
        with pytest.raises(ConfigError, match=name):
            _load(tmp_path, head, name, written)
    (most,) = (one.le for one in section.model_fields[name].metadata if isinstance(one, Le))
    assert isinstance(most, int | float)
    _load(tmp_path, head, name, json.dumps(most))
    longest = timedelta(days=most) if name.endswith("_days") else timedelta(hours=most)
    assert datetime(1970, 1, 1, tzinfo=UTC) - longest < datetime(2200, 1, 1, tzinfo=UTC) + longest


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("rules.rightsize.rollback_cost = true", "rules.rightsize.rollback_cost"),
        ("rules.rightsize.smt_speedup = true", "rules.rightsize.smt_speedup"),
        ("rules.rightsize.smt_speedups.m6i = true", "rules.rightsize.smt_speedups.m6i"),
        ("rules.rightsize = true", "rules.rightsize"),
        ("quality = true", "quality"),
        ("home = true", "home"),
    ],
)
def test_true_is_no_number_and_no_text(tmp_path: Path, text: str, name: str) -> None:
    file = tmp_path / "costopt.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match="it is no switch") as caught:
        config.load(file, environ={}).of_rule("rightsize", SECTIONS["rules.rightsize."])
    assert repr(name) in str(caught.value)


def test_switches_and_numbers_are_still_taken(tmp_path: Path) -> None:
    file = tmp_path / "costopt.toml"
    file.write_text(
        "threads = 1\n[quality]\nmin_days = 1\n"
        "[rules.rightsize]\nsize_memory = false\nrollback_cost = 'bold'\nsmt_speedups = {m6i = 1}\n"
    )
    settings = config.load(file, environ={"COSTOPT_THREADS": "2"})
    assert (settings.threads, settings.quality.min_days) == (2, 1)
    found = settings.of_rule("rightsize", SECTIONS["rules.rightsize."])
    assert found.model_dump()["size_memory"] is False
    assert found.model_dump()["rollback_cost"] == 0.2


@pytest.mark.parametrize("value", ["inf", "nan", "true", "1e300"])
def test_the_environment_is_held_to_the_same(tmp_path: Path, value: str) -> None:
    file = tmp_path / "costopt.toml"
    file.touch()
    for name in ("COSTOPT_THREADS", "COSTOPT_LOOKBACK_DAYS"):
        with pytest.raises(ConfigError, match=name.removeprefix("COSTOPT_").lower()):
            config.load(file, environ={name: value})
