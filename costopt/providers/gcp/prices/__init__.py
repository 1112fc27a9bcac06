"""Prices of Google Cloud: machine types, composed from the Cloud Billing Catalogue's SKUs."""

from costopt.providers.gcp.prices.used import in_use

__all__ = ["in_use"]
