"""Programs that the scripts call, as small imitations with a memory: one JSON file."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from costopt.report.artefacts.base import Artefact

_CRONTAB = """
if ARGS == ["-l"]:
    if MEMORY.get("table") is None:
        sys.exit("no crontab for somebody")
    print(MEMORY["table"], end="")
else:
    MEMORY["table"] = open(ARGS[0]).read()
"""
_GCLOUD = """
words = [one for one in ARGS if not one.startswith("--")]
given = dict(one[2:].split("=", 1) for one in ARGS if one.startswith("--") and "=" in one)
policies = MEMORY.setdefault("policies", {})
machines = MEMORY.setdefault("machines", {})
match words[1:]:
    case ["resource-policies", "describe", name]:
        sys.exit(None if name in policies else "no such policy")
    case ["resource-policies", "create", "instance-schedule", name]:
        assert name not in policies
        policies[name] = [given["vm-start-schedule"], given["vm-stop-schedule"], given["timezone"]]
    case ["resource-policies", "delete", name]:
        if any(name in held for held in machines.values()):
            sys.exit("in use")
        del policies[name]
    case ["instances", "describe", machine]:
        print("\\n".join(machines.get(machine, [])))
    case ["instances", "remove-resource-policies", machine]:
        machines[machine].remove(given["resource-policies"])
    case ["instances", "add-resource-policies", machine]:
        held = machines.setdefault(machine, [])
        assert given["resource-policies"] in policies
        if held:
            sys.exit("an instance has one schedule")
        held.append(given["resource-policies"])
    case ["instance-groups", "managed", "describe", group]:
        print(f"{group}-scaler")
    case ["print-access-token"]:
        print("token")
    case _:
        sys.exit(f"no such command: {words}")
"""
_CURL = """
if "PATCH" in ARGS:
    patch = json.load(sys.stdin)["autoscalingPolicy"]
    policy = MEMORY["autoscaler"]["autoscalingPolicy"]
    schedules = policy.setdefault("scalingSchedules", {})
    for name, told in patch.pop("scalingSchedules").items():
        if told is None:
            del schedules[name]  # Google's own: an unknown name is a fault
        else:
            schedules[name] = told
    policy.update(patch)
else:
    print(json.dumps(MEMORY["autoscaler"], indent=2))
"""
_KUBECTL = """
import yaml
options = dict(zip(ARGS[1:], ARGS[2:]))
key, _, value = options["-l"].partition("=")
kept = MEMORY.setdefault("objects", {})
made = {}
for one in yaml.safe_load_all(open(options["-f"])):
    assert one["metadata"]["labels"][key] == value
    made[f"{one['kind']}/{one['metadata']['name']}"] = one
assert "--prune" in ARGS and "--prune-allowlist=batch/v1/CronJob" in ARGS
for name, one in list(kept.items()):
    if one["kind"] == "CronJob" and one["metadata"]["labels"][key] == value and name not in made:
        del kept[name]
kept.update(made)
"""
_PROGRAMS = {"crontab": _CRONTAB, "gcloud": _GCLOUD, "curl": _CURL, "kubectl": _KUBECTL}
_FRAME = """#!{python}
import json, sys
ARGS = sys.argv[1:]
MEMORY = json.load(open({memory!r}))
try:
{body}
finally:
    json.dump(MEMORY, open({memory!r}, "w"))
"""


@dataclass(frozen=True)
class Clouds:
    """A folder of programs, and what they remember."""

    folder: Path

    @property
    def memory(self) -> dict[str, Any]:
        """What the programs hold now."""
        found: dict[str, Any] = json.loads((self.folder / "memory.json").read_text())
        return found

    def remember(self, **what: Any) -> None:
        """Let them hold that."""
        (self.folder / "memory.json").write_text(json.dumps(what))

    def deploy(
        self, made: Iterable[Artefact], into: str = "files", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Write the files into a folder and run what is printed with them."""
        folder = self.folder / into
        commands = []
        for one in made:
            (folder / one.path).parent.mkdir(parents=True, exist_ok=True)
            (folder / one.path).write_bytes(one.data)
            commands.append(one.deploy.replace("DIR/", f"{folder}/"))
        script = "set -e\n" + "\n".join(dict.fromkeys(commands))
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        return subprocess.run(
            ["/bin/sh", "-c", script],
            capture_output=True, text=True, check=False,
            env={**os.environ, "PATH": path, **environment},
        )  # fmt: skip


def clouds(folder: Path) -> Clouds:
    """Imitations of every program, holding nothing."""
    (folder / "bin").mkdir(parents=True)
    for name, body in _PROGRAMS.items():
        program = folder / "bin" / name
        indented = "".join(f"    {line}\n" for line in body.strip().splitlines())
        memory = str(folder / "memory.json")
        program.write_text(_FRAME.format(python=sys.executable, memory=memory, body=indented))
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    made = Clouds(folder)
    made.remember()
    return made
