"""A small working fleet of each provider, for the obligations that all of them share.

Each is a context: while it is open, the providers that it makes find their cloud on loopback. What
a test does to the cloud in between (throttling, refusing) it does by the clouds' own fakes.
"""

from __future__ import annotations

from tests.contract.fleets.aws import aws
from tests.contract.fleets.azure import azure
from tests.contract.fleets.files import demo, files
from tests.contract.fleets.fleet import Fleet, Refusal
from tests.contract.fleets.gcp import gcp
from tests.contract.fleets.prometheus import scraped

FLEETS = {
    "aws": aws,
    "azure": azure,
    "demo": demo,
    "files": files,
    "gcp": gcp,
    "prometheus": scraped,
}

__all__ = ["FLEETS", "Fleet", "Refusal"]
