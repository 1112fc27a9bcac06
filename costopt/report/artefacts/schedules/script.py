"""Shell scripts that deploy: run once more, or with another plan, they leave what the newest says.

A plan is made anew after some weeks, and for one machine before all. So what is deployed is named
by its resource alone, a script replaces what stands by that name, and leaves all others alone.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence

from costopt.report.artefacts.base import Artefact
from costopt.report.artefacts.schedules.base import Scheduled, by_place, token

_START = """\
#!/bin/sh
# {told} (costopt).
# Each takes the place of what an earlier run of this script left; nothing else is touched.
set -eu
cd "$(dirname "$0")"
"""
_ACCOUNT = """\
account=$(aws sts get-caller-identity --query Account --output text)
if [ "$account" != {account} ]; then
  echo "these are for account {account}, and these credentials are of $account" >&2
  exit 1
fi
"""


def folder(
    where: str, files: Mapping[str, bytes], told: str, body: str, *, name: str = "deploy.sh"
) -> list[Artefact]:
    """Files and the script beside them that deploys them all.

    Args:
        files: by name in the folder.
        told: the script's first line, for people.
        body: the rest of it, in POSIX sh, run in the folder.
    """
    script = f"{where}/{name}"
    every = {**files, name: (_START.format(told=told) + body).encode()}
    return [Artefact(f"{where}/{one}", data, f"sh DIR/{script}") for one, data in every.items()]


def by_account(
    where: str,
    held: Sequence[Scheduled],
    told: str,
    functions: str,
    made: Callable[[Scheduled], tuple[Mapping[str, bytes], str]],
) -> list[Artefact]:
    """A script an account of AWS, which looks first whether it is that one's.

    Args:
        functions: of the shell, for the calls.
        made: a resource's files, and the call that deploys them.
    """
    found = []
    for (account,), ones in by_place(held, lambda one: (token(one.account, ""),)).items():
        files: dict[str, bytes] = {}
        calls = []
        for one in ones:
            own, call = made(one)
            files |= own
            calls.append(f"{call}  # {one.label}")
        check = _ACCOUNT.format(account=account) if account else ""
        body = f"{check}{functions}\n" + lines(calls)
        name = f"deploy-{account}.sh" if account else "deploy.sh"
        found += folder(where, files, told, body, name=name)
    return found


def call(*words: str) -> str:
    """A command of those words."""
    return shlex.join(words)


def lines(commands: Iterable[str]) -> str:
    """One a line."""
    return "".join(f"{one}\n" for one in commands)
