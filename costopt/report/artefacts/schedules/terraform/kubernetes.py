"""CronJobs as Terraform resources: the manifests themselves.

Source: registry documentation of hashicorp/kubernetes, kubernetes_manifest.
"""

from __future__ import annotations

from collections.abc import Iterator

from costopt.report.artefacts.schedules import kubernetes_cronjob
from costopt.report.artefacts.schedules.base import Scheduled
from costopt.report.artefacts.schedules.terraform.hcl import Block


def workload(one: Scheduled) -> Iterator[Block]:
    """kubernetes_manifest for its account, rights and jobs."""
    for document in kubernetes_cronjob.documents(one):
        label = f"{document['metadata']['name']}-{document['kind'].lower()}"
        yield Block("resource", ("kubernetes_manifest", label), {"manifest": document})
