"""Who else has a say over a machine: what keeps it alive, and what it may be standing by for."""

from __future__ import annotations

import re
from typing import Final

from costopt.model import Resource

_CONTROLLER_TAGS: Final = (
    "aws:autoscaling:groupname",
    "eks:nodegroup-name",
    "karpenter.sh/nodepool",
    "aws:elasticmapreduce:job-flow-id",
    "goog-gke-node",
    "goog-k8s-cluster-name",
    "aks-managed-poolname",
)
_CLUSTER_TAG: Final = "kubernetes.io/cluster/"

# AWS starts a stopped RDS instance again after seven days (RDS user guide, "Stopping a DB
# instance temporarily"), caches cannot be stopped: a managed service is not ours to stop.
_MANAGED_TYPE: Final = re.compile(r"(db|cache|dms|kafka|mq)\..+")
_MANAGED_SERVICE: Final = re.compile(
    r"\b(rds|relational database service|aurora|elasticache|redshift|opensearch|"
    r"cloud sql|memorystore|alloydb|azure (sql|cache|database))\b"
)

# A machine that hardly computes may still matter by being there. Words of one's own names and
# tags are only hints, so they make us abstain, never advise.
_STANDBY: Final = re.compile(
    r"""(?<![a-z])(
      ad | backup | bastion | bdc | consul | db | database | dc | dhcp | dns | domaincontroller
    | dr | etcd | failover | firewall | fw | gateway | jump | jumphost | kafka | kdc | kerberos
    | ldap | licen[cs]e | loadbalancer | mariadb | master | mongo | mongodb | mssql | mysql | nat
    | nfs | ntp | oracle | passive | pdc | pg | postgres | postgresql | primary | proxy | redis
    | replica | secondary | sentinel | slave | smtp | sql | standby | vault | vpn | witness
    | zookeeper
    )(?![a-z])""",
    re.VERBOSE,
)


def controller(resource: Resource) -> str | None:
    """What would bring the machine back, or decides its size: a scaling group, a node pool."""
    if resource.scaling_group:
        return f"scaling group {resource.scaling_group}"
    for key, value in sorted(resource.tags.items()):
        plain = key.casefold()
        if plain in _CONTROLLER_TAGS or plain.startswith(_CLUSTER_TAG):
            return f"{key} {value}".strip()
    return None


def managed_service(resource: Resource) -> str | None:
    """The managed service that runs the machine, where it is one."""
    if _MANAGED_TYPE.fullmatch((resource.instance_type or "").casefold()):
        return resource.service_name or resource.instance_type
    service = resource.service_name or ""
    return service if _MANAGED_SERVICE.search(service.casefold()) else None


def standby_word(resource: Resource) -> str | None:
    """The word in its name or tags that says it serves by standing there (database, gateway, ...).

    Words are runs of letters, so `db-7` and `pg_standby` match and `dbadmin` does not.
    """
    texts = (resource.resource_name or "", *sorted(resource.tags.values()))
    found = _STANDBY.search(" ".join(texts).casefold())
    return found[1] if found else None
