"""Own machines for people: each class of the file against the fleet, and those that are owned."""

from __future__ import annotations

import math
from typing import Final

from costopt.report.move.own_inputs import WORDS, told
from costopt.report.safe import markdown, terminal
from costopt.report.screen import QUIET, STRONG, Screen
from costopt.rules.move.own import Owned
from costopt.rules.move.own_answer import Answer
from costopt.rules.move.own_purchase import Purchase
from costopt.rules.move.own_racks_told import Line
from costopt.rules.move.own_racks_told import headline as rack_headline
from costopt.rules.move.own_racks_told import lines as rack_lines
from costopt.units import counted

_HANGS: Final = 3
"""Inputs that are told, those that move the answer most."""
_TITLE: Final = "Own machines"


def own_section(owned: Owned, *, width: int, colour: bool = False) -> bytes:
    """A part of a page on a screen, UTF-8: what is owned is kept or closed; what is bought."""
    screen = Screen(width, colour=colour)
    screen.blank()
    screen.title(_TITLE)
    for head, told_ in blocks(owned):
        screen.line((head, STRONG))
        for label, text in told_:
            screen.labelled(label, text)
        screen.blank()
    for rate in owned.rates:
        screen.paragraph(f"{rate}.", QUIET)
        screen.blank()
    return screen.text().encode()


def own_markdown(owned: Owned) -> bytes:
    """The same for a wiki."""
    found = [f"### {_TITLE}"]
    for head, told_ in blocks(owned):
        listed = [f"- {label}: {markdown(text)}" for label, text in told_]
        found.append("\n".join([f"**{markdown(head)}**", "", *listed]).rstrip())
    found += [f"{markdown(rate)}." for rate in owned.rates]
    return ("\n" + "\n\n".join(found) + "\n").encode()


def blocks(owned: Owned, only: str | None = None) -> list[tuple[str, list[Line]]]:
    """A headline and its lines each: owned machines first, then what could be bought.

    Args:
        only: of that class alone.
    """
    if not owned.answers and not owned.racks:
        return [("Not compared", [("", note) for note in owned.notes])]
    kept = [
        (terminal(rack_headline(one)), rack_lines(one, owned.currency))
        for one in owned.racks
        if only in (None, one.name)
    ]
    return kept + [
        (headline(answer), lines(answer))
        for answer in owned.answers
        if only in (None, answer.kind.name)
    ]


def headline(answer: Answer) -> str:
    """The class, and what to do."""
    name, bought = terminal(answer.kind.name), answer.bought
    if not bought.count:
        return f"{name}: none to buy"
    spares = f" and {counted(bought.spares, 'spare')}" if bought.spares else ""
    currency = answer.board.world.currency
    return f"{name}: {bought.count} to buy{spares}, for {bought.capex:,.0f} {currency}"


def lines(answer: Answer) -> list[Line]:
    """The figures of a class."""
    if answer.shown is None:
        return [("Why", answer.why)]
    shown = answer.shown
    found = [("In the cloud", _cloud(answer, shown.price)), ("Used", _used(answer, shown))]
    found.append(("Break-even", _break_even(answer, shown)))
    if shown.ahead > 0:
        found.append(("Bought ahead", _ahead(answer, shown)))
    if answer.taken:
        found += [("Saves", _saves(answer)), ("Paid back", _paid_back(answer))]
    else:
        found.append(("Why", answer.why))
    hangs = "; ".join(
        f"{WORDS[one.name]} {told(one.name, one.low)} to {told(one.name, one.high)}: "
        f"{percent(one.at_low)} to {percent(one.at_high)}"
        for one in answer.swings()[:_HANGS]
    )
    return [*found, ("Hangs on", hangs)] if hangs else found


def _cloud(answer: Answer, price: float) -> str:
    currency = answer.board.world.currency
    known = [f"{price:,.4g} {currency} an hour is paid for what one takes the place of"]
    committed = f"committed ({answer.terms})" if answer.terms else "committed"
    others = (("on demand", answer.listed), (committed, answer.committed))
    known += [f"{amount:,.4g} {name}" for name, amount in others if amount is not None]
    missing = [name for name, amount in others if amount is None]
    return ", ".join(known) + (f"; {' and '.join(missing)}: no price known" if missing else "")


def _used(answer: Answer, shown: Purchase) -> str:
    told_ = (
        f"paid for in {percent(shown.used)} of the hours, {percent(shown.used_low)} in the four "
        "weeks of least use"
    )
    if answer.busy is None:
        return told_
    return f"{told_}, and busy at {answer.busy:.0f} % then (no part of the sums)"


def _break_even(answer: Answer, shown: Purchase) -> str:
    found = [_from(shown.break_even(shown.price))]
    for name, amount in (("on demand", answer.listed), ("committed", answer.committed)):
        if amount is not None:
            found.append(f"{percent(shown.break_even(amount))} {name}")
    return ", ".join(found)


def _from(share: float) -> str:
    if math.isinf(share):
        return "never: an hour of the cloud costs less than its power"
    beyond = ", more than there are" if share > 1 else ""
    return f"from {100 * share:.0f} % of the hours on{beyond}"


def _ahead(answer: Answer, shown: Purchase) -> str:
    cloud, own = (12 * saved for saved in (shown.ahead, shown.saved.target))
    more = "less" if own > cloud else "more"
    return (
        f"in the cloud ({answer.terms}) the same would save {cloud:,.0f} a year, "
        f"{more} than the {own:,.0f} of own ones"
    )


def _saves(answer: Answer) -> str:
    bought = answer.bought
    return (
        f"{12 * bought.saved.target:,.0f} a year (low {12 * bought.saved.low:,.0f}); "
        f"{bought.present:,.0f} in today's money over {answer.board.horizon.months:g} months, at "
        f"least {bought.present_low:,.0f}, with {bought.once:,.0f} that going there takes"
    )


def _paid_back(answer: Answer) -> str:
    month = answer.month
    if math.isinf(month):
        return "not within their life"
    return f"in month {month:.0f}, by {answer.paid_by}, with what going there takes"


def percent(share: float) -> str:
    """A break-even, or a use."""
    return f"{100 * share:.0f} %" if share <= 10 else "never"
