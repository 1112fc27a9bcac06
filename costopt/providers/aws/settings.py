"""What can be asked of `costopt collect aws`; each field becomes an option."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Part = Literal["metrics", "charges", "prices"]


class AwsSettings(BaseModel):
    """Collect an AWS account, or all accounts of an organization.

    Credentials come from where the AWS CLI finds them: environment, profile, instance role. Nothing
    is changed in any account; `costopt doctor aws` prints the least policy that suffices.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    profile: str | None = Field(None, description="profile of the AWS configuration to use")
    region: tuple[str, ...] = Field(
        (), description="region to look into; without any, all that the account has enabled"
    )
    organization: bool = Field(
        False, description="walk the member accounts of the organization, each by its role"
    )
    role_name: str = Field(
        "costopt", min_length=1, description="role to assume in each member account"
    )
    external_id: str | None = Field(None, description="external id that the role asks for")
    days: int = Field(60, ge=1, le=455, description="days of metrics to ask for")
    until: datetime | None = Field(
        None, description="collect metrics up to this moment (ISO, UTC); without it, now"
    )
    export: tuple[str, ...] = Field(
        (), description="s3://BUCKET/PREFIX of a bill export: FOCUS, CUR 2.0 or legacy CUR"
    )
    cost_explorer: bool = Field(
        False, description="take the bill from Cost Explorer, which costs $0.01 a request"
    )
    skip: tuple[Part, ...] = Field((), description="leave out metrics, charges or prices")
    dry_run: bool = Field(
        False, description="list what there is, say what the paid calls would cost, and stop"
    )
    max_api_cost: float = Field(
        10.0, ge=0, description="refuse paid calls of more dollars than this"
    )
    max_concurrency: int = Field(4, ge=1, le=64, description="calls under way at a time")
    max_attempts: int = Field(
        8, ge=1, le=50, description="tries of a call that is throttled or fails on their side"
    )

    @model_validator(mode="after")
    def _sound(self) -> Self:
        for place in self.export:
            if not place.startswith("s3://") or len(place.removeprefix("s3://").split("/")[0]) < 3:
                raise ValueError(f"--export {place}: not an address like s3://bucket/prefix")
        if self.external_id and not self.organization:
            raise ValueError("--external-id is for the roles of --organization")
        return self
