"""What a collect pays AWS for its own calls; said before the first of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from costopt.errors import ProviderError
from costopt.providers.aws.bill import explorer
from costopt.providers.aws.commitments import UTILIZATION_REQUESTS
from costopt.providers.aws.metrics import Prepared, plan
from costopt.providers.aws.settings import AwsSettings
from costopt.providers.base import Estimate
from costopt.units import cents_up, counted, exact


def estimate(
    settings: AwsSettings,
    prepared: Prepared | None,
    now: datetime,
    bills: Sequence[str] = (),
    held: Mapping[str, str] | None = None,
) -> Estimate:
    """Dollars and a line for each kind of call; a dry run is told whatever it comes to.

    Args:
        prepared: what is to be asked of CloudWatch; None = nothing.
        now: up to when Cost Explorer is asked (UTC).
        bills: lines of a dry run on what would be read of exports.
        held: notes of earlier collects: they say which months Cost Explorer told only in part.
    Raises:
        ProviderError: more than `max_api_cost`.
    """
    usd, lines = Decimal(0), []
    if prepared is not None:
        metrics = plan.estimate(prepared.plan, prepared.listing)
        usd, lines = metrics.usd, list(metrics.lines)
    if requests := _explorer_requests(settings, now, held or {}):
        asked = requests * explorer.USD_A_REQUEST
        usd += asked
        lines.append(
            f"Cost Explorer: up to {counted(requests, 'request')} at $0.01: ${cents_up(asked):,}"
        )
    if settings.dry_run:
        return Estimate(usd, (*lines, *bills, "dry run: none of these calls is made"))
    limit = Decimal(repr(settings.max_api_cost))
    if usd > limit:
        raise ProviderError(
            f"AWS would bill ${cents_up(usd):,} for the calls, above the limit of "
            f"${exact(limit)}: {'; '.join(lines)}",
            where="AWS API cost",
            hint="raise --max-api-cost, or ask for less: --region, fewer --days, --skip metrics",
        )
    return Estimate(usd, tuple(lines))


def _explorer_requests(settings: AwsSettings, now: datetime, held: Mapping[str, str]) -> int:
    """At most so many: how far commitments were used is asked only where there are some."""
    if not settings.cost_explorer:
        return 0
    of_bill = not settings.export and "charges" not in settings.skip
    return UTILIZATION_REQUESTS + of_bill * explorer.requests_needed(None, now, held)
