"""One account in one region, and the rows of the inventory that are found there."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from costopt.providers.aws.access import Account, told, under
from costopt.providers.base import Problem
from costopt.providers.rows import Row


@dataclass(frozen=True)
class Place:
    """Where one thread looks; what it cannot have is noted in `problems`."""

    account: Account
    region: str
    problems: list[Problem] = field(default_factory=list)

    def pages(
        self, service: str, operation: str, key: str, size: int, **asked: object
    ) -> Iterator[Mapping[str, Any]]:
        """What the operation lists under `key`, by pages of the most that AWS gives."""
        paginator = self.account.client(service, self.region).get_paginator(operation)
        for page in paginator.paginate(**asked, PaginationConfig={"PageSize": size}):
            yield from under(page, key)

    def where(self, call: str = "") -> str:
        """Account, region and call, for people."""
        return " ".join(filter(None, (self.account.account_id, self.region, call)))

    def told(self, call: str) -> contextlib.AbstractContextManager[None]:
        """What AWS refuses inside the block is a problem of that call."""
        return told(self.problems, self.where(call))

    def row(self, resource_id: str, tags: Iterable[Mapping[str, str]], **columns: Any) -> Row:
        """A thing of this place; its name is its tag `Name`, unless one is given."""
        kept = {tag["Key"]: tag.get("Value", "") for tag in tags}
        return {
            "ProviderName": "AWS",
            "SubAccountId": self.account.account_id,
            "RegionId": self.region,
            "ResourceId": resource_id,
            "ResourceName": kept.get("Name") or None,
            "Tags": dict(sorted(kept.items())) or None,
        } | columns
