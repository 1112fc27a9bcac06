"""FOCUS's ServiceCategory of what AWS sells, and the units that CUR abbreviates.

Source: FOCUS 1.2, column ServiceCategory; AWS's own FOCUS sample (2024-09), which files EC2's disks
under Storage and its machines under Compute. Where that sample files what EC2 sells to the network
(gateways, addresses, transfer) under Compute, we say Networking: it does not stop with a machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

_CATEGORIES: Final = """
AI and Machine Learning: AmazonBedrock AmazonSageMaker AmazonRekognition AmazonTextract AmazonPolly
    AmazonKendra AmazonLex AmazonPersonalize comprehend transcribe translate AmazonQ
Analytics: AWSGlue AmazonAthena AmazonES AmazonKinesis AmazonKinesisAnalytics AmazonKinesisFirehose
    AmazonMSK AmazonQuickSight ElasticMapReduce AWSLakeFormation
Business Applications: AmazonConnect AmazonSES AmazonPinpoint AmazonWorkMail AmazonChime
Compute: AmazonEC2 AWSLambda AmazonECS AmazonEKS AmazonECR AmazonLightsail AWSAppRunner AWSOutposts
    ComputeSavingsPlans AmazonAppStream AmazonWorkSpaces
Databases: AmazonRDS AmazonDynamoDB AmazonElastiCache AmazonRedshift AmazonDocDB AmazonNeptune
    AmazonMemoryDB AmazonTimestream AmazonMCS DatabaseSavingsPlans
Developer Tools: CodeBuild AWSCodePipeline AWSCodeCommit AWSCodeArtifact AWSAmplify AWSXRay
Identity: awskms AmazonCognito AWSDirectoryService
Integration: AWSQueueService AmazonSNS AmazonMQ AmazonStates AmazonMWAA AWSEvents
Internet of Things: AWSIoT AWSGreengrass AWSIoTAnalytics
Management and Governance: AmazonCloudWatch AWSCloudTrail AWSConfig AWSSystemsManager
    AWSCostExplorer AWSBudgets AmazonPrometheus AmazonGrafana AWSServiceCatalog AWSSupportBasic
    AWSDeveloperSupport AWSSupportDeveloper AWSSupportBusiness AWSSupportEnterprise
    OCBPremiumSupport
Media: AWSElementalMediaConvert AWSElementalMediaLive AmazonIVS AmazonKinesisVideo
Migration: AWSDatabaseMigrationSvc AWSDataSync AWSTransfer AWSApplicationMigrationSvc
Networking: AmazonVPC AWSELB AWSDataTransfer AmazonCloudFront AmazonRoute53 AmazonApiGateway
    AWSDirectConnect AWSGlobalAccelerator AWSNetworkFirewall AWSCloudMap AWSCloudWAN
Security: AmazonGuardDuty AWSSecurityHub AWSSecretsManager awswaf AWSShield AmazonInspectorV2
    AmazonMacie AmazonDetective AWSCertificateManager CloudHSM AWSFMS AmazonSecurityLake
Storage: AmazonS3 AmazonEFS AmazonFSx AmazonGlacier AWSBackup AWSStorageGateway AmazonEBS
    AmazonS3GlacierDeepArchive
"""


def _by_code() -> dict[str, str]:
    found: dict[str, str] = {}
    category = ""
    for line in _CATEGORIES.strip().splitlines():
        head, mark, rest = line.partition(": ")
        category, codes = (head, rest) if mark else (category, line)
        found |= dict.fromkeys(codes.split(), category)
    return found


CATEGORY: Final[Mapping[str, str]] = MappingProxyType(_by_code())
"""Product code (line_item_product_code) -> ServiceCategory; any other is "Other"."""

# Families and usage types of what AmazonEC2 sells besides machines.
_EC2_STORAGE: Final = r"^(Storage|Storage Snapshot|System Operation|Provisioned Throughput)$"
_EC2_NETWORK: Final = r"^(NAT Gateway|IP Address|Data Transfer|Load Balancer.*|VpcEndpoint)$"
_EC2_DISK_USE: Final = r"EBS:|EBSOptimized|SnapshotUsage"
_EC2_NETWORK_USE: Final = r"NatGateway|ElasticIP|PublicIPv4|DataTransfer|-Bytes|LoadBalancer|LCU"

_UNITS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Hrs": "Hours",
        "hrs": "Hours",
        "Hour": "Hours",
        "GB-Mo": "GB-Months",
        "GB-month": "GB-Months",
        "IOPS-Mo": "IOPS-Months",
        "GiBps-mo": "GiB/Second-Months",
        "LCU-Hrs": "LCU-Hours",
        "second": "Seconds",
        "Second": "Seconds",
    }
)


def categories(code: pa.Array, family: pa.Array, usage_type: pa.Array) -> pa.Array:
    """ServiceCategory of each row.

    Args:
        code: line_item_product_code. family: product_product_family. usage_type:
            line_item_usage_type.
    """
    found = pc.fill_null(renamed(code, CATEGORY, default=None), "Other")
    ec2 = pc.fill_null(pc.equal(code, "AmazonEC2"), False)
    machine = pc.match_substring_regex(family, r"^Compute Instance|^Dedicated Host")
    other_family = pc.and_(ec2, pc.invert(pc.fill_null(machine, False)))
    for pattern, use, category in (
        (_EC2_STORAGE, _EC2_DISK_USE, "Storage"),
        (_EC2_NETWORK, _EC2_NETWORK_USE, "Networking"),
    ):
        by_family = pc.fill_null(pc.match_substring_regex(family, pattern), False)
        by_use = pc.fill_null(pc.match_substring_regex(usage_type, use), False)
        told = pc.and_(other_family, pc.or_(by_family, by_use))
        found = pc.if_else(told, category, found)
    return found


def units(unit: pa.Array) -> pa.Array:
    """Units as AWS's FOCUS exports spell them: Hrs is Hours, GB-Mo is GB-Months."""
    return pc.coalesce(renamed(unit, _UNITS, default=None), unit)


def renamed(values: pa.Array, names: Mapping[str, str], *, default: str | None) -> pa.Array:
    """Each value's name; `default` for those that have none."""
    index = pc.index_in(values, pa.array(names))
    found = pa.array(names.values()).take(index)
    return found if default is None else pc.fill_null(found, default)
