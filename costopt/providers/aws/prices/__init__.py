"""Prices of AWS: the public offer files, single look-ups, the spot market, and what is in use."""

from costopt.providers.aws.prices.used import in_use

__all__ = ["in_use"]
