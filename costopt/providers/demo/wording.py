"""ChargeDescription as each provider words it, for storage and traffic."""

from __future__ import annotations

from decimal import Decimal

from costopt.providers.demo import focus
from costopt.providers.demo.company import SITES, Site
from costopt.providers.demo.focus import Sku

_TO = SITES["use1"]
"""Where the company's traffic between regions goes."""


def storage(site: Site, price: Decimal) -> str:
    """A GiB-month of a disk."""
    return {
        "AWS": f"${price} per GB-month of General Purpose (gp3) provisioned storage - "
        f"{site.region_name}",
        "GCP": f"Balanced PD Capacity in {site.region_name}",
        "Azure": "Premium SSD Managed Disks, LRS",
        "OnPrem": "SSD storage, provisioned",
    }[site.provider]


def traffic(sku: Sku, site: Site, price: Decimal) -> str:
    """A GB sent, or that came in; between regions and zones only AWS's machines of this company
    send enough."""
    if sku is focus.BETWEEN_ZONES:
        how = "regional data transfer - in/out/between EC2 AZs or using elastic IPs or ELB"
        return f"${price} per GB - {how}"
    if sku is focus.BETWEEN_REGIONS:
        return f"${price} per GB - {site.region_name} data transfer to {_TO.region_name}"
    if sku is focus.INGRESS:
        return {
            "AWS": "$0.000 per GB - data transfer in per month",
            "GCP": f"Network Internet Data Transfer In from EMEA to {site.region_name}",
            "Azure": "Rtn Preference: MGN - Standard Data Transfer In",
        }[site.provider]
    return {
        "AWS": f"${price} per GB - first 10 TB / month data transfer out beyond the global free "
        "tier",
        "GCP": f"Network Internet Data Transfer Out from {site.region_name} to EMEA",
        "Azure": "Rtn Preference: MGN - Standard Data Transfer Out",
    }[site.provider]
