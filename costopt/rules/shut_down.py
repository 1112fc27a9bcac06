"""A machine that was shut down and still bills: Azure keeps the place of one that is not
deallocated.

Anti-pattern: it is shut down from inside, or by "az vm stop"; nothing runs, and its compute is
billed as if it did. Better: deallocate it; its disks stay, and it starts again where there is room.
Source: "States and billing status of Azure Virtual Machines", Microsoft's documentation.
"""

from __future__ import annotations

from decimal import Decimal

from costopt.model import ActionType, Effort, Recommendation, Skip
from costopt.rules.base import Case, Outcome
from costopt.rules.savings import estimate
from costopt.units import cents


def deallocate(case: Case, rule: str) -> Outcome:
    """Deallocate it, if that is worth it.

    Args:
        case: of a machine that is stopped and billed.
        rule: whose advice it is.
    """
    cost, resource = case.cost, case.resource
    if cost is None:
        detail = "stopped, not deallocated; but neither a bill nor a price names it"
        return Skip(resource.resource_id, rule, "no-price", detail)
    estimated = estimate(cost, Decimal(1), cost.compute_list if cost.compute_list > 0 else None)
    saving = estimated.savings.high
    if not case.worth_it(saving):
        detail = f"deallocating it saves {cents(saving)} {cost.currency} a month"
        return Skip(resource.resource_id, rule, "small-saving", f"stopped, but {detail}")
    return Recommendation(
        rule=rule,
        action_type=ActionType.STOP,
        resource_id=resource.resource_id,
        resource_name=resource.resource_name,
        sub_account_id=resource.sub_account_id,
        current=case.current,
        recommended=None,
        estimated_monthly_cost=estimated.cost_after,
        estimated_monthly_savings=estimated.savings,
        currency=cost.currency,
        lookback=case.window,
        reason="it is shut down but not deallocated, so its compute bills on as if it ran: "
        f"deallocating it (az vm deallocate) ends {saving} {cost.currency} a month",
        implementation_effort=Effort.LOW,
        restart_needed=False,
        rollback_possible=not (case.shape and case.shape.local_disk_gib),  # which it empties
        evidence={"state": resource.state, "power_state": resource.attributes.get("power_state")},
        stranded_commitment=estimated.stranded_commitment,
        tags=resource.tags,
    )
