"""What may be set of the move rule, with bounds; descriptions become options and docs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from costopt.rules.base import RuleSettings
from costopt.rules.interruptible import InterruptibleSettings

CODE: Final = "move"
_GIB: Final = 1e9
"""A month: far more than any network carries. Bounds keep figures such that they can be reckoned
with; nobody means more."""
_MS: Final = 10_000.0
_HOURS: Final = 1e5
_MONEY: Final = 1e12
_VCPUS: Final = 1e8


class Talk(RuleSettings):
    """Two groups that send each other data. A group is called by a tag's value, or its name."""

    first: str
    second: str
    there_gib: float = Field(
        0.0, ge=0, le=_GIB, description="a month, from the first to the second"
    )
    back_gib: float = Field(0.0, ge=0, le=_GIB, description="a month, from the second to the first")
    most_ms: float | None = Field(
        None, gt=0, le=_MS, description="round trip that they bear at most"
    )


class MoveSettings(InterruptibleSettings):
    """move: where things may run, what going takes, and spot. Money is in the bill's currency.

    See docs/moves.md.
    """

    to: tuple[str, ...] = Field(
        (),
        description="providers that may be moved to; none = those that the fleet runs on; "
        '"any" = all that have prices',
    )
    places: tuple[str, ...] = Field(
        (),
        description="regions, countries, continents, EU, EEA or UK that may be moved to; none = "
        "the continent where it runs, and within the EEA where it runs there",
    )
    residency_tag: str = Field(
        "residency",
        description="tag whose value says where a machine must stay: places as above, by comma",
    )
    residency: Mapping[str, tuple[str, ...]] = Field(
        default_factory=dict,
        description='tag=value -> where such machines must stay: {"data=patients" = ["CH"]}',
    )
    stay: tuple[str, ...] = Field(
        (), description="names or tags' values of what is never moved, and its group with it"
    )
    group_tags: tuple[str, ...] = Field(
        ("app", "application", "service"),
        description="tags of which machines in one place and with the same value move together",
    )
    horizon_months: float = Field(24.0, gt=0, le=120, description="over which a move must pay")
    yearly_rate: float = Field(0.08, ge=0, le=1, description="what money costs, a year")
    dual_run_days: float = Field(
        14.0, ge=0, le=365, description="in which machines of both places are paid for"
    )
    labour_hours_group: float = Field(
        24.0, ge=0, le=_HOURS, description="people's hours to move a group"
    )
    labour_hours_machine: float = Field(
        4.0, ge=0, le=_HOURS, description="and for each of its machines"
    )
    labour_hours_provider: float = Field(
        40.0,
        ge=0,
        le=_HOURS,
        description="and where its provider changes: accounts, networks, images, rights",
    )
    labour_rate: float = Field(
        90.0, ge=0, le=_MONEY, description="what an hour of people's time costs"
    )
    most_ms: float = Field(
        30.0, gt=0, le=_MS, description="round trip that the new place may be away from today's"
    )
    price_drift_percent: float = Field(
        3.0, ge=0, lt=100, description="by which a list price may be off for each year of its age"
    )
    allow_architecture_change: bool = Field(False, description="whether arm64 may replace x86_64")
    allow_burstable: bool = Field(False, description="whether a burstable machine may take over")
    talks: tuple[Talk, ...] = Field((), description="groups that send each other data")
    quotas: Mapping[str, Annotated[float, Field(ge=0, le=_VCPUS)]] = Field(
        default_factory=dict, description='most vCPUs of a place: {"aws/us-west-2" = 500}'
    )
    minimum_spend: Mapping[str, Annotated[float, Field(ge=0, le=_MONEY)]] = Field(
        default_factory=dict, description="promised to a provider a month: {aws = 10000}"
    )
    most_providers: int | None = Field(None, ge=1, description="providers in use at the same time")
    spot: bool = Field(True, description="whether interruptible work may run on spot")
    checkpoint_hours: float = Field(
        1.0, ge=0, le=_HOURS, description="between two checkpoints of interruptible work"
    )
    restart_hours: float = Field(
        0.25, ge=0, le=_HOURS, description="until interrupted work goes on"
    )
    interruption_cost: float = Field(
        0.0, ge=0, le=_MONEY, description="what each interruption costs beside"
    )

    @field_validator("residency")
    @classmethod
    def _told(cls, value: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
        """Each names a tag with its value, and at least one place: else it would bind nothing."""
        for tag, places in value.items():
            key, equals, wanted = tag.partition("=")
            if not (key.strip() and equals and wanted.strip()):
                why = f'{tag!r} is no tag=value, like "data=patients"'
            elif not places:
                why = f'{tag!r} names no place, like ["CH", "EEA"]'
            else:
                continue
            raise PydanticCustomError("residency", "{why}", {"why": why})
        return value
