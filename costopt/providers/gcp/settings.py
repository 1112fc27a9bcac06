"""What can be asked of `costopt collect gcp`; each field becomes an option."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from costopt.providers.fields import Moment, Part

_PROJECT: Final = re.compile(r"([a-z][a-z0-9.-]*:)?[a-z][a-z0-9-]{4,28}[a-z0-9]")
_REGION: Final = re.compile(r"[a-z]+(-[a-z]+)+\d+")
_TABLE: Final = re.compile(r"(?P<project>[\w.:-]+)\.(?P<dataset>\w+)\.(?P<table>\w+)")


def _project(name: str) -> str:
    if not _PROJECT.fullmatch(name):
        raise ValueError(f"{name!r} is no project id, like my-project-1")
    return name


def _region(name: str) -> str:
    if not _REGION.fullmatch(name):
        raise ValueError(f"{name!r} is no region, like europe-west1")
    return name


def _number(text: str) -> str:
    if not re.fullmatch(r"\d{1,20}", text):
        raise ValueError(f"{text!r} is no number of a folder or organization, like 123456789012")
    return text


def _table(name: str) -> str:
    if not _TABLE.fullmatch(name):
        raise ValueError(f"{name!r} is no table, like project.dataset.gcp_billing_export_...")
    return name


ProjectId = Annotated[str, AfterValidator(_project)]
RegionName = Annotated[str, AfterValidator(_region)]
Number = Annotated[str, AfterValidator(_number)]
TableName = Annotated[str, AfterValidator(_table)]


class GcpSettings(BaseModel):
    """Collect Google Cloud projects, or all below a folder.

    Without a project, folder or organization that of the credentials is looked into.

    Credentials come from where Google's own libraries find them (Application Default Credentials:
    gcloud auth application-default login, a service account, workload identity). Nothing is changed
    in any project; `costopt doctor gcp` prints the least role that suffices.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    project: tuple[ProjectId, ...] = Field(
        (), description="project to look into; without any, that of the credentials"
    )
    folder: tuple[Number, ...] = Field((), description="number of a folder: all projects below it")
    organization: Number | None = Field(
        None, description="number of an organization: all projects below it"
    )
    region: tuple[RegionName, ...] = Field(
        (), description="region to look into; without any, all of them"
    )
    days: int = Field(60, ge=1, le=730, description="days of metrics to ask for")
    until: Moment | None = Field(
        None, description="collect metrics up to this moment (ISO, UTC); without it, now"
    )
    billing_table: TableName | None = Field(
        None, description="detailed billing export in BigQuery: project.dataset.table"
    )
    export: tuple[str, ...] = Field(
        (), description="where that export was saved to, Parquet or CSV: gs://bucket/prefix or path"
    )
    billing_project: ProjectId | None = Field(
        None, description="project that pays for the BigQuery query; without it, the table's"
    )
    skip: tuple[Part, ...] = Field((), description="leave out metrics, charges, prices or advice")
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
            if "://" in place and not re.match(r"gs://[a-z0-9][\w.-]{1,220}[a-z0-9](/|$)", place):
                raise ValueError(f"--export {place}: not an address like gs://bucket/prefix")
            if "://" not in place and not Path(place).exists():
                raise ValueError(f"--export {place}: there is no such file or folder")
        if self.billing_table and self.export:
            raise ValueError("--billing-table and --export are the same bill: name one of them")
        return self
