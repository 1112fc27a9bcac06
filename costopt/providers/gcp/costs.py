"""What a collect pays Google for its own calls; said before the first of them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from costopt.errors import ProviderError
from costopt.providers.base import Estimate
from costopt.providers.gcp.settings import GcpSettings
from costopt.units import cents_up, exact


def estimate(settings: GcpSettings, parts: Sequence[Estimate]) -> Estimate:
    """All parts together; a dry run is told whatever it comes to.

    Args:
        parts: what each paid service will cost.
    Raises:
        ProviderError: more than `max_api_cost`.
    """
    usd = sum((part.usd for part in parts), Decimal(0))
    lines = [line for part in parts for line in part.lines]
    if settings.dry_run:
        return Estimate(usd, (*lines, "dry run: none of these calls is made"))
    limit = _limit(settings)
    if usd > limit:
        raise ProviderError(
            f"Google would bill ${cents_up(usd):,} for the calls, above the limit of "
            f"${exact(limit)}: {'; '.join(lines)}",
            where="Google Cloud API cost",
            hint="raise --max-api-cost, or ask for less: --project, --region, fewer --days, "
            "--skip metrics or charges",
        )
    return Estimate(usd, tuple(lines))


def left(settings: GcpSettings, parts: Sequence[Estimate]) -> Decimal:
    """Dollars that these parts leave of `max_api_cost` for others."""
    return max(Decimal(0), _limit(settings) - sum((part.usd for part in parts), Decimal(0)))


def _limit(settings: GcpSettings) -> Decimal:
    return Decimal(repr(settings.max_api_cost))
