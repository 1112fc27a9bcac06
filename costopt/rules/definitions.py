"""What "idle" means, by name: our own definition and the published ones, with their numbers.

A definition turns a machine's signals into checks, each a figure against its limit. All must pass.
We keep statistics over the whole lookback, not every sample, so a definition over N days is judged
on all the history there is, at least N days of it: a machine found idle was idle in those days too.
Where a published test needs what we do not keep, the stand-in is named under `approximations` and
travels with the advice. Sources: facts/peers, read in source or documentation as marked there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from costopt.rules import checks
from costopt.rules.checks import Check, Signals

DefinitionName = Literal[
    "costopt", "aws-co-idle", "aws-ta-low", "aws-ce", "azure-shutdown", "gcp-idle",
    "optscale-abandoned",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Definition:
    """A named definition of idle."""

    name: str
    source: str
    days: int  # of history at least
    needs_network: bool  # without network figures it says nothing
    checks: Callable[[Signals], tuple[Check, ...]]  # those that the signals allow
    approximations: tuple[str, ...] = ()
    needs_bandwidth: bool = False  # also how much the machine's network could carry
    excludes_local_disk: bool = False
    excludes_gpu: bool = False


_PEAK_STAND_IN: Final = "where no maxima are collected the CPU peak is the largest mean of a period"
_WEEKDAY_STAND_IN: Final = (
    "days are the seven weekdays' averages, in the machine's own time zone, not every single day"
)

DEFINITIONS: Final[Mapping[str, Definition]] = MappingProxyType(
    {
        d.name: d
        for d in (
            Definition(
                "costopt",
                "ours: AWS Compute Optimizer's CPU peak, GCP's traffic, own bounds on rare bursts",
                days=14,
                needs_network=False,
                checks=checks.costopt,
            ),
            Definition(
                "aws-co-idle",
                "AWS Compute Optimizer, idle resources: peak CPU < 5 % and network < 5 MB a day",
                days=14,
                needs_network=True,
                checks=checks.aws_co_idle,
                approximations=(_PEAK_STAND_IN, _WEEKDAY_STAND_IN),
            ),
            Definition(
                "aws-ta-low",
                "AWS Trusted Advisor, low utilization: daily CPU <= 10 % and network <= 5 MB on at"
                " least 4 of 14 days",
                days=14,
                needs_network=True,
                checks=checks.aws_ta_low,
                approximations=(_WEEKDAY_STAND_IN, "4 of 14 days are read as 2 of 7 weekdays"),
            ),
            Definition(
                "aws-ce",
                "AWS Cost Explorer rightsizing: maximum CPU <= 1 % over 14 days",
                days=14,
                needs_network=False,
                checks=checks.aws_ce,
                approximations=(_PEAK_STAND_IN,),
            ),
            Definition(
                "azure-shutdown",
                "Azure Advisor, shut down: P95 of CPU < 3 %, largest average of the last 3 days"
                " <= 2 %, outbound network < 2 %, over 7 days",
                days=7,
                needs_network=True,
                checks=checks.azure_shutdown,
                needs_bandwidth=True,
                approximations=(
                    "Azure takes P95 of the 30-minute maxima of 1-minute averages; P99.5 of our"
                    " samples stands for it: six five-minute samples stay under their P99.2 in"
                    " 95 % of half hours",
                    "the largest average is taken over the whole lookback, not the last 3 days",
                    "P99.5 stands for the unpublished statistic of the outbound network",
                ),
            ),
            Definition(
                "gcp-idle",
                "GCP idle VM recommender: < 0.03 vCPU for 97 % of the time, in < 2000 B/s and out"
                " < 1000 B/s for 95 %, over 14 days; no GPU, no local SSD, no GKE",
                days=14,
                needs_network=True,
                checks=checks.gcp_idle,
                approximations=(
                    "the share of time below 0.03 vCPU is a lower bound from percentiles and"
                    " whole-percent bins",
                ),
                excludes_local_disk=True,
                excludes_gpu=True,
            ),
            Definition(
                "optscale-abandoned",
                "OptScale abandoned instances: average CPU <= 5 % and network <= 1000 over 7 days",
                days=7,
                needs_network=True,
                checks=checks.optscale,
                approximations=("network is read as bytes per second, each direction",),
            ),
        )
    }
)


GPU_DAYS: Final = 14
GPU_SOURCE: Final = (
    "AWS Compute Optimizer, idle GPU instances: GPU inactive > 99 % of the time, encoder unused"
    " >= 99 %, GPU memory < 5 %, CPU peak < 5 %, network < 5 MB a day, over 14 days"
)
GPU_APPROXIMATIONS: Final = (
    "a card is inactive in a period whose mean utilization is below 1 %",
    "the use of the video encoder is not collected",
)
