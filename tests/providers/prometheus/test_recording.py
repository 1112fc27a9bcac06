"""Recording rules are made of the queries themselves, and Prometheus takes them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import yaml

from costopt.providers.prometheus import recording
from costopt.providers.prometheus.measures import MEASURES
from tests.conftest import ROOT


def test_the_example_is_what_is_asked_for() -> None:
    assert (ROOT / "docs" / "examples" / "prometheus-rules.yml").read_text() == recording.rules()


def test_promtool_takes_them(promtool: str, tmp_path: Path) -> None:
    path = tmp_path / "rules.yml"
    path.write_text(recording.rules())
    subprocess.run([promtool, "check", "rules", str(path)], check=True, capture_output=True)


def test_promtool_takes_every_query(promtool: str, tmp_path: Path) -> None:
    rules = [
        {"record": f"q:{n}", "expr": measure.query(300, 'cluster="a"')}
        for n, measure in enumerate(MEASURES)
    ]
    names = [name for measure in MEASURES if (name := measure.recorded(300))]
    rules += [
        {"record": f"r:{n}", "expr": recording.reading(name, also)}
        for n, name in enumerate(names)
        for also in ("", 'cluster="a"')
    ]
    path = tmp_path / "rules.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "all", "rules": rules}]}))
    subprocess.run([promtool, "check", "rules", str(path)], check=True, capture_output=True)
