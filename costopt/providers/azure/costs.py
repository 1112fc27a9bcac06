"""What a collect may pay Azure for its own calls; said before the first of them."""

from __future__ import annotations

from decimal import Decimal

from costopt.errors import ProviderError
from costopt.providers.azure.settings import AzureSettings
from costopt.providers.base import Estimate
from costopt.units import cents_up, exact


def limit(settings: AzureSettings) -> Decimal:
    """Dollars that the paid calls may cost; possibly infinite."""
    return Decimal(repr(settings.max_api_cost))


def within(settings: AzureSettings, made: Estimate) -> Estimate:
    """The estimate, which the limit allows; a dry run may cost anything, as it asks for nothing.

    Raises:
        ProviderError: more than `max_api_cost`.
    """
    most = limit(settings)
    if settings.dry_run or made.usd <= most:
        return made
    raise ProviderError(
        f"Azure may bill ${cents_up(made.usd):,} for the calls, above the limit of ${exact(most)}: "
        + "; ".join(made.lines),
        where="Azure API cost",
        hint="raise --max-api-cost, or ask for less: --subscription, --region, fewer --days, "
        "--skip metrics",
    )
