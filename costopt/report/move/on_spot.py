"""A group's story: whether it should run on spot where it is, or why not."""

from __future__ import annotations

from collections import Counter

from costopt.model import ActionType, Recommendation, Report
from costopt.report import evidence
from costopt.report.screen import Screen
from costopt.rules.move.grounds import Ground
from costopt.rules.move.settings import CODE
from costopt.rules.move.spot import CODES, out_of_question
from costopt.units import counted


def tell(screen: Screen, ground: Ground, report: Report) -> None:
    """What goes on spot, with its figures; and of each of the others why it does not.

    Args:
        report: of all moves.
    """
    members = {one.resource.resource_id for one in ground.group.members}
    advice = [one for one in report.recommendations if one.resource_id in members]
    spot = [one for one in advice if one.action_type is ActionType.SPOT]
    if not spot and advice:
        return  # it goes elsewhere
    screen.title("On spot, where it is")
    if spot:
        _advised(screen, spot)
    settled = {one.resource_id for one in advice}
    for why, count in _refused(ground, report, settled).items():
        screen.paragraph(f"Not advised for {counted(count, 'machine')}: {why}.")
    screen.blank()


def _advised(screen: Screen, advice: list[Recommendation]) -> None:
    saved = sum(float(one.estimated_monthly_savings.target) for one in advice)
    low = sum(float(one.estimated_monthly_savings.low) for one in advice)
    screen.paragraph(
        f"{saved:,.2f} {advice[0].currency} a month less for {counted(len(advice), 'machine')}, "
        f"{low:,.2f} at worst: {advice[0].reason}."
    )
    evidence.draw(screen, _rest(advice[0]), indent=2)


def _refused(ground: Ground, report: Report, settled: set[str]) -> Counter[str]:
    """Why not, and of how many machines; the first to be said first."""
    told = {
        skip.resource_id: f"{skip.detail} ({skip.reason})"
        for skip in report.skips
        if skip.rule == CODE and skip.reason in CODES
    }
    settings, found = ground.board.settings, Counter[str]()
    for one in ground.group.members:
        resource_id = one.resource.resource_id
        why = told.get(resource_id) or out_of_question(one, ground.group, settings)
        if why and resource_id not in settled:
            found[why] += 1
    return found


def _rest(one: Recommendation) -> dict[str, object]:
    told = ("group", "group_id", "group_name", "group_machines", "interruptible")
    return {name: value for name, value in one.evidence.items() if name not in told}
