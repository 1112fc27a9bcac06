"""What `costopt doctor --format json` says: JSON-ready objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from costopt.frame.quality import REMEDIES, barred
from costopt.frame.tally import tally, usable
from costopt.lake.holdings import Holdings
from costopt.model import Profile
from costopt.pipeline import Observed

SCHEMA_VERSION: Final = "1"


def fleet(held: Holdings, seen: Observed | None, doubts: Sequence[str]) -> dict[str, Any]:
    """One JSON-ready object; `quality` is null where nothing is measured yet, `settings` says what
    of them has no effect."""
    return {
        "schema_version": SCHEMA_VERSION,
        "lake": {
            "resources": dict(held.resources),
            "days": [day.isoformat() for day in held.days],
            "final_until": {
                source: {metric: until.isoformat() for metric, until in sorted(metrics.items())}
                for source, metrics in sorted(held.watermarks.items())
            },
            "charges": {provider: dict(months) for provider, months in held.bills.items()},
            "prices": held.prices,
            "shapes": held.shapes,
            "own_prices": held.own_prices,
            "own_shapes": held.own_shapes,
        },
        "quality": _quality_document(seen) if seen else None,
        "settings": {"warnings": list(doubts)},
    }


def _quality_document(seen: Observed) -> dict[str, Any]:
    passed, machines = usable(seen.resources, seen.findings)
    return {
        "as_of": seen.window.end.isoformat(),
        "window": {
            "start": seen.window.start.isoformat(),
            "end": seen.window.end.isoformat(),
        },
        "machines": machines,
        "usable_machines": passed,
        "checks": [
            {
                "check": one.check,
                "resources": one.seen,
                "resources_with_unusable_metric": one.gated,
                "resources_not_judged": one.barred,
                "count": one.count,
                "metrics": list(one.metrics),
                "example": asdict(one.example),
                "remedy": REMEDIES.get(one.check),
            }
            for one in tally(seen.findings)
        ],
    }


def resource(resource_id: str, seen: Observed) -> dict[str, Any]:
    """One resource as a JSON-ready object."""
    bar = barred(seen.findings[resource_id])
    return {
        "schema_version": SCHEMA_VERSION,
        "as_of": seen.window.end.isoformat(),
        "resource_id": resource_id,
        "not_judged_because": bar.check if bar else None,
        "series": [_series_document(one) for one in seen.profiles.get(resource_id, ())],
        "findings": [asdict(finding) for finding in seen.findings[resource_id]],
    }


def _series_document(profile: Profile) -> dict[str, Any]:
    return {
        "metric_name": profile.metric_name,
        "statistic": profile.statistic,
        "device": profile.device,
        "period_seconds": profile.period_seconds,
        "first": profile.first.isoformat(),
        "last": profile.last.isoformat(),
        "count": profile.count,
        "coverage": _rounded(profile.coverage),
        "p50": _rounded(profile.p50),
        "p99_5": _rounded(profile.p99_5),
        "max": _rounded(profile.max),
    }


def _rounded(value: float) -> float:
    """Float noise cut off: two more decimals than utilizations are packed with."""
    return round(value, 4)
