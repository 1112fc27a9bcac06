"""Why costopt and a vendor differ, in sentences of facts: nothing is said that was not measured,
priced or told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final

from costopt.model import Recommendation, Skip
from costopt.pricing.layer import type_key
from costopt.report import risk, words
from costopt.report.safe import terminal
from costopt.report.vendor.advice import Advice
from costopt.report.vendor.judging import Judged, cost_words, judged
from costopt.rules.base import Case, Fit, Outcome
from costopt.rules.scope import Refusal
from costopt.rules.sizing import Sizing
from costopt.units import counted

_DIFFERENT: Final = Decimal("0.05")
"""Savings that differ by less than this share are the same to people."""
_STALE: Final = timedelta(days=30)
"""Vendors look at least once a day; advice that was not renewed for so long may be of another
machine."""


@dataclass(frozen=True, slots=True)
class Story:
    """What is known of one resource that a vendor has advice on."""

    case: Case
    outcomes: tuple[Outcome, ...]
    ours: Recommendation | None
    theirs: Advice
    sizing: Sizing | Refusal | None  # None: theirs is no size of a machine
    judged: Judged | None  # their type by our own model


def agree(story: Story) -> str:
    """The same action and type; the money may differ."""
    return _said([*_outdated(story), "the same change", *_money(story)])


def direction(story: Story) -> str:
    """Both save, or both add; not by the same type."""
    return _said([*_outdated(story), *_their_type(story), *_our_type(story), *_lookback(story)])


def opposite(story: Story) -> str:
    """One wants less, the other more."""
    assert story.ours is not None
    ours = [f"costopt: {story.ours.reason.removesuffix('.')}"]
    return _said([*_outdated(story), *_their_finding(story), *ours, *_their_type(story),
                  *_lookback(story)])  # fmt: skip


def only_them(story: Story) -> str:
    """The vendor has advice where costopt has none."""
    told = [*_their_type(story)]
    if story.judged and story.judged.holds and not told:
        told = [_held_back(story)]
    return _said([*_outdated(story), *told, *_our_reason(story), *_lookback(story)])


def only_us(source: str, theirs: Advice | None, ours: Recommendation) -> str:
    """Ours alone; `theirs` is what the vendor said of it that is no advice to act on."""
    if theirs is None:
        told = f"{source} was asked, and says nothing of it"
    elif theirs.dismissed:
        told = f"{source} advises to {_wants(theirs)}, which people dismissed"
    else:
        days = f" over {_days(theirs.lookback_days)}" if theirs.lookback_days else ""
        told = f"{source} finds it {theirs.finding or 'right as it is'}{days}"
    probability = risk.probability(ours)
    undo = "" if probability is None else f"ours has an undo risk of {words.chance(probability)}"
    return _said([told, undo])


def barred(outcomes: Sequence[Outcome]) -> Skip | None:
    """What the quality gate said, where it let no rule judge."""
    return next((one for one in outcomes if isinstance(one, Skip) and not one.rule), None)


def finds_too_small(theirs: Advice) -> bool:
    """Whether the vendor's own word is that the machine is too small."""
    finding = (theirs.finding or "").replace("_", "").casefold()
    return finding.startswith(("underprovisioned", "increaseperformance"))


# -- parts of sentences ----------------------------------------------------------------------


def _said(parts: Sequence[str]) -> str:
    return terminal("; ".join(dict.fromkeys(part for part in parts if part)))


def _wants(theirs: Advice) -> str:
    return f"take {theirs.instance_type}" if theirs.instance_type else theirs.action


def _outdated(story: Story) -> Iterator[str]:
    """That the vendor speaks of a type that the machine has no more, or has not looked of late."""
    then, now = story.theirs.current_type, story.case.resource.instance_type
    if then and now and type_key(then) != type_key(now):
        yield f"it speaks of {then}, and the machine is {now} now"
    looked = story.theirs.updated_at
    if looked and (age := story.case.as_of - looked) > _STALE:
        yield f"its advice is of {looked:%Y-%m-%d}, {counted(age.days, 'day')} before costopt's"


def _their_finding(story: Story) -> Iterator[str]:
    if story.theirs.finding:
        yield f"{story.theirs.source} finds it {story.theirs.finding}"


def _their_type(story: Story) -> Iterator[str]:
    """What our own model says of their type; nothing where it would do."""
    theirs, found = story.theirs, story.judged
    if isinstance(story.sizing, tuple):
        code, detail = story.sizing
        yield f"costopt does not size it ({code}): {detail}"
    elif theirs.instance_type and story.sizing and found is None:
        yield f"no price of {theirs.instance_type} is known here, so it cannot be judged"
    elif found:
        yield from found.obstacles
        if not found.is_better and not finds_too_small(theirs):
            yield cost_words(found)


def _our_type(story: Story) -> Iterator[str]:
    """Ours beside theirs: the risk of both, and what each costs to expect."""
    ours, found = story.ours, story.judged
    assert ours is not None
    if ours.recommended is None:
        yield f"costopt: {ours.reason.removesuffix('.')}"
        return
    name = words.machine(ours.recommended)
    if found and found.obstacles:
        yield f"{name} would do"
    elif found is None or words.costs_more(ours):
        yield f"costopt takes {name}: {ours.reason.removesuffix('.')}"
    else:
        yield _beside(story, found, name)
    if story.theirs.action in ("stop", "delete"):
        yield from _not_idle(story)


def _beside(story: Story, found: Judged, name: str) -> str:
    ours = story.ours
    assert ours is not None
    told = (
        f"undo risk {_risk(found.undo_risk)} on {found.name}, {_risk(risk.probability(ours))} on "
    )
    mine = _expected_of_ours(story)
    if mine is None:
        return f"{told}{name}"
    return (
        f"{told}{name}: with that they are expected to cost {words.figure(found.expected_hourly)} "
        f"and {words.figure(mine)} {found.currency} an hour"
    )


def _expected_of_ours(story: Story) -> float | None:
    target = story.ours.recommended if story.ours else None
    if not isinstance(story.sizing, Sizing) or target is None or not target.instance_type:
        return None
    found = judged(story.sizing, target.instance_type)
    return found.expected_hourly if found else None


def _risk(chance: float | None) -> str:
    return words.chance(chance) if chance else "none"


def _held_back(story: Story) -> str:
    """Their type would do, and is not advised: what it saves is not worth it, or another is."""
    found = story.judged
    assert found is not None
    saves = f"{words.amount(found.monthly_savings)} {_currency(story)}"
    return f"{found.name} would do, and takes {saves} a month off the bill"


def _currency(story: Story) -> str:
    return story.case.cost.currency if story.case.cost else ""


def _our_reason(story: Story) -> Iterator[str]:
    """What our rules said instead: of an end, the rule on idle things; of a size, the other."""
    spoken = [one for one in story.outcomes if isinstance(one, (Skip, Fit))]
    if not spoken:
        yield "costopt has no rule on this kind of resource"
        return
    if story.theirs.action in ("stop", "delete"):
        yield from _not_idle(story)
        return
    if isinstance(story.sizing, tuple):
        return  # told already
    for one in spoken:
        if one.rule in ("rightsize", ""):
            code = f" ({one.reason})" if isinstance(one, Skip) else ""
            yield f"costopt{code}: {one.detail.removesuffix('.')}"


def _not_idle(story: Story) -> Iterator[str]:
    for one in story.outcomes:
        if isinstance(one, (Skip, Fit)) and one.rule in ("idle", ""):
            what = "costopt finds it"
            if isinstance(one, Skip):
                what = f"costopt does not judge whether it is idle ({one.reason}):"
            yield f"{what} {one.detail.removesuffix('.')}"


def _money(story: Story) -> Iterator[str]:
    """Why the same change saves another amount."""
    ours, theirs = story.ours, story.theirs
    assert ours is not None
    stated, saved = theirs.monthly_savings, ours.estimated_monthly_savings.target
    if stated is None or theirs.currency != ours.currency:
        return
    if abs(stated - saved) <= _DIFFERENT * max(abs(stated), abs(saved)):
        return
    yield (
        f"it states {words.amount(stated)}, and {words.amount(saved)} {ours.currency} a month "
        f"leaves the bill{_because(story.case, ours)}"
    )


def _because(case: Case, ours: Recommendation) -> str:
    cost = case.cost
    if ours.stranded_commitment and cost:
        return f", as {words.percent(cost.committed_share)} of it is under a commitment"
    if cost and cost.basis == "charges" and cost.compute < cost.compute_list:
        return (
            f", as its compute is billed at {words.amount(cost.compute)} where the list price is "
            f"{words.amount(cost.compute_list)}"
        )
    if cost and cost.running_share < 1:
        return f", as it runs {words.percent(cost.running_share)} of the time"
    return ""


def _lookback(story: Story) -> Iterator[str]:
    """How far each looks back, where that differs."""
    theirs, ours = story.theirs.lookback_days, story.case.profile("cpu_utilization")
    if theirs and ours and abs(theirs - ours.days) >= 1:
        yield f"{story.theirs.source} looks back {_days(theirs)}, costopt {ours.days:,}"


def _days(count: float) -> str:
    return counted(count, "day", ",.4g")
