"""What the templates of AWS share: a stack for each resource, and the script that deploys them.

A stack holds what its newest template says and deletes the rest. So no resource shares one with
another: else to deploy one machine again would delete the schedules of the others.

Source: CloudFormation quotas (500 resources, 1 MB a template; 2,000 stacks a region); AWS CLI,
cloudformation deploy (creates or updates).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from costopt.report.artefacts.base import Artefact, pretty
from costopt.report.artefacts.schedules import script
from costopt.report.artefacts.schedules.base import Scheduled, token

RESOURCES: Final = 500
_DEPLOY = """\
deploy() {{  # STACK REGION
  aws cloudformation deploy --stack-name "$1" --region "$2" --template-file "$1.json" \\
    --no-fail-on-empty-changeset{options}
{after}}}
"""


def logical(name: str) -> str:
    """A name in letters and digits only, as ids in a template are."""
    return "".join(part.capitalize() for part in name.split("-"))


def timestamp(moment: datetime) -> str:
    """2026-12-24T07:00:00Z."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def region_of(one: Scheduled) -> str:
    """The region for a command line; where it is not known, what is to be filled in."""
    return token(one.region, "REGION")


def stacks(
    held: Sequence[Scheduled],
    where: str,
    told: str,
    resources: Callable[[Scheduled], Mapping[str, Any]],
    *,
    parameters: Mapping[str, Any] | None = None,
    options: str = "",
    after: str = "",
    argument: Callable[[Scheduled], str] | None = None,
) -> list[Artefact]:
    """A template a resource, and a script an account that deploys them.

    Args:
        where: the folder.
        told: what they do, for people.
        parameters: of every template.
        options: of `aws cloudformation deploy`.
        after: what else the script does for each, where $1 is the stack, $2 the region and $3 what
            `argument` gives.
    """

    def made(one: Scheduled) -> tuple[Mapping[str, bytes], str]:
        frame: dict[str, Any] = {
            "AWSTemplateFormatVersion": "2010-09-09",
            "Description": f"{told} (costopt)",
            **({"Parameters": parameters} if parameters else {}),
            "Resources": resources(one),
        }
        words = ["deploy", one.name, region_of(one), *([argument(one)] if argument else [])]
        return {f"{one.name}.json": pretty(frame)}, script.call(*words)

    functions = _DEPLOY.format(options=options, after=after)
    return script.by_account(where, held, told, functions, made)
