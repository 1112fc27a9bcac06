"""Fields that the settings of several providers have."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator

Part = Literal["metrics", "charges", "prices", "advice"]
"""What a collect can leave out."""


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


Moment = Annotated[datetime, AfterValidator(_in_utc)]
"""A moment; without a zone it is UTC."""
