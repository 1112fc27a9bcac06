"""What can be asked of `costopt collect aws`; each field becomes an option."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

Part = Literal["metrics", "charges", "prices", "advice"]


def _region(name: str) -> str:
    if not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d{1,2}", name):
        raise ValueError(f"{name!r} is no region, like eu-west-1")
    return name


def _role(name: str) -> str:
    if not re.fullmatch(r"([\w+=,.@-]+/)*[\w+=,.@-]{1,64}", name, re.ASCII):
        raise ValueError(f"{name!r} is no name of a role, like costopt or finops/costopt: no ARN")
    return name


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


Moment = Annotated[datetime, AfterValidator(_in_utc)]
RegionName = Annotated[str, AfterValidator(_region)]
RoleName = Annotated[str, AfterValidator(_role)]

_EXPORT: Final = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/|$)")


class AwsSettings(BaseModel):
    """Collect an AWS account, or all accounts of an organization.

    Credentials come from where the AWS CLI finds them: environment, profile, instance role. Nothing
    is changed in any account; `costopt doctor aws --policy` prints the least policy that suffices.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    profile: str | None = Field(None, description="profile of the AWS configuration to use")
    region: tuple[RegionName, ...] = Field(
        (), description="region to look into; without any, all that the account has enabled"
    )
    organization: bool = Field(
        False, description="also the member accounts of the organization, each by its role"
    )
    role_name: RoleName = Field(
        "costopt",
        description="role to assume in each member account",
    )
    external_id: str | None = Field(None, description="external id that the role asks for")
    # Of 58 days two metrics fill a call of CloudWatch; of 60 they do not fit (metrics/packing.py).
    days: int = Field(58, ge=1, le=455, description="days of metrics to ask for")
    until: Moment | None = Field(
        None, description="metrics up to this moment (ISO, UTC); without it, now"
    )
    export: tuple[str, ...] = Field(
        (), description="where a bill export is: s3://bucket/prefix (FOCUS, CUR 2.0, legacy CUR)"
    )
    cost_explorer: bool = Field(
        False,
        description="the bill by Cost Explorer where no export is named, and how far commitments "
        "are used; $0.01 a request",
    )
    skip: tuple[Part, ...] = Field((), description="leave out metrics, charges, prices or advice")
    dry_run: bool = Field(
        False,
        description="list what there is, say what the paid calls would cost and which months of a "
        "bill would be read, and stop",
    )
    max_api_cost: float = Field(
        10.0, ge=0, description="dollars that the paid calls may cost; above, none is made"
    )
    max_concurrency: int = Field(4, ge=1, le=64, description="calls under way at a time")
    max_attempts: int = Field(
        8, ge=1, le=50, description="tries of a call that is throttled or fails on AWS's side"
    )

    @model_validator(mode="after")
    def _sound(self) -> Self:
        for place in self.export:
            if not _EXPORT.match(place):
                raise ValueError(f"--export {place}: not an address like s3://bucket/prefix")
        if self.external_id and not self.organization:
            raise ValueError("--external-id is for the roles of --organization")
        return self
