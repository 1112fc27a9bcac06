"""rightsize: a machine of the wrong size, to be replaced by one that fits its demand.

Anti-pattern: capacity bought for a peak that never came, and paid for every hour.
Better: the ordinary type of the least expected cost: its price, and what it would cost to have to
undo the change times the chance of that. In the same family where it can be, keeping what is not
measured (memory) as it is. Where demand is cut off by the machine itself: the next larger type.

Risk: optimize/risk.py. Which of the types: optimize/size.py. What may stand in:
rules/candidates.py. Settings: rules/rightsize_settings.py. What is left alone: rules/scope.py.
What it rests on: rules/grounds.py in words, rules/evidence.py in figures; how it would have done:
rules/replay.py. See docs/rules/rightsize.md and docs/method.md.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from costopt.model import ActionType, Effort, Recommendation, Shape, Skip, is_machine
from costopt.rules import grounds, obstacles, replay
from costopt.rules.base import Case, Fit, Outcome, span
from costopt.rules.candidates import MEMORY
from costopt.rules.evidence import evidence
from costopt.rules.obstacles import Obstacle
from costopt.rules.prices import list_price
from costopt.rules.rightsize_settings import RightsizeSettings
from costopt.rules.savings import Estimate, dearer, estimate
from costopt.rules.scope import out_of_scope
from costopt.rules.sizing import BUDGET, Sizing, sizing_of
from costopt.units import HOURS_PER_MONTH, cents, money, provider_key

_UNDERSIZED_SHARE: Final = 0.05
"""Over the limit for more than this share of time, the machine itself cuts its demand off."""


class Rightsize:
    """Finds machines larger than their demand, and those that cut it off."""

    code = "rightsize"
    Settings = RightsizeSettings

    def __init__(self, settings: RightsizeSettings) -> None:
        self.settings = settings

    def judge(self, case: Case) -> Outcome:
        """A machine of another size, or why not; None for what is no machine."""
        if not is_machine(case.resource):
            return None
        if refusal := out_of_scope(case, self.settings):
            return self._skip(case, *refusal)
        sizing = sizing_of(case, self.settings)
        if not isinstance(sizing, Sizing):
            return self._skip(case, *sizing)
        if sizing.need.cpu.share_over(self.settings.limit_percent) > _UNDERSIZED_SHARE:
            return self._larger(sizing)
        if sizing.choice is None:
            return self._stays(sizing)
        return self._weigh(sizing, sizing.choice)

    def _larger(self, sizing: Sizing) -> Outcome:
        """The next larger machine, if there is one."""
        chosen = sizing.next_larger
        if chosen is None or not self.settings.upsize:
            return self._skip(sizing.case, "undersized", grounds.undersized(sizing))
        estimated, _ = estimate_of(sizing, chosen)
        return self._recommend(sizing, chosen, estimated, grounds.undersized(sizing))

    def _weigh(self, sizing: Sizing, chosen: int) -> Outcome:
        """The smaller machine, if the saving is worth the change."""
        estimated, percent = estimate_of(sizing, chosen)
        if not self._is_worth(sizing, estimated, percent):
            name = sizing.market.shapes[chosen].instance_type
            saving = f"{cents(estimated.savings.high)} {sizing.cost.currency}"
            detail = f"{name} would do, and saves {saving} a month"
            return self._skip(sizing.case, "small-saving", f"{detail} ({percent:.1f} %)")
        return self._recommend(sizing, chosen, estimated, grounds.reason(sizing, chosen))

    def _recommend(
        self, sizing: Sizing, chosen: int, estimated: Estimate, reason: str
    ) -> Recommendation:
        resource = sizing.case.resource
        action, effort = _action(sizing, sizing.market.shapes[chosen])
        smaller = sizing.is_smaller(chosen)
        return Recommendation(
            rule=self.code,
            action_type=action,
            resource_id=resource.resource_id,
            resource_name=resource.resource_name,
            sub_account_id=resource.sub_account_id,
            current=sizing.case.current,
            recommended=sizing.offer(chosen),
            estimated_monthly_cost=estimated.cost_after,
            estimated_monthly_savings=estimated.savings,
            currency=sizing.cost.currency,
            lookback=span(sizing.need.cpu.profile),
            reason=reason,
            implementation_effort=effort,
            restart_needed=True,
            rollback_possible=True,
            evidence=evidence(sizing, chosen),
            alternatives=tuple(sizing.offer(i) for i in sizing.alternatives(chosen)),
            risk=grounds.risk(sizing, chosen),
            backtest=replay.backtest(sizing, chosen) if smaller else None,
            guards=grounds.guards(sizing, chosen) if smaller else (),
            stranded_commitment=estimated.stranded_commitment,
            tags=resource.tags,
        )

    def _stays(self, sizing: Sizing) -> Outcome:
        """Nothing to change; or advice held back by memory that is not measured, or by the fleet's
        risk budget, if the saving would be worth it."""
        found = obstacles.obstacle(sizing)
        code = _held_back(found) if found else None
        if (
            found
            and code
            and self._is_worth(found.without, *estimate_of(found.without, found.chosen))
        ):
            return self._skip(sizing.case, code, obstacles.missed(found))
        detail, resource_id = obstacles.fit(sizing, found), sizing.case.resource.resource_id
        return Fit(resource_id, self.code, detail, evidence(sizing, None))

    def _is_worth(self, sizing: Sizing, estimated: Estimate, percent: Decimal) -> bool:
        """Whether a saving is worth the change."""
        enough = percent >= Decimal(repr(self.settings.min_savings_percent))
        return enough and sizing.case.worth_it(estimated.savings.high)

    def _skip(self, case: Case, reason: str, detail: str) -> Skip:
        return Skip(case.resource.resource_id, self.code, reason, detail)


def estimate_of(sizing: Sizing, chosen: int) -> tuple[Estimate, Decimal]:
    """The money of taking that offer, and the saving in percent of the compute cost.

    The effective cost falls in proportion to the price: discounts and commitments are taken to
    hold for the smaller machine as they do today.
    """
    share = (sizing.hourly - sizing.price(chosen)) / sizing.hourly
    at_list, today = None, list_price(sizing.case)
    if today and sizing.currency == sizing.cost.currency:
        less = today.list_unit_price - sizing.market.prices[chosen].list_unit_price
        running = Decimal(repr(sizing.cost.running_share))
        at_list = money(less * HOURS_PER_MONTH * running)
    if share < 0:
        return dearer(sizing.cost, -share, at_list), share * 100
    return estimate(sizing.cost, share, at_list), share * 100


def _held_back(found: Obstacle) -> str | None:
    """The code, where nothing is in the way but what was not measured, or the risk budget."""
    if found.names - {MEMORY, BUDGET}:
        return None
    if MEMORY not in found.names:
        return "risk-budget"
    sizing = found.without
    if sizing.need.memory.measured or not sizing.settings.size_memory:
        return None
    return "memory-unmeasured"


def _action(sizing: Sizing, target: Shape) -> tuple[ActionType, Effort]:
    """What the change is called, and what it asks of people (Cost Optimization Hub's grades)."""
    today, then = sizing.current.architecture, target.architecture
    if not (today and then) or today == then:
        return ActionType.RIGHTSIZE, Effort.MEDIUM
    graviton = then == "arm64" and provider_key(target.provider_name) == "aws"
    return (ActionType.MIGRATE_TO_GRAVITON if graviton else ActionType.RIGHTSIZE), Effort.HIGH
