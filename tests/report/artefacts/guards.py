"""Recommendations with guards, for whatever turns guards into alarms."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from costopt.model import Guard, Recommendation, Report
from tests.report import builders

AWS = "i-0123456789abcdef0"
SUBSCRIPTION = "0b1f6471-1bf0-4dda-aec3-cb9272f09590"
AZURE = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/shop-production"
    "/providers/Microsoft.Compute/virtualMachines/shop-checkout-7"
)
GCP = "//compute.googleapis.com/projects/shop-1/zones/europe-west4-a/instances/cache-2"
PLACES = {
    "AWS": (AWS, "eu-west-1", "123456789012"),
    "Azure": (AZURE, "westeurope", SUBSCRIPTION),
    "GCP": (GCP, "europe-west4", "shop-1"),
    "OnPrem": ("cellar/vm/7", "cellar", None),
}
EVIL = (
    *builders.HOSTILE,
    '"quoted" and \\back\\slashed\\',
    "${resource.label.zone} $(id) `id`",
    "{{ query \"up\" }}{{ .Value }}",
    "{{resolve:ssm:secret:1}}",
    "{{{resolve:secretsmanager:prod/db:SecretString:password}}}",
    "{" * 100,
    "$${{x}}",
    "[concat('a','b')]",
    "(.*)+[a-z]{2}|^$",
    "\ud800 lone",
    "long " * 500,
)  # fmt: skip


def cpu(samples: int = 21, *, days: float = 14, period: int = 300, **fields: Any) -> Guard:
    """CPU over 90 % in that many periods, from the reports' moment on."""
    return _guard("cpu_utilization", 90.0, samples, days, period, **fields)


def memory(samples: int = 1, *, days: float = 14, period: int = 300, **fields: Any) -> Guard:
    """Memory over 95 % in that many periods, from the reports' moment on."""
    return _guard("memory_utilization", 95.0, samples, days, period, **fields)


def _guard(
    metric: str, limit: float, samples: int, days: float, period: int,
    *, since: datetime = builders.END,
) -> Guard:  # fmt: skip
    return Guard(metric, limit, samples, period, days, since + timedelta(days=days))


def guarded(provider: str, *guards: Guard, **fields: Any) -> Recommendation:
    """A resize at that provider, with a CPU and a memory guard if none is given."""
    resource_id, region, account = PLACES[provider]
    known: dict[str, Any] = {
        "current": builders.offer(provider_name=provider, region_id=region),
        "sub_account_id": account,
        "guards": guards or (cpu(), memory()),
    }
    return builders.recommendation(fields.pop("resource_id", resource_id), **(known | fields))


def fleet() -> Report:
    """One guarded machine at each provider, and one to be stopped."""
    return builders.report((*(guarded(provider) for provider in PLACES), builders.stop()))


def evil(provider: str) -> Report:
    """Machines of that provider whose names, types, accounts and regions are attacks."""
    rows = (
        guarded(
            provider,
            resource_id=_nth(provider, number),
            resource_name=text,
            sub_account_id=text,
            current=builders.offer(text, provider_name=provider, region_id=text),
        )
        for number, text in enumerate(EVIL)
    )
    return builders.report(tuple(rows))


def _nth(provider: str, number: int) -> str:
    base = PLACES[provider][0]
    return f"{base[:-2]}{number:02}" if provider == "AWS" else f"{base}{number}"


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
