"""Weekly plans as Terraform resources, each resource in its cloud's own kind.

What a kind can say, and refuses, is told by the target that writes the same without Terraform, and
by Terraform's provider. The files hold resources only: a provider's settings are the reader's.

A folder is what one provider's settings serve, with a file for each resource in it: to emit one
again leaves the files of the others, and Terraform deletes nothing of theirs. It keeps its state in
the folder, so the same one is to be used again.
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
from costopt.report.artefacts.schedules.terraform import (
    aws,
    azure,
    azure_zones,
    google,
    kubernetes,
)
from costopt.report.artefacts.schedules.terraform.hcl import Block, document
from costopt.report.safe import terminal

FOLDER: Final = "terraform"


class _Kind(NamedTuple):
    name: str  # of its folder
    target: Target
    blocks: Callable[[Scheduled], Iterable[Block]]
    refusal: Callable[[Scheduled], str | None] = lambda _: None  # the provider's own
    shared: tuple[Block, ...] = ()  # of all files of a folder
    options: str = ""  # of apply


_KINDS: Final = (
    # AWS refuses actions that are made at once for one of them (TerraConstructs/base#127)
    _Kind("aws-autoscaling", aws_autoscaling, aws.group, options=" -parallelism=1"),
    _Kind("aws-scheduler", eventbridge, aws.machine, shared=aws.DATA),
    _Kind("azure-autoscale", azure_autoscale, azure.group, azure_zones.unknown_to_autoscale),
    _Kind(
        "azure-auto-shutdown", azure_auto_shutdown, azure.machine, azure_zones.unknown_to_shutdown
    ),
    _Kind("google-instance-schedules", gcp_instance_schedule, google.machine),
    _Kind("google-autoscalers", gcp_mig, google.group),
    _Kind("kubernetes-cronjobs", kubernetes_cronjob, kubernetes.workload),
)


def stands_for(one: Scheduled) -> bool:
    """Whether any of the clouds' kinds does."""
    return _kind(one) is not None


def refusal(one: Scheduled) -> str | None:
    """Why its kind, or Terraform's of it, cannot express the week."""
    kind = _kind(one)
    return kind.target.refusal(one) or kind.refusal(one) if kind else None


def missing(one: Scheduled) -> list[str]:
    """What its kind leaves out."""
    kind = _kind(one)
    return kind.target.missing(one) if kind else []


def artefacts(held: Sequence[Scheduled]) -> list[Artefact]:
    """A folder a kind, account and region, and a file a resource in it."""
    found = []
    for kind in _KINDS:
        ones = [one for one in held if _kind(one) is kind]
        for place, group in by_place(ones, _place).items():
            folder = f"{FOLDER}/{slug(kind.name, *(part for part in place if part))}"
            init = f"terraform -chdir=DIR/{folder} init"
            deploy = f"{init} && terraform -chdir=DIR/{folder} apply{kind.options}"
            files = {f"{one.name}.tf": document(_header(one), kind.blocks(one)) for one in group}
            if kind.shared:
                files["costopt.tf"] = document(
                    "What all of costopt's files here need.", kind.shared
                )
            found += [Artefact(f"{folder}/{name}", data, deploy) for name, data in files.items()]
    return found


def _kind(one: Scheduled) -> _Kind | None:
    return next((kind for kind in _KINDS if kind.target.stands_for(one)), None)


def _place(one: Scheduled) -> tuple[str, str]:
    return (one.account, one.region)


def _header(one: Scheduled) -> str:
    account, region = (" ".join(terminal(part).split()) or "any" for part in _place(one))
    return (
        f"{one.label}, by the time of the week (costopt).\n"
        f"For the provider of account {account} and region {region}."
    )
