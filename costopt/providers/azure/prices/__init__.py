"""Prices of Azure: the public Retail Prices API, and what of it is in use."""

from costopt.providers.azure.prices.used import in_use

__all__ = ["in_use"]
