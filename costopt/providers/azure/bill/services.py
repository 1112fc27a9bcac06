"""What Azure sells, where, and by what measure, in FOCUS's words.

Source: FOCUS 1.2, column ServiceCategory; Microsoft's FinOps toolkit (open data: services and
regions).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from costopt.providers.bills.words import by_word, renamed

_METERS: Final = """
AI and Machine Learning: Azure OpenAI Service|Cognitive Services|Azure Machine Learning
    |Foundry Models
Analytics: Azure Databricks|Azure Synapse Analytics|HDInsight|Azure Data Factory
    |Azure Data Factory v2
    |Event Hubs|Stream Analytics|Power BI|Power BI Embedded|Azure Data Explorer|Microsoft Fabric
Compute: Virtual Machines|Virtual Machines Licenses|Azure App Service|Functions|Container Instances
    |Azure Kubernetes Service|Cloud Services|Azure Container Apps|Azure Spring Cloud|Batch
    |Specialized Compute|Azure VMware Solution|Windows 365|Virtual Machine Scale Sets
Databases: SQL Database|SQL Managed Instance|Azure Cosmos DB|Redis Cache
    |Azure Database for PostgreSQL|Azure Database for MySQL|Azure Database for MariaDB|SQL Server
Developer Tools: Container Registry|Azure DevOps|Visual Studio|Azure DevTest Labs
Identity: Azure Active Directory|Microsoft Entra ID|Azure Active Directory B2C
Integration: Service Bus|Logic Apps|API Management|Event Grid|Azure API Management
Internet of Things: IoT Hub|IoT Central|Digital Twins
Management and Governance: Azure Monitor|Log Analytics|Automation|Application Insights
    |Insight and Analytics|Azure Policy|Azure Arc Enabled Servers
Media: Media Services
Migration: Azure Site Recovery|Azure Migrate|Data Box
Networking: Bandwidth|Virtual Network|Load Balancer|Application Gateway|VPN Gateway|ExpressRoute
    |Azure DNS|Content Delivery Network|Azure Front Door Service|Azure Firewall|NAT Gateway
    |Traffic Manager|Network Watcher|Virtual WAN|Azure Bastion|IP Addresses
Security: Key Vault|Microsoft Defender for Cloud|Security Center|Sentinel|Advanced Threat Protection
    |Azure DDOS Protection
Storage: Storage|Managed Disks|Azure NetApp Files|Backup|Azure Data Lake Store
    |Azure Data Lake Storage Gen1|Premium Storage
Web: Azure Maps|Azure Cognitive Search|SignalR
"""
_METER: Final = by_word(_METERS, "|")
_FAMILIES: Final = """
AI and Machine Learning: AI + Machine Learning
Analytics: Analytics
Compute: Compute|Containers
Databases: Databases
Developer Tools: Developer Tools
Identity: Security, Identity
Integration: Integration
Internet of Things: Internet of Things
Management and Governance: Management and Governance
Networking: Networking
Security: Security
Storage: Storage
Web: Web
"""
_FAMILY: Final = by_word(_FAMILIES, "|")

_UNITS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "1 Hour": "Hours",
        "1 Hours": "Hours",
        "Hours": "Hours",
        "1 GB": "GB",
        "1 GB/Month": "GB-Months",
        "1 GiB/Month": "GiB-Months",
        "1 GB Hour": "GB-Hours",
        "1 GiB Hour": "GiB-Hours",
        "1/Month": "Months",
        "1 /Month": "Months",
        "1/Day": "Days",
        "1/Hour": "Hours",
    }
)
_CODES: Final = """
ae=uae at=austria au=australia be=belgium br=brazil ca=canada ch=switzerland cl=chile cn=china
de=germany dk=denmark es=spain fi=finland fr=france gr=greece id=indonesia il=israel it=italy
ja=japan kr=korea mx=mexico my=malaysia no=norway nz=newzealand pl=poland qa=qatar sa=saudiarabia
se=sweden sg=singapore tw=taiwan uk=uk za=southafrica
"""
_LANDS: Final = {code: land for code, _, land in (word.partition("=") for word in _CODES.split())}
"""By the codes that meters have of them, which stand first; "AU East" is australiaeast."""
_LANDS_LAST: Final = {"us": "us", "eu": "europe", "ap": "asia", "in": "india"}
""" "EU West" is westeurope."""
_SIDE: Final = r"(?:(?:north|south|east|west|central) ?)+"
_PLACE: Final = re.compile(rf"([a-z]{{2}}) ?({_SIDE})(\d?)")
_OTHER_PLACES: Final = {
    "in central jio": "jioindiacentral",
    "in west jio": "jioindiawest",
    "in south central": "indiasouthcentral",
    "us gov az": "usgovarizona",
    "us gov tx": "usgovtexas",
    "chnorth": "chinanorth",
    "sanorth": "southafricanorth",
    "sawest": "southafricawest",
}
_NOWHERE: Final = frozenset({"", "unassigned", "unknown", "n/a"})


def categories(meter: pa.Array, family: pa.Array) -> pa.Array:
    """ServiceCategory of each row.

    Args:
        meter: MeterCategory. family: ServiceFamily, for what the former does not tell.
    """
    return pc.coalesce(renamed(meter, _METER), renamed(family, _FAMILY), "Other")


def units(unit: pa.Array, meter: pa.Array) -> pa.Array:
    """Pricing units; hours of a licence are no machine's, and "10 Hours" stay what they are."""
    found = pc.coalesce(renamed(unit, _UNITS), unit)
    licence = pc.and_(pc.equal(found, "Hours"), pc.equal(meter, "Virtual Machines Licenses"))
    return pc.if_else(pc.fill_null(licence, False), "Licence-Hours", found)


def regions(location: pa.Array) -> pa.Array:
    """RegionId: `EastUS`, `East US` and the meters' `US East` are eastus, `IN Central` is
    centralindia."""
    coded = location.dictionary_encode()
    names = [_region(text) for text in coded.dictionary.to_pylist()]
    return pa.array(names, pa.string()).take(coded.indices)


def _region(text: str) -> str | None:
    plain = " ".join(text.lower().split())
    if plain in _NOWHERE:
        return None
    if plain in _OTHER_PLACES:
        return _OTHER_PLACES[plain]
    found = _PLACE.fullmatch(plain)
    if found and (last := _LANDS_LAST.get(found[1])):
        return f"{found[2].replace(' ', '')}{last}{found[3]}"
    if found and (first := _LANDS.get(found[1])):
        return f"{first}{found[2].replace(' ', '')}{found[3]}"
    return plain.replace(" ", "").replace("_", "")
