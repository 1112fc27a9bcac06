"""What pipelines run, in a scratch repository: pre-commit, the Action's script, GitLab's."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml

from costopt.policy import editing
from tests.cli import cellar
from tests.conftest import ROOT

BIN = Path(sys.executable).parent


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """A repository with a policy of its own, and the cellar's fleet in its lake."""
    folder = tmp_path / "scratch"
    (folder / "policies").mkdir(parents=True)
    cellar.fleet(folder / ".costopt")
    text = editing.starting("named", "policies.schema.json")
    (folder / "policies/named.yml").write_text(text)
    (folder / ".gitignore").write_text(".costopt/\n")
    _git(folder)
    return folder


def _git(folder: Path) -> None:
    """Made a repository, with all of it committed."""
    for words in (
        ("init", "--quiet"),
        ("add", "--all"),
        ("-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "--quiet", "-m", "all"),
    ):
        subprocess.run(["git", *words], cwd=folder, check=True, env=_environ())


def _environ(**more: str) -> dict[str, str]:
    known = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {**known, "PATH": f"{BIN}:{os.environ['PATH']}", **more}


def _run(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, cwd=folder, env=_environ(**more), capture_output=True, text=True, check=False
    )


def test_the_pre_commit_hooks(scratch: Path, tmp_path: Path) -> None:
    """As another repository's .pre-commit-config.yaml names them, run by this environment."""
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    shutil.copy(ROOT / ".pre-commit-hooks.yaml", hooks)
    _git(hooks)
    head = _run(hooks, "git", "rev-parse", "HEAD").stdout.strip()
    asked = [{"id": name, "language": "system"} for name in ("costopt-policies", "costopt-check")]
    config = {"repos": [{"repo": str(hooks), "rev": head, "hooks": asked}]}
    (scratch / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))

    def hook(name: str) -> subprocess.CompletedProcess[str]:
        home = str(tmp_path / "cache")
        return _run(scratch, "pre-commit", "run", name, "--all-files", PRE_COMMIT_HOME=home)

    done = hook("costopt-policies")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Passed" in done.stdout
    done = hook("costopt-check")
    assert done.returncode == 1
    assert "forgotten (c8) is used by nobody" in done.stdout
    own = scratch / "policies/named.yml"
    own.write_text(own.read_text().replace("monthly: 120", "monthly: 220"))
    done = hook("costopt-policies")
    assert done.returncode == 1
    assert "example 1 under 'pass' comes out as 'fail'" in done.stdout


def test_the_actions_script(scratch: Path, tmp_path: Path) -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    install, check = action["runs"]["steps"]
    assert "COSTOPT_ARGS" in check["env"]
    assert "COSTOPT_SARIF" in check["env"]
    summary = tmp_path / "summary"
    given = {"GITHUB_ACTION_PATH": str(ROOT), "GITHUB_STEP_SUMMARY": str(summary)}
    assert _run(scratch, "bash", "-c", install["run"], **given).returncode == 0  # it is there
    done = _run(scratch, "bash", "-c", check["run"], **given, COSTOPT_ARGS="--min-monthly 100")
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("::error file=policies/waste.yml,line=")
    assert "## 1 error" in summary.read_text()
    sarif = json.loads((scratch / "costopt.sarif").read_bytes())
    assert sarif["runs"][0]["results"]
    words = "--fail-on never --pack $(touch${IFS}owned)"
    done = _run(scratch, "bash", "-c", check["run"], **given, COSTOPT_ARGS=words)
    assert done.returncode == 2
    assert not (scratch / "owned").exists()


def test_gitlabs_script(scratch: Path) -> None:
    job = yaml.safe_load((ROOT / "integrations/gitlab.yml").read_text())[".costopt-check"]
    (script,) = job["script"]
    done = _run(scratch, "bash", "-c", script, COSTOPT_ARGS="--fail-on never")
    assert done.returncode == 0, done.stderr
    reports = job["artifacts"]["reports"]
    found = json.loads((scratch / reports["codequality"]).read_bytes())
    assert found[0]["check_name"] == "idle-machine"
    assert ET.parse(scratch / reports["junit"]).getroot().tag == "testsuites"
