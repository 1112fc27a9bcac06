"""Regions that are not open to everybody: of governments, China, sovereign clouds, local zones,
and what is sold on request only. A price there is no offer to somebody who has no access.

Sources (read 2026-11): AWS's partitions (botocore, data/partitions.json: `aws-cn`, `aws-us-gov`,
`aws-iso*`, `aws-eusc`), and "each AWS account is scoped to one partition"; local zones "you must
first opt in to" (docs.aws.amazon.com/local-zones). Azure's sovereign clouds (learn.microsoft.com,
"Select Azure regions"), and its regions that are "access restricted to support specific customer
scenarios, such as in-country disaster recovery" ("Azure regions list"; Jio's two, which are Jio's
alone, are not in it). Google's Dammam is for its reseller's customers and those who pay by invoice
(cloud.google.com/docs/dammam-region-access).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from costopt.pricing.layer import region_key
from costopt.units import provider_key

_CLOSED: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "aws": (
        (r"us-gov-.*", "AWS GovCloud (US)"),
        (r"cn-.*", "AWS China"),
        (r"(us|eu)-iso[a-z]*-.*", "AWS for intelligence services"),
        (r"eusc-.*", "AWS European Sovereign Cloud"),
    ),
    "azure": (
        (r"us(gov|dod|nat|sec).*", "Azure Government"),
        (r"china.*", "Azure China"),
    ),
}
"""Clouds of their own: who has an account in one has none in the others."""
_ALONE: Final[Mapping[str, str]] = {
    # A region's id and a place's code after it: us-west-2-lax-1, us-east-1-wl1-bos-wlz-1.
    "aws": r"[a-z]+(-[a-z]+)+-\d+-.+",
    "azure": r"australiacentral2|brazilsoutheast|francesouth|germanynorth|jioindia(central|west)|"
    r"koreasouth|norwaywest|southafricawest|swedensouth|switzerlandwest|uaecentral",
    "gcp": r"me-central2",
}
"""Each is opened by itself."""


@cache
def partition(provider_name: str, region_id: str) -> str:
    """The closed part of a provider's cloud that a region is in; "" = open to every customer.

    Case and blanks do not matter. Providers that are not listed close nothing.
    """
    provider, region = provider_key(provider_name), region_key(region_id)
    for pattern, name in _CLOSED.get(provider, ()):
        if re.fullmatch(pattern, region):
            return name
    alone = _ALONE.get(provider)
    return f"{provider} {region}" if alone and re.fullmatch(alone, region) else ""


def may_go(here: tuple[str, str], there: tuple[str, str]) -> bool:
    """Whether who has machines in one region gets them in the other as well.

    Governments' and sovereign clouds have their borders both ways: who has an account in one has
    none outside, and what is kept in one is seldom free to leave.

    Args:
        here: provider and region, as the next.
    """
    ours, theirs = partition(*here), partition(*there)
    return ours == theirs or not (theirs or _is_cloud(here[0], ours))


def _is_cloud(provider_name: str, name: str) -> bool:
    return any(name == cloud for _, cloud in _CLOSED.get(provider_key(provider_name), ()))
