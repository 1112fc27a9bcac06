"""What would turn a skip into advice, by its rule and its reason code: for --explain."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from costopt.frame import quality
from costopt.model import Skip

REMEDIES: Final[Mapping[str, str]] = MappingProxyType(
    {
        **quality.REMEDIES,
        # what is not measured
        "cpu-unmeasured": "samples of cpu_utilization",
        "gpu-unmeasured": "samples of gpu_utilization and gpu_memory_utilization of every card",
        "thin-recently": "CPU samples of the last 14 days, at least half of them",
        "memory-unmeasured": "samples of memory_utilization, of an agent on the machine",
        "network-unmeasured": "samples of network_in and network_out",
        "unconfirmed-cpu": "a look at those CPU samples: a fault of the source, or work",
        # what is not known
        "no-price": "a price: costopt collect files --prices P, or the bill: --charges C; of your "
        "own machines costopt collect prometheus --hosts H",
        "no-market": "prices of what can be had there: costopt collect files --prices P",
        "unknown-size": "its x_vCPUs among the resources, or its type: --shapes S",
        "memory-unknown": "its x_MemoryGiB among the resources, or its type: --shapes S",
        # what speaks against a change
        "not-running": "nothing: while it is stopped its compute costs nothing",
        "scaling-group": "the group: change its size or its template, not this member",
        "managed-service": "its service's own settings",
        "standby-role": "samples of its network, or a word with its owner",
        "recently-launched": "time: it is judged once it has run for a while",
        "recently-resized": "time: it is judged once it has run for a while in its new size",
        "risk-budget": "a larger risk budget (--risk-budget), or a longer past of more machines",
        "small-saving": "a lower threshold: --min-monthly-savings, min_monthly_savings",
        "definition-excludes": "another definition of idle: --idle-definition",
        "burstable-throttled": "a look at its credits: what it would use is not seen",
        "undersized": "a larger machine: this one is at its limit",
        "no-commitment-price": "committed prices: costopt prices update aws, gcp or azure; or your "
        "own: costopt collect files --prices P, with PricingCategory Committed and x_Term",
        "coarse-bill": "a bill by the hour or by the day",
        "falling-demand": "time: it is judged anew with each week of bill",
        "unsure-demand": "a longer bill, or less caution: confidence, yearly_decline",
        "no-habit": "weeks that are alike: holidays and other days that differ may be named, under "
        "holidays and days of rules.schedule",
        "habit-broken": "time: it is judged anew with each week; or a larger max_missed_percent",
        "not-worth-its-risk": "a lower risk_price, if a missed hour costs you less",
        "already-scales": "nothing: its count follows its demand already",
        "already-scheduled": "nothing: it is off at fixed times already",
        "odd-period": "samples whose period fits slot_minutes of rules.schedule",
        "excluded": "its name or tag out of exclude of rules.schedule",
        "local-disk": "a machine without a local disk: each stop empties it",
        "spot-machine": "a machine on demand: spot capacity may not be there in the morning",
        "gpu-machine": "nothing yet: GPU machines are not resized",
    }
)
"""Of the code, whichever rule says it."""

_OF_RULE: Final[Mapping[tuple[str, str], str]] = MappingProxyType(
    {
        ("idle", "short-history"): "collect more days, or take a definition of idle that needs "
        "fewer: --idle-definition",
        ("schedule", "short-history"): "collect more whole weeks: as many as least_weeks of "
        "rules.schedule, three at the least",
        ("commit", "short-history"): "collect a longer bill, or lower least_weeks of rules.commit",
    }
)
"""Where a setting of the rule decides, and not the quality gate's."""


def remedy(skip: Skip) -> str | None:
    """What would help; None where nothing is known."""
    return _OF_RULE.get((skip.rule, skip.reason), REMEDIES.get(skip.reason))
