"""What Google sells, in FOCUS's words: service categories, and units of parts of a machine.

Compute Engine bills cores, memory, accelerators and licences of one machine as SKUs of their own,
all by the hour. Only what is a whole machine counts Hours: a core's are vCPU-Hours, or a machine of
eight cores would have run eight times as long.

Source: FOCUS 1.2, column ServiceCategory and "Unit format"; SKUs of Compute Engine (Cloud Billing
Catalog, service 6F81-5844-456A).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from costopt.providers.bills.words import by_word, renamed

_CATEGORIES: Final = """
AI and Machine Learning: Vertex AI|Gemini API|Cloud Vision API|Cloud Natural Language API|Dialogflow
    |Cloud Translation API|Cloud Speech API|Document AI
Analytics: BigQuery|BigQuery BI Engine|BigQuery Reservation API|BigQuery Storage API|Dataflow
    |Cloud Dataflow|Dataproc|Cloud Dataproc|Cloud Composer|Looker|Looker Studio|Data Catalog
    |Cloud Data Fusion|Managed Service for Apache Spark
Compute: Compute Engine|Kubernetes Engine|Cloud Run|Cloud Run Functions|Cloud Functions|App Engine
    |VMware Engine|Bare Metal Solution|Batch|Cloud TPU
Databases: Cloud SQL|Cloud Spanner|Cloud Bigtable|Cloud Firestore|Firestore|Cloud Datastore|AlloyDB
    |Cloud Memorystore for Redis|Cloud Memorystore for Memcached|Memorystore for Valkey
Developer Tools: Cloud Build|Artifact Registry|Container Registry|Cloud Deploy
    |Container Registry Vulnerability Scanning|Source Repository
Identity: Identity Platform|Cloud Identity-Aware Proxy
    |Managed Service for Microsoft Active Directory
Integration: Cloud Pub/Sub|Cloud Tasks|Cloud Scheduler|Workflows|Eventarc|Apigee|API Gateway
Management and Governance: Cloud Logging|Cloud Monitoring|Stackdriver Logging|Stackdriver Monitoring
    |Cloud Trace|Support|Backup for GKE
Migration: BigQuery Data Transfer Service|Storage Transfer Service|Transfer Appliance|Migrate to VMs
Networking: Networking|Cloud DNS|Cloud CDN|Cloud Load Balancing|Cloud VPN|Cloud Interconnect
    |Network Intelligence Center|Cloud Domains|Cloud Armor
Security: Security Command Center|Cloud Key Management Service (KMS)|Secret Manager
    |Certificate Authority Service|Cloud Data Loss Prevention|reCAPTCHA Enterprise
Storage: Cloud Storage|Cloud Filestore|Persistent Disk|Backup and DR Service|NetApp Volumes
"""
_CATEGORY: Final = by_word(_CATEGORIES, "|")

# What Compute Engine sells besides machines, by the SKU's description.
_STORAGE: Final = r"(?i)\bPD\b|storage|snapshot|hyperdisk|\bdisk\b|machine image|regional balanced"
_NETWORK: Final = (
    r"(?i)egress|ingress|network|data transfer|\bIP\b|load balanc|forwarding rule|\bnat\b|vpn"
)
_MACHINE: Final = r"(?i)\b(core|cpu|ram|gpu|instance)\b"  # "... Instance Core running in Network"
_LICENCE: Final = r"(?i)licens"
_CORE: Final = r"(?i)\bv?(core|cpu)s?\b"
_MEMORY: Final = r"(?i)\b(ram|memory)\b"
_CARD: Final = r"(?i)\b(gpu|nvidia|tesla|tpu)\b"
_WHOLE: Final = r"(?i)\b(micro|small) instance\b"  # "... with burstable CPU"

_UNITS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "hour": "Hours",
        "minute": "Minutes",
        "second": "Seconds",
        "seconds": "Seconds",
        "month": "Months",
        "day": "Days",
        "byte": "Bytes",
        "bytes": "Bytes",
        "byte-seconds": "Byte-Seconds",
        "gibibyte": "GiB",
        "gigabyte": "GB",
        "tebibyte": "TiB",
        "gibibyte hour": "GiB-Hours",
        "gibibyte month": "GiB-Months",
        "requests": "Requests",
        "count": "Count",
    }
)


def categories(service: pa.Array, sku: pa.Array) -> pa.Array:
    """ServiceCategory of each row.

    Args:
        service: service.description. sku: sku.description.
    """
    found = pc.fill_null(renamed(service, _CATEGORY), "Other")
    engine = pc.fill_null(pc.equal(service, "Compute Engine"), False)
    beside = pc.and_(engine, pc.invert(_says(sku, _MACHINE)))
    for pattern, category in ((_STORAGE, "Storage"), (_NETWORK, "Networking")):
        said = pc.and_(beside, _says(sku, pattern))
        found = pc.if_else(said, category, found)
        beside = pc.and_(beside, pc.invert(said))
    return found


def units(unit: pa.Array, service: pa.Array, sku: pa.Array) -> pa.Array:
    """Pricing units as FOCUS spells them; of parts of a machine, hours of that part."""
    found = pc.coalesce(renamed(unit, _UNITS), unit)
    hours = pc.and_(pc.equal(found, "Hours"), pc.equal(service, "Compute Engine"))
    part = pc.if_else(_says(sku, r"(?i)\binstance\b"), "Hours", "Unit-Hours")
    for pattern, name in (
        (_LICENCE, "Licence-Hours"),
        (_CARD, "GPU-Hours"),
        (_MEMORY, "RAM-Hours"),
        (_CORE, "vCPU-Hours"),
        (_WHOLE, "Hours"),
    ):
        part = pc.if_else(_says(sku, pattern), name, part)
    return pc.if_else(pc.fill_null(hours, False), part, found)


def consumed(unit: pa.Array) -> pa.Array:
    """Units of what was used, as FOCUS spells them."""
    return pc.coalesce(renamed(unit, _UNITS), unit)


def _says(text: pa.Array, pattern: str) -> pa.Array:
    return pc.fill_null(pc.match_substring_regex(text, pattern), False)
