"""Weekly plans as Terraform resources, each resource in its cloud's own kind.

What a kind can say, and refuses, is told by the target that writes the same without Terraform. The
files hold resources only: a provider's settings are the reader's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from costopt.report.artefacts.base import Artefact, slug
from costopt.report.artefacts.schedules import (
    aws_autoscaling,
    azure_auto_shutdown,
    azure_autoscale,
    eventbridge,
    gcp_instance_schedule,
    gcp_mig,
    kubernetes_cronjob,
)
from costopt.report.artefacts.schedules.base import Scheduled, Target, by_place
from costopt.report.artefacts.schedules.terraform import aws, azure, google, kubernetes
from costopt.report.artefacts.schedules.terraform.hcl import Block, document
from costopt.report.safe import terminal

FOLDER: Final = "terraform"


class _Kind(NamedTuple):
    name: str  # of its folder
    target: Target
    blocks: Callable[[Sequence[Scheduled]], Iterable[Block]]


_KINDS: Final = (
    _Kind("aws-autoscaling", aws_autoscaling, aws.groups),
    _Kind("aws-scheduler", eventbridge, aws.machines),
    _Kind("azure-autoscale", azure_autoscale, azure.groups),
    _Kind("azure-auto-shutdown", azure_auto_shutdown, azure.machines),
    _Kind("google-instance-schedules", gcp_instance_schedule, google.machines),
    _Kind("google-autoscalers", gcp_mig, google.groups),
    _Kind("kubernetes-cronjobs", kubernetes_cronjob, kubernetes.workloads),
)


def stands_for(one: Scheduled) -> bool:
    """Whether any of the clouds' kinds does."""
    return _kind(one) is not None


def refusal(one: Scheduled) -> str | None:
    """Why its kind cannot express the week."""
    kind = _kind(one)
    return kind.target.refusal(one) if kind else None


def missing(one: Scheduled) -> list[str]:
    """What its kind leaves out."""
    kind = _kind(one)
    return kind.target.missing(one) if kind else []


def artefacts(held: Sequence[Scheduled]) -> list[Artefact]:
    """A folder a kind, account and region: what one provider's settings serve."""
    found = []
    for kind in _KINDS:
        ones = [one for one in held if _kind(one) is kind]
        for place, group in by_place(ones, _place).items():
            folder = f"{FOLDER}/{slug(kind.name, *(part for part in place if part))}"
            data = document(_header(place), kind.blocks(group))
            deploy = f"terraform -chdir=DIR/{folder} init && terraform -chdir=DIR/{folder} apply"
            found.append(Artefact(f"{folder}/schedules.tf", data, deploy))
    return found


def _kind(one: Scheduled) -> _Kind | None:
    return next((kind for kind in _KINDS if kind.target.stands_for(one)), None)


def _place(one: Scheduled) -> tuple[str, str]:
    return (one.account, one.region)


def _header(place: tuple[str, ...]) -> str:
    account, region = (" ".join(terminal(part).split()) or "any" for part in place)
    return (
        "What runs by the time of the week (costopt).\n"
        f"For the provider of account {account} and region {region}."
    )
