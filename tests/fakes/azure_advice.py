"""Azure Advisor on loopback: a service of tests.fakes.azure_arm, in pages, for the cost filter.

azure.advisor.machine(vm, "Standard_D4s_v5", "Standard_D2s_v5", annual="1900.80")
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from tests.fakes.azure_arm import Answer, Call, Door, refusal

ACTION: Final = "Microsoft.Advisor/recommendations/read"
_LOW_USAGE: Final = "e10b1381-5f0a-47ff-8c7b-37bd13d7c974"
Item = dict[str, Any]


@dataclass
class Advisor:
    """What it holds."""

    door: Door
    items: list[Item] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.door.services.append(self._listed)

    def _listed(self, call: Call) -> Answer | None:
        if call.action != ACTION:
            return None
        if call.query.get("$filter") != "Category eq 'Cost'" and "$top" not in call.query:
            return refusal(400, "BadFilter", f"not understood: {call.query.get('$filter')}")
        mine = f"/subscriptions/{call.subscription}/"
        held = [item for item in self.items if item["id"].lower().startswith(mine)]
        return self.door.pages.page(call, self.door.url, held)

    def machine(self, resource: str, before: str, after: str, **more: Any) -> Item:
        """A machine of low usage; `annual` is what Advisor says it saves a year."""
        return self.add(
            resource,
            "Microsoft.Compute/virtualMachines",
            _LOW_USAGE,
            "Right-size or shutdown underutilized virtual machines",
            currentSku=before,
            targetSku=after,
            **more,
        )

    def add(
        self,
        resource: str,
        kind: str,
        type_id: str,
        problem: str,
        *,
        annual: str | None = None,
        suppressed: bool = False,
        **extended: str,
    ) -> Item:
        """Anything; `extended` are its extendedProperties."""
        if annual is not None:
            extended |= {"annualSavingsAmount": annual, "savingsCurrency": "EUR"}
        item = {
            "id": f"{resource}/providers/Microsoft.Advisor/recommendations/r{len(self.items)}",
            "name": f"r{len(self.items)}",
            "type": "Microsoft.Advisor/recommendations",
            "properties": {
                "category": "Cost",
                "impact": "High",
                "impactedField": kind,
                "impactedValue": resource.rpartition("/")[2],
                "lastUpdated": "2026-10-27T03:17:32.7656137Z",
                "recommendationTypeId": type_id,
                "shortDescription": {"problem": problem, "solution": "Do so."},
                "extendedProperties": extended,
                "resourceMetadata": {"resourceId": resource},
                "suppressionIds": ["s-1"] if suppressed else [],
            },
        }
        self.items.append(item)
        return item
